use std::error::Error;
use std::fmt;

use bevrt_calibration::BevGrid;

use crate::simd::{Simd, simd_variants};

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
    pub simd: Simd,
}

impl Cells {
    pub(super) fn new(grid: &BevGrid) -> Self {
        Self {
            rows: grid.rows,
            cols: grid.cols,
            cell_m: grid.cell_m as f32,
            x_first_m: grid.row_x(0) as f32,
            y_first_m: grid.col_y(0) as f32,
            simd: Simd::detect(),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.rows * self.cols
    }

    /// Centre of a cell in the ego frame.
    pub(super) fn centre(&self, cell: usize) -> [f32; 2] {
        self.centre_at(cell / self.cols, cell % self.cols)
    }

    /// Centre of the cell of a row and a column.
    pub(super) fn centre_at(&self, row: usize, col: usize) -> [f32; 2] {
        [
            self.x_first_m + row as f32 * self.cell_m,
            self.y_first_m + col as f32 * self.cell_m,
        ]
    }

    /// The cell that holds a point of the ego frame, if the grid reaches it.
    pub(super) fn cell_of(&self, [x, y]: [f32; 2]) -> Option<usize> {
        let row = nearest((x - self.x_first_m) / self.cell_m)?;
        let col = nearest((y - self.y_first_m) / self.cell_m)?;
        (row < self.rows && col < self.cols).then_some(row * self.cols + col)
    }
}

/// A value rounded to the nearest whole number, halves up, if that is an index.
fn nearest(value: f32) -> Option<usize> {
    if value.is_nan() || value <= -0.5 || value >= INDEX_END {
        return None;
    }
    // Within these bounds the cast is exact.
    let whole = value as i32;
    let up = value - whole as f32 >= 0.5;
    Some((whole + i32::from(up)) as usize)
}

/// No grid has so many rows or columns.
const INDEX_END: f32 = 1e6;

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
        let simd = cells.simd;
        let cells = cells.count();
        if values.len() != channels * cells {
            return Err(DecodeError::Size {
                expected: channels * cells,
                found: values.len(),
            });
        }
        if !is_finite(simd, values) {
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

    /// The cells of a plane whose values are at least `threshold`, in order. Strips without any are
    /// passed at the cost of a comparison a value.
    pub(super) fn cells_from(
        &self,
        channel: usize,
        threshold: f32,
    ) -> impl Iterator<Item = usize> + use<'a> {
        let plane = self.plane(channel);
        let strips = plane.chunks(STRIP).enumerate();
        strips
            .filter(move |(_, values)| any_from(values, threshold))
            .flat_map(move |(strip, values)| {
                let values = values.iter().enumerate();
                values
                    .filter(move |(_, value)| **value >= threshold)
                    .map(move |(place, _)| strip * STRIP + place)
            })
    }

    pub(super) fn at(&self, channel: usize, cell: usize) -> f32 {
        self.values[channel * self.cells + cell]
    }
}

/// Cells that are compared with a threshold at once.
const STRIP: usize = 16;

fn any_from(values: &[f32], threshold: f32) -> bool {
    values
        .iter()
        .fold(false, |any, &value| any | (value >= threshold))
}

/// Whether all values are finite.
pub(super) fn is_finite(simd: Simd, values: &[f32]) -> bool {
    let mut all_finite = true;
    find_not_finite(simd, values, &mut all_finite);
    all_finite
}

simd_variants! {
    /// Takes `all_finite` away when a value is not.
    fn find_not_finite(values: &[f32], all_finite: &mut bool) = look_for_not_finite;
}

#[inline(always)]
fn look_for_not_finite(values: &[f32], all_finite: &mut bool) {
    const MAGNITUDE: u32 = 0x7fff_ffff;
    /// Added to a magnitude it reaches the sign's place from the infinities on.
    const TO_SIGN: u32 = 0x0080_0000;
    let mut reached = 0;
    for value in values {
        reached |= (value.to_bits() & MAGNITUDE) + TO_SIGN;
    }
    *all_finite = reached <= MAGNITUDE;
}

/// Length of a vector in the plane, from sums in 64 bit, which neither overflow nor lose digits.
#[inline(always)]
pub(super) fn length(x: f32, y: f32) -> f32 {
    let (x, y) = (f64::from(x), f64::from(y));
    (x * x + y * y).sqrt() as f32
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

    use super::*;

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
    fn the_nearest_index_is_that_of_the_library() {
        for step in -4000..200_000 {
            let value = step as f32 * 0.000_7;
            let rounded = value.round();
            let expected = (rounded >= 0.0).then_some(rounded as usize);
            assert_eq!(nearest(value), expected, "{value}");
        }
        for value in [-0.5, -0.499_999_97, 0.5, 0.499_999_97, 1.5, 83.5] {
            let rounded = f32::round(value);
            let expected = (rounded >= 0.0).then_some(rounded as usize);
            let expected = expected.filter(|_| rounded.is_sign_positive() || value > -0.5);
            assert_eq!(nearest(value), expected, "{value}");
        }
        assert_eq!(nearest(f32::NAN), None);
        assert_eq!(nearest(f32::INFINITY), None);
    }

    #[test]
    fn a_length_is_that_of_the_library() {
        for step in 1..20_000_u32 {
            let x = (step.wrapping_mul(2_654_435_761) >> 8) as f32 * 1e-5;
            let y = (step.wrapping_mul(40_503) >> 4) as f32 * -1e-4;
            assert!((length(x, y) / x.hypot(y) - 1.0).abs() < 1.2e-7, "{x} {y}");
        }
        assert_eq!(length(3.0, -4.0), 5.0);
    }

    #[test]
    fn a_number_that_is_not_finite_is_found_by_every_instruction_set() {
        for simd in Simd::available() {
            for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                for place in 0..75 {
                    let mut values = [f32::MAX; 75];
                    assert!(is_finite(simd, &values));
                    values[place] = bad;
                    assert!(!is_finite(simd, &values), "{bad} at {place}");
                }
            }
        }
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
