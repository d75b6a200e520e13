//! Writes the log, scores and keeps what the page needs while the drive goes on.

use crate::failure::Failure;
use crate::player::{FrameKeeper, RecordedFrame, stage_times};
use crate::replay::stage_record;
use bevrt_calibration::Rig;
use bevrt_hil::eval::ReplayScorer;
use bevrt_hil::logs::LogWriter;
use bevrt_hil::replay::{ReplayFrame, ReplayVisitor, VisitorError};
use bevrt_hil::source::{DriveEvent, record_event};
use bevrt_runtime::Stamp;
use indicatif::ProgressBar;
use std::fs::File;
use std::io::BufWriter;

/// What is left when the drive is over.
pub struct Recording {
    /// All frames.
    pub frames: Vec<RecordedFrame>,
    /// Verdicts on the scored frames.
    pub scorer: ReplayScorer,
}

/// The visitor of the demo's replay.
pub struct Recorder {
    rig: Rig,
    writer: LogWriter<BufWriter<File>>,
    scorer: ReplayScorer,
    bar: ProgressBar,
    keeper: FrameKeeper,
}

impl Recorder {
    /// Writes the log to `writer` and scores with `scorer`.
    pub fn new(
        rig: Rig,
        writer: LogWriter<BufWriter<File>>,
        scorer: ReplayScorer,
        bar: ProgressBar,
    ) -> Self {
        Self {
            keeper: FrameKeeper::new(rig.cameras().to_vec()),
            rig,
            writer,
            scorer,
            bar,
        }
    }

    /// Closes the log.
    pub fn finish(self) -> Result<Recording, Failure> {
        self.bar.finish_and_clear();
        self.writer.finish()?;
        Ok(Recording {
            frames: self.keeper.into_frames(),
            scorer: self.scorer,
        })
    }
}

impl ReplayVisitor for Recorder {
    fn event(&mut self, event: &DriveEvent<'_>) -> Result<(), VisitorError> {
        record_event(&mut self.writer, &self.rig, event)?;
        if let DriveEvent::Image(image) = event {
            self.keeper.picture(image)?;
        }
        Ok(())
    }

    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError> {
        self.bar.inc(1);
        self.scorer.frame(&frame);
        self.writer.write_frame(frame.frame)?;
        self.writer.write_statistics(
            Stamp::from_nanoseconds(frame.frame.now_ns),
            &stage_record(frame.pipeline),
        )?;
        let times = stage_times(frame.pipeline);
        self.keeper.frame(frame.frame, frame.truth, times);
        Ok(())
    }
}
