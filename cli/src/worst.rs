//! `bevrt worst`: the clips that a package does worst on, each with a page to see why.

use crate::demo::{self, ShownDrive};
use crate::failure::Failure;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::player::filled;
use crate::train_stream::parse_seeds;
use crate::{progress, rig};
use bevrt_hil::eval::{EvalOptions, evaluate_by_clip};
use bevrt_hil::metrics::Scores;
use bevrt_hil::source::PictureSize;
use bevrt_runtime::{MANIFEST_FILE, Manifest};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

const TEMPLATE: &str = include_str!("worst.html");

type ScoreOf = fn(&Scores) -> Option<f64>;

/// What clips are ranked by.
const RANKED: [(&str, ScoreOf); 5] = [
    ("objects mAP within 30 m", |scores| {
        Some(scores.near_objects.mean_average_precision)
    }),
    ("lanes F1", |scores| Some(scores.lanes.f1.f1)),
    ("arrows AP", |scores| scores.arrows.average_precision),
    ("crosswalks AP", |scores| {
        scores.crosswalks.average_precision[0]
    }),
    ("stop lines AP", |scores| {
        scores.stop_lines.average_precision[0]
    }),
];

/// Options of `bevrt worst`.
#[derive(Args)]
pub struct WorstArguments {
    /// Folder of the model package
    #[arg(long, default_value = SHIPPED_PACKAGE)]
    package: PathBuf,
    /// Seeds of the clips, FIRST..END; 900000 to 949999 are for tuning, so what is learnt from them spoils no test
    #[arg(long, default_value = "900000..900040", value_parser = parse_seeds)]
    seeds: (u64, u64),
    #[arg(long, default_value = "six-pinhole", help = rig::RIG_HELP)]
    rig: String,
    /// Clips that get a page, for each task
    #[arg(long, default_value_t = 2)]
    pages: usize,
    /// Seconds of a clip, of which the first two are not scored
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Folder of the pages
    #[arg(long, default_value = "out/worst")]
    out: PathBuf,
    #[command(flatten)]
    engine: EngineArguments,
}

/// A clip and its scores, in the order of [`RANKED`]; `None` where there was nothing to find.
struct Clip {
    seed: u64,
    condition: &'static str,
    scores: Vec<Option<f64>>,
}

/// Evaluates the clips, draws the worst ones, and writes the page that leads to them.
pub fn run(arguments: &WorstArguments) -> Result<(), Failure> {
    let (first, end) = arguments.seeds;
    let rig = rig::resolve(&arguments.rig)?;
    let manifest = Manifest::from_toml_file(&arguments.package.join(MANIFEST_FILE))?;
    let mut options = EvalOptions::new(&arguments.package, first..end, rig.clone());
    options.engine = arguments.engine.options_of_a_worker()?;
    options.precision = arguments.engine.precision();
    options.drive.duration_s = arguments.seconds;
    let bar = progress::bar("clips", end - first);
    let contest = evaluate_by_clip(&options, &|clip| bar.set_position(clip.finished as u64))?;
    bar.finish_and_clear();
    let clips: Vec<Clip> = contest
        .clips
        .iter()
        .map(|clip| {
            let scores = clip.published[0].scores();
            Clip {
                seed: clip.seed,
                condition: clip.condition.name(),
                scores: RANKED.iter().map(|(_, of)| of(&scores)).collect(),
            }
        })
        .collect();
    let worst = worst_of(&clips, arguments.pages);
    for &seed in &worst {
        demo::show(&ShownDrive {
            package: &arguments.package,
            engine: &arguments.engine,
            seed,
            seconds: arguments.seconds,
            rate_hz: options.drive.frame_rate_hz,
            rig: &rig,
            size: PictureSize::TimesNetwork(2),
            out: &arguments.out.join(seed.to_string()),
        })?;
    }
    let rows = clips.iter().map(|clip| {
        let page = worst.contains(&clip.seed);
        json!({
            "seed": clip.seed,
            "condition": clip.condition,
            "scores": clip.scores,
            "page": page.then(|| format!("{}/{}", clip.seed, demo::PAGE)),
        })
    });
    let data = json!({
        "title": format!("{} {}", manifest.name(), manifest.version()),
        "columns": RANKED.map(|(name, _)| name),
        "clips": Value::Array(rows.collect()),
    });
    let page = arguments.out.join(demo::PAGE);
    std::fs::create_dir_all(&arguments.out)
        .map_err(Failure::while_doing(arguments.out.display()))?;
    std::fs::write(&page, filled(TEMPLATE, &data)).map_err(Failure::while_doing(page.display()))?;
    println!("\nlook at      {}", page.display());
    Ok(())
}

/// Seeds of the `count` worst clips of each task, each once, in order.
fn worst_of(clips: &[Clip], count: usize) -> Vec<u64> {
    let mut seeds = Vec::new();
    for task in 0..RANKED.len() {
        let mut ranked: Vec<_> = clips
            .iter()
            .filter_map(|clip| Some((clip.scores[task]?, clip.seed)))
            .collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        seeds.extend(ranked.iter().take(count).map(|&(_, seed)| seed));
    }
    seeds.sort_unstable();
    seeds.dedup();
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_each_task_are_taken_once_and_clips_with_nothing_to_find_never() {
        let clip = |seed, arrows, lanes| Clip {
            seed,
            condition: "day",
            scores: vec![Some(0.5), Some(lanes), arrows, Some(0.9), None],
        };
        let clips = [
            clip(7, Some(0.1), 0.9),
            clip(8, None, 0.8),
            clip(9, Some(0.6), 0.2),
        ];
        assert_eq!(worst_of(&clips, 1), [7, 9]);
        assert_eq!(worst_of(&clips, 2), [7, 8, 9]);
    }
}
