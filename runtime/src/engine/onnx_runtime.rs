//! ONNX Runtime as an [`Engine`](super::Engine).

mod check;
mod options;
mod tensors;

use ort::session::builder::SessionBuilder;
use ort::session::{IoBinding, Session};

pub use options::{EngineOptions, Fallback, Provider, Spinning};

use super::{
    CAMERA_DIMENSION, Engine, EngineError, EngineLoadError, ImageSet, InputRole, NetworkInterface,
    OnnxRuntimeLibrary, OutputRole,
};
use crate::package::VerifiedNetwork;
use options::{builder_error, register};
use tensors::Tensors;

/// A network in ONNX Runtime with bound memory.
///
/// Both image sets have a binding of their own, which share all other tensors. On the CPU a bound
/// tensor that changes is seen by the next run; other devices keep a copy, so there the inputs
/// that were handed out for writing are bound again before the run.
pub struct OnnxRuntime {
    interface: NetworkInterface,
    provider: Provider,
    session: Session,
    bindings: [IoBinding; 2],
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
        let bindings = [
            tensors.bind(&session, ImageSet::First),
            tensors.bind(&session, ImageSet::Second),
        ];
        let [first, second] = bindings;
        let mut engine = Self {
            bindings: [
                first.map_err(failed("binding tensors"))?,
                second.map_err(failed("binding tensors"))?,
            ],
            interface,
            provider,
            session,
            tensors,
            last_failure: None,
        };
        for _ in 0..options.warm_up_runs {
            for set in [ImageSet::First, ImageSet::Second] {
                engine.try_run(set).map_err(failed("warming up"))?;
            }
        }
        Ok(engine)
    }

    fn try_run(&mut self, images: ImageSet) -> ort::Result<()> {
        let binding = &mut self.bindings[images.index()];
        if self.provider.keeps_copies() {
            self.tensors.bind_changed(binding, images)?;
        }
        self.session.run_binding(binding)?;
        Ok(())
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
        let opened = builder(library, interface, options)
            .and_then(|builder| register(builder, provider, options))
            .and_then(|mut builder| builder.commit_from_memory(network.bytes()));
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
        self.tensors.images_mut(set)
    }

    fn input_mut(&mut self, role: InputRole) -> Result<&mut [f32], EngineError> {
        self.tensors.f32_mut(role)
    }

    fn index_mut(&mut self, role: InputRole) -> Result<&mut [i32], EngineError> {
        self.tensors.i32_mut(role)
    }

    fn run(&mut self, images: ImageSet) -> Result<(), EngineError> {
        self.try_run(images).map_err(|error| {
            self.last_failure = Some(error.to_string());
            EngineError::Run
        })
    }

    fn output(&self, role: OutputRole) -> Result<&[f32], EngineError> {
        self.tensors.output(role)
    }

    fn last_failure(&self) -> Option<&str> {
        self.last_failure.as_deref()
    }
}

#[cfg(test)]
mod tests;
