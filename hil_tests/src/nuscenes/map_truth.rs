//! The map around the vehicle as ground truth.
//!
//! The map is flat and knows no heights: its places are put on the plane of the ego frame, straight
//! above or below. It does not know what cameras see either: everything in range counts.

use bevrt_calibration::{Ego, Pose, World};
use nalgebra::{Matrix2, Vector2};

use super::map_expansion::{MapExpansion, Place};
use crate::metrics::{Point, Range, clip};
use crate::truth::{CrosswalkTruth, LaneTruth, StopLineTruth};

/// Ground truth of the map reaches as far as that of the simulated world.
const RANGE: Range = Range {
    half_x_m: 60.0,
    half_y_m: 60.0,
};
/// Nothing farther than this from the vehicle can reach into the range, metres.
const REACH_M: f64 = 90.0;

/// From the flat map to the plane of an ego frame.
struct Plane {
    ego_from_map: Matrix2<f64>,
    origin: Vector2<f64>,
}

impl Plane {
    fn new(world_from_ego: &Pose<World, Ego>) -> Self {
        let rotation = world_from_ego.rotation().to_rotation_matrix();
        let map_from_ego = rotation.matrix().fixed_view::<2, 2>(0, 0).into_owned();
        Self {
            // A vehicle that stands on its side has no plane to put a map on.
            ego_from_map: map_from_ego.try_inverse().unwrap_or(Matrix2::identity()),
            origin: world_from_ego.translation().xy(),
        }
    }

    fn point(&self, place: &Place) -> Point {
        let point = self.ego_from_map * (Vector2::from(*place) - self.origin);
        [point.x, point.y, 0.0]
    }

    /// All places in the ego frame, unless they lie too far away altogether.
    fn points(&self, places: &[Place]) -> Option<Vec<Point>> {
        let points: Vec<Point> = places.iter().map(|place| self.point(place)).collect();
        let least = |axis: usize| points.iter().map(|p| p[axis]).fold(f64::INFINITY, f64::min);
        let most = |axis: usize| {
            points
                .iter()
                .map(|p| p[axis])
                .fold(f64::NEG_INFINITY, f64::max)
        };
        let is_near = (0..2).all(|axis| least(axis) < REACH_M && most(axis) > -REACH_M);
        is_near.then_some(points)
    }
}

/// The painted lines in range, cut at its border.
pub(super) fn lanes(map: &MapExpansion, world_from_ego: &Pose<World, Ego>) -> Vec<LaneTruth> {
    let plane = Plane::new(world_from_ego);
    let mut lanes = Vec::new();
    for (id, line) in map.lines.iter().enumerate() {
        let Some(points) = plane.points(&line.places) else {
            continue;
        };
        for part in clip(&points, &RANGE) {
            lanes.push(LaneTruth {
                id: id as u32,
                marking: line.marking,
                colour: line.colour,
                is_seen: vec![true; part.len()],
                points_m: part,
            });
        }
    }
    lanes
}

/// The crosswalks whose centres are in range, as the smallest rectangles around them; people walk
/// along the longer side.
pub(super) fn crosswalks(
    map: &MapExpansion,
    world_from_ego: &Pose<World, Ego>,
) -> Vec<CrosswalkTruth> {
    rectangles(&map.crosswalks, world_from_ego)
        .map(|(id, rectangle)| CrosswalkTruth {
            id,
            position_m: rectangle.centre,
            theta_rad: rectangle.theta_rad,
            length_m: rectangle.length_m,
            width_m: rectangle.width_m,
            is_seen: true,
        })
        .collect()
}

/// The stop lines whose centres are in range: the axes of the smallest rectangles around them.
pub(super) fn stop_lines(
    map: &MapExpansion,
    world_from_ego: &Pose<World, Ego>,
) -> Vec<StopLineTruth> {
    rectangles(&map.stop_lines, world_from_ego)
        .map(|(id, rectangle)| StopLineTruth {
            id,
            position_m: rectangle.centre,
            theta_rad: rectangle.theta_rad,
            length_m: rectangle.length_m,
            is_seen: true,
        })
        .collect()
}

fn rectangles<'a>(
    outlines: &'a [Vec<Place>],
    world_from_ego: &Pose<World, Ego>,
) -> impl Iterator<Item = (u32, Rectangle)> + 'a {
    let plane = Plane::new(world_from_ego);
    outlines
        .iter()
        .enumerate()
        .filter_map(move |(id, outline)| {
            let rectangle = Rectangle::around(&plane.points(outline)?);
            RANGE
                .contains(&rectangle.centre)
                .then_some((id as u32, rectangle))
        })
}

/// A rectangle on the ground, longer than wide.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rectangle {
    centre: Point,
    /// Direction of the longer side, in (−π/2, π/2].
    theta_rad: f64,
    length_m: f64,
    width_m: f64,
}

impl Rectangle {
    /// The rectangle of least area around points: one of its sides lies along an edge of the convex
    /// hull, hence along the way between two of the points.
    fn around(points: &[Point]) -> Self {
        let mut best: Option<(f64, Self)> = None;
        for (place, a) in points.iter().enumerate() {
            for b in &points[place + 1..] {
                let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
                if dx == 0.0 && dy == 0.0 {
                    continue;
                }
                let rectangle = Self::along(points, dy.atan2(dx));
                let area = rectangle.length_m * rectangle.width_m;
                if best.is_none_or(|(least, _)| area < least) {
                    best = Some((area, rectangle));
                }
            }
        }
        best.map_or_else(|| Self::along(points, 0.0), |(_, rectangle)| rectangle)
    }

    /// The rectangle around points with a side in this direction.
    fn along(points: &[Point], theta_rad: f64) -> Self {
        let (sin, cos) = theta_rad.sin_cos();
        let (mut least, mut most) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for p in points {
            let turned = [p[0] * cos + p[1] * sin, p[1] * cos - p[0] * sin];
            for axis in 0..2 {
                least[axis] = least[axis].min(turned[axis]);
                most[axis] = most[axis].max(turned[axis]);
            }
        }
        let [u, v] = [0, 1].map(|axis| 0.5 * (least[axis] + most[axis]));
        let [along, across] = [0, 1].map(|axis| most[axis] - least[axis]);
        let (turn, length_m, width_m) = if along >= across {
            (0.0, along, across)
        } else {
            (std::f64::consts::FRAC_PI_2, across, along)
        };
        Self {
            centre: [u * cos - v * sin, u * sin + v * cos, 0.0],
            theta_rad: axis_of(theta_rad + turn),
            length_m,
            width_m,
        }
    }
}

/// Wraps a direction of period π to (−π/2, π/2].
fn axis_of(direction_rad: f64) -> f64 {
    use std::f64::consts::{FRAC_PI_2, PI};
    let wrapped = direction_rad.rem_euclid(PI);
    if wrapped > FRAC_PI_2 {
        wrapped - PI
    } else {
        wrapped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{UnitQuaternion, Vector3};

    /// Around (5, 2), 8 by 3, turned by 0.4.
    fn turned_rectangle() -> Vec<Point> {
        let (sin, cos) = 0.4_f64.sin_cos();
        [
            (4.0, 1.5),
            (0.5, 1.5),
            (-4.0, 1.5),
            (-4.0, -1.5),
            (4.0, -1.5),
        ]
        .map(|(u, v): (f64, f64)| [5.0 + u * cos - v * sin, 2.0 + u * sin + v * cos, 0.0])
        .to_vec()
    }

    #[test]
    fn the_smallest_rectangle_around_a_rectangle_is_itself() {
        let found = Rectangle::around(&turned_rectangle());
        assert!((found.theta_rad - 0.4).abs() < 1e-12, "{found:?}");
        assert!((found.length_m - 8.0).abs() < 1e-12, "{found:?}");
        assert!((found.width_m - 3.0).abs() < 1e-12, "{found:?}");
        assert!((found.centre[0] - 5.0).abs() < 1e-12, "{found:?}");
        assert!((found.centre[1] - 2.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn places_of_the_map_lie_on_the_plane_of_a_leaning_ego_frame() {
        let pose = Pose::<World, Ego>::new(
            UnitQuaternion::from_euler_angles(0.02, -0.05, 1.0),
            Vector3::new(100.0, 200.0, 7.0),
        );
        let [x, y, z] = Plane::new(&pose).point(&[110.0, 215.0]);
        assert_eq!(z, 0.0);
        let back = pose.transform(&nalgebra::Point3::new(x, y, z));
        assert!((back.x - 110.0).abs() < 1e-9 && (back.y - 215.0).abs() < 1e-9);
    }

    #[test]
    fn lines_are_cut_at_the_border_and_far_ones_are_left_out() {
        let line = |x: f64| super::super::map_expansion::MapLine {
            marking: 0,
            colour: 0,
            places: vec![[x, 1.0], [x + 200.0, 1.0]],
        };
        let map = MapExpansion {
            lines: vec![line(-100.0), line(500.0)],
            ..MapExpansion::default()
        };
        let lanes = lanes(&map, &Pose::identity());
        assert_eq!(lanes.len(), 1);
        assert_eq!(lanes[0].points_m, [[-60.0, 1.0, 0.0], [60.0, 1.0, 0.0]]);
        assert_eq!(lanes[0].is_seen, [true, true]);
    }
}
