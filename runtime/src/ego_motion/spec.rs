//! The limits of ego motion: what counts as a gap, a jump, an impossible rate.

use std::fmt;

use bevrt_calibration::{Ego, Odom, Pose};

use super::EgoMotionFault;
use super::ring::Sample;
use crate::time::{Span, Stamp};

/// What kind of samples a buffer takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EgoMotionSource {
    /// Poses in an odometry frame.
    Poses,
    /// Speed and yaw rate.
    Rates,
}

/// The limits of ego motion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EgoMotionSpec {
    /// What kind of samples come.
    pub source: EgoMotionSource,
    /// Samples that are remembered: at least 2.
    pub capacity: usize,
    /// How far beyond the newest sample a pose may be extrapolated.
    pub extrapolation_limit: Span,
    /// Longest time between samples that is bridged.
    pub gap_limit: Span,
    /// Speed and yaw rate of a moving vehicle that stay the very same for this long are frozen:
    /// sensor noise makes that impossible for living ones.
    pub frozen_limit: Span,
    /// Highest speed of the vehicle, m/s.
    pub speed_limit_mps: f64,
    /// Highest yaw rate of the vehicle, rad/s.
    pub yaw_rate_limit_radps: f64,
    /// Step of a pose, beyond what speed and acceleration explain, that counts as a jump, m.
    pub jump_limit_m: f64,
    /// Turn of a pose, beyond what turn rate and its change explain, that counts as a jump, rad.
    pub jump_limit_rad: f64,
}

/// Why a buffer of ego motion cannot be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EgoMotionSetupError {
    /// Fewer than two samples cannot be interpolated.
    Capacity {
        /// The capacity found.
        found: usize,
    },
    /// A limit is not a positive finite number (the extrapolation limit: negative).
    Limit {
        /// The field of [`EgoMotionSpec`].
        field: &'static str,
        /// The value found, in seconds where it is a time.
        found: f64,
    },
}

/// Hardest change of speed: well beyond braking on dry asphalt.
const ACCELERATION_LIMIT_MPS2: f64 = 20.0;
/// Hardest change of turn rate.
const TURN_ACCELERATION_LIMIT_RADPS2: f64 = 10.0;
/// Steps of speed and yaw rate that noise and coarse signals explain.
const SPEED_STEP_MPS: f64 = 1.0;
const YAW_RATE_STEP_RADPS: f64 = 0.2;

impl EgoMotionSpec {
    /// 20 s at 100 Hz; 100 ms of extrapolation, gaps up to 250 ms, frozen after 1 s, 90 m/s,
    /// 2.5 rad/s, jumps from 0.3 m or 0.1 rad on.
    pub const fn new(source: EgoMotionSource) -> Self {
        Self {
            source,
            capacity: 2048,
            extrapolation_limit: Span::from_milliseconds(100),
            gap_limit: Span::from_milliseconds(250),
            frozen_limit: Span::from_milliseconds(1000),
            speed_limit_mps: 90.0,
            yaw_rate_limit_radps: 2.5,
            jump_limit_m: 0.3,
            jump_limit_rad: 0.1,
        }
    }

    pub(super) fn check(&self) -> Result<(), EgoMotionSetupError> {
        if self.capacity < 2 {
            return Err(EgoMotionSetupError::Capacity {
                found: self.capacity,
            });
        }
        if self.extrapolation_limit < Span::ZERO {
            let found = self.extrapolation_limit.seconds();
            return Err(EgoMotionSetupError::Limit {
                field: "extrapolation_limit",
                found,
            });
        }
        let limits = [
            ("gap_limit", self.gap_limit.seconds()),
            ("frozen_limit", self.frozen_limit.seconds()),
            ("speed_limit_mps", self.speed_limit_mps),
            ("yaw_rate_limit_radps", self.yaw_rate_limit_radps),
            ("jump_limit_m", self.jump_limit_m),
            ("jump_limit_rad", self.jump_limit_rad),
        ];
        for (field, found) in limits {
            if !found.is_finite() || found <= 0.0 {
                return Err(EgoMotionSetupError::Limit { field, found });
            }
        }
        Ok(())
    }

    pub(super) fn check_rates(
        &self,
        speed_mps: f64,
        yaw_rate_radps: f64,
    ) -> Result<(), EgoMotionFault> {
        if !speed_mps.is_finite() || !yaw_rate_radps.is_finite() {
            return Err(EgoMotionFault::NotFinite);
        }
        let is_possible = speed_mps.abs() <= self.speed_limit_mps
            && yaw_rate_radps.abs() <= self.yaw_rate_limit_radps;
        if is_possible {
            Ok(())
        } else {
            Err(EgoMotionFault::Implausible)
        }
    }

    /// Whether speed and yaw rate can follow those of `newest` after `elapsed`.
    ///
    /// # Errors
    /// [`EgoMotionFault::Implausible`] when they changed faster than a vehicle does.
    pub(super) fn check_change(
        &self,
        newest: &Sample,
        elapsed: Span,
        speed_mps: f64,
        yaw_rate_radps: f64,
    ) -> Result<(), EgoMotionFault> {
        let seconds = elapsed.seconds();
        let speed_change = (speed_mps - newest.speed_mps).abs();
        let yaw_rate_change = (yaw_rate_radps - newest.yaw_rate_radps).abs();
        let is_possible = speed_change <= SPEED_STEP_MPS + ACCELERATION_LIMIT_MPS2 * seconds
            && yaw_rate_change <= YAW_RATE_STEP_RADPS + TURN_ACCELERATION_LIMIT_RADPS2 * seconds;
        if is_possible {
            Ok(())
        } else {
            Err(EgoMotionFault::Implausible)
        }
    }

    /// Whether a pose at `stamp` cannot follow `newest` by driving.
    ///
    /// With a step `before` → `newest` to go by, the change against that step counts; otherwise
    /// only the speed limits do.
    pub(super) fn jump_between(
        &self,
        before: Option<&Sample>,
        newest: &Sample,
        stamp: Stamp,
        odom_from_ego: &Pose<Odom, Ego>,
    ) -> Option<EgoMotionFault> {
        let seconds = (stamp - newest.stamp).seconds();
        let step = newest.odom_from_ego.inverse() * *odom_from_ego;
        let (moved, turned) = (
            step.as_isometry().translation.vector,
            step.as_isometry().rotation,
        );
        let is_too_fast = moved.norm() > self.speed_limit_mps * seconds + self.jump_limit_m
            || turned.angle() > self.yaw_rate_limit_radps * seconds + self.jump_limit_rad;
        if is_too_fast {
            return Some(EgoMotionFault::Jump);
        }
        // After a gap the last step says little about the next.
        let before = before.filter(|before| {
            newest.stamp - before.stamp <= self.gap_limit && stamp - newest.stamp <= self.gap_limit
        })?;
        let expected = before.odom_from_ego.inverse() * newest.odom_from_ego;
        let ratio = seconds / (newest.stamp - before.stamp).seconds();
        let (expected_move, expected_turn) = (
            expected.as_isometry().translation.vector * ratio,
            expected.as_isometry().rotation.scaled_axis() * ratio,
        );
        // Both steps may have sped up: the mean times of the two lie half their sum apart.
        let span = 0.5 * (seconds + (newest.stamp - before.stamp).seconds());
        let move_limit = self.jump_limit_m + ACCELERATION_LIMIT_MPS2 * span * seconds;
        let turn_limit = self.jump_limit_rad + TURN_ACCELERATION_LIMIT_RADPS2 * span * seconds;
        let is_jump = (moved - expected_move).norm() > move_limit
            || (turned.scaled_axis() - expected_turn).norm() > turn_limit;
        is_jump.then_some(EgoMotionFault::Jump)
    }
}

impl fmt::Display for EgoMotionSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capacity { found } => {
                write!(
                    f,
                    "capacity of ego motion: expected at least 2 samples, found {found}"
                )
            }
            Self::Limit { field, found } => {
                write!(f, "{field}: expected a positive number, found {found}")
            }
        }
    }
}

impl std::error::Error for EgoMotionSetupError {}
