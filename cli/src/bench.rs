//! `bevrt bench`: the whole step, measured on this machine.

use crate::failure::Failure;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::{allocations, progress, rig};
use bevrt_benches::{
    BenchOptions, Machine, Measured, Mode, Modes, Recording, Report, compare, measure, report,
    write_picture, write_trace,
};
use bevrt_calibration::Rig;
use bevrt_hil::replay::TensorDump;
use bevrt_hil::source::{
    DriveSource, LogDrive, LogDriveOptions, PictureSize, SimulatedDrive, SimulatedDriveOptions,
};
use bevrt_runtime::{MANIFEST_FILE, Manifest, Span};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Options of `bevrt bench`.
#[derive(Args)]
pub struct BenchArguments {
    /// Folder of the model package
    #[arg(long, default_value = SHIPPED_PACKAGE)]
    package: PathBuf,
    #[command(flatten)]
    engine: EngineArguments,
    #[arg(long, help = format!("{}; six-pinhole by default", rig::RIG_HELP))]
    rig: Option<String>,
    /// Seed of the simulated drive that the frames are drawn from
    #[arg(long, default_value_t = 950_007)]
    seed: u64,
    /// Largest exposure skew between the simulated cameras, milliseconds
    #[arg(long, default_value_t = 10.0)]
    skew_ms: f64,
    /// Take the frames from a log instead; pictures become NV12
    #[arg(long, conflicts_with_all = ["seed", "skew_ms"])]
    log: Option<PathBuf>,
    /// Take the frames from a folder that --dump-frames wrote
    #[arg(long, value_name = "DIR", conflicts_with_all = ["log", "seed", "skew_ms", "sets", "rig", "dump_frames"])]
    frames: Option<PathBuf>,
    /// Take frames of noise instead, for so many cameras all around
    #[arg(long, value_name = "CAMERAS", conflicts_with_all = ["log", "frames", "seed", "skew_ms", "rig"])]
    noise: Option<usize>,
    /// With --noise: size of the images
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "1600x900", value_parser = parse_size)]
    size: [u32; 2],
    /// Frame sets that are kept in memory and gone through round and round, at least 2
    #[arg(long, default_value_t = 20)]
    sets: usize,
    /// How long each mode is measured
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// How frames are fed
    #[arg(long, value_enum, default_value_t = ModeName::Both)]
    mode: ModeName,
    /// Give the network a thread of its own; flat out, the next set's images are taken meanwhile
    #[arg(long)]
    overlap: bool,
    /// A frame that takes longer has missed its deadline; by default the time between frame sets
    #[arg(long)]
    deadline_ms: Option<f64>,
    /// Write the report as JSON (format: benches/README.md)
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write every frame's stages as a trace for Perfetto or Chrome
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Write stage bars, histogram and timeline as an SVG picture
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Fail if anything is slower than in this JSON report, beyond the noise of both
    #[arg(long, value_name = "OLD.json")]
    compare: Option<PathBuf>,
    /// With --compare: judge this JSON report instead of measuring a new one
    #[arg(long, value_name = "NEW.json", requires = "compare")]
    report: Option<PathBuf>,
    /// Write the frames, the cameras and the network's inputs of three frames into a folder for
    /// other programs, and stop
    #[arg(long, value_name = "DIR")]
    dump_frames: Option<PathBuf>,
}

/// How frames are fed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ModeName {
    /// Paced and flat out, in turn
    Both,
    /// Each image when its camera gives it
    Paced,
    /// One set after another, each followed by a bare run of the network
    FlatOut,
}

/// Frames whose tensors are dumped.
const DUMPED_FRAMES: usize = 3;

/// Measures, reports, and compares.
pub fn run(arguments: &BenchArguments) -> Result<(), Failure> {
    check(arguments)?;
    let old = arguments.compare.as_deref().map(Report::read).transpose()?;
    if let (Some(old), Some(new)) = (&old, &arguments.report) {
        return judge(old, &Report::read(new)?);
    }
    // Drawing frames loads the machine: it is looked at before.
    let machine = Machine::now();
    let recording = recording(arguments)?;
    let options = options(arguments, &recording)?;
    if let Some(folder) = &arguments.dump_frames {
        return dump(&recording, &options, folder);
    }
    let bar = progress::bar("measuring", 100);
    let measured = measure(&recording, &options, &|share| {
        bar.set_position((100.0 * share) as u64)
    })?;
    bar.finish_and_clear();
    let report = report(&measured, &recording, &options, machine)?;
    print!("{}", report.to_table());
    write(arguments, &recording, &measured, &report)?;
    match old {
        Some(old) => judge(&old, &report),
        None => Ok(()),
    }
}

fn check(arguments: &BenchArguments) -> Result<(), Failure> {
    let is_positive = |value: f64| value.is_finite() && value > 0.0;
    if !is_positive(arguments.seconds) {
        let found = arguments.seconds;
        return Err(Failure::new(format!(
            "--seconds: expected more than 0, found {found}"
        )));
    }
    if let Some(found) = arguments.deadline_ms.filter(|ms| !is_positive(*ms)) {
        return Err(Failure::new(format!(
            "--deadline-ms: expected more than 0, found {found}"
        )));
    }
    if arguments.sets < 2 {
        let found = arguments.sets;
        return Err(Failure::new(format!(
            "--sets: expected 2 or more, found {found}: a camera never gives the same image twice"
        )));
    }
    Ok(())
}

/// Reads a size such as `1600x900`.
pub fn parse_size(text: &str) -> Result<[u32; 2], String> {
    let numbers = text
        .split_once('x')
        .and_then(|(width, height)| Some([width.parse().ok()?, height.parse().ok()?]));
    numbers.ok_or_else(|| format!("expected a size such as 1600x900, found `{text}`"))
}

/// Brings the frames into memory.
fn recording(arguments: &BenchArguments) -> Result<Recording, Failure> {
    if let Some(folder) = &arguments.frames {
        return Ok(Recording::read(folder)?);
    }
    if let Some(cameras) = arguments.noise {
        let rig = bevrt_benches::ring_rig(cameras, arguments.size)?;
        return Ok(Recording::noise(rig, arguments.sets)?);
    }
    if let Some(log) = &arguments.log {
        let rig = arguments.rig.as_deref().map(rig::resolve).transpose()?;
        let ego_motion = None;
        let mut drive = LogDrive::open(
            log,
            LogDriveOptions {
                rig,
                ego_motion,
                ..LogDriveOptions::default()
            },
        )?;
        let name = log.file_name().unwrap_or_default().to_string_lossy();
        let description = format!("log {name}, {} sets", arguments.sets);
        return taken(&mut drive, arguments.sets, description);
    }
    let rig = rig::resolve(arguments.rig.as_deref().unwrap_or("six-pinhole"))?;
    simulated(arguments, &rig)
}

fn simulated(arguments: &BenchArguments, rig: &Rig) -> Result<Recording, Failure> {
    let manifest = Manifest::from_toml_file(&arguments.package.join(MANIFEST_FILE))?;
    let options = SimulatedDriveOptions::default();
    let options = SimulatedDriveOptions {
        duration_s: arguments.sets as f64 / options.frame_rate_hz,
        size: PictureSize::Full,
        camera_skew_s: 1e-3 * arguments.skew_ms,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        ..options
    };
    let mut drive = SimulatedDrive::new(arguments.seed, rig, manifest.preprocess(), &options);
    let description = format!(
        "simulation world {}, seed {}, {} sets at {} Hz, skew up to {} ms",
        bevrt_sim::WORLD_VERSION,
        arguments.seed,
        arguments.sets,
        options.frame_rate_hz,
        arguments.skew_ms
    );
    taken(&mut drive, arguments.sets, description)
}

fn taken(
    drive: &mut dyn DriveSource,
    sets: usize,
    description: String,
) -> Result<Recording, Failure> {
    let bar = progress::spinner("taking frames");
    let recording = Recording::from_drive(drive, sets, description)?;
    bar.finish_and_clear();
    Ok(recording)
}

fn options(arguments: &BenchArguments, recording: &Recording) -> Result<BenchOptions, Failure> {
    let mut options = BenchOptions::new(&arguments.package, recording);
    options.pipeline.engine = arguments.engine.options()?;
    options.pipeline.precision = arguments.engine.precision();
    options.seconds = arguments.seconds;
    options.modes = match arguments.mode {
        ModeName::Both => Modes::Both,
        ModeName::Paced => Modes::Only(Mode::Paced),
        ModeName::FlatOut => Modes::Only(Mode::FlatOut),
    };
    options.deadline = arguments
        .deadline_ms
        .map(|ms| Span::from_seconds(1e-3 * ms));
    options.has_overlap = arguments.overlap;
    options.allocations = Some(allocations::of_this_thread);
    Ok(options)
}

fn dump(recording: &Recording, options: &BenchOptions, folder: &Path) -> Result<(), Failure> {
    recording.write(folder)?;
    let mut dump = TensorDump::new(folder.join("tensors"), DUMPED_FRAMES);
    bevrt_benches::visit_frames(recording, options, DUMPED_FRAMES, &mut |pipeline| {
        dump.write(pipeline)
    })?;
    println!(
        "{}: {} sets, tensors of {} frames",
        folder.display(),
        recording.sets(),
        dump.written()
    );
    Ok(())
}

fn write(
    arguments: &BenchArguments,
    recording: &Recording,
    measured: &Measured,
    report: &Report,
) -> Result<(), Failure> {
    let cameras = recording.rig().cameras().iter();
    let cameras: Vec<String> = cameras.map(|camera| camera.name.clone()).collect();
    if let Some(path) = &arguments.json {
        report.write(path)?;
        println!("report: {}", path.display());
    }
    if let Some(path) = &arguments.trace {
        write_trace(path, &measured.samples, &cameras, arguments.overlap)?;
        println!("trace: {} (ui.perfetto.dev opens it)", path.display());
    }
    if let Some(path) = &arguments.picture {
        write_picture(path, report, &measured.samples)?;
        println!("picture: {}", path.display());
    }
    Ok(())
}

fn judge(old: &Report, new: &Report) -> Result<(), Failure> {
    let comparison = compare(old, new)?;
    print!("\n{}", comparison.to_table());
    match comparison.failure() {
        Some(failure) => Err(Failure::new(failure)),
        None => {
            println!("nothing is slower beyond the noise");
            Ok(())
        }
    }
}
