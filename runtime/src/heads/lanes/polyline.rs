use super::nodes::NodeMap;
use super::pieces::Piece;
use crate::heads::detections::{LANE_POINT_CAPACITY, LaneDetection};
use crate::heads::raster::length;

/// Distance of the points of a polyline.
const SPACING_M: f32 = 1.0;
/// A point is fitted to the nodes within this distance along the line: each node alone errs.
const SMOOTH_M: f32 = 3.0;
/// The same for a line whose points a network gives in order, and means as they are.
const SMOOTH_DRAWN_M: f32 = 1.0;
/// A node speaks for this much of the line to both sides of it.
const NODE_REACH_M: f32 = 0.6;

/// A line of which less is backed by nodes is a row of specks.
const LEAST_COVERED: f32 = 0.5;

/// A point of a line with its distance along it.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    arc_m: f32,
    weight: f32,
    point_m: [f32; 3],
}

/// Makes polylines with evenly spaced points.
#[derive(Debug)]
pub(in crate::heads) struct Polyliner {
    samples: Vec<Sample>,
}

impl Polyliner {
    pub(in crate::heads) fn new() -> Self {
        // Chains are thinned to one node a cell; a chain that is longer than this is cut short.
        Self {
            samples: Vec::with_capacity(4096),
        }
    }

    /// The lane of some nodes in order, or `None` when they have no extent or are few and far
    /// between.
    pub(super) fn lane(
        &mut self,
        map: &NodeMap,
        nodes: &[u32],
        piece: &Piece,
    ) -> Option<LaneDetection> {
        let nodes = &nodes[..nodes.len().min(self.samples.capacity())];
        self.samples.clear();
        for &index in nodes {
            let node = map.node(index);
            self.push(node.point_m, node.support);
        }
        let length = self.samples.last()?.arc_m;
        let covered = self.covered_share(length);
        if length < SPACING_M || covered < LEAST_COVERED {
            return None;
        }
        let nodes = nodes.iter().map(|&index| map.node(index));
        let (mut support, mut yellow, mut sigma, mut confidence) = (0.0, 0.0, 0.0, 0.0);
        for node in nodes {
            support += node.support;
            yellow += node.yellow;
            sigma += node.support * node.sigma_m;
            confidence += node.support * node.confidence;
        }
        let mut lane = LaneDetection {
            marking: piece.style.marking,
            colour: u8::from(yellow > 0.5 * support),
            confidence: confidence / support * covered,
            sigma_lateral_m: sigma / support,
            ..LaneDetection::default()
        };
        self.resample(&mut lane, SMOOTH_M);
        Some(lane)
    }

    /// The polyline through the points of two lanes, the second one after the first one.
    pub(super) fn joined(
        &mut self,
        first: &LaneDetection,
        second: &LaneDetection,
    ) -> LaneDetection {
        self.samples.clear();
        for point in first.points().iter().chain(second.points()) {
            self.push(*point, 1.0);
        }
        let (a, b) = (length_of(first.points()), length_of(second.points()));
        let share = |left: f32, right: f32| (a * left + b * right) / (a + b);
        let longer = if a >= b { first } else { second };
        let mut lane = LaneDetection {
            confidence: share(first.confidence, second.confidence),
            sigma_lateral_m: share(first.sigma_lateral_m, second.sigma_lateral_m),
            ..*longer
        };
        self.resample(&mut lane, SMOOTH_M);
        lane
    }

    /// Fills the points of `lane` with the polyline through `points_m`, at most 4096 finite ones.
    pub(in crate::heads) fn draw(&mut self, points_m: &[[f32; 3]], lane: &mut LaneDetection) {
        self.samples.clear();
        for &point_m in points_m.iter().take(self.samples.capacity()) {
            self.push(point_m, 1.0);
        }
        if !self.samples.is_empty() {
            self.resample(lane, SMOOTH_DRAWN_M);
        }
    }

    fn push(&mut self, point_m: [f32; 3], weight: f32) {
        let arc_m = self.samples.last().map_or(0.0, |before| {
            let [x, y, _] = before.point_m;
            before.arc_m + length(point_m[0] - x, point_m[1] - y)
        });
        self.samples.push(Sample {
            arc_m,
            weight,
            point_m,
        });
    }

    /// Share of the length that lies beside a node, not in a bridged gap.
    fn covered_share(&self, length: f32) -> f32 {
        let gaps: f32 = self
            .samples
            .windows(2)
            .map(|pair| (pair[1].arc_m - pair[0].arc_m - 2.0 * NODE_REACH_M).max(0.0))
            .sum();
        1.0 - gaps / length
    }

    /// Fills the points of the lane, each fitted to the samples within `smooth_m`.
    fn resample(&self, lane: &mut LaneDetection, smooth_m: f32) {
        let length = self.samples.last().map_or(0.0, |last| last.arc_m);
        let steps = ((length / SPACING_M).round() as usize).clamp(1, LANE_POINT_CAPACITY - 1);
        let mut first = 0;
        for step in 0..=steps {
            let arc = length * step as f32 / steps as f32;
            while self.samples[first].arc_m < arc - smooth_m {
                first += 1;
            }
            lane.points_m[step] = self.fitted(first, arc, smooth_m);
        }
        lane.points_m[steps + 1..].fill([0.0; 3]);
        lane.point_count = (steps + 1) as u16;
        orient(&mut lane.points_m[..=steps]);
    }

    /// The point at `arc` of a straight line fitted to the samples around it, which keeps ends and
    /// bends where a mean would pull them in. Samples before `first` are out of reach.
    fn fitted(&self, first: usize, arc: f32, smooth_m: f32) -> [f32; 3] {
        let (mut w, mut ws, mut wss) = (0.0_f32, 0.0_f32, 0.0_f32);
        let (mut wp, mut wsp) = ([0.0_f32; 3], [0.0_f32; 3]);
        let origin = self.samples[first].point_m;
        for sample in &self.samples[first..] {
            let s = sample.arc_m - arc;
            if s > smooth_m {
                break;
            }
            let weight = sample.weight * (1.0 - (s / smooth_m).abs() + 1e-3);
            w += weight;
            ws += weight * s;
            wss += weight * s * s;
            for k in 0..3 {
                let offset = sample.point_m[k] - origin[k];
                wp[k] += weight * offset;
                wsp[k] += weight * s * offset;
            }
        }
        let spread = w * wss - ws * ws;
        if spread <= 1e-3 * w * w {
            return self.interpolated(arc);
        }
        std::array::from_fn(|k| origin[k] + (wss * wp[k] - ws * wsp[k]) / spread)
    }

    fn interpolated(&self, arc: f32) -> [f32; 3] {
        let next = self.samples.partition_point(|sample| sample.arc_m < arc);
        let after = self.samples[next.min(self.samples.len() - 1)];
        let before = self.samples[next.saturating_sub(1)];
        let step = after.arc_m - before.arc_m;
        let share = if step > 0.0 {
            (arc - before.arc_m) / step
        } else {
            0.0
        };
        std::array::from_fn(|k| before.point_m[k] + share * (after.point_m[k] - before.point_m[k]))
    }
}

/// Length of a polyline on the ground.
pub(in crate::heads) fn length_of(points: &[[f32; 3]]) -> f32 {
    points
        .windows(2)
        .map(|pair| length(pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]))
        .sum()
}

/// Lets x grow along the line, or y where it runs across.
pub(crate) fn orient(points: &mut [[f32; 3]]) {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return;
    };
    let (dx, dy) = (last[0] - first[0], last[1] - first[1]);
    let main = if dx.abs() >= dy.abs() { dx } else { dy };
    if main < 0.0 {
        points.reverse();
    }
}
