//! `bevrt hil soak`: a drive for hours on end.

use crate::failure::Failure;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::sim::write_log;
use crate::{progress, rig};
use bevrt_hil::faults::Pace;
use bevrt_hil::replay::{replay, replay_paced};
use bevrt_hil::soak::{SoakReport, SoakWatch};
use bevrt_hil::source::{
    DriveLimit, LimitedDrive, LogDrive, LogDriveOptions, LoopedDrive, SimulatedDrive,
    SimulatedDriveOptions,
};
use bevrt_runtime::{MANIFEST_FILE, Manifest, Pipeline, Span};
use clap::Args;
use std::path::{Path, PathBuf};

/// Options of `bevrt hil soak`.
#[derive(Args)]
#[command(disable_version_flag = true)]
pub struct SoakArguments {
    /// The drive, a log; a simulated one is rendered otherwise
    log: Option<PathBuf>,
    /// Steps in lockstep, 0 for none
    #[arg(long, default_value_t = 36_000)]
    steps: u64,
    /// Minutes in real time after them, 0 for none
    #[arg(long, default_value_t = 10.0)]
    paced_minutes: f64,
    /// Seed of the simulated drive
    #[arg(long, default_value_t = 950_007, conflicts_with = "log")]
    seed: u64,
    /// Seconds of the simulated drive
    #[arg(long, default_value_t = 120.0, conflicts_with = "log")]
    seconds: f64,
    /// Frame sets a second
    #[arg(long, default_value_t = 10.0)]
    rate: f64,
    #[arg(long, default_value = "six-pinhole", help = rig::RIG_HELP)]
    rig: String,
    /// Where the simulated drive is written to
    #[arg(long, default_value = "out/soak.mcap", conflicts_with = "log")]
    out: PathBuf,
    /// Folder of the model package
    #[arg(long, default_value = SHIPPED_PACKAGE)]
    package: PathBuf,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Drives in lockstep, then in real time, and prints what was watched.
pub fn run(arguments: &SoakArguments) -> Result<(), Failure> {
    let log = match &arguments.log {
        Some(log) => log.clone(),
        None => rendered(arguments)?,
    };
    let mut failed = Vec::new();
    let mut judge = |report: SoakReport| {
        println!("{}", report.to_markdown());
        let rows = report.failed();
        failed.extend(rows.map(|row| format!("{}: {}", report.name, row.what)));
    };
    if arguments.steps > 0 {
        let limit = DriveLimit::Sets(arguments.steps);
        judge(soak(arguments, &log, limit, arguments.steps)?);
    }
    if arguments.paced_minutes > 0.0 {
        let seconds = 60.0 * arguments.paced_minutes;
        let limit = DriveLimit::Span(Span::from_seconds(seconds));
        judge(soak(
            arguments,
            &log,
            limit,
            (seconds * arguments.rate) as u64,
        )?);
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(failed.join("; ")))
    }
}

fn rendered(arguments: &SoakArguments) -> Result<PathBuf, Failure> {
    let manifest = Manifest::from_toml_file(&arguments.package.join(MANIFEST_FILE))?;
    let options = SimulatedDriveOptions {
        duration_s: arguments.seconds,
        frame_rate_hz: arguments.rate,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        ..SimulatedDriveOptions::default()
    };
    let rig = rig::resolve(&arguments.rig)?;
    let mut drive = SimulatedDrive::new(arguments.seed, &rig, manifest.preprocess(), &options);
    write_log(&mut drive, &arguments.out)?;
    Ok(arguments.out.clone())
}

/// One run over the looped log, with a pipeline of its own.
fn soak(
    arguments: &SoakArguments,
    log: &Path,
    limit: DriveLimit,
    frames: u64,
) -> Result<SoakReport, Failure> {
    let open = || LogDrive::open(log, LogDriveOptions::default());
    let mut drive = LimitedDrive::new(LoopedDrive::new(u64::MAX, open)?, limit);
    let options = arguments.engine.pipeline(&arguments.package, &drive)?;
    let mut pipelines = [Pipeline::new(options)?];
    let bar = progress::bar("soaking", frames);
    let shown = bar.clone();
    let pace = match limit {
        DriveLimit::Sets(_) => Pace::Lockstep,
        DriveLimit::Span(_) => Pace::RealTime,
    };
    let mut watch = SoakWatch::new(frames, pace, move |frame| shown.set_position(frame));
    let name = match pace {
        Pace::Lockstep => {
            replay(&mut drive, &mut pipelines, &mut watch, None)?;
            "in lockstep"
        }
        Pace::RealTime => {
            replay_paced(&mut drive, &mut pipelines, &mut watch, None, 1.0)?;
            "in real time"
        }
    };
    bar.finish_and_clear();
    for remark in drive.drive().round().remarks() {
        eprintln!("{}: {remark}", log.display());
    }
    Ok(watch.report(name))
}
