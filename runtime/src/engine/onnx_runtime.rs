//! ONNX Runtime as an [`Engine`](super::Engine).

mod check;
mod core;
mod hand_over;
mod keep;
mod options;
mod pool;
mod register;
mod ring;
mod tensors;

use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::Session;
use ort::session::builder::SessionBuilder;

pub use options::{EngineOptions, Fallback, HistoryMemory, Spinning};

use self::core::{Beside, Core};
use super::{
    BesideThread, CAMERA_DIMENSION, CudaOptions, Engine, EngineCacheError, EngineError,
    EngineLoadError, EngineRecord, ImageSet, InputRole, MapRing, MissingEngine, NetworkInterface,
    OnnxRuntimeLibrary, OutputRole, Provider, TensorRtOptions,
};
use crate::package::VerifiedNetwork;
use crate::threads::ThreadError;
use keep::ring_provider;
use pool::PoolThreads;
use register::{builder_error, register};
use ring::Ring;
use tensors::{Place, Tensors};

/// A network in ONNX Runtime with bound memory.
///
/// Both image sets have a binding of their own, which share all other tensors. On the CPU a bound
/// tensor that changes is seen by the next run. On a GPU inputs and outputs lie in tensors that never
/// move; what was written is copied to them before a run, and outputs are copied back after it. Other
/// providers keep copies, so there the inputs that were handed out for writing are bound again.
///
/// While a run that was started is under way, nothing but the image set that it does not read is
/// handed out: all else waits for its end.
pub struct OnnxRuntime {
    interface: NetworkInterface,
    provider: Provider,
    /// Away while it runs beside the caller.
    core: Option<Box<Core>>,
    beside: Option<Beside>,
    /// The image set of the run that was started and not finished.
    started: Option<ImageSet>,
    /// How that run ended, once it is known.
    ended: Option<Result<(), EngineError>>,
    tensors: Tensors,
    /// Past maps, where they stay with the provider.
    ring: Option<Box<Ring>>,
    last_failure: Option<String>,
}

impl OnnxRuntime {
    /// Loads a network, checks it against `interface`, takes and binds all memory and warms up.
    ///
    /// # Errors
    /// ONNX Runtime is not there; an input or output differs from the interface; no provider of
    /// the order can run the network; engines that were built ahead do not serve; the warm-up fails.
    pub fn load(
        network: &VerifiedNetwork,
        interface: NetworkInterface,
        options: &EngineOptions,
    ) -> Result<Self, EngineLoadError> {
        options.check()?;
        let library = OnnxRuntimeLibrary::load(options.library.as_deref())?;
        let opened = open(library, network, &interface, options)?;
        let memory = memory_of(&opened.provider);
        let keeper = ring_provider(options.history_memory, &opened.provider)?;
        let mut engine = Self::take(opened, library, network, interface, memory, options)?;
        if let Some(provider) = keeper {
            engine.keep_maps(&provider, memory, library, network, options)?;
        }
        Ok(engine)
    }

    /// Takes and binds all memory of a session and warms it up.
    fn take(
        opened: Opened,
        library: &OnnxRuntimeLibrary,
        network: &VerifiedNetwork,
        interface: NetworkInterface,
        memory: Memory,
        options: &EngineOptions,
    ) -> Result<Self, EngineLoadError> {
        let Opened {
            session,
            provider,
            engines,
        } = opened;
        check::session(&session, &interface, network.file())?;
        let failed = |step| {
            move |source| EngineLoadError::Session {
                file: network.file().to_path_buf(),
                step,
                source,
            }
        };
        let device = memory
            .allocator(&session)
            .map_err(failed("taking memory of the device"))?;
        let place = match (&device, memory) {
            (Some(allocator), _) => Place::Device(allocator),
            (None, Memory::Copies) => Place::Copies,
            (None, Memory::Here | Memory::Device(..)) => Place::Here,
        };
        let mut tensors = Tensors::new(&interface, &place).map_err(failed("allocating tensors"))?;
        let core = Core::new(session, &mut tensors).map_err(failed("binding tensors"))?;
        let mut engine = Self {
            interface,
            provider,
            core: Some(Box::new(core)),
            beside: None,
            started: None,
            ended: None,
            tensors,
            ring: None,
            last_failure: None,
        };
        for _ in 0..options.warm_up_runs {
            for set in [ImageSet::First, ImageSet::Second] {
                engine.warm_up(set).map_err(failed("warming up"))?;
            }
        }
        if let (Provider::TensorRt(tensorrt), Some(expected)) = (&engine.provider, engines) {
            let cameras = engine.interface.cameras();
            engines_served(tensorrt, &expected, library, network, cameras)
                .map_err(EngineLoadError::EngineCache)?;
        }
        Ok(engine)
    }

    fn warm_up(&mut self, set: ImageSet) -> ort::Result<()> {
        if let Some(core) = &mut self.core {
            core.upload(&mut self.tensors, set)?;
            core.run(set)?;
        }
        self.tensors.download()
    }

    /// The session, ready to run on this image set.
    fn ready(&mut self, images: ImageSet) -> Result<Box<Core>, EngineError> {
        if self.started.is_some() {
            return Err(EngineError::Running);
        }
        let mut core = self.core.take().ok_or(EngineError::Run)?;
        if let Err(error) = core.upload(&mut self.tensors, images) {
            self.core = Some(core);
            return Err(self.failed(&error));
        }
        Ok(core)
    }

    /// Waits until no run is under way; how it ended is kept for [`Engine::finish`].
    fn wait(&mut self) {
        if self.started.is_none() || self.ended.is_some() {
            return;
        }
        let done = self.beside.as_ref().and_then(Beside::wait);
        self.ended = Some(match done {
            Some((core, ran)) => {
                self.core = Some(core);
                self.ran(ran)
            }
            None => {
                self.last_failure = Some("the thread of the network has ended".into());
                Err(EngineError::Run)
            }
        });
    }

    /// The end of a run: what it gave is brought here.
    fn ran(&mut self, ran: ort::Result<()>) -> Result<(), EngineError> {
        ran.and_then(|()| self.tensors.download())
            .map_err(|error| self.failed(&error))
    }

    fn failed(&mut self, error: &ort::Error) -> EngineError {
        self.last_failure = Some(error.to_string());
        EngineError::Run
    }
}

impl Drop for OnnxRuntime {
    fn drop(&mut self) {
        // The run reads the tensors.
        self.wait();
    }
}

/// A session with the provider that runs it.
struct Opened {
    session: Session,
    provider: Provider,
    /// What engines that were built ahead must be for.
    engines: Option<EngineRecord>,
}

/// Where the network's inputs and outputs are.
#[derive(Clone, Copy, Debug)]
enum Memory {
    /// In the memory that is handed out.
    Here,
    /// Wherever the provider copies them.
    Copies,
    /// In a device's memory: its name in ONNX Runtime, and its number.
    Device(&'static str, i32),
}

fn memory_of(provider: &Provider) -> Memory {
    match provider {
        Provider::Cpu => Memory::Here,
        Provider::Cuda(CudaOptions { device, .. })
        | Provider::TensorRt(TensorRtOptions { device, .. }) => Memory::Device("Cuda", *device),
        Provider::Plugin(_) => Memory::Copies,
    }
}

impl Memory {
    fn allocator(self, session: &Session) -> ort::Result<Option<Allocator>> {
        let Self::Device(name, number) = self else {
            return Ok(None);
        };
        let info = MemoryInfo::new(
            AllocationDevice::new(name),
            number,
            AllocatorType::Device,
            MemoryType::Default,
        )?;
        Allocator::new(session, info).map(Some)
    }
}

/// What engines that were built ahead must be for; refuses them when they are for something else.
fn expected_engines(
    provider: &Provider,
    library: &OnnxRuntimeLibrary,
    network: &VerifiedNetwork,
    cameras: usize,
) -> Result<Option<EngineRecord>, EngineCacheError> {
    let Provider::TensorRt(tensorrt) = provider else {
        return Ok(None);
    };
    let expected = EngineRecord::of(tensorrt, network.sha256(), cameras, library.build_info());
    match tensorrt.missing_engine {
        MissingEngine::Refuse => expected.check(&tensorrt.engine_cache)?,
        MissingEngine::Build => {}
    }
    Ok(Some(expected))
}

/// After loading and warm-up: no engine was built, or what was built is recorded. Now TensorRT's
/// version is known, too.
fn engines_served(
    tensorrt: &TensorRtOptions,
    expected: &EngineRecord,
    library: &OnnxRuntimeLibrary,
    network: &VerifiedNetwork,
    cameras: usize,
) -> Result<(), EngineCacheError> {
    let folder = &tensorrt.engine_cache;
    let now = EngineRecord::of(tensorrt, network.sha256(), cameras, library.build_info());
    match tensorrt.missing_engine {
        MissingEngine::Refuse => {
            expected.check_not_rebuilt(folder)?;
            now.check(folder)
        }
        MissingEngine::Build => now.write(folder),
    }
}

/// Opens a session with the first provider that works.
fn open(
    library: &OnnxRuntimeLibrary,
    network: &VerifiedNetwork,
    interface: &NetworkInterface,
    options: &EngineOptions,
) -> Result<Opened, EngineLoadError> {
    let mut reasons = Vec::new();
    for provider in &options.providers {
        let pool = PoolThreads::new(&options.pool);
        let expected = expected_engines(provider, library, network, interface.cameras());
        let refusal = pool.refusal();
        let expected = match expected {
            Ok(expected) => expected,
            Err(error) if options.fallback == Fallback::Refuse => {
                return Err(EngineLoadError::EngineCache(error));
            }
            Err(error) => {
                log::warn!("{provider}: falling back: {error}");
                reasons.push(format!("{provider}: {error}"));
                continue;
            }
        };
        let opened = builder(library, interface, options)
            .and_then(|builder| builder.with_thread_manager(pool).map_err(builder_error))
            .and_then(|builder| register(builder, library, provider, options))
            .and_then(|mut builder| builder.commit_from_memory(network.bytes()));
        // What ONNX Runtime says of a missing thread does not name the cause.
        if let Some(error) = refusal.take() {
            return Err(EngineLoadError::Thread(error));
        }
        match opened {
            Ok(session) => {
                return Ok(Opened {
                    session,
                    provider: provider.clone(),
                    engines: expected,
                });
            }
            Err(error) => reasons.push(format!("{provider}: {error}")),
        }
        match options.fallback {
            Fallback::Refuse => break,
            Fallback::NextProvider => {
                log::warn!(
                    "{}: falling back",
                    reasons.last().map_or("", String::as_str)
                );
            }
        }
    }
    Err(EngineLoadError::NoProvider {
        file: network.file().to_path_buf(),
        reasons,
    })
}

fn builder(
    library: &OnnxRuntimeLibrary,
    interface: &NetworkInterface,
    options: &EngineOptions,
) -> ort::Result<SessionBuilder> {
    let cameras = i64::try_from(interface.cameras()).unwrap_or(i64::MAX);
    Session::builder(library.environment())?
        .with_log_level(ort::logging::LogLevel::Warning)
        .map_err(builder_error)?
        .with_intra_threads(options.intra_op_threads)
        .map_err(builder_error)?
        .with_inter_threads(1)
        .map_err(builder_error)?
        .with_intra_op_spinning(options.spinning == Spinning::On)
        .map_err(builder_error)?
        .with_deterministic_compute(true)
        .map_err(builder_error)?
        .with_dimension_override(CAMERA_DIMENSION, cameras)
        .map_err(builder_error)
}

impl Engine for OnnxRuntime {
    fn interface(&self) -> &NetworkInterface {
        &self.interface
    }

    fn provider(&self) -> &Provider {
        &self.provider
    }

    fn images_mut(&mut self, set: ImageSet) -> &mut [f32] {
        if self.started == Some(set) {
            self.wait();
        }
        self.tensors.images_mut(set)
    }

    fn input_mut(&mut self, role: InputRole) -> Result<&mut [f32], EngineError> {
        self.wait();
        if role == InputRole::History && self.ring.is_some() {
            let brought = self.tensors.bring_history().map(|_| ());
            brought.map_err(|error| self.failed(&error))?;
        }
        self.tensors.f32_mut(role)
    }

    fn index_mut(&mut self, role: InputRole) -> Result<&mut [i32], EngineError> {
        self.wait();
        self.tensors.i32_mut(role)
    }

    fn map_ring(&mut self) -> Option<&mut dyn MapRing> {
        match self.ring {
            Some(_) => Some(self),
            None => None,
        }
    }

    fn run(&mut self, images: ImageSet) -> Result<(), EngineError> {
        let mut core = self.ready(images)?;
        let ran = core.run(images);
        self.core = Some(core);
        self.ran(ran)
    }

    fn run_beside(&mut self, thread: Option<BesideThread>) -> Result<(), ThreadError> {
        self.wait();
        self.beside = thread.map(Beside::new).transpose()?;
        Ok(())
    }

    fn start(&mut self, images: ImageSet) -> Result<(), EngineError> {
        let core = self.ready(images)?;
        let Some(beside) = &self.beside else {
            self.core = Some(core);
            return self.run(images);
        };
        match beside.start(core, images) {
            Ok(()) => {
                self.started = Some(images);
                Ok(())
            }
            Err(core) => {
                self.core = Some(core);
                self.last_failure = Some("the thread of the network has ended".into());
                Err(EngineError::Run)
            }
        }
    }

    fn is_running(&self) -> bool {
        self.started.is_some()
    }

    fn finish(&mut self) -> Result<(), EngineError> {
        self.wait();
        self.started = None;
        self.ended.take().unwrap_or(Ok(()))
    }

    fn output(&self, role: OutputRole) -> Result<&[f32], EngineError> {
        if self.started.is_some() {
            return Err(EngineError::Running);
        }
        self.tensors.output(role)
    }

    fn last_failure(&self) -> Option<&str> {
        self.last_failure.as_deref()
    }
}

#[cfg(test)]
mod tests;
