//! `bevrt scaling`: latency and memory against the size of the job, as tables in Markdown.
//!
//! Each row is a `bevrt bench` on frames of noise in a process of its own, so that no memory of one
//! row is counted in the next.

use crate::bench::parse_size;
use crate::failure::Failure;
use crate::package::{SHIPPED_PACKAGE, parse_precision};
use crate::progress;
use bevrt_benches::{Report, objects_cost};
use bevrt_runtime::{MANIFEST_FILE, Manifest, Precision};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Options of `bevrt scaling`.
#[derive(Args)]
pub struct ScalingArguments {
    /// Folder of the model package
    #[arg(long, default_value = SHIPPED_PACKAGE)]
    package: PathBuf,
    /// More packages: with other grids, other network resolutions, other numbers of slots
    #[arg(long, value_delimiter = ',', value_name = "DIRS")]
    packages: Vec<PathBuf>,
    /// Numbers of cameras
    #[arg(long, value_delimiter = ',', default_value = "1,2,4,6,8,10,12")]
    cameras: Vec<usize>,
    /// Sizes of the images
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "640x480,1280x960,1600x900,1920x1080,3840x2160",
        value_parser = parse_size
    )]
    sizes: Vec<[u32; 2]>,
    /// Numbers of threads; by default 1 and the cores of this process
    #[arg(long, value_delimiter = ',')]
    threads: Vec<usize>,
    /// Numbers of objects in view
    #[arg(long, value_delimiter = ',', default_value = "0,8,32,64,128")]
    objects: Vec<usize>,
    /// Number format of the network; the package's first that fits by default
    #[arg(long, value_parser = parse_precision)]
    precision: Option<Precision>,
    /// How long each row is measured
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Path of the ONNX Runtime library (found by itself otherwise, see the README)
    #[arg(long)]
    onnxruntime: Option<PathBuf>,
}

/// The job that the others are variations of.
const CAMERAS: usize = 6;
const SIZE: [u32; 2] = [1600, 900];
/// Frames of which decoding and tracking are timed.
const OBJECT_FRAMES: usize = 200;

/// A row: what is measured, and its name in the table.
struct Job {
    name: String,
    package: PathBuf,
    cameras: usize,
    size: [u32; 2],
    threads: usize,
}

/// Measures row by row and prints the tables.
pub fn run(arguments: &ScalingArguments) -> Result<(), Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = match arguments.threads.as_slice() {
        [] if cores == 1 => vec![1],
        [] => vec![1, cores],
        threads => threads.to_vec(),
    };
    let job = |name: String| Job {
        name,
        package: arguments.package.clone(),
        cameras: CAMERAS,
        size: SIZE,
        threads: cores,
    };
    let cameras = arguments.cameras.iter().map(|&cameras| Job {
        cameras,
        ..job(cameras.to_string())
    });
    let sizes = arguments.sizes.iter().map(|&size| Job {
        size,
        ..job(format!("{} × {}", size[0], size[1]))
    });
    let threads = threads.iter().map(|&threads| Job {
        threads,
        ..job(threads.to_string())
    });
    let packages = arguments.packages.iter().map(|package| Job {
        package: package.clone(),
        ..job(package
            .file_name()
            .unwrap_or_default()
            .display()
            .to_string())
    });
    table(arguments, "cameras", cameras)?;
    table(arguments, "images", sizes)?;
    table(arguments, "threads", threads)?;
    table(arguments, "package", packages)?;
    objects(arguments)
}

fn table(
    arguments: &ScalingArguments,
    axis: &str,
    jobs: impl ExactSizeIterator<Item = Job>,
) -> Result<(), Failure> {
    if jobs.len() == 0 {
        return Ok(());
    }
    println!(
        "| {axis} | preprocess | align | network | decode, track | step | whole work | bare run | \
         memory, MiB |\n|---|---|---|---|---|---|---|---|---|"
    );
    let bar = progress::bar("measuring", jobs.len() as u64);
    for job in jobs {
        bar.set_message(job.name.clone());
        bar.tick();
        let row = row(&job.name, &measured(arguments, &job)?)?;
        bar.suspend(|| println!("{row}"));
        bar.inc(1);
    }
    bar.finish_and_clear();
    println!();
    Ok(())
}

/// The report of a benchmark in a process of its own.
fn measured(arguments: &ScalingArguments, job: &Job) -> Result<Report, Failure> {
    let json = std::env::temp_dir().join(format!("bevrt-scaling-{}.json", std::process::id()));
    let program = std::env::current_exe().map_err(Failure::while_doing("finding this program"))?;
    let mut command = Command::new(program);
    command
        .args(["bench", "--mode", "flat-out", "--sets", "4"])
        .args(["--noise", &job.cameras.to_string()])
        .args(["--size", &format!("{}x{}", job.size[0], job.size[1])])
        .args(["--threads", &job.threads.to_string()])
        .args(["--seconds", &arguments.seconds.to_string()])
        .arg("--package")
        .arg(&job.package)
        .arg("--json")
        .arg(&json)
        .stdout(Stdio::null());
    if let Some(precision) = arguments.precision {
        command.args(["--precision", precision.as_str()]);
    }
    if let Some(library) = &arguments.onnxruntime {
        command.arg("--onnxruntime").arg(library);
    }
    let output = command
        .output()
        .map_err(Failure::while_doing("starting `bevrt bench`"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!("row {}: {}", job.name, text.trim())));
    }
    let report = Report::read(&json);
    // A file that stays behind in the system's temporary space does no harm.
    let _ = std::fs::remove_file(&json);
    Ok(report?)
}

fn row(name: &str, report: &Report) -> Result<String, Failure> {
    let mode = report.modes.get("flat_out");
    let mode = mode.ok_or_else(|| Failure::new("the report has no flat-out frames"))?;
    let median = |stage: &str| {
        let times = mode.times.iter().find(|times| times.name == stage);
        times.map_or(f64::NAN, |times| times.p50_ms)
    };
    let decode_and_track = median("decode") + median("track");
    let times = [
        median("preprocess"),
        median("align"),
        median("network"),
        decode_and_track,
        median("from_last_image"),
        median("total"),
        median("bare_run"),
    ];
    let mut cells = times.map(|ms| format!("{ms:.2}"));
    // The step's spread: lowest and highest median of a block.
    let step = mode
        .times
        .iter()
        .find(|times| times.name == "from_last_image");
    let blocks = step.map_or(&[][..], |times| &times.block_medians_ms);
    let least = blocks.iter().copied().fold(f64::INFINITY, f64::min);
    let most = blocks.iter().copied().fold(0.0, f64::max);
    cells[4] += &format!(" ({least:.1} to {most:.1})");
    let memory = report.memory.steady_mib - report.memory.before_mib;
    Ok(format!("| {name} | {} | {memory:.0} |", cells.join(" | ")))
}

fn objects(arguments: &ScalingArguments) -> Result<(), Failure> {
    let manifest = Manifest::from_toml_file(&Path::new(&arguments.package).join(MANIFEST_FILE))?;
    println!("| objects in view | tracked | decode the object head | track |\n|---|---|---|---|");
    for &shown in &arguments.objects {
        let cost = objects_cost(&manifest, shown, OBJECT_FRAMES)?;
        println!(
            "| {} | {} | {:.3} | {:.3} |",
            cost.shown, cost.tracked, cost.decode_ms, cost.track_ms
        );
    }
    Ok(())
}
