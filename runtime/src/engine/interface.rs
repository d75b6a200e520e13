mod inputs;
mod outputs;

use crate::manifest::{Manifest, QueueSection};

/// Name of the symbolic dimension that the rig fixes at load.
pub const CAMERA_DIMENSION: &str = "cameras";

/// What an input is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InputRole {
    /// `images` f32 [cameras, 3, height, width].
    Images,
    /// `rays` f32 [cameras, 5, rows, columns], only if the manifest asks for them.
    Rays,
    /// `<lift>_index` i32 [cells · heights · taps]; the number is the lift's place in the manifest.
    LiftIndex(usize),
    /// `<lift>_weight` f32 [cells · heights · taps], only with more than one tap.
    LiftWeight(usize),
    /// `<lift>_depth_index` i32 [cells · heights], only with depth bins.
    LiftDepthIndex(usize),
    /// `<lift>_geometry` f32 [cells, heights · 4].
    LiftGeometry(usize),
    /// `intrinsics` f32 [cameras, 3, 3], only if the manifest asks for matrices.
    Intrinsics,
    /// `ego_from_cam` f32 [cameras, 4, 4], only if the manifest asks for matrices.
    EgoFromCam,
    /// `camera_valid` f32 `[cameras]`, only if the manifest asks for matrices.
    CameraValid,
    /// `history` f32 [1, rows, cols, slots · channels].
    History,
    /// `history_state` f32 [slots, 2].
    HistoryState,
    /// `history_from_now` f32 [slots, 3, 3], only for a network that aligns by itself.
    HistoryFromNow,
}

/// What an output is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutputRole {
    /// `bev` f32 [rows, cols, channels]: this frame's map for the queue.
    Bev,
    /// A dense map f32 [1, channels, rows, cols], or the scores of a query set f32 [1, queries,
    /// classes]; the number is the head's place in the manifest.
    Head(usize),
    /// What the queries of a head stand for: boxes f32 [1, queries, 17] or points f32 [1, queries,
    /// points, dimensions].
    HeadValues(usize),
}

/// Element type of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    /// 32-bit floating point.
    F32,
    /// 32-bit signed integer.
    I32,
}

impl ElementType {
    /// The short name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::I32 => "i32",
        }
    }
}

/// One of the two image inputs that alternate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImageSet {
    /// The one to begin with.
    #[default]
    First,
    /// The other one.
    Second,
}

impl ImageSet {
    /// The set that is not this one.
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// 0 or 1.
    pub const fn index(self) -> usize {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }
}

/// Where the manifest says what a tensor is, so that a mismatch can name the line to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The section or field without which there would be no such tensor, such as `lift[0]`.
    pub section: String,
    /// The section's fields that each dimension follows from, such as `slots, channels`; empty
    /// where the contract fixes it, [`CAMERA_DIMENSION`] where the rig does.
    pub dimensions: Vec<&'static str>,
}

impl Origin {
    fn new(section: impl Into<String>, dimensions: &[&'static str]) -> Self {
        Self {
            section: section.into(),
            dimensions: dimensions.to_vec(),
        }
    }

    /// What to change when dimension `place` differs from the network's.
    pub fn change(&self, place: usize) -> String {
        match self.dimensions.get(place).copied() {
            Some(CAMERA_DIMENSION) => format!(
                "take a rig of as many cameras, or name the dimension `{CAMERA_DIMENSION}` in the network"
            ),
            Some("") | None => format!(
                "the contract fixes this dimension: change the network, or `{}` of the manifest",
                self.section
            ),
            Some(fields) => {
                let fields: Vec<String> = fields
                    .split(", ")
                    .map(|field| format!("`{}.{field}`", self.section))
                    .collect();
                format!(
                    "change {} of the manifest, or the network",
                    fields.join(" or ")
                )
            }
        }
    }
}

/// An input with its fixed shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputSpec {
    /// What it is for.
    pub role: InputRole,
    /// Name in the network.
    pub name: String,
    /// Element type.
    pub element: ElementType,
    /// Shape.
    pub shape: Vec<usize>,
    /// Where the manifest says so.
    pub origin: Origin,
}

/// An output with its fixed shape; all outputs are f32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputSpec {
    /// What it is for.
    pub role: OutputRole,
    /// Name in the network.
    pub name: String,
    /// Shape.
    pub shape: Vec<usize>,
    /// Where the manifest says so.
    pub origin: Origin,
}

/// All inputs and outputs that manifest and rig demand of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkInterface {
    cameras: usize,
    queue: Option<QueueSection>,
    inputs: Vec<InputSpec>,
    outputs: Vec<OutputSpec>,
}

impl NetworkInterface {
    /// What a network must take and give for this manifest and a rig of `cameras` cameras.
    pub fn new(manifest: &Manifest, cameras: usize) -> Self {
        Self {
            cameras,
            queue: manifest.queue().cloned(),
            inputs: inputs::of(manifest, cameras),
            outputs: outputs::of(manifest),
        }
    }

    /// Number of cameras.
    pub fn cameras(&self) -> usize {
        self.cameras
    }

    /// The queue through which the network's maps come back as its history.
    pub fn queue(&self) -> Option<&QueueSection> {
        self.queue.as_ref()
    }

    /// The inputs.
    pub fn inputs(&self) -> &[InputSpec] {
        &self.inputs
    }

    /// The outputs.
    pub fn outputs(&self) -> &[OutputSpec] {
        &self.outputs
    }
}
