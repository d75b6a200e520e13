//! A scripted engine that keeps past maps itself, and fails to when it is told so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bevrt_runtime::{
    Engine, EngineError, GridAffine, ImageSet, InputRole, MapRing, NetworkInterface, OutputRole,
    Provider,
};

use crate::scripted_engine::ScriptedEngine;

/// What fails next.
pub const ALIGNING: u8 = 1;
pub const STORING: u8 = 2;

/// Maps come back as they are, whatever the motion.
pub struct RingedEngine {
    pub engine: ScriptedEngine,
    pub maps: Vec<Vec<f32>>,
    pub failure: Arc<AtomicU8>,
}

impl RingedEngine {
    fn fails(&self, what: u8) -> Result<(), EngineError> {
        if self.failure.load(Ordering::Relaxed) == what {
            return Err(EngineError::Run);
        }
        Ok(())
    }
}

impl MapRing for RingedEngine {
    fn store_map(&mut self, place: usize) -> Result<bool, EngineError> {
        self.fails(STORING)?;
        let map = self.engine.output(OutputRole::Bev)?.to_vec();
        let is_finite = map.iter().all(|value| value.is_finite());
        if self.maps.len() <= place {
            self.maps.resize(place + 1, Vec::new());
        }
        self.maps[place] = map;
        Ok(is_finite)
    }

    fn align_maps(&mut self, sources: &[Option<(usize, GridAffine)>]) -> Result<(), EngineError> {
        self.fails(ALIGNING)?;
        let history = self.engine.input_mut(InputRole::History)?;
        history.fill(0.0);
        // Two channels a map.
        for (slot, source) in sources.iter().enumerate() {
            let Some((place, _)) = source else { continue };
            let cells = self.maps[*place].chunks_exact(2);
            for (out, cell) in history.chunks_exact_mut(2 * sources.len()).zip(cells) {
                out[2 * slot..][..2].copy_from_slice(cell);
            }
        }
        Ok(())
    }

    fn bring_map(&mut self) -> Result<(), EngineError> {
        Ok(())
    }
}

impl Engine for RingedEngine {
    fn interface(&self) -> &NetworkInterface {
        self.engine.interface()
    }

    fn provider(&self) -> &Provider {
        self.engine.provider()
    }

    fn images_mut(&mut self, set: ImageSet) -> &mut [f32] {
        self.engine.images_mut(set)
    }

    fn input_mut(&mut self, role: InputRole) -> Result<&mut [f32], EngineError> {
        self.engine.input_mut(role)
    }

    fn index_mut(&mut self, role: InputRole) -> Result<&mut [i32], EngineError> {
        self.engine.index_mut(role)
    }

    fn map_ring(&mut self) -> Option<&mut dyn MapRing> {
        Some(self)
    }

    fn run(&mut self, images: ImageSet) -> Result<(), EngineError> {
        self.engine.run(images)
    }

    fn output(&self, role: OutputRole) -> Result<&[f32], EngineError> {
        self.engine.output(role)
    }

    fn last_failure(&self) -> Option<&str> {
        self.engine.last_failure()
    }
}
