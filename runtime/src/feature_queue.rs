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

use crate::ego_motion::{EgoMotion, EgoMotionFault};
use crate::frame::SlotState;
use crate::manifest::QueueSection;
use crate::time::{Span, Stamp};

mod error;
mod index;
mod maps;

pub use error::{QueueError, QueueSetupError};
pub(crate) use index::{MapIndex, Sources, places};
pub(crate) use maps::Maps;

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

/// A ring of past maps in the memory of the host.
///
/// # Real-time
/// All memory is taken, and touched, by [`Self::new`].
#[derive(Debug, Clone)]
pub struct FeatureQueue {
    index: MapIndex,
    maps: Maps,
}

impl FeatureQueue {
    /// An empty queue.
    ///
    /// # Errors
    /// [`QueueSetupError`] names the field that is impossible.
    pub fn new(section: &QueueSection) -> Result<Self, QueueSetupError> {
        Ok(Self {
            index: MapIndex::new(section)?,
            maps: Maps::new(section, places(section)),
        })
    }

    /// What the queue was made for.
    pub fn section(&self) -> &QueueSection {
        self.index.section()
    }

    /// Number of slots.
    pub fn slots(&self) -> usize {
        self.index.slots()
    }

    /// Values of one map: rows · cols · channels.
    pub fn map_len(&self) -> usize {
        self.maps.map_len()
    }

    /// Values of the aligned history: rows · cols · slots · channels.
    pub fn history_len(&self) -> usize {
        self.map_len() * self.slots()
    }

    /// What the slots gave at the last alignment, the youngest first.
    pub fn reports(&self) -> &[SlotReport] {
        self.index.reports()
    }

    /// For each slot of the last alignment, the youngest first, the motion as a matrix of the ground
    /// plane in metres: it takes (x, y, 1) of the present ego frame to the ego frame of the slot's
    /// map, points at z = 0, the result projected along z. The identity for a slot that is not
    /// valid. A network that aligns by itself takes it as `history_from_now`.
    pub fn history_from_now(&self) -> &[[[f32; 3]; 3]] {
        self.index.history_from_now()
    }

    /// Changes what the network is given of the past.
    pub fn set_mode(&mut self, mode: QueueMode) {
        self.index.set_mode(mode);
    }

    /// Forgets all maps, as after a seek in a log.
    pub fn reset(&mut self) {
        self.index.reset();
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
        if map.len() != self.map_len() {
            return Err(QueueError::MapLength);
        }
        let place = self.index.take_place(stamp)?;
        if !self.maps.store(place, map) {
            return Err(QueueError::NotFinite);
        }
        self.index.keep(stamp);
        Ok(())
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
        let sources = self.index.choose(now, motion, state)?;
        self.maps.align(&sources, out);
        Ok(())
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
