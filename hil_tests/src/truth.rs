//! Exact ground truth of one moment, in the ego frame of that moment.

mod simulated;

use bevrt_calibration::Rig;
use nalgebra::Point3;
use serde::{Deserialize, Serialize};

/// Everything that is true around the vehicle at one stamp.
///
/// This is also the JSON of the log channel `/ground_truth/exact`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FrameTruth {
    /// The moment, nanoseconds of the log's clock.
    pub stamp_ns: i64,
    /// Where the vehicle is in a frame that rests: x, y, heading; `None` where nobody knows. Tracks
    /// with gaps are filled in that frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ego_in_world: Option<[f64; 3]>,
    /// Road users and cones.
    pub objects: Vec<ObjectTruth>,
    /// Painted lines and road edges.
    pub lanes: Vec<LaneTruth>,
    /// Arrows on the road.
    pub arrows: Vec<ArrowTruth>,
    /// Crosswalks.
    pub crosswalks: Vec<CrosswalkTruth>,
    /// Stop lines.
    pub stop_lines: Vec<StopLineTruth>,
}

/// A road user or a cone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectTruth {
    /// Number of the class, as in the output frame.
    pub class: u8,
    /// Identity within the drive.
    pub track_id: u32,
    /// Centre of the box: x, y, z.
    pub position_m: [f64; 3],
    /// Length, width, height.
    pub size_m: [f64; 3],
    /// Heading, counter-clockwise from ego +x.
    pub yaw_rad: f64,
    /// Velocity over ground in ego axes: x, y; `None` where the data set does not tell.
    pub velocity_mps: Option<[f64; 2]>,
    /// Turning rate over ground.
    pub yaw_rate_radps: f64,
    /// Share of the silhouette that the cameras see now, in [0, 1].
    pub visible_fraction: f64,
    /// Pixels of it at the network's size, now.
    pub visible_pixels: f64,
    /// Seen now or within the last 2 s: it counts in the scores.
    pub counts: bool,
    /// Less than one fifth visible now, at least two fifths within the last 1.5 s.
    pub is_occluded: bool,
}

/// A painted line or road edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaneTruth {
    /// Identity within the drive.
    pub id: u32,
    /// Number of the marking type, as in the output frame, or [`LaneTruth::UNKNOWN`].
    pub marking: u8,
    /// Number of the colour, as in the output frame, or [`LaneTruth::UNKNOWN`].
    pub colour: u8,
    /// Points along the line: x, y, z.
    pub points_m: Vec<[f64; 3]>,
    /// Whether a camera sees each point or saw it within the last 2 s; as long as `points_m`.
    pub is_seen: Vec<bool>,
}

/// An arrow on the road.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArrowTruth {
    /// Identity within the drive.
    pub id: u32,
    /// Set of directions: straight 1, left 2, right 4, u-turn 8.
    pub directions: u8,
    /// Centre: x, y, z.
    pub position_m: [f64; 3],
    /// Direction of the shaft.
    pub yaw_rad: f64,
    /// Seen now or within the last 2 s.
    pub is_seen: bool,
}

/// A crosswalk, as a rectangle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrosswalkTruth {
    /// Identity within the drive.
    pub id: u32,
    /// Centre: x, y, z.
    pub position_m: [f64; 3],
    /// Walking direction, period π.
    pub theta_rad: f64,
    /// Extent along `theta_rad`.
    pub length_m: f64,
    /// Extent across `theta_rad`.
    pub width_m: f64,
    /// Seen now or within the last 2 s.
    pub is_seen: bool,
}

/// A stop line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StopLineTruth {
    /// Identity within the drive.
    pub id: u32,
    /// Centre: x, y, z.
    pub position_m: [f64; 3],
    /// Direction of the line, period π.
    pub theta_rad: f64,
    /// Extent along `theta_rad`.
    pub length_m: f64,
    /// Seen now or within the last 2 s.
    pub is_seen: bool,
}

impl FrameTruth {
    /// The same moment without what only one camera can see: it does not count.
    ///
    /// A place counts as seen by a camera when it lies in its picture; what stands before it is not
    /// asked for.
    pub fn without_camera(&self, rig: &Rig, camera: usize) -> Self {
        let others = |[x, y, z]: [f64; 3]| {
            let mut cameras = rig.cameras().iter().enumerate();
            cameras.any(|(index, other)| {
                index != camera && other.project_within(&Point3::new(x, y, z)).is_some()
            })
        };
        let mut truth = self.clone();
        for object in &mut truth.objects {
            object.counts &= others(object.position_m);
            object.is_occluded &= object.counts;
        }
        for lane in &mut truth.lanes {
            for (point, is_seen) in lane.points_m.iter().zip(&mut lane.is_seen) {
                *is_seen &= others(*point);
            }
        }
        for arrow in &mut truth.arrows {
            arrow.is_seen &= others(arrow.position_m);
        }
        for crosswalk in &mut truth.crosswalks {
            crosswalk.is_seen &= others(crosswalk.position_m);
        }
        for line in &mut truth.stop_lines {
            line.is_seen &= others(line.position_m);
        }
        truth
    }
}

impl LaneTruth {
    /// Marking type or colour of a painted line that a map draws without telling it.
    pub const UNKNOWN: u8 = 255;
}

impl CrosswalkTruth {
    /// The corners, counter-clockwise from above: x, y, z.
    pub fn corners_m(&self) -> [[f64; 3]; 4] {
        let (sin, cos) = self.theta_rad.sin_cos();
        let [x, y, z] = self.position_m;
        [(1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)].map(|(along, across)| {
            let (a, b) = (along * 0.5 * self.length_m, across * 0.5 * self.width_m);
            [x + a * cos - b * sin, y + a * sin + b * cos, z]
        })
    }
}

impl StopLineTruth {
    /// The two ends: x, y, z.
    pub fn ends_m(&self) -> [[f64; 3]; 2] {
        let (sin, cos) = self.theta_rad.sin_cos();
        let [x, y, z] = self.position_m;
        let half_m = 0.5 * self.length_m;
        [
            [x + half_m * cos, y + half_m * sin, z],
            [x - half_m * cos, y - half_m * sin, z],
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevrt_calibration::rigs;

    #[test]
    fn corners_run_counter_clockwise() {
        let crosswalk = CrosswalkTruth {
            id: 1,
            position_m: [5.0, 2.0, 0.0],
            theta_rad: 1.2,
            length_m: 8.0,
            width_m: 3.0,
            is_seen: true,
        };
        let corners = crosswalk.corners_m();
        let doubled_area: f64 = (0..4)
            .map(|k| {
                let (a, b) = (corners[k], corners[(k + 1) % 4]);
                a[0] * b[1] - a[1] * b[0]
            })
            .sum();
        assert!((doubled_area - 2.0 * 24.0).abs() < 1e-9);
    }

    #[test]
    fn what_one_camera_alone_sees_does_not_count_without_it() {
        let rig = rigs::six_pinhole();
        let arrow = |x: f64, y: f64| ArrowTruth {
            id: 0,
            directions: 1,
            position_m: [x, y, 0.0],
            yaw_rad: 0.0,
            is_seen: true,
        };
        // Ahead; between the front and the front left camera; behind.
        let truth = FrameTruth {
            arrows: vec![arrow(15.0, 0.0), arrow(15.0, 9.5), arrow(-15.0, 0.0)],
            ..FrameTruth::default()
        };
        let front = rig.index_of("front").expect("the rig has it");
        let seen = truth.without_camera(&rig, front);
        let seen: Vec<bool> = seen.arrows.iter().map(|arrow| arrow.is_seen).collect();
        assert_eq!(seen, [false, true, true]);
    }

    #[test]
    fn json_gives_the_same_truth_back() {
        let object = |velocity_mps| ObjectTruth {
            class: 0,
            track_id: 7,
            position_m: [1.0, 2.0, 0.3],
            size_m: [4.0, 2.0, 1.5],
            yaw_rad: -0.7,
            velocity_mps,
            yaw_rate_radps: 0.0,
            visible_fraction: 1.0,
            visible_pixels: 90.0,
            counts: true,
            is_occluded: false,
        };
        let truth = FrameTruth {
            objects: vec![object(None), object(Some([0.1, 7.0]))],
            stamp_ns: 1_234_567_890_123,
            stop_lines: vec![StopLineTruth {
                id: 3,
                position_m: [0.1, 1.0 / 3.0, -2e-17],
                theta_rad: 0.3,
                length_m: 6.5,
                is_seen: false,
            }],
            ..FrameTruth::default()
        };
        let text = serde_json::to_string(&truth).expect("plain numbers have a JSON form");
        assert_eq!(
            serde_json::from_str::<FrameTruth>(&text).expect("we wrote it"),
            truth
        );
    }
}
