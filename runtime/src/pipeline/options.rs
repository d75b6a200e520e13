//! What a pipeline is made of, with every limit by name.

use std::path::PathBuf;

use bevrt_calibration::Rig;

use crate::ego_motion::{EgoMotionSource, EgoMotionSpec};
use crate::engine::EngineOptions;
use crate::feature_queue::QueueMode;
use crate::image::PixelFormat;
use crate::manifest::Precision;
use crate::package::SignatureCheck;
use crate::time::Span;

/// Whether each camera's projection follows the vehicle's motion since its own exposure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampCorrection {
    /// All cameras count as exposed at the stamp of the frame.
    Off,
    /// Cameras whose skew is at least this follow their own stamp.
    From(Span),
}

impl Default for StampCorrection {
    /// From one millisecond on: at 30 m/s, 3 cm.
    fn default() -> Self {
        Self::From(Span::from_milliseconds(1))
    }
}

/// Whether cameras are watched for a picture that stands still or shows nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FrozenCheck {
    /// An image with the content of the one before is refused: sensor noise makes that impossible
    /// for a living camera. So is one of a single tone, and one of nothing but noise.
    #[default]
    On,
    /// Images without noise, as drawn or stored ones may be, are taken as they are.
    Off,
}

/// Whether the golden cases of the package are run before the pipeline is given out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GoldenCheck {
    /// They run, and the pipeline is refused when they fail. A package without golden cases passes.
    #[default]
    Run,
    /// They do not run, for a quick start on a machine that has run them before.
    Skip,
}

/// Everything that a pipeline is made from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PipelineOptions {
    /// Folder of the model package.
    pub package: PathBuf,
    /// Who must have signed the package.
    pub signature: SignatureCheck,
    /// Calibration of the cameras, in the order in which images are pushed.
    pub rig: Rig,
    /// How the network is run.
    pub engine: EngineOptions,
    /// Number format; `None` takes the first network of the package that fits.
    pub precision: Option<Precision>,
    /// Formats in which images may come; memory is taken for each.
    pub image_formats: Vec<PixelFormat>,
    /// Exposures further than this from the reference camera's are not in its set.
    pub set_tolerance: Span,
    /// A set is closed at the latest this long after the arrival of its first image.
    pub set_deadline: Span,
    /// A frame older than this at its step, by the caller's clock, has missed its deadline.
    pub frame_deadline: Span,
    /// Whether cameras are watched for a picture that stands still or shows nothing.
    pub frozen_check: FrozenCheck,
    /// Kind and limits of the ego motion that is pushed.
    pub ego_motion: EgoMotionSpec,
    /// What the network is given of the past.
    pub history: QueueMode,
    /// Whether projections follow the exposure skew between cameras.
    pub stamp_correction: StampCorrection,
    /// Whether the golden cases run at set-up.
    pub golden: GoldenCheck,
}

impl PipelineOptions {
    /// The defaults: the CPU with all cores, NV12, YUYV, RGB, BGR and grey images, sets closed
    /// within 80 ms, frames due within 250 ms of their
    /// exposure, ego motion as poses.
    pub fn new(package: impl Into<PathBuf>, rig: Rig) -> Self {
        Self {
            package: package.into(),
            signature: SignatureCheck::default(),
            rig,
            engine: EngineOptions::default(),
            precision: None,
            image_formats: vec![
                PixelFormat::Nv12,
                PixelFormat::Yuyv,
                PixelFormat::Rgb,
                PixelFormat::Bgr,
                PixelFormat::Grey,
            ],
            set_tolerance: Span::from_milliseconds(60),
            set_deadline: Span::from_milliseconds(80),
            frame_deadline: Span::from_milliseconds(250),
            frozen_check: FrozenCheck::default(),
            ego_motion: EgoMotionSpec::new(EgoMotionSource::Poses),
            history: QueueMode::default(),
            stamp_correction: StampCorrection::default(),
            golden: GoldenCheck::default(),
        }
    }
}
