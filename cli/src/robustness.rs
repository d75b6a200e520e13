//! `bevrt robustness`: how the scores stand worse input.

use crate::failure::Failure;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::train_stream::parse_seeds;
use crate::{progress, rig};
use bevrt_calibration::Rig;
use bevrt_hil::eval::{EvalOptions, evaluate_robustness, usual_corruptions};
use bevrt_hil::source::Corruption;
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
    /// Only rows with one of these words in their names, separated by commas, such as `calibration,mounts`; clean input always comes first
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    only: Vec<String>,
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
    let corruptions = chosen(&usual_corruptions(&rig), &rig, &arguments.only)?;
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

/// The corruptions with one of these words in their names; all where there are no words.
fn chosen(
    corruptions: &[Corruption],
    rig: &Rig,
    words: &[String],
) -> Result<Vec<Corruption>, Failure> {
    let names: Vec<String> = corruptions.iter().map(|c| c.name(rig)).collect();
    if let Some(word) = words
        .iter()
        .find(|word| !names.iter().any(|name| name.contains(*word)))
    {
        return Err(Failure::new(format!(
            "--only: expected words of these names: {}; found `{word}`",
            names.join("; ")
        )));
    }
    let is_chosen =
        |name: &String| words.is_empty() || words.iter().any(|word| name.contains(word));
    let pairs = corruptions.iter().zip(&names);
    Ok(pairs
        .filter(|(_, name)| is_chosen(name))
        .map(|(c, _)| *c)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevrt_calibration::rigs;

    fn names(words: &[&str]) -> Result<Vec<String>, Failure> {
        let rig = rigs::six_pinhole();
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        let chosen = chosen(&usual_corruptions(&rig), &rig, &words)?;
        Ok(chosen.iter().map(|c| c.name(&rig)).collect())
    }

    #[test]
    fn rows_are_chosen_by_words_of_their_names() {
        let all = names(&[]).expect("no word is asked for");
        let few = names(&["fog", "calibration off"]).expect("both are there");
        assert!(few.len() > 8 && few.len() < all.len(), "{few:?}");
        assert!(
            few.iter()
                .all(|name| name == "fog" || name.contains("calibration off"))
        );
    }

    #[test]
    fn a_word_of_no_name_is_refused_with_the_names() {
        let error = names(&["fog", "hail"])
            .expect_err("there is no hail")
            .to_string();
        assert!(
            error.contains("`hail`") && error.contains("rain"),
            "{error}"
        );
    }
}
