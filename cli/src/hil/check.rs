//! `bevrt hil check`: the gate: are the frames of some drives what they were?

mod baseline;
mod observe;
mod page;
mod verdict;

use crate::failure::Failure;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::rig;
use crate::train_stream::parse_seeds;
use baseline::{Baseline, Origin};
use clap::Args;
use std::path::{Path, PathBuf};
use verdict::{Limits, Verdict, judge};

/// Options of `bevrt hil check`.
#[derive(Args)]
#[command(disable_version_flag = true)]
pub struct CheckArguments {
    /// What was before
    #[arg(long, value_name = "JSON")]
    baseline: PathBuf,
    /// Write it instead of comparing with it
    #[arg(long)]
    write: bool,
    /// With --write: recorded drives
    #[arg(requires = "write")]
    logs: Vec<PathBuf>,
    /// With --write and without logs: simulated drives, FIRST..END
    #[arg(long, default_value = "950000..950003", value_parser = parse_seeds)]
    seeds: (u64, u64),
    /// With --write: seconds of each simulated drive
    #[arg(long, default_value_t = 6.0)]
    seconds: f64,
    /// With --write: frame sets a second of simulated drives
    #[arg(long, default_value_t = 10.0)]
    rate: f64,
    /// Times that each drive is driven: the frames must be the same, the times tell the noise
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    repeats: u32,
    /// What a score may be lower where bytes cannot be compared
    #[arg(long, default_value_t = 0.02)]
    tolerance: f64,
    /// Do not compare latency: the machine is busy with other things
    #[arg(long)]
    no_latency: bool,
    /// Where frames that differ are shown, before and after
    #[arg(long, default_value = "out/check.html")]
    page: PathBuf,
    /// Folder of the model package
    #[arg(long, default_value = SHIPPED_PACKAGE)]
    package: PathBuf,
    #[arg(long, default_value = "six-pinhole", help = rig::RIG_HELP)]
    rig: String,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Writes the baseline, or compares with it and fails on what is worse.
pub fn run(arguments: &CheckArguments) -> Result<(), Failure> {
    let before = if arguments.write {
        None
    } else {
        Some(Baseline::read(&arguments.baseline)?)
    };
    let origins = match &before {
        Some(before) => before.origins(),
        None => origins(arguments),
    };
    let now = observe::observe(arguments, &origins)?;
    let Some(before) = before else {
        let bytes = now.write(&arguments.baseline)?;
        println!(
            "{}: {} drives, {} frames, {} KiB",
            arguments.baseline.display(),
            origins.len(),
            now.frame_count(),
            bytes.div_ceil(1024)
        );
        return Ok(());
    };
    let limits = Limits {
        score: arguments.tolerance,
        compares_latency: !arguments.no_latency,
    };
    let verdict = judge(&before, &now, limits);
    print!("{}", verdict.to_text());
    if verdict.problems.is_empty() {
        return Ok(());
    }
    if !verdict.differing.is_empty() {
        write_page(&arguments.page, &before, &now, &verdict)?;
        println!("frames that differ: {}", arguments.page.display());
    }
    Err(Failure::new(verdict.problems.join("; ")))
}

fn origins(arguments: &CheckArguments) -> Vec<Origin> {
    if !arguments.logs.is_empty() {
        let logs = arguments.logs.iter();
        return logs.map(|log| Origin::Log { path: log.clone() }).collect();
    }
    let (first, end) = arguments.seeds;
    let seeds = (first..end).map(|seed| Origin::Simulated {
        seed,
        seconds: arguments.seconds,
        rate_hz: arguments.rate,
        rig: arguments.rig.clone(),
    });
    seeds.collect()
}

fn write_page(
    path: &Path,
    before: &Baseline,
    now: &Baseline,
    verdict: &Verdict,
) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Failure::while_doing(folder.display()))?;
    }
    std::fs::write(path, page::html(before, now, verdict))
        .map_err(Failure::while_doing(path.display()))
}
