//! Paths of vehicles through the road network, with the places where they may have to stop.

use crate::world::curve::Curve;
use crate::world::layout::{Arm, Layout};
use crate::world::marks::{Marks, along};
use nalgebra::{Point2, Vector2};

/// A place where a junction begins for a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate {
    /// Arc length where vehicles wait.
    pub(super) stop_s: f64,
    /// Arc length where the junction is left behind.
    pub(super) exit_s: f64,
    pub(super) junction: usize,
    /// 0 when coming along the main road, 1 along the crossing road.
    pub(super) group: usize,
    /// The path leaves on another road than it came.
    pub(super) is_turn: bool,
}

/// A crosswalk on a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crossing {
    pub(super) stop_s: f64,
    pub(super) crosswalk: usize,
}

/// A lane, or two lanes joined by a turn, as one curve.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) curve: Curve,
    pub(super) gates: Vec<Gate>,
    pub(super) crossings: Vec<Crossing>,
    pub(super) limit_mps: f64,
}

/// Which lane of a road.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LaneOf {
    pub(super) road: usize,
    /// 0 along the arc length of the road, 1 against it.
    pub(super) direction: usize,
    /// 0 is next to the centre line.
    pub(super) lane: usize,
}

impl Path {
    /// The whole length of a lane; `aside_m` shifts it to the right in the direction of travel.
    pub(super) fn straight(layout: &Layout, marks: &Marks, lane: LaneOf, aside_m: f64) -> Self {
        let road = &layout.roads[lane.road];
        let mut points = along(
            road,
            0.0,
            road.curve.length(),
            lateral(layout, lane, aside_m),
        );
        if lane.direction == 1 {
            points.reverse();
        }
        let curve = Curve::through(&points);
        let mut path = Self {
            curve,
            gates: Vec::new(),
            crossings: Vec::new(),
            limit_mps: road.section.speed_limit_mps,
        };
        for (index, junction) in layout.junctions.iter().enumerate() {
            let arms: Vec<(usize, &Arm)> = junction
                .arms
                .iter()
                .enumerate()
                .filter(|(_, arm)| arm.road == lane.road)
                .collect();
            let entry = arms
                .iter()
                .find(|(_, arm)| arm.incoming() == lane.direction);
            let exit = arms
                .iter()
                .find(|(_, arm)| arm.outgoing() == lane.direction);
            if let (Some((entry, _)), Some((exit, _))) = (entry, exit) {
                path.add_gate(layout, marks, index, [*entry, *exit], [lane, lane]);
            }
        }
        path.finish(layout, marks, &[lane.road])
    }

    /// From a lane that enters a junction through one arm to a lane that leaves it through another.
    pub(super) fn turning(
        layout: &Layout,
        marks: &Marks,
        junction: usize,
        arms: [usize; 2],
        lanes: [usize; 2],
    ) -> Self {
        let [entry, exit] = arms.map(|arm| layout.junctions[junction].arms[arm]);
        let from = LaneOf {
            road: entry.road,
            direction: entry.incoming(),
            lane: lanes[0],
        };
        let to = LaneOf {
            road: exit.road,
            direction: exit.outgoing(),
            lane: lanes[1],
        };
        let mut points = half_lane(layout, from, entry.mouth_s, true);
        let after = half_lane(layout, to, exit.mouth_s, false);
        bend(&mut points, &after);
        points.extend_from_slice(&after[1..]);
        let curve = Curve::through(&points);
        let limit_mps = layout.roads[from.road].section.speed_limit_mps;
        let mut path = Self {
            curve,
            gates: Vec::new(),
            crossings: Vec::new(),
            limit_mps,
        };
        for (index, other) in layout.junctions.iter().enumerate() {
            let entries = other
                .arms
                .iter()
                .enumerate()
                .filter(|(_, arm)| arm.road == from.road);
            if index == junction {
                path.add_gate(layout, marks, index, arms, [from, to]);
            } else if from.road == 0 {
                // Junctions passed before the turn.
                let is_before = (other.s[0] - layout.junctions[junction].s[0])
                    * if from.direction == 0 { 1.0 } else { -1.0 }
                    < 0.0;
                let arms: Vec<_> = entries.collect();
                let find = |incoming: bool| {
                    arms.iter()
                        .find(|(_, arm)| (arm.incoming() == from.direction) == incoming)
                        .map(|(a, _)| *a)
                };
                if let (true, Some(entry), Some(exit)) = (is_before, find(true), find(false)) {
                    path.add_gate(layout, marks, index, [entry, exit], [from, from]);
                }
            }
        }
        path.finish(layout, marks, &[from.road, to.road])
    }

    fn add_gate(
        &mut self,
        layout: &Layout,
        marks: &Marks,
        junction: usize,
        arms: [usize; 2],
        lanes: [LaneOf; 2],
    ) {
        let [entry, exit] = arms.map(|arm| &layout.junctions[junction].arms[arm]);
        let end = &marks.ends[junction][arms[0]];
        let at = |arm: &Arm, lane: LaneOf, out_m: f64| {
            layout.roads[arm.road]
                .curve
                .aside(arm.s_at(out_m), lateral(layout, lane, 0.0))
        };
        self.gates.push(Gate {
            stop_s: self.curve.nearest(&at(entry, lanes[0], end.stop_m)) - 0.4,
            exit_s: self.curve.nearest(&at(exit, lanes[1], 0.5)),
            junction,
            group: usize::from(entry.road != 0),
            is_turn: entry.road != exit.road,
        });
    }

    fn finish(mut self, layout: &Layout, marks: &Marks, roads: &[usize]) -> Self {
        self.gates.sort_by(|a, b| a.stop_s.total_cmp(&b.stop_s));
        for (index, crosswalk) in marks
            .crosswalks
            .iter()
            .enumerate()
            .filter(|(_, c)| roads.contains(&c.road))
        {
            let s = self.curve.nearest(&crosswalk.centre);
            let at = self.curve.at(s);
            let half = 0.5 * layout.roads[crosswalk.road].section.paved_width_m();
            let is_on_path = (at.x - crosswalk.centre.x).hypot(at.y - crosswalk.centre.y) < half;
            if is_on_path {
                self.crossings.push(Crossing {
                    stop_s: s - 0.5 * crosswalk.width_m - 1.2,
                    crosswalk: index,
                });
            }
        }
        self
    }
}

/// Lateral position of a lane on its road.
fn lateral(layout: &Layout, lane: LaneOf, right_m: f64) -> f64 {
    let right = if lane.direction == 0 {
        -right_m
    } else {
        right_m
    };
    layout.roads[lane.road]
        .section
        .lane_centre_m(lane.direction, lane.lane)
        + right
}

/// The part of a lane before (or after) an arc length, in the direction of travel.
fn half_lane(layout: &Layout, lane: LaneOf, mouth_s: f64, is_before: bool) -> Vec<Point2<f64>> {
    let road = &layout.roads[lane.road];
    let runs_up = lane.direction == 0;
    let (from, to) = if runs_up == is_before {
        (0.0, mouth_s)
    } else {
        (mouth_s, road.curve.length())
    };
    let mut points = along(road, from, to, lateral(layout, lane, 0.0));
    if !runs_up {
        points.reverse();
    }
    points
}

/// Joins two polylines by a smooth bend, about every metre.
fn bend(points: &mut Vec<Point2<f64>>, after: &[Point2<f64>]) {
    let last = points.len() - 1;
    let (from, to) = (points[last], after[0]);
    let out: Vector2<f64> = (from - points[last - 1]).normalize();
    let back: Vector2<f64> = (after[1] - to).normalize();
    let reach = 0.55 * ((to - from).dot(&out).abs() + (to - from).dot(&back).abs()) * 0.5
        + 0.1 * (to - from).norm();
    let (p, q) = (from + out * reach, to - back * reach);
    let count = ((to - from).norm() * 1.15).ceil().max(4.0);
    for i in 1..=count as usize {
        let u = i as f64 / count;
        let v = 1.0 - u;
        points.push(
            (from.coords * (v * v * v)
                + p.coords * (3.0 * v * v * u)
                + q.coords * (3.0 * v * u * u)
                + to.coords * (u * u * u))
                .into(),
        );
    }
}
