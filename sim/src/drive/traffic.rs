//! Simulates the traffic of a drive: who goes where, how fast, and who waits for whom.

use super::actor::SAMPLE_S;
use super::path::Path;
use crate::ground_truth::ObjectClass;
use crate::shapes::Shape;
use crate::world::World;
use crate::world::curve::Curve;
use nalgebra::{Point2, Vector2};
use std::sync::Arc;

mod driving;
mod overlaps;
mod signals;

pub(super) use signals::Signals;

/// Time simulated before the drive begins, so that speeds and gaps are settled, seconds.
pub(super) const WARM_UP_S: f64 = 6.0;

/// Steps for which the list of standing things near a vehicle holds, and how far it reaches, metres.
const NEARBY_STEPS: i64 = 10;
const NEARBY_M: f64 = 75.0;

/// A vehicle under simulation.
#[derive(Clone, Debug)]
pub(super) struct Vehicle {
    pub(super) class: ObjectClass,
    /// Shape; `None` for the ego vehicle, which no camera sees.
    pub(super) shape: Option<Shape>,
    pub(super) path: Arc<Path>,
    /// Arc length of the reference point: the box centre, or the rear axle of the ego vehicle.
    pub(super) s: f64,
    pub(super) v: f64,
    pub(super) a: f64,
    /// Reach of the body before and behind the reference point, and half its width.
    pub(super) front_m: f64,
    pub(super) rear_m: f64,
    pub(super) half_width_m: f64,
    pub(super) desired_mps: f64,
    pub(super) history: Vec<[f64; 2]>,
}

/// Someone on foot.
#[derive(Clone, Debug)]
pub(super) struct Walker {
    pub(super) shape: Shape,
    pub(super) curve: Arc<Curve>,
    pub(super) s: f64,
    pub(super) speed_mps: f64,
    /// The crosswalk to be crossed, and where on the curve the road begins and ends.
    pub(super) crossing: Option<(usize, [f64; 2])>,
    /// Time from which the walker wants to go.
    pub(super) from_s: f64,
    pub(super) history: Vec<[f64; 2]>,
}

/// A rectangle on the road that others must not touch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    pub(super) centre: Point2<f64>,
    pub(super) axis: Vector2<f64>,
    pub(super) half_length_m: f64,
    pub(super) half_width_m: f64,
    pub(super) v: f64,
}

impl Body {
    /// Whether two bodies overlap by more than a hand's breadth.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        const SLACK_M: f64 = 0.1;
        let gap = other.centre - self.centre;
        let reach = |body: &Self| body.half_length_m.hypot(body.half_width_m);
        if gap.norm() > reach(self) + reach(other) {
            return false;
        }
        // Separating axes of two rectangles.
        let left = |axis: &Vector2<f64>| Vector2::new(-axis.y, axis.x);
        let extent = |body: &Self, axis: &Vector2<f64>| {
            body.half_length_m * body.axis.dot(axis).abs()
                + body.half_width_m * left(&body.axis).dot(axis).abs()
        };
        [self.axis, left(&self.axis), other.axis, left(&other.axis)]
            .iter()
            .all(|axis| gap.dot(axis).abs() < extent(self, axis) + extent(other, axis) - SLACK_M)
    }
}

impl Vehicle {
    /// The rectangle that the vehicle covers at an arc length.
    pub(super) fn body_at(&self, s: f64, v: f64) -> Body {
        let at = self.path.curve.at(s);
        let axis = at.ahead;
        Body {
            centre: Point2::new(at.x, at.y) + axis * (0.5 * (self.front_m - self.rear_m)),
            axis,
            half_length_m: 0.5 * (self.front_m + self.rear_m),
            half_width_m: self.half_width_m,
            v,
        }
    }
}

impl Walker {
    pub(super) fn body_at(&self, s: f64, v: f64) -> Body {
        let at = self.curve.at(s);
        let axis = at.ahead;
        Body {
            centre: Point2::new(at.x, at.y),
            axis,
            half_length_m: 0.5 * f64::from(self.shape.size[0]),
            half_width_m: 0.5 * f64::from(self.shape.size[1]),
            v,
        }
    }

    fn is_on_road(&self) -> bool {
        self.crossing
            .is_some_and(|(_, [from, to])| self.s > from - 0.7 && self.s < to)
    }
}

/// All who move, and what stands in their way.
pub(super) struct Traffic<'a> {
    pub(super) world: &'a World,
    pub(super) signals: Signals,
    /// The ego vehicle is the first.
    pub(super) vehicles: Vec<Vehicle>,
    pub(super) walkers: Vec<Walker>,
    /// Parked vehicles and cones.
    pub(super) standing: Vec<Body>,
    /// Those of them that each vehicle may meet within the next second.
    pub(super) nearby: Vec<Vec<usize>>,
}

impl Traffic<'_> {
    /// Runs from the warm-up to the end of the drive; histories begin at the start of the drive.
    pub(super) fn run(&mut self, duration_s: f64) {
        let warm_up = (WARM_UP_S / SAMPLE_S).round() as i64;
        let last = (duration_s / SAMPLE_S).ceil() as i64 + 1;
        for step in -warm_up..=last {
            if step >= 0 {
                for vehicle in &mut self.vehicles {
                    vehicle.history.push([vehicle.s, vehicle.v]);
                }
                for walker in &mut self.walkers {
                    let v = walker
                        .history
                        .last()
                        .map_or(walker.speed_mps, |[s, _]| (walker.s - s) / SAMPLE_S);
                    walker.history.push([walker.s, v]);
                }
            }
            if (step + warm_up) % NEARBY_STEPS == 0 {
                self.look_around();
            }
            self.step(step as f64 * SAMPLE_S);
        }
    }

    fn look_around(&mut self) {
        let near = |vehicle: &Vehicle| {
            let here = vehicle.body_at(vehicle.s, vehicle.v).centre;
            let standing = self.standing.iter().enumerate();
            standing
                .filter(|(_, body)| (body.centre - here).norm_squared() < NEARBY_M * NEARBY_M)
                .map(|(k, _)| k)
                .collect()
        };
        self.nearby = self.vehicles.iter().map(near).collect();
    }

    fn step(&mut self, t_s: f64) {
        let bodies: Vec<Body> = self
            .vehicles
            .iter()
            .map(|vehicle| vehicle.body_at(vehicle.s, vehicle.v))
            .collect();
        let walking: Vec<(usize, Body)> = self
            .walkers
            .iter()
            .filter(|walker| walker.is_on_road())
            .filter_map(|walker| {
                walker
                    .crossing
                    .map(|(crosswalk, _)| (crosswalk, walker.body_at(walker.s, 0.0)))
            })
            .collect();
        let locks = self.junction_locks();
        let accelerations: Vec<f64> = (0..self.vehicles.len())
            .map(|index| self.acceleration(index, t_s, &bodies, &walking, &locks))
            .collect();
        for (vehicle, wanted) in self.vehicles.iter_mut().zip(accelerations) {
            // Comfort: the pedal moves within a third of a second, but for an emergency.
            let blend = if wanted < -4.0 { 1.0 } else { SAMPLE_S / 0.35 };
            vehicle.a += (wanted - vehicle.a) * blend;
            let v = (vehicle.v + vehicle.a * SAMPLE_S).max(0.0);
            if v == 0.0 {
                vehicle.a = vehicle.a.max(0.0);
            }
            vehicle.s += 0.5 * (vehicle.v + v) * SAMPLE_S;
            vehicle.v = v;
        }
        for index in 0..self.walkers.len() {
            if t_s >= self.walkers[index].from_s && self.may_walk(index, &bodies) {
                let walker = &mut self.walkers[index];
                walker.s = (walker.s + walker.speed_mps * SAMPLE_S).min(walker.curve.length());
            }
        }
    }

    /// A walker at the kerb waits until no vehicle comes.
    fn may_walk(&self, index: usize, bodies: &[Body]) -> bool {
        let walker = &self.walkers[index];
        let Some((crosswalk, [from, to])) = walker.crossing else {
            return true;
        };
        let is_at_kerb =
            walker.s <= from - 0.7 && walker.s + walker.speed_mps * SAMPLE_S > from - 0.75;
        if !is_at_kerb {
            return true;
        }
        let centre = self.world.marks.crosswalks[crosswalk].centre;
        let reach = 0.5 * (to - from);
        let time_s = (to - from) / walker.speed_mps.max(0.5);
        bodies.iter().all(|body| {
            let gap = centre - body.centre;
            let ahead = gap.dot(&body.axis);
            let aside = (gap.y * body.axis.x - gap.x * body.axis.y).abs();
            let clear = body.half_length_m + 3.0;
            let is_on_it = gap.norm() < reach.max(body.half_length_m) + 3.0 && ahead > -clear;
            let comes = ahead > 0.0
                && aside < reach + 2.0
                && body.v > 0.3
                && (ahead - clear) / body.v < time_s + 1.0;
            let is_close = is_on_it && (body.v > 0.3 || gap.norm() < body.half_length_m + 2.0);
            !comes && !is_close
        })
    }
}
