//! Bird's-eye-view grids.

use nalgebra::Point2;
use serde::{Deserialize, Serialize};

use crate::CalibrationError;

/// A regular grid of square cells on the ego frame's x–y plane.
///
/// Row `i` has its centre at `x = x_min_m + (i + 0.5) · cell_m` and grows forward; column `j` has its
/// centre at `y = y_min_m + (j + 0.5) · cell_m` and grows to the left. A cell's index is
/// `row · cols + col`.
///
/// ```
/// use bevrt_calibration::BevGrid;
/// let grid = BevGrid { x_min_m: -51.2, y_min_m: -51.2, cell_m: 0.8, rows: 128, cols: 128 };
/// let centre = grid.centre(64, 63);
/// assert!((centre.x - 0.4).abs() < 1e-9 && (centre.y + 0.4).abs() < 1e-9);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BevGrid {
    /// Ego x of the near edge of row 0, metres.
    pub x_min_m: f64,
    /// Ego y of the right edge of column 0, metres.
    pub y_min_m: f64,
    /// Edge length of a cell, metres.
    pub cell_m: f64,
    /// Cells along x.
    pub rows: usize,
    /// Cells along y.
    pub cols: usize,
}

impl BevGrid {
    /// Checks a grid that came from outside.
    ///
    /// # Errors
    /// Refuses numbers that are not finite, cells of no size, and fewer than 1 or more than 4096 rows
    /// or columns.
    pub fn validate(&self) -> Result<(), CalibrationError> {
        for (field, value) in [("x_min_m", self.x_min_m), ("y_min_m", self.y_min_m)] {
            if !value.is_finite() {
                return Err(CalibrationError::new(
                    field,
                    "a finite number",
                    value.to_string(),
                ));
            }
        }
        if !(self.cell_m.is_finite() && self.cell_m > 0.0) {
            return Err(CalibrationError::new(
                "cell_m",
                "a positive finite number",
                self.cell_m.to_string(),
            ));
        }
        for (field, value) in [("rows", self.rows), ("cols", self.cols)] {
            if !(1..=4096).contains(&value) {
                return Err(CalibrationError::new(field, "1 to 4096", value.to_string()));
            }
        }
        Ok(())
    }

    /// Number of cells.
    pub fn cell_count(&self) -> usize {
        self.rows * self.cols
    }

    /// Flat index of a cell.
    pub fn index(&self, row: usize, col: usize) -> usize {
        row * self.cols + col
    }

    /// Ego x of the centres of a row, metres.
    pub fn row_x(&self, row: usize) -> f64 {
        self.x_min_m + (row as f64 + 0.5) * self.cell_m
    }

    /// Ego y of the centres of a column, metres.
    pub fn col_y(&self, col: usize) -> f64 {
        self.y_min_m + (col as f64 + 0.5) * self.cell_m
    }

    /// Centre of a cell in the ego frame, metres.
    pub fn centre(&self, row: usize, col: usize) -> Point2<f64> {
        Point2::new(self.row_x(row), self.col_y(col))
    }

    /// Ego x of the far edge of the last row, metres.
    pub fn x_max_m(&self) -> f64 {
        self.x_min_m + self.rows as f64 * self.cell_m
    }

    /// Ego y of the left edge of the last column, metres.
    pub fn y_max_m(&self) -> f64 {
        self.y_min_m + self.cols as f64 * self.cell_m
    }

    /// Continuous (row, column) of an ego point; whole numbers are cell centres. It may lie outside.
    pub fn continuous(&self, x_m: f64, y_m: f64) -> (f64, f64) {
        (
            (x_m - self.x_min_m) / self.cell_m - 0.5,
            (y_m - self.y_min_m) / self.cell_m - 0.5,
        )
    }

    /// The cell (row, column) that holds an ego point, or `None` outside of the grid.
    pub fn cell_of(&self, x_m: f64, y_m: f64) -> Option<(usize, usize)> {
        let row = ((x_m - self.x_min_m) / self.cell_m).floor();
        let col = ((y_m - self.y_min_m) / self.cell_m).floor();
        let is_inside =
            row >= 0.0 && col >= 0.0 && row < self.rows as f64 && col < self.cols as f64;
        is_inside.then_some((row as usize, col as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COARSE: BevGrid = BevGrid {
        x_min_m: -51.2,
        y_min_m: -51.2,
        cell_m: 0.8,
        rows: 128,
        cols: 128,
    };

    #[test]
    fn a_known_point_lies_in_a_known_cell() {
        // Ten metres ahead, three metres to the left: row (10 + 51.2) / 0.8 = 76.5, column 67.75.
        assert_eq!(COARSE.cell_of(10.0, 3.0), Some((76, 67)));
        assert_eq!(COARSE.index(76, 67), 76 * 128 + 67);
        let centre = COARSE.centre(76, 67);
        assert!((centre.x - 10.0).abs() < 1e-9 && (centre.y - 2.8).abs() < 1e-9);
    }

    #[test]
    fn every_centre_lies_in_its_own_cell() {
        for row in 0..COARSE.rows {
            for col in 0..COARSE.cols {
                let centre = COARSE.centre(row, col);
                assert_eq!(COARSE.cell_of(centre.x, centre.y), Some((row, col)));
                let (r, c) = COARSE.continuous(centre.x, centre.y);
                assert!((r - row as f64).abs() < 1e-9 && (c - col as f64).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn points_outside_have_no_cell() {
        for (x, y) in [
            (51.3, 0.0),
            (-51.3, 0.0),
            (0.0, 51.3),
            (0.0, -51.3),
            (f64::NAN, 0.0),
        ] {
            assert_eq!(COARSE.cell_of(x, y), None);
        }
    }

    #[test]
    fn senseless_grids_are_refused() {
        for grid in [
            BevGrid {
                cell_m: 0.0,
                ..COARSE
            },
            BevGrid {
                cell_m: -0.8,
                ..COARSE
            },
            BevGrid {
                cell_m: f64::NAN,
                ..COARSE
            },
            BevGrid {
                x_min_m: f64::INFINITY,
                ..COARSE
            },
            BevGrid { rows: 0, ..COARSE },
            BevGrid {
                cols: 5000,
                ..COARSE
            },
        ] {
            assert!(grid.validate().is_err(), "{grid:?}");
        }
        assert!(COARSE.validate().is_ok());
    }
}
