//! The pipeline: images and ego motion in, output frames out.

mod content;
mod error;
mod history;
mod images;
mod lenses;
mod options;
mod overlap;
mod publish;
mod raw;
mod setup;
mod step;
mod tables;

use bevrt_calibration::{Ego, Odom, Pose, Rig};

use crate::ego_motion::{EgoMotion, EgoMotionFault, EgoMotionUpdate};
use crate::engine::{Engine, ImageSet};
use crate::frame::{HealthReasons, OutputFrame};
use crate::heads::{Detections, HeadDecoder};
use crate::health::HealthMonitor;
use crate::image::ImageView;
use crate::manifest::Manifest;
use crate::preprocess::PreprocessError;
use crate::stats::{PipelineStats, Stopwatch};
use crate::sync::{FrameSync, ImageContent};
use crate::time::{Span, Stamp};
use crate::tracking::Tracker;

pub use error::{FrameError, SetupError};
pub use options::{FrozenCheck, GoldenCheck, PipelineOptions, StampCorrection};
pub use overlap::StepBegin;
pub use raw::{RawTensor, RawValues};

use history::History;
use images::ImageInputs;
use step::{Run, Step};
use tables::LiftTables;

/// An arrival this much before the last `now` means that time was set back, as by a seek in a log.
const SET_BACK: Span = Span::from_milliseconds(500);

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// A frame was written. There may be another one: step again.
    Frame,
    /// No set of images is due yet; the frame is untouched.
    Waiting,
}

/// From images and ego motion to output frames.
///
/// Push what comes as it comes, then call [`Pipeline::step`] with the clock until it waits. Frames
/// follow from the pushed data and the passed-in clock alone: the same calls give the same bytes.
///
/// # Real-time
/// After set-up no stage allocates but the engine's own run. Nothing waits, and no clock is read
/// but to measure times for [`Pipeline::stats`].
pub struct Pipeline {
    manifest: Manifest,
    rig: Rig,
    options: PipelineOptions,
    engine: Box<dyn Engine>,
    images: ImageInputs,
    sync: FrameSync,
    ego_motion: EgoMotion,
    tables: LiftTables,
    history: History,
    decoders: Vec<HeadDecoder>,
    detections: Box<Detections>,
    tracker: Box<Tracker>,
    health: HealthMonitor,
    stats: PipelineStats,
    /// Preprocessing times of the two sets that may be open.
    image_times: [ImageTimes; 2],
    last_set: ImageSet,
    sequence: u64,
    last_now: Option<Stamp>,
    /// Epoch of the ego motion at the last frame.
    epoch: Option<u32>,
    /// Reasons for the next frame.
    pending: HealthReasons,
    /// The step that was begun and not finished.
    running: Option<Step>,
}

/// What preprocessing of a set has taken so far, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
struct ImageTimes {
    all: u64,
    last: u64,
}

impl Pipeline {
    /// Opens the model package, loads its network, checks everything and runs the golden cases.
    ///
    /// # Errors
    /// [`SetupError`], which names file, field, what was expected and what was found.
    pub fn new(options: PipelineOptions) -> Result<Self, SetupError> {
        setup::from_package(options)
    }

    /// A pipeline around an engine of one's own, which must offer what `manifest` demands.
    ///
    /// The options' package, engine, precision and golden check are not used.
    ///
    /// # Errors
    /// As [`Pipeline::new`].
    pub fn with_engine(
        manifest: Manifest,
        engine: Box<dyn Engine>,
        options: PipelineOptions,
    ) -> Result<Self, SetupError> {
        setup::assemble(manifest, engine, options)
    }

    /// Takes an image of `camera`, exposed at `stamp` (the middle of it), here since `arrival`.
    ///
    /// It is preprocessed at once, straight into the network's input; the caller may have its memory
    /// back when this returns.
    ///
    /// # Errors
    /// The size or format is wrong, or the image is in no set: repeated, out of order, frozen, blind,
    /// late, too far from the others, of a disabled camera. Or the clock was set, back or far ahead,
    /// while a step runs: [`FrameError::StepRunning`], nothing was taken.
    pub fn push_image(
        &mut self,
        camera: usize,
        image: &ImageView<'_>,
        stamp: Stamp,
        arrival: Stamp,
    ) -> Result<(), FrameError> {
        if self.last_now.is_some_and(|last| arrival + SET_BACK < last) {
            self.refuse_while_running()?;
            self.restart_after_set_back();
        }
        let mut watch = Stopwatch::start();
        self.images.check(camera, image).map_err(image_error)?;
        let content = match self.options.frozen_check {
            FrozenCheck::On => content::content(image),
            FrozenCheck::Off => ImageContent::Unchecked,
        };
        if self.sync.is_clock_ahead_of(stamp) {
            self.refuse_while_running()?;
            self.restart_after_set_back();
        }
        let accepted = self
            .sync
            .push(camera, stamp, arrival, content)
            .map_err(FrameError::Refused)?;
        let set = image_set(accepted.sequence);
        let input = self.engine.images_mut(set);
        self.images
            .preprocess_into(camera, image, input)
            .map_err(image_error)?;
        let times = &mut self.image_times[set.index()];
        times.last = watch.lap();
        times.all += times.last;
        Ok(())
    }

    /// Takes a pose of the vehicle in an odometry frame, true at `stamp`.
    ///
    /// # Errors
    /// [`EgoMotionFault`] when the pose is refused; what is known stays as it was.
    pub fn push_pose(
        &mut self,
        stamp: Stamp,
        odom_from_ego: &Pose<Odom, Ego>,
    ) -> Result<EgoMotionUpdate, EgoMotionFault> {
        self.ego_motion.push_pose(stamp, odom_from_ego)
    }

    /// Takes speed (m/s, backwards negative) and yaw rate (rad/s, to the left positive), true at
    /// `stamp`, as a CAN bus carries them.
    ///
    /// # Errors
    /// [`EgoMotionFault`] when the values are refused; what is known stays as it was.
    pub fn push_rates(
        &mut self,
        stamp: Stamp,
        speed_mps: f64,
        yaw_rate_radps: f64,
    ) -> Result<EgoMotionUpdate, EgoMotionFault> {
        self.ego_motion.push_rates(stamp, speed_mps, yaw_rate_radps)
    }

    /// Closes a frame set if one is due at `now` and writes its frame.
    ///
    /// A set without any image gives a frame, too: a fault that says so. A failure of the engine or
    /// numbers that are not finite give a fault, and neither queue nor tracks take any harm.
    ///
    /// # Errors
    /// The engine lacks a tensor that the manifest promises; `out` is undefined then. Or a step was
    /// begun and not finished.
    pub fn step(&mut self, now: Stamp, out: &mut OutputFrame) -> Result<StepOutcome, FrameError> {
        self.refuse_while_running()?;
        match step::begin(self, now, Run::Here)? {
            Some(step) => step.finish(self, out).map(|()| StepOutcome::Frame),
            None => Ok(StepOutcome::Waiting),
        }
    }

    /// Takes a new calibration of the same cameras, in force from the next frame on.
    ///
    /// History stays: it is in the ego frame. Not for the frame path: it allocates.
    ///
    /// # Errors
    /// The rig has another number of cameras, another reference, or impossible image sizes. Or a step
    /// was begun and not finished.
    pub fn set_calibration(&mut self, rig: Rig) -> Result<(), SetupError> {
        if self.running.is_some() {
            return Err(SetupError::StepRunning);
        }
        setup::recalibrate(self, rig)
    }

    /// Leaves a camera out from the next frame on: its projections go, and no set waits for it.
    pub fn disable_camera(&mut self, camera: usize) {
        self.sync.disable(camera);
    }

    /// Takes a camera in again.
    pub fn enable_camera(&mut self, camera: usize) {
        self.sync.enable(camera);
    }

    /// Forgets images, motion, history, tracks and counts, as before a seek in a log. Disabled
    /// cameras and measured times stay. A step that was begun is waited for and forgotten, too.
    pub fn reset(&mut self) {
        self.abandon_step();
        self.forget();
        self.health.reset();
        self.pending = HealthReasons::NONE;
        self.sequence = 0;
    }

    /// Measured times by stage.
    pub fn stats(&self) -> &PipelineStats {
        &self.stats
    }

    /// Forgets the measured times, so that a measurement can leave out what came before.
    pub fn reset_stats(&mut self) {
        self.stats.reset();
    }

    /// What the heads found in the last frame, before tracking: no coasting, no smoothing.
    pub fn raw_detections(&self) -> &Detections {
        &self.detections
    }

    /// Runs the network once more on the inputs of the last frame, so that a benchmark can time the
    /// bare run beside whole steps: the same session, threads and memory.
    ///
    /// Nothing that the pipeline knows changes; images of the next set may already be here.
    ///
    /// # Errors
    /// The provider failed; [`Pipeline::raw_outputs`] is undefined until the next frame then. Or a
    /// step was begun and not finished.
    pub fn run_network_again(&mut self) -> Result<(), FrameError> {
        self.refuse_while_running()?;
        self.engine.run(self.last_set).map_err(FrameError::Engine)
    }

    /// Shows the network's inputs of the last frame, as long as no image has been pushed since.
    ///
    /// Not for the frame path: it allocates.
    ///
    /// # Errors
    /// The engine lacks an input that the manifest promises.
    pub fn raw_inputs(&mut self, visit: impl FnMut(RawTensor<'_>)) -> Result<(), FrameError> {
        raw::inputs(self.engine.as_mut(), self.last_set, visit)
    }

    /// Shows the network's outputs of the last frame.
    ///
    /// # Errors
    /// The engine lacks an output that the manifest promises.
    pub fn raw_outputs(&mut self, visit: impl FnMut(RawTensor<'_>)) -> Result<(), FrameError> {
        raw::outputs(self.engine.as_mut(), visit)
    }

    /// The model's manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The calibration in force.
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    /// The engine, for what it says about itself.
    pub fn engine(&self) -> &dyn Engine {
        self.engine.as_ref()
    }

    fn forget(&mut self) {
        self.sync.reset();
        self.ego_motion.reset();
        self.history.reset();
        self.tracker.reset();
        self.detections.clear();
        self.image_times = [ImageTimes::default(); 2];
        self.last_now = None;
        self.epoch = None;
    }

    fn refuse_while_running(&self) -> Result<(), FrameError> {
        match self.running {
            Some(_) => Err(FrameError::StepRunning),
            None => Ok(()),
        }
    }

    fn restart_after_set_back(&mut self) {
        self.forget();
        self.pending.insert(HealthReasons::TIME_REVERSED);
    }
}

/// The input set of a frame set; two are open at most.
fn image_set(sequence: u64) -> ImageSet {
    if sequence.is_multiple_of(2) {
        ImageSet::First
    } else {
        ImageSet::Second
    }
}

fn image_error(error: PreprocessError) -> FrameError {
    match error {
        PreprocessError::SourceSize | PreprocessError::OutputLength => FrameError::ImageSize,
        PreprocessError::SourceFormat => FrameError::ImageFormat,
    }
}
