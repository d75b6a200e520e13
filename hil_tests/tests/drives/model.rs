//! A small model whose network is a function of its images, so that no ONNX Runtime is needed.

use bevrt_calibration::Rig;
use bevrt_runtime::{EgoMotionSource, EgoMotionSpec, Manifest, Pipeline, PipelineOptions};

use crate::stand_in::StandIn;

/// Row 12, column 8: centre (18, 2).
pub const CAR: [f64; 2] = [0.75, 0.5];

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

/// A pipeline around the stand-in.
pub fn pipeline(rig: Rig, source: EgoMotionSource) -> Pipeline {
    let engine = Box::new(StandIn::new(&manifest(), rig.cameras().len(), CAR));
    let mut options = PipelineOptions::new("scripted", rig);
    options.ego_motion = EgoMotionSpec::new(source);
    Pipeline::with_engine(manifest(), engine, options).expect("it fits together")
}
