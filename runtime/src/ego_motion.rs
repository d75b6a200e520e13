//! Where the vehicle was at any recent instant, and why that may be unknown.
//!
//! [`EgoMotion`] takes poses in an odometry frame, or speed and yaw rate as a CAN bus carries them,
//! and gives the pose at any stamp within its memory: interpolated between samples, extrapolated
//! within a limit, or refused with a named reason. It never guesses across a jump: each jump, and
//! each gap in speed and yaw rate, begins a new *epoch*, and poses of different epochs cannot be
//! related. All arithmetic is in f64.

use bevrt_calibration::{Ego, Odom, Pose};
use nalgebra::UnitQuaternion;

use crate::frame::EgoMotionState;
use crate::time::Stamp;

mod interpolate;
mod ring;
mod spec;

use ring::{Ring, Sample};
pub use spec::{EgoMotionSetupError, EgoMotionSource, EgoMotionSpec};

/// Why a pose is unknown, or a sample was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EgoMotionFault {
    /// No sample has come yet, or too few to extrapolate.
    Absent,
    /// The stamp is before the first sample, or so long ago that its samples are forgotten.
    TooOld,
    /// The newest sample is older than the extrapolation limit allows.
    Stale,
    /// The samples around the stamp are too far apart.
    Gap,
    /// The pose jumped around the stamp, or between the two stamps in question.
    Jump,
    /// Speed or yaw rate, given or implied by the poses, is beyond what the vehicle does.
    Implausible,
    /// A value is not a number, or infinite.
    NotFinite,
    /// The sample is not later than the one before.
    Backwards,
    /// A pose was given to a buffer of speeds, or the other way round.
    WrongSource,
}

/// What an accepted sample did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EgoMotionUpdate {
    /// It goes on from the one before.
    Continued,
    /// It began a new epoch: nothing before it can be related to what follows.
    NewEpoch(EgoMotionFault),
}

/// The pose at a stamp.
#[derive(Debug, Clone, Copy)]
pub struct EgoPose {
    /// From ego coordinates at the stamp to the odometry frame of the epoch.
    pub odom_from_ego: Pose<Odom, Ego>,
    /// Poses can be related within one epoch only.
    pub epoch: u32,
    /// Whether the stamp lies beyond the newest sample.
    pub is_extrapolated: bool,
}

/// A buffer of ego motion.
///
/// # Real-time
/// All memory is taken by [`Self::new`]. A look-up is a binary search.
#[derive(Debug, Clone)]
pub struct EgoMotion {
    spec: EgoMotionSpec,
    samples: Ring,
    epoch: u32,
    /// Why the newest offered sample was refused; `None` when it was accepted.
    refused: Option<EgoMotionFault>,
    /// Since when speed and yaw rate of the moving vehicle have been the very same.
    unchanged_since: Option<Stamp>,
}

impl EgoMotion {
    /// An empty buffer.
    ///
    /// # Errors
    /// [`EgoMotionSetupError`] when a limit is impossible.
    pub fn new(spec: EgoMotionSpec) -> Result<Self, EgoMotionSetupError> {
        spec.check()?;
        Ok(Self {
            spec,
            samples: Ring::new(spec.capacity),
            epoch: 0,
            refused: None,
            unchanged_since: None,
        })
    }

    /// The limits.
    pub fn spec(&self) -> &EgoMotionSpec {
        &self.spec
    }

    /// The stamp of the newest sample.
    pub fn newest(&self) -> Option<Stamp> {
        self.samples.newest().map(|sample| sample.stamp)
    }

    /// Why the last offered sample was refused; `None` when it was accepted.
    pub fn last_refusal(&self) -> Option<EgoMotionFault> {
        self.refused
    }

    /// Forgets everything, as after a seek in a log, and begins a new epoch.
    pub fn reset(&mut self) {
        self.samples.clear();
        self.epoch = self.epoch.wrapping_add(1);
        self.refused = None;
        self.unchanged_since = None;
    }

    /// Takes a pose in an odometry frame.
    ///
    /// # Errors
    /// [`EgoMotionFault`] when the sample is refused; what is known stays as it was.
    pub fn push_pose(
        &mut self,
        stamp: Stamp,
        odom_from_ego: &Pose<Odom, Ego>,
    ) -> Result<EgoMotionUpdate, EgoMotionFault> {
        let update = self.try_push_pose(stamp, odom_from_ego);
        self.refused = update.err();
        update
    }

    /// Takes speed (m/s, backwards negative) and yaw rate (rad/s, to the left positive).
    ///
    /// Between two samples the vehicle goes along the arc of their mean speed and mean yaw rate, on a
    /// plane, from the origin of the odometry frame on.
    ///
    /// # Errors
    /// As [`Self::push_pose`].
    pub fn push_rates(
        &mut self,
        stamp: Stamp,
        speed_mps: f64,
        yaw_rate_radps: f64,
    ) -> Result<EgoMotionUpdate, EgoMotionFault> {
        let update = self.try_push_rates(stamp, speed_mps, yaw_rate_radps);
        self.refused = update.err();
        update
    }

    /// The pose at `stamp`.
    ///
    /// # Errors
    /// [`EgoMotionFault`] tells why it is unknown. Never a pose of another instant.
    pub fn odom_from_ego(&self, stamp: Stamp) -> Result<Pose<Odom, Ego>, EgoMotionFault> {
        self.pose_at(stamp).map(|pose| pose.odom_from_ego)
    }

    /// The pose at `stamp` with its epoch.
    ///
    /// # Errors
    /// As [`Self::odom_from_ego`].
    pub fn pose_at(&self, stamp: Stamp) -> Result<EgoPose, EgoMotionFault> {
        let newest = self.samples.newest().ok_or(EgoMotionFault::Absent)?;
        let after = self.samples.first_not_before(stamp);
        let Some(later) = self.samples.get(after) else {
            return self.extrapolated(newest, stamp);
        };
        let odom_from_ego = if later.stamp == stamp {
            later.odom_from_ego
        } else {
            let earlier = after
                .checked_sub(1)
                .and_then(|index| self.samples.get(index));
            self.interpolated(earlier.ok_or(EgoMotionFault::TooOld)?, later, stamp)?
        };
        Ok(EgoPose {
            odom_from_ego,
            epoch: later.epoch,
            is_extrapolated: false,
        })
    }

    /// From ego coordinates at `now` to ego coordinates at `past` (which may be later, too).
    ///
    /// # Errors
    /// As [`Self::odom_from_ego`], for either stamp; [`EgoMotionFault::Jump`] when they are of
    /// different epochs.
    pub fn past_from_now(&self, past: Stamp, now: Stamp) -> Result<Pose<Ego, Ego>, EgoMotionFault> {
        let (now, past) = (self.pose_at(now)?, self.pose_at(past)?);
        if now.epoch != past.epoch {
            return Err(EgoMotionFault::Jump);
        }
        Ok(past.odom_from_ego.inverse() * now.odom_from_ego)
    }

    /// What is known at `stamp`, as the output frame tells it.
    pub fn state_at(&self, stamp: Stamp) -> EgoMotionState {
        match self.pose_at(stamp) {
            Ok(EgoPose {
                is_extrapolated: true,
                ..
            }) => EgoMotionState::Extrapolated,
            Ok(_) if self.is_frozen() => EgoMotionState::Frozen,
            Ok(_) => EgoMotionState::Ok,
            Err(fault) => fault.into(),
        }
    }

    /// Whether speed and yaw rate have been the same for too long.
    fn is_frozen(&self) -> bool {
        let since = self.unchanged_since.zip(self.newest());
        since.is_some_and(|(since, newest)| newest - since >= self.spec.frozen_limit)
    }

    fn try_push_pose(
        &mut self,
        stamp: Stamp,
        odom_from_ego: &Pose<Odom, Ego>,
    ) -> Result<EgoMotionUpdate, EgoMotionFault> {
        self.check_push(EgoMotionSource::Poses, stamp)?;
        let translation = odom_from_ego.as_isometry().translation.vector;
        let rotation = odom_from_ego.as_isometry().rotation;
        if !translation
            .iter()
            .chain(rotation.coords.iter())
            .all(|value| value.is_finite())
        {
            return Err(EgoMotionFault::NotFinite);
        }
        let jump = self.samples.newest().and_then(|newest| {
            self.spec
                .jump_between(self.samples.newest_step(), newest, stamp, odom_from_ego)
        });
        let update = self.begin(jump);
        self.samples.push(Sample {
            stamp,
            odom_from_ego: *odom_from_ego,
            speed_mps: 0.0,
            yaw_rate_radps: 0.0,
            epoch: self.epoch,
        });
        Ok(update)
    }

    fn try_push_rates(
        &mut self,
        stamp: Stamp,
        speed_mps: f64,
        yaw_rate_radps: f64,
    ) -> Result<EgoMotionUpdate, EgoMotionFault> {
        self.check_push(EgoMotionSource::Rates, stamp)?;
        self.spec.check_rates(speed_mps, yaw_rate_radps)?;
        let mut sample = Sample {
            stamp,
            odom_from_ego: Pose::identity(),
            speed_mps,
            yaw_rate_radps,
            epoch: self.epoch,
        };
        let mut gap = None;
        let mut unchanged_since = None;
        if let Some(newest) = self.samples.newest() {
            let elapsed = stamp - newest.stamp;
            gap = (elapsed > self.spec.gap_limit).then_some(EgoMotionFault::Gap);
            if gap.is_none() {
                self.spec
                    .check_change(newest, elapsed, speed_mps, yaw_rate_radps)?;
                let is_same = speed_mps != 0.0
                    && [speed_mps, yaw_rate_radps] == [newest.speed_mps, newest.yaw_rate_radps];
                let since = self.unchanged_since.unwrap_or(newest.stamp);
                unchanged_since = is_same.then_some(since);
            }
            let step = interpolate::mean_arc(newest, &sample, stamp);
            let moved = newest.odom_from_ego * step;
            sample.odom_from_ego = level(&moved);
        }
        self.unchanged_since = unchanged_since;
        let update = self.begin(gap);
        self.samples.push(Sample {
            epoch: self.epoch,
            ..sample
        });
        Ok(update)
    }

    fn check_push(&self, source: EgoMotionSource, stamp: Stamp) -> Result<(), EgoMotionFault> {
        if source != self.spec.source {
            return Err(EgoMotionFault::WrongSource);
        }
        if self.newest().is_some_and(|newest| stamp <= newest) {
            return Err(EgoMotionFault::Backwards);
        }
        Ok(())
    }

    fn begin(&mut self, break_before: Option<EgoMotionFault>) -> EgoMotionUpdate {
        let Some(fault) = break_before else {
            return EgoMotionUpdate::Continued;
        };
        self.epoch = self.epoch.wrapping_add(1);
        EgoMotionUpdate::NewEpoch(fault)
    }

    fn interpolated(
        &self,
        earlier: &Sample,
        later: &Sample,
        stamp: Stamp,
    ) -> Result<Pose<Odom, Ego>, EgoMotionFault> {
        if later.stamp - earlier.stamp > self.spec.gap_limit {
            return Err(EgoMotionFault::Gap);
        }
        if later.epoch != earlier.epoch {
            return Err(EgoMotionFault::Jump);
        }
        Ok(match self.spec.source {
            EgoMotionSource::Poses => interpolate::between(earlier, later, stamp),
            EgoMotionSource::Rates => {
                earlier.odom_from_ego * interpolate::mean_arc(earlier, later, stamp)
            }
        })
    }

    fn extrapolated(&self, newest: &Sample, stamp: Stamp) -> Result<EgoPose, EgoMotionFault> {
        if stamp - newest.stamp > self.spec.extrapolation_limit {
            // Samples that come but are refused are a better reason than their absence.
            return Err(match self.refused {
                Some(fault @ (EgoMotionFault::Implausible | EgoMotionFault::NotFinite)) => fault,
                Some(_) | None => EgoMotionFault::Stale,
            });
        }
        let odom_from_ego = match self.spec.source {
            EgoMotionSource::Rates => {
                newest.odom_from_ego * interpolate::mean_arc(newest, newest, stamp)
            }
            EgoMotionSource::Poses => {
                let is_first = self.samples.get(1).is_none();
                let lone = if is_first {
                    EgoMotionFault::Absent
                } else {
                    EgoMotionFault::Jump
                };
                let before = self.samples.newest_step().ok_or(lone)?;
                if newest.stamp - before.stamp > self.spec.gap_limit {
                    return Err(EgoMotionFault::Gap);
                }
                interpolate::beyond(before, newest, stamp)
            }
        };
        Ok(EgoPose {
            odom_from_ego,
            epoch: newest.epoch,
            is_extrapolated: true,
        })
    }
}

/// The same pose with a rotation of exact unit length about z, so that rounding does not add up.
fn level(pose: &Pose<Odom, Ego>) -> Pose<Odom, Ego> {
    let rotation = pose.as_isometry().rotation;
    let about_z =
        UnitQuaternion::new_normalize(nalgebra::Quaternion::new(rotation.w, 0.0, 0.0, rotation.k));
    Pose::new(about_z, pose.as_isometry().translation.vector)
}

impl From<EgoMotionFault> for EgoMotionState {
    fn from(fault: EgoMotionFault) -> Self {
        match fault {
            EgoMotionFault::Absent | EgoMotionFault::TooOld => Self::Absent,
            EgoMotionFault::Stale | EgoMotionFault::Backwards => Self::Stale,
            EgoMotionFault::Gap => Self::Gap,
            EgoMotionFault::Jump => Self::Jump,
            EgoMotionFault::Implausible | EgoMotionFault::NotFinite => Self::Implausible,
            EgoMotionFault::WrongSource => Self::Absent,
        }
    }
}

impl std::fmt::Display for EgoMotionFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Absent => "no ego motion has come yet",
            Self::TooOld => "the stamp is before the remembered ego motion",
            Self::Stale => "the ego motion is too old",
            Self::Gap => "there is a gap in the ego motion",
            Self::Jump => "the ego pose jumped",
            Self::Implausible => "the ego motion is beyond what the vehicle does",
            Self::NotFinite => "the ego motion is not a finite number",
            Self::Backwards => "the sample is not later than the one before",
            Self::WrongSource => "this buffer takes the other kind of ego motion",
        })
    }
}

impl std::error::Error for EgoMotionFault {}

#[cfg(test)]
mod tests;
