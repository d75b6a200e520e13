use heapless::Vec;

use super::ROAD_EDGE;
use super::polyline::{Polyliner, length_of};
use crate::heads::detections::{LANE_CAPACITY, LaneDetection};

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

/// A lane that may go on in another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    pub lane: LaneDetection,
    pub is_corner: bool,
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
        lanes[joint.first].lane = polyliner.joined(&first, &second);
        lanes.remove(joint.second);
    }
}

/// Drops lanes that run along a stronger one of their family: the same line found twice, where
/// the cells disagree on how far away it is.
pub(super) fn drop_ghosts(lanes: &mut Fragments) {
    let mut k = 0;
    while k < lanes.len() {
        if lanes
            .iter()
            .any(|other| is_ghost(&lanes[k].lane, &other.lane))
        {
            lanes.remove(k);
        } else {
            k += 1;
        }
    }
}

fn is_ghost(lane: &LaneDetection, other: &LaneDetection) -> bool {
    let strength = |lane: &LaneDetection| lane.confidence * length_of(lane.points());
    let is_one_family = (lane.marking == ROAD_EDGE) == (other.marking == ROAD_EDGE);
    if !is_one_family || strength(lane) >= strength(other) {
        return false;
    }
    // Most pairs are told apart by the box around the other line alone.
    let (mut least, mut most) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
    for point in other.points() {
        for axis in 0..2 {
            least[axis] = least[axis].min(point[axis] - GHOST_M);
            most[axis] = most[axis].max(point[axis] + GHOST_M);
        }
    }
    let is_near = |point: &&[f32; 3]| {
        (0..2).all(|axis| (least[axis]..=most[axis]).contains(&point[axis]))
            && distance_to(other.points(), **point) < GHOST_M
    };
    let near = lane.points().iter().filter(is_near).count();
    near as f32 >= GHOST_SHARE * lane.points().len() as f32
}

/// Distance of a point from a polyline on the ground.
fn distance_to(line: &[[f32; 3]], [x, y, _]: [f32; 3]) -> f32 {
    let distances = line.windows(2).map(|pair| {
        let along = [pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]];
        let offset = [x - pair[0][0], y - pair[0][1]];
        let square = (along[0] * along[0] + along[1] * along[1]).max(1e-9);
        let share = ((offset[0] * along[0] + offset[1] * along[1]) / square).clamp(0.0, 1.0);
        (offset[0] - share * along[0]).hypot(offset[1] - share * along[1])
    });
    distances.fold(f32::INFINITY, f32::min)
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
                    let Some(miss_m) = miss(tip(&a.lane, first_end), tip(&b.lane, second_end))
                    else {
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
#[derive(Clone, Copy)]
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
        if (inner[0] - x).hypot(inner[1] - y) >= END_M {
            break;
        }
    }
    let length = (x - inner[0]).hypot(y - inner[1]).max(1e-6);
    Tip {
        point: [x, y],
        outward: [(x - inner[0]) / length, (y - inner[1]) / length],
    }
}

/// How far two ends miss each other, or `None` when they do not belong together.
fn miss(a: Tip, b: Tip) -> Option<f32> {
    let gap = [b.point[0] - a.point[0], b.point[1] - a.point[1]];
    let length = gap[0].hypot(gap[1]);
    let facing = -(a.outward[0] * b.outward[0] + a.outward[1] * b.outward[1]);
    if length > GAP_M || facing < FACING {
        return None;
    }
    // On a bend the gap runs along the mean of both directions.
    let mean = [a.outward[0] - b.outward[0], a.outward[1] - b.outward[1]];
    let scale = 1.0 / mean[0].hypot(mean[1]).max(1e-6);
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
