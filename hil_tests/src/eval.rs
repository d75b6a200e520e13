//! Evaluation: simulated clips, or scenes of a nuScenes folder, go through an exported package and
//! this runtime, and are scored.
//!
//! Each clip is drawn once and goes through several pipelines: with the aligned queue, with a
//! queue that is not aligned, with an empty one and, where a package for it is given, through a
//! network trained without a queue. Published scores are those of the output frames of the first;
//! the comparison of the four takes what the heads found, without tracking. The others are given
//! only the frames that are scored or that their queue shows, which changes nothing in what the
//! heads find and saves most of their time.

mod breakdown;
mod comparison;
mod nuscenes;
mod options;
mod report;
mod robustness;
mod run;
mod schedule;
mod scorer;
mod table;
mod thinning;

pub use comparison::{Comparison, ComparisonRow};
pub use nuscenes::{NuscenesEvalOptions, NuscenesReport, evaluate_nuscenes};
pub use options::{Ablation, Contender, EvalOptions};
pub use report::{Column, ConditionScores, EvalReport, metrics_json};
pub use robustness::{RobustnessReport, RobustnessRow, evaluate_robustness, usual_corruptions};
pub use run::{ClipProgress, ClipScores, Contest, EvalError, evaluate, evaluate_by_clip};
pub use schedule::ScoredMoments;
pub use scorer::ReplayScorer;
pub use table::{latency_table, score_lines, score_table};
