//! Everything that may be seen as an object: its shape and where it is at any time.

use crate::ground_truth::ObjectClass;
use crate::scene::{Instance, InstanceId};
use crate::shapes::Shape;
use crate::world::curve::Curve;
use crate::world::{KERB_M, World};
use nalgebra::{Isometry3, Point2, Vector2, Vector3};
use std::sync::Arc;

/// Time between the samples of a motion, seconds.
pub(super) const SAMPLE_S: f64 = 0.1;

/// Progress along a curve over time.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    /// Arc length and speed every [`SAMPLE_S`], from the start of the drive.
    pub(super) samples: Vec<[f64; 2]>,
}

impl Progress {
    /// Arc length, speed and acceleration at a time; the first and the last sample hold beyond the ends.
    pub(super) fn at(&self, t_s: f64) -> [f64; 3] {
        let last = self.samples.len() - 1;
        let cells = (t_s / SAMPLE_S).clamp(0.0, last as f64);
        let index = (cells as usize).min(last.saturating_sub(1));
        let u = cells - index as f64;
        let [s0, v0] = self.samples[index];
        let [s1, v1] = self.samples[(index + 1).min(last)];
        let (u2, u3) = (u * u, u * u * u);
        let s = (2.0 * u3 - 3.0 * u2 + 1.0) * s0
            + (3.0 * u2 - 2.0 * u3) * s1
            + ((u3 - 2.0 * u2 + u) * v0 + (u3 - u2) * v1) * SAMPLE_S;
        let v = 6.0 * (u - u2) * (s1 - s0) / SAMPLE_S
            + (3.0 * u2 - 4.0 * u + 1.0) * v0
            + (3.0 * u2 - 2.0 * u) * v1;
        [s, v, (v1 - v0) / SAMPLE_S]
    }
}

/// How an actor moves.
#[derive(Clone, Debug)]
pub(super) enum Motion {
    /// Stays where it is.
    Still {
        place: Point2<f64>,
        yaw: f64,
        lift_m: f64,
    },
    /// Goes along a curve.
    Along {
        curve: Arc<Curve>,
        progress: Progress,
        lift: Lift,
    },
}

/// How high over the road surface an actor goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lift {
    /// On the road.
    Road,
    /// On a sidewalk.
    Sidewalk,
    /// On a sidewalk, but for the arc lengths between, where a road is crossed.
    Crossing([f64; 2]),
}

impl Lift {
    fn at(self, s: f64) -> f64 {
        match self {
            Self::Road => 0.0,
            Self::Sidewalk => KERB_M,
            Self::Crossing([from, to]) => {
                let inside = (s - from).min(to - s);
                KERB_M * (0.5 - inside / 0.4).clamp(0.0, 1.0)
            }
        }
    }
}

/// An object of the drive.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    pub(super) id: u32,
    pub(super) class: ObjectClass,
    pub(super) shape: Shape,
    pub(super) motion: Motion,
}

/// Where an actor is and how it moves.
#[derive(Clone, Copy, Debug)]
pub(super) struct ActorState {
    pub(super) place: Point2<f64>,
    pub(super) yaw: f64,
    pub(super) lift_m: f64,
    pub(super) velocity: Vector2<f64>,
    pub(super) yaw_rate: f64,
}

impl Actor {
    /// State at a time.
    pub(super) fn at(&self, t_s: f64) -> ActorState {
        match &self.motion {
            Motion::Still { place, yaw, lift_m } => ActorState {
                place: *place,
                yaw: *yaw,
                lift_m: *lift_m,
                velocity: Vector2::zeros(),
                yaw_rate: 0.0,
            },
            Motion::Along {
                curve,
                progress,
                lift,
            } => {
                let [s, v, _] = progress.at(t_s);
                let at = curve.at(s);
                ActorState {
                    place: Point2::new(at.x, at.y),
                    yaw: at.heading,
                    lift_m: lift.at(s),
                    velocity: Vector2::new(at.heading.cos(), at.heading.sin()) * v,
                    yaw_rate: at.curvature * v,
                }
            }
        }
    }

    /// Moves, or waits to move on: not parked.
    pub(super) fn is_in_traffic(&self) -> bool {
        matches!(self.motion, Motion::Along { .. })
    }

    /// Pose of the shape's frame at a state: on the ground under the middle of the box.
    pub(super) fn pose(&self, world: &World, state: &ActorState) -> Isometry3<f64> {
        match self.class {
            // People and cones stand upright on any slope.
            ObjectClass::Pedestrian | ObjectClass::Cone => {
                let z = world.terrain.z(&state.place) + state.lift_m;
                Isometry3::new(
                    Vector3::new(state.place.x, state.place.y, z),
                    Vector3::z() * state.yaw,
                )
            }
            _ => world.resting_pose(state.place, state.yaw, self.shape.size, state.lift_m),
        }
    }

    /// What the renderer draws.
    pub(super) fn instance(&self, pose: Isometry3<f64>) -> Instance {
        Instance {
            mesh: self.shape.mesh.clone(),
            world_from_mesh: pose,
            scale: Vector3::repeat(1.0),
            id: InstanceId(self.id),
            bounds: self.shape.bounds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_interpolates_position_and_speed() {
        // Constant acceleration of 2 m/s².
        let samples = (0..20)
            .map(|i| f64::from(i) * SAMPLE_S)
            .map(|t| [t * t, 2.0 * t])
            .collect();
        let [s, v, a] = Progress { samples }.at(0.537);
        assert!(
            (s - 0.537 * 0.537).abs() < 1e-9
                && (v - 2.0 * 0.537).abs() < 1e-9
                && (a - 2.0).abs() < 1e-9
        );
    }

    #[test]
    fn pedestrian_steps_down_from_the_kerb_and_up_again() {
        let lift = Lift::Crossing([2.0, 9.0]);
        assert_eq!([0.0, 5.0, 11.0].map(|s| lift.at(s)), [KERB_M, 0.0, KERB_M]);
    }
}
