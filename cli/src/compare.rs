//! `bevrt compare`: two packages, or two number formats of one, on the same clips.

use crate::failure::Failure;
use crate::package::{EngineArguments, parse_precision};
use crate::train_stream::parse_seeds;
use crate::{progress, rig};
use bevrt_hil::eval::{ClipScores, EvalOptions, compare, evaluate_by_clip};
use bevrt_runtime::{HeadKind, Manifest, Precision};
use clap::Args;
use std::path::{Path, PathBuf};

/// Options of `bevrt compare`.
#[derive(Args)]
pub struct CompareArguments {
    /// Folder of the first package
    first: PathBuf,
    /// Folder of the second package; heads that only one of them has are left out
    second: PathBuf,
    /// Seeds of the clips, FIRST..END
    #[arg(long, default_value = "950000..950040", value_parser = parse_seeds)]
    seeds: (u64, u64),
    #[arg(long, default_value = "six-pinhole", help = rig::RIG_HELP)]
    rig: String,
    /// Frame sets a second
    #[arg(long, default_value_t = 2.0)]
    rate: f64,
    /// Number format of the second package, where it is another one than --precision
    #[arg(long, value_parser = parse_precision)]
    second_precision: Option<Precision>,
    /// Resamples of the clips
    #[arg(long, default_value_t = 1000)]
    resamples: usize,
    /// Write the rows as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Evaluates both and prints the table as Markdown.
pub fn run(arguments: &CompareArguments) -> Result<(), Failure> {
    let precision = arguments.engine.precision();
    let second_precision = arguments.second_precision.or(precision);
    let first = clips(arguments, "first", &arguments.first, precision)?;
    let second = clips(arguments, "second", &arguments.second, second_precision)?;
    let (of_first, of_second) = (heads(&arguments.first)?, heads(&arguments.second)?);
    let shared: Vec<HeadKind> = of_first
        .into_iter()
        .filter(|head| of_second.contains(head))
        .collect();
    let comparison = compare(&first, &second, &shared, arguments.resamples);
    let name = |package: &Path, precision: Option<Precision>| match precision {
        Some(precision) => format!("{} {precision}", package.display()),
        None => package.display().to_string(),
    };
    print!(
        "{}",
        comparison.to_markdown(
            &name(&arguments.first, precision),
            &name(&arguments.second, second_precision)
        )
    );
    match &arguments.json {
        Some(path) => std::fs::write(path, format!("{:#}\n", comparison.to_json()))
            .map_err(Failure::while_doing(path.display())),
        None => Ok(()),
    }
}

fn heads(package: &Path) -> Result<Vec<HeadKind>, Failure> {
    let manifest = Manifest::from_toml_file(&package.join("manifest.toml"))?;
    let heads = manifest.heads().iter();
    Ok(heads.flat_map(|head| head.form.finds()).collect())
}

fn clips(
    arguments: &CompareArguments,
    name: &'static str,
    package: &Path,
    precision: Option<Precision>,
) -> Result<Vec<ClipScores>, Failure> {
    let (first, end) = arguments.seeds;
    let mut options = EvalOptions::new(package, first..end, rig::resolve(&arguments.rig)?);
    options.engine = arguments.engine.options_of_a_worker()?;
    options.precision = precision;
    options.drive.frame_rate_hz = arguments.rate;
    let bar = progress::bar(name, end - first);
    let clips = evaluate_by_clip(&options, &|clip| bar.set_position(clip.finished as u64))?;
    bar.finish_and_clear();
    Ok(clips)
}
