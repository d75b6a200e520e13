//! Long runs: does memory stay flat, do handles and threads stay the same, do ids stay sound?
//!
//! A [`SoakWatch`] is the visitor of a replay of any length. It holds a fixed number of samples and a
//! bit for each id, so that it does not grow itself. [`SoakReport`] judges what it saw.

mod ids;
mod process;
mod report;

use bevrt_runtime::{HealthReasons, OutputFrame, Stamp};

use crate::faults::Pace;
use crate::replay::{ReplayFrame, ReplayVisitor, VisitorError};

pub use ids::IdWatch;
pub use process::ProcessUse;
pub use report::{SoakReport, SoakRow};

/// Samples of a run.
const SAMPLES: u64 = 200;

/// Watches a long run.
pub struct SoakWatch {
    pace: Pace,
    /// Frames between samples.
    every: u64,
    frames: u64,
    samples: Vec<ProcessUse>,
    ids: [IdWatch; 5],
    last: Option<(u64, i64)>,
    disorder: u64,
    full: u64,
    faults: u64,
    progress: Box<dyn FnMut(u64)>,
}

impl SoakWatch {
    /// For a run of about `frames` frames; `progress` is called with the number of each.
    pub fn new(frames: u64, pace: Pace, progress: impl FnMut(u64) + 'static) -> Self {
        let kinds = ["objects", "lanes", "arrows", "crosswalks", "stop lines"];
        Self {
            pace,
            every: frames.div_ceil(SAMPLES).max(1),
            frames: 0,
            samples: Vec::with_capacity(2 * SAMPLES as usize),
            ids: kinds.map(|kind| IdWatch::new(kind, frames / 2)),
            last: None,
            disorder: 0,
            full: 0,
            faults: 0,
            progress: Box::new(progress),
        }
    }

    /// What was seen.
    pub fn report(self, name: impl Into<String>) -> SoakReport {
        SoakReport::new(name.into(), self)
    }

    fn look_at(&mut self, frame: &OutputFrame) {
        let reasons = frame.health.reasons();
        self.full += u64::from(reasons.contains(HealthReasons::FRAME_FULL));
        self.faults += u64::from(reasons.intersects(HealthReasons::FAULTS));
        let now = (frame.sequence, frame.stamp_ns);
        if let Some((sequence, stamp_ns)) = self.last.replace(now) {
            let is_next = now.0 == sequence + 1 && now.1 > stamp_ns;
            self.disorder += u64::from(!is_next);
        }
        let stamp = Stamp::from_nanoseconds(frame.stamp_ns);
        let [objects, lanes, arrows, crosswalks, stop_lines] = &mut self.ids;
        objects.look_at(stamp, frame.objects().iter().map(|object| object.id));
        lanes.look_at(stamp, frame.lanes().iter().map(|lane| lane.id));
        arrows.look_at(stamp, frame.arrows().iter().map(|arrow| arrow.id));
        crosswalks.look_at(stamp, frame.crosswalks().iter().map(|c| c.id));
        stop_lines.look_at(stamp, frame.stop_lines().iter().map(|line| line.id));
    }
}

impl ReplayVisitor for SoakWatch {
    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError> {
        self.look_at(frame.frame);
        self.frames += 1;
        if self.frames.is_multiple_of(self.every) && self.samples.len() < self.samples.capacity() {
            self.samples.push(ProcessUse::now()?);
        }
        (self.progress)(self.frames);
        Ok(())
    }
}
