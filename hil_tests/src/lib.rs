//! Logs, replay, metrics and evaluation: the loop around the runtime.
//!
//! - [`source`] gives drives event by event: simulated ones, drawn as they are needed, and logs.
//! - [`logs`] writes and reads MCAP with Foxglove's schemas.
//! - [`nuscenes`] reads nuScenes v1.0 folders as drives, and writes simulated drives in that form.
//! - [`replay`] sends a drive through pipelines in lockstep and hands out frames, tensors, times.
//! - [`faults`] lets input, package, engine and clocks fail on purpose and judges every frame.
//! - [`soak`] watches long replays: memory, handles, threads, ids.
//! - [`metrics`] compares frames with ground truth; `METRICS.md` defines every score.
//! - [`eval`] does all of that over many clips and reports.
//!
//! ```no_run
//! use bevrt_calibration::rigs;
//! use bevrt_hil::eval::{EvalOptions, evaluate};
//!
//! let options = EvalOptions::new("models/packages/tiny", 950_000..950_040, rigs::six_pinhole());
//! let report = evaluate(&options, &|clip| eprintln!("{} of {}", clip.finished, clip.clips))?;
//! println!("{}", report.to_table());
//! # Ok::<(), bevrt_hil::eval::EvalError>(())
//! ```
//!
//! **Invariant**: the runtime knows nothing of this crate, and ground truth never enters a pipeline.

#![forbid(unsafe_code)]

pub mod eval;
pub mod faults;
pub mod logs;
pub mod metrics;
pub mod nuscenes;
mod prediction;
pub mod replay;
pub mod soak;
pub mod source;
mod truth;

pub use prediction::{
    FramePrediction, PredictedArrow, PredictedCrosswalk, PredictedLane, PredictedObject,
    PredictedStopLine,
};
pub use truth::{ArrowTruth, CrosswalkTruth, FrameTruth, LaneTruth, ObjectTruth, StopLineTruth};
