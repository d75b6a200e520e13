//! Clips on their way to scores.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use bevrt_runtime::{
    EgoMotionSource, EgoMotionSpec, GoldenCheck, Manifest, Package, Pipeline, PipelineOptions,
    QueueMode, SetupError,
};
use bevrt_sim::Condition;

use super::report::{Column, ConditionScores, EvalReport};
use super::thinning::NeededFrames;
use super::{Ablation, EvalOptions, ReplayScorer, ScoredMoments};
use crate::metrics::{ScoreTally, Tasks};
use crate::replay::{
    LatencyReport, ReplayError, ReplayFrame, ReplaySummary, ReplayVisitor, VisitorError, replay,
};
use crate::source::{
    CorruptedDrive, Corruption, DriveSource, ImageEvent, PictureSize, SimulatedDrive, scaled_rig,
};

/// A clip was finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipProgress {
    /// Clips finished so far.
    pub finished: usize,
    /// Clips in all.
    pub clips: usize,
    /// Seed of this one.
    pub seed: u64,
}

/// Why an evaluation ended early.
#[derive(Debug)]
pub enum EvalError {
    /// No seeds, no workers, or a rate that is not positive.
    Options {
        /// The option.
        field: &'static str,
        /// What would be right.
        expected: &'static str,
    },
    /// A pipeline cannot be made.
    Setup(Box<SetupError>),
    /// A clip cannot be replayed.
    Replay {
        /// The clip, in words.
        clip: String,
        /// Why.
        source: Box<ReplayError>,
    },
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Options { field, expected } => write!(f, "{field}: expected {expected}"),
            Self::Setup(error) => error.fmt(f),
            Self::Replay { clip, source } => write!(f, "{clip}: {source}"),
        }
    }
}

impl Error for EvalError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Options { .. } => None,
            Self::Setup(error) => error.source(),
            Self::Replay { source, .. } => source.source(),
        }
    }
}

/// The comparisons, with the names that they have in reports.
const COLUMNS: [(&str, QueueMode); 3] = [
    ("aligned queue", QueueMode::Aligned),
    ("queue not aligned", QueueMode::Unaligned),
    ("queue empty", QueueMode::Empty),
];
const COLUMN_WITHOUT_QUEUE: &str = "trained without queue";

/// Verdicts on the output frames of one clip.
#[derive(Clone, Debug)]
pub struct ClipScores {
    /// Its seed.
    pub seed: u64,
    /// Its light and weather.
    pub condition: Condition,
    /// The verdicts: those on the options' package, then those on its contenders.
    pub published: Vec<ScoreTally>,
}

/// Clips and what every network made of them.
#[derive(Clone, Debug)]
pub struct Contest {
    /// The clips, in the order of their seeds.
    pub clips: Vec<ClipScores>,
    /// Times of each network, in the order of [`ClipScores::published`]; they take turns.
    pub latency: Vec<LatencyReport>,
}

/// What one clip gave.
struct Clip {
    seed: u64,
    condition: Condition,
    /// One for each pipeline; the first is the published one.
    scorers: Vec<ReplayScorer>,
    summary: ReplaySummary,
}

/// What one worker gave.
struct Worker {
    clips: Vec<Clip>,
    /// One for each pipeline.
    latency: Vec<LatencyReport>,
    package: (String, String),
}

/// Draws, replays and scores the clips of the options' seeds.
///
/// `progress` is called by the workers as they finish clips. The scores do not depend on the
/// number of workers.
///
/// # Errors
/// [`EvalError`]; clips that were finished before are lost.
pub fn evaluate(
    options: &EvalOptions,
    progress: &(dyn Fn(ClipProgress) + Sync),
) -> Result<EvalReport, EvalError> {
    Ok(gather(options, run_all(options, progress)?))
}

/// The same, clip by clip in the order of the seeds, with the scores of the contenders.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_by_clip(
    options: &EvalOptions,
    progress: &(dyn Fn(ClipProgress) + Sync),
) -> Result<Contest, EvalError> {
    let workers = run_all(options, progress)?;
    let latency = latency_of(&workers).collect();
    let clips = workers.into_iter().flat_map(|worker| worker.clips);
    let mut clips: Vec<ClipScores> = clips
        .map(|clip| ClipScores {
            seed: clip.seed,
            condition: clip.condition,
            published: clip
                .scorers
                .iter()
                .map(|scorer| scorer.published().clone())
                .collect(),
        })
        .collect();
    clips.sort_by_key(|clip| clip.seed);
    Ok(Contest { clips, latency })
}

fn run_all(
    options: &EvalOptions,
    progress: &(dyn Fn(ClipProgress) + Sync),
) -> Result<Vec<Worker>, EvalError> {
    check(options)?;
    let next = AtomicU64::new(options.seeds.start);
    let finished = AtomicU64::new(0);
    let (sender, receiver) = mpsc::channel();
    let clips = (options.seeds.end - options.seeds.start) as usize;
    std::thread::scope(|scope| {
        for _ in 0..options.workers.min(clips) {
            let sender = sender.clone();
            let (next, finished) = (&next, &finished);
            scope.spawn(move || {
                let worked = work(options, next, |seed| {
                    let finished = finished.fetch_add(1, Ordering::Relaxed) as usize + 1;
                    progress(ClipProgress {
                        finished,
                        clips,
                        seed,
                    });
                });
                if worked.is_err() {
                    // The others need not begin another clip.
                    next.store(options.seeds.end, Ordering::Relaxed);
                }
                // The receiver waits until every worker has sent.
                let _ = sender.send(worked);
            });
        }
    });
    drop(sender);
    receiver.into_iter().collect()
}

fn check(options: &EvalOptions) -> Result<(), EvalError> {
    let refuse = |field, expected| Err(EvalError::Options { field, expected });
    if options.seeds.is_empty() {
        return refuse("seeds", "at least one");
    }
    if options.workers == 0 {
        return refuse("workers", "at least one");
    }
    if options.drive.size == PictureSize::TimesNetwork(0) {
        return refuse("drive.size", "at least the network's size");
    }
    let rates = [
        options.scored_rate_hz,
        options.drive.frame_rate_hz,
        options.drive.duration_s,
    ];
    if !rates.iter().all(|rate| rate.is_finite() && *rate > 0.0) {
        return refuse("rates and duration", "positive numbers");
    }
    Ok(())
}

/// Works on clips until none is left.
fn work(
    options: &EvalOptions,
    next: &AtomicU64,
    mut finished: impl FnMut(u64),
) -> Result<Worker, EvalError> {
    let mut pipelines = pipelines(options)?;
    let manifest = pipelines[0].manifest().clone();
    let mut clips = Vec::new();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= options.seeds.end {
            break;
        }
        clips.push(clip(options, seed, &manifest, &mut pipelines)?);
        finished(seed);
    }
    let latency = pipelines.iter().map(|p| LatencyReport::new(p.stats()));
    let latency = latency.collect();
    Ok(Worker {
        clips,
        latency,
        package: (manifest.name().to_owned(), manifest.version().to_owned()),
    })
}

/// One pipeline for each column or contender; the first is the published one.
fn pipelines(options: &EvalOptions) -> Result<Vec<Pipeline>, EvalError> {
    let failed = |error: SetupError| EvalError::Setup(Box::new(error));
    let believed = options.corruption.believed_rig(&options.rig);
    // All are shown the same pictures, drawn for the first network.
    let rig = match options.drive.size {
        PictureSize::Full => believed,
        PictureSize::TimesNetwork(times) => {
            let package = Package::open(&options.package).map_err(|error| failed(error.into()))?;
            scaled_rig(&believed, package.manifest().preprocess(), times)
        }
    };
    let make = |package: &Path, precision, history: QueueMode, golden: GoldenCheck| {
        let mut pipeline = PipelineOptions::new(package, rig.clone());
        pipeline.engine = options.engine.clone();
        pipeline.precision = precision;
        pipeline.history = history;
        pipeline.golden = golden;
        pipeline.ego_motion = EgoMotionSpec::new(EgoMotionSource::Rates);
        Pipeline::new(pipeline).map_err(failed)
    };
    let (package, precision) = (&options.package, options.precision);
    let mut made = vec![make(
        package,
        precision,
        QueueMode::Aligned,
        GoldenCheck::Run,
    )?];
    match &options.ablation {
        Ablation::Off => {}
        Ablation::Queue { without_queue } => {
            for (_, history) in &COLUMNS[1..] {
                made.push(make(package, precision, *history, GoldenCheck::Skip)?);
            }
            if let Some(package) = without_queue {
                made.push(make(
                    package,
                    precision,
                    QueueMode::Empty,
                    GoldenCheck::Run,
                )?);
            }
        }
        Ablation::Contenders(contenders) => {
            for contender in contenders {
                made.push(make(
                    &contender.package,
                    contender.precision,
                    QueueMode::Aligned,
                    GoldenCheck::Run,
                )?);
            }
        }
    }
    Ok(made)
}

fn clip(
    options: &EvalOptions,
    seed: u64,
    manifest: &Manifest,
    pipelines: &mut [Pipeline],
) -> Result<Clip, EvalError> {
    pipelines.iter_mut().for_each(Pipeline::reset);
    let mut drive_options = options.drive;
    if let Corruption::Condition(condition) = options.corruption {
        drive_options.condition = Some(condition);
    }
    let rig = options.corruption.true_rig(&options.rig);
    let drive = SimulatedDrive::new(seed, &rig, manifest.preprocess(), &drive_options);
    let moments = ScoredMoments::new(
        SimulatedDrive::BEGIN,
        options.warm_up_s,
        options.scored_rate_hz,
    );
    let scorer = ReplayScorer::new(moments, options.lane_confidence, &options.without_cameras);
    // What is published needs every frame; what heads find does not.
    let whole = match options.ablation {
        Ablation::Contenders(_) => pipelines.len(),
        Ablation::Off | Ablation::Queue { .. } => 1,
    };
    let needed = pipelines[whole..].iter().map(|pipeline| {
        let (frame_s, scored_s) = (
            1.0 / options.drive.frame_rate_hz,
            1.0 / options.scored_rate_hz,
        );
        let frames = drive.frames();
        NeededFrames::new(
            pipeline.manifest(),
            SimulatedDrive::BEGIN,
            frames,
            frame_s,
            scored_s,
        )
    });
    let mut scorers = Scorers {
        scorers: vec![scorer; pipelines.len()],
        needed: needed.collect(),
        corruption: options.corruption,
    };
    let condition = drive.condition();
    debug_assert_eq!(drive.ego_motion(), EgoMotionSource::Rates);
    let mut drive = CorruptedDrive::new(drive, options.corruption);
    let summary =
        replay(&mut drive, pipelines, &mut scorers, options.allocations).map_err(|source| {
            EvalError::Replay {
                clip: format!("clip of seed {seed}"),
                source: Box::new(source),
            }
        })?;
    scorers.scorers.iter_mut().for_each(ReplayScorer::end_drive);
    Ok(Clip {
        seed,
        condition,
        scorers: scorers.scorers,
        summary,
    })
}

/// One scorer for each pipeline.
struct Scorers {
    scorers: Vec<ReplayScorer>,
    /// What the last pipelines are given; the others get every frame.
    needed: Vec<NeededFrames>,
    corruption: Corruption,
}

impl ReplayVisitor for Scorers {
    fn wants(&self, pipeline_index: usize, image: &ImageEvent<'_>) -> bool {
        let whole = self.scorers.len() - self.needed.len();
        let is_needed =
            pipeline_index < whole || self.needed[pipeline_index - whole].contains(image.stamp);
        is_needed && self.corruption.lets_through(image.camera, image.stamp)
    }

    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError> {
        self.scorers[frame.pipeline_index].frame(&frame);
        Ok(())
    }
}

/// The times of each pipeline, from the worker that had most to do.
fn latency_of(workers: &[Worker]) -> impl Iterator<Item = LatencyReport> {
    let busiest = workers.iter().max_by_key(|worker| worker.clips.len());
    busiest
        .into_iter()
        .flat_map(|worker| worker.latency.clone())
}

fn gather(options: &EvalOptions, workers: Vec<Worker>) -> EvalReport {
    let package = workers
        .first()
        .map(|worker| worker.package.clone())
        .unwrap_or_default();
    let latency = latency_of(&workers).next().unwrap_or_default();
    let mut clips: Vec<Clip> = workers
        .into_iter()
        .flat_map(|worker| worker.clips)
        .collect();
    clips.sort_by_key(|clip| clip.seed);
    let merged = |clips: &mut dyn Iterator<Item = &ScoreTally>| {
        let mut all = ScoreTally::for_tasks(Tasks::NONE);
        clips.for_each(|tally| all.merge(tally));
        all.scores()
    };
    let conditions = Condition::ALL
        .into_iter()
        .filter(|condition| clips.iter().any(|clip| clip.condition == *condition))
        .map(|condition| {
            let of_condition = || clips.iter().filter(|clip| clip.condition == condition);
            ConditionScores {
                condition: condition.name(),
                clips: of_condition().count(),
                scores: merged(&mut of_condition().map(|clip| clip.scorers[0].published())),
            }
        })
        .collect();
    let names = COLUMNS
        .iter()
        .map(|(name, _)| *name)
        .chain([COLUMN_WITHOUT_QUEUE]);
    let compared = match options.ablation {
        Ablation::Queue { .. } => clips.first().map_or(0, |clip| clip.scorers.len()),
        Ablation::Off | Ablation::Contenders(_) => 0,
    };
    let columns = names
        .take(compared)
        .enumerate()
        .filter(|_| compared > 1)
        .map(|(place, name)| Column {
            name,
            scores: merged(&mut clips.iter().map(|clip| clip.scorers[place].raw())),
        })
        .collect();
    let count = |value: &dyn Fn(&ReplaySummary) -> u64| {
        clips.iter().map(|clip| value(&clip.summary)).sum::<u64>()
    };
    let (allocations, counted) = (
        count(&|summary| summary.allocations),
        count(&|summary| summary.allocation_frames),
    );
    EvalReport {
        package_name: package.0,
        package_version: package.1,
        world_version: bevrt_sim::WORLD_VERSION.to_string(),
        seeds: options.seeds.clone(),
        clips: clips.len(),
        replayed_frames: count(&|summary| summary.frames),
        refused_images: count(&|summary| summary.refused_images),
        workers: options.workers,
        published: merged(&mut clips.iter().map(|clip| clip.scorers[0].published())),
        without_cameras: (0..options.without_cameras.len())
            .map(|place| {
                let of_clips = clips
                    .iter()
                    .filter_map(|clip| clip.scorers[0].without_cameras().nth(place));
                merged(&mut { of_clips })
            })
            .collect(),
        conditions,
        columns,
        latency,
        allocations_per_frame: (counted > 0).then(|| allocations as f64 / counted as f64),
    }
}
