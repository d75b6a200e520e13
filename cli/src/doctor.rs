//! `bevrt doctor`: everything about a package on this machine.

use crate::failure::Failure;
use crate::package::EngineArguments;
use crate::rig;
use bevrt_runtime::{
    Engine, ImageSet, Manifest, NetworkInterface, NetworkRequest, OnnxRuntime, OnnxRuntimeLibrary,
    Package, ProviderKind, QueueAlignment, run_golden,
};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Instant;

/// Options of `bevrt doctor`.
#[derive(Args)]
pub struct DoctorArguments {
    /// Folder of the model package
    package: PathBuf,
    #[arg(long, default_value = "six-pinhole", help = rig::RIG_HELP)]
    rig: String,
    /// Print as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Runs of the network whose median is reported.
const TIMED_RUNS: usize = 15;

/// Examines the package and prints what was found.
pub fn run(arguments: &DoctorArguments) -> Result<(), Failure> {
    let cameras = rig::resolve(&arguments.rig)?.cameras().len();
    let options = arguments.engine.options()?;
    let package = Package::open(&arguments.package)?;
    let library = OnnxRuntimeLibrary::load(options.library.as_deref())?;
    let provider = options
        .providers
        .first()
        .map_or(ProviderKind::Cpu, |provider| provider.kind());
    let entry = package.choose(NetworkRequest {
        provider,
        precision: arguments.engine.precision(),
    })?;
    let network = package.read_network(entry)?;
    let interface = NetworkInterface::new(package.manifest(), cameras);
    let mut engine = OnnxRuntime::load(&network, interface, &options)?;
    let golden = run_golden(&package, entry, &mut engine, &options)?;
    let network_ms = median_run_ms(&mut engine)?;

    let skipped: Vec<_> = library
        .skipped()
        .iter()
        .map(|skipped| format!("{}: {}", skipped.path.display(), skipped.reason))
        .collect();
    let outputs: Vec<_> = golden
        .iter()
        .flat_map(|report| {
            report
                .outputs()
                .iter()
                .map(move |output| (output, report.agrees(output)))
        })
        .map(|(output, agrees)| {
            json!({
                "case": output.case, "output": output.output, "samples": output.samples,
                "worst": output.worst, "mean_shift": output.worst_mean_shift, "agrees": agrees,
            })
        })
        .collect();
    let report = json!({
        "package": describe(package.manifest()),
        "signature": package.signer().map_or_else(
            |problem| problem.to_string(),
            |key| format!("sound, by {key}"),
        ),
        "network": {
            "file": entry.file, "precision": entry.precision.to_string(), "cameras": cameras,
            "provider": engine.provider().to_string(), "threads": options.intra_op_threads, "median_ms": network_ms,
            "inputs": engine.interface().inputs().iter().map(|input| format!("{} {:?}", input.name, input.shape)).collect::<Vec<_>>(),
            "outputs": engine.interface().outputs().iter().map(|output| format!("{} {:?}", output.name, output.shape)).collect::<Vec<_>>(),
        },
        "onnxruntime": {"path": library.path(), "build": library.build_info(), "skipped": skipped},
        "golden": {"tolerance": golden.as_ref().map(|report| report.tolerance()), "outputs": outputs},
    });
    if arguments.json {
        println!("{report:#}");
    } else {
        print_plain(&report, 0);
    }
    match golden {
        Some(report) => {
            report.into_result()?;
            println!("{}: sound on this machine", arguments.package.display());
            Ok(())
        }
        None => Err(Failure::new(format!(
            "{}: expected golden cases in the manifest ([golden]), found none: outputs were not checked",
            arguments.package.display()
        ))),
    }
}

fn describe(manifest: &Manifest) -> Value {
    let heads: Vec<_> = manifest
        .heads()
        .iter()
        .map(|head| format!("{}, {} classes", head.form, head.classes.len()))
        .collect();
    let queue = manifest.queue().map_or_else(
        || "none".to_owned(),
        |queue| {
            format!(
                "{} slots of {} s, {} channels, {:?}, aligned by the {}",
                queue.slots,
                queue.stride_s,
                queue.channels,
                queue.storage,
                match queue.alignment {
                    QueueAlignment::Runtime => "runtime",
                    QueueAlignment::Graph => "network",
                }
            )
        },
    );
    json!({
        "name": manifest.name(), "version": manifest.version(), "world": manifest.world(),
        "heads": heads, "queue": queue,
    })
}

fn median_run_ms(engine: &mut OnnxRuntime) -> Result<f64, Failure> {
    let mut times_ms = Vec::with_capacity(TIMED_RUNS);
    for _ in 0..TIMED_RUNS {
        let start = Instant::now();
        engine.run(ImageSet::First)?;
        times_ms.push(1e3 * start.elapsed().as_secs_f64());
    }
    times_ms.sort_by(f64::total_cmp);
    Ok(times_ms[TIMED_RUNS / 2])
}

/// An indented listing of a JSON value.
fn print_plain(value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::Object(_) | Value::Array(_) => {
                        println!("{indent}{name}");
                        print_plain(value, depth + 1);
                    }
                    Value::String(text) => println!("{indent}{name}: {text}"),
                    other => println!("{indent}{name}: {other}"),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::String(text) => println!("{indent}{text}"),
                    Value::Object(fields) => {
                        let cells: Vec<_> = fields
                            .iter()
                            .map(|(name, value)| format!("{name} {value}"))
                            .collect();
                        println!("{indent}{}", cells.join(", "));
                    }
                    other => println!("{indent}{other}"),
                }
            }
        }
        other => println!("{indent}{other}"),
    }
}
