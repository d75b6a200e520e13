//! MCAP logs with Foxglove's schemas: cameras, calibration, ego motion, ground truth, results.
//!
//! The log time of a message is its arrival; the stamp inside is the exposure or the moment that
//! it is true for. Both are nanoseconds of one monotonic clock.
//!
//! | topic | schema | content |
//! |---|---|---|
//! | `/camera/<name>/image` | foxglove.CompressedImage | JPEG |
//! | `/camera/<name>/calibration` | foxglove.CameraCalibration | intrinsics, lens |
//! | `/tf_static` | foxglove.FrameTransforms | cameras in `ego`; a topic of its own, so that a viewer that seeks finds it |
//! | `/tf` | foxglove.FrameTransforms | `ego` in `world` |
//! | `/ego/pose` | foxglove.PoseInFrame | exact pose of the vehicle in `world` |
//! | `/ego/can` | bevrt.VehicleMotion (JSON) | speed and yaw rate as the vehicle measures them |
//! | `/ground_truth` | foxglove.SceneUpdate | to look at |
//! | `/ground_truth/exact` | bevrt.GroundTruth (JSON) | to score against |
//! | `/bevrt/scene` | foxglove.SceneUpdate | results to look at |
//! | `/bevrt/frame` | none, encoding `bevrt-frame` | output frames as bytes |
//! | `/bevrt/health` | bevrt.Health (JSON) | health to look at; streamed by `bevrt view`, not in logs |
//! | `/bevrt/statistics` | bevrt.Statistics (JSON) | measured times, apart from the frames |

mod cdr;
mod chunk;
mod convert;
mod drawing;
mod dump;
mod error;
mod jpeg;
mod message_writer;
mod reader;
mod results;
pub mod ros;
mod stream;
mod writer;

pub use cdr::{CdrError, CdrReader};
pub use convert::{ReadCalibration, nanoseconds, pose_of};
pub use dump::DumpWriter;
pub use error::LogError;
pub use jpeg::{JpegDecoder, RgbPicture, encode_jpeg};
pub use message_writer::{
    HealthRecord, MessageForm, MessageSink, MessageWriter, SinkMessage, VehicleMotionRecord,
};
pub use reader::{LogMessage, LogMessages, LogReader, LogTopic};
pub use results::{ResultEvent, ResultLog};
pub use stream::{LogStream, OwnedMessage};
pub use writer::{LogWriter, McapSink};

/// Frame of the vehicle, in the words of Foxglove.
pub const EGO_FRAME: &str = "ego";
/// Frame in which the vehicle moves.
pub const WORLD_FRAME: &str = "world";
/// Transforms that do not change.
pub const TOPIC_MOUNTS: &str = "/tf_static";
/// Transforms that change.
pub const TOPIC_TRANSFORMS: &str = "/tf";
/// Exact poses.
pub const TOPIC_POSE: &str = "/ego/pose";
/// Speed and yaw rate.
pub const TOPIC_VEHICLE_MOTION: &str = "/ego/can";
/// Ground truth to look at.
pub const TOPIC_TRUTH_SCENE: &str = "/ground_truth";
/// Ground truth to score against.
pub const TOPIC_TRUTH: &str = "/ground_truth/exact";
/// Results to look at.
pub const TOPIC_SCENE: &str = "/bevrt/scene";
/// Output frames as bytes.
pub const TOPIC_FRAME: &str = "/bevrt/frame";
/// Health to look at.
pub const TOPIC_HEALTH: &str = "/bevrt/health";
/// Measured times.
pub const TOPIC_STATISTICS: &str = "/bevrt/statistics";
/// Message encoding of [`TOPIC_FRAME`].
pub const FRAME_ENCODING: &str = "bevrt-frame";
