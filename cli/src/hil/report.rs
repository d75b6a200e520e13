//! `bevrt hil report`: one page about drives: quality, latency, health, faults, and every frame.

mod moments;
mod page;
mod recorded;

use crate::failure::Failure;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::progress::DriveBar;
use crate::replay::length_of_log_s;
use crate::result_drive::{ResultDrive, is_result};
use crate::rig;
use crate::train_stream::parse_seeds;
use bevrt_hil::replay::replay;
use bevrt_hil::source::{
    DriveSource, LogDrive, LogDriveOptions, SimulatedDrive, SimulatedDriveOptions,
};
use bevrt_runtime::{MANIFEST_FILE, Manifest, Pipeline, Stamp};
use clap::Args;
use page::ReportPage;
use recorded::{DriveRecorder, RecordedDrive};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Options of `bevrt hil report`.
#[derive(Args)]
#[command(disable_version_flag = true)]
pub struct ReportArguments {
    /// Results of `bevrt replay`, shown as they are, or drives, which are replayed first
    #[arg(required_unless_present = "seeds", conflicts_with = "seeds")]
    logs: Vec<PathBuf>,
    /// Simulated drives instead, FIRST..END
    #[arg(long, value_parser = parse_seeds)]
    seeds: Option<(u64, u64)>,
    /// The page
    #[arg(long, default_value = "out/report.html")]
    out: PathBuf,
    /// The drive that a result was made from, where pictures and ground truth are; one for each result
    #[arg(long, value_name = "LOG", conflicts_with = "seeds")]
    drive: Vec<PathBuf>,
    /// A fault table that `bevrt hil faults --json` wrote
    #[arg(long, value_name = "JSON")]
    faults: Option<PathBuf>,
    /// A frame that takes longer is told; by default the time between frames
    #[arg(long)]
    deadline_ms: Option<f64>,
    /// Most frame sets that have pictures of their own: the page holds them all
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    pictures: u32,
    /// Folder of the model package that drives go through
    #[arg(long, default_value = SHIPPED_PACKAGE)]
    package: PathBuf,
    #[arg(long, default_value = "six-pinhole", help = rig::RIG_HELP, requires = "seeds")]
    rig: String,
    /// Seconds of each simulated drive
    #[arg(long, default_value_t = 10.0, requires = "seeds")]
    seconds: f64,
    /// Frame sets a second of simulated drives
    #[arg(long, default_value_t = 10.0, requires = "seeds")]
    rate: f64,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Gathers the drives and writes the page.
pub fn run(arguments: &ReportArguments) -> Result<(), Failure> {
    if !arguments.drive.is_empty() && arguments.drive.len() != arguments.logs.len() {
        return Err(Failure::new(format!(
            "--drive: expected one for each of {} results, found {}",
            arguments.logs.len(),
            arguments.drive.len()
        )));
    }
    let faults = arguments.faults.as_deref().map(read_faults).transpose()?;
    let drives = match arguments.seeds {
        Some((first, end)) => (first..end)
            .map(|seed| simulated(arguments, seed))
            .collect::<Result<Vec<_>, _>>()?,
        None => (0..arguments.logs.len())
            .map(|index| of_log(arguments, index))
            .collect::<Result<_, _>>()?,
    };
    let page = ReportPage::new(drives, faults, arguments.deadline_ms)?;
    if let Some(folder) = arguments.out.parent() {
        std::fs::create_dir_all(folder).map_err(Failure::while_doing(folder.display()))?;
    }
    let html = page.to_html(arguments.pictures as usize)?;
    std::fs::write(&arguments.out, html).map_err(Failure::while_doing(arguments.out.display()))?;
    print!("{}", page.to_text());
    println!("look at      {}", arguments.out.display());
    Ok(())
}

fn read_faults(path: &Path) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(path).map_err(Failure::while_doing(path.display()))?;
    let table: Value = serde_json::from_str(&text)?;
    if table["rows"].is_array() {
        return Ok(table);
    }
    Err(Failure::new(format!(
        "{}: expected a table of `bevrt hil faults --json`, found no `rows`",
        path.display()
    )))
}

fn simulated(arguments: &ReportArguments, seed: u64) -> Result<RecordedDrive, Failure> {
    let manifest = Manifest::from_toml_file(&arguments.package.join(MANIFEST_FILE))?;
    let options = SimulatedDriveOptions {
        duration_s: arguments.seconds,
        frame_rate_hz: arguments.rate,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        ..SimulatedDriveOptions::default()
    };
    let rig = rig::resolve(&arguments.rig)?;
    let mut drive = SimulatedDrive::new(seed, &rig, manifest.preprocess(), &options);
    let name = format!("seed {seed}, {}", drive.condition().name());
    let bar = DriveBar::new("driving", Some(arguments.seconds));
    replayed(arguments, &mut drive, name, bar)
}

/// A log with output frames is shown as it is, any other one is replayed.
fn of_log(arguments: &ReportArguments, index: usize) -> Result<RecordedDrive, Failure> {
    let log = &arguments.logs[index];
    if is_result(log) {
        let drive = arguments.drive.get(index).map(PathBuf::as_path);
        let mut result = ResultDrive::open(log, drive)?;
        let cameras = result.rig().map(|rig| rig.cameras().to_vec());
        let bar = DriveBar::new("reading", length_of_log_s(log));
        let name = log.display().to_string();
        let mut recorder = DriveRecorder::new(name, cameras.unwrap_or_default(), bar);
        result.play(Stamp::ZERO, &mut recorder)?;
        return Ok(recorder.finish());
    }
    let mut drive = LogDrive::open(log, LogDriveOptions::default())?;
    let bar = DriveBar::new("driving", length_of_log_s(log));
    let recorded = replayed(arguments, &mut drive, log.display().to_string(), bar)?;
    for remark in drive.remarks() {
        eprintln!("{}: {remark}", log.display());
    }
    Ok(recorded)
}

fn replayed(
    arguments: &ReportArguments,
    drive: &mut dyn DriveSource,
    name: String,
    bar: DriveBar,
) -> Result<RecordedDrive, Failure> {
    let options = arguments.engine.pipeline(&arguments.package, drive)?;
    let mut pipelines = [Pipeline::new(options)?];
    let cameras = drive.rig().cameras().to_vec();
    let mut recorder = DriveRecorder::new(name, cameras, bar);
    replay(drive, &mut pipelines, &mut recorder, None)?;
    Ok(recorder.finish())
}
