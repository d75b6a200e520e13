use std::path::PathBuf;

use crate::engine::{EngineLoadError, Provider};
use crate::threads::ThreadSettings;

const MOST_THREADS: usize = 256;

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

/// Where past maps wait and are brought into the present.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HistoryMemory {
    /// With CUDA and TensorRT in the memory of the GPU, else on the host.
    #[default]
    Automatic,
    /// On the host.
    Host,
    /// In the memory of the provider, by graphs that it runs itself. The CPU can do that, too, which
    /// serves to try out what a GPU does; on the host it is faster there.
    Provider,
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
    /// Where past maps wait, if the network has a queue.
    pub history_memory: HistoryMemory,
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
            history_memory: HistoryMemory::default(),
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
        for provider in &self.providers {
            provider.check()?;
        }
        self.pool.check().map_err(EngineLoadError::Thread)
    }
}
