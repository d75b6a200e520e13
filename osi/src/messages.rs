//! The messages of OSI 3.8 that a frame is turned into: those fields of them that are filled.
//!
//! Names and numbers are OSI's. Every field may be absent, as in OSI. Kinds stand as numbers;
//! their names are the enums of [`kinds`].

mod common;
mod detected;
pub mod kinds;
mod sensor_data;

pub use common::{
    BaseMoving, BaseStationary, Dimension3d, Identifier, InterfaceVersion, MountingPosition,
    Orientation3d, Polygon3d, Timestamp, Vector3d,
};
pub use detected::{
    BoundaryClassification, BoundaryPoint, CandidateLaneBoundary, CandidateMovingObject,
    CandidateRoadMarking, CandidateStationaryObject, DetectedItemHeader, DetectedLaneBoundary,
    DetectedMovingObject, DetectedRoadMarking, DetectedStationaryObject, MarkingClassification,
    StationaryClassification, VehicleClassification,
};
pub use sensor_data::{DetectedEntityHeader, SensorData, VirtualDetectionArea};
