use crate::heads::{LANE_POINT_CAPACITY, LaneDetection};
use crate::tracking::planar::PlanarPose;

/// A lane's points in the odometry frame, with the box that holds them.
#[derive(Clone, Copy, Debug)]
pub(super) struct OdomLine {
    points: [[f64; 2]; LANE_POINT_CAPACITY],
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
            points: [[0.0; 2]; LANE_POINT_CAPACITY],
            count: lane.points().len(),
            least: [f64::INFINITY; 2],
            most: [f64::NEG_INFINITY; 2],
        };
        for (point, [x, y, _]) in line.points.iter_mut().zip(lane.points()) {
            *point = pose.point_to_odom(*x, *y);
            let bounds = line.least.iter_mut().zip(&mut line.most);
            for (value, (least, most)) in point.iter().zip(bounds) {
                *least = least.min(*value);
                *most = most.max(*value);
            }
        }
        line
    }

    fn points(&self) -> &[[f64; 2]] {
        &self.points[..self.count]
    }

    fn length_m(&self) -> f64 {
        self.points()
            .windows(2)
            .map(|pair| (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]))
            .sum()
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
            .filter(|point| self.is_near(point, reach_m))
            .count();
        let other_length = other.length_m();
        let length_m = other_length * near as f64 / other.count as f64;
        let shorter = other_length.min(self.length_m()).max(1e-6);
        Overlap {
            length_m,
            share: (length_m / shorter).min(1.0),
        }
    }

    fn is_near(&self, point: &[f64; 2], reach_m: f64) -> bool {
        let is_inside = (0..2).all(|axis| {
            self.least[axis] - reach_m <= point[axis] && point[axis] <= self.most[axis] + reach_m
        });
        is_inside
            && self
                .points()
                .windows(2)
                .any(|pair| squared_distance(pair[0], pair[1], point) <= reach_m * reach_m)
    }
}

/// Squared distance of a point from the stretch between `a` and `b`.
fn squared_distance(a: [f64; 2], b: [f64; 2], point: &[f64; 2]) -> f64 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let (px, py) = (point[0] - a[0], point[1] - a[1]);
    let share = ((px * dx + py * dy) / (dx * dx + dy * dy).max(1e-9)).clamp(0.0, 1.0);
    (px - share * dx).powi(2) + (py - share * dy).powi(2)
}
