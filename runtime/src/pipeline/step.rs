//! One step: a closed frame set goes all the way to an output frame.

use bevrt_calibration::MAX_CAMERAS;
use heapless::Vec;

use super::publish::publish_into;
use super::tables::{CameraMask, Correction};
use super::{FrameError, Pipeline, StampCorrection, image_set};
use crate::coverage::fill_sectors;
use crate::ego_motion::EgoPose;
use crate::engine::{Engine, EngineError, ImageSet, OutputRole};
use crate::feature_queue::QueueError;
use crate::frame::{EgoMotionState, HealthReasons, OutputFrame};
use crate::heads::HeadOutput;
use crate::health::{CameraObservation, Observations};
use crate::manifest::HeadForm;
use crate::stats::{Stage, StageTimes, Stopwatch};
use crate::sync::{ClosedBy, FrameSetDecision};
use crate::time::Stamp;

/// Whether the network's results can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// They are there and finite.
    Sound,
    /// There are none, for this reason.
    Void(HealthReasons),
}

/// Closes the set that is due at `now`, if one is, and brings it up to the network's run.
pub(super) fn begin(
    pipeline: &mut Pipeline,
    now: Stamp,
    run: Run,
) -> Result<Option<Step>, FrameError> {
    if pipeline.last_now.is_some_and(|last| now < last) {
        pipeline.restart_after_set_back();
    }
    pipeline.last_now = Some(now);
    let Some(set) = pipeline.sync.poll(now) else {
        return Ok(None);
    };
    let mut step = Step::of(pipeline, set, now);
    step.start_network(pipeline, run)?;
    Ok(Some(step))
}

/// Where the network runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// Here; beginning ends when it is done.
    Here,
    /// Where the engine runs it beside the caller, if it can.
    Beside,
}

/// How far the network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Network {
    /// There is no image to run it on.
    Skipped,
    /// It has ended.
    Ran(Result<(), EngineError>),
    /// It was started and must be waited for.
    Started,
}

/// The work on one set, with the times that it takes. All that it needs of the ego motion is taken at
/// its beginning, so that what is pushed while the network runs changes nothing of it.
pub(super) struct Step {
    set: FrameSetDecision,
    images: ImageSet,
    now: Stamp,
    pose: Option<EgoPose>,
    ego_motion: EgoMotionState,
    newest_ego_motion: Option<Stamp>,
    has_lost_history: bool,
    network: Network,
    watch: Stopwatch,
    times: StageTimes,
}

impl Step {
    fn of(pipeline: &mut Pipeline, set: FrameSetDecision, now: Stamp) -> Self {
        let watch = Stopwatch::start();
        let images = image_set(set.sequence);
        let spent = std::mem::take(&mut pipeline.image_times[images.index()]);
        let mut times = StageTimes::default();
        times.add(Stage::Preprocess, spent.all);
        times.add(Stage::Total, spent.all);
        times.add(Stage::FromLastImage, spent.last);
        pipeline.last_set = images;
        let ego_motion = &pipeline.ego_motion;
        let pose = ego_motion.pose_at(set.stamp).ok();
        Self {
            ego_motion: ego_motion.state_at(set.stamp),
            newest_ego_motion: ego_motion.newest(),
            has_lost_history: follow_epoch(pipeline, pose),
            set,
            images,
            now,
            pose,
            network: Network::Skipped,
            watch,
            times,
        }
    }

    fn start_network(&mut self, pipeline: &mut Pipeline, run: Run) -> Result<(), FrameError> {
        pipeline.detections.clear();
        let aligned = match self.align(pipeline) {
            Err(FrameError::Engine(EngineError::Run)) => Err(EngineError::Run),
            aligned => Ok(aligned?),
        };
        self.lap(Stage::Align);
        if self.set.cameras.iter().all(|camera| camera.image.is_none()) {
            return Ok(());
        }
        self.network = match (aligned, run) {
            (Err(error), _) => Network::Ran(Err(error)),
            (Ok(()), Run::Here) => Network::Ran(pipeline.engine.run(self.images)),
            (Ok(()), Run::Beside) => match pipeline.engine.start(self.images) {
                Ok(()) if pipeline.engine.is_running() => Network::Started,
                Ok(()) => Network::Ran(pipeline.engine.finish()),
                Err(error) => Network::Ran(Err(error)),
            },
        };
        Ok(())
    }

    /// Whether a network runs that must be waited for.
    pub(super) fn is_network_running(&self) -> bool {
        self.network == Network::Started
    }

    /// Waits for the network, decodes, tracks and writes the frame.
    pub(super) fn finish(
        mut self,
        pipeline: &mut Pipeline,
        out: &mut OutputFrame,
    ) -> Result<(), FrameError> {
        let verdict = self.perceive(pipeline)?;
        self.publish(pipeline, verdict, out);
        Ok(())
    }

    fn perceive(&mut self, pipeline: &mut Pipeline) -> Result<Verdict, FrameError> {
        let ran = match self.network {
            Network::Skipped => return Ok(Verdict::Void(HealthReasons::NO_CAMERA)),
            Network::Ran(ran) => ran,
            Network::Started => pipeline.engine.finish(),
        };
        self.lap(Stage::Network);
        if let Err(error) = ran {
            return failed(error);
        }
        let verdict = self.decode(pipeline)?;
        self.lap(Stage::Decode);
        if verdict == Verdict::Sound {
            self.track(pipeline);
            self.lap(Stage::Track);
        }
        Ok(verdict)
    }

    /// Brings projection tables, missing images and history into the network's inputs.
    fn align(&self, pipeline: &mut Pipeline) -> Result<(), FrameError> {
        let mut seeing = CameraMask::default();
        for (camera, status) in self.set.cameras.iter().enumerate() {
            if status.image.is_some() {
                seeing.insert(camera);
            } else {
                let images = pipeline.engine.images_mut(self.images);
                pipeline.images.blank(camera, images);
            }
        }
        let corrections = self.corrections(pipeline);
        let Pipeline {
            engine,
            tables,
            history,
            ego_motion,
            ..
        } = pipeline;
        tables.update(engine.as_mut(), seeing, &corrections)?;
        history.present(self.set.stamp, ego_motion, engine.as_mut())
    }

    /// How the vehicle moved between each camera's exposure and the stamp of the set.
    fn corrections(&self, pipeline: &Pipeline) -> [Correction; MAX_CAMERAS] {
        let mut corrections = [Correction::default(); MAX_CAMERAS];
        let StampCorrection::From(least) = pipeline.options.stamp_correction else {
            return corrections;
        };
        let ego_motion = &pipeline.ego_motion;
        for (camera, correction) in self.set.cameras.iter().zip(&mut corrections) {
            let Some(image) = camera.image else { continue };
            if image.stamp.distance(self.set.stamp) < least {
                continue;
            }
            // Unknown motion leaves the camera where the calibration has it.
            if let Ok(motion) = ego_motion.past_from_now(self.set.stamp, image.stamp) {
                *correction = Correction::of(&motion);
            }
        }
        corrections
    }

    /// Decodes every head, then stores the new map: only when all of them are finite.
    fn decode(&self, pipeline: &mut Pipeline) -> Result<Verdict, FrameError> {
        let Pipeline {
            engine,
            decoders,
            detections,
            history,
            tables,
            manifest,
            ..
        } = pipeline;
        let heads = manifest.heads().iter().zip(decoders);
        for (place, (section, decoder)) in heads.enumerate() {
            let output = head_output(engine.as_ref(), place, &section.form)?;
            if decoder.decode_into(output, detections).is_err() {
                detections.clear();
                return Ok(Verdict::Void(HealthReasons::NOT_FINITE));
            }
        }
        let reason = match history.store(self.set.stamp, engine.as_mut(), tables.ranges()) {
            Ok(()) => return Ok(Verdict::Sound),
            Err(FrameError::Queue(QueueError::NotFinite)) => HealthReasons::NOT_FINITE,
            Err(FrameError::Engine(EngineError::Run)) => HealthReasons::ENGINE_FAILED,
            Err(error) => return Err(error),
        };
        detections.clear();
        Ok(Verdict::Void(reason))
    }

    fn track(&self, pipeline: &mut Pipeline) {
        let Pipeline {
            tracker,
            detections,
            ..
        } = pipeline;
        let odom_from_ego = self.pose.as_ref().map(|pose| &pose.odom_from_ego);
        tracker.update(self.set.stamp, odom_from_ego, detections);
    }

    /// Writes the frame and records the times.
    fn publish(mut self, pipeline: &mut Pipeline, verdict: Verdict, out: &mut OutputFrame) {
        out.clear();
        let mut reasons = std::mem::take(&mut pipeline.pending);
        match verdict {
            Verdict::Sound => {
                if publish_into(pipeline.tracker.tracks(), out).is_err() {
                    reasons.insert(HealthReasons::FRAME_FULL);
                }
            }
            Verdict::Void(reason) => reasons.insert(reason),
        }
        if self.set.closed_by != ClosedBy::Completeness {
            reasons.insert(HealthReasons::SET_DEADLINE);
        }
        out.sequence = pipeline.sequence;
        out.stamp_ns = self.set.stamp.nanoseconds();
        out.now_ns = self.now.nanoseconds();
        self.assess(pipeline, reasons, out);
        self.fill_coverage(pipeline, verdict, out);
        pipeline.sequence += 1;
        self.lap(Stage::Publish);
        pipeline.stats.record(&self.times);
    }

    fn assess(&self, pipeline: &mut Pipeline, found: HealthReasons, out: &mut OutputFrame) {
        let cameras: Vec<CameraObservation, MAX_CAMERAS> = self
            .set
            .cameras
            .iter()
            .map(|camera| CameraObservation {
                state: camera.state,
                last_stamp: camera.last_stamp,
                stamp_in_frame: camera.image.map(|image| image.stamp),
            })
            .collect();
        let Pipeline {
            health,
            history,
            rig,
            ..
        } = pipeline;
        let observations = Observations {
            now: self.now,
            stamp: self.set.stamp,
            reference_camera: rig.reference(),
            cameras: &cameras,
            ego_motion: self.ego_motion,
            newest_ego_motion: self.newest_ego_motion,
            slots: history.slots(),
            found,
            has_lost_history: self.has_lost_history,
        };
        health.assess_into(&observations, &mut out.health);
    }

    fn fill_coverage(&self, pipeline: &Pipeline, verdict: Verdict, out: &mut OutputFrame) {
        if verdict == Verdict::Sound {
            let remembered = pipeline.history.coverage();
            fill_sectors(&mut out.coverage, pipeline.tables.ranges(), &remembered);
        }
    }

    fn lap(&mut self, stage: Stage) {
        let lap = self.watch.lap();
        self.times.add(stage, lap);
        self.times.add(Stage::Total, lap);
        self.times.add(Stage::FromLastImage, lap);
    }
}

fn failed(error: EngineError) -> Result<Verdict, FrameError> {
    match error {
        EngineError::Run => Ok(Verdict::Void(HealthReasons::ENGINE_FAILED)),
        EngineError::NoSuchTensor | EngineError::Running | EngineError::Kept => {
            Err(FrameError::Engine(error))
        }
    }
}

/// What the network gave for a head.
fn head_output<'e>(
    engine: &'e dyn Engine,
    place: usize,
    form: &HeadForm,
) -> Result<HeadOutput<'e>, EngineError> {
    let first = engine.output(OutputRole::Head(place))?;
    Ok(match form {
        HeadForm::Dense { .. } => HeadOutput::Map(first),
        HeadForm::ObjectQueries(_) | HeadForm::MapQueries(_) => HeadOutput::Queries {
            scores: first,
            values: engine.output(OutputRole::HeadValues(place))?,
        },
    })
}

/// Drops tracks when poses cannot be related to those of the last frame any more.
///
/// The queue needs no help: it finds out for each map. Returns whether history was lost.
fn follow_epoch(pipeline: &mut Pipeline, pose: Option<EgoPose>) -> bool {
    let Some(pose) = pose else { return false };
    let last = pipeline.epoch.replace(pose.epoch);
    let is_new = last.is_some_and(|last| last != pose.epoch);
    if is_new {
        pipeline.tracker.reset();
        pipeline.pending.insert(HealthReasons::EGO_MOTION_JUMP);
    }
    is_new
}
