use std::fmt;
use std::path::{Path, PathBuf};

use ort::ep;
use ort::session::builder::SessionBuilder;

use crate::engine::EngineLoadError;
use crate::manifest::ProviderKind;
use crate::threads::ThreadSettings;

const MOST_THREADS: usize = 256;

/// An execution provider with its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The processor.
    Cpu,
    /// An NVIDIA GPU.
    Cuda {
        /// Number of the GPU.
        device: i32,
    },
    /// An NVIDIA GPU through TensorRT.
    TensorRt {
        /// Number of the GPU.
        device: i32,
        /// Whether layers may run in 16 bit.
        fp16: bool,
        /// Folder of the engines that were built ahead. Without one in it loading is refused,
        /// because building takes minutes and would happen silently at the first run.
        engine_cache: PathBuf,
    },
}

impl Provider {
    /// The family, as the manifest names it.
    pub const fn kind(&self) -> ProviderKind {
        match self {
            Self::Cpu => ProviderKind::Cpu,
            Self::Cuda { .. } => ProviderKind::Cuda,
            Self::TensorRt { .. } => ProviderKind::TensorRt,
        }
    }

    /// Whether a bound input is copied at binding, so that a change is not seen by itself.
    pub(super) const fn keeps_copies(&self) -> bool {
        match self {
            Self::Cpu => false,
            Self::Cuda { .. } | Self::TensorRt { .. } => true,
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda { device } => write!(f, "cuda:{device}"),
            Self::TensorRt { device, .. } => write!(f, "tensorrt:{device}"),
        }
    }
}

/// What happens when the first provider of the order does not work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fallback {
    /// Loading fails; no part of the network may run on another provider.
    #[default]
    Refuse,
    /// The next provider of the order is tried, with a warning in the log.
    NextProvider,
}

/// Whether worker threads wait for work busily: lower latency for a fully used core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spinning {
    /// They spin.
    #[default]
    On,
    /// They sleep.
    Off,
}

/// How a network is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineOptions {
    /// Path of the ONNX Runtime library; `None` searches for it.
    pub library: Option<PathBuf>,
    /// Providers in the order in which they are tried, at least one.
    pub providers: Vec<Provider>,
    /// What happens when one does not work.
    pub fallback: Fallback,
    /// Threads within an operator, 1 to 256; the calling thread is one of them.
    pub intra_op_threads: usize,
    /// How they wait.
    pub spinning: Spinning,
    /// Cores and priority of the pool's threads, which are all but the one that runs the network.
    /// Each is kept on one core of the list, in turn.
    pub pool: ThreadSettings,
    /// Runs of each image set before loading returns.
    pub warm_up_runs: usize,
}

impl Default for EngineOptions {
    /// The CPU, one thread for each core that this process may use, two warm-up runs.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            library: None,
            providers: vec![Provider::Cpu],
            fallback: Fallback::default(),
            intra_op_threads: cores.min(MOST_THREADS),
            spinning: Spinning::default(),
            pool: ThreadSettings::default(),
            warm_up_runs: 2,
        }
    }
}

impl EngineOptions {
    pub(super) fn check(&self) -> Result<(), EngineLoadError> {
        if self.providers.is_empty() {
            return Err(EngineLoadError::Option {
                field: "providers",
                expected: "at least one provider",
                found: "none".into(),
            });
        }
        if !(1..=MOST_THREADS).contains(&self.intra_op_threads) {
            return Err(EngineLoadError::Option {
                field: "intra_op_threads",
                expected: "1 to 256",
                found: self.intra_op_threads.to_string(),
            });
        }
        self.pool.check().map_err(EngineLoadError::Thread)
    }
}

/// A builder's error without the builder.
pub(super) fn builder_error(error: ort::Error<SessionBuilder>) -> ort::Error {
    error.into()
}

/// Registers the provider; one that cannot be registered is an error, never skipped.
pub(super) fn register(
    builder: SessionBuilder,
    provider: &Provider,
    options: &EngineOptions,
) -> ort::Result<SessionBuilder> {
    let dispatch = match provider {
        Provider::Cpu => return Ok(builder),
        Provider::Cuda { device } => ep::CUDA::default().with_device_id(*device).build(),
        Provider::TensorRt {
            device,
            fp16,
            engine_cache,
        } => {
            if !has_engine(engine_cache) {
                return Err(ort::Error::new(format!(
                    "{} holds no built engine (*.engine)",
                    engine_cache.display()
                )));
            }
            ep::TensorRT::default()
                .with_device_id(*device)
                .with_fp16(*fp16)
                .with_engine_cache(true)
                .with_engine_cache_path(engine_cache.display())
                .build()
        }
    };
    let builder = builder
        .with_execution_providers([dispatch.error_on_failure()])
        .map_err(builder_error)?;
    match options.fallback {
        Fallback::Refuse => builder.with_disable_cpu_fallback().map_err(builder_error),
        Fallback::NextProvider => Ok(builder),
    }
}

fn has_engine(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries
            .filter_map(Result::ok)
            .any(|entry| entry.path().extension().is_some_and(|ext| ext == "engine"))
    })
}
