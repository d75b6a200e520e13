//! Which images belong together: frame sets by stamps, closed by completeness or by a deadline.
//!
//! [`FrameSync`] holds stamps only; the images go straight from the caller to preprocessing. At
//! most two sets are open at a time, the one to come out next and its successor, so two input
//! buffers serve: the buffer of an image is its set's sequence number modulo two.
//!
//! Rules:
//! - An image joins a set while all stamps of the set stay within the tolerance of each other.
//! - A set is closed when every camera that is waited for is in it, when the deadline after its first
//!   arrival has passed at `now`, or when its successor is complete. Nothing waits without end: a
//!   camera that misses [`SyncSpec::patience`] sets in a row is not waited for until it is back.
//! - The output stamp is the reference camera's. Without its image it is the lower median of the
//!   stamps of the set.
//! - When no camera gives anything for [`SyncSpec::silence`], an empty set with the stamp `now` comes
//!   out, and again after each such time.

use heapless::Vec;

use crate::frame::{CameraState, MAX_CAMERAS};
use crate::time::{Span, Stamp};

mod open_set;

use open_set::OpenSet;

/// How frame sets are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncSpec {
    /// Cameras of the rig: 1 to [`MAX_CAMERAS`].
    pub cameras: usize,
    /// The camera whose stamp is the output's.
    pub reference: usize,
    /// Most that two stamps of a set may differ. Keep it below the cameras' frame period.
    pub tolerance: Span,
    /// Longest time from the first arrival of a set to its closing.
    pub deadline: Span,
    /// Sets in a row that a camera may miss before it is no longer waited for.
    pub patience: u32,
    /// Time without any set after which an empty one comes out.
    pub silence: Span,
}

/// Why a synchroniser cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncSetupError {
    /// The number of cameras is not within 1 and [`MAX_CAMERAS`].
    Cameras {
        /// The number found.
        found: usize,
    },
    /// The reference is not one of the cameras.
    Reference {
        /// Cameras of the rig.
        cameras: usize,
        /// The reference found.
        found: usize,
    },
    /// This time is not positive (the tolerance: negative).
    Time {
        /// The field of [`SyncSpec`].
        field: &'static str,
        /// The value found.
        found: Span,
    },
}

/// The set that an accepted image belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Sequence number of the set.
    pub sequence: u64,
    /// Whether an earlier image of this camera in the same set gives way to it.
    pub is_replacement: bool,
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
    /// The set that it belongs to is closed.
    Late,
    /// The stamp is too far from those of the open sets, or ahead of the arrival.
    OutOfTolerance,
    /// Both open sets are older: call [`FrameSync::poll`], then push it again.
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

/// Puts images into frame sets.
///
/// # Real-time
/// Allocates nothing; [`Self::push`] and [`Self::poll`] take time in proportion to the cameras.
#[derive(Debug, Clone)]
pub struct FrameSync {
    spec: SyncSpec,
    cameras: [CameraTrack; MAX_CAMERAS],
    current: OpenSet,
    next: OpenSet,
    /// Sequence number of `current`.
    sequence: u64,
    /// Stamp of the last closed set.
    last_stamp: Option<Stamp>,
    /// `now` at the last closing or, before that, at the first poll.
    last_closing: Option<Stamp>,
}

/// What is remembered of a camera between sets.
#[derive(Debug, Clone, Copy, Default)]
struct CameraTrack {
    is_disabled: bool,
    newest: Option<Stamp>,
    content: Option<u64>,
    /// What went wrong since the last closing.
    trouble: Option<CameraState>,
    was_in_last_set: bool,
    missed: u32,
}

impl SyncSpec {
    /// Tolerance 60 ms, deadline 80 ms, patience of 3 sets, silence 500 ms.
    pub const fn new(cameras: usize, reference: usize) -> Self {
        Self {
            cameras,
            reference,
            tolerance: Span::from_milliseconds(60),
            deadline: Span::from_milliseconds(80),
            patience: 3,
            silence: Span::from_milliseconds(500),
        }
    }

    fn check(&self) -> Result<(), SyncSetupError> {
        if !(1..=MAX_CAMERAS).contains(&self.cameras) {
            return Err(SyncSetupError::Cameras { found: self.cameras });
        }
        if self.reference >= self.cameras {
            let (cameras, found) = (self.cameras, self.reference);
            return Err(SyncSetupError::Reference { cameras, found });
        }
        if self.tolerance < Span::ZERO {
            return Err(SyncSetupError::Time { field: "tolerance", found: self.tolerance });
        }
        for (field, found) in [("deadline", self.deadline), ("silence", self.silence)] {
            if found <= Span::ZERO {
                return Err(SyncSetupError::Time { field, found });
            }
        }
        Ok(())
    }
}

impl FrameSync {
    /// A synchroniser that has seen nothing yet.
    ///
    /// # Errors
    /// [`SyncSetupError`] when the specification is impossible.
    pub fn new(spec: SyncSpec) -> Result<Self, SyncSetupError> {
        spec.check()?;
        Ok(Self {
            spec,
            cameras: [CameraTrack::default(); MAX_CAMERAS],
            current: OpenSet::EMPTY,
            next: OpenSet::EMPTY,
            sequence: 0,
            last_stamp: None,
            last_closing: None,
        })
    }

    /// How sets are put together.
    pub fn spec(&self) -> &SyncSpec {
        &self.spec
    }

    /// Forgets all images and stamps, as after a seek in a log. Sequence numbers go on; disabled
    /// cameras stay so.
    pub fn reset(&mut self) {
        for camera in &mut self.cameras {
            *camera = CameraTrack { is_disabled: camera.is_disabled, ..CameraTrack::default() };
        }
        // Buffers of open sets may be partly written: their numbers are not used again.
        self.sequence += self.open_sets();
        self.current = OpenSet::EMPTY;
        self.next = OpenSet::EMPTY;
        self.last_stamp = None;
        self.last_closing = None;
    }

    /// Leaves a camera out from now on. An unknown one is ignored.
    pub fn disable(&mut self, camera: usize) {
        if let Some(track) = self.cameras.get_mut(camera) {
            track.is_disabled = true;
            self.current.remove(camera);
            self.next.remove(camera);
        }
    }

    /// Takes a camera in again. An unknown one is ignored.
    pub fn enable(&mut self, camera: usize) {
        if let Some(track) = self.cameras.get_mut(camera) {
            *track = CameraTrack::default();
        }
    }

    /// Offers an image of `camera`. `content` is a hash of its pixels; without one a frozen picture
    /// is not noticed.
    ///
    /// Returns the set whose input the image must be written to.
    ///
    /// # Errors
    /// [`SyncRefusal`] when the image is in no set. The camera's entry in the next set tells why.
    pub fn push(
        &mut self,
        camera: usize,
        stamp: Stamp,
        arrival: Stamp,
        content: Option<u64>,
    ) -> Result<Accepted, SyncRefusal> {
        if camera >= self.spec.cameras {
            return Err(SyncRefusal::UnknownCamera);
        }
        let placed = self
            .check_camera(camera, stamp, arrival, content)
            .and_then(|()| self.place(camera, ImageTimes { stamp, arrival }));
        let track = &mut self.cameras[camera];
        match placed {
            // The same image is to be pushed again: it must not look like a repetition.
            Err(SyncRefusal::Overrun) => return placed,
            Ok(_) => {}
            Err(refusal) => track.trouble = refusal.camera_state().or(track.trouble),
        }
        let is_new = track.newest.is_none_or(|newest| stamp > newest);
        if is_new && placed != Err(SyncRefusal::OutOfTolerance) {
            track.newest = Some(stamp);
            track.content = content;
            // It lives, so sets wait for it again, even if this image came too late.
            if placed != Err(SyncRefusal::Frozen) {
                track.missed = 0;
            }
        }
        placed
    }

    /// Closes a set if one is due at `now`. Call it until it gives nothing.
    pub fn poll(&mut self, now: Stamp) -> Option<FrameSetDecision> {
        let started = *self.last_closing.get_or_insert(now);
        let Some(opened) = self.current.opened() else {
            let is_silent = now.since(started) >= self.spec.silence;
            let is_later = self.last_stamp.is_none_or(|last| now > last);
            return (is_silent && is_later).then(|| self.close(now, ClosedBy::Silence));
        };
        let closed_by = if self.is_complete(&self.current) {
            ClosedBy::Completeness
        } else if now.since(opened) >= self.spec.deadline {
            ClosedBy::Deadline
        } else if self.next.is_overrun() || self.is_complete(&self.next) {
            ClosedBy::Successor
        } else {
            return None;
        };
        Some(self.close(now, closed_by))
    }

    fn check_camera(
        &self,
        camera: usize,
        stamp: Stamp,
        arrival: Stamp,
        content: Option<u64>,
    ) -> Result<(), SyncRefusal> {
        let track = &self.cameras[camera];
        if track.is_disabled {
            return Err(SyncRefusal::Disabled);
        }
        match track.newest.map(|newest| stamp.cmp(&newest)) {
            Some(std::cmp::Ordering::Equal) => return Err(SyncRefusal::Repeated),
            Some(std::cmp::Ordering::Less) => return Err(SyncRefusal::OutOfOrder),
            Some(std::cmp::Ordering::Greater) | None => {}
        }
        // A stamp from the future would make all later images look out of order.
        if stamp.since(arrival) > self.spec.tolerance {
            return Err(SyncRefusal::OutOfTolerance);
        }
        if content.is_some() && content == track.content {
            return Err(SyncRefusal::Frozen);
        }
        Ok(())
    }

    fn place(&mut self, camera: usize, image: ImageTimes) -> Result<Accepted, SyncRefusal> {
        if self.is_late(camera, image.stamp) {
            return Err(SyncRefusal::Late);
        }
        let tolerance = self.spec.tolerance;
        let is_before_next = self.next.oldest().is_none_or(|oldest| image.stamp < oldest);
        let is_in_current = is_before_next && self.current.admits(image.stamp, tolerance);
        let is_in_next = self.next.admits(image.stamp, tolerance);
        let is_newer = |set: &OpenSet| set.newest().is_some_and(|newest| image.stamp > newest);
        if is_in_current && (!self.current.holds(camera) || !self.next.is_open()) {
            let is_replacement = self.current.insert(camera, image);
            return Ok(Accepted { sequence: self.sequence, is_replacement });
        }
        if is_in_next && is_newer(&self.current) {
            let is_replacement = self.next.insert(camera, image);
            return Ok(Accepted { sequence: self.sequence + 1, is_replacement });
        }
        if self.next.is_open() && is_newer(&self.next) {
            self.next.mark_overrun();
            return Err(SyncRefusal::Overrun);
        }
        Err(SyncRefusal::OutOfTolerance)
    }

    /// Whether an image belongs to the last closed set or an earlier one.
    ///
    /// A camera that is not in the last set may owe it an image exposed a little after the output
    /// stamp: less than the tolerance, and less than half the time to the camera's own image before.
    fn is_late(&self, camera: usize, stamp: Stamp) -> bool {
        let Some(last) = self.last_stamp else { return false };
        let track = &self.cameras[camera];
        if track.was_in_last_set {
            return stamp <= last;
        }
        let half_gap = track.newest.map_or(Span::MAX, |newest| (stamp - newest) / 2);
        stamp - last <= self.spec.tolerance.min(half_gap)
    }

    fn open_sets(&self) -> u64 {
        u64::from(self.current.is_open()) + u64::from(self.next.is_open())
    }

    fn is_complete(&self, set: &OpenSet) -> bool {
        let tracks = self.cameras[..self.spec.cameras].iter().enumerate();
        let is_awaited =
            |track: &CameraTrack| !track.is_disabled && track.missed < self.spec.patience;
        set.is_open() && tracks.into_iter().all(|(camera, track)| set.holds(camera) || !is_awaited(track))
    }

    fn close(&mut self, now: Stamp, closed_by: ClosedBy) -> FrameSetDecision {
        let (stamp, stamp_source) = match self.current.image(self.spec.reference) {
            Some(image) => (image.stamp, StampSource::Reference),
            None => match self.current.lower_median() {
                Some(stamp) => (stamp, StampSource::Substitute),
                None => (now, StampSource::Clock),
            },
        };
        let tracks = self.cameras[..self.spec.cameras].iter_mut().enumerate();
        let cameras =
            tracks.map(|(camera, track)| track.close(self.current.image(camera))).collect();
        let sequence = self.sequence;
        self.sequence += 1;
        self.current = std::mem::replace(&mut self.next, OpenSet::EMPTY);
        self.current.clear_overrun();
        self.last_stamp = Some(stamp);
        self.last_closing = Some(now);
        FrameSetDecision { sequence, stamp, stamp_source, closed_by, cameras }
    }
}

impl CameraTrack {
    /// The camera's part in a set that is being closed.
    fn close(&mut self, image: Option<ImageTimes>) -> CameraInSet {
        let trouble = self.trouble.take();
        let state = match image {
            _ if self.is_disabled => CameraState::Disabled,
            Some(_) => CameraState::Ok,
            None => trouble.unwrap_or(CameraState::Missing),
        };
        self.was_in_last_set = image.is_some();
        self.missed = if image.is_some() { 0 } else { self.missed.saturating_add(1) };
        CameraInSet { state, image, last_stamp: self.newest }
    }
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

impl std::fmt::Display for SyncSetupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cameras { found } => {
                write!(f, "cameras: expected 1 to {MAX_CAMERAS}, found {found}")
            }
            Self::Reference { cameras, found } => {
                write!(f, "reference camera: expected below {cameras}, found {found}")
            }
            Self::Time { field, found } => {
                write!(f, "{field}: expected a positive time, found {found}")
            }
        }
    }
}

impl std::error::Error for SyncSetupError {}

#[cfg(test)]
mod tests;
