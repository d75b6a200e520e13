//! Telling a session which provider runs it.

use ort::ep::{self, ArbitrarilyConfigurableExecutionProvider};
use ort::session::builder::SessionBuilder;

use super::{EngineOptions, Fallback};
use crate::engine::OnnxRuntimeLibrary;
use crate::engine::provider::{PluginOptions, Provider};

/// A builder's error without the builder.
pub(super) fn builder_error(error: ort::Error<SessionBuilder>) -> ort::Error {
    error.into()
}

/// Registers the provider; one that cannot be registered is an error, never skipped.
pub(super) fn register(
    builder: SessionBuilder,
    library: &OnnxRuntimeLibrary,
    provider: &Provider,
    options: &EngineOptions,
) -> ort::Result<SessionBuilder> {
    let builder = match provider {
        Provider::Cpu => return Ok(builder),
        Provider::Cuda(cuda) => {
            let provider = configured(ep::CUDA::default(), cuda.pairs());
            with_provider(builder, provider.build())?
        }
        Provider::TensorRt(tensorrt) => {
            let provider = configured(ep::TensorRT::default(), tensorrt.pairs());
            with_provider(builder, provider.build())?
        }
        Provider::Plugin(plugin) => with_plugin(builder, library, plugin)?,
    };
    match options.fallback {
        Fallback::Refuse => builder.with_disable_cpu_fallback().map_err(builder_error),
        Fallback::NextProvider => Ok(builder),
    }
}

fn configured<P: ArbitrarilyConfigurableExecutionProvider>(
    provider: P,
    pairs: Vec<(&'static str, String)>,
) -> P {
    pairs.into_iter().fold(provider, |provider, (key, value)| {
        provider.with_arbitrary_config(key, value)
    })
}

fn with_provider(
    builder: SessionBuilder,
    provider: ep::ExecutionProviderDispatch,
) -> ort::Result<SessionBuilder> {
    builder
        .with_execution_providers([provider.error_on_failure()])
        .map_err(builder_error)
}

/// Loads the provider's library, once in a process, and takes all devices that it offers.
#[cfg(feature = "plugin-providers")]
fn with_plugin(
    builder: SessionBuilder,
    library: &OnnxRuntimeLibrary,
    plugin: &PluginOptions,
) -> ort::Result<SessionBuilder> {
    let environment = library.environment();
    let is_of_plugin =
        |device: &ort::device::Device<'_>| device.ep().is_ok_and(|name| name == plugin.name);
    if !environment.devices().any(|device| is_of_plugin(&device)) {
        environment.register_ep_library(&plugin.name, &plugin.library)?;
    }
    let devices: Vec<_> = environment.devices().filter(is_of_plugin).collect();
    if devices.is_empty() {
        return Err(ort::Error::new(format!(
            "{} offers no device of {} here",
            plugin.library.display(),
            plugin.name
        )));
    }
    builder
        .with_devices(devices, Some(&plugin.pairs()))
        .map_err(builder_error)
}

#[cfg(not(feature = "plugin-providers"))]
fn with_plugin(
    _: SessionBuilder,
    _: &OnnxRuntimeLibrary,
    plugin: &PluginOptions,
) -> ort::Result<SessionBuilder> {
    Err(ort::Error::new(format!(
        "{}: this build loads no plug-in providers; build it with the feature `plugin-providers`, \
         which needs ONNX Runtime 1.22 or later",
        plugin.name
    )))
}
