//! Building blocks.

use serde::Serialize;

/// Version of the interface.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, prost::Message)]
pub struct InterfaceVersion {
    /// Raised by changes that break readers.
    #[prost(uint32, optional, tag = "1")]
    pub version_major: Option<u32>,
    /// Raised by additions.
    #[prost(uint32, optional, tag = "2")]
    pub version_minor: Option<u32>,
    /// Raised by corrections.
    #[prost(uint32, optional, tag = "3")]
    pub version_patch: Option<u32>,
}

/// A moment since an arbitrary zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, prost::Message)]
pub struct Timestamp {
    /// Whole seconds, rounded down.
    #[prost(int64, optional, tag = "1")]
    pub seconds: Option<i64>,
    /// The rest, below 1,000,000,000.
    #[prost(uint32, optional, tag = "2")]
    pub nanos: Option<u32>,
}

/// A number that names something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, prost::Message)]
pub struct Identifier {
    /// The number.
    #[prost(uint64, optional, tag = "1")]
    pub value: Option<u64>,
}

/// A point in metres, or a velocity in m/s.
#[derive(Clone, Copy, PartialEq, Serialize, prost::Message)]
pub struct Vector3d {
    /// Along x.
    #[prost(double, optional, tag = "1")]
    pub x: Option<f64>,
    /// Along y.
    #[prost(double, optional, tag = "2")]
    pub y: Option<f64>,
    /// Along z.
    #[prost(double, optional, tag = "3")]
    pub z: Option<f64>,
}

/// Extents of a box along its own axes, metres.
#[derive(Clone, Copy, PartialEq, Serialize, prost::Message)]
pub struct Dimension3d {
    /// Along its x.
    #[prost(double, optional, tag = "1")]
    pub length: Option<f64>,
    /// Along its y.
    #[prost(double, optional, tag = "2")]
    pub width: Option<f64>,
    /// Along its z.
    #[prost(double, optional, tag = "3")]
    pub height: Option<f64>,
}

/// An orientation in radians, or its rate in rad/s: yaw about z, then pitch about the new y, then
/// roll about the new x.
#[derive(Clone, Copy, PartialEq, Serialize, prost::Message)]
pub struct Orientation3d {
    /// About x.
    #[prost(double, optional, tag = "1")]
    pub roll: Option<f64>,
    /// About y.
    #[prost(double, optional, tag = "2")]
    pub pitch: Option<f64>,
    /// About z.
    #[prost(double, optional, tag = "3")]
    pub yaw: Option<f64>,
}

/// A surface.
#[derive(Clone, PartialEq, Serialize, prost::Message)]
pub struct Polygon3d {
    /// Its corners.
    #[prost(message, repeated, tag = "1")]
    pub vertex: Vec<Vector3d>,
}

/// Where a sensor sits in the vehicle.
#[derive(Clone, Copy, PartialEq, Serialize, prost::Message)]
pub struct MountingPosition {
    /// Its origin, seen from the origin of the vehicle.
    #[prost(message, optional, tag = "1")]
    pub position: Option<Vector3d>,
    /// How it is turned.
    #[prost(message, optional, tag = "2")]
    pub orientation: Option<Orientation3d>,
}

/// State of something that stands still, or the standard deviations of it.
#[derive(Clone, Copy, PartialEq, Serialize, prost::Message)]
pub struct BaseStationary {
    /// Size of its bounding box.
    #[prost(message, optional, tag = "1")]
    pub dimension: Option<Dimension3d>,
    /// Centre of the box.
    #[prost(message, optional, tag = "2")]
    pub position: Option<Vector3d>,
    /// How the box is turned.
    #[prost(message, optional, tag = "3")]
    pub orientation: Option<Orientation3d>,
}

/// State of something that moves, or the standard deviations of it.
#[derive(Clone, Copy, PartialEq, Serialize, prost::Message)]
pub struct BaseMoving {
    /// Size of its bounding box.
    #[prost(message, optional, tag = "1")]
    pub dimension: Option<Dimension3d>,
    /// Centre of the box.
    #[prost(message, optional, tag = "2")]
    pub position: Option<Vector3d>,
    /// How the box is turned.
    #[prost(message, optional, tag = "3")]
    pub orientation: Option<Orientation3d>,
    /// Change of `position`, seen from the sensor as it moves.
    #[prost(message, optional, tag = "4")]
    pub velocity: Option<Vector3d>,
    /// Change of `orientation`, seen from the sensor as it turns.
    #[prost(message, optional, tag = "6")]
    pub orientation_rate: Option<Orientation3d>,
}
