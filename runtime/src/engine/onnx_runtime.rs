//! ONNX Runtime as an [`Engine`](super::Engine).

mod check;
mod core;
mod options;
mod pool;
mod tensors;

use ort::session::Session;
use ort::session::builder::SessionBuilder;

pub use options::{EngineOptions, Fallback, Provider, Spinning};

use self::core::{Beside, Core};
use super::{
    BesideThread, CAMERA_DIMENSION, Engine, EngineError, EngineLoadError, ImageSet, InputRole,
    NetworkInterface, OnnxRuntimeLibrary, OutputRole,
};
use crate::package::VerifiedNetwork;
use crate::threads::ThreadError;
use options::{builder_error, register};
use pool::PoolThreads;
use tensors::Tensors;

/// A network in ONNX Runtime with bound memory.
///
/// Both image sets have a binding of their own, which share all other tensors. On the CPU a bound
/// tensor that changes is seen by the next run; other devices keep a copy, so there the inputs
/// that were handed out for writing are bound again before the run.
///
/// While a run that was started is under way, nothing but the image set that it does not read is
/// handed out: all else waits for its end.
pub struct OnnxRuntime {
    interface: NetworkInterface,
    provider: Provider,
    /// Away while it runs beside the caller.
    core: Option<Core>,
    beside: Option<Beside>,
    /// The image set of the run that was started and not finished.
    started: Option<ImageSet>,
    /// How that run ended, once it is known.
    ended: Option<Result<(), EngineError>>,
    tensors: Tensors,
    last_failure: Option<String>,
}

impl OnnxRuntime {
    /// Loads a network, checks it against `interface`, takes and binds all memory and warms up.
    ///
    /// # Errors
    /// ONNX Runtime is not there; an input or output differs from the interface; no provider of
    /// the order can run the network; the warm-up fails.
    pub fn load(
        network: &VerifiedNetwork,
        interface: NetworkInterface,
        options: &EngineOptions,
    ) -> Result<Self, EngineLoadError> {
        options.check()?;
        let library = OnnxRuntimeLibrary::load(options.library.as_deref())?;
        let (session, provider) = open(library, network, &interface, options)?;
        check::session(&session, &interface, network.file())?;
        let failed = |step| {
            move |source| EngineLoadError::Session {
                file: network.file().to_path_buf(),
                step,
                source,
            }
        };
        let mut tensors = Tensors::new(&interface).map_err(failed("allocating tensors"))?;
        let mut core = Core::new(session, &mut tensors).map_err(failed("binding tensors"))?;
        for _ in 0..options.warm_up_runs {
            for set in [ImageSet::First, ImageSet::Second] {
                core.run(set).map_err(failed("warming up"))?;
            }
        }
        Ok(Self {
            interface,
            provider,
            core: Some(core),
            beside: None,
            started: None,
            ended: None,
            tensors,
            last_failure: None,
        })
    }

    /// The session, ready to run on this image set.
    fn ready(&mut self, images: ImageSet) -> Result<Core, EngineError> {
        if self.started.is_some() {
            return Err(EngineError::Running);
        }
        let mut core = self.core.take().ok_or(EngineError::Run)?;
        if self.provider.keeps_copies()
            && let Err(error) = core.bind_changed(&mut self.tensors, images)
        {
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
                ran.map_err(|error| self.failed(&error))
            }
            None => {
                self.last_failure = Some("the thread of the network has ended".into());
                Err(EngineError::Run)
            }
        });
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

/// Opens a session with the first provider that works.
fn open(
    library: &OnnxRuntimeLibrary,
    network: &VerifiedNetwork,
    interface: &NetworkInterface,
    options: &EngineOptions,
) -> Result<(Session, Provider), EngineLoadError> {
    let mut reasons = Vec::new();
    for provider in &options.providers {
        let pool = PoolThreads::new(&options.pool);
        let refusal = pool.refusal();
        let opened = builder(library, interface, options)
            .and_then(|builder| builder.with_thread_manager(pool).map_err(builder_error))
            .and_then(|builder| register(builder, provider, options))
            .and_then(|mut builder| builder.commit_from_memory(network.bytes()));
        // What ONNX Runtime says of a missing thread does not name the cause.
        if let Some(error) = refusal.take() {
            return Err(EngineLoadError::Thread(error));
        }
        match opened {
            Ok(session) => return Ok((session, provider.clone())),
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
        self.tensors.f32_mut(role)
    }

    fn index_mut(&mut self, role: InputRole) -> Result<&mut [i32], EngineError> {
        self.wait();
        self.tensors.i32_mut(role)
    }

    fn run(&mut self, images: ImageSet) -> Result<(), EngineError> {
        let mut core = self.ready(images)?;
        let ran = core.run(images);
        self.core = Some(core);
        ran.map_err(|error| self.failed(&error))
    }

    fn run_beside(&mut self, thread: BesideThread) -> Result<(), ThreadError> {
        self.wait();
        self.beside = Some(Beside::new(thread)?);
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
