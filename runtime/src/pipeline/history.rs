//! The feature queue in the pipeline, with what its maps had seen.

use heapless::Vec;

use crate::coverage::{HistoryCoverage, PlanarMotion, SectorRanges};
use crate::ego_motion::EgoMotion;
use crate::engine::{Engine, InputRole, OutputRole};
use crate::feature_queue::{FeatureQueue, QueueMode, QueueSetupError, SlotReport};
use crate::frame::{MAX_SLOTS, SlotState};
use crate::health::SlotObservation;
use crate::manifest::{QueueAlignment, QueueSection};
use crate::time::{Span, Stamp};

use super::FrameError;

/// The queue remembers one map for each tenth of its stride; so does [`SeenRing`].
const BINS_PER_STRIDE: i64 = 10;

/// The past, as the network and the frame need it. A network without a queue has none.
#[derive(Debug)]
pub(super) struct History {
    queue: Option<Remembered>,
    slots: Vec<SlotObservation, MAX_SLOTS>,
    /// How the vehicle moved since the map of each slot, where it is valid.
    motions: Vec<Option<PlanarMotion>, MAX_SLOTS>,
}

#[derive(Debug)]
struct Remembered {
    queue: FeatureQueue,
    seen: SeenRing,
}

impl History {
    pub(super) fn new(
        section: Option<&QueueSection>,
        mode: QueueMode,
    ) -> Result<Self, QueueSetupError> {
        let queue = match section {
            Some(section) => {
                let mut queue = FeatureQueue::new(section)?;
                queue.set_mode(mode);
                Some(Remembered {
                    queue,
                    seen: SeenRing::new(section),
                })
            }
            None => None,
        };
        Ok(Self {
            queue,
            slots: Vec::new(),
            motions: Vec::new(),
        })
    }

    pub(super) fn reset(&mut self) {
        if let Some(Remembered { queue, seen }) = &mut self.queue {
            queue.reset();
            seen.reset();
        }
        self.slots.clear();
        self.motions.clear();
    }

    /// Writes the history as it is at `now` into the network's inputs.
    ///
    /// # Errors
    /// The network lacks an input that the manifest promises, or it has another size.
    pub(super) fn present(
        &mut self,
        now: Stamp,
        motion: &EgoMotion,
        engine: &mut dyn Engine,
    ) -> Result<(), FrameError> {
        let Some(Remembered { queue, .. }) = &mut self.queue else {
            return Ok(());
        };
        let mut state = [[0.0; 2]; MAX_SLOTS];
        let state = &mut state[..queue.slots()];
        queue.align_into(now, motion, engine.input_mut(InputRole::History)?, state)?;
        engine
            .input_mut(InputRole::HistoryState)?
            .copy_from_slice(state.as_flattened());
        match queue.section().alignment {
            QueueAlignment::Runtime => {}
            QueueAlignment::Graph => engine
                .input_mut(InputRole::HistoryFromNow)?
                .copy_from_slice(queue.history_from_now().as_flattened().as_flattened()),
        }
        self.slots.clear();
        self.motions.clear();
        // All hold at most `MAX_SLOTS`.
        self.slots.extend(queue.reports().iter().map(observation));
        self.motions.extend(
            queue
                .reports()
                .iter()
                .map(|report| then_from_now(report, now, motion)),
        );
        Ok(())
    }

    /// Keeps this frame's map and what its cameras saw.
    ///
    /// # Errors
    /// The map is not finite; nothing of it is kept then. Or the network lacks it.
    pub(super) fn store(
        &mut self,
        stamp: Stamp,
        engine: &dyn Engine,
        ranges: &SectorRanges,
    ) -> Result<(), FrameError> {
        let Some(Remembered { queue, seen }) = &mut self.queue else {
            return Ok(());
        };
        queue.store(stamp, engine.output(OutputRole::Bev)?)?;
        seen.store(stamp, ranges);
        Ok(())
    }

    /// What each slot gave at the last alignment, the youngest first.
    pub(super) fn slots(&self) -> &[SlotObservation] {
        &self.slots
    }

    /// What the valid slots know now, that is at the stamp that was last presented; the youngest
    /// first.
    pub(super) fn coverage(&self) -> Vec<HistoryCoverage, MAX_SLOTS> {
        let Some(Remembered { queue, seen }) = &self.queue else {
            return Vec::new();
        };
        let known = |(report, motion): (&SlotReport, &Option<PlanarMotion>)| {
            Some(HistoryCoverage {
                ranges: seen.at(report.stamp?)?,
                then_from_now: (*motion)?,
                age: report.age,
            })
        };
        let reports = queue.reports().iter().zip(&self.motions);
        reports.filter_map(known).collect()
    }
}

/// How the vehicle moved since the map of a slot; `None` unless the slot is valid.
fn then_from_now(report: &SlotReport, now: Stamp, motion: &EgoMotion) -> Option<PlanarMotion> {
    let stamp = report.stamp.filter(|_| report.state == SlotState::Valid)?;
    let past_from_now = motion.past_from_now(stamp, now).ok()?;
    let (_, _, yaw_rad) = past_from_now.rotation().euler_angles();
    let moved = past_from_now.translation();
    Some(PlanarMotion {
        yaw_rad: yaw_rad as f32,
        x_m: moved.x as f32,
        y_m: moved.y as f32,
    })
}

fn observation(report: &SlotReport) -> SlotObservation {
    SlotObservation {
        state: report.state,
        age: report.age,
        nominal_age: report.nominal_age,
    }
}

/// What was seen at the stamps of the queue's maps.
#[derive(Debug)]
struct SeenRing {
    bin: Span,
    entries: Box<[Option<(Stamp, SectorRanges)>]>,
}

impl SeenRing {
    fn new(section: &QueueSection) -> Self {
        let bin = Span::from_seconds(section.stride_s) / BINS_PER_STRIDE;
        let entries = section.slots as usize * BINS_PER_STRIDE as usize + 3;
        Self {
            bin,
            entries: vec![None; entries].into_boxed_slice(),
        }
    }

    fn reset(&mut self) {
        self.entries.fill(None);
    }

    fn store(&mut self, stamp: Stamp, ranges: &SectorRanges) {
        let place = self.place(stamp);
        self.entries[place] = Some((stamp, *ranges));
    }

    fn at(&self, stamp: Stamp) -> Option<SectorRanges> {
        self.entries[self.place(stamp)]
            .filter(|(of, _)| *of == stamp)
            .map(|(_, ranges)| ranges)
    }

    fn place(&self, stamp: Stamp) -> usize {
        let bin = stamp
            .nanoseconds()
            .div_euclid(self.bin.nanoseconds().max(1));
        bin.rem_euclid(self.entries.len() as i64) as usize
    }
}
