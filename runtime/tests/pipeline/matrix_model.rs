//! A model of the other families: matrices in, history that the network aligns, query sets out.
//!
//! Rig, pictures and motion are those of the small model.

use bevrt_calibration::Rig;
use bevrt_runtime::{
    EngineError, Manifest, NetworkInterface, OutputRole, Pipeline, PipelineOptions, SetupError,
};

use crate::scripted_engine::{ScriptedEngine, Tensors};
use crate::small_model as small;

/// Columns of a box.
const BOX: usize = 17;

const MANIFEST: &str = r#"
format = 1
name = "matrices"
version = "0.1.0"
world = "none"
[[network]]
file = "none.onnx"
precision = "fp32"
providers = ["cpu"]
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[preprocess]
width = 32
height = 16
crop_top = 0.25
kernel = "area"
colour = "rgb"
mean = [128.0, 128.0, 128.0]
std = [64.0, 64.0, 64.0]
[matrices]
largest_distortion_px = 0.5
[queue]
grid = { x_min_m = -32.0, y_min_m = -32.0, cell_m = 4.0, rows = 16, cols = 16 }
channels = 2
slots = 2
stride_s = 0.2
storage = "f16"
alignment = "graph"
[[head]]
kind = "objects"
form = "queries"
output = "found"
queries = 4
range = { x_min_m = -32.0, x_max_m = 32.0, y_min_m = -32.0, y_max_m = 32.0 }
classes = ["car", "van", "truck", "bus", "motorcycle", "cyclist", "pedestrian", "cone"]
thresholds = [0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]
[[head]]
kind = "map_elements"
form = "queries"
output = "map"
queries = 3
points = 5
dimensions = 2
coordinates = "metres"
range = { x_min_m = -24.0, x_max_m = 24.0, y_min_m = -16.0, y_max_m = 16.0 }
classes = ["divider", "crossing", "stop"]
elements = ["dashed", "crosswalk", "stop_line"]
sigma_m = [0.2, 0.4, 0.3]
thresholds = [0.4, 0.4, 0.4]
"#;

pub fn manifest() -> Manifest {
    Manifest::from_toml_str(MANIFEST, "matrices/manifest.toml".as_ref()).expect("it is sound")
}

/// A pipeline whose network is the script of [`see`] followed by `more`.
pub fn pipeline(
    rig: Rig,
    mut more: impl FnMut(&mut Tensors) -> Result<(), EngineError> + Send + 'static,
) -> Result<Pipeline, SetupError> {
    let interface = NetworkInterface::new(&manifest(), rig.cameras().len());
    let engine = ScriptedEngine::new(interface, move |tensors, _| {
        see(tensors);
        more(tensors)
    });
    let options = PipelineOptions::new("matrices", rig);
    Pipeline::with_engine(manifest(), Box::new(engine), options)
}

pub fn plain_pipeline() -> Pipeline {
    pipeline(small::rig(), |_| Ok(())).expect("it fits together")
}

/// A car ahead, a line to the left, a crosswalk and a stop line before it.
fn see(tensors: &mut Tensors) {
    let bev = tensors.output_mut(OutputRole::Bev);
    for (cell, values) in bev.chunks_exact_mut(2).enumerate() {
        values.copy_from_slice(&[0.5, cell as f32]);
    }
    let scores = tensors.output_mut(OutputRole::Head(0));
    scores.fill(-10.0);
    scores[2 * 8] = 4.0;
    let boxes = tensors.output_mut(OutputRole::HeadValues(0));
    boxes.fill(0.0);
    let car = &mut boxes[2 * BOX..3 * BOX];
    car[..3].copy_from_slice(&[18.0, 2.0, 0.8]);
    car[3..6].copy_from_slice(&[4.5, 1.8, 1.5].map(f32::ln));
    car[7] = 1.0;
    // It keeps its distance to the vehicle of `small::pose_at`.
    car[8] = 10.0;
    car[11..].fill(0.2_f32.ln());
    let scores = tensors.output_mut(OutputRole::Head(1));
    scores.fill(-10.0);
    (0..3).for_each(|query| scores[query * 3 + query] = 3.0);
    tensors
        .output_mut(OutputRole::HeadValues(1))
        .copy_from_slice(&[
            -20.0, 3.0, -10.0, 3.0, 0.0, 3.0, 10.0, 3.0, 20.0, 3.0, // the line
            12.0, -4.0, 12.0, 4.0, 15.0, 4.0, 15.0, -4.0, 12.0, -4.0, // around the crosswalk
            10.0, -3.0, 10.0, -2.0, 10.0, -1.0, 10.0, 0.0, 10.0, 1.0, // the stop line
        ]);
}
