//! Options that every command with a model package shares.

use crate::failure::Failure;
use crate::gpu::ProviderArguments;
use bevrt_hil::source::DriveSource;
use bevrt_runtime::{
    EgoMotionSpec, EngineOptions, Fallback, HistoryMemory, PipelineOptions, Precision, Provider,
    Spinning, TensorRtOptions, ThreadPriority, ThreadSettings,
};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Where the network that ships lies, seen from the root of the repository.
pub const SHIPPED_PACKAGE: &str = "models/packages/tiny";

/// How the network is run.
#[derive(Args)]
pub struct EngineArguments {
    /// Execution providers in the order of preference; another one is used only with --fall-back
    #[arg(long, value_enum, value_delimiter = ',', default_value = "cpu")]
    provider: Vec<ProviderName>,
    /// Go on with the next provider when one is not to be had
    #[arg(long)]
    fall_back: bool,
    /// Threads of the network, 0 for all cores
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Number format (fp32, fp16, int8-cpu, int8-trt); the package's first that fits by default
    #[arg(long, value_parser = parse_precision)]
    precision: Option<Precision>,
    /// The network's waiting threads sleep instead of spinning
    #[arg(long)]
    no_spinning: bool,
    /// Cores of the network's pool, such as 2,4-5: each thread is kept on one, in turn
    #[arg(long, value_name = "CORES", default_value = "")]
    pool_cores: String,
    /// Real-time priority of the network's pool, 1 to 99
    #[arg(long, value_name = "PRIORITY")]
    pool_priority: Option<u8>,
    /// Where past maps wait and are aligned
    #[arg(long, value_enum, default_value_t, value_name = "MEMORY")]
    history_memory: HistoryMemoryName,
    #[command(flatten)]
    others: ProviderArguments,
    /// Path of the ONNX Runtime library (found by itself otherwise, see the README)
    #[arg(long)]
    onnxruntime: Option<PathBuf>,
}

/// An execution provider by its short name.
#[derive(Clone, Copy, ValueEnum)]
enum ProviderName {
    Cpu,
    Cuda,
    Tensorrt,
    Plugin,
}

/// Where past maps wait, by its name.
#[derive(Clone, Copy, Default, ValueEnum)]
enum HistoryMemoryName {
    /// In the GPU's memory with CUDA and TensorRT, else on the host
    #[default]
    Automatic,
    /// On the host
    Host,
    /// In the provider's memory, by graphs that it runs
    Provider,
}

/// Reads a number format.
pub fn parse_precision(name: &str) -> Result<Precision, String> {
    Precision::from_name(name)
        .ok_or_else(|| format!("expected fp32, fp16, int8-cpu or int8-trt, found `{name}`"))
}

impl EngineArguments {
    /// The engine's options.
    pub fn options(&self) -> Result<EngineOptions, Failure> {
        let mut options = self.options_of_cpu()?;
        let providers = self.provider.iter().map(|name| {
            Ok(match name {
                ProviderName::Cpu => Provider::Cpu,
                ProviderName::Cuda => Provider::Cuda(self.others.cuda()),
                ProviderName::Tensorrt => Provider::TensorRt(self.tensorrt()?),
                ProviderName::Plugin => Provider::Plugin(self.others.plugin()?),
            })
        });
        options.providers = providers.collect::<Result<_, Failure>>()?;
        Ok(options)
    }

    /// The options of a pipeline for the cameras and the ego motion of a drive.
    pub fn pipeline(
        &self,
        package: &Path,
        drive: &dyn DriveSource,
    ) -> Result<PipelineOptions, Failure> {
        let mut options = PipelineOptions::new(package, drive.rig().clone());
        options.engine = self.options()?;
        options.precision = self.precision();
        options.ego_motion = EgoMotionSpec::new(drive.ego_motion());
        Ok(options)
    }

    /// The options of TensorRT.
    pub fn tensorrt(&self) -> Result<TensorRtOptions, Failure> {
        self.others.tensorrt()
    }

    /// The engine's options as they are for every provider, with the CPU as the only one.
    pub fn options_of_cpu(&self) -> Result<EngineOptions, Failure> {
        let mut options = EngineOptions {
            library: self.onnxruntime.clone(),
            fallback: if self.fall_back {
                Fallback::NextProvider
            } else {
                Fallback::default()
            },
            history_memory: match self.history_memory {
                HistoryMemoryName::Automatic => HistoryMemory::Automatic,
                HistoryMemoryName::Host => HistoryMemory::Host,
                HistoryMemoryName::Provider => HistoryMemory::Provider,
            },
            ..EngineOptions::default()
        };
        if self.threads > 0 {
            options.intra_op_threads = self.threads;
        }
        if self.no_spinning {
            options.spinning = Spinning::Off;
        }
        options.pool = ThreadSettings {
            cores: ThreadSettings::cores_from_text(&self.pool_cores)?,
            priority: self
                .pool_priority
                .map_or(ThreadPriority::Inherited, ThreadPriority::RealTime),
        };
        Ok(options)
    }

    /// The engine's options for one of several workers: one thread unless something else was asked
    /// for.
    pub fn options_of_a_worker(&self) -> Result<EngineOptions, Failure> {
        let mut options = self.options()?;
        if self.threads == 0 {
            options.intra_op_threads = 1;
        }
        Ok(options)
    }

    /// The number format that was asked for.
    pub fn precision(&self) -> Option<Precision> {
        self.precision
    }
}
