//! `bevrt sim`: a simulated drive as a log.

use crate::failure::Failure;
use crate::package::SHIPPED_PACKAGE;
use crate::{progress, rig};
use bevrt_hil::logs::LogWriter;
use bevrt_hil::source::{PictureSize, SimulatedDrive, SimulatedDriveOptions, record};
use bevrt_runtime::{MANIFEST_FILE, Manifest};
use clap::Args;
use std::path::PathBuf;

/// Options of `bevrt sim`.
#[derive(Args)]
pub struct SimArguments {
    /// Seed of the drive: below 900000 for training, to 949999 for tuning, above for tests
    #[arg(long, default_value_t = 950_000)]
    seed: u64,
    /// The log to write
    #[arg(long, default_value = "out/drive.mcap")]
    out: PathBuf,
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
    let mut drive = SimulatedDrive::new(arguments.seed, &rig, manifest.preprocess(), &options);
    let mut writer = LogWriter::create(&arguments.out)?;
    let bar = progress::bar("rendering", drive.frames());
    record(&mut drive, &mut writer, &mut |frame| {
        bar.set_position(frame)
    })?;
    bar.finish();
    writer.finish()?;
    println!(
        "{}: {} frame sets, {:?}, seed {}",
        arguments.out.display(),
        drive.frames(),
        drive.condition(),
        arguments.seed
    );
    Ok(())
}
