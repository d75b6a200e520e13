//! Decoders: from the network's raw outputs to elements in the ego frame.
//!
//! Each kind of head has one decoder with scratch memory of its own, made at set-up: dense maps by
//! kind, query sets of objects, query sets of map elements. Decoding allocates nothing, is
//! deterministic, and refuses an output with a number that is not finite.

mod arrows;
mod crosswalks;
mod decoder;
mod detections;
mod lanes;
mod map_queries;
mod object_queries;
mod objects;
mod overlap;
mod peaks;
mod query_set;
mod ranked;
mod raster;
mod stop_lines;

#[cfg(test)]
mod painter;

pub use arrows::ArrowDecoder;
pub use crosswalks::CrosswalkDecoder;
pub use decoder::{HeadDecoder, HeadOutput};
pub(crate) use detections::ROAD_EDGE;
pub use detections::{
    ARROW_CAPACITY, ArrowDetection, ArrowDetections, CROSSWALK_CAPACITY, CrosswalkDetection,
    CrosswalkDetections, Detections, LANE_CAPACITY, LANE_POINT_CAPACITY, LaneDetection,
    LaneDetections, OBJECT_CAPACITY, ObjectDetection, ObjectDetections, ObjectSigma,
    STOP_LINE_CAPACITY, StopLineDetection, StopLineDetections,
};
pub use lanes::LaneDecoder;
pub(crate) use lanes::orient;
pub use map_queries::MapQueryDecoder;
pub use object_queries::ObjectQueryDecoder;
pub use objects::ObjectDecoder;
pub(crate) use objects::{ObjectGroup, is_same_object};
#[cfg(test)]
pub(crate) use painter::FINE;
pub use raster::DecodeError;
pub use stop_lines::StopLineDecoder;
