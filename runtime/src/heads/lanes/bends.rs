use super::nodes::NodeMap;
use crate::heads::raster::Cells;

/// Curvature from which a kerb turns a corner: between the tightest roads (radius about 40 m) and
/// the widest corners of junctions (about 12 m), 1/m.
const CORNER_CURVATURE: f32 = 0.05;
/// A corner goes on as far as the curvature stays above this, just beyond that of roads.
const CORNER_END_CURVATURE: f32 = 0.03;
/// Directions are averaged over this length on each side of a node.
const REACH_M: f32 = 2.5;
/// Means of both sides that lie closer tell nothing of curvature.
const LEAST_BASE_M: f32 = 1.5;

/// Finds the nodes of a chain where it turns as sharply as a kerb at the corner of a junction.
#[derive(Debug)]
pub(super) struct BendFinder {
    /// Direction at each node, without jumps by a turn.
    heading_rad: Vec<f32>,
    curvature: Vec<f32>,
    is_bend: Vec<bool>,
}

impl BendFinder {
    pub(super) fn new(cells: &Cells) -> Self {
        Self {
            heading_rad: Vec::with_capacity(cells.count()),
            curvature: Vec::with_capacity(cells.count()),
            is_bend: Vec::with_capacity(cells.count()),
        }
    }

    /// Whether each node is in a bend; `arc_m` is the distance of the nodes along the chain.
    pub(super) fn find(&mut self, map: &NodeMap, chain: &[u32], arc_m: &[f32]) -> &[bool] {
        self.unwind(map, chain);
        self.measure(arc_m);
        self.is_bend.clear();
        self.is_bend
            .extend(self.curvature.iter().map(|k| *k >= CORNER_CURVATURE));
        for k in 1..self.is_bend.len() {
            self.is_bend[k] |= self.is_bend[k - 1] && self.curvature[k] >= CORNER_END_CURVATURE;
        }
        for k in (1..self.is_bend.len()).rev() {
            self.is_bend[k - 1] |= self.is_bend[k] && self.curvature[k - 1] >= CORNER_END_CURVATURE;
        }
        &self.is_bend
    }

    fn measure(&mut self, arc_m: &[f32]) {
        self.curvature.clear();
        let mut behind = Window::default();
        let mut ahead = Window::default();
        let (mut first, mut end) = (0, 0);
        for (k, &arc) in arc_m.iter().enumerate() {
            let heading = self.heading_rad[k];
            ahead.remove_if_held(k, end, arc, heading);
            while end < arc_m.len() && arc_m[end] <= arc + REACH_M {
                if end > k {
                    ahead.add(arc_m[end], self.heading_rad[end]);
                }
                end += 1;
            }
            while arc_m[first] < arc - REACH_M {
                behind.remove(arc_m[first], self.heading_rad[first]);
                first += 1;
            }
            self.curvature.push(curvature(&behind, &ahead).abs());
            behind.add(arc, heading);
        }
    }

    fn unwind(&mut self, map: &NodeMap, chain: &[u32]) {
        self.heading_rad.clear();
        let mut before: Option<f32> = None;
        for (k, &index) in chain.iter().enumerate() {
            let [x, y] = map.node(index).direction;
            // A node's direction has no sign of its own: the way of the chain gives it.
            let from = map.node(chain[k.saturating_sub(1)]).point_m;
            let to = map.node(chain[(k + 1).min(chain.len() - 1)]).point_m;
            let is_along = x * (to[0] - from[0]) + y * (to[1] - from[1]) >= 0.0;
            let heading = if is_along { y.atan2(x) } else { (-y).atan2(-x) };
            let heading = match before {
                Some(before) => before + wrapped(heading - before),
                None => heading,
            };
            before = Some(heading);
            self.heading_rad.push(heading);
        }
    }
}

/// Sums over some nodes.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    count: f32,
    arc_m: f32,
    heading_rad: f32,
}

impl Window {
    fn add(&mut self, arc_m: f32, heading_rad: f32) {
        self.count += 1.0;
        self.arc_m += arc_m;
        self.heading_rad += heading_rad;
    }

    fn remove(&mut self, arc_m: f32, heading_rad: f32) {
        self.count -= 1.0;
        self.arc_m -= arc_m;
        self.heading_rad -= heading_rad;
    }

    /// Takes out the node that the walk has reached, if the window holds it.
    fn remove_if_held(&mut self, node: usize, end: usize, arc_m: f32, heading_rad: f32) {
        if node > 0 && node < end {
            self.remove(arc_m, heading_rad);
        }
    }
}

fn curvature(behind: &Window, ahead: &Window) -> f32 {
    if behind.count < 1.0 || ahead.count < 1.0 {
        return 0.0;
    }
    let base = ahead.arc_m / ahead.count - behind.arc_m / behind.count;
    if base < LEAST_BASE_M {
        return 0.0;
    }
    (ahead.heading_rad / ahead.count - behind.heading_rad / behind.count) / base
}

fn wrapped(angle: f32) -> f32 {
    use std::f32::consts::{PI, TAU};
    (angle + PI).rem_euclid(TAU) - PI
}
