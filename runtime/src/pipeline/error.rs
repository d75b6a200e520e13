//! The two tiers of errors: set-up with words, the frame path without.

use std::error::Error;
use std::fmt;

use bevrt_calibration::CalibrationError;

use crate::ego_motion::EgoMotionSetupError;
use crate::engine::{EngineError, EngineLoadError, HistoryError};
use crate::feature_queue::{QueueError, QueueSetupError};
use crate::golden::GoldenError;
use crate::package::PackageError;
use crate::preprocess::PreprocessSetupError;
use crate::sync::{SyncRefusal, SyncSetupError};
use crate::threads::ThreadError;

/// Why a pipeline cannot be made, or a calibration not be taken.
#[derive(Debug)]
pub enum SetupError {
    /// The model package is wrong.
    Package(PackageError),
    /// The network cannot be loaded.
    Engine(EngineLoadError),
    /// The golden cases cannot be run, or they fail.
    Golden(GoldenError),
    /// Rig and lifts do not fit together.
    Calibration(CalibrationError),
    /// Images of a camera cannot be preprocessed.
    Images {
        /// The camera.
        camera: String,
        /// Why not.
        source: PreprocessSetupError,
    },
    /// A lens is further from a pinhole than the network's matrices may be.
    Lens {
        /// The camera.
        camera: String,
        /// What the manifest allows, in pixels of the network's image.
        expected_px: f64,
        /// How far the lens moves a pixel.
        found_px: f64,
    },
    /// The synchronisation options are impossible.
    Sync(SyncSetupError),
    /// The limits of ego motion are impossible.
    EgoMotion(EgoMotionSetupError),
    /// The feature queue of the manifest is impossible.
    Queue(QueueSetupError),
    /// A thread cannot be had as it was asked for.
    Thread(ThreadError),
    /// A step was begun and not finished.
    StepRunning,
    /// A limit of this build is exceeded, or an option cannot be.
    Limit {
        /// What is limited.
        field: &'static str,
        /// What would be right.
        expected: String,
        /// What was found.
        found: String,
    },
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Package(error) => error.fmt(f),
            Self::Engine(error) => error.fmt(f),
            Self::Golden(error) => error.fmt(f),
            Self::Calibration(error) => error.fmt(f),
            Self::Images { camera, source } => write!(f, "camera {camera:?}: {source}"),
            Self::Lens {
                camera,
                expected_px,
                found_px,
            } => write!(
                f,
                "camera {camera:?}: field `matrices.largest_distortion_px`: expected at most \
                 {expected_px} px of lens distortion in the network's image, found {found_px:.1}; \
                 rectify the images, or take a network with a projection table"
            ),
            Self::Sync(error) => error.fmt(f),
            Self::EgoMotion(error) => error.fmt(f),
            Self::Queue(error) => error.fmt(f),
            Self::Thread(error) => error.fmt(f),
            Self::StepRunning => f.write_str("a step was begun and must be finished first"),
            Self::Limit {
                field,
                expected,
                found,
            } => {
                write!(f, "{field}: expected {expected}, found {found}")
            }
        }
    }
}

impl Error for SetupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Package(error) => error.source(),
            Self::Engine(error) => error.source(),
            Self::Golden(error) => error.source(),
            Self::Calibration(error) => error.source(),
            Self::Images { source, .. } => source.source(),
            Self::Sync(error) => error.source(),
            Self::EgoMotion(error) => error.source(),
            Self::Queue(error) => error.source(),
            Self::Thread(error) => error.source(),
            Self::Lens { .. } | Self::Limit { .. } | Self::StepRunning => None,
        }
    }
}

macro_rules! from {
    ($($variant:ident($error:ty)),+) => {$(
        impl From<$error> for SetupError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )+};
}

from!(
    Package(PackageError),
    Engine(EngineLoadError),
    Golden(GoldenError),
    Calibration(CalibrationError),
    Sync(SyncSetupError),
    EgoMotion(EgoMotionSetupError),
    Queue(QueueSetupError),
    Thread(ThreadError)
);

/// What can go wrong on the frame path. The pipeline goes on working after each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The image has not the size of its camera in the calibration.
    ImageSize,
    /// The format is none of those that the pipeline was made for.
    ImageFormat,
    /// The image is in no frame set; the camera's state in the next frame tells why, too.
    Refused(SyncRefusal),
    /// A step was begun whose frame must be taken first, by [`Pipeline::finish_step`](super::Pipeline::finish_step).
    StepRunning,
    /// No step was begun, so there is none to finish.
    NoStepRunning,
    /// The network lacks a tensor that the manifest promises.
    Engine(EngineError),
    /// The queue refused the network's map, or the network's history has another size.
    Queue(QueueError),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ImageSize => f.write_str("the image has not the size of its camera"),
            Self::ImageFormat => f.write_str("images of this format were not provided for"),
            Self::Refused(refusal) => write!(f, "the image is in no frame set: {refusal:?}"),
            Self::StepRunning => f.write_str("a step was begun and must be finished first"),
            Self::NoStepRunning => f.write_str("no step was begun"),
            Self::Engine(error) => error.fmt(f),
            Self::Queue(error) => error.fmt(f),
        }
    }
}

impl Error for FrameError {}

impl From<QueueError> for FrameError {
    fn from(error: QueueError) -> Self {
        Self::Queue(error)
    }
}

impl From<EngineError> for FrameError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<HistoryError> for FrameError {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Engine(error) => Self::Engine(error),
            HistoryError::Queue(error) => Self::Queue(error),
        }
    }
}
