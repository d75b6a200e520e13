//! The output frame: everything one step has to say, as plain bytes.

mod elements;
mod kinds;
mod status;

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

pub use elements::{
    FramePoint, LANE_RELATION_UNKNOWN, OutputArrow, OutputCrosswalk, OutputLane, OutputObject,
    OutputStopLine, SectorCoverage,
};
pub use kinds::{
    ArrowDirections, CameraState, CoverageState, EgoMotionState, HealthState, MarkingColour,
    MarkingType, ObjectClass, SlotState, UnknownKind,
};
pub use status::{CameraStatus, FrameHealth, HealthReasons, SlotStatus};

/// Layout version: a change of an existing offset raises it.
pub const FRAME_ABI_MAJOR: u16 = 1;
/// Layout version: an array appended at the end raises it.
pub const FRAME_ABI_MINOR: u16 = 0;

/// Most objects that one frame can hold.
pub const MAX_OBJECTS: usize = 128;
/// Most lanes (painted lines and road edges) that one frame can hold.
pub const MAX_LANES: usize = 64;
/// Most points of one lane.
pub const MAX_LANE_POINTS: usize = 48;
/// Most arrows that one frame can hold.
pub const MAX_ARROWS: usize = 32;
/// Most crosswalks that one frame can hold.
pub const MAX_CROSSWALKS: usize = 16;
/// Most corners of one crosswalk.
pub const MAX_CROSSWALK_POINTS: usize = 8;
/// Most stop lines that one frame can hold.
pub const MAX_STOP_LINES: usize = 16;
/// Most points of one stop line.
pub const MAX_STOP_LINE_POINTS: usize = 8;
/// Most cameras of a rig.
pub const MAX_CAMERAS: usize = 16;
/// Most slots of a feature queue.
pub const MAX_SLOTS: usize = 8;
/// Sectors of the coverage ring, each 5 degrees wide.
pub const COVERAGE_SECTORS: usize = 72;

/// Everything that one step has to say: a fixed-size struct of plain old data without padding.
///
/// The same bytes go through the C ABI, shared memory and logs. They follow from the inputs and
/// the passed-in clock alone, so a replay gives the same bytes; entries beyond a count are zero.
/// Positions, yaw angles and velocities are in the ego frame at `stamp_ns` (ISO 8855: x forward,
/// y left, z up, origin on the ground under the rear axle); yaw is counter-clockwise from +x,
/// in (−π, π]. Kinds are integers: turn them into enums with `TryFrom<u8>`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct OutputFrame {
    /// [`FRAME_ABI_MAJOR`] of the writer.
    pub abi_major: u16,
    /// [`FRAME_ABI_MINOR`] of the writer.
    pub abi_minor: u16,
    /// Size of this struct at the writer, in bytes.
    pub frame_size_bytes: u32,
    /// Counts the frames of this pipeline since its creation or reset, from 0.
    pub sequence: u64,
    /// Exposure mid-point of the reference camera: the moment that the frame describes.
    pub stamp_ns: i64,
    /// The caller's clock at the step that made the frame.
    pub now_ns: i64,
    /// How far the frame can be trusted, and why.
    pub health: FrameHealth,
    /// Valid entries of `object_entries`.
    pub object_count: u32,
    /// Valid entries of `lane_entries`.
    pub lane_count: u32,
    /// Valid entries of `arrow_entries`.
    pub arrow_count: u32,
    /// Valid entries of `crosswalk_entries`.
    pub crosswalk_count: u32,
    /// Valid entries of `stop_line_entries`.
    pub stop_line_count: u32,
    /// Zero.
    pub reserved: u32,
    /// Objects; read them by [`OutputFrame::objects`].
    pub object_entries: [OutputObject; MAX_OBJECTS],
    /// Lanes; read them by [`OutputFrame::lanes`].
    pub lane_entries: [OutputLane; MAX_LANES],
    /// Arrows; read them by [`OutputFrame::arrows`].
    pub arrow_entries: [OutputArrow; MAX_ARROWS],
    /// Crosswalks; read them by [`OutputFrame::crosswalks`].
    pub crosswalk_entries: [OutputCrosswalk; MAX_CROSSWALKS],
    /// Stop lines; read them by [`OutputFrame::stop_lines`].
    pub stop_line_entries: [OutputStopLine; MAX_STOP_LINES],
    /// What was looked at: sector `k` covers bearings from `k·5°` to `(k+1)·5°`,
    /// counter-clockwise from straight ahead, around the ego origin.
    pub coverage: [SectorCoverage; COVERAGE_SECTORS],
}

/// An array of the frame was full, so an element was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameFull;

/// Why bytes are no [`OutputFrame`] of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameLayoutError {
    /// Fewer or more bytes than a frame has.
    Length {
        /// Bytes given.
        found: usize,
    },
    /// The bytes do not start at a multiple of eight.
    Alignment,
    /// Written by another major version, or with another size.
    Version {
        /// Major version in the bytes.
        major: u16,
        /// Frame size in the bytes.
        size_bytes: u32,
    },
    /// A count is beyond its capacity.
    Count,
}

impl std::fmt::Display for FrameLayoutError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Length { found } => {
                write!(
                    f,
                    "expected {} bytes, found {found}",
                    size_of::<OutputFrame>()
                )
            }
            Self::Alignment => write!(f, "the bytes must start at a multiple of 8"),
            Self::Version { major, size_bytes } => write!(
                f,
                "expected layout {FRAME_ABI_MAJOR} of {} bytes, found layout {major} of \
                 {size_bytes} bytes",
                size_of::<OutputFrame>()
            ),
            Self::Count => write!(f, "a count is beyond the capacity of its array"),
        }
    }
}

impl std::error::Error for FrameLayoutError {}

impl OutputFrame {
    /// An empty frame on the heap: all zero except version and size.
    pub fn boxed() -> Box<Self> {
        let mut frame = Box::new(Self::new_zeroed());
        frame.clear();
        frame
    }

    /// Makes the frame empty again: all zero except version and size.
    pub fn clear(&mut self) {
        self.zero();
        self.abi_major = FRAME_ABI_MAJOR;
        self.abi_minor = FRAME_ABI_MINOR;
        self.frame_size_bytes = size_of::<Self>() as u32;
    }

    /// Views bytes, aligned to eight, as a frame.
    ///
    /// # Errors
    /// [`FrameLayoutError`] where length, alignment, version or a count do not fit. Kinds are not
    /// checked here; their `TryFrom<u8>` does it.
    pub fn from_frame_bytes(bytes: &[u8]) -> Result<&Self, FrameLayoutError> {
        if bytes.len() != size_of::<Self>() {
            return Err(FrameLayoutError::Length { found: bytes.len() });
        }
        let frame = Self::ref_from_bytes(bytes).map_err(|_cast| FrameLayoutError::Alignment)?;
        frame.check()?;
        Ok(frame)
    }

    /// Copies bytes of any alignment into a new frame.
    ///
    /// # Errors
    /// [`FrameLayoutError`] as in [`OutputFrame::from_frame_bytes`], alignment excepted.
    pub fn boxed_from_frame_bytes(bytes: &[u8]) -> Result<Box<Self>, FrameLayoutError> {
        if bytes.len() != size_of::<Self>() {
            return Err(FrameLayoutError::Length { found: bytes.len() });
        }
        let mut frame = Self::boxed();
        frame.as_mut_bytes().copy_from_slice(bytes);
        frame.check()?;
        Ok(frame)
    }

    /// The frame as bytes, in the byte order of the machine.
    pub fn as_frame_bytes(&self) -> &[u8] {
        self.as_bytes()
    }

    fn check(&self) -> Result<(), FrameLayoutError> {
        if self.abi_major != FRAME_ABI_MAJOR || self.frame_size_bytes as usize != size_of::<Self>()
        {
            return Err(FrameLayoutError::Version {
                major: self.abi_major,
                size_bytes: self.frame_size_bytes,
            });
        }
        let counts_fit = self.object_count as usize <= MAX_OBJECTS
            && self.lane_count as usize <= MAX_LANES
            && self.arrow_count as usize <= MAX_ARROWS
            && self.crosswalk_count as usize <= MAX_CROSSWALKS
            && self.stop_line_count as usize <= MAX_STOP_LINES
            && usize::from(self.health.camera_count) <= MAX_CAMERAS
            && usize::from(self.health.slot_count) <= MAX_SLOTS
            && self
                .lanes()
                .iter()
                .all(|lane| usize::from(lane.point_count) <= MAX_LANE_POINTS)
            && self
                .crosswalks()
                .iter()
                .all(|crosswalk| usize::from(crosswalk.point_count) <= MAX_CROSSWALK_POINTS)
            && self
                .stop_lines()
                .iter()
                .all(|stop_line| usize::from(stop_line.point_count) <= MAX_STOP_LINE_POINTS);
        if counts_fit {
            Ok(())
        } else {
            Err(FrameLayoutError::Count)
        }
    }
}

/// A reader and a writer for one counted array. Counts from outside are clamped, never trusted.
macro_rules! counted {
    ($(#[$read:meta])* $reader:ident, $(#[$write:meta])* $writer:ident,
     $entries:ident, $count:ident, $entry:ty) => {
        impl OutputFrame {
            $(#[$read])*
            pub fn $reader(&self) -> &[$entry] {
                &self.$entries[..(self.$count as usize).min(self.$entries.len())]
            }

            $(#[$write])*
            ///
            /// # Errors
            /// [`FrameFull`] when the array is full; the frame is unchanged then.
            pub fn $writer(&mut self, entry: $entry) -> Result<(), FrameFull> {
                let slot = self.$entries.get_mut(self.$count as usize).ok_or(FrameFull)?;
                *slot = entry;
                self.$count += 1;
                Ok(())
            }
        }
    };
}

counted!(
    /// The objects, most confident first.
    objects,
    /// Appends an object.
    try_push_object,
    object_entries, object_count, OutputObject
);
counted!(
    /// The lanes: painted lines and road edges, most confident first.
    lanes,
    /// Appends a lane.
    try_push_lane,
    lane_entries, lane_count, OutputLane
);
counted!(
    /// The arrows painted on the road, most confident first.
    arrows,
    /// Appends an arrow.
    try_push_arrow,
    arrow_entries, arrow_count, OutputArrow
);
counted!(
    /// The crosswalks, most confident first.
    crosswalks,
    /// Appends a crosswalk.
    try_push_crosswalk,
    crosswalk_entries, crosswalk_count, OutputCrosswalk
);
counted!(
    /// The stop lines, most confident first.
    stop_lines,
    /// Appends a stop line.
    try_push_stop_line,
    stop_line_entries, stop_line_count, OutputStopLine
);

const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<OutputFrame>() == 57_760);
    assert!(align_of::<OutputFrame>() == 8);
    assert!(offset_of!(OutputFrame, sequence) == 8);
    assert!(offset_of!(OutputFrame, stamp_ns) == 16);
    assert!(offset_of!(OutputFrame, now_ns) == 24);
    assert!(offset_of!(OutputFrame, health) == 32);
    assert!(offset_of!(OutputFrame, object_count) == 648);
    assert!(offset_of!(OutputFrame, object_entries) == 672);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_frame_is_empty_and_knows_its_version() {
        let frame = OutputFrame::boxed();
        assert_eq!(frame.abi_major, FRAME_ABI_MAJOR);
        assert_eq!(frame.frame_size_bytes as usize, size_of::<OutputFrame>());
        assert!(frame.objects().is_empty() && frame.lanes().is_empty());
        assert!(frame.as_frame_bytes()[16..].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn bytes_make_the_same_frame_again() {
        let mut frame = OutputFrame::boxed();
        let object = OutputObject {
            x_m: 12.5,
            confidence: 0.75,
            id: 9,
            ..OutputObject::EMPTY
        };
        frame.try_push_object(object).expect("the frame is empty");
        let copy = OutputFrame::boxed_from_frame_bytes(frame.as_frame_bytes())
            .expect("the bytes come from a frame");
        assert_eq!(copy.objects().len(), 1);
        assert_eq!(copy.objects()[0].x_m, 12.5);
        assert_eq!(copy.as_frame_bytes(), frame.as_frame_bytes());
    }

    #[test]
    fn a_full_array_refuses_the_next_element() {
        let mut frame = OutputFrame::boxed();
        for _ in 0..MAX_ARROWS {
            assert_eq!(frame.try_push_arrow(OutputArrow::EMPTY), Ok(()));
        }
        assert_eq!(frame.try_push_arrow(OutputArrow::EMPTY), Err(FrameFull));
        assert_eq!(frame.arrows().len(), MAX_ARROWS);
    }

    #[test]
    fn foreign_bytes_are_refused() {
        let mut frame = OutputFrame::boxed();
        assert_eq!(
            OutputFrame::boxed_from_frame_bytes(&[0; 100]).err(),
            Some(FrameLayoutError::Length { found: 100 })
        );
        frame.object_count = MAX_OBJECTS as u32 + 1;
        assert_eq!(frame.objects().len(), MAX_OBJECTS);
        assert_eq!(
            OutputFrame::from_frame_bytes(frame.as_frame_bytes()).err(),
            Some(FrameLayoutError::Count)
        );
        frame.clear();
        frame.abi_major = 99;
        assert!(matches!(
            OutputFrame::from_frame_bytes(frame.as_frame_bytes()),
            Err(FrameLayoutError::Version { major: 99, .. })
        ));
    }
}
