//! Multi-task bird's-eye-view perception: camera images and ego motion in, output frames out.
//!
//! ```no_run
//! use bevrt_calibration::rigs;
//! use bevrt_runtime::{
//!     ImageView, OutputFrame, Pipeline, PipelineOptions, PixelFormat, Stamp, StepOutcome,
//! };
//!
//! let options = PipelineOptions::new("models/packages/tiny", rigs::six_pinhole());
//! let mut pipeline = Pipeline::new(options)?;
//! let mut frame = OutputFrame::boxed();
//!
//! let nv12 = vec![128_u8; 1600 * 900 * 3 / 2];
//! let image = ImageView::packed(PixelFormat::Nv12, 1600, 900, &nv12)?;
//! pipeline.push_image(0, &image, Stamp::from_seconds(10.0), Stamp::from_seconds(10.031))?;
//! while pipeline.step(Stamp::from_seconds(10.1), &mut frame)? == StepOutcome::Frame {
//!     println!("{} objects, {} lanes", frame.objects().len(), frame.lanes().len());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants:
//! - Frames and units are those of `docs/FRAMES.md`; times are nanoseconds of one monotonic clock, all
//!   passed in. Nothing reads a clock but the measurement of [`PipelineStats`].
//! - The same pushed data and the same clock give the same frames, byte by byte.
//! - After set-up no stage allocates but the engine's own run; the frame path does not panic.
//! - A mistake at set-up names the file, the field, what was expected and what was found.
//!
//! The README of this crate maps its modules.

// Time and images.
mod image;
mod preprocess;
mod sync;
mod time;

// Motion and history.
mod align;
mod ego_motion;
mod feature_queue;

// Model and engine.
mod engine;
mod golden;
mod manifest;
mod package;

// Results.
mod coverage;
mod frame;
mod heads;
mod health;
mod stats;
mod tracking;

mod threads;

mod pipeline;

use bevrt_calibration::simd;

pub use align::GridAffine;
pub use ego_motion::{
    EgoMotion, EgoMotionFault, EgoMotionSetupError, EgoMotionSource, EgoMotionSpec,
    EgoMotionUpdate, EgoPose,
};
pub use engine::{
    BesideThread, CAMERA_DIMENSION, CudaOptions, ENGINE_RECORD_FILE, ElementType, Engine,
    EngineCacheError, EngineError, EngineLoadError, EngineOptions, EngineRecord, Fallback,
    HistoryMemory, ImageSet, InputRole, InputSpec, LIBRARY_VARIABLE, LibraryError, MapRing,
    MissingEngine, NetworkInterface, OnnxRuntime, OnnxRuntimeLibrary, Origin, OutputRole,
    OutputSpec, PluginOptions, Provider, SkippedLibrary, Spinning, TensorRtOptions,
};
pub use feature_queue::{FeatureQueue, QueueError, QueueMode, QueueSetupError, SlotReport};
pub use frame::{
    ArrowDirections, COVERAGE_SECTORS, CameraState, CameraStatus, CoverageState, EgoMotionState,
    FRAME_ABI_MAJOR, FRAME_ABI_MINOR, FrameFull, FrameHealth, FrameLayoutError, FramePoint,
    HealthReasons, HealthState, LANE_RELATION_UNKNOWN, MAX_ARROWS, MAX_CAMERAS,
    MAX_CROSSWALK_POINTS, MAX_CROSSWALKS, MAX_LANE_POINTS, MAX_LANES, MAX_OBJECTS, MAX_SLOTS,
    MAX_STOP_LINE_POINTS, MAX_STOP_LINES, MarkingColour, MarkingType, ObjectClass, OutputArrow,
    OutputCrosswalk, OutputFrame, OutputLane, OutputObject, OutputStopLine, SectorCoverage,
    SlotState, SlotStatus, UnknownKind,
};
pub use golden::{GoldenError, GoldenOutput, GoldenReport, run_golden};
pub use heads::{
    ARROW_CAPACITY, ArrowDecoder, ArrowDetection, ArrowDetections, CROSSWALK_CAPACITY,
    CrosswalkDecoder, CrosswalkDetection, CrosswalkDetections, DecodeError, Detections,
    HeadDecoder, HeadOutput, LANE_CAPACITY, LANE_POINT_CAPACITY, LaneDecoder, LaneDetection,
    LaneDetections, MapQueryDecoder, OBJECT_CAPACITY, ObjectDecoder, ObjectDetection,
    ObjectDetections, ObjectQueryDecoder, ObjectSigma, STOP_LINE_CAPACITY, StopLineDecoder,
    StopLineDetection, StopLineDetections,
};
pub use image::{ColourMatrix, ColourRange, ImageError, ImageView, PixelFormat, Plane};
pub use manifest::{
    ColourOrder, FileEntry, GoldenSection, GroundRange, HEAD_CAPACITY, HeadForm, HeadKind,
    HeadSection, LIFT_CAPACITY, LiftSection, MANIFEST_FORMAT, Manifest, ManifestError, MapElement,
    MapQueries, MatricesSection, NetworkEntry, ObjectQueries, PointCoordinates, PointDimensions,
    Precision, PreprocessSection, ProviderKind, QUERY_CAPACITY, QUERY_POINT_CAPACITY,
    QueueAlignment, QueueSection, QueueStorage, ResizeKernel, SLOT_CAPACITY,
};
pub use package::{
    InvalidKey, MANIFEST_FILE, NetworkRequest, OnnxProblem, Package, PackageError, PackageKey,
    PackageSignature, SIGNATURE_FILE, SignatureCheck, SignatureProblem, VerifiedNetwork,
    check_onnx_file, cpu_has,
};
pub use pipeline::{
    FrameError, FrozenCheck, GoldenCheck, Pipeline, PipelineOptions, RawTensor, RawValues,
    SetupError, StampCorrection, StepBegin, StepOutcome,
};
pub use preprocess::{PreprocessError, PreprocessSetupError, Preprocessor, crop_for};
pub use stats::{LatencyHistogram, PipelineStats, Stage, StageTimes};
pub use sync::{
    Accepted, CameraInSet, ClosedBy, FrameSetDecision, FrameSync, ImageContent, ImageTimes,
    StampSource, SyncRefusal, SyncSetupError, SyncSpec,
};
pub use threads::{ThreadError, ThreadPriority, ThreadSettings};
pub use time::{Span, Stamp};
pub use tracking::{
    ElementTracker, LaneTracker, ObjectTracker, TrackableElement, TrackedElement, TrackedLane,
    TrackedObject, Tracker, Tracks,
};

/// The examples of the README, so that they compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
