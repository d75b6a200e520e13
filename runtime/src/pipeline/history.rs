//! The feature queue in the pipeline, with what its maps had seen.

use heapless::Vec;

use crate::coverage::{HistoryCoverage, PlanarMotion, SectorRanges};
use crate::ego_motion::EgoMotion;
use crate::engine::{Engine, NetworkHistory};
use crate::feature_queue::{QueueMode, QueueSetupError, SlotReport};
use crate::frame::{MAX_SLOTS, SlotState};
use crate::health::SlotObservation;
use crate::manifest::QueueSection;
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
    history: NetworkHistory,
    seen: SeenRing,
}

impl History {
    pub(super) fn new(
        section: Option<&QueueSection>,
        mode: QueueMode,
        engine: &mut dyn Engine,
    ) -> Result<Self, QueueSetupError> {
        let queue = match section {
            Some(section) => Some(Remembered {
                history: NetworkHistory::new(section, mode, engine)?,
                seen: SeenRing::new(section),
            }),
            None => None,
        };
        Ok(Self {
            queue,
            slots: Vec::new(),
            motions: Vec::new(),
        })
    }

    pub(super) fn reset(&mut self) {
        if let Some(Remembered { history, seen }) = &mut self.queue {
            history.reset();
            seen.reset();
        }
        self.slots.clear();
        self.motions.clear();
    }

    /// Writes the history as it is at `now` into the network's inputs.
    ///
    /// # Errors
    /// The network lacks an input that the manifest promises, it has another size, or the provider
    /// failed to align; what the slots would have given is known all the same.
    pub(super) fn present(
        &mut self,
        now: Stamp,
        motion: &EgoMotion,
        engine: &mut dyn Engine,
    ) -> Result<(), FrameError> {
        let Some(Remembered { history, .. }) = &mut self.queue else {
            return Ok(());
        };
        let presented = history.present(now, motion, engine);
        self.slots.clear();
        self.motions.clear();
        // All hold at most `MAX_SLOTS`.
        self.slots.extend(history.reports().iter().map(observation));
        self.motions.extend(
            history
                .reports()
                .iter()
                .map(|report| then_from_now(report, now, motion)),
        );
        Ok(presented?)
    }

    /// Keeps this frame's map and what its cameras saw.
    ///
    /// # Errors
    /// The map is not finite; nothing of it is kept then. Or the network lacks it, or the provider
    /// failed to store it.
    pub(super) fn store(
        &mut self,
        stamp: Stamp,
        engine: &mut dyn Engine,
        ranges: &SectorRanges,
    ) -> Result<(), FrameError> {
        let Some(Remembered { history, seen }) = &mut self.queue else {
            return Ok(());
        };
        history.store(stamp, engine)?;
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
        let Some(Remembered { history, seen }) = &self.queue else {
            return Vec::new();
        };
        let known = |(report, motion): (&SlotReport, &Option<PlanarMotion>)| {
            Some(HistoryCoverage {
                ranges: seen.at(report.stamp?)?,
                then_from_now: (*motion)?,
                age: report.age,
            })
        };
        let reports = history.reports().iter().zip(&self.motions);
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
