//! Elements projected into a camera image, as polylines in its pixels.

use super::elements::{DrawnArrow, DrawnBox, DrawnLine, Elements, rounded};
use bevrt_calibration::Camera;
use nalgebra::{Point2, Point3, Rotation2, Vector2};
use serde::Serialize;

/// A polyline in the pixels of the page's picture: x and y in turn.
#[derive(Clone, Debug, Serialize)]
pub struct ImageLine {
    pub kind: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub coasting: bool,
    pub points: Vec<f64>,
}

/// Longest straight piece that is projected as a whole, so that lines bend as the lens bends them; metres.
const PIECE_M: f64 = 0.7;
/// Map elements farther away are left out of the pictures: they would cover the horizon.
const FARTHEST_M: f64 = 45.0;

/// Projects everything that `camera` sees; `scale` is picture pixels per camera pixel.
pub fn project(elements: &Elements, camera: &Camera, scale: f64) -> Vec<ImageLine> {
    let mut lines = Vec::new();
    let mut draw = |kind, coasting, points: &[Point3<f64>]| {
        for points in visible_pieces(points, camera, scale) {
            lines.push(ImageLine {
                kind,
                coasting,
                points,
            });
        }
    };
    for line in &elements.lines {
        draw(line.kind, false, &closed_points(line));
    }
    for arrow in &elements.arrows {
        for stroke in arrow_strokes(arrow) {
            draw("arrow", false, &stroke);
        }
    }
    for drawn in &elements.boxes {
        for edge in box_strokes(drawn) {
            draw(drawn.kind, drawn.coasting, &edge);
        }
    }
    lines
}

fn closed_points(line: &DrawnLine) -> Vec<Point3<f64>> {
    let mut points: Vec<_> = line
        .points
        .iter()
        .copied()
        .filter(|p| p.coords.xy().norm() < FARTHEST_M || line.closed)
        .collect();
    if line.closed {
        points.extend(line.points.first().copied());
    }
    points
}

/// Bottom, top, the four posts, and a cross on the front face.
fn box_strokes(drawn: &DrawnBox) -> Vec<Vec<Point3<f64>>> {
    let turn = Rotation2::new(drawn.yaw);
    let corner = |i: usize, up: f64| {
        let [along, across] = [[0.5, 0.5], [0.5, -0.5], [-0.5, -0.5], [-0.5, 0.5]][i % 4];
        let offset = turn * Vector2::new(along * drawn.length, across * drawn.width);
        Point3::new(
            drawn.x + offset.x,
            drawn.y + offset.y,
            drawn.z + up * drawn.height,
        )
    };
    let ring = |up: f64| (0..5).map(|i| corner(i, up)).collect::<Vec<_>>();
    let mut strokes = vec![ring(-0.5), ring(0.5)];
    strokes.extend((0..4).map(|i| vec![corner(i, -0.5), corner(i, 0.5)]));
    strokes.push(vec![corner(0, -0.5), corner(1, 0.5)]);
    strokes.push(vec![corner(1, -0.5), corner(0, 0.5)]);
    strokes
}

/// A stem of 3 m with one tip for each direction.
fn arrow_strokes(arrow: &DrawnArrow) -> Vec<Vec<Point3<f64>>> {
    let turn = Rotation2::new(arrow.yaw);
    let at = |x: f64, y: f64| {
        let offset = turn * Vector2::new(x, y);
        Point3::new(arrow.x + offset.x, arrow.y + offset.y, arrow.z)
    };
    let tips = [(1, 2.2, 0.0), (2, 1.0, 0.9), (4, 1.0, -0.9), (8, -0.8, 0.9)];
    let mut strokes = vec![vec![at(-2.0, 0.0), at(0.3, 0.0)]];
    for (bit, x, y) in tips {
        if arrow.directions & bit != 0 {
            strokes.push(vec![at(0.3, 0.0), at(x, y)]);
        }
    }
    strokes
}

/// Cuts a polyline into short pieces and joins what the camera sees of them.
fn visible_pieces(points: &[Point3<f64>], camera: &Camera, scale: f64) -> Vec<Vec<f64>> {
    let cam_from_ego = camera.ego_from_cam.inverse();
    let intrinsics = &camera.intrinsics;
    let margin = f64::from(intrinsics.width()) * 0.25;
    let project = |point_in_ego: &Point3<f64>| -> Option<Point2<f64>> {
        let pixel = intrinsics.project(&cam_from_ego.transform(point_in_ego))?;
        let is_near = pixel.x > -margin
            && pixel.y > -margin
            && pixel.x < f64::from(intrinsics.width()) + margin
            && pixel.y < f64::from(intrinsics.height()) + margin;
        is_near.then_some(pixel)
    };
    let mut pieces = Vec::new();
    let mut current: Vec<f64> = Vec::new();
    let mut end = |current: &mut Vec<f64>| {
        if current.len() > 2 {
            pieces.push(std::mem::take(current));
        }
        current.clear();
    };
    for pair in points.windows(2) {
        let steps = ((pair[1] - pair[0]).norm() / PIECE_M).ceil().max(1.0) as usize;
        for step in 0..=steps {
            if step == 0 && !current.is_empty() {
                continue;
            }
            let point = pair[0] + (pair[1] - pair[0]) * (step as f64 / steps as f64);
            match project(&point) {
                Some(pixel) => {
                    let shifted = |v: f64| rounded(((v + 0.5) * scale * 10.0).round() / 10.0);
                    current.extend([shifted(pixel.x), shifted(pixel.y)]);
                }
                None => end(&mut current),
            }
        }
    }
    end(&mut current);
    pieces
}
