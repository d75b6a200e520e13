//! From the runtime's types.

use bevrt_runtime::{Detections, FramePoint, OutputFrame, Stamp};

use super::{
    FramePrediction, PredictedArrow, PredictedCrosswalk, PredictedLane, PredictedObject,
    PredictedStopLine,
};
use crate::metrics::Point;

fn wide(point: [f32; 3]) -> Point {
    point.map(f64::from)
}

impl From<&OutputFrame> for FramePrediction {
    fn from(frame: &OutputFrame) -> Self {
        let points = |points: &[FramePoint]| -> Vec<Point> {
            points.iter().map(|p| wide([p.x_m, p.y_m, p.z_m])).collect()
        };
        Self {
            stamp_ns: frame.stamp_ns,
            objects: frame
                .objects()
                .iter()
                .map(|object| PredictedObject {
                    class: object.class,
                    track_id: Some(object.id),
                    confidence: f64::from(object.confidence),
                    position_m: wide([object.x_m, object.y_m, object.z_m]),
                    size_m: wide([object.length_m, object.width_m, object.height_m]),
                    yaw_rad: f64::from(object.yaw_rad),
                    velocity_mps: [f64::from(object.vx_mps), f64::from(object.vy_mps)],
                    sigmas: [
                        object.sigma_x_m,
                        object.sigma_y_m,
                        object.sigma_yaw_rad,
                        object.sigma_vx_mps,
                        object.sigma_vy_mps,
                        object.sigma_size_ratio,
                    ]
                    .map(f64::from),
                    is_coasting: object.is_coasting != 0,
                })
                .collect(),
            lanes: frame
                .lanes()
                .iter()
                .map(|lane| PredictedLane {
                    marking: lane.marking,
                    colour: lane.colour,
                    confidence: f64::from(lane.confidence),
                    sigma_lateral_m: f64::from(lane.sigma_lateral_m),
                    points_m: points(lane.points()),
                })
                .collect(),
            arrows: frame
                .arrows()
                .iter()
                .map(|arrow| PredictedArrow {
                    directions: arrow.directions,
                    confidence: f64::from(arrow.confidence),
                    position_m: wide([arrow.x_m, arrow.y_m, arrow.z_m]),
                    yaw_rad: f64::from(arrow.yaw_rad),
                    sigma_position_m: f64::from(arrow.sigma_position_m),
                })
                .collect(),
            crosswalks: frame
                .crosswalks()
                .iter()
                .map(|crosswalk| PredictedCrosswalk {
                    confidence: f64::from(crosswalk.confidence),
                    corners_m: points(crosswalk.points()),
                    sigma_position_m: f64::from(crosswalk.sigma_position_m),
                })
                .collect(),
            stop_lines: frame
                .stop_lines()
                .iter()
                .map(|stop_line| PredictedStopLine {
                    confidence: f64::from(stop_line.confidence),
                    points_m: points(stop_line.points()),
                    sigma_position_m: f64::from(stop_line.sigma_position_m),
                })
                .collect(),
        }
    }
}

impl FramePrediction {
    /// Results of the heads alone, before tracking: without coasting, smoothing or identities.
    pub fn from_detections(stamp: Stamp, detections: &Detections) -> Self {
        Self {
            stamp_ns: stamp.nanoseconds(),
            objects: detections
                .objects
                .iter()
                .map(|object| {
                    let sigma = &object.sigma;
                    PredictedObject {
                        class: object.class,
                        track_id: None,
                        confidence: f64::from(object.confidence),
                        position_m: wide(object.position_m),
                        size_m: wide(object.size_m),
                        yaw_rad: f64::from(object.yaw_rad),
                        velocity_mps: object.velocity_mps.map(f64::from),
                        sigmas: [
                            sigma.position_m[0],
                            sigma.position_m[1],
                            sigma.yaw_rad,
                            sigma.velocity_mps[0],
                            sigma.velocity_mps[1],
                            sigma.size_relative,
                        ]
                        .map(f64::from),
                        is_coasting: false,
                    }
                })
                .collect(),
            lanes: detections
                .lanes
                .iter()
                .map(|lane| PredictedLane {
                    marking: lane.marking,
                    colour: lane.colour,
                    confidence: f64::from(lane.confidence),
                    sigma_lateral_m: f64::from(lane.sigma_lateral_m),
                    points_m: lane.points().iter().copied().map(wide).collect(),
                })
                .collect(),
            arrows: detections
                .arrows
                .iter()
                .map(|arrow| PredictedArrow {
                    directions: arrow.directions,
                    confidence: f64::from(arrow.confidence),
                    position_m: wide(arrow.position_m),
                    yaw_rad: f64::from(arrow.yaw_rad),
                    sigma_position_m: f64::from(arrow.sigma_position_m),
                })
                .collect(),
            crosswalks: detections
                .crosswalks
                .iter()
                .map(|crosswalk| PredictedCrosswalk {
                    confidence: f64::from(crosswalk.confidence),
                    corners_m: crosswalk.corners().into_iter().map(wide).collect(),
                    sigma_position_m: f64::from(crosswalk.sigma_position_m),
                })
                .collect(),
            stop_lines: detections
                .stop_lines
                .iter()
                .map(|stop_line| PredictedStopLine {
                    confidence: f64::from(stop_line.confidence),
                    points_m: stop_line.ends().into_iter().map(wide).collect(),
                    sigma_position_m: f64::from(stop_line.sigma_position_m),
                })
                .collect(),
        }
    }
}
