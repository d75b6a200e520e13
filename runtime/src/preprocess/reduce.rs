//! The two sums of the area kernel: down the rows in whole numbers, then along the columns.
//!
//! Sums down the rows are exact. Sums along the columns are exact too as long as
//! 255 · weights down · weights along stays below 2^24 (true for 1600×582 to 352×128); beyond
//! that they are rounded in a fixed order, the same for every instruction set.

use super::area::LANES;
use crate::simd::simd_variants;

simd_variants! {
    /// Begins the sums of an output row: `sums = weight * levels`.
    pub(super) fn begin_sums(levels: &[u8], weight: i16, sums: &mut [i32]) = begin;
}

simd_variants! {
    /// Adds a source row to the sums of an output row: `sums += weight * levels`.
    pub(super) fn add_to_sums(levels: &[u8], weight: i16, sums: &mut [i32]) = add;
}

simd_variants! {
    /// Takes interleaved sums `[width][3]` apart into `[3][stride]`.
    pub(super) fn deinterleave_sums(sums: &[i32], stride: usize, planes: &mut [i32]) = deinterleave;
}

simd_variants! {
    /// Sums along the columns: `totals[x]` is the sum of `taps` products from `first[x]` on.
    ///
    /// `weights` is `[totals.len()][taps]`, `taps` a multiple of [`LANES`]; `sums` reaches at least
    /// `taps` beyond the last first.
    pub(super) fn sum_columns(
        sums: &[i32], first: &[u32], weights: &[f32], taps: usize, totals: &mut [f32]
    ) = columns;
}

#[inline(always)]
fn begin(levels: &[u8], weight: i16, sums: &mut [i32]) {
    for (sum, &level) in sums.iter_mut().zip(levels) {
        *sum = i32::from(weight) * i32::from(level);
    }
}

#[inline(always)]
fn add(levels: &[u8], weight: i16, sums: &mut [i32]) {
    for (sum, &level) in sums.iter_mut().zip(levels) {
        *sum += i32::from(weight) * i32::from(level);
    }
}

#[inline(always)]
fn deinterleave(sums: &[i32], stride: usize, planes: &mut [i32]) {
    let (red, rest) = planes.split_at_mut(stride);
    let (green, blue) = rest.split_at_mut(stride);
    let (pixels, _) = sums.as_chunks::<3>();
    let outputs = red.iter_mut().zip(green).zip(blue);
    for (&[r, g, b], ((red, green), blue)) in pixels.iter().zip(outputs) {
        (*red, *green, *blue) = (r, g, b);
    }
}

#[inline(always)]
fn columns(sums: &[i32], first: &[u32], weights: &[f32], taps: usize, totals: &mut [f32]) {
    let rows = weights.chunks_exact(taps);
    for ((total, &first), weights) in totals.iter_mut().zip(first).zip(rows) {
        let sums = &sums[first as usize..first as usize + taps];
        let (sums, _) = sums.as_chunks::<LANES>();
        let (weights, _) = weights.as_chunks::<LANES>();
        let mut lanes = [0.0_f32; LANES];
        for (sums, weights) in sums.iter().zip(weights) {
            for lane in 0..LANES {
                lanes[lane] += sums[lane] as f32 * weights[lane];
            }
        }
        let [a, b, c, d, e, f, g, h] = lanes;
        *total = ((a + e) + (c + g)) + ((b + f) + (d + h));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Simd;

    #[test]
    fn sums_down_the_rows_are_exact() {
        for simd in Simd::available() {
            let mut sums = vec![7; 37];
            let levels: Vec<u8> = (0..37).map(|x| x * 6).collect();
            begin_sums(simd, &levels, 16_384, &mut sums);
            add_to_sums(simd, &[255; 37], 3, &mut sums);
            for (x, &sum) in sums.iter().enumerate() {
                assert_eq!(sum, 16_384 * 6 * x as i32 + 765);
            }
        }
    }

    #[test]
    fn interleaved_sums_come_apart() {
        for simd in Simd::available() {
            let mut planes = [0; 12];
            deinterleave_sums(simd, &[1, 2, 3, 4, 5, 6], 4, &mut planes);
            assert_eq!(planes, [1, 4, 0, 0, 2, 5, 0, 0, 3, 6, 0, 0]);
        }
    }

    #[test]
    fn sums_along_columns_have_the_same_bits_with_every_instruction_set() {
        let sums: Vec<i32> = (0..200).map(|x| x * x * 7919 % 4_000_000).collect();
        let first: Vec<u32> = (0..19).map(|x| x * 9).collect();
        let weights: Vec<f32> = (0..19 * 16).map(|i| (i % 13) as f32).collect();
        let results = Simd::available().map(|simd| {
            let mut totals = vec![0.0; 19];
            sum_columns(simd, &sums, &first, &weights, 16, &mut totals);
            totals
                .iter()
                .map(|total| total.to_bits())
                .collect::<Vec<_>>()
        });
        assert_eq!(results[0], results[1]);
        assert_eq!(results[1], results[2]);
        let expected: f64 = (0..16)
            .map(|t| f64::from(sums[9 + t]) * f64::from(weights[16 + t]))
            .sum();
        assert!((f64::from(f32::from_bits(results[1][1])) - expected).abs() < 1e-6 * expected);
    }
}
