//! Ground truth as the arrays of a message.

use super::message::Message;
use bevrt_sim::GroundTruth;

/// Appends the truth's arrays; their columns are documented in `models/README.md`.
pub fn push_truth(truth: &GroundTruth, message: &mut Message) {
    let objects: Vec<f32> = truth
        .objects
        .iter()
        .flat_map(|object| {
            [
                f32::from(object.class.code()),
                object.centre.x as f32,
                object.centre.y as f32,
                object.centre.z as f32,
                object.size[0],
                object.size[1],
                object.size[2],
                object.yaw as f32,
                object.velocity[0] as f32,
                object.velocity[1] as f32,
                object.yaw_rate as f32,
                object.visible_fraction,
                object.visible_px,
                f32::from(u8::from(object.counts)),
                f32::from(u8::from(object.is_occluded_recall)),
                object.id as f32,
            ]
        })
        .collect();
    message.push("objects", &[truth.objects.len(), 16], &objects);
    let (mut points, mut lanes) = (Vec::<f32>::new(), Vec::<i32>::new());
    for lane in &truth.lanes {
        let first = (points.len() / 4) as i32;
        lanes.extend([
            first,
            lane.points.len() as i32,
            lane.marking as i32,
            lane.colour as i32,
        ]);
        points.extend(lane.points.iter().flat_map(|point| {
            let [x, y, z] = [
                point.position.x as f32,
                point.position.y as f32,
                point.position.z as f32,
            ];
            [x, y, z, f32::from(u8::from(point.was_seen))]
        }));
    }
    message.push("lane_points", &[points.len() / 4, 4], &points);
    message.push("lanes", &[truth.lanes.len(), 4], &lanes);
    let arrows: Vec<f32> = truth
        .arrows
        .iter()
        .flat_map(|arrow| {
            let p = arrow.position;
            let seen = f32::from(u8::from(arrow.was_seen));
            [
                p.x as f32,
                p.y as f32,
                p.z as f32,
                arrow.yaw as f32,
                arrow.kind.index() as f32,
                seen,
                arrow.id as f32,
            ]
        })
        .collect();
    message.push("arrows", &[truth.arrows.len(), 7], &arrows);
    let crosswalks: Vec<f32> = truth
        .crosswalks
        .iter()
        .flat_map(|crosswalk| {
            let p = crosswalk.centre;
            let seen = f32::from(u8::from(crosswalk.was_seen));
            let [x, y, z] = [p.x as f32, p.y as f32, p.z as f32];
            [
                x,
                y,
                z,
                crosswalk.theta as f32,
                crosswalk.length as f32,
                crosswalk.width as f32,
                seen,
                crosswalk.id as f32,
            ]
        })
        .collect();
    message.push("crosswalks", &[truth.crosswalks.len(), 8], &crosswalks);
    let stop_lines: Vec<f32> = truth
        .stop_lines
        .iter()
        .flat_map(|line| {
            let p = line.centre;
            let seen = f32::from(u8::from(line.was_seen));
            [
                p.x as f32,
                p.y as f32,
                p.z as f32,
                line.theta as f32,
                line.length as f32,
                seen,
                line.id as f32,
            ]
        })
        .collect();
    message.push("stop_lines", &[truth.stop_lines.len(), 7], &stop_lines);
}
