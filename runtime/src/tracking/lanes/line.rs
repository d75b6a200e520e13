use heapless::Vec;

use super::super::memory::{Sightings, View};
use crate::heads::{LANE_POINT_CAPACITY, LaneDetection, orient};
use crate::time::{Span, Stamp};

/// Most points of a remembered line; a longer one is cut short.
const LINE_CAPACITY: usize = 96;
/// Points of a line that lie closer together are thinned out.
const LEAST_SPACING_M: f64 = 0.7;
/// A detection knows its points to its own standard deviation at this range; nearer ones better,
/// further ones worse, in proportion.
const SIGMA_RANGE_M: f64 = 12.0;
/// Range from which on nearness is worth no more.
const NEAREST_M: f64 = 4.0;
/// Least standard deviation of a detection's points.
const LEAST_SIGMA_M: f64 = 0.05;
/// Errors of detections last for about this long: more of them within it tell nothing new.
const CORRELATION: Span = Span::from_nanoseconds(500_000_000);
/// Variance that a remembered point gains in a second, from ego motion and from the road's shape.
const DRIFT_M2_PER_S: f64 = 0.01;

/// A point of a line in the odometry frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LinePoint {
    pub place: [f64; 2],
    /// Height in the ego frame of the time when it was seen.
    pub z_m: f64,
    /// Variance across the line.
    variance_m2: f64,
    pub seen: Sightings,
}

/// A lane's points in the odometry frame, with the box that holds them.
#[derive(Clone, Debug, Default)]
pub(super) struct OdomLine {
    points: Vec<LinePoint, LINE_CAPACITY>,
    least: [f64; 2],
    most: [f64; 2],
}

/// Memory for [`OdomLine::join`].
#[derive(Debug, Default)]
pub(super) struct JoinScratch {
    moved: Vec<LinePoint, LINE_CAPACITY>,
    joined: Vec<LinePoint, LINE_CAPACITY>,
}

/// What two lines share.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Overlap {
    /// Length of the second line that lies on the first one.
    pub length_m: f64,
    /// The same as a share of the shorter line, in [0, 1].
    pub share: f64,
}

/// A place on a line.
#[derive(Clone, Copy, Debug)]
struct Foot {
    point: LinePoint,
    /// Index of the point before, and the share of the way to the next one.
    along: f64,
    distance_m: f64,
}

impl OdomLine {
    /// Takes the points of a detection. Lines are some kilobytes: they are filled where they are.
    pub(super) fn set(&mut self, lane: &LaneDetection, view: &View<'_>) {
        let sigma_m = f64::from(lane.sigma_lateral_m).max(LEAST_SIGMA_M);
        let point = |&[x, y, z]: &[f32; 3]| {
            let range_m = f64::from(x.hypot(y));
            LinePoint {
                place: view.pose.point_to_odom(x, y),
                z_m: f64::from(z),
                variance_m2: (sigma_m * range_m.max(NEAREST_M) / SIGMA_RANGE_M).powi(2),
                seen: view.sighting(range_m),
            }
        };
        self.points.clear();
        self.points.extend(lane.points().iter().map(point));
        self.measure();
    }

    fn measure(&mut self) {
        (self.least, self.most) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for point in &self.points {
            for axis in 0..2 {
                self.least[axis] = self.least[axis].min(point.place[axis]);
                self.most[axis] = self.most[axis].max(point.place[axis]);
            }
        }
    }

    fn stretches(&self) -> impl Iterator<Item = (&LinePoint, &LinePoint)> {
        self.points.windows(2).map(|pair| (&pair[0], &pair[1]))
    }

    pub(super) fn length_m(&self) -> f64 {
        self.stretches().map(|(a, b)| distance(a, b)).sum()
    }

    /// Cuts off both ends of the line up to the last point that is not `kept`, seen from the points
    /// that are seen at `now`.
    pub(super) fn cut(&mut self, kept: impl Fn(&LinePoint) -> bool, now: Stamp) {
        let is_seen = |point: &LinePoint| point.seen.at == now;
        let first = self.points.iter().position(is_seen).unwrap_or(0);
        let last = self.points.iter().rposition(is_seen).unwrap_or(0);
        let before = self.points[..first].iter().rposition(|point| !kept(point));
        let after = self.points[last..].iter().position(|point| !kept(point));
        let range = before.map_or(0, |k| k + 1)..after.map_or(self.points.len(), |k| last + k);
        if range != (0..self.points.len()) {
            self.points.truncate(range.end);
            self.points.rotate_left(range.start);
            self.points.truncate(range.len());
            self.measure();
        }
    }

    /// Writes the longest run of points that are `kept` into `run`.
    pub(super) fn longest_into(&self, run: &mut Self, kept: impl Fn(&LinePoint) -> bool) {
        let (mut best, mut begin) = (0..0, 0);
        for k in 0..=self.points.len() {
            if k == self.points.len() || !kept(&self.points[k]) {
                if k - begin > best.len() {
                    best = begin..k;
                }
                begin = k + 1;
            }
        }
        run.points.clear();
        // A part of the points fits where all of them do.
        let _ = run.points.extend_from_slice(&self.points[best]);
        run.measure();
    }

    /// Share of the points of `other` within `reach_m` of what this line remembers, unseen at `now`.
    pub(super) fn share_unseen(&self, other: &Self, now: Stamp, reach_m: f64) -> f64 {
        if other.points.is_empty() || self.is_apart(other, reach_m) {
            return 0.0;
        }
        let is_on_unseen = |point: &&LinePoint| {
            self.nearest(&point.place)
                .is_some_and(|foot| foot.distance_m <= reach_m && foot.point.seen.at != now)
        };
        let count = other.points.iter().filter(is_on_unseen).count();
        count as f64 / other.points.len() as f64
    }

    fn is_apart(&self, other: &Self, reach_m: f64) -> bool {
        (0..2).any(|axis| {
            self.most[axis] + reach_m < other.least[axis]
                || other.most[axis] + reach_m < self.least[axis]
        })
    }

    /// Writes the line into a lane of the ego frame, with x growing along it, or y where it runs
    /// across.
    pub(super) fn write_into(&self, view: &View<'_>, lane: &mut LaneDetection) {
        let count = self.points.len().min(LANE_POINT_CAPACITY);
        lane.point_count = count as u16;
        // Points are as many as fit, at equal steps of the index.
        let step = (self.points.len().max(2) - 1) as f64 / (count.max(2) - 1) as f64;
        for (k, out) in lane.points_m[..count].iter_mut().enumerate() {
            let along = k as f64 * step;
            let before = (along as usize).min(self.points.len() - 1);
            let after = (before + 1).min(self.points.len() - 1);
            let point = LinePoint::between(
                &self.points[before],
                &self.points[after],
                along - before as f64,
            );
            let [x, y] = view.pose.point_to_ego(point.place);
            *out = [x, y, point.z_m as f32];
        }
        orient(&mut lane.points_m[..count]);
    }

    /// Takes in what is seen now of this line, `elapsed` after it was seen before.
    ///
    /// Each seen point is moved across the line to the mean of what it and this line say, by their
    /// variances: a place that was passed closely is remembered better than it is seen from afar.
    /// What this line knows before the first and after the last seen point stays.
    pub(super) fn join(
        &mut self,
        seen: &Self,
        elapsed: Span,
        reach_m: f64,
        scratch: &mut JoinScratch,
    ) {
        let drift_m2 = DRIFT_M2_PER_S * elapsed.seconds();
        let news = (elapsed.seconds() / CORRELATION.seconds()).clamp(1e-3, 1.0);
        let JoinScratch { moved, joined } = scratch;
        moved.clone_from(&seen.points);
        // Index of a seen point on this line, and where.
        let (mut first, mut last): (Option<(usize, f64)>, _) = (None, None);
        for (k, point) in moved.iter_mut().enumerate() {
            let Some(foot) = self.nearest(&point.place) else {
                continue;
            };
            if foot.distance_m > reach_m {
                continue;
            }
            point.take_in(&foot.point, drift_m2, news);
            first = first.or(Some((k, foot.along)));
            last = Some((k, foot.along));
        }
        if let (Some((first, from)), Some((last, to))) = (first, last) {
            let is_opposed = from > to;
            let (from, to) = (from.min(to), from.max(to));
            let (mut starts_on, mut ends_on) = (first == 0, last + 1 == moved.len());
            if is_opposed {
                moved.reverse();
                (starts_on, ends_on) = (ends_on, starts_on);
            }
            let head = if starts_on { from.ceil() as usize } else { 0 };
            let tail = if ends_on {
                (to as usize + 1).min(self.points.len())
            } else {
                self.points.len()
            };
            let all = self.points[..head]
                .iter()
                .chain(moved.iter())
                .chain(&self.points[tail..]);
            thin_into(joined, all);
            self.points.clone_from(joined);
        } else {
            self.points.clone_from(moved);
        }
        self.measure();
    }

    /// The nearest place of the line that lies between its ends.
    fn nearest(&self, place: &[f64; 2]) -> Option<Foot> {
        // Squared distance, stretch, share of the way along it, foot.
        let mut best: Option<(f64, usize, f64, [f64; 2])> = None;
        for (k, (a, b)) in self.stretches().enumerate() {
            let share = share_along(a.place, b.place, place);
            // A little beyond, so that no gap is left on the outside of a bend.
            if !(-0.1..=1.1).contains(&share) {
                continue;
            }
            let foot = between(a.place, b.place, share);
            let (dx, dy) = (place[0] - foot[0], place[1] - foot[1]);
            let squared = dx * dx + dy * dy;
            if best.is_none_or(|(least, ..)| squared < least) {
                best = Some((squared, k, share, foot));
            }
        }
        let (squared, k, share, foot) = best?;
        let share = share.clamp(0.0, 1.0);
        Some(Foot {
            point: LinePoint {
                place: foot,
                ..LinePoint::between(&self.points[k], &self.points[k + 1], share)
            },
            along: k as f64 + share,
            distance_m: squared.sqrt(),
        })
    }

    /// What of `other` lies within `reach_m` of this line.
    pub(super) fn overlap(&self, other: &Self, reach_m: f64) -> Overlap {
        if other.points.len() < 2 || self.is_apart(other, reach_m) {
            return Overlap::default();
        }
        let near = other
            .points
            .iter()
            .filter(|point| self.is_near(&point.place, reach_m))
            .count();
        let other_length = other.length_m();
        let length_m = other_length * near as f64 / other.points.len() as f64;
        let shorter = other_length.min(self.length_m()).max(1e-6);
        Overlap {
            length_m,
            share: (length_m / shorter).min(1.0),
        }
    }

    pub(super) fn is_near(&self, place: &[f64; 2], reach_m: f64) -> bool {
        let is_inside = (0..2).all(|axis| {
            self.least[axis] - reach_m <= place[axis] && place[axis] <= self.most[axis] + reach_m
        });
        is_inside
            && self
                .stretches()
                .any(|(a, b)| squared_distance(a.place, b.place, place) <= reach_m * reach_m)
    }
}

impl LinePoint {
    /// Moves the point towards the place where the remembered line has it.
    fn take_in(&mut self, known: &Self, drift_m2: f64, news: f64) {
        let old = 1.0 / (known.variance_m2 + drift_m2);
        let new = news / self.variance_m2;
        let share = new / (old + new);
        for axis in 0..2 {
            self.place[axis] = known.place[axis] + share * (self.place[axis] - known.place[axis]);
        }
        self.z_m = known.z_m + share * (self.z_m - known.z_m);
        self.variance_m2 = 1.0 / (old + new);
        self.seen = self.seen.after(&known.seen);
    }

    /// Between `a` (share 0) and `b` (share 1); seen as the nearer of the two.
    fn between(a: &Self, b: &Self, share: f64) -> Self {
        let mix = |a: f64, b: f64| a + share * (b - a);
        let nearer = if share < 0.5 { a } else { b };
        Self {
            place: between(a.place, b.place, share),
            z_m: mix(a.z_m, b.z_m),
            variance_m2: mix(a.variance_m2, b.variance_m2),
            ..*nearer
        }
    }
}

/// Fills `line` with points that are not too close and not too many.
fn thin_into<'a>(
    line: &mut Vec<LinePoint, LINE_CAPACITY>,
    points: impl Iterator<Item = &'a LinePoint>,
) {
    line.clear();
    for point in points {
        if line
            .last()
            .is_some_and(|last| distance(last, point) < LEAST_SPACING_M)
        {
            continue;
        }
        if line.push(*point).is_err() {
            break;
        }
    }
}

fn distance(a: &LinePoint, b: &LinePoint) -> f64 {
    let (dx, dy) = (b.place[0] - a.place[0], b.place[1] - a.place[1]);
    (dx * dx + dy * dy).sqrt()
}

/// Where the foot of the perpendicular from `point` lies between `a` (0) and `b` (1), or beyond.
fn share_along(a: [f64; 2], b: [f64; 2], point: &[f64; 2]) -> f64 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let (px, py) = (point[0] - a[0], point[1] - a[1]);
    (px * dx + py * dy) / (dx * dx + dy * dy).max(1e-9)
}

fn between(a: [f64; 2], b: [f64; 2], share: f64) -> [f64; 2] {
    [0, 1].map(|axis| a[axis] + share * (b[axis] - a[axis]))
}

/// Squared distance of a point from the stretch between `a` and `b`.
fn squared_distance(a: [f64; 2], b: [f64; 2], point: &[f64; 2]) -> f64 {
    let foot = between(a, b, share_along(a, b, point).clamp(0.0, 1.0));
    (point[0] - foot[0]).powi(2) + (point[1] - foot[1]).powi(2)
}
