//! What the runtime said about one moment, in the form that the scores take.

mod convert;

use crate::metrics::Point;

/// Results of one frame, in the ego frame at its stamp.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FramePrediction {
    /// The moment that the results describe.
    pub stamp_ns: i64,
    /// Road users and cones.
    pub objects: Vec<PredictedObject>,
    /// Painted lines and road edges.
    pub lanes: Vec<PredictedLane>,
    /// Arrows on the road.
    pub arrows: Vec<PredictedArrow>,
    /// Crosswalks.
    pub crosswalks: Vec<PredictedCrosswalk>,
    /// Stop lines.
    pub stop_lines: Vec<PredictedStopLine>,
}

/// A predicted road user or cone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictedObject {
    /// Number of the class.
    pub class: u8,
    /// Identity within the drive; `None` before tracking.
    pub track_id: Option<u32>,
    /// In [0, 1].
    pub confidence: f64,
    /// Centre: x, y, z.
    pub position_m: Point,
    /// Length, width, height.
    pub size_m: [f64; 3],
    /// Heading.
    pub yaw_rad: f64,
    /// Velocity over ground in ego axes.
    pub velocity_mps: [f64; 2],
    /// Standard deviations: x, y, yaw, vx, vy, and of the logarithms of the sizes.
    pub sigmas: [f64; 6],
    /// Extrapolated while hidden.
    pub is_coasting: bool,
}

/// A predicted line.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedLane {
    /// Number of the marking type.
    pub marking: u8,
    /// Number of the colour.
    pub colour: u8,
    /// In [0, 1].
    pub confidence: f64,
    /// Standard deviation across the line.
    pub sigma_lateral_m: f64,
    /// Points along it.
    pub points_m: Vec<Point>,
}

/// A predicted arrow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictedArrow {
    /// Set of directions.
    pub directions: u8,
    /// In [0, 1].
    pub confidence: f64,
    /// Centre.
    pub position_m: Point,
    /// Direction of the shaft.
    pub yaw_rad: f64,
    /// Standard deviation of the centre, in each direction.
    pub sigma_position_m: f64,
}

/// A predicted crosswalk.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedCrosswalk {
    /// In [0, 1].
    pub confidence: f64,
    /// Corners, counter-clockwise from above.
    pub corners_m: Vec<Point>,
    /// Standard deviation of the centre, in each direction.
    pub sigma_position_m: f64,
}

/// A predicted stop line.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedStopLine {
    /// In [0, 1].
    pub confidence: f64,
    /// Points along it.
    pub points_m: Vec<Point>,
    /// Standard deviation of the centre, in each direction.
    pub sigma_position_m: f64,
}
