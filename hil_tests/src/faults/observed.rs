//! What is kept of an output frame to judge it.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;

use bevrt_runtime::{
    CameraState, CoverageState, EgoMotionState, HealthReasons, HealthState, OutputFrame, SlotState,
    Stamp,
};

use crate::source::SimulatedDrive;

/// An output frame of a run with faults.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedFrame {
    /// Seconds of the drive at which it came out, whatever clocks say.
    pub time_s: f64,
    /// Its number.
    pub sequence: u64,
    /// Its stamp.
    pub stamp_ns: i64,
    /// State of health.
    pub state: HealthState,
    /// Why.
    pub reasons: HealthReasons,
    /// Each camera's state and the stamp of its image in the frame.
    pub cameras: Vec<(CameraState, i64)>,
    /// State of the ego motion.
    pub ego_motion: EgoMotionState,
    /// Slots of the queue that were used.
    pub valid_slots: usize,
    /// What was looked at.
    pub sectors: Vec<CoverageState>,
    /// Objects, lanes, arrows, crosswalks and stop lines.
    pub elements: usize,
    /// Whether every number is finite.
    pub is_finite: bool,
    /// Of all bytes of the frame.
    pub hash: u64,
}

impl ObservedFrame {
    /// From its stamp to its coming out, where no clock is wrong.
    pub fn age_s(&self) -> f64 {
        let stamp = Stamp::from_nanoseconds(self.stamp_ns);
        self.time_s - (stamp - SimulatedDrive::BEGIN).seconds()
    }

    pub(super) fn of(frame: &OutputFrame, time_s: f64) -> Self {
        let health = &frame.health;
        let slots = health.slots().iter();
        let mut hasher = DefaultHasher::new();
        hasher.write(frame.as_frame_bytes());
        Self {
            time_s,
            sequence: frame.sequence,
            stamp_ns: frame.stamp_ns,
            // An unknown number would be a fault of ours: it is taken for the worst.
            state: HealthState::try_from(health.state).unwrap_or(HealthState::Fault),
            reasons: health.reasons(),
            cameras: health
                .cameras()
                .iter()
                .map(|camera| {
                    let state = CameraState::try_from(camera.state);
                    let stamp_ns = frame.stamp_ns + i64::from(camera.skew_ns);
                    (state.unwrap_or(CameraState::Missing), stamp_ns)
                })
                .collect(),
            ego_motion: EgoMotionState::try_from(health.ego_motion)
                .unwrap_or(EgoMotionState::Absent),
            valid_slots: slots
                .filter(|slot| SlotState::try_from(slot.state) == Ok(SlotState::Valid))
                .count(),
            sectors: frame
                .coverage
                .iter()
                .map(|sector| {
                    CoverageState::try_from(sector.state).unwrap_or(CoverageState::SeenNow)
                })
                .collect(),
            elements: frame.objects().len()
                + frame.lanes().len()
                + frame.arrows().len()
                + frame.crosswalks().len()
                + frame.stop_lines().len(),
            is_finite: is_finite(frame),
            hash: hasher.finish(),
        }
    }
}

fn is_finite(frame: &OutputFrame) -> bool {
    let objects = frame.objects().iter().flat_map(|o| {
        [
            o.x_m,
            o.y_m,
            o.z_m,
            o.length_m,
            o.width_m,
            o.height_m,
            o.yaw_rad,
            o.vx_mps,
            o.vy_mps,
            o.yaw_rate_radps,
            o.sigma_x_m,
            o.sigma_y_m,
            o.sigma_yaw_rad,
            o.sigma_vx_mps,
            o.sigma_vy_mps,
            o.sigma_size_ratio,
            o.confidence,
        ]
    });
    let lanes = frame.lanes().iter();
    let crosswalks = frame.crosswalks().iter();
    let stop_lines = frame.stop_lines().iter();
    let points = lanes
        .clone()
        .flat_map(|lane| lane.points())
        .chain(crosswalks.clone().flat_map(|crosswalk| crosswalk.points()))
        .chain(stop_lines.clone().flat_map(|line| line.points()))
        .flat_map(|point| [point.x_m, point.y_m, point.z_m]);
    let arrows = frame.arrows().iter().flat_map(|a| {
        [
            a.x_m,
            a.y_m,
            a.z_m,
            a.yaw_rad,
            a.sigma_position_m,
            a.confidence,
        ]
    });
    let marks = lanes
        .flat_map(|lane| [lane.confidence, lane.sigma_lateral_m])
        .chain(crosswalks.flat_map(|c| [c.theta_rad, c.confidence, c.sigma_position_m]))
        .chain(stop_lines.flat_map(|line| [line.confidence, line.sigma_position_m]));
    let ranges = frame.coverage.iter().map(|sector| sector.range_m);
    objects
        .chain(points)
        .chain(arrows)
        .chain(marks)
        .chain(ranges)
        .all(f32::is_finite)
}
