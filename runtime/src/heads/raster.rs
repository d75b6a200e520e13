use std::error::Error;
use std::fmt;

use bevrt_calibration::BevGrid;

/// Why an output cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The output has another number of values than its head demands.
    Size {
        /// Values demanded.
        expected: usize,
        /// Values there.
        found: usize,
    },
    /// The map holds a number that is not finite.
    NotFinite {
        /// Channel of the first such number.
        channel: usize,
        /// Its cell, `row · cols + col`.
        cell: usize,
    },
    /// The query set holds a number that is not finite.
    QueryNotFinite {
        /// Query of the first such number.
        query: usize,
        /// Its place: the columns of the scores, then those of the boxes or points.
        column: usize,
    },
    /// A map was given to the decoder of a query set, or the other way round.
    Form,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { expected, found } => {
                write!(f, "the output has {found} values, not {expected}")
            }
            Self::NotFinite { channel, cell } => {
                write!(f, "the map is not finite in channel {channel}, cell {cell}")
            }
            Self::QueryNotFinite { query, column } => {
                write!(f, "query {query} is not finite in column {column}")
            }
            Self::Form => f.write_str("a map and a query set were mistaken for each other"),
        }
    }
}

impl Error for DecodeError {}

/// Cells of a head's map, for fast arithmetic in 32 bit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cells {
    pub rows: usize,
    pub cols: usize,
    pub cell_m: f32,
    x_first_m: f32,
    y_first_m: f32,
}

impl Cells {
    pub(super) fn new(grid: &BevGrid) -> Self {
        Self {
            rows: grid.rows,
            cols: grid.cols,
            cell_m: grid.cell_m as f32,
            x_first_m: grid.row_x(0) as f32,
            y_first_m: grid.col_y(0) as f32,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.rows * self.cols
    }

    /// Centre of a cell in the ego frame.
    pub(super) fn centre(&self, cell: usize) -> [f32; 2] {
        let (row, col) = (cell / self.cols, cell % self.cols);
        [
            self.x_first_m + row as f32 * self.cell_m,
            self.y_first_m + col as f32 * self.cell_m,
        ]
    }

    /// The cell that holds a point of the ego frame, if the grid reaches it.
    pub(super) fn cell_of(&self, [x, y]: [f32; 2]) -> Option<usize> {
        let row = ((x - self.x_first_m) / self.cell_m).round();
        let col = ((y - self.y_first_m) / self.cell_m).round();
        let is_inside =
            row >= 0.0 && col >= 0.0 && row < self.rows as f32 && col < self.cols as f32;
        is_inside.then_some(row as usize * self.cols + col as usize)
    }
}

/// A map that has been checked: channels of `cells` finite values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raster<'a> {
    values: &'a [f32],
    cells: usize,
}

impl<'a> Raster<'a> {
    /// Checks size and finiteness of a `[channels, rows, cols]` map.
    pub(super) fn new(
        values: &'a [f32],
        channels: usize,
        cells: &Cells,
    ) -> Result<Self, DecodeError> {
        let cells = cells.count();
        if values.len() != channels * cells {
            return Err(DecodeError::Size {
                expected: channels * cells,
                found: values.len(),
            });
        }
        if !is_finite(values) {
            let place = values.iter().position(|value| !value.is_finite());
            let place = place.unwrap_or_default();
            return Err(DecodeError::NotFinite {
                channel: place / cells,
                cell: place % cells,
            });
        }
        Ok(Self { values, cells })
    }

    pub(super) fn plane(&self, channel: usize) -> &'a [f32] {
        &self.values[channel * self.cells..(channel + 1) * self.cells]
    }

    pub(super) fn at(&self, channel: usize, cell: usize) -> f32 {
        self.values[channel * self.cells + cell]
    }
}

/// Whether all values are finite, in a form that compiles to wide instructions.
pub(super) fn is_finite(values: &[f32]) -> bool {
    const LANES: usize = 16;
    const EXPONENT: u32 = 0x7F80_0000;
    let mut is_bad = [0_u32; LANES];
    let mut chunks = values.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (bad, value) in is_bad.iter_mut().zip(chunk) {
            *bad |= u32::from(value.to_bits() & EXPONENT == EXPONENT);
        }
    }
    is_bad.iter().all(|&bad| bad == 0) && chunks.remainder().iter().all(|value| value.is_finite())
}

/// `1 / (1 + e^−x)`.
pub(super) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// The logit of a confidence in (0, 1).
pub(super) fn logit(confidence: f32) -> f32 {
    (confidence / (1.0 - confidence)).ln()
}

/// `e^x` of a predicted logarithm, held within what a size or a deviation can be.
pub(super) fn exp_within(ln: f32, least: f32, most: f32) -> f32 {
    ln.exp().clamp(least, most)
}

/// An angle from its doubled sine and cosine, in (−π/2, π/2].
pub(super) fn half_turn_angle(cos_2theta: f32, sin_2theta: f32) -> f32 {
    0.5 * sin_2theta.atan2(cos_2theta)
}

#[cfg(test)]
mod tests {
    use bevrt_calibration::BevGrid;

    use super::{Cells, DecodeError, Raster, half_turn_angle, logit, sigmoid};

    const GRID: BevGrid = BevGrid {
        x_min_m: -1.0,
        y_min_m: -2.0,
        cell_m: 0.5,
        rows: 4,
        cols: 8,
    };

    #[test]
    fn a_cell_holds_its_own_centre() {
        let cells = Cells::new(&GRID);
        assert_eq!(cells.centre(0), [-0.75, -1.75]);
        for cell in 0..cells.count() {
            assert_eq!(cells.cell_of(cells.centre(cell)), Some(cell));
        }
        assert_eq!(cells.cell_of([1.3, 0.0]), None);
        assert_eq!(cells.cell_of([f32::NAN, 0.0]), None);
    }

    #[test]
    fn a_number_that_is_not_finite_is_named() {
        let cells = Cells::new(&GRID);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for place in [0, 31, 32 + 7, 2 * 32 + 31] {
                let mut map = [0.0; 96];
                map[place] = bad;
                assert_eq!(
                    Raster::new(&map, 3, &cells).err(),
                    Some(DecodeError::NotFinite {
                        channel: place / 32,
                        cell: place % 32
                    })
                );
            }
        }
    }

    #[test]
    fn a_map_of_another_size_is_refused() {
        let cells = Cells::new(&GRID);
        assert_eq!(
            Raster::new(&[0.0; 95], 3, &cells).err(),
            Some(DecodeError::Size {
                expected: 96,
                found: 95
            })
        );
    }

    #[test]
    fn confidence_and_logit_are_inverse() {
        for confidence in [0.01, 0.3, 0.5, 0.99] {
            assert!((sigmoid(logit(confidence)) - confidence).abs() < 1e-6);
        }
    }

    #[test]
    fn a_half_turn_angle_has_period_pi() {
        for theta in [0.3_f32, 0.3 + std::f32::consts::PI] {
            let angle = half_turn_angle((2.0 * theta).cos(), (2.0 * theta).sin());
            assert!((angle - 0.3).abs() < 1e-5);
        }
    }
}
