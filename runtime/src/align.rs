//! Where a cell of the present grid lies in a map of the past.
//!
//! A past map is sampled at `past_from_now · p` for each cell centre `p` of the present grid. In
//! units of cells that is an affine function of row and column. It is composed in f64, rounded to
//! a fixed step far below any visible shift, and evaluated in f32 as `(a·row + b·col) + c`.
//!
//! The rounding makes exactness a matter of construction, with no special path: sines and offsets
//! that are whole but for the noise of f64 become whole, so the sums of whole numbers are exact,
//! fractions are exactly 0, and bilinear weights are exactly 1 and 0. Thus the identity, shifts by
//! whole cells and quarter turns about a point of the grid give the stored bits back.

use bevrt_calibration::{BevGrid, Ego, Pose};

mod half;
mod kernel;
mod taps;

pub(crate) use half::{HalfStore, store_half_row};
pub(crate) use kernel::{AlignRow, Levels, blend_half_row, blend_level_row};
pub(crate) use taps::{PAD_AFTER, PAD_BEFORE, RowTaps};

/// Coefficients are rounded to multiples of this: far above the noise of f64 (1e-10 for positions
/// thousands of kilometres from the origin), and 4e-6 cells at most over 128 cells.
const STEP: f64 = 1.0 / (1 << 24) as f64;

/// The place in a past map, in cells, as an affine function of the present row and column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridAffine {
    /// `past_row = (row[0] · row_now + row[1] · col_now) + row[2]`.
    pub row: [f32; 3],
    /// `past_col = (col[0] · row_now + col[1] · col_now) + col[2]`.
    pub col: [f32; 3],
}

impl GridAffine {
    /// Each cell is where it was.
    pub const IDENTITY: Self = Self {
        row: [1.0, 0.0, 0.0],
        col: [0.0, 1.0, 0.0],
    };

    /// The affine of a motion, for maps on `grid`. Of a motion in space, the part in the ground plane
    /// counts: cell centres are taken at z = 0, the result is projected along z.
    pub fn new(grid: &BevGrid, past_from_now: &Pose<Ego, Ego>) -> Self {
        let isometry = past_from_now.as_isometry();
        let turn = isometry.rotation.to_rotation_matrix();
        let (turn, shift) = (turn.matrix(), isometry.translation.vector);
        // Rows run along x, columns along y; index k has its centre at minimum + (k + 0.5) · cell.
        let (x0, y0) = (grid.row_x(0), grid.col_y(0));
        let axis = |axis: usize, first: f64| {
            let offset = turn[(axis, 0)] * x0 + turn[(axis, 1)] * y0 + shift[axis] - first;
            [
                rounded(turn[(axis, 0)]),
                rounded(turn[(axis, 1)]),
                rounded(offset / grid.cell_m),
            ]
        };
        Self {
            row: axis(0, x0),
            col: axis(1, y0),
        }
    }
}

/// A motion as a matrix of the ground plane, in metres: takes (x, y, 1) of the present ego frame to
/// that of the past one, as [`GridAffine`] does in cells.
pub(crate) fn ground_motion(past_from_now: &Pose<Ego, Ego>) -> [[f32; 3]; 3] {
    let isometry = past_from_now.as_isometry();
    let turn = isometry.rotation.to_rotation_matrix();
    let (turn, shift) = (turn.matrix(), isometry.translation.vector);
    let row = |axis: usize| {
        [
            turn[(axis, 0)] as f32,
            turn[(axis, 1)] as f32,
            shift[axis] as f32,
        ]
    };
    [row(0), row(1), [0.0, 0.0, 1.0]]
}

/// No motion, as a matrix of the ground plane.
pub(crate) const NO_MOTION: [[f32; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

fn rounded(value: f64) -> f32 {
    // Adding zero turns a negative zero into a positive one.
    ((value / STEP).round() * STEP + 0.0) as f32
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_PI_2, PI};

    use nalgebra::{UnitQuaternion, Vector3};

    use super::*;

    const GRID: BevGrid = BevGrid {
        x_min_m: -51.2,
        y_min_m: -51.2,
        cell_m: 0.8,
        rows: 128,
        cols: 128,
    };

    fn motion(x: f64, y: f64, yaw: f64) -> Pose<Ego, Ego> {
        let rotation = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), yaw);
        Pose::new(rotation, Vector3::new(x, y, 0.0))
    }

    #[test]
    fn whole_motions_have_whole_coefficients() {
        let affine = |x, y, yaw| GridAffine::new(&GRID, &motion(x, y, yaw));
        assert_eq!(affine(0.0, 0.0, 0.0), GridAffine::IDENTITY);
        let shift = GridAffine {
            row: [1.0, 0.0, 3.0],
            col: [0.0, 1.0, -7.0],
        };
        assert_eq!(affine(2.4, -5.6, 0.0), shift);
        // x' = -y and y' = x: row 0 comes from the other end of the columns.
        let quarter = GridAffine {
            row: [0.0, -1.0, 127.0],
            col: [1.0, 0.0, 0.0],
        };
        assert_eq!(affine(0.0, 0.0, FRAC_PI_2), quarter);
        let half = GridAffine {
            row: [-1.0, 0.0, 127.0],
            col: [0.0, -1.0, 127.0],
        };
        assert_eq!(affine(0.0, 0.0, PI), half);
    }

    #[test]
    fn whole_motions_stay_whole_far_from_the_origin_of_odometry() {
        let far = motion(123_456.7, -98_765.4, 0.7);
        let now = far * motion(8.0, -2.4, FRAC_PI_2);
        let affine = GridAffine::new(&GRID, &(far.inverse() * now));
        assert_eq!(
            affine,
            GridAffine {
                row: [0.0, -1.0, 137.0],
                col: [1.0, 0.0, -3.0]
            }
        );
    }

    #[test]
    fn a_known_point_lies_where_geometry_says() {
        let grid = BevGrid {
            x_min_m: -10.0,
            y_min_m: -4.0,
            cell_m: 0.5,
            rows: 40,
            cols: 24,
        };
        let past_from_now = motion(1.3, -0.4, 0.3);
        let affine = GridAffine::new(&grid, &past_from_now);
        for (row, col) in [(0, 0), (39, 23), (17, 5)] {
            let centre = grid.centre(row, col);
            let point = past_from_now.transform(&nalgebra::Point3::new(centre.x, centre.y, 0.0));
            let (expected_row, expected_col) = grid.continuous(point.x, point.y);
            let at = |a: [f32; 3]| f64::from((a[0] * row as f32 + a[1] * col as f32) + a[2]);
            assert!((at(affine.row) - expected_row).abs() < 1e-5);
            assert!((at(affine.col) - expected_col).abs() < 1e-5);
        }
    }
}
