use bevrt_calibration::BevGrid;

use super::super::planar::PlanarPose;
use super::line::LinePoint;
use crate::time::{Span, Stamp};

/// How long an unseen place of a line is remembered.
pub(super) const MEMORY: Span = Span::from_nanoseconds(3_000_000_000);
/// A place that was not seen again from this share of the distance is taken for an error.
const NEARER: f64 = 0.9;
/// Places that were seen in fewer frames are not remembered.
const LEAST_SEEN: u16 = 3;

/// From where and when lines are looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub stamp: Stamp,
    pub pose: &'a PlanarPose,
    /// Where lines are reported.
    pub area: BevGrid,
    /// Whether the vehicle's motion is known.
    pub has_motion: bool,
}

impl View<'_> {
    /// Whether a place is still believed in: it is seen now, or was seen several times a moment ago
    /// and the vehicle has come no nearer since.
    pub(super) fn believes(&self, point: &LinePoint) -> bool {
        if point.seen_at == self.stamp {
            return true;
        }
        let [x, y] = self.pose.point_to_ego(point.place).map(f64::from);
        self.has_motion
            && point.seen_count >= LEAST_SEEN
            && self.stamp.since(point.seen_at) <= MEMORY
            && x.hypot(y) >= NEARER * point.seen_from_m
            && self.covers(x, y)
    }

    fn covers(&self, x: f64, y: f64) -> bool {
        let BevGrid {
            x_min_m,
            y_min_m,
            cell_m,
            rows,
            cols,
        } = self.area;
        (x_min_m..x_min_m + cell_m * rows as f64).contains(&x)
            && (y_min_m..y_min_m + cell_m * cols as f64).contains(&y)
    }
}
