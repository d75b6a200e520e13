//! What becomes of images and sets.

use heapless::Vec;

use crate::frame::{CameraState, MAX_CAMERAS};
use crate::time::{Span, Stamp};

/// The set that an accepted image belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Sequence number of the set.
    pub sequence: u64,
    /// Whether an earlier image of this camera in the same set gives way to it.
    pub is_replacement: bool,
}

/// What an image shows, as far as it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageContent {
    /// It was not looked at: neither a frozen nor a blind camera is noticed.
    Unchecked,
    /// Something, with this hash of its pixels.
    Fingerprint(u64),
    /// Nothing.
    Blind,
}

/// Why an image is in no set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncRefusal {
    /// The rig has no such camera.
    UnknownCamera,
    /// The camera is switched off.
    Disabled,
    /// The camera gave this stamp before.
    Repeated,
    /// The camera gave a later stamp before.
    OutOfOrder,
    /// The camera gave the same content before, with another stamp.
    Frozen,
    /// The picture shows nothing.
    Blind,
    /// The set that it belongs to is closed.
    Late,
    /// The stamp is too far from those of the open sets, or ahead of the arrival.
    OutOfTolerance,
    /// Both open sets are older: call [`FrameSync::poll`](super::FrameSync::poll), then push it again.
    Overrun,
}

/// Why a set was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedBy {
    /// Every camera that is waited for is in it.
    Completeness,
    /// The deadline passed.
    Deadline,
    /// Images of a later set are there already.
    Successor,
    /// No camera gave anything.
    Silence,
}

/// Where an output stamp comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StampSource {
    /// The reference camera.
    Reference,
    /// The lower median of the stamps in the set, for want of the reference camera.
    Substitute,
    /// The caller's clock, for want of any image.
    Clock,
}

/// What one camera gave to a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CameraInSet {
    /// `Ok` when its image is in the set, otherwise what is wrong with it.
    pub state: CameraState,
    /// The image in the set, if there is one.
    pub image: Option<ImageTimes>,
    /// The stamp of the last image that it gave at all, refused ones too.
    pub last_stamp: Option<Stamp>,
}

/// The times of one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageTimes {
    /// Middle of the exposure.
    pub stamp: Stamp,
    /// When it reached us.
    pub arrival: Stamp,
}

/// A closed set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameSetDecision {
    /// Number of the set: rises by one with each.
    pub sequence: u64,
    /// The output stamp, later than that of all sets before.
    pub stamp: Stamp,
    /// Where the stamp comes from.
    pub stamp_source: StampSource,
    /// Why it was closed.
    pub closed_by: ClosedBy,
    /// One entry for each camera of the rig.
    pub cameras: Vec<CameraInSet, MAX_CAMERAS>,
}

impl SyncRefusal {
    /// How the camera's state tells this; an overrun and an unknown camera are no state.
    pub fn camera_state(self) -> Option<CameraState> {
        match self {
            Self::UnknownCamera | Self::Overrun => None,
            Self::Disabled => Some(CameraState::Disabled),
            Self::Repeated => Some(CameraState::Repeated),
            Self::OutOfOrder => Some(CameraState::OutOfOrder),
            Self::Frozen => Some(CameraState::Frozen),
            Self::Blind => Some(CameraState::Blind),
            Self::Late => Some(CameraState::Late),
            Self::OutOfTolerance => Some(CameraState::OutOfTolerance),
        }
    }
}

impl FrameSetDecision {
    /// The exposure of a camera minus the output stamp; `None` when its image is not in the set.
    pub fn skew(&self, camera: usize) -> Option<Span> {
        let image = self.cameras.get(camera)?.image?;
        Some(image.stamp - self.stamp)
    }
}
