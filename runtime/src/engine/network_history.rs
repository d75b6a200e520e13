//! From the network's map to its history, wherever past maps wait.

use super::{Engine, EngineError, InputRole, OutputRole};
use crate::ego_motion::EgoMotion;
use crate::feature_queue::{
    FeatureQueue, MapIndex, QueueError, QueueMode, QueueSetupError, SlotReport,
};
use crate::frame::MAX_SLOTS;
use crate::manifest::{QueueAlignment, QueueSection};
use crate::time::Stamp;

/// Why the history was not written, or the map not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HistoryError {
    /// The engine lacks a tensor, or its provider failed.
    Engine(EngineError),
    /// The queue refused.
    Queue(QueueError),
}

/// The past of a network.
#[derive(Debug)]
pub(crate) enum NetworkHistory {
    /// Maps are brought to the host and wait there.
    Host(FeatureQueue),
    /// Maps stay in the engine's [`super::MapRing`].
    Engine(MapIndex),
}

impl NetworkHistory {
    /// An empty past, where the engine has its maps.
    ///
    /// # Errors
    /// [`QueueSetupError`] names the field that is impossible.
    pub(crate) fn new(
        section: &QueueSection,
        mode: QueueMode,
        engine: &mut dyn Engine,
    ) -> Result<Self, QueueSetupError> {
        Ok(match engine.map_ring() {
            None => {
                let mut queue = FeatureQueue::new(section)?;
                queue.set_mode(mode);
                Self::Host(queue)
            }
            Some(_) => {
                let mut index = MapIndex::new(section)?;
                index.set_mode(mode);
                Self::Engine(index)
            }
        })
    }

    /// Forgets all maps.
    pub(crate) fn reset(&mut self) {
        match self {
            Self::Host(queue) => queue.reset(),
            Self::Engine(index) => index.reset(),
        }
    }

    /// What the slots gave when they were last presented, the youngest first.
    pub(crate) fn reports(&self) -> &[SlotReport] {
        match self {
            Self::Host(queue) => queue.reports(),
            Self::Engine(index) => index.reports(),
        }
    }

    /// Writes the history as it is at `now` into the network's inputs.
    ///
    /// # Errors
    /// The network lacks an input that the manifest promises, it has another size, or the provider
    /// failed to align.
    pub(crate) fn present(
        &mut self,
        now: Stamp,
        motion: &EgoMotion,
        engine: &mut dyn Engine,
    ) -> Result<(), HistoryError> {
        let mut state = [[0.0; 2]; MAX_SLOTS];
        let (section, motions) = match self {
            Self::Host(queue) => {
                let state = &mut state[..queue.slots()];
                queue.align_into(now, motion, engine.input_mut(InputRole::History)?, state)?;
                (queue.section(), queue.history_from_now())
            }
            Self::Engine(index) => {
                let slots = index.slots();
                let sources = index.choose(now, motion, &mut state[..slots])?;
                let ring = engine.map_ring().ok_or(EngineError::NoSuchTensor)?;
                ring.align_maps(&sources[..slots])?;
                (index.section(), index.history_from_now())
            }
        };
        engine
            .input_mut(InputRole::HistoryState)?
            .copy_from_slice(state[..motions.len()].as_flattened());
        match section.alignment {
            QueueAlignment::Runtime => {}
            QueueAlignment::Graph => engine
                .input_mut(InputRole::HistoryFromNow)?
                .copy_from_slice(motions.as_flattened().as_flattened()),
        }
        Ok(())
    }

    /// Keeps the map of the network's last run.
    ///
    /// # Errors
    /// The map is not finite, or no later one than those before; nothing of it is kept then. Or the
    /// network lacks it, or the provider failed to store it.
    pub(crate) fn store(
        &mut self,
        stamp: Stamp,
        engine: &mut dyn Engine,
    ) -> Result<(), HistoryError> {
        match self {
            Self::Host(queue) => queue.store(stamp, engine.output(OutputRole::Bev)?)?,
            Self::Engine(index) => {
                let place = index.take_place(stamp)?;
                let ring = engine.map_ring().ok_or(EngineError::NoSuchTensor)?;
                if !ring.store_map(place)? {
                    return Err(QueueError::NotFinite.into());
                }
                index.keep(stamp);
            }
        }
        Ok(())
    }
}

impl From<EngineError> for HistoryError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<QueueError> for HistoryError {
    fn from(error: QueueError) -> Self {
        Self::Queue(error)
    }
}
