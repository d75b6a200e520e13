//! Health: turns what was observed in a step into the frame's verdict.

use crate::frame::{
    CameraState, CameraStatus, EgoMotionState, FrameHealth, HealthReasons, HealthState,
    MAX_CAMERAS, MAX_SLOTS, SlotState, SlotStatus,
};
use crate::time::{Span, Stamp};

/// What a camera gave to the frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CameraObservation {
    pub(crate) state: CameraState,
    /// Exposure of its last image, whether in the frame or not.
    pub(crate) last_stamp: Option<Stamp>,
    /// Exposure of its image in the frame.
    pub(crate) stamp_in_frame: Option<Stamp>,
}

/// What a queue slot gave to the frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotObservation {
    pub(crate) state: SlotState,
    pub(crate) age: Span,
    pub(crate) nominal_age: Span,
}

/// Everything that the verdict on a frame rests on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observations<'a> {
    pub(crate) now: Stamp,
    pub(crate) stamp: Stamp,
    pub(crate) reference_camera: usize,
    pub(crate) cameras: &'a [CameraObservation],
    pub(crate) ego_motion: EgoMotionState,
    pub(crate) newest_ego_motion: Option<Stamp>,
    pub(crate) slots: &'a [SlotObservation],
    /// Reasons that a stage found by itself.
    pub(crate) found: HealthReasons,
    /// Whether history was given up in this step.
    pub(crate) has_lost_history: bool,
}

/// Judges frames and counts what went wrong since creation or reset.
#[derive(Clone, Debug)]
pub(crate) struct HealthMonitor {
    frame_deadline: Span,
    deadline_misses: u32,
    history_resets: u32,
}

impl HealthMonitor {
    pub(crate) fn new(frame_deadline: Span) -> Self {
        Self {
            frame_deadline,
            deadline_misses: 0,
            history_resets: 0,
        }
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.frame_deadline);
    }

    /// Writes the verdict. Entries beyond the counts are left as they are.
    pub(crate) fn assess_into(&mut self, seen: &Observations<'_>, out: &mut FrameHealth) {
        let frame_age = seen.now - seen.stamp;
        let mut reasons = seen.found;
        if frame_age > self.frame_deadline {
            reasons.insert(HealthReasons::FRAME_DEADLINE);
            self.deadline_misses = self.deadline_misses.saturating_add(1);
        }
        if seen.has_lost_history {
            self.history_resets = self.history_resets.saturating_add(1);
        }
        reasons.insert(camera_reasons(seen.cameras, seen.reference_camera));
        reasons.insert(ego_motion_reasons(seen.ego_motion));
        reasons.insert(slot_reasons(seen.slots));
        out.reason_bits = reasons.bits();
        out.state = state_of(reasons).into();
        out.frame_age_ns = frame_age.nanoseconds();
        out.ego_motion = seen.ego_motion.into();
        out.ego_motion_age_ns = seen
            .newest_ego_motion
            .map_or(0, |newest| (seen.stamp - newest).nanoseconds());
        out.deadline_misses = self.deadline_misses;
        out.history_resets = self.history_resets;
        out.reference_camera = seen.reference_camera as u8;
        out.camera_count = seen.cameras.len().min(MAX_CAMERAS) as u8;
        for (entry, camera) in out.camera_entries.iter_mut().zip(seen.cameras) {
            *entry = camera_status(camera, seen);
        }
        out.slot_count = seen.slots.len().min(MAX_SLOTS) as u8;
        for (entry, slot) in out.slot_entries.iter_mut().zip(seen.slots) {
            *entry = slot_status(slot);
        }
    }
}

fn state_of(reasons: HealthReasons) -> HealthState {
    if reasons.intersects(HealthReasons::FAULTS) {
        HealthState::Fault
    } else if reasons.is_empty() {
        HealthState::Ok
    } else {
        HealthState::Degraded
    }
}

fn camera_reasons(cameras: &[CameraObservation], reference: usize) -> HealthReasons {
    let mut reasons = HealthReasons::NONE;
    for camera in cameras {
        reasons.insert(match camera.state {
            CameraState::Ok => HealthReasons::NONE,
            CameraState::Missing => HealthReasons::CAMERA_MISSING,
            CameraState::Late | CameraState::OutOfTolerance => HealthReasons::CAMERA_LATE,
            CameraState::Frozen => HealthReasons::CAMERA_FROZEN,
            CameraState::Repeated | CameraState::OutOfOrder => HealthReasons::CAMERA_DISORDER,
            CameraState::Disabled => HealthReasons::CAMERA_DISABLED,
            CameraState::Blind => HealthReasons::CAMERA_BLIND,
        });
    }
    if cameras.iter().all(|camera| camera.stamp_in_frame.is_none()) {
        reasons.insert(HealthReasons::NO_CAMERA);
    } else if cameras
        .get(reference)
        .is_some_and(|camera| camera.stamp_in_frame.is_none())
    {
        reasons.insert(HealthReasons::REFERENCE_MISSING);
    }
    reasons
}

fn ego_motion_reasons(state: EgoMotionState) -> HealthReasons {
    match state {
        EgoMotionState::Ok => HealthReasons::NONE,
        EgoMotionState::Extrapolated => HealthReasons::EGO_MOTION_EXTRAPOLATED,
        EgoMotionState::Absent | EgoMotionState::Stale | EgoMotionState::Gap => {
            HealthReasons::EGO_MOTION_LOST
        }
        EgoMotionState::Jump | EgoMotionState::Implausible => HealthReasons::EGO_MOTION_JUMP,
        EgoMotionState::Frozen => HealthReasons::EGO_MOTION_FROZEN,
    }
}

fn slot_reasons(slots: &[SlotObservation]) -> HealthReasons {
    let mut reasons = HealthReasons::NONE;
    for slot in slots {
        reasons.insert(match slot.state {
            SlotState::Valid | SlotState::Disabled => HealthReasons::NONE,
            SlotState::Empty => HealthReasons::HISTORY_WARMING_UP,
            SlotState::MotionUnknown => HealthReasons::HISTORY_INVALID,
        });
    }
    reasons
}

fn camera_status(camera: &CameraObservation, seen: &Observations<'_>) -> CameraStatus {
    let skew = camera
        .stamp_in_frame
        .map_or(0, |stamp| (stamp - seen.stamp).nanoseconds());
    CameraStatus {
        stamp_ns: camera.last_stamp.map_or(0, Stamp::nanoseconds),
        age_ns: camera
            .last_stamp
            .map_or(0, |stamp| (seen.now - stamp).nanoseconds()),
        skew_ns: skew.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32,
        state: camera.state.into(),
        reserved: [0; 3],
    }
}

fn slot_status(slot: &SlotObservation) -> SlotStatus {
    SlotStatus {
        age_ns: slot.age.nanoseconds(),
        nominal_age_ns: slot.nominal_age.nanoseconds(),
        state: slot.state.into(),
        reserved: [0; 7],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::OutputFrame;

    const STAMP: Stamp = Stamp::from_nanoseconds(1_000_000_000);

    fn camera(state: CameraState) -> CameraObservation {
        let stamp_in_frame = (state == CameraState::Ok).then_some(STAMP);
        CameraObservation {
            state,
            last_stamp: Some(STAMP),
            stamp_in_frame,
        }
    }

    fn observations<'a>(
        cameras: &'a [CameraObservation],
        slots: &'a [SlotObservation],
    ) -> Observations<'a> {
        Observations {
            now: STAMP + Span::from_milliseconds(80),
            stamp: STAMP,
            reference_camera: 0,
            cameras,
            ego_motion: EgoMotionState::Ok,
            newest_ego_motion: Some(STAMP - Span::from_milliseconds(3)),
            slots,
            found: HealthReasons::NONE,
            has_lost_history: false,
        }
    }

    fn assess(monitor: &mut HealthMonitor, seen: &Observations<'_>) -> FrameHealth {
        let mut frame = OutputFrame::boxed();
        monitor.assess_into(seen, &mut frame.health);
        frame.health
    }

    fn monitor() -> HealthMonitor {
        HealthMonitor::new(Span::from_milliseconds(100))
    }

    #[test]
    fn a_complete_frame_is_ok() {
        let slot = SlotObservation {
            state: SlotState::Valid,
            age: Span::from_milliseconds(495),
            nominal_age: Span::from_milliseconds(500),
        };
        let cameras = [camera(CameraState::Ok); 6];
        let health = assess(&mut monitor(), &observations(&cameras, &[slot]));
        assert_eq!(HealthState::try_from(health.state), Ok(HealthState::Ok));
        assert_eq!(health.reasons(), HealthReasons::NONE);
        assert_eq!(health.frame_age_ns, 80_000_000);
        assert_eq!(health.ego_motion_age_ns, 3_000_000);
        assert_eq!(health.cameras().len(), 6);
        assert_eq!(health.slots()[0].age_ns, 495_000_000);
    }

    #[test]
    fn a_missing_camera_degrades_and_none_at_all_is_a_fault() {
        let mut cameras = [camera(CameraState::Ok); 3];
        cameras[0] = camera(CameraState::Missing);
        let health = assess(&mut monitor(), &observations(&cameras, &[]));
        assert_eq!(
            HealthState::try_from(health.state),
            Ok(HealthState::Degraded)
        );
        let expected = ["camera_missing", "reference_missing"];
        assert_eq!(health.reasons().names().collect::<Vec<_>>(), expected);

        let cameras = [camera(CameraState::Missing); 3];
        let health = assess(&mut monitor(), &observations(&cameras, &[]));
        assert_eq!(HealthState::try_from(health.state), Ok(HealthState::Fault));
        assert!(health.reasons().contains(HealthReasons::NO_CAMERA));
    }

    #[test]
    fn deadline_misses_are_judged_by_the_callers_clock_and_counted() {
        let cameras = [camera(CameraState::Ok); 2];
        let mut seen = observations(&cameras, &[]);
        let mut monitor = monitor();
        assert_eq!(assess(&mut monitor, &seen).deadline_misses, 0);
        seen.now = STAMP + Span::from_milliseconds(101);
        let health = assess(&mut monitor, &seen);
        assert!(health.reasons().contains(HealthReasons::FRAME_DEADLINE));
        assert_eq!(health.deadline_misses, 1);
        monitor.reset();
        seen.now = STAMP;
        assert_eq!(assess(&mut monitor, &seen).deadline_misses, 0);
    }

    #[test]
    fn every_trouble_has_its_reason() {
        let cameras = [
            camera(CameraState::Ok),
            camera(CameraState::Frozen),
            camera(CameraState::Repeated),
            camera(CameraState::Late),
            camera(CameraState::Disabled),
            camera(CameraState::Blind),
        ];
        let slot = |state| SlotObservation {
            state,
            age: Span::ZERO,
            nominal_age: Span::ZERO,
        };
        let slots = [slot(SlotState::Empty), slot(SlotState::MotionUnknown)];
        let mut seen = observations(&cameras, &slots);
        seen.ego_motion = EgoMotionState::Stale;
        seen.found = HealthReasons::NOT_FINITE;
        let health = assess(&mut monitor(), &seen);
        let expected = [
            "camera_late",
            "camera_frozen",
            "camera_disorder",
            "ego_motion_lost",
            "history_warming_up",
            "history_invalid",
            "not_finite",
            "camera_disabled",
            "camera_blind",
        ];
        assert_eq!(health.reasons().names().collect::<Vec<_>>(), expected);
        assert_eq!(HealthState::try_from(health.state), Ok(HealthState::Fault));
    }
}
