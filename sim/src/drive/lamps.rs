//! Lamps that burn around the ego vehicle.

use super::actor::{Actor, ActorState};
use super::sky::Sky;
use crate::ground_truth::ObjectClass;
use crate::scene::PointLight;
use nalgebra::{Isometry3, Point3, Vector3};

/// Irradiance at one metre relative to full daylight (about 50,000 lux).
const HEAD_LAMP: [f32; 3] = [0.9, 0.85, 0.75];
const STREET_LAMP: [f32; 3] = [0.14, 0.115, 0.08];
const TAIL_LAMP: [f32; 3] = [0.004, 0.0002, 0.0002];

/// Collects the lamps of a scene.
pub(super) struct Lamps {
    has_head_lamps: bool,
    has_street_lamps: bool,
    lights: Vec<PointLight>,
}

impl Lamps {
    pub(super) fn new(sky: &Sky) -> Self {
        Self {
            has_head_lamps: sky.has_head_lamps(),
            has_street_lamps: sky.has_street_lamps(),
            lights: Vec::new(),
        }
    }

    /// Head and tail lamps of a vehicle that moves or waits in traffic.
    pub(super) fn add_vehicle(&mut self, actor: &Actor, state: &ActorState, pose: &Isometry3<f64>) {
        let is_motor = matches!(
            actor.class,
            ObjectClass::Car
                | ObjectClass::Van
                | ObjectClass::Truck
                | ObjectClass::Bus
                | ObjectClass::Motorcycle
        );
        if !self.has_head_lamps || !is_motor || !actor.is_in_traffic() {
            return;
        }
        let half = 0.5 * f64::from(actor.shape.size[0]);
        self.add_beam(pose, half);
        let is_braking = state.velocity.norm() < 0.5;
        let rgb = if is_braking {
            TAIL_LAMP.map(|level| level * 2.0)
        } else {
            TAIL_LAMP
        };
        self.lights.push(PointLight {
            position: pose * Point3::new(-half - 0.1, 0.0, 0.8),
            direction: None,
            rgb,
        });
    }

    /// The ego vehicle's own head lamps.
    pub(super) fn add_ego(&mut self, world_from_ego: &Isometry3<f64>) {
        if self.has_head_lamps {
            self.add_beam(world_from_ego, 3.7);
        }
    }

    /// One beam for both head lamps, slightly down.
    fn add_beam(&mut self, pose: &Isometry3<f64>, front_m: f64) {
        self.lights.push(PointLight {
            position: pose * Point3::new(front_m, 0.0, 0.68),
            direction: Some(pose * Vector3::new(1.0, -0.02, -0.035).normalize()),
            rgb: HEAD_LAMP,
        });
    }

    /// Lamps of the streets.
    pub(super) fn add_street(&mut self, heads: &[Point3<f64>]) {
        if self.has_street_lamps {
            self.lights.extend(heads.iter().map(|position| PointLight {
                position: *position,
                direction: None,
                rgb: STREET_LAMP,
            }));
        }
    }

    pub(super) fn into_lights(self) -> impl Iterator<Item = PointLight> {
        self.lights.into_iter()
    }
}
