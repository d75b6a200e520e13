//! Ground truth as the arrays of a message.

use super::message::Message;
use bevrt_hil::{FrameTruth, LaneTruth};
use bevrt_sim::ArrowKind;

/// Appends the truth's arrays; their columns are documented in `models/bevrt_models/targets.py`.
pub fn push_truth(truth: &FrameTruth, message: &mut Message) {
    push_objects(truth, message);
    push_lanes(truth, message);
    let xyz = |position: [f64; 3]| position.map(|value| value as f32);
    let arrows: Vec<f32> = truth
        .arrows
        .iter()
        .flat_map(|arrow| {
            let [x, y, z] = xyz(arrow.position_m);
            let kind = ArrowKind::ALL
                .iter()
                .position(|kind| kind.bits() == arrow.directions);
            let kind = kind.map_or(f32::NAN, |kind| kind as f32);
            let yaw = arrow.yaw_rad as f32;
            [x, y, z, yaw, kind, flag(arrow.is_seen), arrow.id as f32]
        })
        .collect();
    message.push("arrows", &[truth.arrows.len(), 7], &arrows);
    let crosswalks: Vec<f32> = truth
        .crosswalks
        .iter()
        .flat_map(|crosswalk| {
            let [x, y, z] = xyz(crosswalk.position_m);
            let [theta, length, width] =
                [crosswalk.theta_rad, crosswalk.length_m, crosswalk.width_m]
                    .map(|value| value as f32);
            let seen = flag(crosswalk.is_seen);
            [x, y, z, theta, length, width, seen, crosswalk.id as f32]
        })
        .collect();
    message.push("crosswalks", &[truth.crosswalks.len(), 8], &crosswalks);
    let stop_lines: Vec<f32> = truth
        .stop_lines
        .iter()
        .flat_map(|line| {
            let [x, y, z] = xyz(line.position_m);
            let (theta, length) = (line.theta_rad as f32, line.length_m as f32);
            [x, y, z, theta, length, flag(line.is_seen), line.id as f32]
        })
        .collect();
    message.push("stop_lines", &[truth.stop_lines.len(), 7], &stop_lines);
}

/// A velocity that nobody knows is not a number, and the turning rate with it.
fn push_objects(truth: &FrameTruth, message: &mut Message) {
    let objects: Vec<f32> = truth
        .objects
        .iter()
        .flat_map(|object| {
            let [x, y, z] = object.position_m.map(|value| value as f32);
            let [length, width, height] = object.size_m.map(|value| value as f32);
            let [vx, vy, yaw_rate] = match object.velocity_mps {
                Some([vx, vy]) => [vx, vy, object.yaw_rate_radps].map(|value| value as f32),
                None => [f32::NAN; 3],
            };
            [
                f32::from(object.class),
                x,
                y,
                z,
                length,
                width,
                height,
                object.yaw_rad as f32,
                vx,
                vy,
                yaw_rate,
                object.visible_fraction as f32,
                object.visible_pixels as f32,
                flag(object.counts),
                flag(object.is_occluded),
                object.track_id as f32,
            ]
        })
        .collect();
    message.push("objects", &[truth.objects.len(), 16], &objects);
}

/// A type or colour that nobody knows is −1.
fn push_lanes(truth: &FrameTruth, message: &mut Message) {
    let known = |number: u8| match number {
        LaneTruth::UNKNOWN => -1,
        number => i32::from(number),
    };
    let (mut points, mut lanes) = (Vec::<f32>::new(), Vec::<i32>::new());
    for lane in &truth.lanes {
        let first = (points.len() / 4) as i32;
        let count = lane.points_m.len() as i32;
        lanes.extend([first, count, known(lane.marking), known(lane.colour)]);
        for (point, is_seen) in lane.points_m.iter().zip(&lane.is_seen) {
            points.extend(point.map(|value| value as f32));
            points.push(flag(*is_seen));
        }
    }
    message.push("lane_points", &[points.len() / 4, 4], &points);
    message.push("lanes", &[truth.lanes.len(), 4], &lanes);
}

fn flag(is_set: bool) -> f32 {
    f32::from(u8::from(is_set))
}
