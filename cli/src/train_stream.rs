//! `bevrt train-stream`: training samples of many drives in step, to standard output.

mod jitter;
mod lane;
mod message;
mod sample;

use crate::failure::Failure;
use crate::rig;
use bevrt_runtime::Manifest;
use bevrt_sim::Split;
use clap::Args;
use lane::DriveLane;
use std::io::{BufWriter, ErrorKind};
use std::path::PathBuf;

/// Options of `bevrt train-stream`.
#[derive(Args)]
pub struct TrainStreamArguments {
    /// Seeds of the drives, `FIRST..END`; drives of the test split (950000 and above) are refused
    #[arg(long, default_value = "0..900000", value_parser = parse_seeds)]
    seeds: (u64, u64),
    /// Drives that advance together; messages of these drives take turns
    #[arg(long, default_value_t = 2)]
    drives: usize,
    /// Seconds of a drive before the next seed takes its place
    #[arg(long, default_value_t = 8.0)]
    seconds: f64,
    /// Manifest whose preprocessing and lifts the samples are made for
    #[arg(long)]
    manifest: PathBuf,
    /// Rigs that the drives take in turn, separated by commas; each a name of `bevrt rig` or a TOML file
    #[arg(long, default_value = "six-pinhole", value_delimiter = ',')]
    rig: Vec<String>,
    /// Draw pictures this many times larger than the network's input: 2 looks like reduced full-size frames, 1 is faster
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=4))]
    drawn_larger: u32,
    /// Messages to write, 0 for no end
    #[arg(long, default_value_t = 0)]
    messages: u64,
    /// Leave calibration, cameras and colours as they are (for tuning and tests)
    #[arg(long)]
    no_augmentation: bool,
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
    let (first, end) = arguments.seeds;
    if Split::of(end - 1) == Split::Test {
        return Err(Failure::new(format!(
            "--seeds: expected seeds of the training or tuning split (below 950000), found {first}..{end}"
        )));
    }
    let manifest = Manifest::from_toml_file(&arguments.manifest)?;
    let rigs = arguments
        .rig
        .iter()
        .map(|name| rig::resolve(name))
        .collect::<Result<Vec<_>, _>>()?;
    let mut seeds = (first..end).cycle();
    let mut lanes = Vec::new();
    for slot in 0..arguments.drives {
        lanes.push(DriveLane::new(
            slot,
            &manifest,
            &rigs[slot % rigs.len()],
            arguments.seconds,
            arguments.drawn_larger,
            !arguments.no_augmentation,
        )?);
    }
    let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    let mut written = 0;
    loop {
        for lane in &mut lanes {
            if lane.is_over() {
                lane.start(seeds.next().unwrap_or(first))?;
            }
            match lane.write_sample(&mut out) {
                Ok(()) => written += 1,
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                Err(error) => return Err(Failure::while_doing("writing a sample")(error)),
            }
            if arguments.messages > 0 && written >= arguments.messages {
                return Ok(());
            }
        }
    }
}
