//! What the heads find in one frame: plain `Copy` values in the ego frame of that frame.

use heapless::Vec;

/// Most objects that one frame can hold.
pub const OBJECT_CAPACITY: usize = 128;
/// Most lanes that one frame can hold.
pub const LANE_CAPACITY: usize = 64;
/// The marking type of a lane that is no paint: the end of the road surface.
pub(crate) const ROAD_EDGE: u8 = 3;
/// Most points of one lane.
pub const LANE_POINT_CAPACITY: usize = 48;
/// Most arrows that one frame can hold.
pub const ARROW_CAPACITY: usize = 32;
/// Most crosswalks that one frame can hold.
pub const CROSSWALK_CAPACITY: usize = 16;
/// Most stop lines that one frame can hold.
pub const STOP_LINE_CAPACITY: usize = 16;

/// One 3D object as the network sees it in this frame.
///
/// Positions, velocities and angles are in ego axes; the velocity is over ground.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ObjectDetection {
    /// Class index: 0 car, 1 van, 2 truck, 3 bus, 4 motorcycle, 5 cyclist, 6 pedestrian, 7 cone.
    pub class: u8,
    /// Confidence in [0, 1].
    pub confidence: f32,
    /// Centre of the box: x, y, z.
    pub position_m: [f32; 3],
    /// Length, width, height.
    pub size_m: [f32; 3],
    /// Heading, counter-clockwise from +x, in (−π, π].
    pub yaw_rad: f32,
    /// Velocity over ground along ego x and y.
    pub velocity_mps: [f32; 2],
    /// Turning rate, counter-clockwise.
    pub yaw_rate_radps: f32,
    /// Standard deviations.
    pub sigma: ObjectSigma,
}

/// Standard deviations of an object's values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ObjectSigma {
    /// Of the position along ego x and y.
    pub position_m: [f32; 2],
    /// Of the heading.
    pub yaw_rad: f32,
    /// Of the velocity along ego x and y.
    pub velocity_mps: [f32; 2],
    /// Of the size, as a share of it.
    pub size_relative: f32,
}

/// One painted line or road edge as the network sees it in this frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LaneDetection {
    /// Points in ego axes (x, y, z), in order; only the first `point_count` hold values.
    pub points_m: [[f32; 3]; LANE_POINT_CAPACITY],
    /// How many points hold values.
    pub point_count: u16,
    /// Marking type: 0 solid, 1 dashed, 2 double, 3 road edge.
    pub marking: u8,
    /// Colour: 0 white, 1 yellow.
    pub colour: u8,
    /// Mean confidence along the line in [0, 1].
    pub confidence: f32,
    /// Standard deviation across the line.
    pub sigma_lateral_m: f32,
}

impl Default for LaneDetection {
    fn default() -> Self {
        Self {
            points_m: [[0.0; 3]; LANE_POINT_CAPACITY],
            point_count: 0,
            marking: 0,
            colour: 0,
            confidence: 0.0,
            sigma_lateral_m: 0.0,
        }
    }
}

impl LaneDetection {
    /// The points that hold values.
    pub fn points(&self) -> &[[f32; 3]] {
        &self.points_m[..usize::from(self.point_count).min(LANE_POINT_CAPACITY)]
    }
}

/// One arrow on the road.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ArrowDetection {
    /// Set of directions: straight 1, left 2, right 4, u-turn 8.
    pub directions: u8,
    /// Confidence in [0, 1].
    pub confidence: f32,
    /// Centre in ego axes: x, y, z.
    pub position_m: [f32; 3],
    /// Pointing direction in (−π, π].
    pub yaw_rad: f32,
    /// Standard deviation of the position.
    pub sigma_position_m: f32,
}

/// One crosswalk: a rotated rectangle on the ground.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CrosswalkDetection {
    /// Confidence in [0, 1].
    pub confidence: f32,
    /// Centre in ego axes: x, y, z.
    pub position_m: [f32; 3],
    /// Walking direction across the road in (−π/2, π/2].
    pub theta_rad: f32,
    /// Extent along `theta_rad`.
    pub length_m: f32,
    /// Extent across `theta_rad`.
    pub width_m: f32,
    /// Standard deviation of the position.
    pub sigma_position_m: f32,
}

impl CrosswalkDetection {
    /// The four corners, counter-clockwise from above, at the height of the centre.
    pub fn corners(&self) -> [[f32; 3]; 4] {
        let (sin, cos) = self.theta_rad.sin_cos();
        let [x, y, z] = self.position_m;
        let (half_length, half_width) = (0.5 * self.length_m, 0.5 * self.width_m);
        [(1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)].map(|(along, across)| {
            let (a, b) = (along * half_length, across * half_width);
            [x + a * cos - b * sin, y + a * sin + b * cos, z]
        })
    }
}

/// One stop line: a straight piece on the ground.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StopLineDetection {
    /// Confidence in [0, 1].
    pub confidence: f32,
    /// Centre in ego axes: x, y, z.
    pub position_m: [f32; 3],
    /// Direction of the line in (−π/2, π/2].
    pub theta_rad: f32,
    /// Length of the line.
    pub length_m: f32,
    /// Standard deviation of the position.
    pub sigma_position_m: f32,
}

impl StopLineDetection {
    /// The two end points, at the height of the centre.
    pub fn ends(&self) -> [[f32; 3]; 2] {
        let (sin, cos) = self.theta_rad.sin_cos();
        let [x, y, z] = self.position_m;
        let half = 0.5 * self.length_m;
        [
            [x + half * cos, y + half * sin, z],
            [x - half * cos, y - half * sin, z],
        ]
    }
}

/// Objects of one frame, strongest first.
pub type ObjectDetections = Vec<ObjectDetection, OBJECT_CAPACITY>;
/// Lanes of one frame, strongest first.
pub type LaneDetections = Vec<LaneDetection, LANE_CAPACITY>;
/// Arrows of one frame, strongest first.
pub type ArrowDetections = Vec<ArrowDetection, ARROW_CAPACITY>;
/// Crosswalks of one frame, strongest first.
pub type CrosswalkDetections = Vec<CrosswalkDetection, CROSSWALK_CAPACITY>;
/// Stop lines of one frame, strongest first.
pub type StopLineDetections = Vec<StopLineDetection, STOP_LINE_CAPACITY>;

/// Everything that the heads found in one frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detections {
    /// 3D objects.
    pub objects: ObjectDetections,
    /// Painted lines and road edges.
    pub lanes: LaneDetections,
    /// Road arrows.
    pub arrows: ArrowDetections,
    /// Crosswalks.
    pub crosswalks: CrosswalkDetections,
    /// Stop lines.
    pub stop_lines: StopLineDetections,
}

impl Detections {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.objects.clear();
        self.lanes.clear();
        self.arrows.clear();
        self.crosswalks.clear();
        self.stop_lines.clear();
    }
}
