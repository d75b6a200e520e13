//! Map elements of a world as ground truth: placed once, cut out around the ego vehicle at each instant.

use crate::ground_truth::{
    Arrow, ArrowKind, Crosswalk, Lane, LanePoint, MarkingColour, MarkingType, StopLine,
};
use crate::world::World;
use crate::world::curve::wrap;
use nalgebra::{Isometry3, Point2, Point3, Vector3};
use std::f64::consts::{FRAC_PI_2, PI};

/// Half the side of the square around the ego vehicle that ground truth covers, metres.
pub(super) const RANGE_M: f64 = 60.0;

/// Arrows, crosswalks and stop lines have numbers of their own ranges, so that no two marks share one.
const FIRST_ARROW: u32 = 100_000;
const FIRST_CROSSWALK: u32 = 200_000;
const FIRST_STOP_LINE: u32 = 300_000;

/// Map elements in the world frame.
#[derive(Clone, Debug)]
pub(super) struct Map {
    lines: Vec<Line>,
    arrows: Vec<Mark>,
    crosswalks: Vec<Mark>,
    stop_lines: Vec<Mark>,
}

#[derive(Clone, Debug)]
struct Line {
    id: u32,
    marking: MarkingType,
    colour: MarkingColour,
    points: Vec<Point3<f64>>,
    /// A circle around all points.
    middle: Point2<f64>,
    radius: f64,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    id: u32,
    position: Point3<f64>,
    direction: f64,
    length: f64,
    width: f64,
    kind: ArrowKind,
}

impl Map {
    pub(super) fn new(world: &World) -> Self {
        let raise = |place: &Point2<f64>| Point3::new(place.x, place.y, world.terrain.z(place));
        let lines = world.marks.lines.iter().enumerate().map(|(id, line)| {
            let (first, last) = (line.points[0], line.points[line.points.len() - 1]);
            let middle = nalgebra::center(&first, &last);
            Line {
                id: id as u32,
                marking: line.marking,
                colour: line.colour,
                points: line.points.iter().map(raise).collect(),
                middle,
                radius: line
                    .points
                    .iter()
                    .map(|place| (place - middle).norm())
                    .fold(0.0, f64::max),
            }
        });
        let mark = |id: u32, place: &Point2<f64>, direction: f64, length: f64, width: f64| Mark {
            id,
            position: raise(place),
            direction,
            length,
            width,
            kind: ArrowKind::STRAIGHT,
        };
        let arrows = world
            .marks
            .arrows
            .iter()
            .zip(FIRST_ARROW..)
            .map(|(arrow, id)| Mark {
                kind: arrow.kind,
                ..mark(id, &arrow.centre, arrow.yaw, arrow.length_m, 0.0)
            });
        let crosswalks = world
            .marks
            .crosswalks
            .iter()
            .zip(FIRST_CROSSWALK..)
            .map(|(walk, id)| mark(id, &walk.centre, walk.theta, walk.length_m, walk.width_m));
        let stop_lines = world
            .marks
            .stop_lines
            .iter()
            .zip(FIRST_STOP_LINE..)
            .map(|(line, id)| {
                mark(
                    id,
                    &line.centre,
                    line.theta,
                    line.length_m,
                    line.thickness_m,
                )
            });
        Self {
            lines: lines.collect(),
            arrows: arrows.collect(),
            crosswalks: crosswalks.collect(),
            stop_lines: stop_lines.collect(),
        }
    }

    /// Lanes around an ego pose, in its frame; visibility is left empty.
    pub(super) fn lanes(&self, ego_from_world: &Isometry3<f64>, here: Point2<f64>) -> Vec<Lane> {
        let mut lanes = Vec::new();
        for line in self
            .lines
            .iter()
            .filter(|line| (line.middle - here).norm() < line.radius + RANGE_M * 1.5)
        {
            let mut points: Vec<LanePoint> = Vec::new();
            let mut finish = |points: &mut Vec<LanePoint>| {
                if points.len() > 1 {
                    let points = std::mem::take(points);
                    lanes.push(Lane {
                        id: line.id,
                        marking: line.marking,
                        colour: line.colour,
                        points,
                    });
                }
                points.clear();
            };
            for (station, point) in line.points.iter().enumerate() {
                let position = ego_from_world * point;
                if is_in_range(&position) {
                    points.push(LanePoint {
                        position,
                        station: station as u32,
                        is_visible: false,
                        was_seen: false,
                    });
                } else {
                    finish(&mut points);
                }
            }
            finish(&mut points);
        }
        lanes
    }

    pub(super) fn arrows(&self, ego_from_world: &Isometry3<f64>) -> Vec<Arrow> {
        near(&self.arrows, ego_from_world)
            .map(|(mark, position, yaw)| Arrow {
                id: mark.id,
                position,
                yaw,
                kind: mark.kind,
                length: mark.length,
                visible_fraction: 0.0,
                was_seen: false,
            })
            .collect()
    }

    pub(super) fn crosswalks(&self, ego_from_world: &Isometry3<f64>) -> Vec<Crosswalk> {
        near(&self.crosswalks, ego_from_world)
            .map(|(mark, centre, direction)| Crosswalk {
                id: mark.id,
                centre,
                theta: half_turn(direction),
                length: mark.length,
                width: mark.width,
                visible_fraction: 0.0,
                was_seen: false,
            })
            .collect()
    }

    pub(super) fn stop_lines(&self, ego_from_world: &Isometry3<f64>) -> Vec<StopLine> {
        near(&self.stop_lines, ego_from_world)
            .map(|(mark, centre, direction)| StopLine {
                id: mark.id,
                centre,
                theta: half_turn(direction),
                length: mark.length,
                visible_fraction: 0.0,
                was_seen: false,
            })
            .collect()
    }
}

/// Marks in range with position and direction in the ego frame.
fn near<'a>(
    marks: &'a [Mark],
    ego_from_world: &'a Isometry3<f64>,
) -> impl Iterator<Item = (&'a Mark, Point3<f64>, f64)> {
    marks
        .iter()
        .map(move |mark| {
            (
                mark,
                ego_from_world * mark.position,
                yaw_in(ego_from_world, mark.direction),
            )
        })
        .filter(|(_, position, _)| is_in_range(position))
}

/// Whether a point in the ego frame lies within the range of ground truth.
pub(super) fn is_in_range(position: &Point3<f64>) -> bool {
    position.x.abs() <= RANGE_M && position.y.abs() <= RANGE_M
}

/// A direction in the ground plane of the world, seen in the ego frame.
pub(super) fn yaw_in(ego_from_world: &Isometry3<f64>, direction: f64) -> f64 {
    let turned = ego_from_world * Vector3::new(direction.cos(), direction.sin(), 0.0);
    wrap(turned.y.atan2(turned.x))
}

/// Wraps a direction of period π to (−π/2, π/2].
fn half_turn(direction: f64) -> f64 {
    let wrapped = direction.rem_euclid(PI);
    if wrapped > FRAC_PI_2 {
        wrapped - PI
    } else {
        wrapped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_turn_keeps_the_axis() {
        for (direction, expected) in [
            (0.1, 0.1),
            (0.1 + PI, 0.1),
            (-0.1, -0.1),
            (2.0, 2.0 - PI),
            (FRAC_PI_2, FRAC_PI_2),
        ] {
            assert!((half_turn(direction) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn lanes_lie_in_range_and_have_points_every_metre() {
        let world = World::generate(21);
        let map = Map::new(&world);
        let at = world.layout.roads[0].curve.at(250.0);
        let pose = Isometry3::new(Vector3::new(at.x, at.y, 0.0), Vector3::z() * at.heading);
        let lanes = map.lanes(&pose.inverse(), Point2::new(at.x, at.y));
        assert!(lanes.len() >= 2);
        for lane in &lanes {
            for pair in lane.points.windows(2) {
                let step = (pair[1].position - pair[0].position).norm();
                assert!((0.4..1.7).contains(&step), "{step}");
                assert_eq!(pair[1].station, pair[0].station + 1);
            }
            assert!(lane.points.iter().all(|point| is_in_range(&point.position)));
        }
    }
}
