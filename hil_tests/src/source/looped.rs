//! A drive again and again, with stamps carried on.

use bevrt_calibration::Rig;
use bevrt_runtime::{EgoMotionSource, Span, Stamp};

use super::owned_event::OwnedEvent;
use super::{DriveEvent, DriveSource, SourceError};

/// From the last event of a round to the first of the next.
const SEAM: Span = Span::from_milliseconds(100);

/// Gives a drive several times over. Each round is opened anew, so memory is that of one.
///
/// At the seam the vehicle is set back to where the drive began: what was seen before is not used
/// after it, and the runtime says so as at any jump.
pub struct LoopedDrive<D, O> {
    drive: D,
    open: O,
    rounds_left: u64,
    /// Added to all times of this round.
    offset: Span,
    /// First and last arrival of the drive as it is.
    span: Option<(Stamp, Stamp)>,
    current: Option<OwnedEvent>,
}

impl<D: DriveSource, O: FnMut() -> Result<D, SourceError>> LoopedDrive<D, O> {
    /// Opens the drive for the first of `rounds` rounds, at least one.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn new(rounds: u64, mut open: O) -> Result<Self, SourceError> {
        Ok(Self {
            drive: open()?,
            open,
            rounds_left: rounds.saturating_sub(1),
            offset: Span::ZERO,
            span: None,
            current: None,
        })
    }

    /// The drive of this round.
    pub fn round(&self) -> &D {
        &self.drive
    }

    fn read(&mut self) -> Result<Option<OwnedEvent>, SourceError> {
        loop {
            if let Some(event) = self.drive.next_event()? {
                return Ok(Some(OwnedEvent::of(&event)));
            }
            let Some((first, last)) = self.span.filter(|_| self.rounds_left > 0) else {
                return Ok(None);
            };
            self.rounds_left -= 1;
            self.offset = self.offset + (last - first) + SEAM;
            self.drive = (self.open)()?;
        }
    }
}

impl<D: DriveSource, O: FnMut() -> Result<D, SourceError>> DriveSource for LoopedDrive<D, O> {
    fn rig(&self) -> &Rig {
        self.drive.rig()
    }

    fn ego_motion(&self) -> EgoMotionSource {
        self.drive.ego_motion()
    }

    fn next_event(&mut self) -> Result<Option<DriveEvent<'_>>, SourceError> {
        let Some(mut event) = self.read()? else {
            return Ok(None);
        };
        if event.has_arrival() {
            let arrival = event.arrival();
            let (first, last) = self.span.unwrap_or((arrival, arrival));
            self.span = Some((first.min(arrival), last.max(arrival)));
        }
        event.shift(self.offset);
        self.current.insert(event).view(self.drive.rig()).map(Some)
    }
}
