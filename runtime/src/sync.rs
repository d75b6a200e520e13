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

use crate::frame::{CameraState, MAX_CAMERAS};
use crate::time::{Span, Stamp};

mod decision;
mod open_set;
mod spec;

pub use decision::{
    Accepted, CameraInSet, ClosedBy, FrameSetDecision, ImageContent, ImageTimes, StampSource,
    SyncRefusal,
};
use open_set::OpenSet;
pub use spec::{SyncSetupError, SyncSpec};

/// No image is under way for longer.
const CLOCKS_APART: Span = Span::from_milliseconds(2000);

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
    /// Whether that stamp is `now`, for want of any image.
    is_last_by_clock: bool,
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
            is_last_by_clock: false,
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
            *camera = CameraTrack {
                is_disabled: camera.is_disabled,
                ..CameraTrack::default()
            };
        }
        // Buffers of open sets may be partly written: their numbers are not used again.
        self.sequence += self.open_sets();
        self.current = OpenSet::EMPTY;
        self.next = OpenSet::EMPTY;
        self.last_stamp = None;
        self.is_last_by_clock = false;
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

    /// Offers an image of `camera`.
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
        content: ImageContent,
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
            track.content = match content {
                ImageContent::Fingerprint(hash) => Some(hash),
                ImageContent::Unchecked | ImageContent::Blind => None,
            };
            // It lives, so sets wait for it again, even if this image came too late.
            if !matches!(placed, Err(SyncRefusal::Frozen | SyncRefusal::Blind)) {
                track.missed = 0;
            }
        }
        placed
    }

    /// Closes a set if one is due at `now`. Call it until it gives nothing.
    pub fn poll(&mut self, now: Stamp) -> Option<FrameSetDecision> {
        self.last_closing.get_or_insert(now);
        let closed_by = self.due(now)?;
        Some(self.close(now, closed_by))
    }

    /// Whether [`Self::poll`] would close a set at `now`.
    pub fn is_due(&self, now: Stamp) -> bool {
        self.due(now).is_some()
    }

    fn due(&self, now: Stamp) -> Option<ClosedBy> {
        let started = self.last_closing.unwrap_or(now);
        let Some(opened) = self.current.opened() else {
            let is_silent = now.since(started) >= self.spec.silence;
            let is_later = self.last_stamp.is_none_or(|last| now > last);
            return (is_silent && is_later).then_some(ClosedBy::Silence);
        };
        if self.is_complete(&self.current) {
            Some(ClosedBy::Completeness)
        } else if now.since(opened) >= self.spec.deadline {
            Some(ClosedBy::Deadline)
        } else if self.next.is_overrun() || self.is_complete(&self.next) {
            Some(ClosedBy::Successor)
        } else {
            None
        }
    }

    fn check_camera(
        &self,
        camera: usize,
        stamp: Stamp,
        arrival: Stamp,
        content: ImageContent,
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
        match content {
            ImageContent::Blind => Err(SyncRefusal::Blind),
            ImageContent::Fingerprint(hash) if track.content == Some(hash) => {
                Err(SyncRefusal::Frozen)
            }
            ImageContent::Fingerprint(_) | ImageContent::Unchecked => Ok(()),
        }
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
            return Ok(Accepted {
                sequence: self.sequence,
                is_replacement,
            });
        }
        if is_in_next && is_newer(&self.current) {
            let is_replacement = self.next.insert(camera, image);
            return Ok(Accepted {
                sequence: self.sequence + 1,
                is_replacement,
            });
        }
        if self.next.is_open() && is_newer(&self.next) {
            self.next.mark_overrun();
            return Err(SyncRefusal::Overrun);
        }
        Err(SyncRefusal::OutOfTolerance)
    }

    /// Whether the caller's clock has run away from that of the cameras: the last set was an empty
    /// one with the stamp `now`, and `stamp` lies so far before it that no delay explains it. All
    /// images would be late until the cameras' clock is there.
    pub fn is_clock_ahead_of(&self, stamp: Stamp) -> bool {
        self.is_last_by_clock
            && self
                .last_stamp
                .is_some_and(|last| last - stamp > CLOCKS_APART)
    }

    /// Whether an image belongs to the last closed set or an earlier one.
    ///
    /// A camera that is not in the last set may owe it an image exposed a little after the output
    /// stamp: less than the tolerance, and less than half the time to the camera's own image before.
    fn is_late(&self, camera: usize, stamp: Stamp) -> bool {
        let Some(last) = self.last_stamp else {
            return false;
        };
        let track = &self.cameras[camera];
        if track.was_in_last_set {
            return stamp <= last;
        }
        let half_gap = track
            .newest
            .map_or(Span::MAX, |newest| (stamp - newest) / 2);
        stamp - last <= self.spec.tolerance.min(half_gap)
    }

    fn open_sets(&self) -> u64 {
        u64::from(self.current.is_open()) + u64::from(self.next.is_open())
    }

    fn is_complete(&self, set: &OpenSet) -> bool {
        let tracks = self.cameras[..self.spec.cameras].iter().enumerate();
        let is_awaited =
            |track: &CameraTrack| !track.is_disabled && track.missed < self.spec.patience;
        set.is_open()
            && tracks
                .into_iter()
                .all(|(camera, track)| set.holds(camera) || !is_awaited(track))
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
        let cameras = tracks
            .map(|(camera, track)| track.close(self.current.image(camera)))
            .collect();
        let sequence = self.sequence;
        self.sequence += 1;
        self.current = std::mem::replace(&mut self.next, OpenSet::EMPTY);
        self.current.clear_overrun();
        self.last_stamp = Some(stamp);
        self.is_last_by_clock = stamp_source == StampSource::Clock;
        self.last_closing = Some(now);
        FrameSetDecision {
            sequence,
            stamp,
            stamp_source,
            closed_by,
            cameras,
        }
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
        self.missed = if image.is_some() {
            0
        } else {
            self.missed.saturating_add(1)
        };
        CameraInSet {
            state,
            image,
            last_stamp: self.newest,
        }
    }
}

#[cfg(test)]
mod tests;
