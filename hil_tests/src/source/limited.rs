//! The beginning of a drive.

use bevrt_calibration::Rig;
use bevrt_runtime::{EgoMotionSource, Span, Stamp};

use super::{DriveEvent, DriveSource, SourceError};

/// Where a drive is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriveLimit {
    /// After so many images of the reference camera.
    Sets(u64),
    /// So long after the first image has come.
    Span(Span),
}

/// A drive that ends where a limit says, or before by itself.
pub struct LimitedDrive<D> {
    drive: D,
    limit: DriveLimit,
    sets: u64,
    first: Option<Stamp>,
    is_over: bool,
}

impl<D: DriveSource> LimitedDrive<D> {
    /// Cuts `drive` off.
    pub fn new(drive: D, limit: DriveLimit) -> Self {
        Self {
            drive,
            limit,
            sets: 0,
            first: None,
            is_over: false,
        }
    }

    /// The drive that is cut off.
    pub fn drive(&self) -> &D {
        &self.drive
    }
}

impl<D: DriveSource> DriveSource for LimitedDrive<D> {
    fn rig(&self) -> &Rig {
        self.drive.rig()
    }

    fn ego_motion(&self) -> EgoMotionSource {
        self.drive.ego_motion()
    }

    fn next_event(&mut self) -> Result<Option<DriveEvent<'_>>, SourceError> {
        if self.is_over {
            return Ok(None);
        }
        let reference = self.drive.rig().reference();
        let Some(event) = self.drive.next_event()? else {
            return Ok(None);
        };
        if let DriveEvent::Image(image) = &event {
            let first = *self.first.get_or_insert(image.arrival);
            let is_reference = image.camera == reference;
            self.is_over = match self.limit {
                DriveLimit::Sets(sets) => is_reference && self.sets == sets,
                DriveLimit::Span(span) => image.arrival.since(first) > span,
            };
            if self.is_over {
                return Ok(None);
            }
            self.sets += u64::from(is_reference);
        }
        Ok(Some(event))
    }
}
