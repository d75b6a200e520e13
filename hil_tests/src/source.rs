//! Where drives come from: the simulated world, drawn as it is needed, or a log. Scenes of nuScenes
//! folders are in [`crate::nuscenes`].

mod corrupted;
mod limited;
mod log_drive;
mod looped;
mod owned_event;
mod recording;
mod simulated;

use std::error::Error;
use std::fmt;

use bevrt_calibration::{CalibrationError, Ego, Odom, Pose, Rig};
use bevrt_runtime::{EgoMotionSource, ImageError, ImageView, Stamp};

use crate::logs::LogError;
use crate::nuscenes::NuscenesError;
use crate::truth::FrameTruth;

pub use corrupted::{CorruptedDrive, Corruption};
pub use limited::{DriveLimit, LimitedDrive};
pub use log_drive::{LogDrive, LogDriveOptions};
pub use looped::LoopedDrive;
pub(crate) use owned_event::{OwnedEvent, OwnedPicture};
pub use recording::{record, record_event};
pub use simulated::{PictureSize, SimulatedDrive, SimulatedDriveOptions, scaled_rig};

/// An image as it arrives.
#[derive(Clone, Copy, Debug)]
pub struct ImageEvent<'a> {
    /// Index in the rig.
    pub camera: usize,
    /// Middle of the exposure.
    pub stamp: Stamp,
    /// When it came.
    pub arrival: Stamp,
    /// What the camera gives.
    pub image: ImageView<'a>,
    /// The same picture as rows of R, G, B bytes, for drawing and for logs.
    pub rgb: &'a [u8],
    /// The same picture as it was recorded, where it was a JPEG.
    pub jpeg: Option<&'a [u8]>,
}

/// What happens on a drive.
#[derive(Clone, Debug)]
pub enum DriveEvent<'a> {
    /// An image came.
    Image(ImageEvent<'a>),
    /// Speed and yaw rate came.
    VehicleMotion {
        /// When they were measured.
        stamp: Stamp,
        /// When they came.
        arrival: Stamp,
        /// Speed along the vehicle, m/s.
        speed_mps: f64,
        /// Turning rate, rad/s.
        yaw_rate_radps: f64,
    },
    /// A pose came.
    Pose {
        /// When it was true.
        stamp: Stamp,
        /// When it came.
        arrival: Stamp,
        /// Pose of the vehicle in an odometry frame.
        odom_from_ego: Pose<Odom, Ego>,
    },
    /// What is true at a stamp of the reference camera. It comes before the images of that stamp
    /// have all come, and never enters the pipeline.
    Truth(&'a FrameTruth),
}

/// A drive, event by event in the order of arrival.
pub trait DriveSource {
    /// The cameras, in the order of the events' indices.
    fn rig(&self) -> &Rig;

    /// What kind of ego motion comes.
    fn ego_motion(&self) -> EgoMotionSource;

    /// The next event; `None` at the end of the drive.
    ///
    /// # Errors
    /// What was recorded cannot be read.
    fn next_event(&mut self) -> Result<Option<DriveEvent<'_>>, SourceError>;
}

/// Why a drive cannot be read.
#[derive(Debug)]
pub enum SourceError {
    /// The log is damaged or lacks something.
    Log(LogError),
    /// The nuScenes folder is damaged or lacks something.
    Nuscenes(NuscenesError),
    /// The calibration in the log is wrong.
    Calibration(Box<CalibrationError>),
    /// An image is not what its camera's calibration says.
    Image {
        /// The camera.
        camera: String,
        /// What is wrong.
        problem: ImageError,
    },
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(error) => error.fmt(f),
            Self::Nuscenes(error) => error.fmt(f),
            Self::Calibration(error) => error.fmt(f),
            Self::Image { camera, problem } => write!(f, "camera {camera:?}: {problem}"),
        }
    }
}

impl Error for SourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Log(error) => error.source(),
            Self::Nuscenes(error) => error.source(),
            Self::Calibration(error) => error.source(),
            Self::Image { problem, .. } => problem.source(),
        }
    }
}

impl From<LogError> for SourceError {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl From<NuscenesError> for SourceError {
    fn from(error: NuscenesError) -> Self {
        Self::Nuscenes(error)
    }
}

impl From<CalibrationError> for SourceError {
    fn from(error: CalibrationError) -> Self {
        Self::Calibration(Box::new(error))
    }
}
