//! The message of a frame.

use serde::Serialize;

use super::kinds::DataQualifier;
use super::{
    DetectedLaneBoundary, DetectedMovingObject, DetectedRoadMarking, DetectedStationaryObject,
    Identifier, InterfaceVersion, MountingPosition, Polygon3d, Timestamp,
};

/// What holds for all detections of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, prost::Message)]
pub struct DetectedEntityHeader {
    /// When the world was as described.
    #[prost(message, optional, tag = "1")]
    pub measurement_time: Option<Timestamp>,
    /// Counts the frames.
    #[prost(uint64, optional, tag = "2")]
    pub cycle_counter: Option<u64>,
    /// How far the detections can be relied on.
    #[prost(enumeration = "DataQualifier", optional, tag = "3")]
    pub data_qualifier: Option<i32>,
}

/// Where the sensor looks, as surfaces.
#[derive(Clone, PartialEq, Serialize, prost::Message)]
pub struct VirtualDetectionArea {
    /// The surfaces, in the sensor's frame.
    #[prost(message, repeated, tag = "1")]
    pub polygon: Vec<Polygon3d>,
}

/// Everything that a sensor says at one moment.
#[derive(Clone, PartialEq, Serialize, prost::Message)]
pub struct SensorData {
    /// Version of the interface.
    #[prost(message, optional, tag = "1")]
    pub version: Option<InterfaceVersion>,
    /// When the message was there for others.
    #[prost(message, optional, tag = "2")]
    pub timestamp: Option<Timestamp>,
    /// Which sensor speaks.
    #[prost(message, optional, tag = "5")]
    pub sensor_id: Option<Identifier>,
    /// Where the sensor's frame lies in the vehicle's.
    #[prost(message, optional, tag = "6")]
    pub mounting_position: Option<MountingPosition>,
    /// The newest moment of the world that the message describes.
    #[prost(message, optional, tag = "9")]
    pub last_measurement_time: Option<Timestamp>,
    /// About `stationary_object`.
    #[prost(message, optional, tag = "10")]
    pub stationary_object_header: Option<DetectedEntityHeader>,
    /// Things that stand still.
    #[prost(message, repeated, tag = "11")]
    pub stationary_object: Vec<DetectedStationaryObject>,
    /// About `moving_object`.
    #[prost(message, optional, tag = "12")]
    pub moving_object_header: Option<DetectedEntityHeader>,
    /// Road users.
    #[prost(message, repeated, tag = "13")]
    pub moving_object: Vec<DetectedMovingObject>,
    /// About `road_marking`.
    #[prost(message, optional, tag = "18")]
    pub road_marking_header: Option<DetectedEntityHeader>,
    /// Paint on the road that is no line of a lane.
    #[prost(message, repeated, tag = "19")]
    pub road_marking: Vec<DetectedRoadMarking>,
    /// About `lane_boundary`.
    #[prost(message, optional, tag = "20")]
    pub lane_boundary_header: Option<DetectedEntityHeader>,
    /// Lines and road edges.
    #[prost(message, repeated, tag = "21")]
    pub lane_boundary: Vec<DetectedLaneBoundary>,
    /// Where the sensor looks.
    #[prost(message, optional, tag = "28")]
    pub virtual_detection_area: Option<VirtualDetectionArea>,
}
