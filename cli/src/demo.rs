//! `bevrt demo`: a drive nobody trained on, from camera frames to a page that shows what came out.

pub mod elements;
mod floors;
pub mod overlay;
pub mod page;
mod recorder;

use crate::failure::Failure;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::{allocations, progress, rig};
use bevrt_calibration::Rig;
use bevrt_hil::eval::{ReplayScorer, ScoredMoments, latency_table, metrics_json, score_table};
use bevrt_hil::logs::LogWriter;
use bevrt_hil::metrics::Scores;
use bevrt_hil::replay::{LatencyReport, replay};
use bevrt_hil::source::{DriveSource, PictureSize, SimulatedDrive, SimulatedDriveOptions};
use bevrt_runtime::{MANIFEST_FILE, Manifest, Pipeline};
use bevrt_sim::WORLD_VERSION;
use clap::Args;
use page::{Page, machine_text};
use recorder::Recorder;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// The files of a drive.
pub const PAGE: &str = "index.html";
const LOG: &str = "result.mcap";
const FIGURES: &str = "metrics.json";
/// Seconds before quality is measured: the queue fills.
const WARM_UP_S: f64 = 2.0;
/// Scored frames a second.
const SCORED_HZ: f64 = 2.0;

/// Options of `bevrt demo`.
#[derive(Args)]
pub struct DemoArguments {
    /// Folder of the model package
    #[arg(long, default_value = SHIPPED_PACKAGE)]
    package: PathBuf,
    /// Seed of the drive; 950000 and above were never trained on
    #[arg(long, default_value_t = 950_007)]
    seed: u64,
    /// Length
    #[arg(long, default_value_t = 8.0)]
    seconds: f64,
    /// Frame sets a second
    #[arg(long, default_value_t = 10.0)]
    rate: f64,
    #[arg(long, default_value = "six-pinhole", help = rig::RIG_HELP)]
    rig: String,
    /// Folder of the results
    #[arg(long, default_value = "out/demo")]
    out: PathBuf,
    /// Fail if the results are worse than the floors of a sound build
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    engine: EngineArguments,
}

/// A drive to be shown, and where its files go.
pub struct ShownDrive<'a> {
    /// Folder of the model package.
    pub package: &'a Path,
    /// How the network is run.
    pub engine: &'a EngineArguments,
    /// Seed of the drive.
    pub seed: u64,
    /// Its length.
    pub seconds: f64,
    /// Frame sets a second.
    pub rate_hz: f64,
    /// The cameras.
    pub rig: &'a Rig,
    /// How large pictures are drawn.
    pub size: PictureSize,
    /// Folder of `index.html`, `metrics.json` and `result.mcap`.
    pub out: &'a Path,
}

/// What became of it.
pub struct Shown {
    scores: Scores,
    latency: LatencyReport,
    metrics: Map<String, Value>,
    steps: u64,
    frame_sets: u64,
}

/// Runs the demo.
pub fn run(arguments: &DemoArguments) -> Result<(), Failure> {
    let shown = show(&ShownDrive {
        package: &arguments.package,
        engine: &arguments.engine,
        seed: arguments.seed,
        seconds: arguments.seconds,
        rate_hz: arguments.rate,
        rig: &rig::resolve(&arguments.rig)?,
        size: PictureSize::Full,
        out: &arguments.out,
    })?;
    print!(
        "\n{}\n{}",
        score_table(&[("this drive", &shown.scores)]),
        latency_table(&shown.latency)
    );
    let file = |name: &str| arguments.out.join(name).display().to_string();
    println!("\nlook at      {}", file(PAGE));
    println!("in Foxglove  {}", file(LOG));
    println!("figures      {}", file(FIGURES));
    if arguments.check {
        floors::check(&shown.metrics, shown.steps, shown.frame_sets)
    } else {
        Ok(())
    }
}

/// Renders a drive, replays it, scores it, and writes its page, log and figures.
pub fn show(shown: &ShownDrive<'_>) -> Result<Shown, Failure> {
    let manifest = Manifest::from_toml_file(&shown.package.join(MANIFEST_FILE))?;
    let options = SimulatedDriveOptions {
        duration_s: shown.seconds,
        frame_rate_hz: shown.rate_hz,
        size: shown.size,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        ..SimulatedDriveOptions::default()
    };
    let mut drive = SimulatedDrive::new(shown.seed, shown.rig, manifest.preprocess(), &options);
    let rig = drive.rig().clone();
    let setup = shown.engine.pipeline(shown.package, &drive)?;
    println!(
        "drive: seed {}, {:?}, {} frame sets of {} cameras; package: {} {}",
        shown.seed,
        drive.condition(),
        drive.frames(),
        rig.cameras().len(),
        manifest.name(),
        manifest.version(),
    );
    let mut pipelines = [Pipeline::new(setup)?];
    let mut writer = LogWriter::create(shown.out.join(LOG))?;
    writer.write_rig(&rig, SimulatedDrive::BEGIN)?;
    let moments = ScoredMoments::new(SimulatedDrive::BEGIN, WARM_UP_S, SCORED_HZ);
    let bar = progress::bar("driving", drive.frames());
    let mut recorder = Recorder::new(
        rig.clone(),
        writer,
        ReplayScorer::new(moments, 0.0, &[]),
        bar,
    );
    let summary = replay(
        &mut drive,
        &mut pipelines,
        &mut recorder,
        Some(allocations::of_this_thread),
    )?;
    let recording = recorder.finish()?;

    let scores = recording.scorer.published().scores();
    let latency = LatencyReport::new(pipelines[0].stats());
    let metrics = metrics_json(
        &scores,
        &latency,
        summary.allocations_per_frame(),
        WORLD_VERSION,
    );
    let page = Page {
        subtitle: format!(
            "{} {} · seed {} · {:?}",
            manifest.name(),
            manifest.version(),
            shown.seed,
            drive.condition()
        ),
        rig: &rig,
        frames: &recording.frames,
        scores: &scores,
        latency: &latency,
        machine: machine_text(pipelines[0].engine()),
        period_ms: 1e3 / shown.rate_hz,
    };
    let write = |name: &str, text: String| {
        let path = shown.out.join(name);
        std::fs::write(&path, text).map_err(Failure::while_doing(path.display()))
    };
    write(PAGE, page.to_html()?)?;
    write(FIGURES, format!("{:#}\n", Value::Object(metrics.clone())))?;
    Ok(Shown {
        scores,
        latency,
        metrics,
        steps: summary.frames,
        frame_sets: drive.frames(),
    })
}
