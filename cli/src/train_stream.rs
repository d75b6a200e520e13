//! `bevrt train-stream`: training samples of many drives in step, to standard output.

mod jitter;
mod lane;
mod message;
mod sample;
mod scene_lane;
mod tables;

use crate::failure::Failure;
use crate::nuscenes::NuscenesArguments;
use crate::rig;
use bevrt_hil::nuscenes::NuscenesScene;
use bevrt_runtime::Manifest;
use bevrt_sim::Split;
use clap::Args;
use lane::DriveLane;
use scene_lane::SceneLane;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// Options of `bevrt train-stream`.
#[derive(Args)]
#[command(disable_version_flag = true)]
pub struct TrainStreamArguments {
    /// Seeds of the drives, `FIRST..END`; drives of the test split (950000 and above) are refused
    #[arg(long, default_value = "0..900000", value_parser = parse_seeds, conflicts_with = "root")]
    seeds: (u64, u64),
    /// Drives that advance together; messages of these drives take turns
    #[arg(long, default_value_t = 2)]
    drives: usize,
    /// Seconds of a drive before the next seed takes its place
    #[arg(long, default_value_t = 8.0, conflicts_with = "root")]
    seconds: f64,
    /// Manifest whose preprocessing and lifts the samples are made for
    #[arg(long)]
    manifest: PathBuf,
    /// Rigs that the drives take in turn, separated by commas; each a name of `bevrt rig` or a TOML file
    #[arg(
        long,
        default_value = "six-pinhole",
        value_delimiter = ',',
        conflicts_with = "root"
    )]
    rig: Vec<String>,
    /// Draw pictures this many times larger than the network's input: 2 looks like reduced full-size frames, 1 is faster
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=4), conflicts_with = "root")]
    drawn_larger: u32,
    /// Messages to write, 0 for no end
    #[arg(long, default_value_t = 0)]
    messages: u64,
    /// Leave calibration, cameras and colours as they are (for tuning and tests)
    #[arg(long)]
    no_augmentation: bool,
    #[command(flatten)]
    nuscenes: NuscenesArguments,
}

/// One of the drives that advance together.
trait Lane {
    /// Whether a new drive is due.
    fn is_over(&self) -> bool;

    /// Starts a drive: that of a seed, or the scene at that place.
    ///
    /// # Errors
    /// The drive cannot be set up.
    fn start(&mut self, seed: u64) -> Result<(), Failure>;

    /// Writes the message of the next step.
    ///
    /// # Errors
    /// Those of the writer, and what the drive's pictures lack.
    fn write_sample(&mut self, out: &mut impl Write) -> io::Result<()>;
}

/// Reads `FIRST..END`.
pub fn parse_seeds(text: &str) -> Result<(u64, u64), String> {
    let expected = || format!("expected FIRST..END with FIRST < END, found `{text}`");
    let (first, end) = text.split_once("..").ok_or_else(expected)?;
    let (first, end) = (
        first.parse().map_err(|_| expected())?,
        end.parse().map_err(|_| expected())?,
    );
    if first < end {
        Ok((first, end))
    } else {
        Err(expected())
    }
}

/// Writes messages until the reader closes the pipe or `--messages` is reached.
pub fn run(arguments: &TrainStreamArguments) -> Result<(), Failure> {
    let manifest = Manifest::from_toml_file(&arguments.manifest)?;
    match arguments.nuscenes.load()? {
        Some((_, scenes)) => run_scenes(arguments, &manifest, scenes),
        None => run_simulated(arguments, &manifest),
    }
}

fn run_simulated(arguments: &TrainStreamArguments, manifest: &Manifest) -> Result<(), Failure> {
    let (first, end) = arguments.seeds;
    if Split::of(end - 1) == Split::Test {
        return Err(Failure::new(format!(
            "--seeds: expected seeds of the training or tuning split (below 950000), found {first}..{end}"
        )));
    }
    let rigs = arguments
        .rig
        .iter()
        .map(|name| rig::resolve(name))
        .collect::<Result<Vec<_>, _>>()?;
    let mut lanes = Vec::new();
    for slot in 0..arguments.drives {
        lanes.push(DriveLane::new(
            slot,
            manifest,
            &rigs[slot % rigs.len()],
            arguments.seconds,
            arguments.drawn_larger,
            !arguments.no_augmentation,
        )?);
    }
    write_in_turn(&mut lanes, first..end, arguments.messages)
}

fn run_scenes(
    arguments: &TrainStreamArguments,
    manifest: &Manifest,
    scenes: Vec<NuscenesScene>,
) -> Result<(), Failure> {
    if arguments.drives > scenes.len() {
        return Err(Failure::new(format!(
            "--drives: expected at most one for each scene ({}), found {}",
            scenes.len(),
            arguments.drives
        )));
    }
    let scenes: Arc<[NuscenesScene]> = scenes.into();
    let is_augmented = !arguments.no_augmentation;
    let mut lanes: Vec<SceneLane> = (0..arguments.drives)
        .map(|slot| SceneLane::new(slot, manifest, Arc::clone(&scenes), is_augmented))
        .collect();
    write_in_turn(&mut lanes, 0..scenes.len() as u64, arguments.messages)
}

/// Every lane in turn takes a step; one that is over starts with the next of `seeds`, again and again.
fn write_in_turn(lanes: &mut [impl Lane], seeds: Range<u64>, messages: u64) -> Result<(), Failure> {
    let first = seeds.start;
    let mut seeds = seeds.cycle();
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let mut written = 0;
    loop {
        for lane in &mut *lanes {
            if lane.is_over() {
                lane.start(seeds.next().unwrap_or(first))?;
            }
            match lane.write_sample(&mut out) {
                Ok(()) => written += 1,
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                Err(error) => return Err(Failure::while_doing("writing a sample")(error)),
            }
            if messages > 0 && written >= messages {
                return Ok(());
            }
        }
    }
}
