//! Half-precision storage of maps: 16 bits a value, in and out, the same bits on every machine.

use crate::simd::Simd;
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

/// Stores values as halves, to nearest, ties to even. Larger ones become the largest finite half;
/// a negative zero becomes a positive one, so that adding zeros to a value gives its own bits.
pub(crate) fn store_half_row(
    simd: Simd,
    values: &[f32],
    halves: &mut [u16],
    found: &mut HalfStore,
) {
    match simd {
        Simd::Base => store(SoftHalf, values, halves, found),
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2(avx2) | Simd::Avx512(avx2, _) => {
            // SAFETY:
            // - the processor has AVX2 and F16C: `Avx2` exists only where both were found.
            unsafe { store_with_avx2(avx2, values, halves, found) }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,f16c")]
fn store_with_avx2(avx2: Avx2, values: &[f32], halves: &mut [u16], found: &mut HalfStore) {
    store(HardHalf(avx2), values, halves, found);
}

#[inline(always)]
fn store<E: Encoder>(encoder: E, values: &[f32], halves: &mut [u16], found: &mut HalfStore) {
    let (groups, rest) = values.as_chunks::<GROUP>();
    let (half_groups, half_rest) = halves.as_chunks_mut::<GROUP>();
    for (halves, values) in half_groups.iter_mut().zip(groups) {
        *halves = encoder.encode(&held(values, found));
    }
    if !rest.is_empty() {
        let mut last = [0.0; GROUP];
        last[..rest.len()].copy_from_slice(rest);
        let encoded = encoder.encode(&held(&last, found));
        half_rest.copy_from_slice(&encoded[..half_rest.len()]);
    }
}

/// Values that are stored at once: so many that loops over them become vector instructions.
const GROUP: usize = 64;

/// Values within what halves hold; notes the largest magnitude.
#[inline(always)]
fn held(values: &[f32; GROUP], found: &mut HalfStore) -> [f32; GROUP] {
    let mut held = [0.0; GROUP];
    let mut largest = found.largest;
    for lane in 0..GROUP {
        let bits = values[lane].to_bits();
        let magnitude = bits & 0x7fff_ffff;
        largest = largest.max(magnitude);
        held[lane] = f32::from_bits((bits & 0x8000_0000) | magnitude.min(LARGEST));
    }
    found.largest = largest;
    held
}

/// Turns values that halves hold into halves.
trait Encoder: Copy {
    fn encode(self, values: &[f32; GROUP]) -> [u16; GROUP];
}

impl Encoder for SoftHalf {
    #[inline(always)]
    fn encode(self, values: &[f32; GROUP]) -> [u16; GROUP] {
        let mut halves = [0; GROUP];
        for (half, value) in halves.iter_mut().zip(values) {
            let bits = value.to_bits();
            let magnitude = bits & 0x7fff_ffff;
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
        halves
    }
}

#[cfg(target_arch = "x86_64")]
impl Encoder for HardHalf {
    #[inline(always)]
    fn encode(self, values: &[f32; GROUP]) -> [u16; GROUP] {
        use std::arch::x86_64::{
            _MM_FROUND_TO_NEAREST_INT, _mm_storeu_si128, _mm256_cvtps_ph, _mm256_loadu_ps,
        };
        let Self(_proof) = self;
        let mut halves = [0_u16; GROUP];
        let (groups, _) = values.as_chunks::<8>();
        let (half_groups, _) = halves.as_chunks_mut::<8>();
        for (halves, values) in half_groups.iter_mut().zip(groups) {
            // SAFETY:
            // - the processor has F16C: `Avx2` exists only where it was found.
            // - `values` is 32 readable bytes, `halves` 16 writable ones; no alignment is asked for.
            unsafe {
                let values = _mm256_loadu_ps(values.as_ptr());
                let rounded = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(values);
                _mm_storeu_si128(halves.as_mut_ptr().cast(), rounded);
            }
        }
        for half in &mut halves {
            *half = if *half == 0x8000 { 0 } else { *half };
        }
        halves
    }
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
