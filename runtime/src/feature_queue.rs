//! Past maps of the network, sampled by time and brought into the present ego frame.
//!
//! The queue stores the single-frame map of each step, before fusion, so its memory is finite: after
//! a seek, once the slots have filled, results are those of a full replay.
//!
//! Sampling is by time, never by count. Of all maps within the same tenth of the stride (on the
//! clock of the stamps) the last one is kept. Kept maps are then at most a fifth of the stride apart,
//! unless the frames themselves are farther apart, so slot `k`, the kept map nearest to `k` strides
//! before now, is within a tenth of the stride of its time at any frame rate. Which maps are kept
//! depends on their stamps alone, not on where a replay began.
//!
//! The pose of a map is looked up when it is used, at its stamp, so it is interpolated even if it had
//! to be extrapolated when the map was made.

use heapless::Vec as FixedVec;

use crate::align::{GridAffine, Levels, NO_MOTION, RowTaps, ground_motion};
use crate::ego_motion::{EgoMotion, EgoMotionFault};
use crate::frame::{MAX_SLOTS, SlotState};
use crate::manifest::{QueueAlignment, QueueSection, QueueStorage};
use crate::simd::Simd;
use crate::time::{Span, Stamp};

mod error;
mod maps;

pub use error::{QueueError, QueueSetupError};
use maps::{MapShape, Maps, Storage};

/// Kept maps in a stride: one for each tenth.
const BINS_PER_STRIDE: usize = 10;
/// A slot's map is off its time by at most this part of the stride.
const SLOT_TOLERANCE: i64 = 10;

/// What the network is given of the past. Other modes than `Aligned` are for comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QueueMode {
    /// Past maps in the present ego frame.
    #[default]
    Aligned,
    /// Past maps as they are, whatever the motion.
    Unaligned,
    /// Nothing: all slots are off.
    Empty,
}

/// What one slot gave at the last alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotReport {
    /// Whether it holds a map, and if not, why.
    pub state: SlotState,
    /// The stamp of its map; `None` when it has none.
    pub stamp: Option<Stamp>,
    /// Time from its map to now; zero when it has none.
    pub age: Span,
    /// The time that it stands for: `k` strides.
    pub nominal_age: Span,
    /// Why the motion since its map is not known, where that is so.
    pub fault: Option<EgoMotionFault>,
}

/// The map of a slot, by its index in the ring.
#[derive(Debug, Clone, Copy)]
struct Chosen {
    map: usize,
    /// Where the present cells are in it, as the runtime reads it.
    affine: GridAffine,
    motion: [[f32; 3]; 3],
}

/// A ring of past maps.
///
/// # Real-time
/// All memory is taken, and touched, by [`Self::new`].
#[derive(Debug, Clone)]
pub struct FeatureQueue {
    shape: MapShape,
    section: QueueSection,
    stride: Span,
    maps: Maps,
    /// Stamp of each map of the ring; `None` where there is none.
    stamps: Box<[Option<Stamp>]>,
    /// Where the newest map is in the ring.
    newest: usize,
    taps: Box<[RowTaps]>,
    reports: FixedVec<SlotReport, MAX_SLOTS>,
    /// The motion of each slot.
    motions: [[[f32; 3]; 3]; MAX_SLOTS],
    mode: QueueMode,
    simd: Simd,
}

impl FeatureQueue {
    /// An empty queue.
    ///
    /// # Errors
    /// [`QueueSetupError`] names the field that is impossible.
    pub fn new(section: &QueueSection) -> Result<Self, QueueSetupError> {
        error::check_section(section)?;
        let shape = MapShape {
            rows: section.grid.rows,
            cols: section.grid.cols,
            channels: section.channels as usize,
        };
        let slots = section.slots as usize;
        // One more for the tolerance beyond the oldest slot, one for the bin in progress, one for
        // the bin that the oldest target cuts.
        let capacity = slots * BINS_PER_STRIDE + 3;
        let storage = match section.storage {
            QueueStorage::F16 => Storage::Half,
            QueueStorage::U8 { scale, zero_point } => Storage::Levels(Levels { scale, zero_point }),
        };
        let mut queue = Self {
            shape,
            section: section.clone(),
            stride: Span::from_seconds(section.stride_s),
            maps: Maps::new(storage, shape, capacity),
            stamps: vec![None; capacity].into_boxed_slice(),
            newest: 0,
            taps: vec![RowTaps::new(shape.cols); slots].into_boxed_slice(),
            reports: FixedVec::new(),
            motions: [NO_MOTION; MAX_SLOTS],
            mode: QueueMode::default(),
            simd: Simd::detect(),
        };
        queue.reset();
        Ok(queue)
    }

    /// What the queue was made for.
    pub fn section(&self) -> &QueueSection {
        &self.section
    }

    /// Number of slots.
    pub fn slots(&self) -> usize {
        self.taps.len()
    }

    /// Values of one map: rows · cols · channels.
    pub fn map_len(&self) -> usize {
        self.shape.len()
    }

    /// Values of the aligned history: rows · cols · slots · channels.
    pub fn history_len(&self) -> usize {
        self.shape.len() * self.slots()
    }

    /// What the slots gave at the last alignment, the youngest first.
    pub fn reports(&self) -> &[SlotReport] {
        &self.reports
    }

    /// For each slot of the last alignment, the youngest first, the motion as a matrix of the ground
    /// plane in metres: it takes (x, y, 1) of the present ego frame to the ego frame of the slot's
    /// map, points at z = 0, the result projected along z. The identity for a slot that is not
    /// valid. A network that aligns by itself takes it as `history_from_now`.
    pub fn history_from_now(&self) -> &[[[f32; 3]; 3]] {
        &self.motions[..self.slots()]
    }

    /// Changes what the network is given of the past.
    pub fn set_mode(&mut self, mode: QueueMode) {
        self.mode = mode;
    }

    /// Forgets all maps, as after a seek in a log.
    pub fn reset(&mut self) {
        self.stamps.fill(None);
        self.newest = 0;
        self.motions = [NO_MOTION; MAX_SLOTS];
        self.reports = self
            .nominal_slots()
            .map(|(_, nominal_age)| SlotReport::empty(nominal_age))
            .collect();
    }

    /// Offers the map of a step: `[rows, cols, channels]`. It is stored, and the one before gives way
    /// if both are of the same tenth of the stride.
    ///
    /// Halves hold ±65504; larger values are held there. 8-bit storage rounds to the nearest level,
    /// ties to even, and holds values at the ends.
    ///
    /// # Errors
    /// [`QueueError::MapLength`]; [`QueueError::Backwards`] when a map of this or a later stamp is
    /// stored already; [`QueueError::NotFinite`] when the network gave no number, so that such a map
    /// cannot come back for as long as the queue remembers.
    pub fn store(&mut self, stamp: Stamp, map: &[f32]) -> Result<(), QueueError> {
        if map.len() != self.shape.len() {
            return Err(QueueError::MapLength);
        }
        let newest = self.stamps[self.newest];
        if newest.is_some_and(|newest| stamp <= newest) {
            return Err(QueueError::Backwards);
        }
        if newest.is_some_and(|newest| self.bin(newest) != self.bin(stamp)) {
            self.newest = (self.newest + 1) % self.stamps.len();
        }
        let is_finite = self.maps.store(self.simd, self.newest, map);
        self.stamps[self.newest] = is_finite.then_some(stamp);
        if is_finite {
            Ok(())
        } else {
            Err(QueueError::NotFinite)
        }
    }

    /// Writes the history as the network takes it at `now`: `out` is `[rows, cols, slots · channels]`
    /// with channel `slot · channels + c`, `state` is (valid 0 or 1, age in seconds) for each slot.
    /// A slot without a map, or with unknown motion, is zero in both. For a network that aligns by
    /// itself the maps are as they were stored; see [`Self::history_from_now`].
    ///
    /// # Errors
    /// [`QueueError::OutputLength`], [`QueueError::StateLength`].
    ///
    /// # Real-time
    /// Allocates nothing; one pass over `out`, in order.
    pub fn align_into(
        &mut self,
        now: Stamp,
        motion: &EgoMotion,
        out: &mut [f32],
        state: &mut [[f32; 2]],
    ) -> Result<(), QueueError> {
        if out.len() != self.history_len() {
            return Err(QueueError::OutputLength);
        }
        if state.len() != self.slots() {
            return Err(QueueError::StateLength);
        }
        let mut sources = [None; MAX_SLOTS];
        self.reports.clear();
        for ((index, nominal_age), state) in self.nominal_slots().zip(state) {
            let (report, chosen) = self.choose(now, nominal_age, motion);
            *state = report.network_state();
            self.motions[index] = chosen.map_or(NO_MOTION, |chosen| chosen.motion);
            sources[index] = chosen.map(|chosen| (chosen.map, chosen.affine));
            // The capacity is `MAX_SLOTS`, which `new` checked.
            self.reports.extend([report]);
        }
        self.blend(&sources, out);
        Ok(())
    }

    /// Slot numbers, from 0, with the ages that they stand for.
    fn nominal_slots(&self) -> impl Iterator<Item = (usize, Span)> + use<> {
        let stride = self.stride;
        (0..self.taps.len()).map(move |slot| (slot, stride * (slot as i64 + 1)))
    }

    fn bin(&self, stamp: Stamp) -> i64 {
        let bin_ns = self.stride.nanoseconds() / BINS_PER_STRIDE as i64;
        stamp.nanoseconds().div_euclid(bin_ns)
    }

    /// The map for a slot and where its cells are.
    fn choose(
        &self,
        now: Stamp,
        nominal_age: Span,
        motion: &EgoMotion,
    ) -> (SlotReport, Option<Chosen>) {
        let mut report = SlotReport::empty(nominal_age);
        if self.mode == QueueMode::Empty {
            report.state = SlotState::Disabled;
            return (report, None);
        }
        let Some((map, stamp)) = self.nearest(now - nominal_age) else {
            return (report, None);
        };
        report.stamp = Some(stamp);
        report.age = now - stamp;
        let unaligned = Chosen {
            map,
            affine: GridAffine::IDENTITY,
            motion: NO_MOTION,
        };
        let chosen =
            match (self.mode, self.section.alignment) {
                (QueueMode::Unaligned | QueueMode::Empty, _) => Ok(unaligned),
                (QueueMode::Aligned, QueueAlignment::Runtime) => motion
                    .past_from_now(stamp, now)
                    .map(|past_from_now| Chosen {
                        affine: GridAffine::new(&self.section.grid, &past_from_now),
                        motion: ground_motion(&past_from_now),
                        ..unaligned
                    }),
                (QueueMode::Aligned, QueueAlignment::Graph) => motion
                    .past_from_now(stamp, now)
                    .map(|past_from_now| Chosen {
                        motion: ground_motion(&past_from_now),
                        ..unaligned
                    }),
            };
        match chosen {
            Ok(chosen) => {
                report.state = SlotState::Valid;
                (report, Some(chosen))
            }
            Err(fault) => {
                report.state = SlotState::MotionUnknown;
                report.fault = Some(fault);
                (report, None)
            }
        }
    }

    /// The map nearest to `target`, the later one of two, if it is near enough.
    fn nearest(&self, target: Stamp) -> Option<(usize, Stamp)> {
        let stamps = self.stamps.iter().enumerate();
        let known = stamps.filter_map(|(index, stamp)| stamp.map(|stamp| (index, stamp)));
        known
            .filter(|(_, stamp)| stamp.distance(target) <= self.stride / SLOT_TOLERANCE)
            .min_by_key(|(_, stamp)| (stamp.distance(target), std::cmp::Reverse(*stamp)))
    }

    fn blend(&mut self, sources: &[Option<(usize, GridAffine)>; MAX_SLOTS], out: &mut [f32]) {
        let Self {
            shape,
            maps,
            taps,
            simd,
            ..
        } = self;
        let sources = &sources[..taps.len()];
        let row_len = shape.cols * taps.len() * shape.channels;
        for (row, out) in out.chunks_exact_mut(row_len).enumerate() {
            for (taps, source) in taps.iter_mut().zip(sources) {
                if let Some((_, affine)) = source {
                    taps.compute(*simd, affine, row, shape.rows);
                }
            }
            maps.blend_row(*simd, sources, taps, out);
        }
    }
}

impl SlotReport {
    fn empty(nominal_age: Span) -> Self {
        Self {
            state: SlotState::Empty,
            stamp: None,
            age: Span::ZERO,
            nominal_age,
            fault: None,
        }
    }

    /// What the network is told of the slot: (valid, age in seconds).
    fn network_state(&self) -> [f32; 2] {
        if self.state == SlotState::Valid {
            [1.0, self.age.seconds() as f32]
        } else {
            [0.0; 2]
        }
    }
}

#[cfg(test)]
mod tests;
