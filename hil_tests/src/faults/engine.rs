//! An engine that fails when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use bevrt_runtime::{
    Engine, EngineError, ImageSet, InputRole, MapRing, NetworkInterface, OutputRole, Provider,
};

use super::kind::NanPlace;

/// What an engine does wrong at its next run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EngineTrouble {
    None,
    Fails,
    Nan(NanPlace),
}

/// Tells a [`FaultyEngine`] inside of a pipeline what to do.
#[derive(Clone, Default)]
pub(super) struct EngineSwitch {
    trouble: Arc<AtomicU8>,
    sleep_ns: Arc<AtomicU64>,
}

impl EngineSwitch {
    pub(super) fn set(&self, trouble: EngineTrouble) {
        let number = match trouble {
            EngineTrouble::None => 0,
            EngineTrouble::Fails => 1,
            EngineTrouble::Nan(NanPlace::All) => 2,
            EngineTrouble::Nan(NanPlace::OneOfHeads) => 3,
            EngineTrouble::Nan(NanPlace::OneOfMap) => 4,
        };
        self.trouble.store(number, Ordering::Relaxed);
    }

    /// Lets each run take this much longer, really.
    pub(super) fn set_sleep(&self, sleep: Duration) {
        let nanoseconds = u64::try_from(sleep.as_nanos()).unwrap_or(u64::MAX);
        self.sleep_ns.store(nanoseconds, Ordering::Relaxed);
    }

    fn trouble(&self) -> EngineTrouble {
        match self.trouble.load(Ordering::Relaxed) {
            1 => EngineTrouble::Fails,
            2 => EngineTrouble::Nan(NanPlace::All),
            3 => EngineTrouble::Nan(NanPlace::OneOfHeads),
            4 => EngineTrouble::Nan(NanPlace::OneOfMap),
            _ => EngineTrouble::None,
        }
    }
}

/// Any engine, which fails, dawdles, or gives numbers that are none. Its past maps must wait on the
/// host.
pub struct FaultyEngine {
    engine: Box<dyn Engine>,
    switch: EngineSwitch,
    outputs: Vec<OutputRole>,
    /// What stands in place of the engine's own outputs.
    spoilt: Vec<(OutputRole, Vec<f32>)>,
    has_failed: bool,
}

impl FaultyEngine {
    pub(super) fn new(engine: Box<dyn Engine>, switch: EngineSwitch) -> Self {
        let outputs = engine.interface().outputs().iter();
        Self {
            outputs: outputs.map(|output| output.role).collect(),
            engine,
            switch,
            spoilt: Vec::new(),
            has_failed: false,
        }
    }

    fn spoil(&mut self, place: NanPlace) -> Result<(), EngineError> {
        for &role in &self.outputs {
            let is_map = role == OutputRole::Bev;
            let is_last = self.outputs.last() == Some(&role);
            let mut values = self.engine.output(role)?.to_vec();
            match place {
                NanPlace::All => values.fill(f32::NAN),
                NanPlace::OneOfHeads if is_last && !is_map => spoil_one(&mut values),
                NanPlace::OneOfMap if is_map => spoil_one(&mut values),
                NanPlace::OneOfHeads | NanPlace::OneOfMap => continue,
            }
            self.spoilt.push((role, values));
        }
        Ok(())
    }
}

fn spoil_one(values: &mut [f32]) {
    let middle = values.len() / 2;
    if let Some(value) = values.get_mut(middle) {
        *value = f32::INFINITY;
    }
}

impl Engine for FaultyEngine {
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

    /// None: a map that is spoilt must pass through here.
    fn map_ring(&mut self) -> Option<&mut dyn MapRing> {
        None
    }

    fn run(&mut self, images: ImageSet) -> Result<(), EngineError> {
        self.spoilt.clear();
        std::thread::sleep(Duration::from_nanos(
            self.switch.sleep_ns.load(Ordering::Relaxed),
        ));
        let trouble = self.switch.trouble();
        self.has_failed = trouble == EngineTrouble::Fails;
        if self.has_failed {
            return Err(EngineError::Run);
        }
        self.engine.run(images)?;
        match trouble {
            EngineTrouble::Nan(place) => self.spoil(place),
            EngineTrouble::None | EngineTrouble::Fails => Ok(()),
        }
    }

    fn output(&self, role: OutputRole) -> Result<&[f32], EngineError> {
        let spoilt = self.spoilt.iter().find(|(of, _)| *of == role);
        match spoilt {
            Some((_, values)) => Ok(values),
            None => self.engine.output(role),
        }
    }

    fn last_failure(&self) -> Option<&str> {
        if self.has_failed {
            Some("a fault on purpose")
        } else {
            self.engine.last_failure()
        }
    }
}
