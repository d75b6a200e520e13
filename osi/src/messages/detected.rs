//! Detections, one message a thing that was found.

use serde::Serialize;

use super::kinds::{
    BoundaryColour, BoundaryType, MainSign, MarkingColour, MeasurementState, MovingType,
    ReferencePoint, RoadMarkingType, StationaryType, VehicleType,
};
use super::{BaseMoving, BaseStationary, Identifier, Vector3d};

/// What every detection has.
#[derive(Clone, Copy, PartialEq, Serialize, prost::Message)]
pub struct DetectedItemHeader {
    /// Stable identity.
    #[prost(message, optional, tag = "1")]
    pub tracking_id: Option<Identifier>,
    /// Confidence that it exists, in [0, 1].
    #[prost(double, optional, tag = "3")]
    pub existence_probability: Option<f64>,
    /// Seconds since it was first seen.
    #[prost(double, optional, tag = "4")]
    pub age: Option<f64>,
    /// Whether it is seen or extrapolated.
    #[prost(enumeration = "MeasurementState", optional, tag = "5")]
    pub measurement_state: Option<i32>,
}

/// What a vehicle is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, prost::Message)]
pub struct VehicleClassification {
    /// The kind.
    #[prost(enumeration = "VehicleType", optional, tag = "1")]
    pub r#type: Option<i32>,
}

/// What a moving object may be.
#[derive(Clone, Copy, PartialEq, Serialize, prost::Message)]
pub struct CandidateMovingObject {
    /// Given that the object exists; over all candidates the sum is 1.
    #[prost(double, optional, tag = "1")]
    pub probability: Option<f64>,
    /// The kind.
    #[prost(enumeration = "MovingType", optional, tag = "2")]
    pub r#type: Option<i32>,
    /// The kind of vehicle, where it is one.
    #[prost(message, optional, tag = "3")]
    pub vehicle_classification: Option<VehicleClassification>,
}

/// A road user.
#[derive(Clone, PartialEq, Serialize, prost::Message)]
pub struct DetectedMovingObject {
    /// What every detection has.
    #[prost(message, optional, tag = "1")]
    pub header: Option<DetectedItemHeader>,
    /// State.
    #[prost(message, optional, tag = "2")]
    pub base: Option<BaseMoving>,
    /// Standard deviations of the state.
    #[prost(message, optional, tag = "3")]
    pub base_rmse: Option<BaseMoving>,
    /// Which point was measured.
    #[prost(enumeration = "ReferencePoint", optional, tag = "4")]
    pub reference_point: Option<i32>,
    /// What it may be.
    #[prost(message, repeated, tag = "8")]
    pub candidate: Vec<CandidateMovingObject>,
}

/// What a thing that stands still is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, prost::Message)]
pub struct StationaryClassification {
    /// The kind.
    #[prost(enumeration = "StationaryType", optional, tag = "1")]
    pub r#type: Option<i32>,
}

/// What a thing that stands still may be.
#[derive(Clone, Copy, PartialEq, Serialize, prost::Message)]
pub struct CandidateStationaryObject {
    /// Given that the object exists; over all candidates the sum is 1.
    #[prost(double, optional, tag = "1")]
    pub probability: Option<f64>,
    /// The kind.
    #[prost(message, optional, tag = "2")]
    pub classification: Option<StationaryClassification>,
}

/// A thing that stands still.
#[derive(Clone, PartialEq, Serialize, prost::Message)]
pub struct DetectedStationaryObject {
    /// What every detection has.
    #[prost(message, optional, tag = "1")]
    pub header: Option<DetectedItemHeader>,
    /// State.
    #[prost(message, optional, tag = "2")]
    pub base: Option<BaseStationary>,
    /// Standard deviations of the state.
    #[prost(message, optional, tag = "3")]
    pub base_rmse: Option<BaseStationary>,
    /// What it may be.
    #[prost(message, repeated, tag = "4")]
    pub candidate: Vec<CandidateStationaryObject>,
}

/// What is painted on the road.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, prost::Message)]
pub struct MarkingClassification {
    /// The kind of paint.
    #[prost(enumeration = "RoadMarkingType", optional, tag = "1")]
    pub r#type: Option<i32>,
    /// The traffic sign that it stands for.
    #[prost(enumeration = "MainSign", optional, tag = "2")]
    pub traffic_main_sign_type: Option<i32>,
    /// Colour of the paint.
    #[prost(enumeration = "MarkingColour", optional, tag = "3")]
    pub monochrome_color: Option<i32>,
}

/// What may be painted on the road.
#[derive(Clone, Copy, PartialEq, Serialize, prost::Message)]
pub struct CandidateRoadMarking {
    /// Given that the marking exists; over all candidates the sum is 1.
    #[prost(double, optional, tag = "1")]
    pub probability: Option<f64>,
    /// The kind.
    #[prost(message, optional, tag = "2")]
    pub classification: Option<MarkingClassification>,
}

/// Paint on the road that is no line of a lane. Its box stands on its back: x points up, z from
/// the foot of the image to its head, y to its right.
#[derive(Clone, PartialEq, Serialize, prost::Message)]
pub struct DetectedRoadMarking {
    /// What every detection has.
    #[prost(message, optional, tag = "1")]
    pub header: Option<DetectedItemHeader>,
    /// Box.
    #[prost(message, optional, tag = "2")]
    pub base: Option<BaseStationary>,
    /// Standard deviations of the box.
    #[prost(message, optional, tag = "3")]
    pub base_rmse: Option<BaseStationary>,
    /// What it may be.
    #[prost(message, repeated, tag = "4")]
    pub candidate: Vec<CandidateRoadMarking>,
}

/// A point of a line, or its standard deviations.
#[derive(Clone, Copy, PartialEq, Serialize, prost::Message)]
pub struct BoundaryPoint {
    /// Where it is.
    #[prost(message, optional, tag = "1")]
    pub position: Option<Vector3d>,
}

/// How a line is made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, prost::Message)]
pub struct BoundaryClassification {
    /// The kind.
    #[prost(enumeration = "BoundaryType", optional, tag = "1")]
    pub r#type: Option<i32>,
    /// Colour of the paint, where there is paint.
    #[prost(enumeration = "BoundaryColour", optional, tag = "2")]
    pub color: Option<i32>,
}

/// How a line may be made.
#[derive(Clone, Copy, PartialEq, Serialize, prost::Message)]
pub struct CandidateLaneBoundary {
    /// Given that the line exists; over all candidates the sum is 1.
    #[prost(double, optional, tag = "1")]
    pub probability: Option<f64>,
    /// The kind.
    #[prost(message, optional, tag = "2")]
    pub classification: Option<BoundaryClassification>,
}

/// A painted line or a road edge.
#[derive(Clone, PartialEq, Serialize, prost::Message)]
pub struct DetectedLaneBoundary {
    /// What every detection has.
    #[prost(message, optional, tag = "1")]
    pub header: Option<DetectedItemHeader>,
    /// How it may be made.
    #[prost(message, repeated, tag = "2")]
    pub candidate: Vec<CandidateLaneBoundary>,
    /// Points along it.
    #[prost(message, repeated, tag = "3")]
    pub boundary_line: Vec<BoundaryPoint>,
    /// Standard deviations, one entry a point.
    #[prost(message, repeated, tag = "4")]
    pub boundary_line_rmse: Vec<BoundaryPoint>,
    /// Confidences, one entry a point.
    #[prost(double, repeated, packed = "false", tag = "5")]
    pub boundary_line_confidences: Vec<f64>,
}
