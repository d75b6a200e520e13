//! Decoders: from the network's raw output maps to elements in the ego frame.
//!
//! Each kind of head has one decoder with scratch memory of its own, made at set-up. Decoding
//! allocates nothing, is deterministic, and refuses a map with a number that is not finite.

mod arrows;
mod crosswalks;
mod decoder;
mod detections;
mod lanes;
mod objects;
mod overlap;
mod peaks;
mod ranked;
mod raster;
mod stop_lines;

#[cfg(test)]
mod painter;

pub use arrows::ArrowDecoder;
pub use crosswalks::CrosswalkDecoder;
pub use decoder::HeadDecoder;
pub use detections::{
    ARROW_CAPACITY, ArrowDetection, ArrowDetections, CROSSWALK_CAPACITY, CrosswalkDetection,
    CrosswalkDetections, Detections, LANE_CAPACITY, LANE_POINT_CAPACITY, LaneDetection,
    LaneDetections, OBJECT_CAPACITY, ObjectDetection, ObjectDetections, ObjectSigma,
    STOP_LINE_CAPACITY, StopLineDetection, StopLineDetections,
};
pub use lanes::LaneDecoder;
pub use objects::ObjectDecoder;
pub(crate) use objects::{ObjectGroup, is_same_object};
pub use raster::DecodeError;
pub use stop_lines::StopLineDecoder;
