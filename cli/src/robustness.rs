//! `bevrt robustness`: how the scores stand worse input.

use crate::failure::Failure;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::train_stream::parse_seeds;
use crate::{progress, rig};
use bevrt_hil::eval::{EvalOptions, evaluate_robustness, usual_corruptions};
use clap::Args;
use std::path::PathBuf;

/// Options of `bevrt robustness`.
#[derive(Args)]
pub struct RobustnessArguments {
    /// Folder of the model package
    #[arg(long, default_value = SHIPPED_PACKAGE)]
    package: PathBuf,
    /// Seeds of the clips, FIRST..END; all of them by day, except where the light is the question
    #[arg(long, default_value = "950000..950012", value_parser = parse_seeds)]
    seeds: (u64, u64),
    #[arg(long, default_value = "six-pinhole", help = rig::RIG_HELP)]
    rig: String,
    /// Frame sets a second
    #[arg(long, default_value_t = 2.0)]
    rate: f64,
    /// Write the rows as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Evaluates and prints the table as Markdown.
pub fn run(arguments: &RobustnessArguments) -> Result<(), Failure> {
    let (first, end) = arguments.seeds;
    let rig = rig::resolve(&arguments.rig)?;
    let corruptions = usual_corruptions(&rig);
    let mut options = EvalOptions::new(&arguments.package, first..end, rig);
    options.engine = arguments.engine.options_of_a_worker()?;
    options.precision = arguments.engine.precision();
    options.drive.frame_rate_hz = arguments.rate;
    let clips = (end - first) * (corruptions.len() as u64 + 1);
    let bar = progress::bar("clips", clips);
    let report = evaluate_robustness(&options, &corruptions, &|name, _| {
        bar.set_message(name.to_owned());
        bar.inc(1);
    })?;
    bar.finish_and_clear();
    print!("{}", report.to_markdown());
    match &arguments.json {
        Some(path) => std::fs::write(path, format!("{:#}\n", report.to_json()))
            .map_err(Failure::while_doing(path.display())),
        None => Ok(()),
    }
}
