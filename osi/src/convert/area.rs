//! Where the cameras look.

use std::f64::consts::TAU;

use bevrt_runtime::{COVERAGE_SECTORS, CoverageState, OutputFrame};

use crate::messages::{Polygon3d, Vector3d, VirtualDetectionArea};
use crate::values::finite;

/// The ground that is seen now as one polygon, counter-clockwise: each sector as its slice, an
/// unseen one as the origin. `None` where nothing is seen.
pub(super) fn seen_now(frame: &OutputFrame) -> Option<VirtualDetectionArea> {
    let mut vertex: Vec<Vector3d> = Vec::with_capacity(2 * COVERAGE_SECTORS);
    for (index, sector) in frame.coverage.iter().enumerate() {
        let is_seen = CoverageState::try_from(sector.state) == Ok(CoverageState::SeenNow);
        let range_m = finite(sector.range_m).filter(|_| is_seen).unwrap_or(0.0);
        for side in [index, index + 1] {
            let corner = corner(range_m, side);
            if vertex.last() != Some(&corner) {
                vertex.push(corner);
            }
        }
    }
    // Beside the origin a surface has two corners at least.
    (vertex.len() > 2).then(|| VirtualDetectionArea {
        polygon: vec![Polygon3d { vertex }],
    })
}

fn corner(range_m: f64, side: usize) -> Vector3d {
    let bearing_rad = TAU * (side % COVERAGE_SECTORS) as f64 / COVERAGE_SECTORS as f64;
    let (x, y) = if range_m == 0.0 {
        (0.0, 0.0)
    } else {
        (range_m * bearing_rad.cos(), range_m * bearing_rad.sin())
    };
    Vector3d {
        x: Some(x),
        y: Some(y),
        z: Some(0.0),
    }
}
