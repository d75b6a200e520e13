//! `bevrt demo`: a drive nobody trained on, from camera frames to a page that shows what came out.

pub mod elements;
mod floors;
pub mod overlay;
mod page;
mod recorder;

use crate::failure::Failure;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::{allocations, progress, rig};
use bevrt_hil::eval::{ReplayScorer, ScoredMoments, latency_table, metrics_json, score_table};
use bevrt_hil::logs::LogWriter;
use bevrt_hil::replay::{LatencyReport, replay};
use bevrt_hil::source::{DriveSource, PictureSize, SimulatedDrive, SimulatedDriveOptions};
use bevrt_runtime::{EgoMotionSpec, MANIFEST_FILE, Manifest, Pipeline, PipelineOptions};
use bevrt_sim::WORLD_VERSION;
use clap::Args;
use page::{Page, machine_text};
use recorder::Recorder;
use std::path::PathBuf;

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

/// Runs the demo.
pub fn run(arguments: &DemoArguments) -> Result<(), Failure> {
    let manifest = Manifest::from_toml_file(&arguments.package.join(MANIFEST_FILE))?;
    let rig = rig::resolve(&arguments.rig)?;
    let options = SimulatedDriveOptions {
        duration_s: arguments.seconds,
        frame_rate_hz: arguments.rate,
        size: PictureSize::Full,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        ..SimulatedDriveOptions::default()
    };
    let mut drive = SimulatedDrive::new(arguments.seed, &rig, manifest.preprocess(), &options);
    let mut setup = PipelineOptions::new(&arguments.package, rig.clone());
    setup.engine = arguments.engine.options()?;
    setup.precision = arguments.engine.precision();
    setup.ego_motion = EgoMotionSpec::new(drive.ego_motion());
    println!(
        "drive: seed {}, {:?}, {} frame sets of {} cameras; package: {} {}",
        arguments.seed,
        drive.condition(),
        drive.frames(),
        rig.cameras().len(),
        manifest.name(),
        manifest.version(),
    );
    let mut pipelines = [Pipeline::new(setup)?];
    let mut writer = LogWriter::create(arguments.out.join("result.mcap"))?;
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
            arguments.seed,
            drive.condition()
        ),
        rig: &rig,
        frames: &recording.frames,
        scores: &scores,
        latency: &latency,
        machine: machine_text(pipelines[0].engine()),
        period_ms: 1e3 / arguments.rate,
    };
    let html = arguments.out.join("index.html");
    let json = arguments.out.join("metrics.json");
    std::fs::write(&html, page.to_html()?).map_err(Failure::while_doing(html.display()))?;
    std::fs::write(
        &json,
        format!("{:#}\n", serde_json::Value::Object(metrics.clone())),
    )
    .map_err(Failure::while_doing(json.display()))?;

    print!(
        "\n{}\n{}",
        score_table(&[("this drive", &scores)]),
        latency_table(&latency)
    );
    println!("\nlook at      {}", html.display());
    println!(
        "in Foxglove  {}",
        arguments.out.join("result.mcap").display()
    );
    println!("figures      {}", json.display());
    if arguments.check {
        floors::check(&metrics, summary.frames, drive.frames())
    } else {
        Ok(())
    }
}
