//! From camera bytes to red, green and blue levels, one source row at a time.
//!
//! Y, U, V are converted pixel by pixel, each clamped to 0..=255 as a decoder would, and only then
//! averaged: averaging first differs by many levels where single pixels leave the gamut. The
//! arithmetic is 16-bit fixed point with 6 bits below the level; before the last rounding it
//! is within 1/25 of a level of the real formula.

use crate::image::{ColourMatrix, ColourRange};
use crate::simd::simd_variants;

/// Fixed-point coefficients from Y, U, V to levels. All in 1/32768.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct YuvCoefficients {
    /// The level of black in Y.
    black: u8,
    /// Half the gain of Y.
    luma: i16,
    /// A quarter of the gain of V in red.
    red_v: i16,
    /// A quarter of the gain of U in green.
    green_u: i16,
    /// A quarter of the gain of V in green.
    green_v: i16,
    /// A quarter of the gain of U in blue.
    blue_u: i16,
}

impl YuvCoefficients {
    /// The coefficients of a matrix and a range (ITU-R BT.601-7 and BT.709-6, item 2.5 and 3).
    pub fn new(matrix: ColourMatrix, range: ColourRange) -> Self {
        let (red, blue) = match matrix {
            ColourMatrix::Bt601 => (0.299, 0.114),
            ColourMatrix::Bt709 => (0.2126, 0.0722),
        };
        let green = 1.0 - red - blue;
        let (black, luma_gain, chroma_gain) = match range {
            ColourRange::Limited => (16, 255.0 / 219.0, 255.0 / 224.0),
            ColourRange::Full => (0, 1.0, 1.0),
        };
        let quarter = |gain: f64| (gain * chroma_gain / 4.0 * 32768.0).round() as i16;
        Self {
            black,
            luma: (luma_gain / 2.0 * 32768.0_f64).round() as i16,
            red_v: quarter(2.0 * (1.0 - red)),
            green_u: quarter(-2.0 * (1.0 - blue) * blue / green),
            green_v: quarter(-2.0 * (1.0 - red) * red / green),
            blue_u: quarter(2.0 * (1.0 - blue)),
        }
    }
}

/// What chroma adds to each level, in 1/64, at full width: both pixels of a pair hold the same.
#[derive(Debug, Clone)]
pub(super) struct ChromaTerms {
    red: Vec<i16>,
    green: Vec<i16>,
    blue: Vec<i16>,
}

impl ChromaTerms {
    /// Room for a row of `width` pixels.
    pub fn new(width: usize) -> Self {
        let row = vec![0; width];
        Self {
            red: row.clone(),
            green: row.clone(),
            blue: row,
        }
    }
}

simd_variants! {
    /// Works out the chroma terms of a row of interleaved U, V: `[width/2][2]`.
    pub(super) fn chroma_terms_into(
        uv: &[u8], coefficients: &YuvCoefficients, terms: &mut ChromaTerms
    ) = chroma_terms;
}

simd_variants! {
    /// Adds chroma terms to a row of Y: `levels` is `[3][width]` in the order red, green, blue.
    pub(super) fn levels_into(
        luma: &[u8], coefficients: &YuvCoefficients, terms: &ChromaTerms, levels: &mut [u8]
    ) = add_luma;
}

simd_variants! {
    /// Takes a row of Y0 U Y1 V apart into Y `[width]` and interleaved U, V `[width/2][2]`.
    pub(super) fn unpack_yuyv_into(yuyv: &[u8], luma: &mut [u8], uv: &mut [u8]) = unpack_yuyv;
}

#[inline(always)]
fn chroma_terms(uv: &[u8], c: &YuvCoefficients, terms: &mut ChromaTerms) {
    let (red, _) = terms.red.as_chunks_mut::<2>();
    let (green, _) = terms.green.as_chunks_mut::<2>();
    let (blue, _) = terms.blue.as_chunks_mut::<2>();
    let (uv, _) = uv.as_chunks::<2>();
    let outputs = red.iter_mut().zip(green).zip(blue);
    for (&[u, v], ((red, green), blue)) in uv.iter().zip(outputs) {
        // A level of 128 is no chroma; the difference fills 16 bits when multiplied by 256.
        let u = i16::from(u).wrapping_sub(128) << 8;
        let v = i16::from(v).wrapping_sub(128) << 8;
        *red = [multiply(v, c.red_v); 2];
        *green = [multiply(u, c.green_u).saturating_add(multiply(v, c.green_v)); 2];
        *blue = [multiply(u, c.blue_u); 2];
    }
}

#[inline(always)]
fn add_luma(luma: &[u8], c: &YuvCoefficients, terms: &ChromaTerms, levels: &mut [u8]) {
    let width = luma.len();
    let (red, rest) = levels.split_at_mut(width);
    let (green, blue) = rest.split_at_mut(width);
    let blue = &mut blue[..width];
    let (red_terms, green_terms) = (&terms.red[..width], &terms.green[..width]);
    let blue_terms = &terms.blue[..width];
    for x in 0..width {
        // Footroom below black is cut, as video decoders for machine vision do.
        let y = multiply(i16::from(luma[x].saturating_sub(c.black)) << 7, c.luma);
        red[x] = level(y.saturating_add(red_terms[x]));
        green[x] = level(y.saturating_add(green_terms[x]));
        blue[x] = level(y.saturating_add(blue_terms[x]));
    }
}

#[inline(always)]
fn unpack_yuyv(yuyv: &[u8], luma: &mut [u8], uv: &mut [u8]) {
    let (pairs, _) = yuyv.as_chunks::<2>();
    for ((&[y, chroma], luma), uv) in pairs.iter().zip(luma).zip(uv) {
        *luma = y;
        *uv = chroma;
    }
}

/// The rounded product of `value` and `factor` / 32768.
#[inline(always)]
fn multiply(value: i16, factor: i16) -> i16 {
    ((((i32::from(value) * i32::from(factor)) >> 14) + 1) >> 1) as i16
}

/// A level from sixty-fourths of a level, rounded and clamped.
#[inline(always)]
fn level(sixty_fourths: i16) -> u8 {
    (sixty_fourths.saturating_add(32) >> 6).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Simd;

    const MATRICES: [ColourMatrix; 2] = [ColourMatrix::Bt601, ColourMatrix::Bt709];
    const RANGES: [ColourRange; 2] = [ColourRange::Limited, ColourRange::Full];

    fn convert(simd: Simd, y: &[u8], uv: &[u8], c: &YuvCoefficients) -> Vec<u8> {
        let mut terms = ChromaTerms::new(y.len());
        let mut levels = vec![0; y.len() * 3];
        chroma_terms_into(simd, uv, c, &mut terms);
        levels_into(simd, y, c, &terms, &mut levels);
        levels
    }

    /// The real formula, in floating point.
    fn reference(y: u8, u: u8, v: u8, matrix: ColourMatrix, range: ColourRange) -> [f64; 3] {
        let (kr, kb) = match matrix {
            ColourMatrix::Bt601 => (0.299, 0.114),
            ColourMatrix::Bt709 => (0.2126, 0.0722),
        };
        let (y, scale) = match range {
            ColourRange::Limited => ((f64::from(y).max(16.0) - 16.0) / 219.0, 224.0),
            ColourRange::Full => (f64::from(y) / 255.0, 255.0),
        };
        let (pb, pr) = (
            (f64::from(u) - 128.0) / scale,
            (f64::from(v) - 128.0) / scale,
        );
        let red = y + 2.0 * (1.0 - kr) * pr;
        let blue = y + 2.0 * (1.0 - kb) * pb;
        let green = (y - kr * red - kb * blue) / (1.0 - kr - kb);
        [red, green, blue].map(|value| (value * 255.0).clamp(0.0, 255.0))
    }

    #[test]
    fn white_black_and_the_primaries_are_what_the_standard_says() {
        let c = YuvCoefficients::new(ColourMatrix::Bt601, ColourRange::Limited);
        let levels = |y, u, v| convert(Simd::Base, &[y, y], &[u, v], &c);
        assert_eq!(levels(235, 128, 128), [255; 6]);
        assert_eq!(levels(16, 128, 128), [0; 6]);
        assert_eq!(levels(0, 128, 128), [0; 6]);
        // Red of 100 % is Y 81, U 90, V 240.
        assert_eq!(levels(81, 90, 240), [254, 254, 0, 0, 0, 0]);
    }

    #[test]
    fn every_level_is_within_one_rounding_of_the_real_formula() {
        let chroma: Vec<u8> = (0..=255).step_by(15).collect();
        for (matrix, range) in MATRICES.iter().flat_map(|&m| RANGES.map(|r| (m, r))) {
            let c = YuvCoefficients::new(matrix, range);
            for (&u, &v) in chroma
                .iter()
                .flat_map(|u| chroma.iter().map(move |v| (u, v)))
            {
                let y: Vec<u8> = (0..=255).collect();
                let uv: Vec<u8> = [u, v].repeat(128);
                let levels = convert(Simd::Base, &y, &uv, &c);
                for (x, &y) in y.iter().enumerate() {
                    let expected = reference(y, u, v, matrix, range);
                    for (channel, expected) in expected.iter().enumerate() {
                        let found = f64::from(levels[channel * 256 + x]);
                        assert!((found - expected).abs() < 0.54, "{y} {u} {v}: {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn all_instruction_sets_give_the_same_bytes() {
        let y: Vec<u8> = (0..518u32).map(|i| (i * 97 % 256) as u8).collect();
        let uv: Vec<u8> = (0..518u32).map(|i| (i * 151 % 256) as u8).collect();
        for (matrix, range) in MATRICES.iter().flat_map(|&m| RANGES.map(|r| (m, r))) {
            let c = YuvCoefficients::new(matrix, range);
            let results = Simd::available().map(|simd| convert(simd, &y, &uv, &c));
            assert_eq!(results[0], results[1]);
            assert_eq!(results[1], results[2]);
        }
    }

    #[test]
    fn packed_pixels_come_apart() {
        let (mut luma, mut uv) = ([0; 4], [0; 4]);
        for simd in Simd::available() {
            unpack_yuyv_into(simd, &[1, 2, 3, 4, 5, 6, 7, 8], &mut luma, &mut uv);
            assert_eq!((luma, uv), ([1, 3, 5, 7], [2, 4, 6, 8]));
        }
    }
}
