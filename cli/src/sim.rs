//! `bevrt sim`: a simulated drive as a log, or several as a nuScenes folder.

use crate::failure::Failure;
use crate::package::SHIPPED_PACKAGE;
use crate::train_stream::parse_seeds;
use crate::{progress, rig};
use bevrt_calibration::Rig;
use bevrt_hil::logs::LogWriter;
use bevrt_hil::nuscenes::{EXPORT_VERSION, ExportOptions, NuscenesExport};
use bevrt_hil::source::{PictureSize, SimulatedDrive, SimulatedDriveOptions, record};
use bevrt_runtime::{MANIFEST_FILE, Manifest};
use clap::Args;
use std::path::{Path, PathBuf};

/// Options of `bevrt sim`.
#[derive(Args)]
pub struct SimArguments {
    /// Seed of the drive: below 900000 for training, to 949999 for tuning, above for tests
    #[arg(long, default_value_t = 950_000)]
    seed: u64,
    /// The log to write
    #[arg(long, default_value = "out/drive.mcap")]
    out: PathBuf,
    /// Write a nuScenes v1.0 folder here instead of a log, with a scene for each of --seeds
    #[arg(long, value_name = "OUT", requires = "seeds", conflicts_with_all = ["out", "seed"])]
    nuscenes: Option<PathBuf>,
    /// Seeds of the scenes of --nuscenes, FIRST..END
    #[arg(long, value_parser = parse_seeds, requires = "nuscenes")]
    seeds: Option<(u64, u64)>,
    /// Length
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Frame sets a second
    #[arg(long, default_value_t = 10.0)]
    rate: f64,
    #[arg(long, default_value = "six-pinhole", help = rig::RIG_HELP)]
    rig: String,
    /// Largest exposure skew between cameras, milliseconds
    #[arg(long, default_value_t = 0.0)]
    skew_ms: f64,
    /// Draw what a network sees at this many times its input's size instead of the cameras' full size
    #[arg(long)]
    times_network: Option<u32>,
    /// Package whose preprocessing is meant by --times-network
    #[arg(long, default_value = SHIPPED_PACKAGE)]
    package: PathBuf,
}

/// Renders and records the drive.
pub fn run(arguments: &SimArguments) -> Result<(), Failure> {
    let manifest = Manifest::from_toml_file(&arguments.package.join(MANIFEST_FILE))?;
    let options = SimulatedDriveOptions {
        duration_s: arguments.seconds,
        frame_rate_hz: arguments.rate,
        size: arguments
            .times_network
            .map_or(PictureSize::Full, PictureSize::TimesNetwork),
        camera_skew_s: arguments.skew_ms * 1e-3,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        ..SimulatedDriveOptions::default()
    };
    let rig = rig::resolve(&arguments.rig)?;
    if let (Some(root), Some(seeds)) = (&arguments.nuscenes, arguments.seeds) {
        return export(root, seeds, &rig, &manifest, &options);
    }
    let mut drive = SimulatedDrive::new(arguments.seed, &rig, manifest.preprocess(), &options);
    write_log(&mut drive, &arguments.out)?;
    println!(
        "{}: {} frame sets, {:?}, seed {}",
        arguments.out.display(),
        drive.frames(),
        drive.condition(),
        arguments.seed
    );
    Ok(())
}

/// Renders a drive into a log.
pub fn write_log(drive: &mut SimulatedDrive, out: &Path) -> Result<(), Failure> {
    let mut writer = LogWriter::create(out)?;
    let bar = progress::bar("rendering", drive.frames());
    record(drive, &mut writer, &mut |frame| bar.set_position(frame))?;
    bar.finish_and_clear();
    writer.finish()?;
    Ok(())
}

/// Writes the drives of some seeds as a nuScenes folder.
fn export(
    root: &Path,
    (first, end): (u64, u64),
    rig: &Rig,
    manifest: &Manifest,
    options: &SimulatedDriveOptions,
) -> Result<(), Failure> {
    let export_options = ExportOptions {
        frame_rate_hz: options.frame_rate_hz,
        ..ExportOptions::default()
    };
    let mut export = NuscenesExport::create(root, export_options)?;
    let bar = progress::bar("rendering", 0);
    for seed in first..end {
        let mut drive = SimulatedDrive::new(seed, rig, manifest.preprocess(), options);
        bar.set_length(drive.frames() * (end - first));
        export.add_drive(seed, &mut drive, &mut || bar.inc(1))?;
    }
    bar.finish();
    export.finish()?;
    println!(
        "{}: {} scenes, version {EXPORT_VERSION}",
        root.display(),
        end - first
    );
    Ok(())
}
