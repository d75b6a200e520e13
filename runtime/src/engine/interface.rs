use bevrt_calibration::RaySpec;

use crate::manifest::Manifest;

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
    /// `history` f32 [1, rows, cols, slots · channels].
    History,
    /// `history_state` f32 [slots, 2].
    HistoryState,
}

/// What an output is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutputRole {
    /// `bev` f32 [rows, cols, channels]: this frame's map for the queue.
    Bev,
    /// f32 [1, channels, rows, cols]; the number is the head's place in the manifest.
    Head(usize),
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
}

/// All inputs and outputs that manifest and rig demand of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkInterface {
    cameras: usize,
    inputs: Vec<InputSpec>,
    outputs: Vec<OutputSpec>,
}

impl NetworkInterface {
    /// What a network must take and give for this manifest and a rig of `cameras` cameras.
    pub fn new(manifest: &Manifest, cameras: usize) -> Self {
        let mut inputs = vec![images(manifest, cameras)];
        inputs.extend(manifest.rays().map(|rays| rays_input(rays, cameras)));
        for place in 0..manifest.lifts().len() {
            inputs.extend(lift(manifest, place));
        }
        inputs.extend(history(manifest));
        Self {
            cameras,
            inputs,
            outputs: outputs(manifest),
        }
    }

    /// Number of cameras.
    pub fn cameras(&self) -> usize {
        self.cameras
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

fn images(manifest: &Manifest, cameras: usize) -> InputSpec {
    let preprocess = manifest.preprocess();
    InputSpec {
        role: InputRole::Images,
        name: "images".into(),
        element: ElementType::F32,
        shape: vec![
            cameras,
            3,
            preprocess.height as usize,
            preprocess.width as usize,
        ],
    }
}

fn rays_input(rays: &RaySpec, cameras: usize) -> InputSpec {
    InputSpec {
        role: InputRole::Rays,
        name: "rays".into(),
        element: ElementType::F32,
        shape: vec![
            cameras,
            RaySpec::CHANNELS,
            rays.feature_height as usize,
            rays.feature_width as usize,
        ],
    }
}

fn lift(manifest: &Manifest, place: usize) -> Vec<InputSpec> {
    let lift = &manifest.lifts()[place];
    let cells = lift.spec.grid.cell_count();
    let heights = lift.spec.heights_m.len();
    let voxels = cells * heights;
    let taps = voxels * lift.spec.taps as usize;
    let input = |suffix: &str, role, element, shape| InputSpec {
        role,
        name: format!("{}_{suffix}", lift.name),
        element,
        shape,
    };
    let mut inputs = vec![input(
        "index",
        InputRole::LiftIndex(place),
        ElementType::I32,
        vec![taps],
    )];
    if lift.spec.taps > 1 {
        inputs.push(input(
            "weight",
            InputRole::LiftWeight(place),
            ElementType::F32,
            vec![taps],
        ));
    }
    if lift.spec.depth_bins.is_some() {
        inputs.push(input(
            "depth_index",
            InputRole::LiftDepthIndex(place),
            ElementType::I32,
            vec![voxels],
        ));
    }
    if lift.geometry {
        inputs.push(input(
            "geometry",
            InputRole::LiftGeometry(place),
            ElementType::F32,
            vec![cells, heights * 4],
        ));
    }
    inputs
}

fn history(manifest: &Manifest) -> Vec<InputSpec> {
    let Some(queue) = manifest.queue() else {
        return Vec::new();
    };
    let (slots, channels) = (queue.slots as usize, queue.channels as usize);
    let (rows, cols) = (queue.grid.rows, queue.grid.cols);
    vec![
        InputSpec {
            role: InputRole::History,
            name: "history".into(),
            element: ElementType::F32,
            shape: vec![1, rows, cols, slots * channels],
        },
        InputSpec {
            role: InputRole::HistoryState,
            name: "history_state".into(),
            element: ElementType::F32,
            shape: vec![slots, 2],
        },
    ]
}

fn outputs(manifest: &Manifest) -> Vec<OutputSpec> {
    let mut outputs = Vec::new();
    if let Some(queue) = manifest.queue() {
        outputs.push(OutputSpec {
            role: OutputRole::Bev,
            name: "bev".into(),
            shape: vec![queue.grid.rows, queue.grid.cols, queue.channels as usize],
        });
    }
    for (place, head) in manifest.heads().iter().enumerate() {
        outputs.push(OutputSpec {
            role: OutputRole::Head(place),
            name: head.output.clone(),
            shape: vec![1, head.kind.channels(), head.grid.rows, head.grid.cols],
        });
    }
    outputs
}
