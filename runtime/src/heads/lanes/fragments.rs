use heapless::Vec;

use super::ROAD_EDGE;
use super::polyline::{Polyliner, length_of};
use crate::heads::detections::{LANE_CAPACITY, LaneDetection};
use crate::heads::raster::length;

/// Ends that face each other within this distance belong together.
const GAP_M: f32 = 7.5;
/// How far the one end's direction may miss the other end, at no gap and for each metre of it.
const MISS_M: f32 = 0.3;
const MISS_SHARE: f32 = 0.06;
/// Cosine of the largest angle between the two ends.
const FACING: f32 = 0.95;
/// The direction of an end is taken over this length.
const END_M: f32 = 3.0;

/// Two lines of one family run at least this far apart.
const GHOST_M: f32 = 0.8;
/// A lane is a ghost when this share of its points is nearer to another one.
const GHOST_SHARE: f32 = 0.6;

/// A lane that may go on in another one, with what is asked of it again and again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    pub lane: LaneDetection,
    is_corner: bool,
    /// Confidence times length.
    strength: f32,
    /// The box within [`GHOST_M`] of the points.
    least_m: [f32; 2],
    most_m: [f32; 2],
    /// Both ends.
    start: Tip,
    finish: Tip,
}

impl Fragment {
    /// `lane` has two points or more.
    pub(super) fn new(lane: LaneDetection, is_corner: bool) -> Self {
        let (mut least_m, mut most_m) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for point in lane.points() {
            for axis in 0..2 {
                least_m[axis] = least_m[axis].min(point[axis] - GHOST_M);
                most_m[axis] = most_m[axis].max(point[axis] + GHOST_M);
            }
        }
        Self {
            is_corner,
            strength: lane.confidence * length_of(lane.points()),
            least_m,
            most_m,
            start: tip(&lane, End::Start),
            finish: tip(&lane, End::Finish),
            lane,
        }
    }

    fn tip(&self, end: End) -> Tip {
        match end {
            End::Start => self.start,
            End::Finish => self.finish,
        }
    }
}

/// The lanes of one map.
pub(super) type Fragments = Vec<Fragment, LANE_CAPACITY>;

/// Joins lanes of one type whose ends face each other, the best fit first.
pub(super) fn join_fragments(lanes: &mut Fragments, polyliner: &mut Polyliner) {
    while let Some(joint) = best_joint(lanes) {
        let mut first = lanes[joint.first].lane;
        let mut second = lanes[joint.second].lane;
        if joint.first_end == End::Start {
            reverse(&mut first);
        }
        if joint.second_end == End::Finish {
            reverse(&mut second);
        }
        // `second` comes after `first` in the list, so removing it leaves `first` in its place.
        let is_corner = lanes[joint.first].is_corner;
        lanes[joint.first] = Fragment::new(polyliner.joined(&first, &second), is_corner);
        lanes.remove(joint.second);
    }
}

/// Drops lanes that run along a stronger one of their family: the same line found twice, where
/// the cells disagree on how far away it is.
pub(super) fn drop_ghosts(lanes: &mut Fragments) {
    let mut k = 0;
    while k < lanes.len() {
        if lanes.iter().any(|other| is_ghost(&lanes[k], other)) {
            lanes.remove(k);
        } else {
            k += 1;
        }
    }
}

fn is_ghost(lane: &Fragment, other: &Fragment) -> bool {
    let is_one_family = (lane.lane.marking == ROAD_EDGE) == (other.lane.marking == ROAD_EDGE);
    if !is_one_family || lane.strength >= other.strength {
        return false;
    }
    // Most pairs are told apart by the box around the other line alone.
    let is_near = |point: &&[f32; 3]| {
        (0..2).all(|axis| (other.least_m[axis]..=other.most_m[axis]).contains(&point[axis]))
            && is_beside(other.lane.points(), **point)
    };
    let points = lane.lane.points();
    let near = points.iter().filter(is_near).count();
    near as f32 >= GHOST_SHARE * points.len() as f32
}

/// Whether a point lies within [`GHOST_M`] of a polyline on the ground.
fn is_beside(line: &[[f32; 3]], [x, y, _]: [f32; 3]) -> bool {
    line.windows(2).any(|pair| {
        let along = [pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]];
        let offset = [x - pair[0][0], y - pair[0][1]];
        let square = (along[0] * along[0] + along[1] * along[1]).max(1e-9);
        let share = ((offset[0] * along[0] + offset[1] * along[1]) / square).clamp(0.0, 1.0);
        length(offset[0] - share * along[0], offset[1] - share * along[1]) < GHOST_M
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Start,
    Finish,
}

struct Joint {
    miss_m: f32,
    first: usize,
    first_end: End,
    second: usize,
    second_end: End,
}

fn best_joint(lanes: &Fragments) -> Option<Joint> {
    let mut best: Option<Joint> = None;
    for (first, a) in lanes.iter().enumerate() {
        for (second, b) in lanes.iter().enumerate().skip(first + 1) {
            let is_one_style = a.lane.marking == b.lane.marking
                && a.lane.colour == b.lane.colour
                && a.is_corner == b.is_corner;
            if !is_one_style {
                continue;
            }
            for first_end in [End::Start, End::Finish] {
                for second_end in [End::Start, End::Finish] {
                    let Some(miss_m) = miss(&a.tip(first_end), &b.tip(second_end)) else {
                        continue;
                    };
                    if best.as_ref().is_none_or(|best| miss_m < best.miss_m) {
                        best = Some(Joint {
                            miss_m,
                            first,
                            first_end,
                            second,
                            second_end,
                        });
                    }
                }
            }
        }
    }
    best
}

/// An end of a line and the direction in which it leaves the line.
#[derive(Clone, Copy, Debug)]
struct Tip {
    point: [f32; 2],
    outward: [f32; 2],
}

fn tip(lane: &LaneDetection, end: End) -> Tip {
    let points = lane.points();
    let at = |k: usize| match end {
        End::Start => points[k],
        End::Finish => points[points.len() - 1 - k],
    };
    let [x, y, _] = at(0);
    let mut inner = [x, y];
    for k in 1..points.len() {
        inner = [at(k)[0], at(k)[1]];
        if length(inner[0] - x, inner[1] - y) >= END_M {
            break;
        }
    }
    let reach = length(x - inner[0], y - inner[1]).max(1e-6);
    Tip {
        point: [x, y],
        outward: [(x - inner[0]) / reach, (y - inner[1]) / reach],
    }
}

/// How far two ends miss each other, or `None` when they do not belong together.
fn miss(a: &Tip, b: &Tip) -> Option<f32> {
    let facing = -(a.outward[0] * b.outward[0] + a.outward[1] * b.outward[1]);
    if facing < FACING {
        return None;
    }
    let gap = [b.point[0] - a.point[0], b.point[1] - a.point[1]];
    if length(gap[0], gap[1]) > GAP_M {
        return None;
    }
    // On a bend the gap runs along the mean of both directions.
    let mean = [a.outward[0] - b.outward[0], a.outward[1] - b.outward[1]];
    let scale = 1.0 / length(mean[0], mean[1]).max(1e-6);
    let along = (mean[0] * gap[0] + mean[1] * gap[1]) * scale;
    let across = ((mean[0] * gap[1] - mean[1] * gap[0]) * scale).abs();
    // Ends may overlap a little, but lines that run side by side are not one line.
    let is_joint = along > -0.5 && across <= MISS_M + MISS_SHARE * along.max(0.0);
    is_joint.then_some(across + 0.1 * along.abs())
}

fn reverse(lane: &mut LaneDetection) {
    let count = lane.points().len();
    lane.points_m[..count].reverse();
}
