//! Drives the drives and keeps what a baseline holds.

use super::CheckArguments;
use super::baseline::{Baseline, DriveSketch, FrameSketch, MachineName, Origin, Setting};
use crate::failure::Failure;
use crate::progress::DriveBar;
use crate::replay::length_of_log_s;
use crate::rig;
use bevrt_benches::Machine;
use bevrt_hil::FramePrediction;
use bevrt_hil::eval::ScoredMoments;
use bevrt_hil::metrics::{ScoreTally, Scores};
use bevrt_hil::replay::{ReplayFrame, ReplayVisitor, VisitorError, replay};
use bevrt_hil::source::{
    DriveSource, LogDrive, LogDriveOptions, SimulatedDrive, SimulatedDriveOptions,
};
use bevrt_runtime::{
    MANIFEST_FILE, Manifest, NetworkRequest, OnnxRuntimeLibrary, Package, Pipeline, Stage, Stamp,
};
use bevrt_sim::WORLD_VERSION;
use std::collections::BTreeMap;

/// Frames of which a block's median is taken.
const BLOCK: usize = 10;
/// Frames at the beginning of a drive whose times do not count.
const SETTLING: usize = 5;
/// Seconds before quality is measured, and scored frames a second.
const WARM_UP_S: f64 = 2.0;
const SCORED_HZ: f64 = 2.0;
/// Stages whose times are compared.
const STAGES: [Stage; 6] = [
    Stage::Preprocess,
    Stage::Align,
    Stage::Network,
    Stage::Decode,
    Stage::Track,
    Stage::Total,
];

/// Drives every drive as often as was asked for.
///
/// Fails when the same drive does not give the same bytes each time.
pub fn observe(arguments: &CheckArguments, origins: &[Origin]) -> Result<Baseline, Failure> {
    let machine = Machine::now();
    let engine = arguments.engine.options()?;
    let library = OnnxRuntimeLibrary::load(engine.library.as_deref())?;
    let manifest = Manifest::from_toml_file(&arguments.package.join(MANIFEST_FILE))?;
    let package = Package::open(&arguments.package)?;
    let provider = engine
        .providers
        .first()
        .ok_or_else(|| Failure::new("no provider"))?;
    let entry = package.choose(NetworkRequest {
        provider: provider.kind(),
        precision: arguments.engine.precision(),
    })?;
    let mut observed = Baseline::new(
        format!("{} {}", manifest.name(), manifest.version()),
        entry.sha256.iter().map(|b| format!("{b:02x}")).collect(),
        Setting {
            architecture: machine.architecture,
            features: machine.features,
            onnxruntime: library.build_info().to_owned(),
            provider: provider.to_string(),
            threads: engine.intra_op_threads,
            precision: entry.precision.to_string(),
            world: WORLD_VERSION.to_owned(),
        },
        MachineName {
            cpu: machine.cpu,
            cores: machine.cores,
        },
    );
    let lengths = origins.iter().map(length_s).sum::<Option<f64>>();
    let length_s = lengths.map(|length_s| length_s * f64::from(arguments.repeats));
    let bar = DriveBar::new("driving", length_s);
    let mut tally = ScoreTally::default();
    for origin in origins {
        let mut first: Option<Observer> = None;
        for _ in 0..arguments.repeats {
            let mut drive = open(origin, &manifest)?;
            let options = arguments.engine.pipeline(&arguments.package, &*drive)?;
            let mut pipelines = [Pipeline::new(options)?];
            let mut observer = Observer::new(bar.clone());
            replay(&mut *drive, &mut pipelines, &mut observer, None)?;
            observer.add_blocks(&mut observed.blocks_ms);
            match &first {
                Some(first) => same_bytes(origin, &first.frames, &observer.frames)?,
                None => first = Some(observer),
            }
        }
        if let Some(mut observer) = first {
            observer.tally.end_drive();
            tally.merge(&observer.tally);
            observed.drives.push(DriveSketch {
                origin: origin.clone(),
                frames: observer.frames,
            });
        }
    }
    bar.finish();
    if tally.frames() > 0 {
        observed.scores = named(&tally.scores());
    }
    Ok(observed)
}

fn open(origin: &Origin, manifest: &Manifest) -> Result<Box<dyn DriveSource>, Failure> {
    match origin {
        Origin::Simulated {
            seed,
            seconds,
            rate_hz,
            rig,
        } => {
            let options = SimulatedDriveOptions {
                duration_s: *seconds,
                frame_rate_hz: *rate_hz,
                threads: std::thread::available_parallelism().map_or(1, usize::from),
                ..SimulatedDriveOptions::default()
            };
            let rig = rig::resolve(rig)?;
            let drive = SimulatedDrive::new(*seed, &rig, manifest.preprocess(), &options);
            Ok(Box::new(drive))
        }
        Origin::Log { path } => Ok(Box::new(LogDrive::open(path, LogDriveOptions::default())?)),
    }
}

/// Seconds of a drive; `None` where a log has no index.
fn length_s(origin: &Origin) -> Option<f64> {
    match origin {
        Origin::Simulated { seconds, .. } => Some(*seconds),
        Origin::Log { path } => length_of_log_s(path),
    }
}

fn same_bytes(
    origin: &Origin,
    first: &[FrameSketch],
    again: &[FrameSketch],
) -> Result<(), Failure> {
    let differing = first.iter().zip(again).position(|(a, b)| a.hash != b.hash);
    if first.len() == again.len() && differing.is_none() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{origin}: expected the same {} frames from each replay, found {} and frame {} differing",
        first.len(),
        again.len(),
        differing.map_or("none".to_owned(), |frame| frame.to_string())
    )))
}

/// The scores that the gate holds, by name.
fn named(scores: &Scores) -> BTreeMap<String, f64> {
    let near = scores.near_objects.mean_average_precision;
    let values = [
        ("objects mAP", Some(scores.objects.mean_average_precision)),
        ("objects mAP within 30 m", Some(near)),
        ("objects NDS", Some(scores.objects.detection_score)),
        ("lanes F1", Some(scores.lanes.f1.f1)),
        ("lanes Chamfer mAP", Some(scores.lanes.chamfer_map)),
        ("arrows AP", scores.arrows.average_precision),
        ("crosswalks AP", scores.crosswalks.average_precision[0]),
        ("tracks AMOTA", scores.tracks.average_accuracy),
        ("tracks HOTA", scores.tracks.hota.map(|hota| hota.hota)),
        ("stop lines AP", scores.stop_lines.average_precision[0]),
    ];
    let values = values.into_iter();
    values
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// Keeps a drive.
struct Observer {
    bar: DriveBar,
    begin: Option<Stamp>,
    moments: Option<ScoredMoments>,
    frames: Vec<FrameSketch>,
    times_ms: Vec<[f64; STAGES.len()]>,
    tally: ScoreTally,
}

impl Observer {
    fn new(bar: DriveBar) -> Self {
        Self {
            bar,
            begin: None,
            moments: None,
            frames: Vec::new(),
            times_ms: Vec::new(),
            tally: ScoreTally::default(),
        }
    }

    fn add_blocks(&self, blocks_ms: &mut BTreeMap<String, Vec<f64>>) {
        let settled = self.times_ms.get(SETTLING..).unwrap_or_default();
        for block in settled.chunks_exact(BLOCK) {
            for (index, stage) in STAGES.iter().enumerate() {
                let mut times: Vec<f64> = block.iter().map(|times| times[index]).collect();
                times.sort_by(f64::total_cmp);
                let medians = blocks_ms.entry(stage.name().to_owned()).or_default();
                medians.push((1e4 * times[BLOCK / 2]).round() / 1e4);
            }
        }
    }
}

impl ReplayVisitor for Observer {
    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError> {
        let stamp = Stamp::from_nanoseconds(frame.frame.stamp_ns);
        self.bar.frame(stamp);
        let begin = *self.begin.get_or_insert(stamp);
        let sketch = FrameSketch::of(frame.frame, stamp.since(begin).seconds())
            .map_err(|error| error.to_string())?;
        self.frames.push(sketch);
        let last = frame.pipeline.stats().last();
        self.times_ms
            .push(STAGES.map(|stage| 1e3 * last.get(stage).seconds()));
        let moments = self
            .moments
            .get_or_insert_with(|| ScoredMoments::new(begin, WARM_UP_S, SCORED_HZ));
        if let (true, Some(truth)) = (moments.take(stamp), frame.truth) {
            let prediction = FramePrediction::from(frame.frame);
            self.tally.add(truth, &prediction, 0.0);
        }
        Ok(())
    }
}
