//! What tracking adds to the detections: identity, age and, for lanes, the place beside the ego lane.

use heapless::Vec;

use crate::heads::{
    ARROW_CAPACITY, ArrowDetection, CROSSWALK_CAPACITY, CrosswalkDetection, LANE_CAPACITY,
    LaneDetection, OBJECT_CAPACITY, ObjectDetection, STOP_LINE_CAPACITY, StopLineDetection,
};

/// An object that is followed over time; its values are filtered and in the present ego frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrackedObject {
    /// Filtered values.
    pub object: ObjectDetection,
    /// Identity, unique within a run, never 0.
    pub id: u32,
    /// Time since the first detection.
    pub age_s: f32,
    /// Time since the last detection; 0 when it was detected in this frame.
    pub unseen_s: f32,
    /// Whether the values are predicted because this frame has no detection of it.
    pub is_coasting: bool,
}

/// A lane that is followed over time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrackedLane {
    /// The line in the present ego frame: what this frame shows, steadied by earlier frames, and the
    /// stretches before and behind that earlier frames showed and that are still believed in.
    pub lane: LaneDetection,
    /// Identity, unique within a run, never 0.
    pub id: u32,
    /// Time since the first detection.
    pub age_s: f32,
    /// Place relative to the ego vehicle: +1 the nearest line on the left, +2 the next one, −1 the
    /// nearest on the right and so on; 0 when the line does not pass beside the vehicle.
    pub position: i8,
    /// Whether nothing of it was detected in this frame.
    pub is_coasting: bool,
}

/// An arrow, a crosswalk or a stop line that is followed over time, seen in this frame or a moment
/// ago.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrackedElement<T> {
    /// The element in the present ego frame.
    pub element: T,
    /// Identity, unique within a run and kind, never 0.
    pub id: u32,
    /// Time since the first detection.
    pub age_s: f32,
    /// Whether it was not detected in this frame.
    pub is_coasting: bool,
}

/// Everything that is followed, in the ego frame of one stamp.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tracks {
    /// 3D objects, strongest first.
    pub objects: Vec<TrackedObject, OBJECT_CAPACITY>,
    /// Lanes, strongest first.
    pub lanes: Vec<TrackedLane, LANE_CAPACITY>,
    /// Arrows, strongest first.
    pub arrows: Vec<TrackedElement<ArrowDetection>, ARROW_CAPACITY>,
    /// Crosswalks, strongest first.
    pub crosswalks: Vec<TrackedElement<CrosswalkDetection>, CROSSWALK_CAPACITY>,
    /// Stop lines, strongest first.
    pub stop_lines: Vec<TrackedElement<StopLineDetection>, STOP_LINE_CAPACITY>,
}

impl Tracks {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.objects.clear();
        self.lanes.clear();
        self.arrows.clear();
        self.crosswalks.clear();
        self.stop_lines.clear();
    }
}
