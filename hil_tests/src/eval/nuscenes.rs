//! Evaluation on nuScenes scenes: every key frame is scored, tasks without labels are masked.

use std::path::PathBuf;
use std::sync::Arc;

use bevrt_runtime::{
    EgoMotionSource, EgoMotionSpec, EngineOptions, Pipeline, PipelineOptions, Precision,
};
use serde_json::{Value, json};

use super::EvalError;
use super::breakdown::breakdown;
use super::report::metrics_json;
use super::table::{latency_table, score_table, sigma_table};
use crate::metrics::{ScoreTally, Scores, Task, Tasks};
use crate::nuscenes::{NuscenesDrive, NuscenesResults, NuscenesScene};
use crate::prediction::FramePrediction;
use crate::replay::{
    AllocationCount, LatencyReport, ReplayFrame, ReplaySummary, ReplayVisitor, VisitorError, replay,
};

/// How scenes are evaluated.
#[derive(Clone, Debug)]
pub struct NuscenesEvalOptions {
    /// Folder of the model package.
    pub package: PathBuf,
    /// How the network is run.
    pub engine: EngineOptions,
    /// Number format; `None` takes the first network of the package that fits.
    pub precision: Option<Precision>,
    /// Confidence from which lanes are taken for F1.
    pub lane_confidence: f64,
    /// Counts heap allocations of the calling thread.
    pub allocations: Option<AllocationCount>,
}

impl NuscenesEvalOptions {
    /// The engine's defaults, all lanes.
    pub fn new(package: impl Into<PathBuf>) -> Self {
        Self {
            package: package.into(),
            engine: EngineOptions::default(),
            precision: None,
            lane_confidence: 0.0,
            allocations: None,
        }
    }
}

/// What an evaluation on scenes says.
#[derive(Clone, Debug)]
pub struct NuscenesReport {
    /// Name of the package.
    pub package_name: String,
    /// Its version.
    pub package_version: String,
    /// Version of the data set, such as `v1.0-mini`.
    pub data_version: String,
    /// The scenes.
    pub scenes: Vec<String>,
    /// Scores of the output frames at key frames; tasks without labels are masked.
    pub scores: Scores,
    /// Frames of all scenes.
    pub replayed_frames: u64,
    /// Key frames that the pipeline gave no frame for; they count as frames without results.
    pub missed_key_frames: usize,
    /// Images that came into no set.
    pub refused_images: u64,
    /// Measured times.
    pub latency: LatencyReport,
    /// Heap allocations for each frame, where they were counted.
    pub allocations_per_frame: Option<f64>,
}

/// Replays scenes one after another and scores the output frames at their key frames.
///
/// `progress` is called with the number of each replayed key frame. The results are those that
/// were scored, for the public devkit.
///
/// # Errors
/// There are no scenes, a pipeline cannot be made, a scene has other cameras than the first, or a
/// picture cannot be read.
pub fn evaluate_nuscenes(
    data_version: &str,
    scenes: &[Arc<NuscenesScene>],
    options: &NuscenesEvalOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<(NuscenesReport, NuscenesResults), EvalError> {
    let first = scenes.first().ok_or(EvalError::Options {
        field: "scenes",
        expected: "at least one",
    })?;
    let mut pipelines = [pipeline(options, first)?];
    let mut gathered = Gathered::default();
    for scene in scenes {
        gathered.add(scene, &mut pipelines, options, progress)?;
    }
    let Gathered {
        tally,
        results,
        summary,
        missed,
        ..
    } = gathered;
    let manifest = pipelines[0].manifest();
    let report = NuscenesReport {
        package_name: manifest.name().to_owned(),
        package_version: manifest.version().to_owned(),
        data_version: data_version.to_owned(),
        scenes: scenes.iter().map(|scene| scene.name().to_owned()).collect(),
        scores: tally.scores(),
        replayed_frames: summary.frames,
        missed_key_frames: missed,
        refused_images: summary.refused_images,
        latency: LatencyReport::new(pipelines[0].stats()),
        allocations_per_frame: summary.allocations_per_frame(),
    };
    Ok((report, results))
}

/// What the scenes so far gave.
struct Gathered {
    tally: ScoreTally,
    results: NuscenesResults,
    summary: ReplaySummary,
    /// Key frames with an output frame, and without.
    replayed: u64,
    missed: usize,
}

impl Default for Gathered {
    fn default() -> Self {
        Self {
            tally: ScoreTally::for_tasks(Tasks::NONE),
            results: NuscenesResults::default(),
            summary: ReplaySummary::default(),
            replayed: 0,
            missed: 0,
        }
    }
}

impl Gathered {
    /// Replays a scene and scores it.
    fn add(
        &mut self,
        scene: &Arc<NuscenesScene>,
        pipelines: &mut [Pipeline; 1],
        options: &NuscenesEvalOptions,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), EvalError> {
        pipelines[0].reset();
        pipelines[0]
            .set_calibration(scene.rig().clone())
            .map_err(|error| EvalError::Setup(Box::new(error)))?;
        let mut found = Found {
            scene,
            predictions: vec![None; scene.key_frames().len()],
            replayed: &mut self.replayed,
            progress,
        };
        let mut drive = NuscenesDrive::new(scene.clone());
        let summary =
            replay(&mut drive, pipelines, &mut found, options.allocations).map_err(|source| {
                EvalError::Replay {
                    clip: format!("scene {}", scene.name()),
                    source: Box::new(source),
                }
            })?;
        let predictions = found.predictions;
        let mut tally = ScoreTally::for_tasks(scene.tasks());
        for (key_frame, prediction) in scene.key_frames().iter().zip(predictions) {
            self.missed += usize::from(prediction.is_none());
            let prediction = prediction.unwrap_or_default();
            self.results.add(key_frame, &prediction.objects);
            let (truth, prediction) = scene.scored(key_frame, &prediction);
            tally.add(&truth, &prediction, options.lane_confidence);
        }
        self.tally.merge(&tally);
        self.summary.frames += summary.frames;
        self.summary.refused_images += summary.refused_images;
        self.summary.allocations += summary.allocations;
        self.summary.allocation_frames += summary.allocation_frames;
        Ok(())
    }
}

fn pipeline(options: &NuscenesEvalOptions, scene: &NuscenesScene) -> Result<Pipeline, EvalError> {
    let mut pipeline = PipelineOptions::new(&options.package, scene.rig().clone());
    pipeline.engine = options.engine.clone();
    pipeline.precision = options.precision;
    pipeline.ego_motion = EgoMotionSpec::new(EgoMotionSource::Poses);
    Pipeline::new(pipeline).map_err(|error| EvalError::Setup(Box::new(error)))
}

/// Keeps what the pipeline said at key frames.
struct Found<'a> {
    scene: &'a NuscenesScene,
    /// One for each key frame.
    predictions: Vec<Option<FramePrediction>>,
    replayed: &'a mut u64,
    progress: &'a mut dyn FnMut(u64),
}

impl ReplayVisitor for Found<'_> {
    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError> {
        let is_here = |stamp: bevrt_runtime::Stamp| stamp.nanoseconds() == frame.frame.stamp_ns;
        let key_frames = self.scene.key_frames();
        if let Some(place) = key_frames.iter().position(|key| is_here(key.stamp)) {
            self.predictions[place] = Some(FramePrediction::from(frame.frame));
            *self.replayed += 1;
            (self.progress)(*self.replayed);
        }
        Ok(())
    }
}

impl NuscenesReport {
    /// The version of the data as it stands in every report.
    fn world(&self) -> String {
        format!("nuScenes {}", self.data_version)
    }

    /// The report as JSON, in the form of [`super::EvalReport::to_json`]; masked tasks are absent,
    /// and `masked` names them.
    pub fn to_json(&self) -> Value {
        let mut top = metrics_json(
            &self.scores,
            &self.latency,
            self.allocations_per_frame,
            &self.world(),
        );
        top.insert(
            "package".to_owned(),
            json!({ "name": self.package_name, "version": self.package_version }),
        );
        top.insert("scenes".to_owned(), json!(self.scenes));
        let masked: Vec<&str> = self.scores.tasks.masked().map(Task::name).collect();
        top.insert("masked".to_owned(), json!(masked));
        top.insert(
            "replay".to_owned(),
            json!({
                "frames": self.replayed_frames,
                "missed_key_frames": self.missed_key_frames,
                "refused_images": self.refused_images,
            }),
        );
        Value::Object(top)
    }

    /// All tables of the report.
    pub fn to_table(&self) -> String {
        let masked: Vec<&str> = self.scores.tasks.masked().map(Task::name).collect();
        format!(
            "{} {} on {}: {} scenes, {} key frames scored, {} of them missed\n\
             not scored, for want of labels: {}\n\n{}{}{}\n{}",
            self.package_name,
            self.package_version,
            self.world(),
            self.scenes.len(),
            self.scores.frames,
            self.missed_key_frames,
            masked.join(", "),
            score_table(&[("all", &self.scores)]),
            breakdown(&self.scores),
            sigma_table(&self.scores),
            latency_table(&self.latency)
        )
    }
}
