//! Drives that are kept in memory, so that many faults strike the very same one.

use bevrt_calibration::Rig;
use bevrt_runtime::{EgoMotionSource, Stamp};

use crate::source::{DriveEvent, DriveSource, OwnedEvent, SourceError};

/// A drive in memory.
pub struct MemoryDrive {
    rig: Rig,
    ego_motion: EgoMotionSource,
    events: Vec<OwnedEvent>,
}

impl MemoryDrive {
    /// Reads a drive to its end.
    ///
    /// # Errors
    /// The drive cannot be read.
    pub fn of(source: &mut dyn DriveSource) -> Result<Self, SourceError> {
        let (rig, ego_motion) = (source.rig().clone(), source.ego_motion());
        let mut events = Vec::new();
        while let Some(event) = source.next_event()? {
            events.push(OwnedEvent::of(&event));
        }
        Ok(Self {
            rig,
            ego_motion,
            events,
        })
    }

    /// The cameras.
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    /// What kind of ego motion it has.
    pub fn ego_motion(&self) -> EgoMotionSource {
        self.ego_motion
    }

    /// The drive from its beginning to the last event that comes before `end`.
    pub fn play_until(&self, end: Stamp) -> Playback<'_> {
        Playback {
            drive: self,
            next: 0,
            end,
        }
    }
}

/// A drive in memory, event by event.
pub struct Playback<'a> {
    drive: &'a MemoryDrive,
    next: usize,
    end: Stamp,
}

impl DriveSource for Playback<'_> {
    fn rig(&self) -> &Rig {
        &self.drive.rig
    }

    fn ego_motion(&self) -> EgoMotionSource {
        self.drive.ego_motion
    }

    fn next_event(&mut self) -> Result<Option<DriveEvent<'_>>, SourceError> {
        let event = self.drive.events.get(self.next);
        let Some(event) = event.filter(|event| event.arrival() < self.end) else {
            return Ok(None);
        };
        self.next += 1;
        event.view(&self.drive.rig).map(Some)
    }
}
