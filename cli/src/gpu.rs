//! Options of execution providers other than the CPU.

use crate::failure::Failure;
use bevrt_runtime::{CudaOptions, PluginOptions, TensorRtOptions};
use clap::Args;
use std::path::PathBuf;

/// Options of CUDA, TensorRT and plug-in providers.
#[derive(Args)]
pub struct ProviderArguments {
    /// Number of the GPU
    #[arg(long, default_value_t = 0, help_heading = "Other providers")]
    device: i32,
    /// Folder of the TensorRT engines that `bevrt build-engine` built
    #[arg(long, value_name = "DIR", help_heading = "Other providers")]
    engine_cache: Option<PathBuf>,
    /// Folder of TensorRT's timing cache
    #[arg(long, value_name = "DIR", help_heading = "Other providers")]
    timing_cache: Option<PathBuf>,
    /// TensorRT keeps to 32 bit where it may take 16
    #[arg(long, help_heading = "Other providers")]
    no_fp16: bool,
    /// TensorRT may use 8 bit, as the network's quantisation says
    #[arg(long, help_heading = "Other providers")]
    int8: bool,
    /// TensorRT gives what it can to this deep-learning accelerator
    #[arg(long, value_name = "CORE", help_heading = "Other providers")]
    dla_core: Option<u32>,
    /// Replay a captured CUDA graph
    #[arg(long, help_heading = "Other providers")]
    cuda_graphs: bool,
    /// Most memory of CUDA's arena, or of a layer's scratch space in TensorRT
    #[arg(long, value_name = "MIB", help_heading = "Other providers")]
    gpu_memory_mib: Option<u64>,
    /// Library of the provider `plugin`
    #[arg(long, value_name = "FILE", help_heading = "Other providers")]
    plugin: Option<PathBuf>,
    /// Its name, such as QNNExecutionProvider
    #[arg(long, value_name = "NAME", help_heading = "Other providers")]
    plugin_name: Option<String>,
    /// Its options as key=value;key=value
    #[arg(
        long,
        value_name = "OPTIONS",
        default_value = "",
        help_heading = "Other providers"
    )]
    plugin_options: String,
}

impl ProviderArguments {
    /// The options of CUDA.
    pub fn cuda(&self) -> CudaOptions {
        CudaOptions {
            device: self.device,
            memory_limit: self.memory_limit(),
            has_graphs: self.cuda_graphs,
            has_tf32: false,
        }
    }

    /// The options of TensorRT.
    pub fn tensorrt(&self) -> Result<TensorRtOptions, Failure> {
        let Some(engine_cache) = &self.engine_cache else {
            return Err(Failure::new(
                "--provider tensorrt: expected --engine-cache DIR with engines that `bevrt \
                 build-engine` built, found none",
            ));
        };
        Ok(TensorRtOptions {
            device: self.device,
            has_fp16: !self.no_fp16,
            has_int8: self.int8,
            timing_cache: self.timing_cache.clone(),
            dla_core: self.dla_core,
            has_graphs: self.cuda_graphs,
            workspace_limit: self.memory_limit(),
            ..TensorRtOptions::new(engine_cache)
        })
    }

    /// The options of the plug-in.
    pub fn plugin(&self) -> Result<PluginOptions, Failure> {
        let (Some(library), Some(name)) = (&self.plugin, &self.plugin_name) else {
            return Err(Failure::new(
                "--provider plugin: expected --plugin FILE and --plugin-name NAME, found one of them \
                 missing",
            ));
        };
        Ok(PluginOptions::from_text(
            library,
            name,
            &self.plugin_options,
        )?)
    }

    fn memory_limit(&self) -> Option<u64> {
        self.gpu_memory_mib.map(|mib| mib << 20)
    }
}
