//! Logs, replay, metrics and evaluation.

pub mod eval;
pub mod logs;
pub mod metrics;
mod prediction;
pub mod source;
pub mod replay;
mod truth;

pub use prediction::{
    FramePrediction, PredictedArrow, PredictedCrosswalk, PredictedLane, PredictedObject,
    PredictedStopLine,
};
pub use truth::{ArrowTruth, CrosswalkTruth, FrameTruth, LaneTruth, ObjectTruth, StopLineTruth};
