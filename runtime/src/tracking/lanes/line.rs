use crate::heads::{LANE_POINT_CAPACITY, LaneDetection};
use crate::time::Span;
use crate::tracking::planar::PlanarPose;

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
struct LinePoint {
    place: [f64; 2],
    /// Variance across the line.
    variance_m2: f64,
}

/// A lane's points in the odometry frame, with the box that holds them.
#[derive(Clone, Copy, Debug)]
pub(super) struct OdomLine {
    points: [LinePoint; LANE_POINT_CAPACITY],
    count: usize,
    least: [f64; 2],
    most: [f64; 2],
}

/// What two lines share.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Overlap {
    /// Length of the second line that lies on the first one.
    pub length_m: f64,
    /// The same as a share of the shorter line, in [0, 1].
    pub share: f64,
}

impl OdomLine {
    pub(super) fn new(lane: &LaneDetection, pose: &PlanarPose) -> Self {
        let mut line = Self {
            points: [LinePoint::default(); LANE_POINT_CAPACITY],
            count: lane.points().len(),
            least: [f64::INFINITY; 2],
            most: [f64::NEG_INFINITY; 2],
        };
        let sigma_m = f64::from(lane.sigma_lateral_m).max(LEAST_SIGMA_M);
        for (point, [x, y, _]) in line.points.iter_mut().zip(lane.points()) {
            let range_m = f64::from(x.hypot(*y)).max(NEAREST_M);
            *point = LinePoint {
                place: pose.point_to_odom(*x, *y),
                variance_m2: (sigma_m * range_m / SIGMA_RANGE_M).powi(2),
            };
        }
        line.measure();
        line
    }

    fn measure(&mut self) {
        (self.least, self.most) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for point in &self.points[..self.count] {
            for axis in 0..2 {
                self.least[axis] = self.least[axis].min(point.place[axis]);
                self.most[axis] = self.most[axis].max(point.place[axis]);
            }
        }
    }

    fn points(&self) -> &[LinePoint] {
        &self.points[..self.count]
    }

    fn stretches(&self) -> impl Iterator<Item = (&LinePoint, &LinePoint)> {
        self.points().windows(2).map(|pair| (&pair[0], &pair[1]))
    }

    fn length_m(&self) -> f64 {
        self.stretches()
            .map(|(a, b)| (b.place[0] - a.place[0]).hypot(b.place[1] - a.place[1]))
            .sum()
    }

    /// Writes the places of the points in the ego frame; heights stay those of the lane.
    pub(super) fn write_into(&self, pose: &PlanarPose, lane: &mut LaneDetection) {
        let count = usize::from(lane.point_count);
        for (out, point) in lane.points_m[..count].iter_mut().zip(self.points()) {
            let [x, y] = pose.point_to_ego(point.place);
            (out[0], out[1]) = (x, y);
        }
    }

    /// Moves each point across the line to the mean of what it says and what `before`, `elapsed`
    /// older, says, by their variances.
    ///
    /// A place that was passed closely is remembered better than it is seen from afar.
    pub(super) fn join(&mut self, before: &Self, elapsed: Span, reach_m: f64) {
        let drift_m2 = DRIFT_M2_PER_S * elapsed.seconds();
        let news = (elapsed.seconds() / CORRELATION.seconds()).clamp(1e-3, 1.0);
        for point in &mut self.points[..self.count] {
            let Some((known, distance_m)) = before.nearest(&point.place) else {
                continue;
            };
            if distance_m > reach_m {
                continue;
            }
            let old = 1.0 / (known.variance_m2 + drift_m2);
            let new = news / point.variance_m2;
            let share = new / (old + new);
            for axis in 0..2 {
                point.place[axis] =
                    known.place[axis] + share * (point.place[axis] - known.place[axis]);
            }
            point.variance_m2 = 1.0 / (old + new);
        }
        self.measure();
    }

    /// The nearest point of the line that lies between its ends, and its distance.
    fn nearest(&self, place: &[f64; 2]) -> Option<(LinePoint, f64)> {
        let mut best: Option<(LinePoint, f64)> = None;
        for (a, b) in self.stretches() {
            let share = share_along(a.place, b.place, place);
            // A little beyond, so that no gap is left on the outside of a bend.
            if !(-0.1..=1.1).contains(&share) {
                continue;
            }
            let point = LinePoint {
                place: between(a.place, b.place, share),
                variance_m2: a.variance_m2
                    + share.clamp(0.0, 1.0) * (b.variance_m2 - a.variance_m2),
            };
            let distance_m = (place[0] - point.place[0]).hypot(place[1] - point.place[1]);
            if best
                .as_ref()
                .is_none_or(|(_, least_m)| distance_m < *least_m)
            {
                best = Some((point, distance_m));
            }
        }
        best
    }

    /// What of `other` lies within `reach_m` of this line.
    pub(super) fn overlap(&self, other: &Self, reach_m: f64) -> Overlap {
        let is_apart = (0..2).any(|axis| {
            self.most[axis] + reach_m < other.least[axis]
                || other.most[axis] + reach_m < self.least[axis]
        });
        if is_apart || other.count < 2 {
            return Overlap::default();
        }
        let near = other
            .points()
            .iter()
            .filter(|point| self.is_near(&point.place, reach_m))
            .count();
        let other_length = other.length_m();
        let length_m = other_length * near as f64 / other.count as f64;
        let shorter = other_length.min(self.length_m()).max(1e-6);
        Overlap {
            length_m,
            share: (length_m / shorter).min(1.0),
        }
    }

    fn is_near(&self, place: &[f64; 2], reach_m: f64) -> bool {
        let is_inside = (0..2).all(|axis| {
            self.least[axis] - reach_m <= place[axis] && place[axis] <= self.most[axis] + reach_m
        });
        is_inside
            && self
                .stretches()
                .any(|(a, b)| squared_distance(a.place, b.place, place) <= reach_m * reach_m)
    }
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
