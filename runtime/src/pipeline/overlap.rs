//! Steps in two halves, so that images of the next set are preprocessed while the network runs.

use super::step::{self, Run};
use super::{FrameError, Pipeline, SetupError};
use crate::engine::BesideThread;
use crate::frame::OutputFrame;
use crate::time::Stamp;

/// What beginning a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepBegin {
    /// The network runs on a set beside the caller, and will wake it; [`Pipeline::finish_step`] gives
    /// the frame.
    Begun,
    /// There is nothing to wait for: [`Pipeline::finish_step`] gives the frame at once. The set has no
    /// image, or the network has run already.
    Ready,
    /// No set of images is due yet.
    Waiting,
}

impl Pipeline {
    /// Gives the network a thread of its own, on which it runs between [`Pipeline::begin_step`] and
    /// [`Pipeline::finish_step`]. Without it, or with an engine that cannot, beginning a step takes as
    /// long as the network.
    ///
    /// [`Pipeline::step`] goes on running it on the calling thread. Calling this again replaces the
    /// thread; `None` ends it.
    ///
    /// # Errors
    /// The thread cannot be had as asked for, or a step was begun and not finished.
    pub fn overlap(&mut self, thread: Option<BesideThread>) -> Result<(), SetupError> {
        if self.running.is_some() {
            return Err(SetupError::StepRunning);
        }
        Ok(self.engine.run_beside(thread)?)
    }

    /// Closes a frame set if one is due at `now` and starts the network on it.
    ///
    /// Until [`Pipeline::finish_step`], images and ego motion may be pushed: they belong to later
    /// sets, and the frame is the one that [`Pipeline::step`] would have given, byte by byte. An image
    /// whose place is still being read waits for the network.
    ///
    /// # Errors
    /// [`FrameError::StepRunning`] when a set is due, or time was set back, while a step runs: finish
    /// it and call again. Nothing has changed then. Or the engine lacks a tensor that the manifest
    /// promises.
    pub fn begin_step(&mut self, now: Stamp) -> Result<StepBegin, FrameError> {
        if self.running.is_some() {
            let is_set_back = self.last_now.is_some_and(|last| now < last);
            if is_set_back || self.sync.is_due(now) {
                return Err(FrameError::StepRunning);
            }
        }
        match step::begin(self, now, Run::Beside)? {
            Some(step) => {
                let is_running = step.is_network_running();
                self.running = Some(step);
                Ok(if is_running {
                    StepBegin::Begun
                } else {
                    StepBegin::Ready
                })
            }
            None => Ok(StepBegin::Waiting),
        }
    }

    /// Waits for the network of the step that was begun, and writes the frame.
    ///
    /// # Errors
    /// [`FrameError::NoStepRunning`], or as [`Pipeline::step`].
    pub fn finish_step(&mut self, out: &mut OutputFrame) -> Result<(), FrameError> {
        let step = self.running.take().ok_or(FrameError::NoStepRunning)?;
        step.finish(self, out)
    }

    /// Whether a step was begun and not finished.
    pub fn is_step_running(&self) -> bool {
        self.running.is_some()
    }

    pub(super) fn abandon_step(&mut self) {
        if self
            .running
            .take()
            .is_some_and(|step| step.is_network_running())
        {
            // Nobody is left whom a failure of this run concerns.
            let _ = self.engine.finish();
        }
    }
}
