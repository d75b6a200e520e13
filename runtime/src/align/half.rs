//! Half-precision storage of maps: 16 bits a value, in and out, the same bits on every machine.

use crate::simd::simd_variants;
#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};

/// The largest finite half, as f32 bits.
const LARGEST: u32 = 0x477f_e000;
/// The smallest normal half, as f32 bits.
const SMALLEST_NORMAL: u32 = 0x3880_0000;
/// From the exponent of f32 to that of half precision: 112 less.
const EXPONENT_SHIFT: u32 = 112 << 23;

/// What storing found in the values.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HalfStore {
    /// Bits of the largest magnitude.
    largest: u32,
}

impl HalfStore {
    /// Whether all values were finite.
    pub fn is_finite(self) -> bool {
        self.largest < f32::INFINITY.to_bits()
    }
}

simd_variants! {
    /// Stores values as halves, to nearest, ties to even. Larger ones become the largest finite half;
    /// a negative zero becomes a positive one, so that adding zeros to a value gives its own bits.
    pub(crate) fn store_half_row(values: &[f32], halves: &mut [u16], found: &mut HalfStore) = store;
}

#[inline(always)]
fn store(values: &[f32], halves: &mut [u16], found: &mut HalfStore) {
    let mut largest = found.largest;
    for (half, value) in halves.iter_mut().zip(values) {
        let bits = value.to_bits();
        let magnitude = bits & 0x7fff_ffff;
        largest = largest.max(magnitude);
        let magnitude = magnitude.min(LARGEST);
        // Half the last place, and its last bit where it is odd, carry into what is kept.
        let odd = (magnitude >> 13) & 1;
        let normal = magnitude
            .wrapping_sub(EXPONENT_SHIFT)
            .wrapping_add(0xfff + odd)
            >> 13;
        // The last place of 0.5 is the smallest half: adding rounds to it.
        let subnormal = (f32::from_bits(magnitude) + 0.5)
            .to_bits()
            .wrapping_sub(0.5_f32.to_bits());
        let kept = if magnitude < SMALLEST_NORMAL {
            subnormal
        } else {
            normal
        };
        let sign = if kept == 0 { 0 } else { (bits >> 16) & 0x8000 };
        *half = (kept | sign) as u16;
    }
    found.largest = largest;
}

/// Reads stored values as f32.
pub(super) trait Decoder: Copy {
    /// What is stored.
    type Stored: Copy;

    /// `N` values, in units of [`Self::scale`].
    fn decode<const N: usize>(self, stored: &[Self::Stored; N]) -> [f32; N];

    /// What one unit is worth.
    #[inline(always)]
    fn scale(self) -> f32 {
        1.0
    }
}

/// Halves read with integer operations, exactly. There are no infinities among them.
#[derive(Clone, Copy)]
pub(super) struct SoftHalf;

/// Halves read by F16C, eight at a time.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct HardHalf(pub Avx2);

/// Halves read by AVX-512, sixteen at a time.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct WideHalf(pub Avx512);

impl Decoder for SoftHalf {
    type Stored = u16;

    #[inline(always)]
    fn decode<const N: usize>(self, stored: &[u16; N]) -> [f32; N] {
        stored.map(|half| {
            let sign = (u32::from(half) & 0x8000) << 16;
            let magnitude = f32::from_bits((u32::from(half) & 0x7fff) << 13);
            // 2^112 puts the exponent right, for numbers below the normal ones too.
            let value = magnitude * f32::from_bits(EXPONENT_SHIFT + 1.0_f32.to_bits());
            f32::from_bits(value.to_bits() | sign)
        })
    }
}

#[cfg(target_arch = "x86_64")]
impl Decoder for HardHalf {
    type Stored = u16;

    #[inline(always)]
    fn decode<const N: usize>(self, stored: &[u16; N]) -> [f32; N] {
        use std::arch::x86_64::{_mm_loadu_si128, _mm256_cvtph_ps, _mm256_storeu_ps};
        let Self(_proof) = self;
        let (groups, rest) = stored.as_chunks::<8>();
        let mut values = [0.0; N];
        let (value_groups, value_rest) = values.as_chunks_mut::<8>();
        for (group, values) in groups.iter().zip(value_groups) {
            // SAFETY:
            // - the processor has F16C: `Avx2` exists only where it was found.
            // - `group` is 16 readable bytes, `values` 32 writable ones; no alignment is asked for.
            unsafe {
                let halves = _mm_loadu_si128(group.as_ptr().cast());
                _mm256_storeu_ps(values.as_mut_ptr(), _mm256_cvtph_ps(halves));
            }
        }
        for (half, value) in rest.iter().zip(value_rest) {
            [*value] = SoftHalf.decode(&[*half]);
        }
        values
    }
}

#[cfg(target_arch = "x86_64")]
impl Decoder for WideHalf {
    type Stored = u16;

    #[inline(always)]
    fn decode<const N: usize>(self, stored: &[u16; N]) -> [f32; N] {
        use std::arch::x86_64::{_mm256_loadu_si256, _mm512_cvtph_ps, _mm512_storeu_ps};
        let Self(_proof) = self;
        let (groups, rest) = stored.as_chunks::<16>();
        let mut values = [0.0; N];
        let (value_groups, value_rest) = values.as_chunks_mut::<16>();
        for (group, values) in groups.iter().zip(value_groups) {
            // SAFETY:
            // - the processor has AVX-512 F: `Avx512` exists only where it was found.
            // - `group` is 32 readable bytes, `values` 64 writable ones; no alignment is asked for.
            unsafe {
                let halves = _mm256_loadu_si256(group.as_ptr().cast());
                _mm512_storeu_ps(values.as_mut_ptr(), _mm512_cvtph_ps(halves));
            }
        }
        for (half, value) in rest.iter().zip(value_rest) {
            [*value] = SoftHalf.decode(&[*half]);
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;
    use crate::simd::Simd;

    fn stored(values: &[f32], simd: Simd) -> (Vec<u16>, HalfStore) {
        let (mut halves, mut found) = (vec![0; values.len()], HalfStore::default());
        store_half_row(simd, values, &mut halves, &mut found);
        (halves, found)
    }

    #[test]
    fn every_half_is_read_as_it_is_and_stored_again_as_it_was() {
        let halves: Vec<u16> = (0..=u16::MAX)
            .filter(|&bits| f16::from_bits(bits).is_finite())
            .collect();
        let values: Vec<f32> = halves
            .iter()
            .map(|&half| SoftHalf.decode(&[half])[0])
            .collect();
        for (&half, value) in halves.iter().zip(&values) {
            assert_eq!(value.to_bits(), f16::from_bits(half).to_f32().to_bits());
        }
        for simd in Simd::available() {
            let (again, found) = stored(&values, simd);
            assert!(found.is_finite());
            for (&half, again) in halves.iter().zip(again) {
                assert_eq!(again, if half == 0x8000 { 0 } else { half });
            }
        }
    }

    #[test]
    fn values_between_halves_are_rounded_to_nearest_even() {
        // Every exponent, with last places around the ties.
        let values: Vec<f32> = (0x3000_0000..0x477f_f000_u32)
            .step_by(0x7ff)
            .chain((0x3380_0000..0x3900_0000).step_by(0x800))
            .flat_map(|bits| [f32::from_bits(bits), -f32::from_bits(bits)])
            .filter(|value| value.abs() < 65_504.0)
            .collect();
        for simd in Simd::available() {
            for (value, half) in values.iter().zip(stored(&values, simd).0) {
                let expected = f16::from_f32(*value).to_bits();
                let expected = if expected == 0x8000 { 0 } else { expected };
                assert_eq!(half, expected, "{value:e}");
            }
        }
    }

    #[test]
    fn large_values_are_held_and_values_that_are_no_number_are_told() {
        let (halves, found) = stored(&[1e6, -1e9, 65_519.0, 1.0], Simd::detect());
        assert_eq!(halves, [0x7bff, 0xfbff, 0x7bff, 0x3c00]);
        assert!(found.is_finite());
        for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(!stored(&[1.0, bad, 2.0], Simd::detect()).1.is_finite());
        }
    }
}
