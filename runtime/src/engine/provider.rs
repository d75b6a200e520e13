//! Execution providers with their options, and the texts that ONNX Runtime takes for them.

use std::fmt;
use std::path::PathBuf;

use super::EngineLoadError;
use crate::manifest::ProviderKind;

/// An execution provider with its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The processor.
    Cpu,
    /// An NVIDIA GPU.
    Cuda(CudaOptions),
    /// An NVIDIA GPU through TensorRT.
    TensorRt(TensorRtOptions),
    /// Another one, from a library of its vendor.
    Plugin(PluginOptions),
}

/// Options of the CUDA provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CudaOptions {
    /// Number of the GPU.
    pub device: i32,
    /// Most memory of its arena, in bytes; `None` leaves it all of the GPU's.
    pub memory_limit: Option<u64>,
    /// Whether the run is captured as a CUDA graph at the warm-up and replayed after.
    pub has_graphs: bool,
    /// Whether products of 32-bit numbers may be computed in TF32, with 10 bits of mantissa.
    pub has_tf32: bool,
}

/// Options of the TensorRT provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorRtOptions {
    /// Number of the GPU.
    pub device: i32,
    /// Whether layers may run in 16 bit.
    pub has_fp16: bool,
    /// Whether layers may run in 8 bit, as the network's quantisation says.
    pub has_int8: bool,
    /// Folder of the engines that were built ahead by `bevrt build-engine`, with their record.
    pub engine_cache: PathBuf,
    /// What happens when they do not serve.
    pub missing_engine: MissingEngine,
    /// Folder of the timing cache, which makes building faster the second time.
    pub timing_cache: Option<PathBuf>,
    /// Deep-learning accelerator that takes the layers that it can, on boards that have some.
    pub dla_core: Option<u32>,
    /// Whether the run is captured as a CUDA graph at the warm-up and replayed after.
    pub has_graphs: bool,
    /// Most scratch memory of a layer, in bytes.
    pub workspace_limit: Option<u64>,
}

/// What happens when the engine cache holds no engine that serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingEngine {
    /// Loading is refused and says what differs: building takes minutes, and is no surprise to have
    /// at the start of a vehicle.
    #[default]
    Refuse,
    /// It is built while loading.
    Build,
}

/// A provider that ONNX Runtime loads from a library, by its plug-in interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginOptions {
    /// The library.
    pub library: PathBuf,
    /// The provider's name, such as `QNNExecutionProvider`: its devices carry it.
    pub name: String,
    /// Options that the provider knows, as key and value.
    pub options: Vec<(String, String)>,
    /// Whose networks it takes, as the package's manifest names providers.
    pub networks_of: ProviderKind,
}

impl TensorRtOptions {
    /// 16 bit on the first GPU, with engines that were built ahead.
    pub fn new(engine_cache: impl Into<PathBuf>) -> Self {
        Self {
            device: 0,
            has_fp16: true,
            has_int8: false,
            engine_cache: engine_cache.into(),
            missing_engine: MissingEngine::default(),
            timing_cache: None,
            dla_core: None,
            has_graphs: false,
            workspace_limit: None,
        }
    }

    /// The options that an engine is built by: a change of them makes another engine.
    pub(super) fn build_pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![
            ("trt_fp16_enable", flag(self.has_fp16)),
            ("trt_int8_enable", flag(self.has_int8)),
        ];
        if let Some(core) = self.dla_core {
            pairs.push(("trt_dla_enable", flag(true)));
            pairs.push(("trt_dla_core", core.to_string()));
        }
        if let Some(bytes) = self.workspace_limit {
            pairs.push(("trt_max_workspace_size", bytes.to_string()));
        }
        pairs
    }

    /// All options as ONNX Runtime takes them.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![
            ("device_id", self.device.to_string()),
            ("trt_engine_cache_enable", flag(true)),
            (
                "trt_engine_cache_path",
                self.engine_cache.display().to_string(),
            ),
            ("trt_cuda_graph_enable", flag(self.has_graphs)),
        ];
        pairs.extend(self.build_pairs());
        if let Some(folder) = &self.timing_cache {
            pairs.push(("trt_timing_cache_enable", flag(true)));
            pairs.push(("trt_timing_cache_path", folder.display().to_string()));
        }
        pairs
    }
}

impl CudaOptions {
    /// The defaults on this GPU.
    pub fn on(device: i32) -> Self {
        Self {
            device,
            ..Self::default()
        }
    }

    /// All options as ONNX Runtime takes them.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![
            ("device_id", self.device.to_string()),
            ("enable_cuda_graph", flag(self.has_graphs)),
            ("use_tf32", flag(self.has_tf32)),
            // The search at load finds the fastest kernel; the heuristic may find another each time.
            ("cudnn_conv_algo_search", "EXHAUSTIVE".into()),
        ];
        if let Some(bytes) = self.memory_limit {
            pairs.push(("gpu_mem_limit", bytes.to_string()));
        }
        pairs
    }
}

impl PluginOptions {
    /// A provider with the options of a text such as `backend_path=libQnnHtp.so;htp_arch=73`, which
    /// takes the networks of the CPU.
    ///
    /// # Errors
    /// A part of the text is no key and value.
    pub fn from_text(
        library: impl Into<PathBuf>,
        name: impl Into<String>,
        options: &str,
    ) -> Result<Self, EngineLoadError> {
        let parts = options.split(';').filter(|part| !part.trim().is_empty());
        let pair = |part: &str| match part.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                Ok((key.trim().to_owned(), value.trim().to_owned()))
            }
            _ => Err(EngineLoadError::Option {
                field: "plug-in options",
                expected: "key=value, separated by `;`",
                found: format!("{part:?}"),
            }),
        };
        Ok(Self {
            library: library.into(),
            name: name.into(),
            options: parts.map(pair).collect::<Result<_, _>>()?,
            networks_of: ProviderKind::Cpu,
        })
    }

    /// The options as ONNX Runtime takes them: with the provider's name before each.
    #[cfg_attr(not(feature = "plugin-providers"), cfg(test))]
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        let options = self.options.iter();
        options
            .map(|(key, value)| (format!("{}.{key}", self.name), value.clone()))
            .collect()
    }
}

impl Provider {
    /// The family whose networks it takes, as the manifest names it.
    pub const fn kind(&self) -> ProviderKind {
        match self {
            Self::Cpu => ProviderKind::Cpu,
            Self::Cuda(_) => ProviderKind::Cuda,
            Self::TensorRt(_) => ProviderKind::TensorRt,
            Self::Plugin(plugin) => plugin.networks_of,
        }
    }

    /// Refuses what cannot be.
    pub(super) fn check(&self) -> Result<(), EngineLoadError> {
        let wrong = |field, expected, found| {
            Err(EngineLoadError::Option {
                field,
                expected,
                found,
            })
        };
        match self {
            Self::Cuda(CudaOptions { device, .. })
            | Self::TensorRt(TensorRtOptions { device, .. })
                if *device < 0 =>
            {
                wrong("device", "0 or more", device.to_string())
            }
            Self::Plugin(plugin) if plugin.name.is_empty() || plugin.name.len() > 100 => wrong(
                "plug-in name",
                "1 to 100 letters, such as QNNExecutionProvider",
                format!("{:?}", plugin.name),
            ),
            Self::Cpu | Self::Cuda(_) | Self::TensorRt(_) | Self::Plugin(_) => Ok(()),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(cuda) => write!(f, "cuda:{}", cuda.device),
            Self::TensorRt(tensorrt) => write!(f, "tensorrt:{}", tensorrt.device),
            Self::Plugin(plugin) => f.write_str(&plugin.name),
        }
    }
}

fn flag(is_on: bool) -> String {
    u8::from(is_on).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(pairs: &[(&'static str, String)], key: &str) -> Option<String> {
        let found = pairs.iter().find(|(of, _)| *of == key);
        found.map(|(_, value)| value.clone())
    }

    #[test]
    fn tensorrt_is_told_every_option() {
        let options = TensorRtOptions {
            device: 1,
            has_int8: true,
            timing_cache: Some("timing".into()),
            dla_core: Some(0),
            has_graphs: true,
            workspace_limit: Some(1 << 30),
            ..TensorRtOptions::new("engines")
        };
        let pairs = options.pairs();
        let expected = [
            ("device_id", "1"),
            ("trt_fp16_enable", "1"),
            ("trt_int8_enable", "1"),
            ("trt_engine_cache_enable", "1"),
            ("trt_engine_cache_path", "engines"),
            ("trt_timing_cache_enable", "1"),
            ("trt_timing_cache_path", "timing"),
            ("trt_dla_enable", "1"),
            ("trt_dla_core", "0"),
            ("trt_cuda_graph_enable", "1"),
            ("trt_max_workspace_size", "1073741824"),
        ];
        for (key, expected) in expected {
            assert_eq!(value(&pairs, key).as_deref(), Some(expected), "{key}");
        }
        assert_eq!(pairs.len(), expected.len());
        let plain = TensorRtOptions::new("engines").pairs();
        assert_eq!(value(&plain, "trt_int8_enable").as_deref(), Some("0"));
        assert_eq!(value(&plain, "trt_dla_enable"), None);
        assert_eq!(value(&plain, "trt_timing_cache_enable"), None);
    }

    #[test]
    fn cuda_is_told_every_option() {
        let pairs = CudaOptions {
            device: 2,
            memory_limit: Some(5_000_000),
            has_graphs: true,
            has_tf32: false,
        }
        .pairs();
        for (key, expected) in [
            ("device_id", "2"),
            ("gpu_mem_limit", "5000000"),
            ("enable_cuda_graph", "1"),
            ("use_tf32", "0"),
        ] {
            assert_eq!(value(&pairs, key).as_deref(), Some(expected), "{key}");
        }
        assert_eq!(value(&CudaOptions::on(0).pairs(), "gpu_mem_limit"), None);
    }

    #[test]
    fn options_of_a_plug_in_are_read_and_prefixed() {
        let plugin =
            PluginOptions::from_text("libqnn.so", "Qnn", " a=1; b = x=y ;").expect("pairs");
        let own = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(plugin.pairs(), [own("Qnn.a", "1"), own("Qnn.b", "x=y")]);
        for wrong in ["a", "=1", "a=1;b"] {
            let error = PluginOptions::from_text("libqnn.so", "Qnn", wrong)
                .expect_err("no pair")
                .to_string();
            assert!(error.contains("key=value"), "{error}");
        }
    }

    #[test]
    fn impossible_options_are_refused() {
        let cuda = Provider::Cuda(CudaOptions::on(-1));
        let nameless = PluginOptions::from_text("libqnn.so", "", "").expect("no options");
        for provider in [cuda, Provider::Plugin(nameless)] {
            let refused = provider.check();
            assert!(matches!(refused, Err(EngineLoadError::Option { .. })));
        }
    }
}
