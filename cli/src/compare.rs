//! `bevrt compare`: packages, or number formats of one, on the same clips.

use crate::failure::Failure;
use crate::package::{EngineArguments, parse_precision};
use crate::train_stream::parse_seeds;
use crate::{progress, rig};
use bevrt_hil::eval::{Ablation, Contender, EvalOptions, evaluate_by_clip};
use bevrt_runtime::{HeadKind, MANIFEST_FILE, Manifest, Precision};
use clap::Args;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Options of `bevrt compare`.
#[derive(Args)]
pub struct CompareArguments {
    /// Folder of the package that the others are compared with
    first: PathBuf,
    /// Folders of the others; heads that only one of two has are left out
    #[arg(required = true)]
    others: Vec<PathBuf>,
    /// Seeds of the clips, FIRST..END
    #[arg(long, default_value = "950000..950040", value_parser = parse_seeds)]
    seeds: (u64, u64),
    #[arg(long, default_value = "six-pinhole", help = rig::RIG_HELP)]
    rig: String,
    /// Frame sets a second
    #[arg(long, default_value_t = 2.0)]
    rate: f64,
    /// Number format of the other packages, where it is another one than --precision
    #[arg(long, value_parser = parse_precision)]
    other_precision: Option<Precision>,
    /// Resamples of the clips
    #[arg(long, default_value_t = 1000)]
    resamples: usize,
    /// Write the rows as JSON, a list with one entry for each other package
    #[arg(long)]
    json: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Evaluates all of them on the same pictures and prints a table in Markdown for each other one.
pub fn run(arguments: &CompareArguments) -> Result<(), Failure> {
    let (first, end) = arguments.seeds;
    let precision = arguments.engine.precision();
    let other_precision = arguments.other_precision.or(precision);
    let mut options = EvalOptions::new(&arguments.first, first..end, rig::resolve(&arguments.rig)?);
    options.engine = arguments.engine.options_of_a_worker()?;
    options.precision = precision;
    options.drive.frame_rate_hz = arguments.rate;
    let contenders = arguments.others.iter().map(|package| Contender {
        package: package.clone(),
        precision: other_precision,
    });
    options.ablation = Ablation::Contenders(contenders.collect());
    let bar = progress::bar("clips", end - first);
    let contest = evaluate_by_clip(&options, &|clip| bar.set_position(clip.finished as u64))?;
    bar.finish_and_clear();
    let of_first = heads(&arguments.first)?;
    let mut report = Vec::new();
    let steps = arguments.resamples * arguments.others.len();
    let bar = progress::bar("resamples", steps as u64);
    for (place, other) in arguments.others.iter().enumerate() {
        let mut shared = heads(other)?;
        shared.retain(|head| of_first.contains(head));
        let comparison = contest.compare(place + 1, &shared, arguments.resamples, &|| bar.inc(1));
        let table = comparison.to_markdown(
            &name(&arguments.first, precision),
            &name(other, other_precision),
        );
        bar.suspend(|| println!("{table}"));
        report.push(comparison.to_json());
    }
    bar.finish_and_clear();
    match &arguments.json {
        Some(path) => std::fs::write(path, format!("{:#}\n", Value::Array(report)))
            .map_err(Failure::while_doing(path.display())),
        None => Ok(()),
    }
}

fn name(package: &Path, precision: Option<Precision>) -> String {
    match precision {
        Some(precision) => format!("{} {precision}", package.display()),
        None => package.display().to_string(),
    }
}

fn heads(package: &Path) -> Result<Vec<HeadKind>, Failure> {
    let manifest = Manifest::from_toml_file(&package.join(MANIFEST_FILE))?;
    let heads = manifest.heads().iter();
    Ok(heads.flat_map(|head| head.form.finds()).collect())
}
