//! A small model whose network is a function of its images, so that no ONNX Runtime is needed.

use bevrt_calibration::Rig;
use bevrt_runtime::{
    EgoMotionSource, EgoMotionSpec, ElementType, Engine, EngineError, ImageSet, InputRole,
    Manifest, NetworkInterface, OutputRole, Pipeline, PipelineOptions, Provider,
};

const CELLS: usize = 16 * 16;
/// Row 12, column 8: centre (18, 2).
const CAR_CELL: usize = 12 * 16 + 8;

const MANIFEST: &str = r#"
format = 1
name = "scripted"
version = "0.1.0"
world = "none"
[[network]]
file = "none.onnx"
precision = "fp32"
providers = ["cpu"]
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[preprocess]
width = 176
height = 64
crop_top = 0.353333
kernel = "area"
colour = "rgb"
mean = [127.5, 127.5, 127.5]
std = [64.0, 64.0, 64.0]
[[lift]]
name = "ground"
stride = 8
taps = 1
heights_m = [0.0]
geometry = true
grid = { x_min_m = -32.0, y_min_m = -32.0, cell_m = 4.0, rows = 16, cols = 16 }
[[head]]
kind = "objects"
output = "objects"
grid = { x_min_m = -32.0, y_min_m = -32.0, cell_m = 4.0, rows = 16, cols = 16 }
classes = ["car", "van", "truck", "bus", "motorcycle", "cyclist", "pedestrian", "cone"]
thresholds = [0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]
"#;

/// The manifest of the model.
pub fn manifest() -> Manifest {
    Manifest::from_toml_str(MANIFEST, "scripted/manifest.toml".as_ref()).expect("it is sound")
}

/// A pipeline around the scripted network.
pub fn pipeline(rig: Rig, source: EgoMotionSource) -> Pipeline {
    let interface = NetworkInterface::new(&manifest(), rig.cameras().len());
    let mut options = PipelineOptions::new("scripted", rig);
    options.ego_motion = EgoMotionSpec::new(source);
    let engine = Box::new(ScriptedEngine::new(interface));
    Pipeline::with_engine(manifest(), engine, options).expect("it fits together")
}

/// Shows a car whose length follows from the levels of all images.
struct ScriptedEngine {
    interface: NetworkInterface,
    images: [Vec<f32>; 2],
    floats: Vec<(InputRole, Vec<f32>)>,
    indices: Vec<(InputRole, Vec<i32>)>,
    objects: Vec<f32>,
}

impl ScriptedEngine {
    fn new(interface: NetworkInterface) -> Self {
        let mut images = [Vec::new(), Vec::new()];
        let (mut floats, mut indices) = (Vec::new(), Vec::new());
        for input in interface.inputs() {
            let len = input.shape.iter().product();
            match (input.role, input.element) {
                (InputRole::Images, _) => images = [vec![0.0; len], vec![0.0; len]],
                (role, ElementType::F32) => floats.push((role, vec![0.0; len])),
                (role, ElementType::I32) => indices.push((role, vec![0; len])),
            }
        }
        Self {
            interface,
            images,
            floats,
            indices,
            objects: vec![0.0; 25 * CELLS],
        }
    }
}

fn find<T>(tensors: &mut [(InputRole, Vec<T>)], role: InputRole) -> Result<&mut [T], EngineError> {
    let found = tensors.iter_mut().find(|(of, _)| *of == role);
    found
        .map(|(_, values)| values.as_mut_slice())
        .ok_or(EngineError::NoSuchTensor)
}

impl Engine for ScriptedEngine {
    fn interface(&self) -> &NetworkInterface {
        &self.interface
    }

    fn provider(&self) -> &Provider {
        &Provider::Cpu
    }

    fn images_mut(&mut self, set: ImageSet) -> &mut [f32] {
        &mut self.images[set.index()]
    }

    fn input_mut(&mut self, role: InputRole) -> Result<&mut [f32], EngineError> {
        find(&mut self.floats, role)
    }

    fn index_mut(&mut self, role: InputRole) -> Result<&mut [i32], EngineError> {
        find(&mut self.indices, role)
    }

    fn run(&mut self, images: ImageSet) -> Result<(), EngineError> {
        let images = &self.images[images.index()];
        let mean = images.iter().sum::<f32>() / images.len() as f32;
        self.objects[..8 * CELLS].fill(-10.0);
        self.objects[8 * CELLS..].fill(0.0);
        self.objects[CAR_CELL] = 4.0;
        let mut set = |channel: usize, value| self.objects[channel * CELLS + CAR_CELL] = value;
        set(11, 4.5_f32.ln() + 0.1 * mean);
        set(12, 1.8_f32.ln());
        set(13, 1.5_f32.ln());
        set(15, 1.0);
        Ok(())
    }

    fn output(&self, role: OutputRole) -> Result<&[f32], EngineError> {
        match role {
            OutputRole::Head(0) => Ok(&self.objects),
            OutputRole::Head(_) | OutputRole::HeadValues(_) | OutputRole::Bev => {
                Err(EngineError::NoSuchTensor)
            }
        }
    }

    fn last_failure(&self) -> Option<&str> {
        None
    }
}
