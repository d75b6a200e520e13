//! Logs, replay, metrics and evaluation.

pub mod logs;
pub mod metrics;
mod prediction;
mod truth;

pub use prediction::{
    FramePrediction, PredictedArrow, PredictedCrosswalk, PredictedLane, PredictedObject,
    PredictedStopLine,
};
pub use truth::{ArrowTruth, CrosswalkTruth, FrameTruth, LaneTruth, ObjectTruth, StopLineTruth};
