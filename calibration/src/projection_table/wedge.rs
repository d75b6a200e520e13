//! Which columns of a grid row a camera can see at all.

use std::f64::consts::PI;
use std::ops::Range;

use nalgebra::Vector3;

use crate::BevGrid;

/// Added on both sides of a camera's range of bearings, on top of the distance between two border
/// samples, radians.
const BEARING_MARGIN_RAD: f64 = 0.005;
/// Ranges of bearings from here on are not used for culling, radians.
const WIDEST_WEDGE_RAD: f64 = PI - 0.1;

/// The bearings, less than half a turn, under which a camera sees anything: a wedge on the ego plane.
#[derive(Debug, Clone)]
pub(super) struct Wedge {
    apex: [f64; 2],
    right: [f64; 2],
    left: [f64; 2],
}

impl Wedge {
    /// Bounds rays that go once around the border of an image which shows neither of the poles: the
    /// bearing has no extremum on the sphere but there, so the border's bearings bound all of them.
    pub(super) fn around(
        apex: &Vector3<f64>,
        border_rays: impl Iterator<Item = Vector3<f64>>,
    ) -> Option<Self> {
        let mut bearing: Option<f64> = None;
        let (mut least, mut most, mut widest_step) = (0.0f64, 0.0f64, 0.0f64);
        let mut first = 0.0;
        for ray in border_rays {
            let raw = ray.y.atan2(ray.x);
            let unwrapped = match bearing {
                None => {
                    first = raw;
                    least = raw;
                    most = raw;
                    raw
                }
                Some(last) => {
                    let step = wrapped(raw - last);
                    widest_step = widest_step.max(step.abs());
                    last + step
                }
            };
            least = least.min(unwrapped);
            most = most.max(unwrapped);
            bearing = Some(unwrapped);
        }
        widest_step = widest_step.max(wrapped(first - bearing?).abs());
        let margin = widest_step + BEARING_MARGIN_RAD;
        let (right, left) = (least - margin, most + margin);
        let is_narrow = left - right < WIDEST_WEDGE_RAD;
        is_narrow.then(|| Self {
            apex: [apex.x, apex.y],
            right: [right.cos(), right.sin()],
            left: [left.cos(), left.sin()],
        })
    }

    /// Columns of a grid row whose centres may be seen.
    pub(super) fn columns(&self, grid: &BevGrid, row: usize) -> Range<usize> {
        let forward = grid.row_x(row) - self.apex[0];
        // A centre at `y` left of the apex is inside where both cross products are positive:
        // right × (forward, y) = right.x · y - right.y · forward, (forward, y) × left = left.y · forward - left.x · y.
        let bounds = [
            (self.right[0], -self.right[1] * forward),
            (-self.left[0], self.left[1] * forward),
        ];
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        for (slope, offset) in bounds {
            // slope · y + offset >= 0
            if slope.abs() < 1e-12 {
                if offset < -1e-9 {
                    return 0..0;
                }
            } else if slope > 0.0 {
                low = low.max(-offset / slope);
            } else {
                high = high.min(-offset / slope);
            }
        }
        let column_of = |y: f64| (y + self.apex[1] - grid.y_min_m) / grid.cell_m - 0.5;
        // Casts saturate: infinities become the grid's ends.
        let start = (column_of(low).floor() as usize).min(grid.cols);
        let end = (column_of(high).ceil().max(-1.0) + 1.0) as usize;
        start..end.clamp(start, grid.cols)
    }
}

fn wrapped(angle: f64) -> f64 {
    angle - std::f64::consts::TAU * (angle / std::f64::consts::TAU).round()
}
