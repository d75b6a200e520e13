use std::fmt;
use std::path::PathBuf;

use bevrt_calibration::{BevGrid, LiftSpec};
use serde::Deserialize;

/// Number format of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum Precision {
    /// 32-bit floating point.
    #[serde(rename = "fp32")]
    Fp32,
    /// 16-bit floating point.
    #[serde(rename = "fp16")]
    Fp16,
    /// 8-bit integers for CPUs: u8 activations, s8 weights.
    #[serde(rename = "int8-cpu")]
    Int8Cpu,
    /// 8-bit integers for TensorRT: symmetric s8.
    #[serde(rename = "int8-trt")]
    Int8TensorRt,
}

impl Precision {
    /// Every number format.
    pub const ALL: [Self; 4] = [Self::Fp32, Self::Fp16, Self::Int8Cpu, Self::Int8TensorRt];

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|precision| precision.as_str() == name)
    }

    /// The name as it stands in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Fp16 => "fp16",
            Self::Int8Cpu => "int8-cpu",
            Self::Int8TensorRt => "int8-trt",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Family of execution providers of ONNX Runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// The processor.
    Cpu,
    /// An NVIDIA GPU.
    Cuda,
    /// An NVIDIA GPU through TensorRT.
    TensorRt,
}

impl ProviderKind {
    /// The name as it stands in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
        }
    }
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One ONNX file of the package.
#[derive(Clone, Debug)]
pub struct NetworkEntry {
    /// File, relative to the package.
    pub file: PathBuf,
    /// Number format.
    pub precision: Precision,
    /// Providers that it is for.
    pub providers: Vec<ProviderKind>,
    /// CPU features that it wants, such as `avx512vnni`.
    pub cpu_features: Vec<String>,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
}

/// Another file of the package, such as a golden picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// File, relative to the package.
    pub file: PathBuf,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
}

/// Order of the three colour planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColourOrder {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
}

/// Kernel of the image resize.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResizeKernel {
    /// Mean over the covered source area.
    Area,
}

/// How an image becomes the network's input: crop, resize, colour order, `(level - mean) / std`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PreprocessSection {
    /// Width of the network's image, pixels.
    pub width: u32,
    /// Height of the network's image, pixels.
    pub height: u32,
    /// Share of the source height that is cut off above.
    pub crop_top: f64,
    /// Resize kernel.
    pub kernel: ResizeKernel,
    /// Order of the planes.
    pub colour: ColourOrder,
    /// Mean level of each plane in the network's colour order.
    pub mean: [f32; 3],
    /// Scale of each plane in the network's colour order, above 0.
    pub std: [f32; 3],
}

/// One projection table that the network takes as input.
#[derive(Clone, Debug)]
pub struct LiftSection {
    /// Name; the inputs are called `<name>_index` and so on.
    pub name: String,
    /// Whether the network takes `<name>_geometry`.
    pub geometry: bool,
    /// Cells, heights and feature maps of the table.
    pub spec: LiftSpec,
}

/// The cameras as matrices, for a network that lifts by depth or by attention.
///
/// It takes `intrinsics` f32 [cameras, 3, 3], `ego_from_cam` f32 [cameras, 4, 4] and `camera_valid`
/// f32 `[cameras]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MatricesSection {
    /// How far a lens may move any pixel from where its pinhole matrix has it, in pixels of the
    /// network's image; infinite for a network that copes with every lens.
    pub largest_distortion_px: f64,
}

/// How past maps are stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum QueueStorage {
    /// 16-bit floating point.
    F16,
    /// 8 bit: value = (stored − zero point) · scale.
    U8 {
        /// Step of one level, above 0.
        scale: f32,
        /// Level that means 0.
        zero_point: u8,
    },
}

/// Who brings past maps into the present ego frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueueAlignment {
    /// The runtime: `history` holds aligned maps.
    #[default]
    Runtime,
    /// The network: `history` holds the maps as they were stored, `history_from_now` the motions.
    Graph,
}

/// The feature queue that the network was trained with.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueSection {
    /// Cells of a map.
    pub grid: BevGrid,
    /// Channels of a map.
    pub channels: u32,
    /// Past maps that the network sees.
    pub slots: u32,
    /// Time between them.
    pub stride_s: f64,
    /// How they are stored.
    pub storage: QueueStorage,
    /// Who aligns them.
    pub alignment: QueueAlignment,
}

/// The golden self-test of the package.
#[derive(Clone, Debug)]
pub struct GoldenSection {
    /// Description of the cases, relative to the package.
    pub file: PathBuf,
    /// Allowed difference in standard deviations of the output's channel, by precision.
    pub tolerance: Vec<(Precision, f32)>,
}

impl GoldenSection {
    /// The allowed difference of networks of this precision.
    pub fn tolerance_of(&self, precision: Precision) -> Option<f32> {
        self.tolerance
            .iter()
            .find(|(of, _)| *of == precision)
            .map(|(_, tolerance)| *tolerance)
    }
}
