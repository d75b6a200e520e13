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

/// The feature queue that the network was trained with.
#[derive(Clone, Debug)]
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
}

/// Kind of element that a head finds; it decides the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadKind {
    /// 3D objects.
    Objects,
    /// Painted lines and road edges.
    Lanes,
    /// Road arrows.
    Arrows,
    /// Crosswalks.
    Crosswalks,
    /// Stop lines.
    StopLines,
}

impl HeadKind {
    /// The name as it stands in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Objects => "objects",
            Self::Lanes => "lanes",
            Self::Arrows => "arrows",
            Self::Crosswalks => "crosswalks",
            Self::StopLines => "stop_lines",
        }
    }

    /// How many confidence maps the kind has.
    pub const fn class_count(self) -> usize {
        match self {
            Self::Objects | Self::Arrows => 8,
            Self::Lanes | Self::Crosswalks | Self::StopLines => 1,
        }
    }

    /// Channels of the head's output map.
    pub const fn channels(self) -> usize {
        match self {
            Self::Objects => 25,
            Self::Lanes => 13,
            Self::Arrows => 14,
            Self::Crosswalks => 9,
            Self::StopLines => 8,
        }
    }
}

impl fmt::Display for HeadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One output map of the network and how it is decoded.
#[derive(Clone, Debug)]
pub struct HeadSection {
    /// Kind of element.
    pub kind: HeadKind,
    /// Name of the network's output.
    pub output: String,
    /// Cells of the output map.
    pub grid: BevGrid,
    /// Names of the classes, in the order of the confidence maps or types; may be empty.
    pub classes: Vec<String>,
    /// Confidence from which an element is reported, one for each confidence map (lanes: one, or
    /// one for each marking type).
    pub thresholds: Vec<f32>,
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
