//! Which map is where in the ring, and which slot takes which.

use heapless::Vec as FixedVec;

use super::error::check_section;
use super::{QueueError, QueueMode, QueueSetupError, SlotReport};
use crate::align::{GridAffine, NO_MOTION, ground_motion};
use crate::ego_motion::EgoMotion;
use crate::frame::{MAX_SLOTS, SlotState};
use crate::manifest::{QueueAlignment, QueueSection};
use crate::time::{Span, Stamp};

/// Kept maps in a stride: one for each tenth.
const BINS_PER_STRIDE: usize = 10;
/// A slot's map is off its time by at most this part of the stride.
const SLOT_TOLERANCE: i64 = 10;

/// For each slot, the youngest first, the place of its map in the ring and where the present cells
/// are in it; `None` where the slot is not valid.
pub(crate) type Sources = [Option<(usize, GridAffine)>; MAX_SLOTS];

/// The map of a slot, by its place in the ring.
#[derive(Debug, Clone, Copy)]
struct Chosen {
    map: usize,
    /// Where the present cells are in it, as the runtime reads it.
    affine: GridAffine,
    motion: [[f32; 3]; 3],
}

/// The stamps of a ring of maps, wherever the maps themselves are.
#[derive(Debug, Clone)]
pub(crate) struct MapIndex {
    section: QueueSection,
    stride: Span,
    /// Stamp of each map of the ring; `None` where there is none.
    stamps: Box<[Option<Stamp>]>,
    /// Where the newest map is in the ring.
    newest: usize,
    reports: FixedVec<SlotReport, MAX_SLOTS>,
    /// The motion of each slot.
    motions: [[[f32; 3]; 3]; MAX_SLOTS],
    mode: QueueMode,
}

impl MapIndex {
    /// An empty ring.
    ///
    /// # Errors
    /// [`QueueSetupError`] names the field that is impossible.
    pub fn new(section: &QueueSection) -> Result<Self, QueueSetupError> {
        check_section(section)?;
        let mut index = Self {
            section: section.clone(),
            stride: Span::from_seconds(section.stride_s),
            stamps: vec![None; places(section)].into_boxed_slice(),
            newest: 0,
            reports: FixedVec::new(),
            motions: [NO_MOTION; MAX_SLOTS],
            mode: QueueMode::default(),
        };
        index.reset();
        Ok(index)
    }

    /// What the queue was made for.
    pub fn section(&self) -> &QueueSection {
        &self.section
    }

    /// Number of slots.
    pub fn slots(&self) -> usize {
        self.section.slots as usize
    }

    /// What the slots gave at the last choice, the youngest first.
    pub fn reports(&self) -> &[SlotReport] {
        &self.reports
    }

    /// See [`super::FeatureQueue::history_from_now`].
    pub fn history_from_now(&self) -> &[[[f32; 3]; 3]] {
        &self.motions[..self.slots()]
    }

    /// Changes what the network is given of the past.
    pub fn set_mode(&mut self, mode: QueueMode) {
        self.mode = mode;
    }

    /// Forgets all maps.
    pub fn reset(&mut self) {
        self.stamps.fill(None);
        self.newest = 0;
        self.motions = [NO_MOTION; MAX_SLOTS];
        self.reports = self
            .nominal_slots()
            .map(|(_, nominal_age)| SlotReport::empty(nominal_age))
            .collect();
    }

    /// The place for a map of this stamp. What was there is forgotten, so that nothing comes of it
    /// if storing fails; [`Self::keep`] follows when the map is there.
    ///
    /// # Errors
    /// [`QueueError::Backwards`] when a map of this or a later stamp is stored already.
    pub fn take_place(&mut self, stamp: Stamp) -> Result<usize, QueueError> {
        let newest = self.stamps[self.newest];
        if newest.is_some_and(|newest| stamp <= newest) {
            return Err(QueueError::Backwards);
        }
        if newest.is_some_and(|newest| self.bin(newest) != self.bin(stamp)) {
            self.newest = (self.newest + 1) % self.stamps.len();
        }
        self.stamps[self.newest] = None;
        Ok(self.newest)
    }

    /// The map of this stamp is in the place that was taken for it.
    pub fn keep(&mut self, stamp: Stamp) {
        self.stamps[self.newest] = Some(stamp);
    }

    /// Chooses the map of each slot at `now`. `state` becomes what the network is told of them.
    ///
    /// # Errors
    /// [`QueueError::StateLength`].
    pub fn choose(
        &mut self,
        now: Stamp,
        motion: &EgoMotion,
        state: &mut [[f32; 2]],
    ) -> Result<Sources, QueueError> {
        if state.len() != self.slots() {
            return Err(QueueError::StateLength);
        }
        let mut sources = [None; MAX_SLOTS];
        self.reports.clear();
        for ((slot, nominal_age), state) in self.nominal_slots().zip(state) {
            let (report, chosen) = self.choose_one(now, nominal_age, motion);
            *state = report.network_state();
            self.motions[slot] = chosen.map_or(NO_MOTION, |chosen| chosen.motion);
            sources[slot] = chosen.map(|chosen| (chosen.map, chosen.affine));
            // The capacity is `MAX_SLOTS`, which `new` checked.
            self.reports.extend([report]);
        }
        Ok(sources)
    }

    /// Slot numbers, from 0, with the ages that they stand for.
    fn nominal_slots(&self) -> impl Iterator<Item = (usize, Span)> + use<> {
        let stride = self.stride;
        (0..self.slots()).map(move |slot| (slot, stride * (slot as i64 + 1)))
    }

    fn bin(&self, stamp: Stamp) -> i64 {
        let bin_ns = self.stride.nanoseconds() / BINS_PER_STRIDE as i64;
        stamp.nanoseconds().div_euclid(bin_ns)
    }

    /// The map for a slot and where its cells are.
    fn choose_one(
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
}

/// Maps that a ring holds.
pub(crate) fn places(section: &QueueSection) -> usize {
    // One more for the tolerance beyond the oldest slot, one for the bin in progress, one for the
    // bin that the oldest target cuts.
    section.slots as usize * BINS_PER_STRIDE + 3
}
