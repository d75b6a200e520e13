//! The stored maps: one block of memory, each map with a border of empty cells.

use super::Sources;
use crate::align::{
    AlignRow, GridAffine, HalfStore, Levels, PAD_AFTER, PAD_BEFORE, RowTaps, blend_half_row,
    blend_level_row, store_half_row,
};
use crate::frame::MAX_SLOTS;
use crate::manifest::{QueueSection, QueueStorage};
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

/// Room for maps, and what brings them into the present.
#[derive(Debug, Clone)]
pub(crate) struct Maps {
    shape: MapShape,
    values: Values,
    /// For each slot.
    taps: Box<[RowTaps]>,
    pub(super) simd: Simd,
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
    /// Room for `capacity` maps of a queue, empty.
    pub fn new(section: &QueueSection, capacity: usize) -> Self {
        let shape = MapShape {
            rows: section.grid.rows,
            cols: section.grid.cols,
            channels: section.channels as usize,
        };
        let len = shape.padded_len() * capacity;
        let values = match section.storage {
            QueueStorage::F16 => Values::Half(touched(len, 0)),
            QueueStorage::U8 { scale, zero_point } => {
                Values::Levels(touched(len, zero_point), Levels { scale, zero_point })
            }
        };
        Self {
            shape,
            values,
            taps: vec![RowTaps::new(shape.cols); section.slots as usize].into_boxed_slice(),
            simd: Simd::detect(),
        }
    }

    /// Values of a map.
    pub fn map_len(&self) -> usize {
        self.shape.len()
    }

    /// Stores a map `[rows, cols, channels]`; false when one of its values is not finite.
    pub fn store(&mut self, index: usize, map: &[f32]) -> bool {
        let simd = self.simd;
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

    /// Writes the history `[rows][cols][slots][channels]` from the maps at these places.
    pub fn align(&mut self, sources: &Sources, out: &mut [f32]) {
        let (shape, simd) = (self.shape, self.simd);
        let sources = &sources[..self.taps.len()];
        let row_len = shape.cols * sources.len() * shape.channels;
        for (row, out) in out.chunks_exact_mut(row_len).enumerate() {
            for (taps, source) in self.taps.iter_mut().zip(sources) {
                if let Some((_, affine)) = source {
                    taps.compute(simd, affine, row, shape.rows);
                }
            }
            self.blend_row(sources, out);
        }
    }

    /// Writes one row of the history, `[cols][slots][channels]`.
    fn blend_row(&self, sources: &[Option<(usize, GridAffine)>], out: &mut [f32]) {
        let (simd, taps) = (self.simd, &self.taps);
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
