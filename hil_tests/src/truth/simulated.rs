//! From the simulated world's ground truth.

use bevrt_runtime::Stamp;
use bevrt_sim::GroundTruth;
use nalgebra::{Isometry3, Vector3};

use super::{ArrowTruth, CrosswalkTruth, FrameTruth, LaneTruth, ObjectTruth, StopLineTruth};

/// Place and heading of a pose.
fn planar(world_from_ego: &Isometry3<f64>) -> [f64; 3] {
    let place = world_from_ego.translation.vector;
    let ahead = world_from_ego.rotation * Vector3::x();
    [place.x, place.y, ahead.y.atan2(ahead.x)]
}

impl FrameTruth {
    /// The same truth as the log has it; `stamp` is its moment on the log's clock.
    pub fn from_simulated(stamp: Stamp, truth: &GroundTruth) -> Self {
        Self {
            stamp_ns: stamp.nanoseconds(),
            ego_in_world: Some(planar(&truth.world_from_ego)),
            objects: truth
                .objects
                .iter()
                .map(|object| ObjectTruth {
                    class: object.class.code(),
                    track_id: object.id,
                    position_m: object.centre.coords.into(),
                    size_m: object.size.map(f64::from),
                    yaw_rad: object.yaw,
                    velocity_mps: Some(object.velocity),
                    yaw_rate_radps: object.yaw_rate,
                    visible_fraction: f64::from(object.visible_fraction),
                    visible_pixels: f64::from(object.visible_px),
                    counts: object.counts,
                    is_occluded: object.is_occluded_recall,
                })
                .collect(),
            lanes: truth
                .lanes
                .iter()
                .map(|lane| LaneTruth {
                    id: lane.id,
                    marking: lane.marking as u8,
                    colour: lane.colour as u8,
                    points_m: lane
                        .points
                        .iter()
                        .map(|p| p.position.coords.into())
                        .collect(),
                    is_seen: lane.points.iter().map(|p| p.was_seen).collect(),
                })
                .collect(),
            arrows: truth
                .arrows
                .iter()
                .map(|arrow| ArrowTruth {
                    id: arrow.id,
                    directions: arrow.kind.bits(),
                    position_m: arrow.position.coords.into(),
                    yaw_rad: arrow.yaw,
                    is_seen: arrow.was_seen,
                })
                .collect(),
            crosswalks: truth
                .crosswalks
                .iter()
                .map(|crosswalk| CrosswalkTruth {
                    id: crosswalk.id,
                    position_m: crosswalk.centre.coords.into(),
                    theta_rad: crosswalk.theta,
                    length_m: crosswalk.length,
                    width_m: crosswalk.width,
                    is_seen: crosswalk.was_seen,
                })
                .collect(),
            stop_lines: truth
                .stop_lines
                .iter()
                .map(|line| StopLineTruth {
                    id: line.id,
                    position_m: line.centre.coords.into(),
                    theta_rad: line.theta,
                    length_m: line.length,
                    is_seen: line.was_seen,
                })
                .collect(),
        }
    }
}
