//! A pipeline with its frame: the safe side of the ABI, without pointers.

use bevrt_calibration::{Ego, Odom, Pose, Rig};
use bevrt_runtime::{
    BesideThread, FrameError, ImageView, OutputFrame, Pipeline, Stage, Stamp, StepBegin,
    StepOutcome,
};

use crate::info::{CameraInfo, PipelineInfo, StageStatistics};
use crate::settings::out_of_range;
use crate::status::{Failure, Status};

/// A pipeline and the last frame that it made.
pub struct Instance {
    pipeline: Pipeline,
    frame: Box<OutputFrame>,
    /// Whether the caller reads `frame` in place.
    is_borrowed: bool,
    /// Whether a worker drives the pipeline.
    has_worker: bool,
    /// A step that had to be finished before its worker asked for it: its frame, or why there is none.
    settled: Option<Result<(), FrameError>>,
}

/// What beginning a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// The network runs on a set.
    Begun,
    /// The frame may be taken at once.
    Ready,
    /// Nothing is due.
    Waiting,
    /// Something is due, but the frame of the step before must be taken first.
    FinishFirst,
}

impl Instance {
    /// Takes a pipeline.
    pub fn new(pipeline: Pipeline) -> Self {
        Self {
            pipeline,
            frame: OutputFrame::boxed(),
            is_borrowed: false,
            has_worker: false,
            settled: None,
        }
    }

    /// The instance for a caller who pushes and steps by hand.
    ///
    /// # Errors
    /// [`Status::WorkerAttached`].
    pub fn driven_by_hand(&mut self) -> Result<&mut Self, Failure> {
        if self.has_worker {
            return Err(Status::WorkerAttached.into());
        }
        Ok(self)
    }

    /// Hands the pipeline to a worker, with a thread for its network or without.
    ///
    /// # Errors
    /// [`Status::WorkerAttached`], [`Status::FrameBorrowed`], [`Status::Unsupported`].
    pub fn attach_worker(&mut self, network: Option<BesideThread>) -> Result<(), Failure> {
        self.may_be_destroyed()?;
        self.pipeline.overlap(network)?;
        self.has_worker = true;
        Ok(())
    }

    /// Takes the pipeline back from its worker.
    pub fn detach_worker(&mut self) {
        self.settle();
        self.settled = None;
        // Only starting a thread can fail.
        let _ = self.pipeline.overlap(None);
        self.has_worker = false;
    }

    /// Refuses while something still needs the pipeline.
    ///
    /// # Errors
    /// [`Status::WorkerAttached`], [`Status::FrameBorrowed`].
    pub fn may_be_destroyed(&self) -> Result<(), Failure> {
        match (self.has_worker, self.is_borrowed) {
            (true, _) => Err(Status::WorkerAttached.into()),
            (false, true) => Err(Status::FrameBorrowed.into()),
            (false, false) => Ok(()),
        }
    }

    /// See [`Pipeline::push_image`].
    ///
    /// # Errors
    /// The statuses of images.
    pub fn push_image(
        &mut self,
        camera: usize,
        image: &ImageView<'_>,
        stamp: Stamp,
        arrival: Stamp,
    ) -> Result<(), Failure> {
        let pushed = self.pipeline.push_image(camera, image, stamp, arrival);
        let pushed = match pushed {
            Err(FrameError::StepRunning) => {
                self.settle();
                self.pipeline.push_image(camera, image, stamp, arrival)
            }
            pushed => pushed,
        };
        pushed.map_err(|error| Status::from(error).into())
    }

    /// See [`Pipeline::push_pose`].
    ///
    /// # Errors
    /// The statuses of motion.
    pub fn push_pose(
        &mut self,
        stamp: Stamp,
        odom_from_ego: &Pose<Odom, Ego>,
    ) -> Result<(), Failure> {
        match self.pipeline.push_pose(stamp, odom_from_ego) {
            Ok(_update) => Ok(()),
            Err(fault) => Err(Status::from(fault).into()),
        }
    }

    /// See [`Pipeline::push_rates`].
    ///
    /// # Errors
    /// The statuses of motion.
    pub fn push_rates(
        &mut self,
        stamp: Stamp,
        speed_mps: f64,
        yaw_rate_radps: f64,
    ) -> Result<(), Failure> {
        match self.pipeline.push_rates(stamp, speed_mps, yaw_rate_radps) {
            Ok(_update) => Ok(()),
            Err(fault) => Err(Status::from(fault).into()),
        }
    }

    /// Makes the next frame, if one is due, and gives it to read.
    ///
    /// # Errors
    /// [`Status::Waiting`], [`Status::FrameBorrowed`], [`Status::Engine`].
    pub fn step(&mut self, now: Stamp) -> Result<&OutputFrame, Failure> {
        if self.is_borrowed {
            return Err(Status::FrameBorrowed.into());
        }
        match self.pipeline.step(now, &mut self.frame) {
            Ok(StepOutcome::Frame) => Ok(&self.frame),
            Ok(StepOutcome::Waiting) => Err(Status::Waiting.into()),
            Err(error) => Err(Failure::new(Status::from(error), error.to_string())),
        }
    }

    /// Closes the set that is due, if one is, and starts the network on it; for a worker.
    ///
    /// # Errors
    /// [`Status::Engine`].
    pub fn begin_step(&mut self, now: Stamp) -> Result<Begin, Failure> {
        if self.settled.is_some() {
            return Ok(Begin::FinishFirst);
        }
        match self.pipeline.begin_step(now) {
            Ok(StepBegin::Begun) => Ok(Begin::Begun),
            Ok(StepBegin::Ready) => Ok(Begin::Ready),
            Ok(StepBegin::Waiting) => Ok(Begin::Waiting),
            Err(FrameError::StepRunning) => Ok(Begin::FinishFirst),
            Err(error) => Err(Failure::new(Status::from(error), error.to_string())),
        }
    }

    /// The frame of the step that was begun; waits for its network.
    ///
    /// # Errors
    /// [`Status::Waiting`] without such a step, [`Status::Engine`].
    pub fn finish_step(&mut self) -> Result<&OutputFrame, Failure> {
        let finished = match self.settled.take() {
            Some(settled) => settled,
            None => self.pipeline.finish_step(&mut self.frame),
        };
        match finished {
            Ok(()) => Ok(&self.frame),
            Err(error) => Err(Failure::new(Status::from(error), error.to_string())),
        }
    }

    /// Finishes a step that runs, for what cannot go on without; its worker takes the frame later.
    fn settle(&mut self) {
        if self.pipeline.is_step_running() {
            self.settled = Some(self.pipeline.finish_step(&mut self.frame));
        }
    }

    /// As [`Instance::step`]; the frame stays as it is until it is returned.
    ///
    /// # Errors
    /// As [`Instance::step`].
    pub fn step_and_lend(&mut self, now: Stamp) -> Result<*const OutputFrame, Failure> {
        self.step(now)?;
        self.is_borrowed = true;
        Ok(std::ptr::from_ref(self.frame.as_ref()))
    }

    /// Takes a lent frame back.
    ///
    /// # Errors
    /// [`Status::NotBorrowed`] where this frame is none that is lent.
    pub fn take_back(&mut self, frame: *const OutputFrame) -> Result<(), Failure> {
        if !self.is_borrowed || !std::ptr::eq(frame, self.frame.as_ref()) {
            return Err(Status::NotBorrowed.into());
        }
        self.is_borrowed = false;
        Ok(())
    }

    /// The last frame that was made; empty before the first.
    pub fn last_frame(&self) -> &OutputFrame {
        &self.frame
    }

    /// See [`Pipeline::set_calibration`].
    ///
    /// # Errors
    /// [`Status::Calibration`], [`Status::Option`].
    pub fn set_calibration(&mut self, rig: Rig) -> Result<(), Failure> {
        self.settle();
        Ok(self.pipeline.set_calibration(rig)?)
    }

    /// Takes a camera in or leaves it out, from the next frame on.
    ///
    /// # Errors
    /// [`Status::UnknownCamera`].
    pub fn set_camera_enabled(&mut self, camera: usize, is_enabled: bool) -> Result<(), Failure> {
        self.check_camera(camera)?;
        if is_enabled {
            self.pipeline.enable_camera(camera);
        } else {
            self.pipeline.disable_camera(camera);
        }
        Ok(())
    }

    /// See [`Pipeline::reset`].
    pub fn reset(&mut self) {
        self.settle();
        self.pipeline.reset();
    }

    /// Forgets the measured times.
    pub fn reset_statistics(&mut self) {
        self.pipeline.reset_stats();
    }

    /// Measured times of a stage.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] for a stage that there is not.
    pub fn statistics(&self, stage: i32) -> Result<StageStatistics, Failure> {
        let known = usize::try_from(stage)
            .ok()
            .and_then(|index| Stage::ALL.get(index));
        match known {
            Some(&stage) => Ok(StageStatistics::new(self.pipeline.stats(), stage)),
            None => Err(out_of_range("stage", "a BEVRT_STAGE number", stage)),
        }
    }

    /// What the pipeline is made of.
    pub fn info(&self) -> PipelineInfo {
        PipelineInfo::new(&self.pipeline)
    }

    /// A camera of the rig.
    ///
    /// # Errors
    /// [`Status::UnknownCamera`].
    pub fn camera_info(&self, camera: usize) -> Result<CameraInfo, Failure> {
        self.check_camera(camera)?;
        Ok(CameraInfo::new(
            camera,
            &self.pipeline.rig().cameras()[camera],
        ))
    }

    fn check_camera(&self, camera: usize) -> Result<(), Failure> {
        let count = self.pipeline.rig().cameras().len();
        if camera < count {
            return Ok(());
        }
        Err(Failure::new(
            Status::UnknownCamera,
            format!("camera: expected an index below {count}, found {camera}"),
        ))
    }
}
