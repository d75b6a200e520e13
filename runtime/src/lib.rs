//! Multi-task BEV perception pipeline.
// mod feature_queue; mod align;
// mod golden;

mod engine;
mod coverage;
mod frame;
mod health;
mod heads;
mod manifest;
mod package;
// mod pipeline;
mod tracking;

mod stats;
mod time;

pub use time::{Span, Stamp};
pub use frame::{
    ArrowDirections, COVERAGE_SECTORS, CameraState, CameraStatus, CoverageState, EgoMotionState,
    FRAME_ABI_MAJOR, FRAME_ABI_MINOR, FrameFull, FrameHealth, FrameLayoutError, FramePoint,
    HealthReasons, HealthState, LANE_RELATION_UNKNOWN, MAX_ARROWS, MAX_CAMERAS,
    MAX_CROSSWALK_POINTS, MAX_CROSSWALKS, MAX_LANE_POINTS, MAX_LANES, MAX_OBJECTS, MAX_SLOTS,
    MAX_STOP_LINE_POINTS, MAX_STOP_LINES, MarkingColour, MarkingType, ObjectClass, OutputArrow,
    OutputCrosswalk, OutputFrame, OutputLane, OutputObject, OutputStopLine, SectorCoverage,
    SlotState, SlotStatus, UnknownKind,
};
pub use stats::{LatencyHistogram, PipelineStats, Stage, StageTimes};
pub use engine::{
    CAMERA_DIMENSION, ElementType, Engine, EngineError, EngineLoadError, EngineOptions, Fallback,
    ImageSet, InputRole, InputSpec, LIBRARY_VARIABLE, LibraryError, NetworkInterface, OnnxRuntime,
    OnnxRuntimeLibrary, OutputRole, OutputSpec, Provider, SkippedLibrary, Spinning,
};
pub use heads::{
    ARROW_CAPACITY, ArrowDecoder, ArrowDetection, ArrowDetections, CROSSWALK_CAPACITY,
    CrosswalkDecoder, CrosswalkDetection, CrosswalkDetections, DecodeError, Detections,
    HeadDecoder, LANE_CAPACITY, LaneDecoder, ObjectDecoder, StopLineDecoder, LANE_POINT_CAPACITY, LaneDetection,
    LaneDetections, OBJECT_CAPACITY, ObjectDetection, ObjectDetections, ObjectSigma,
    STOP_LINE_CAPACITY, StopLineDetection, StopLineDetections,
};
pub use manifest::{
    ColourOrder, GoldenSection, HEAD_CAPACITY, HeadKind, HeadSection, LIFT_CAPACITY, LiftSection,
    MANIFEST_FORMAT, Manifest, ManifestError, NetworkEntry, Precision, PreprocessSection,
    ProviderKind, QueueSection, QueueStorage, ResizeKernel, SLOT_CAPACITY,
};
pub use package::{
    MANIFEST_FILE, NetworkRequest, Package, PackageError, VerifiedNetwork, cpu_has,
};
pub use tracking::{
    ElementTracker, LaneTracker, ObjectTracker, TrackableElement, TrackedElement, TrackedLane,
    TrackedObject, Tracker, Tracks,
};

mod image;
mod preprocess;
mod simd;

pub use image::{ColourMatrix, ColourRange, ImageError, ImageView, PixelFormat, Plane};
pub use preprocess::{PreprocessError, PreprocessSetupError, Preprocessor, crop_for};

mod sync;

pub use sync::{
    Accepted, CameraInSet, ClosedBy, FrameSetDecision, FrameSync, ImageTimes, StampSource,
    SyncRefusal, SyncSetupError, SyncSpec,
};

mod ego_motion;

pub use ego_motion::{
    EgoMotion, EgoMotionFault, EgoMotionSetupError, EgoMotionSource, EgoMotionSpec,
    EgoMotionUpdate, EgoPose,
};
mod zz { /*
    FrameError, FrozenCheck, GoldenCheck, Pipeline, PipelineOptions, RawTensor, RawValues, SetupError,
    StampCorrection, StepOutcome,
};
