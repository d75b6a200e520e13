//! `bevrt hil faults`: the fault table.

use crate::failure::Failure;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::{progress, rig};
use bevrt_calibration::Rig;
use bevrt_hil::faults::{FaultRunner, FaultTable, Pace, Scenario};
use bevrt_runtime::{
    Engine, EngineOptions, HistoryMemory, Manifest, NetworkInterface, NetworkRequest, OnnxRuntime,
    Package, Precision, SetupError,
};
use clap::Args;
use std::path::{Path, PathBuf};

/// Where the scenarios that ship lie, seen from the root of the repository.
const SHIPPED_SCENARIOS: &str = "hil_tests/scenarios";

/// Options of `bevrt hil faults`.
#[derive(Args)]
pub struct FaultsArguments {
    /// Scenario files, or folders of them
    #[arg(default_value = SHIPPED_SCENARIOS)]
    scenarios: Vec<PathBuf>,
    /// Folder of the model package
    #[arg(long, default_value = SHIPPED_PACKAGE)]
    package: PathBuf,
    #[arg(long, default_value = "six-pinhole", help = rig::RIG_HELP)]
    rig: String,
    /// Drive every scenario in real time, with whatever this machine drops; those that show only then
    /// always are
    #[arg(long)]
    paced: bool,
    /// Write the table as a page, too
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Write the table as JSON, for `bevrt hil report --faults`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Runs the scenarios and prints the table; fails when a row is not as expected.
pub fn run(arguments: &FaultsArguments) -> Result<(), Failure> {
    let scenarios = Scenario::from_paths(&arguments.scenarios)?;
    let rig = rig::resolve(&arguments.rig)?;
    let options = arguments.engine.options()?;
    let precision = arguments.engine.precision();
    let pace = if arguments.paced {
        Pace::RealTime
    } else {
        Pace::Lockstep
    };
    let package = &arguments.package;
    let engine = |rig: &Rig| load(package, precision, &options, rig);
    let mut runner = FaultRunner::new(package, rig, pace, engine);
    let bar = progress::bar("faults", scenarios.len() as u64);
    let rows = runner.run_all(&scenarios, &mut |row| {
        bar.set_message(row.name.clone());
        bar.inc(1);
    })?;
    bar.finish_and_clear();
    let how = if arguments.paced {
        "in real time"
    } else {
        "in lockstep"
    };
    let about = format!("{}, simulated drives {how}", package.display());
    let table = FaultTable::new(rows, about);
    print!("{}", table.to_markdown());
    if let Some(page) = &arguments.page {
        write(page, &table.to_html())?;
        println!("page: {}", page.display());
    }
    if let Some(json) = &arguments.json {
        write(json, &format!("{:#}\n", table.to_json()))?;
        println!("table: {}", json.display());
    }
    match table.failed() {
        0 => Ok(()),
        failed => Err(Failure::new(format!(
            "expected every row as its scenario says, found {failed} that are not"
        ))),
    }
}

/// Writes a file, and its folder where that is missing.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Failure::while_doing(folder.display()))?;
    }
    std::fs::write(path, text).map_err(Failure::while_doing(path.display()))
}

/// The network of the package that the CPU, or the first provider that was asked for, runs.
fn load(
    package: &Path,
    precision: Option<Precision>,
    options: &EngineOptions,
    rig: &Rig,
) -> Result<(Manifest, Box<dyn Engine>), SetupError> {
    let package = Package::open(package)?;
    let provider = options.providers.first().ok_or(SetupError::Limit {
        field: "engine.providers",
        expected: "at least one provider".into(),
        found: "none".into(),
    })?;
    let request = NetworkRequest {
        provider: provider.kind(),
        precision,
    };
    let entry = package.choose(request)?;
    let network = package.read_network(entry)?;
    let interface = NetworkInterface::new(package.manifest(), rig.cameras().len());
    // What spoils maps stands between the network and the queue.
    let options = EngineOptions {
        history_memory: HistoryMemory::Host,
        ..options.clone()
    };
    let engine = OnnxRuntime::load(&network, interface, &options)?;
    Ok((package.manifest().clone(), Box::new(engine)))
}
