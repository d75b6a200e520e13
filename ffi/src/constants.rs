//! The numbers that stand in fields, as the header shows them.
//!
//! Literals, because the header generator reads them; tests hold them against the runtime's own.

#![allow(
    missing_docs,
    reason = "the groups are described; each name says the rest"
)]

/// ABI version: a change that old callers do not survive raises the first.
pub const BEVRT_ABI_MAJOR: u32 = 0;
/// ABI version: an addition raises the second.
pub const BEVRT_ABI_MINOR: u32 = 2;

/// `pixel_format`: a plane of Y and a plane of interleaved U, V at half the width and height.
pub const BEVRT_PIXEL_FORMAT_NV12: i32 = 0;
/// `pixel_format`: one plane of Y0 U Y1 V.
pub const BEVRT_PIXEL_FORMAT_YUYV: i32 = 1;
/// `pixel_format`: one plane of R, G, B bytes.
pub const BEVRT_PIXEL_FORMAT_RGB: i32 = 2;
/// `pixel_format`: one plane of B, G, R bytes.
pub const BEVRT_PIXEL_FORMAT_BGR: i32 = 3;
/// `pixel_format`: one plane of grey levels.
pub const BEVRT_PIXEL_FORMAT_GREY: i32 = 4;

/// `colour_matrix`: ITU-R BT.601.
pub const BEVRT_COLOUR_MATRIX_BT601: i32 = 0;
/// `colour_matrix`: ITU-R BT.709.
pub const BEVRT_COLOUR_MATRIX_BT709: i32 = 1;
/// `colour_range`: Y 16 to 235, U and V 16 to 240.
pub const BEVRT_COLOUR_RANGE_LIMITED: i32 = 0;
/// `colour_range`: 0 to 255.
pub const BEVRT_COLOUR_RANGE_FULL: i32 = 1;

/// `memory_type`: pointers that the CPU reads. The only one that is supported.
pub const BEVRT_MEMORY_HOST: i32 = 0;
/// `memory_type`: a Linux dma-buf; refused with `BEVRT_STATUS_UNSUPPORTED`.
pub const BEVRT_MEMORY_DMABUF: i32 = 1;
/// `memory_type`: CUDA device memory; refused with `BEVRT_STATUS_UNSUPPORTED`.
pub const BEVRT_MEMORY_CUDA: i32 = 2;

/// `providers`: the processor.
pub const BEVRT_PROVIDER_CPU: i32 = 0;
/// `providers`: an NVIDIA GPU.
pub const BEVRT_PROVIDER_CUDA: i32 = 1;
/// `providers`: an NVIDIA GPU through TensorRT; needs `engine_cache_path`.
pub const BEVRT_PROVIDER_TENSORRT: i32 = 2;
/// `providers`: the one of `plugin_path`.
pub const BEVRT_PROVIDER_PLUGIN: i32 = 3;
/// Entries of `providers`.
pub const BEVRT_MAX_PROVIDERS: usize = 4;

/// `ego_motion`: poses in an odometry frame.
pub const BEVRT_EGO_MOTION_POSES: i32 = 0;
/// `ego_motion`: speed and yaw rate.
pub const BEVRT_EGO_MOTION_RATES: i32 = 1;

/// Boolean fields: no.
pub const BEVRT_OFF: i32 = 0;
/// Boolean fields: yes.
pub const BEVRT_ON: i32 = 1;

/// Stage of the statistics: conversion, crop and resize of all images of a set.
pub const BEVRT_STAGE_PREPROCESS: i32 = 0;
/// Stage: projection tables when they change, and alignment of the feature queue.
pub const BEVRT_STAGE_ALIGN: i32 = 1;
/// Stage: the engine's run.
pub const BEVRT_STAGE_NETWORK: i32 = 2;
/// Stage: storing the new map and decoding the heads.
pub const BEVRT_STAGE_DECODE: i32 = 3;
/// Stage: tracking.
pub const BEVRT_STAGE_TRACK: i32 = 4;
/// Stage: health, coverage and filling the frame.
pub const BEVRT_STAGE_PUBLISH: i32 = 5;
/// Stage: all of the above.
pub const BEVRT_STAGE_TOTAL: i32 = 6;
/// Stage: from the last image of the set to the frame, the reaction time.
pub const BEVRT_STAGE_FROM_LAST_IMAGE: i32 = 7;

/// `class_` of objects: passenger car.
pub const BEVRT_OBJECT_CAR: u8 = 0;
pub const BEVRT_OBJECT_VAN: u8 = 1;
pub const BEVRT_OBJECT_TRUCK: u8 = 2;
pub const BEVRT_OBJECT_BUS: u8 = 3;
pub const BEVRT_OBJECT_MOTORCYCLE: u8 = 4;
pub const BEVRT_OBJECT_CYCLIST: u8 = 5;
pub const BEVRT_OBJECT_PEDESTRIAN: u8 = 6;
pub const BEVRT_OBJECT_CONE: u8 = 7;

/// `lane.marking`: unbroken paint.
pub const BEVRT_MARKING_SOLID: u8 = 0;
pub const BEVRT_MARKING_DASHED: u8 = 1;
pub const BEVRT_MARKING_DOUBLE: u8 = 2;
/// `lane.marking`: the end of the road surface.
pub const BEVRT_MARKING_ROAD_EDGE: u8 = 3;

/// `lane.colour`.
pub const BEVRT_MARKING_WHITE: u8 = 0;
pub const BEVRT_MARKING_YELLOW: u8 = 1;

/// Bits of `arrow.directions`.
pub const BEVRT_ARROW_STRAIGHT: u8 = 1;
pub const BEVRT_ARROW_LEFT: u8 = 2;
pub const BEVRT_ARROW_RIGHT: u8 = 4;
pub const BEVRT_ARROW_U_TURN: u8 = 8;

/// `health.state`: everything that was asked for was there.
pub const BEVRT_HEALTH_OK: u8 = 0;
/// `health.state`: usable, with something missing: see the reasons.
pub const BEVRT_HEALTH_DEGRADED: u8 = 1;
/// `health.state`: not to be used.
pub const BEVRT_HEALTH_FAULT: u8 = 2;

/// Bits of `health.reason_bits`: a camera of the rig gave no image to this frame.
pub const BEVRT_REASON_CAMERA_MISSING: u64 = 1;
/// An image came after its set was closed.
pub const BEVRT_REASON_CAMERA_LATE: u64 = 2;
/// A camera shows the same picture again and again.
pub const BEVRT_REASON_CAMERA_FROZEN: u64 = 4;
/// Stamps of a camera repeat or run backwards.
pub const BEVRT_REASON_CAMERA_DISORDER: u64 = 8;
/// The reference camera is missing: the stamp of the frame is that of another camera.
pub const BEVRT_REASON_REFERENCE_MISSING: u64 = 16;
/// No camera gave an image (fault).
pub const BEVRT_REASON_NO_CAMERA: u64 = 32;
/// Motion at the stamp was extrapolated.
pub const BEVRT_REASON_EGO_MOTION_EXTRAPOLATED: u64 = 64;
/// Motion at the stamp is not known.
pub const BEVRT_REASON_EGO_MOTION_LOST: u64 = 128;
/// Poses jumped or rates were implausible; older history was given up.
pub const BEVRT_REASON_EGO_MOTION_JUMP: u64 = 256;
/// The queue has not been filled yet since start, reset, scene cut or a time without results.
pub const BEVRT_REASON_HISTORY_WARMING_UP: u64 = 512;
/// A filled slot could not be used.
pub const BEVRT_REASON_HISTORY_INVALID: u64 = 1024;
/// The set was closed by its deadline.
pub const BEVRT_REASON_SET_DEADLINE: u64 = 2048;
/// The frame was finished later than its deadline, judged by the caller's clock.
pub const BEVRT_REASON_FRAME_DEADLINE: u64 = 4096;
/// The network gave numbers that are not finite (fault); nothing was decoded.
pub const BEVRT_REASON_NOT_FINITE: u64 = 8192;
/// More elements were found than the frame can hold.
pub const BEVRT_REASON_FRAME_FULL: u64 = 16384;
/// Time ran backwards; everything was reset.
pub const BEVRT_REASON_TIME_REVERSED: u64 = 32768;
/// The engine failed at this frame (fault).
pub const BEVRT_REASON_ENGINE_FAILED: u64 = 65536;
/// A camera of the rig is switched off.
pub const BEVRT_REASON_CAMERA_DISABLED: u64 = 131072;
/// A camera's picture shows nothing.
pub const BEVRT_REASON_CAMERA_BLIND: u64 = 262144;
/// Speed and yaw rate of the moving vehicle do not change any more.
pub const BEVRT_REASON_EGO_MOTION_FROZEN: u64 = 524288;

/// `camera.state`: its image is in the frame.
pub const BEVRT_CAMERA_OK: u8 = 0;
/// No image came in time; the network saw grey and no taps into it.
pub const BEVRT_CAMERA_MISSING: u8 = 1;
/// The image came after its set was closed.
pub const BEVRT_CAMERA_LATE: u8 = 2;
/// The picture does not change any more.
pub const BEVRT_CAMERA_FROZEN: u8 = 3;
/// The stamp was seen before.
pub const BEVRT_CAMERA_REPEATED: u8 = 4;
/// The stamp is older than one that was seen before.
pub const BEVRT_CAMERA_OUT_OF_ORDER: u8 = 5;
/// The exposure is too far from that of the reference camera.
pub const BEVRT_CAMERA_OUT_OF_TOLERANCE: u8 = 6;
/// Switched off.
pub const BEVRT_CAMERA_DISABLED: u8 = 7;
/// The picture shows nothing but one tone (a covered lens, over-exposure) or noise.
pub const BEVRT_CAMERA_BLIND: u8 = 8;

/// `health.ego_motion`: known at the stamp.
pub const BEVRT_EGO_MOTION_OK: u8 = 0;
/// Extrapolated within the limit.
pub const BEVRT_EGO_MOTION_EXTRAPOLATED: u8 = 1;
/// Nothing has come yet.
pub const BEVRT_EGO_MOTION_ABSENT: u8 = 2;
/// The last data is too old.
pub const BEVRT_EGO_MOTION_STALE: u8 = 3;
/// There is a gap between the stamps in question.
pub const BEVRT_EGO_MOTION_GAP: u8 = 4;
/// The pose jumped.
pub const BEVRT_EGO_MOTION_JUMP: u8 = 5;
/// Speed or yaw rate beyond what a vehicle does.
pub const BEVRT_EGO_MOTION_IMPLAUSIBLE: u8 = 6;
/// Known at the stamp, but speed and yaw rate have been the very same for long.
pub const BEVRT_EGO_MOTION_FROZEN: u8 = 7;

/// `slot.state`: holds an aligned map.
pub const BEVRT_SLOT_VALID: u8 = 0;
/// No map near its time has been stored yet.
pub const BEVRT_SLOT_EMPTY: u8 = 1;
/// There is a map, but the motion since then is not known.
pub const BEVRT_SLOT_MOTION_UNKNOWN: u8 = 2;
/// Left empty on purpose.
pub const BEVRT_SLOT_DISABLED: u8 = 3;

/// `coverage.state`: nothing is known: an empty list says nothing about it.
pub const BEVRT_COVERAGE_UNSEEN: u8 = 0;
/// Seen earlier, remembered by the feature queue.
pub const BEVRT_COVERAGE_HISTORY: u8 = 1;
/// Seen by a camera of this frame.
pub const BEVRT_COVERAGE_SEEN_NOW: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use bevrt_runtime::{
        ArrowDirections, CameraState, CoverageState, EgoMotionState, HealthReasons, HealthState,
        MarkingColour, MarkingType, ObjectClass, SlotState, Stage,
    };

    /// Every member of a kind has its number here, and no number is missing.
    macro_rules! same {
        ($($kind:ident: [$($constant:ident = $member:ident),+];)+) => {$(
            let numbers = [$($constant),+];
            assert_eq!(numbers.len(), $kind::ALL.len(), stringify!($kind));
            $(assert_eq!(u32::try_from($constant), Ok($kind::$member as u32));)+
        )+};
    }

    #[test]
    fn the_numbers_are_those_of_the_runtime() {
        same! {
            ObjectClass: [
                BEVRT_OBJECT_CAR = Car, BEVRT_OBJECT_VAN = Van, BEVRT_OBJECT_TRUCK = Truck,
                BEVRT_OBJECT_BUS = Bus, BEVRT_OBJECT_MOTORCYCLE = Motorcycle,
                BEVRT_OBJECT_CYCLIST = Cyclist, BEVRT_OBJECT_PEDESTRIAN = Pedestrian,
                BEVRT_OBJECT_CONE = Cone
            ];
            MarkingType: [
                BEVRT_MARKING_SOLID = Solid, BEVRT_MARKING_DASHED = Dashed,
                BEVRT_MARKING_DOUBLE = Double, BEVRT_MARKING_ROAD_EDGE = RoadEdge
            ];
            MarkingColour: [BEVRT_MARKING_WHITE = White, BEVRT_MARKING_YELLOW = Yellow];
            HealthState: [
                BEVRT_HEALTH_OK = Ok, BEVRT_HEALTH_DEGRADED = Degraded, BEVRT_HEALTH_FAULT = Fault
            ];
            CameraState: [
                BEVRT_CAMERA_OK = Ok, BEVRT_CAMERA_MISSING = Missing, BEVRT_CAMERA_LATE = Late,
                BEVRT_CAMERA_FROZEN = Frozen, BEVRT_CAMERA_REPEATED = Repeated,
                BEVRT_CAMERA_OUT_OF_ORDER = OutOfOrder,
                BEVRT_CAMERA_OUT_OF_TOLERANCE = OutOfTolerance, BEVRT_CAMERA_DISABLED = Disabled,
                BEVRT_CAMERA_BLIND = Blind
            ];
            EgoMotionState: [
                BEVRT_EGO_MOTION_OK = Ok, BEVRT_EGO_MOTION_EXTRAPOLATED = Extrapolated,
                BEVRT_EGO_MOTION_ABSENT = Absent, BEVRT_EGO_MOTION_STALE = Stale,
                BEVRT_EGO_MOTION_GAP = Gap, BEVRT_EGO_MOTION_JUMP = Jump,
                BEVRT_EGO_MOTION_IMPLAUSIBLE = Implausible,
                BEVRT_EGO_MOTION_FROZEN = Frozen
            ];
            SlotState: [
                BEVRT_SLOT_VALID = Valid, BEVRT_SLOT_EMPTY = Empty,
                BEVRT_SLOT_MOTION_UNKNOWN = MotionUnknown, BEVRT_SLOT_DISABLED = Disabled
            ];
            CoverageState: [
                BEVRT_COVERAGE_UNSEEN = Unseen, BEVRT_COVERAGE_HISTORY = History,
                BEVRT_COVERAGE_SEEN_NOW = SeenNow
            ];
            Stage: [
                BEVRT_STAGE_PREPROCESS = Preprocess, BEVRT_STAGE_ALIGN = Align,
                BEVRT_STAGE_NETWORK = Network, BEVRT_STAGE_DECODE = Decode,
                BEVRT_STAGE_TRACK = Track, BEVRT_STAGE_PUBLISH = Publish,
                BEVRT_STAGE_TOTAL = Total, BEVRT_STAGE_FROM_LAST_IMAGE = FromLastImage
            ];
        }
        for (bits, directions) in [
            (BEVRT_ARROW_STRAIGHT, ArrowDirections::STRAIGHT),
            (BEVRT_ARROW_LEFT, ArrowDirections::LEFT),
            (BEVRT_ARROW_RIGHT, ArrowDirections::RIGHT),
            (BEVRT_ARROW_U_TURN, ArrowDirections::U_TURN),
        ] {
            assert_eq!(bits, directions.bits());
        }
    }

    #[test]
    fn the_reasons_are_those_of_the_runtime() {
        let reasons = [
            (BEVRT_REASON_CAMERA_MISSING, "camera_missing"),
            (BEVRT_REASON_CAMERA_LATE, "camera_late"),
            (BEVRT_REASON_CAMERA_FROZEN, "camera_frozen"),
            (BEVRT_REASON_CAMERA_DISORDER, "camera_disorder"),
            (BEVRT_REASON_REFERENCE_MISSING, "reference_missing"),
            (BEVRT_REASON_NO_CAMERA, "no_camera"),
            (
                BEVRT_REASON_EGO_MOTION_EXTRAPOLATED,
                "ego_motion_extrapolated",
            ),
            (BEVRT_REASON_EGO_MOTION_LOST, "ego_motion_lost"),
            (BEVRT_REASON_EGO_MOTION_JUMP, "ego_motion_jump"),
            (BEVRT_REASON_HISTORY_WARMING_UP, "history_warming_up"),
            (BEVRT_REASON_HISTORY_INVALID, "history_invalid"),
            (BEVRT_REASON_SET_DEADLINE, "set_deadline"),
            (BEVRT_REASON_FRAME_DEADLINE, "frame_deadline"),
            (BEVRT_REASON_NOT_FINITE, "not_finite"),
            (BEVRT_REASON_FRAME_FULL, "frame_full"),
            (BEVRT_REASON_TIME_REVERSED, "time_reversed"),
            (BEVRT_REASON_ENGINE_FAILED, "engine_failed"),
            (BEVRT_REASON_CAMERA_DISABLED, "camera_disabled"),
            (BEVRT_REASON_CAMERA_BLIND, "camera_blind"),
            (BEVRT_REASON_EGO_MOTION_FROZEN, "ego_motion_frozen"),
        ];
        let of_runtime: Vec<_> = HealthReasons::ALL
            .iter()
            .map(|(reason, name)| (reason.bits(), *name))
            .collect();
        assert_eq!(reasons.as_slice(), of_runtime);
    }
}
