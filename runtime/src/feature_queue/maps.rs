//! The stored maps: one block of memory, each map with a border of empty cells.

use crate::align::{
    AlignRow, GridAffine, HalfStore, Levels, PAD_AFTER, PAD_BEFORE, RowTaps, blend_half_row,
    blend_level_row, store_half_row,
};
use crate::frame::MAX_SLOTS;
use crate::simd::{Simd, simd_variants};

/// The size of a map.
#[derive(Debug, Clone, Copy)]
pub(super) struct MapShape {
    pub rows: usize,
    pub cols: usize,
    pub channels: usize,
}

impl MapShape {
    /// Values of a map.
    pub fn len(self) -> usize {
        self.rows * self.cols * self.channels
    }

    /// Values of a row of a padded map.
    fn padded_row(self) -> usize {
        (self.cols + PAD_BEFORE + PAD_AFTER) * self.channels
    }

    /// Values of a padded map.
    fn padded_len(self) -> usize {
        (self.rows + PAD_BEFORE + PAD_AFTER) * self.padded_row()
    }
}

/// How values are stored.
#[derive(Debug, Clone, Copy)]
pub(super) enum Storage {
    /// 16-bit floating point.
    Half,
    /// 8 bit.
    Levels(Levels),
}

/// The maps of a ring.
#[derive(Debug, Clone)]
pub(super) struct Maps {
    shape: MapShape,
    values: Values,
}

#[derive(Debug, Clone)]
enum Values {
    Half(Box<[u16]>),
    Levels(Box<[u8]>, Levels),
}

simd_variants! {
    fn store_level_row(values: &[f32], codec: &Levels, levels: &mut [u8], is_finite: &mut bool) = quantise;
}

impl Maps {
    /// Room for `capacity` maps, empty.
    pub fn new(storage: Storage, shape: MapShape, capacity: usize) -> Self {
        let len = shape.padded_len() * capacity;
        let values = match storage {
            Storage::Half => Values::Half(touched(len, 0)),
            Storage::Levels(levels) => Values::Levels(touched(len, levels.zero_point), levels),
        };
        Self { shape, values }
    }

    /// Stores a map `[rows, cols, channels]`; false when one of its values is not finite.
    pub fn store(&mut self, simd: Simd, index: usize, map: &[f32]) -> bool {
        let shape = self.shape;
        let row_len = shape.cols * shape.channels;
        let rows = map.chunks_exact(row_len).enumerate();
        let range = |row: usize| {
            let first = index * shape.padded_len()
                + (row + PAD_BEFORE) * shape.padded_row()
                + PAD_BEFORE * shape.channels;
            first..first + row_len
        };
        match &mut self.values {
            Values::Half(halves) => {
                let mut found = HalfStore::default();
                for (row, values) in rows {
                    store_half_row(simd, values, &mut halves[range(row)], &mut found);
                }
                found.is_finite()
            }
            Values::Levels(levels, codec) => {
                let mut is_finite = true;
                for (row, values) in rows {
                    store_level_row(simd, values, codec, &mut levels[range(row)], &mut is_finite);
                }
                is_finite
            }
        }
    }

    /// Writes one row of the aligned history, `[cols][slots][channels]`, from the maps whose index
    /// the sources tell.
    pub fn blend_row(
        &self,
        simd: Simd,
        sources: &[Option<(usize, GridAffine)>],
        taps: &[RowTaps],
        out: &mut [f32],
    ) {
        let (channels, stride) = (self.shape.channels, self.shape.padded_row());
        match &self.values {
            Values::Half(halves) => {
                let maps = &self.chosen(halves, sources)[..sources.len()];
                blend_half_row(
                    simd,
                    AlignRow {
                        maps,
                        taps,
                        channels,
                        stride,
                        out,
                    },
                );
            }
            Values::Levels(levels, codec) => {
                let maps = &self.chosen(levels, sources)[..sources.len()];
                blend_level_row(
                    simd,
                    *codec,
                    AlignRow {
                        maps,
                        taps,
                        channels,
                        stride,
                        out,
                    },
                );
            }
        }
    }

    fn chosen<'a, T>(
        &self,
        values: &'a [T],
        sources: &[Option<(usize, GridAffine)>],
    ) -> [Option<&'a [T]>; MAX_SLOTS] {
        let len = self.shape.padded_len();
        let mut maps = [None; MAX_SLOTS];
        for (map, source) in maps.iter_mut().zip(sources) {
            *map = source.map(|(index, _)| &values[index * len..(index + 1) * len]);
        }
        maps
    }
}

/// Memory filled with `value`, every page of it in place, so that no step waits for one.
fn touched<T: Copy>(len: usize, value: T) -> Box<[T]> {
    let mut memory = Vec::with_capacity(len);
    // Hidden from the optimiser, which would ask for fresh zero pages instead of writing.
    memory.resize(len, std::hint::black_box(value));
    memory.into_boxed_slice()
}

#[inline(always)]
fn quantise(values: &[f32], codec: &Levels, levels: &mut [u8], is_finite: &mut bool) {
    /// Adding and subtracting it rounds to whole numbers, ties to even.
    const ROUNDER: f32 = 12_582_912.0;
    /// Added to a whole number it leaves that in the lowest bits.
    const TO_BITS: f32 = 8_388_608.0;
    let zero_point = f32::from(codec.zero_point);
    let mut largest = 0;
    for (level, value) in levels.iter_mut().zip(values) {
        largest = largest.max(value.to_bits() & 0x7fff_ffff);
        // Anything beyond ±512 ends at 0 or 255, whatever the zero point.
        let steps = (value / codec.scale).clamp(-512.0, 512.0);
        let rounded = (steps + ROUNDER) - ROUNDER;
        let held = (rounded + zero_point).clamp(0.0, 255.0);
        *level = (held + TO_BITS).to_bits() as u8;
    }
    *is_finite &= largest < f32::INFINITY.to_bits();
}
