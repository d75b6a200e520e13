//! How the vehicle moves: OSI's velocities are seen from the moving sensor.

use bevrt_runtime::{EgoMotion, Span, Stamp};

/// Half of the time over which motion is measured.
const HALF: Span = Span::from_milliseconds(50);

/// Motion of the ego frame over ground, in its own axes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HostMotion {
    /// Velocity of the ego origin, along x and y.
    pub velocity_mps: [f64; 2],
    /// Turning rate, counter-clockwise positive.
    pub yaw_rate_radps: f64,
}

impl HostMotion {
    /// The mean motion from 50 ms before a stamp to 50 ms after it; `None` where `ego_motion` does
    /// not know both ends.
    ///
    /// The way is taken in the axes of the middle of the turn, which is exact on an arc that is
    /// driven evenly, up to the chord being shorter than the arc (by 0.04 % at 1 rad/s).
    pub fn at(ego_motion: &EgoMotion, stamp: Stamp) -> Option<Self> {
        let (before, after) = (stamp.checked_add(-HALF)?, stamp.checked_add(HALF)?);
        let before_from_after = ego_motion.past_from_now(before, after).ok()?;
        let isometry = before_from_after.as_isometry();
        let way = isometry.translation.vector;
        let (_, _, turn_rad) = isometry.rotation.euler_angles();
        let (sine, cosine) = (0.5 * turn_rad).sin_cos();
        let seconds = 2.0 * HALF.seconds();
        Some(Self {
            velocity_mps: [
                (cosine * way.x + sine * way.y) / seconds,
                (cosine * way.y - sine * way.x) / seconds,
            ],
            yaw_rate_radps: turn_rad / seconds,
        })
    }

    /// A velocity over ground of something at `position_m`, as the turning vehicle sees it.
    pub(crate) fn seen(&self, position_m: [f64; 2], velocity_mps: [f64; 2]) -> [f64; 2] {
        let [x_m, y_m] = position_m;
        [
            velocity_mps[0] - self.velocity_mps[0] + self.yaw_rate_radps * y_m,
            velocity_mps[1] - self.velocity_mps[1] - self.yaw_rate_radps * x_m,
        ]
    }
}

#[cfg(test)]
mod tests {
    use bevrt_runtime::{EgoMotionSource, EgoMotionSpec};

    use super::*;

    fn driven(speed_mps: f64, yaw_rate_radps: f64) -> EgoMotion {
        let spec = EgoMotionSpec::new(EgoMotionSource::Rates);
        let mut ego_motion = EgoMotion::new(spec).expect("the limits are possible");
        for step in 0..50 {
            let stamp = Stamp::from_nanoseconds(step * 20_000_000);
            ego_motion
                .push_rates(stamp, speed_mps, yaw_rate_radps)
                .expect("the rates are possible");
        }
        ego_motion
    }

    #[test]
    fn motion_on_an_arc_is_found_again() {
        let stamp = Stamp::from_nanoseconds(505_000_000);
        let motion = HostMotion::at(&driven(12.0, 0.4), stamp).expect("motion is known");
        assert!((motion.velocity_mps[0] - 12.0).abs() < 0.02, "{motion:?}");
        assert!(motion.velocity_mps[1].abs() < 0.02, "{motion:?}");
        assert!((motion.yaw_rate_radps - 0.4).abs() < 1e-6, "{motion:?}");
    }

    #[test]
    fn motion_is_unknown_before_and_long_after_its_samples() {
        let ego_motion = driven(12.0, 0.4);
        for nanoseconds in [10_000_000, 5_000_000_000, i64::MAX, i64::MIN] {
            let stamp = Stamp::from_nanoseconds(nanoseconds);
            assert_eq!(HostMotion::at(&ego_motion, stamp), None, "{nanoseconds}");
        }
    }

    #[test]
    fn a_post_beside_the_turning_vehicle_is_seen_to_move_against_it() {
        let motion = HostMotion {
            velocity_mps: [10.0, 0.0],
            yaw_rate_radps: 0.5,
        };
        // Where the post is after 1 µs, in the axes of the vehicle by then.
        let seconds = 1e-6;
        let ([x, y], turn) = ([20.0 - 10.0 * seconds, 4.0], 0.5 * seconds);
        let later = [
            x * f64::cos(turn) + y * f64::sin(turn),
            y * f64::cos(turn) - x * f64::sin(turn),
        ];
        let seen = motion.seen([20.0, 4.0], [0.0, 0.0]);
        assert!((seen[0] - (later[0] - 20.0) / seconds).abs() < 1e-4);
        assert!((seen[1] - (later[1] - 4.0) / seconds).abs() < 1e-4);
    }
}
