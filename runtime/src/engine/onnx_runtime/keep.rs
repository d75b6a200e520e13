//! Past maps that stay with the provider.

use ort::session::Session;

use super::register::register;
use super::ring::{self, Ring, RingAccess, RingProblem};
use super::tensors::Tensors;
use super::{EngineOptions, Fallback, HistoryMemory, Memory, OnnxRuntime, builder};
use crate::align::GridAffine;
use crate::engine::{
    CudaOptions, EngineError, EngineLoadError, MapRing, NetworkInterface, OnnxRuntimeLibrary,
    Provider, TensorRtOptions,
};
use crate::package::VerifiedNetwork;

/// The provider of the graphs that keep and align maps; `None` where that is done on the host.
///
/// TensorRT's are run by CUDA, in the same memory: they hold nothing that TensorRT would make faster,
/// and no engine must be built for them.
pub(super) fn ring_provider(
    memory: HistoryMemory,
    provider: &Provider,
) -> Result<Option<Provider>, EngineLoadError> {
    match (memory, provider) {
        (HistoryMemory::Host, _)
        | (HistoryMemory::Automatic, Provider::Cpu | Provider::Plugin(_)) => Ok(None),
        (HistoryMemory::Provider, Provider::Cpu) => Ok(Some(Provider::Cpu)),
        (
            HistoryMemory::Automatic | HistoryMemory::Provider,
            Provider::Cuda(CudaOptions { device, .. })
            | Provider::TensorRt(TensorRtOptions { device, .. }),
        ) => Ok(Some(Provider::Cuda(CudaOptions::on(*device)))),
        (HistoryMemory::Provider, Provider::Plugin(plugin)) => Err(EngineLoadError::Option {
            field: "history_memory",
            expected: "`automatic` or `host` for a plug-in, whose memory is not known",
            found: format!("`provider` with {}", plugin.name),
        }),
    }
}

impl OnnxRuntime {
    /// From now on past maps stay with `provider`; checks that they come back as from the host.
    pub(super) fn keep_maps(
        &mut self,
        provider: &Provider,
        memory: Memory,
        library: &OnnxRuntimeLibrary,
        network: &VerifiedNetwork,
        options: &EngineOptions,
    ) -> Result<(), EngineLoadError> {
        let Some(section) = self.interface.queue().cloned() else {
            return Ok(());
        };
        let problem = |problem| refused(problem, network, provider);
        let Some(core) = &self.core else {
            return Err(problem(ort::Error::new("the network runs").into()));
        };
        let device = memory
            .allocator(core.session())
            .map_err(|error| problem(error.into()))?;
        let open = |graph: &[u8]| open(graph, provider, library, &self.interface, options);
        let ends = self.tensors.ring_ends();
        let ends = ends.map_err(|error| problem(error.into()))?;
        let mut ring = Ring::new(&section, ends, device.as_ref(), open)
            .map_err(|error| problem(error.into()))?;
        self.tensors.keep_history();
        ring::check(&mut ring, &section, &mut self.tensors).map_err(problem)?;
        self.ring = Some(Box::new(ring));
        Ok(())
    }
}

/// A session for one of the ring's graphs, which runs there or nowhere.
pub(super) fn open(
    graph: &[u8],
    provider: &Provider,
    library: &OnnxRuntimeLibrary,
    interface: &NetworkInterface,
    options: &EngineOptions,
) -> ort::Result<Session> {
    let options = EngineOptions {
        fallback: Fallback::Refuse,
        // A pool of its own would compete with the network's.
        intra_op_threads: 1,
        ..options.clone()
    };
    let builder = builder(library, interface, &options)?;
    register(builder, library, provider, &options)?.commit_from_memory(graph)
}

pub(super) fn refused(
    problem: RingProblem,
    network: &VerifiedNetwork,
    provider: &Provider,
) -> EngineLoadError {
    let file = network.file().to_path_buf();
    match problem {
        RingProblem::Failed(source) => EngineLoadError::Session {
            file,
            step: "keeping past maps with the provider (`history_memory = host` does without)",
            source,
        },
        RingProblem::Differs {
            field,
            expected,
            found,
        } => EngineLoadError::History {
            file,
            provider: provider.to_string().into(),
            field: field.into(),
            expected,
            found,
        },
    }
}

impl RingAccess for Tensors {
    fn write_map(&mut self, write: &mut dyn FnMut(&mut [f32])) -> ort::Result<()> {
        self.change_map(write)
    }

    fn read_history(&mut self) -> ort::Result<&[f32]> {
        self.bring_history()
    }
}

impl MapRing for OnnxRuntime {
    fn store_map(&mut self, place: usize) -> Result<bool, EngineError> {
        if self.started.is_some() {
            return Err(EngineError::Running);
        }
        let ring = self.ring.as_mut().ok_or(EngineError::NoSuchTensor)?;
        let stored = ring.store(place);
        stored.map_err(|error| self.failed(&error))
    }

    fn align_maps(&mut self, sources: &[Option<(usize, GridAffine)>]) -> Result<(), EngineError> {
        self.wait();
        let ring = self.ring.as_mut().ok_or(EngineError::NoSuchTensor)?;
        let aligned = ring.align(sources);
        aligned.map_err(|error| self.failed(&error))
    }

    fn bring_map(&mut self) -> Result<(), EngineError> {
        if self.started.is_some() {
            return Err(EngineError::Running);
        }
        let brought = self.tensors.bring_map();
        brought.map_err(|error| self.failed(&error))
    }
}
