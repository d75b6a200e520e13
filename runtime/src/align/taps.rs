//! The four cells that a sample blends, and their weights, for one row of the present grid.
//!
//! Stored maps carry a border of empty cells, one before and two after each axis. A place outside of
//! the map is moved to the border, where all four taps are empty; so the outside counts as zero and
//! no tap needs a check.

use super::GridAffine;
use crate::simd::{Simd, simd_variants};

/// Empty rows and columns before a map.
pub(crate) const PAD_BEFORE: usize = 1;
/// Empty rows and columns after a map.
pub(crate) const PAD_AFTER: usize = 2;

/// The taps of one row of cells.
#[derive(Debug, Clone)]
pub(crate) struct RowTaps {
    /// Index of the first of the four cells in the padded map; the others are the next one, and both
    /// of the row below.
    pub cells: Vec<u32>,
    /// Weights of the first, the next, and the two below.
    pub weights: Vec<[f32; 4]>,
}

impl RowTaps {
    /// Room for `cols` cells.
    pub fn new(cols: usize) -> Self {
        Self {
            cells: vec![0; cols],
            weights: vec![[0.0; 4]; cols],
        }
    }

    /// Works out the taps of row `row` in maps of `rows` rows and as many columns as this holds.
    pub fn compute(&mut self, simd: Simd, affine: &GridAffine, row: usize, rows: usize) {
        row_taps(
            simd,
            affine,
            row as f32,
            rows as f32,
            &mut self.cells,
            &mut self.weights,
        );
    }
}

simd_variants! {
    fn row_taps(
        affine: &GridAffine, row: f32, rows: f32, cells: &mut [u32], weights: &mut [[f32; 4]]
    ) = compute;
}

#[inline(always)]
fn compute(affine: &GridAffine, row: f32, rows: f32, cells: &mut [u32], weights: &mut [[f32; 4]]) {
    let cols = cells.len() as f32;
    let padded_cols = (cells.len() + PAD_BEFORE + PAD_AFTER) as u32;
    let (row_part, col_part) = (affine.row[0] * row, affine.col[0] * row);
    for (col, (cell, weights)) in cells.iter_mut().zip(weights).enumerate() {
        let col = col as i32 as f32;
        // What is no number counts as outside, too.
        let past_row = ((row_part + affine.row[1] * col) + affine.row[2])
            .max(-1.0)
            .min(rows);
        let past_col = ((col_part + affine.col[1] * col) + affine.col[2])
            .max(-1.0)
            .min(cols);
        // The whole part of the place plus one is the index in the padded map. Rounding of that sum
        // may take it one too far by a fraction of -1e-7.
        let (padded_row, padded_col) = (whole(past_row + 1.0), whole(past_col + 1.0));
        let (v, u) = (past_row - (padded_row - 1.0), past_col - (padded_col - 1.0));
        *cell = index(padded_row) * padded_cols + index(padded_col);
        *weights = [(1.0 - v) * (1.0 - u), (1.0 - v) * u, v * (1.0 - u), v * u];
    }
}

/// Added to a number from 0 to 2^22, it leaves the nearest whole one in the last bits.
const WHOLE: f32 = (1 << 23) as f32;

/// The whole part of a number from 0 to 2^22. `as i32` looks for numbers that do not fit, lane by
/// lane, and `floor` is a call where the processor has no instruction for it.
#[inline(always)]
fn whole(value: f32) -> f32 {
    let nearest = (value + WHOLE) - WHOLE;
    if nearest > value {
        nearest - 1.0
    } else {
        nearest
    }
}

/// A whole number from 0 to 2^22 as an integer.
#[inline(always)]
fn index(whole: f32) -> u32 {
    (whole + WHOLE).to_bits() - WHOLE.to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taps(affine: &GridAffine, row: usize, rows: usize, cols: usize) -> RowTaps {
        let mut taps = RowTaps::new(cols);
        taps.compute(Simd::Base, affine, row, rows);
        taps
    }

    #[test]
    fn the_identity_takes_each_cell_whole() {
        let taps = taps(&GridAffine::IDENTITY, 2, 4, 5);
        // Padded maps have 8 columns; row 2 is the fourth of them.
        assert_eq!(taps.cells, [25, 26, 27, 28, 29]);
        assert!(
            taps.weights
                .iter()
                .all(|weights| *weights == [1.0, 0.0, 0.0, 0.0])
        );
    }

    #[test]
    fn places_outside_lie_in_the_border() {
        for offset in [
            -1e9,
            -300.0,
            300.0,
            1e9,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
        ] {
            let affine = GridAffine {
                row: [1.0, 0.0, offset],
                col: [0.0, 1.0, offset],
            };
            for cell in taps(&affine, 1, 4, 5).cells {
                let (row, col) = (cell / 8, cell % 8);
                assert!(
                    (row == 0 && col == 0) || (row == 5 && col == 6),
                    "{row} {col}"
                );
            }
        }
    }

    #[test]
    fn weights_are_bilinear() {
        let affine = GridAffine {
            row: [1.0, 0.0, 0.25],
            col: [0.0, 1.0, -0.5],
        };
        let taps = taps(&affine, 1, 4, 5);
        assert_eq!(taps.cells[2], (2 * 8) + 2);
        assert_eq!(taps.weights[2], [0.375, 0.375, 0.125, 0.125]);
    }

    #[test]
    fn all_instruction_sets_agree_to_the_bit() {
        let affine = GridAffine {
            row: [0.91, -0.41, 17.3],
            col: [0.41, 0.91, -20.7],
        };
        for row in 0..128 {
            let [widest, middle, base] = Simd::available().map(|simd| {
                let mut taps = RowTaps::new(100);
                taps.compute(simd, &affine, row, 128);
                let bits = taps.weights.iter().flatten().map(|weight| weight.to_bits());
                (bits.collect::<Vec<_>>(), taps.cells)
            });
            assert_eq!(widest, middle);
            assert_eq!(middle, base);
        }
    }
}
