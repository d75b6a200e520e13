//! The blend: one row of cells, all slots, all channels, in the order in which they are written.

use super::half::{Decoder, SoftHalf};
#[cfg(target_arch = "x86_64")]
use super::half::{HardHalf, WideHalf};
use super::taps::RowTaps;
use crate::simd::Simd;
#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};

/// One row of the aligned history.
pub(crate) struct AlignRow<'a, T> {
    /// The padded map of each slot, channels last; `None` where the slot is not valid.
    pub maps: &'a [Option<&'a [T]>],
    /// The taps of each slot; not read where it has no map.
    pub taps: &'a [RowTaps],
    /// Channels of a map.
    pub channels: usize,
    /// Values of a row of a padded map.
    pub stride: usize,
    /// `[cols][slots][channels]`.
    pub out: &'a mut [f32],
}

/// Maps of 8 bits: value = (stored − zero point) · scale.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Levels {
    /// Step of one level.
    pub scale: f32,
    /// The level of zero.
    pub zero_point: u8,
}

impl Decoder for Levels {
    type Stored = u8;

    #[inline(always)]
    fn decode<const N: usize>(self, stored: &[u8; N]) -> [f32; N] {
        let zero_point = i32::from(self.zero_point);
        let mut steps = [0.0; N];
        for (steps, &level) in steps.iter_mut().zip(stored) {
            *steps = (i32::from(level) - zero_point) as f32;
        }
        steps
    }

    #[inline(always)]
    fn scale(self) -> f32 {
        self.scale
    }
}

/// How many cells ahead a map is fetched. The hardware follows rows, but a turned map is read across
/// them: there this saves a tenth of the time.
const PREFETCH_CELLS: usize = 4;

/// Asks for a value to be brought into the cache. A place outside of `values` is allowed.
#[inline(always)]
fn prefetch<T>(values: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY:
        // - prefetching has no effect but on caches and does not fault, whatever the address; the
        //   pointer is made without claiming that it is inside of `values`.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(values.as_ptr().wrapping_add(index).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (values, index);
}

/// Aligns one row of half-precision maps.
pub(crate) fn blend_half_row(simd: Simd, row: AlignRow<'_, u16>) {
    match simd {
        Simd::Base => blend::<SoftHalf, 8>(SoftHalf, row),
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2(avx2) => {
            // SAFETY:
            // - the processor has AVX2 and F16C: `Avx2` exists only where both were found.
            unsafe { blend_half_with_avx2(avx2, row) }
        }
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512(_, avx512) => {
            // SAFETY:
            // - the processor has AVX2, F16C and AVX-512 F: `Avx2` and `Avx512` exist only where
            //   they were found.
            unsafe { blend_half_with_avx512(avx512, row) }
        }
    }
}

/// Aligns one row of 8-bit maps.
pub(crate) fn blend_level_row(simd: Simd, levels: Levels, row: AlignRow<'_, u8>) {
    match simd {
        Simd::Base => blend::<Levels, 8>(levels, row),
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2(_) => {
            // SAFETY:
            // - the processor has AVX2 and F16C: `Avx2` exists only where both were found.
            unsafe { blend_levels_with_avx2(levels, row) }
        }
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512(..) => {
            // SAFETY:
            // - the processor has AVX2, F16C and AVX-512 F: `Avx2` and `Avx512` exist only where
            //   they were found.
            unsafe { blend_levels_with_avx512(levels, row) }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,f16c")]
fn blend_half_with_avx2(avx2: Avx2, row: AlignRow<'_, u16>) {
    blend::<HardHalf, 8>(HardHalf(avx2), row);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,f16c,avx512f")]
fn blend_half_with_avx512(avx512: Avx512, row: AlignRow<'_, u16>) {
    blend::<WideHalf, 16>(WideHalf(avx512), row);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,f16c")]
fn blend_levels_with_avx2(levels: Levels, row: AlignRow<'_, u8>) {
    blend::<Levels, 8>(levels, row);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,f16c,avx512f")]
fn blend_levels_with_avx512(levels: Levels, row: AlignRow<'_, u8>) {
    blend::<Levels, 16>(levels, row);
}

#[inline(always)]
fn blend<D: Decoder, const N: usize>(decoder: D, row: AlignRow<'_, D::Stored>) {
    match row.channels {
        // A usual number, compiled apart so that the loop over channels is unrolled.
        32 => blend_row::<D, N>(decoder, row, 32),
        channels => blend_row::<D, N>(decoder, row, channels),
    }
}

#[inline(always)]
fn blend_row<D: Decoder, const N: usize>(
    decoder: D,
    row: AlignRow<'_, D::Stored>,
    channels: usize,
) {
    let AlignRow {
        maps,
        taps,
        stride,
        out,
        ..
    } = row;
    for (col, cell) in out.chunks_exact_mut(maps.len() * channels).enumerate() {
        for ((out, map), taps) in cell.chunks_exact_mut(channels).zip(maps).zip(taps) {
            let Some(map) = map else {
                out.fill(0.0);
                continue;
            };
            let corner = taps.cells[col] as usize * channels;
            prefetch(map, corner + stride + PREFETCH_CELLS * channels);
            let above = &map[corner..corner + 2 * channels];
            let below = &map[corner + stride..corner + stride + 2 * channels];
            let weights = taps.weights[col].map(|weight| weight * decoder.scale());
            blend_cell::<D, N>(decoder, above, below, &weights, out);
        }
    }
}

/// Blends two cells above and two below, all channels.
#[inline(always)]
fn blend_cell<D: Decoder, const N: usize>(
    decoder: D,
    above: &[D::Stored],
    below: &[D::Stored],
    weights: &[f32; 4],
    out: &mut [f32],
) {
    let channels = out.len();
    let (a, b) = above.split_at(channels);
    let (c, d) = below.split_at(channels);
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<N>(), b.as_chunks::<N>());
    let ((c, c_rest), (d, d_rest)) = (c.as_chunks::<N>(), d.as_chunks::<N>());
    let (out, out_rest) = out.as_chunks_mut::<N>();
    for ((((out, a), b), c), d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        *out = blend_group(decoder, [a, b, c, d], weights);
    }
    let rest = out_rest
        .iter_mut()
        .zip(a_rest)
        .zip(b_rest)
        .zip(c_rest)
        .zip(d_rest);
    for ((((out, a), b), c), d) in rest {
        [*out] = blend_group(decoder, [a, b, c, d].map(std::array::from_ref), weights);
    }
}

#[inline(always)]
fn blend_group<D: Decoder, const N: usize>(
    decoder: D,
    taps: [&[D::Stored; N]; 4],
    weights: &[f32; 4],
) -> [f32; N] {
    let [a, b, c, d] = taps;
    let (a, b) = (decoder.decode(a), decoder.decode(b));
    let (c, d) = (decoder.decode(c), decoder.decode(d));
    let mut out = [0.0; N];
    for lane in 0..N {
        let above = a[lane] * weights[0] + b[lane] * weights[1];
        out[lane] = (above + c[lane] * weights[2]) + d[lane] * weights[3];
    }
    out
}
