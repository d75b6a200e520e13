//! Options that every command with a model package shares.

use crate::failure::Failure;
use bevrt_runtime::{EngineOptions, Fallback, Precision, Provider};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

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
}

/// Reads a number format.
pub fn parse_precision(name: &str) -> Result<Precision, String> {
    Precision::from_name(name)
        .ok_or_else(|| format!("expected fp32, fp16, int8-cpu or int8-trt, found `{name}`"))
}

impl EngineArguments {
    /// The engine's options.
    pub fn options(&self) -> Result<EngineOptions, Failure> {
        let mut options = EngineOptions {
            library: self.onnxruntime.clone(),
            fallback: if self.fall_back {
                Fallback::NextProvider
            } else {
                Fallback::default()
            },
            ..EngineOptions::default()
        };
        if self.threads > 0 {
            options.intra_op_threads = self.threads;
        }
        options.providers = self
            .provider
            .iter()
            .map(|name| match name {
                ProviderName::Cpu => Ok(Provider::Cpu),
                ProviderName::Cuda => Ok(Provider::Cuda { device: 0 }),
                ProviderName::Tensorrt => Err(Failure::new(
                    "--provider tensorrt: expected a folder of prebuilt engines, which this command does not take yet; \
                     use the library's `Provider::TensorRt`",
                )),
            })
            .collect::<Result<_, _>>()?;
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
