//! Health as it stands in an output frame.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{MAX_CAMERAS, MAX_SLOTS};

/// Reasons of a degraded frame or a fault, as bits; append-only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HealthReasons(u64);

macro_rules! reasons {
    ($($(#[$meta:meta])* $name:ident = $bit:literal, $text:literal;)+) => {
        impl HealthReasons {
            $($(#[$meta])* pub const $name: Self = Self(1 << $bit);)+

            /// Every reason with its name, by bit.
            pub const ALL: &'static [(Self, &'static str)] = &[$((Self::$name, $text)),+];
        }
    };
}

reasons! {
    /// A camera of the rig gave no image to this frame.
    CAMERA_MISSING = 0, "camera_missing";
    /// An image came after its set was closed.
    CAMERA_LATE = 1, "camera_late";
    /// A camera shows the same picture again and again.
    CAMERA_FROZEN = 2, "camera_frozen";
    /// Stamps of a camera repeat or run backwards.
    CAMERA_DISORDER = 3, "camera_disorder";
    /// The reference camera is missing: the stamp of the frame is that of another camera.
    REFERENCE_MISSING = 4, "reference_missing";
    /// No camera gave an image (fault).
    NO_CAMERA = 5, "no_camera";
    /// Motion at the stamp was extrapolated.
    EGO_MOTION_EXTRAPOLATED = 6, "ego_motion_extrapolated";
    /// Motion at the stamp is not known.
    EGO_MOTION_LOST = 7, "ego_motion_lost";
    /// Poses jumped or rates were implausible; older history was given up.
    EGO_MOTION_JUMP = 8, "ego_motion_jump";
    /// The queue has not been filled yet since start, reset, scene cut or a time without results.
    HISTORY_WARMING_UP = 9, "history_warming_up";
    /// A filled slot could not be used.
    HISTORY_INVALID = 10, "history_invalid";
    /// The set was closed by its deadline.
    SET_DEADLINE = 11, "set_deadline";
    /// The frame was finished later than its deadline, judged by the caller's clock.
    FRAME_DEADLINE = 12, "frame_deadline";
    /// The network gave numbers that are not finite (fault); nothing was decoded.
    NOT_FINITE = 13, "not_finite";
    /// More elements were found than the frame can hold.
    FRAME_FULL = 14, "frame_full";
    /// Time ran backwards; everything was reset.
    TIME_REVERSED = 15, "time_reversed";
    /// The engine failed at this frame (fault).
    ENGINE_FAILED = 16, "engine_failed";
    /// A camera of the rig is switched off.
    CAMERA_DISABLED = 17, "camera_disabled";
    /// A camera's picture shows nothing.
    CAMERA_BLIND = 18, "camera_blind";
    /// Speed and yaw rate of the moving vehicle do not change any more.
    EGO_MOTION_FROZEN = 19, "ego_motion_frozen";
}

impl HealthReasons {
    /// No reason.
    pub const NONE: Self = Self(0);

    /// Those that make a frame a fault; all others degrade it.
    pub const FAULTS: Self = Self(Self::NO_CAMERA.0 | Self::NOT_FINITE.0 | Self::ENGINE_FAILED.0);

    /// Reasons from bits; bits of later versions are kept.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The reasons as bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Adds reasons.
    pub const fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether all of `other` are there.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is there.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names of the reasons, by bit.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::ALL
            .iter()
            .filter(move |(reason, _)| self.contains(*reason))
            .map(|(_, name)| *name)
    }
}

/// How far a frame can be trusted, and why.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct FrameHealth {
    /// [`HealthReasons`] as bits.
    pub reason_bits: u64,
    /// Caller's clock minus stamp of the frame.
    pub frame_age_ns: i64,
    /// Stamp of the frame minus the stamp of the newest ego motion: negative when that is newer,
    /// 0 when there is none.
    pub ego_motion_age_ns: i64,
    /// Frames since creation or reset that were finished after their deadline.
    pub deadline_misses: u32,
    /// Times that the history was given up since creation or reset.
    pub history_resets: u32,
    /// [`HealthState`](super::HealthState).
    pub state: u8,
    /// [`EgoMotionState`](super::EgoMotionState).
    pub ego_motion: u8,
    /// Cameras of the rig.
    pub camera_count: u8,
    /// Slots of the feature queue.
    pub slot_count: u8,
    /// Index of the camera whose stamp is the stamp of the frame.
    pub reference_camera: u8,
    /// Zero.
    pub reserved: [u8; 3],
    /// One entry for each camera; read them by [`FrameHealth::cameras`].
    pub camera_entries: [CameraStatus; MAX_CAMERAS],
    /// One entry for each slot; read them by [`FrameHealth::slots`].
    pub slot_entries: [SlotStatus; MAX_SLOTS],
}

/// What a camera gave to a frame.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct CameraStatus {
    /// Exposure mid-point of its last image; 0 when there was none.
    pub stamp_ns: i64,
    /// Caller's clock minus that stamp; 0 when there was none.
    pub age_ns: i64,
    /// Its exposure minus the stamp of the frame; 0 unless its image is in the frame. Beyond
    /// ±2.1 s it is clamped.
    pub skew_ns: i32,
    /// [`CameraState`](super::CameraState).
    pub state: u8,
    /// Zero.
    pub reserved: [u8; 3],
}

/// What a queue slot gave to a frame.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct SlotStatus {
    /// Time from its map to the stamp of the frame; 0 when empty.
    pub age_ns: i64,
    /// Time that the slot stands for: k strides.
    pub nominal_age_ns: i64,
    /// [`SlotState`](super::SlotState).
    pub state: u8,
    /// Zero.
    pub reserved: [u8; 7],
}

impl FrameHealth {
    /// Why the frame is not simply in order.
    pub fn reasons(&self) -> HealthReasons {
        HealthReasons::from_bits(self.reason_bits)
    }

    /// One entry for each camera of the rig, in its order.
    pub fn cameras(&self) -> &[CameraStatus] {
        &self.camera_entries[..usize::from(self.camera_count).min(MAX_CAMERAS)]
    }

    /// One entry for each queue slot, newest first.
    pub fn slots(&self) -> &[SlotStatus] {
        &self.slot_entries[..usize::from(self.slot_count).min(MAX_SLOTS)]
    }
}

const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<CameraStatus>() == 24);
    assert!(size_of::<SlotStatus>() == 24);
    assert!(size_of::<FrameHealth>() == 616);
    assert!(offset_of!(FrameHealth, state) == 32);
    assert!(offset_of!(FrameHealth, camera_entries) == 40);
    assert!(offset_of!(FrameHealth, slot_entries) == 424);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_names() {
        let mut reasons = HealthReasons::NONE;
        assert!(reasons.is_empty());
        reasons.insert(HealthReasons::CAMERA_MISSING);
        reasons.insert(HealthReasons::NOT_FINITE);
        assert_eq!(
            reasons.names().collect::<Vec<_>>(),
            ["camera_missing", "not_finite"]
        );
        assert!(reasons.intersects(HealthReasons::NOT_FINITE));
        assert!(!reasons.contains(HealthReasons::CAMERA_LATE));
    }

    #[test]
    fn every_reason_has_a_bit_of_its_own() {
        let all = HealthReasons::ALL
            .iter()
            .fold(0_u64, |bits, (reason, _)| bits | reason.bits());
        assert_eq!(all.count_ones() as usize, HealthReasons::ALL.len());
    }
}
