use heapless::Vec;

use crate::heads::LANE_CAPACITY;
use crate::tracking::tracks::TrackedLane;

/// Where beside the vehicle the lines are ordered: about its middle.
const BESIDE_X_M: f32 = 1.5;
/// A line that ends this close before or behind is prolonged.
const PROLONGED_M: f32 = 4.0;
/// Tangent of the largest angle to the vehicle at which a line runs beside it.
const STEEPEST: f32 = 1.0;

/// Numbers the lines that pass beside the vehicle: +1, +2, … to the left, −1, −2, … to the right.
pub(super) fn assign_positions(lanes: &mut Vec<TrackedLane, LANE_CAPACITY>) {
    let mut beside: Vec<(f32, usize), LANE_CAPACITY> = Vec::new();
    for (k, lane) in lanes.iter_mut().enumerate() {
        lane.position = 0;
        if let Some(y) = offset_beside(lane.lane.points()) {
            // As many places as lanes.
            let _ = beside.push((y, k));
        }
    }
    beside.sort_unstable_by(|a, b| a.0.abs().total_cmp(&b.0.abs()).then(a.1.cmp(&b.1)));
    let (mut left, mut right) = (0_i8, 0_i8);
    for &(y, k) in &beside {
        if y >= 0.0 {
            left += 1;
            lanes[k].position = left;
        } else {
            right -= 1;
            lanes[k].position = right;
        }
    }
}

/// How far to the left a line passes beside the vehicle.
fn offset_beside(points: &[[f32; 3]]) -> Option<f32> {
    points
        .windows(2)
        .filter_map(|pair| {
            let ([ax, ay, _], [bx, by, _]) = (pair[0], pair[1]);
            let slope = (by - ay) / (bx - ax);
            // A step without any extent along x has no slope that is a number.
            if slope.is_nan() || slope.abs() > STEEPEST {
                return None;
            }
            let nearest = BESIDE_X_M.clamp(ax.min(bx), ax.max(bx));
            let miss = (BESIDE_X_M - nearest).abs();
            (miss <= PROLONGED_M).then_some((miss, ay + slope * (BESIDE_X_M - ax)))
        })
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, y)| y)
}
