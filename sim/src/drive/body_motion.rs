//! How the body of the ego vehicle pitches, rolls and heaves on its springs, which no calibration knows.

use crate::world::random::Random;
use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};
use std::f64::consts::TAU;

/// Largest pitch and roll, radians (1.5°).
const LIMIT_RAD: f64 = 0.026_18;
/// Pitch per longitudinal acceleration and roll per lateral acceleration, rad/(m/s²).
const PITCH_PER_MPS2: f64 = 0.0045;
const ROLL_PER_MPS2: f64 = 0.0055;
/// Point about which the body turns: ahead of the rear axle and above the ground, metres.
const PIVOT_M: [f64; 2] = [1.4, 0.45];

/// Motion of the body relative to the ego frame, repeatable at any time.
#[derive(Clone, Debug)]
pub(super) struct BodyMotion {
    /// Load and tyre pressure: constant pitch and roll.
    constant: [f64; 2],
    /// Amplitude, angular frequency, phase of road shake: pitch, roll, heave.
    shakes: [[(f64, f64, f64); 3]; 3],
}

impl BodyMotion {
    pub(super) fn draw(random: &mut Random) -> Self {
        let roughness = random.between(0.3, 1.0);
        let mut shake = |scale: f64| {
            std::array::from_fn(|k| {
                let amplitude =
                    scale * roughness * random.between(0.4, 1.0) / (1.0 + 0.5 * k as f64);
                let hertz = [
                    random.between(0.7, 1.2),
                    random.between(1.3, 1.9),
                    random.between(2.2, 3.5),
                ][k];
                (amplitude, TAU * hertz, random.between(0.0, TAU))
            })
        };
        let shakes = [shake(0.0042), shake(0.0042), shake(0.008)];
        let constant = [0.0035 * random.normal(), 0.0025 * random.normal()];
        Self { constant, shakes }
    }

    /// `ego_from_body` at a time: speed scales the shaking, accelerations tilt the body.
    pub(super) fn at(&self, t_s: f64, v: f64, ahead_mps2: f64, left_mps2: f64) -> Isometry3<f64> {
        let strength = (v / 8.0).clamp(0.03, 1.2);
        let shake = |axis: usize| {
            let wave = |(amplitude, omega, phase): &(f64, f64, f64)| {
                amplitude * (omega * t_s + phase).sin()
            };
            self.shakes[axis].iter().map(wave).sum::<f64>() * strength
        };
        // Positive pitch lowers the nose: braking does so. Turning left leans the body to the right.
        let pitch = (self.constant[0] - PITCH_PER_MPS2 * ahead_mps2 + shake(0))
            .clamp(-LIMIT_RAD, LIMIT_RAD);
        let roll =
            (self.constant[1] + ROLL_PER_MPS2 * left_mps2 + shake(1)).clamp(-LIMIT_RAD, LIMIT_RAD);
        let rotation = UnitQuaternion::from_euler_angles(roll, pitch, 0.0);
        let pivot = Vector3::new(PIVOT_M[0], 0.0, PIVOT_M[1]);
        let shift = pivot - rotation * pivot + Vector3::z() * shake(2);
        Isometry3::from_parts(Translation3::from(shift), rotation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braking_lowers_the_nose_and_turning_left_leans_right() {
        let motion = BodyMotion {
            constant: [0.0; 2],
            shakes: [[(0.0, 0.0, 0.0); 3]; 3],
        };
        let nose = Vector3::new(4.0, 0.0, 0.5);
        assert!((motion.at(0.0, 10.0, -3.0, 0.0) * nalgebra::Point3::from(nose)).z < 0.5);
        let left = nalgebra::Point3::new(1.4, 1.0, 0.45);
        assert!((motion.at(0.0, 10.0, 0.0, 3.0) * left).z > 0.45);
    }

    #[test]
    fn tilt_has_the_spread_of_a_car_and_keeps_its_limits() {
        let (mut sum, mut count) = (0.0, 0.0);
        for seed in 0..40 {
            let motion = BodyMotion::draw(&mut Random::new(seed, 0));
            for tick in 0..100 {
                let (roll, pitch, _) = motion
                    .at(f64::from(tick) * 0.1, 10.0, 0.5, 0.5)
                    .rotation
                    .euler_angles();
                assert!(roll.abs() < 0.0263 && pitch.abs() < 0.0263);
                sum += pitch * pitch + roll * roll;
                count += 2.0;
            }
        }
        let deviation = f64::sqrt(sum / count).to_degrees();
        assert!((0.25..0.55).contains(&deviation), "{deviation}");
    }
}
