//! A model small enough to be read: two cameras, one lift, a queue of two slots, two heads.

use bevrt_calibration::{Camera, Ego, Intrinsics, Lens, Odom, Pose, Rig};
use bevrt_runtime::{
    EngineError, FrameError, ImageView, Manifest, NetworkInterface, OutputFrame, OutputRole,
    Pipeline, PipelineOptions, PixelFormat, Span, Stamp, StepOutcome,
};
use nalgebra::{UnitQuaternion, Vector3};

use crate::scripted_engine::{ScriptedEngine, Tensors};

pub const WIDTH: u32 = 64;
pub const HEIGHT: u32 = 48;
/// Cells of the grid and of the object head.
pub const CELLS: usize = 16 * 16;
/// The index of a cell that no camera sees: 2 cameras of 4 x 2 features.
pub const NULL: i32 = 16;
/// The cell in which the script sees a car: row 12, column 8, centre (18, 2).
pub const CAR_CELL: usize = 12 * 16 + 8;

const MANIFEST: &str = r#"
format = 1
name = "small"
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
[rays]
stride = 8
[[lift]]
name = "ground"
stride = 8
taps = 1
heights_m = [0.0]
geometry = true
grid = { x_min_m = -32.0, y_min_m = -32.0, cell_m = 4.0, rows = 16, cols = 16 }
[queue]
grid = { x_min_m = -32.0, y_min_m = -32.0, cell_m = 4.0, rows = 16, cols = 16 }
channels = 2
slots = 2
stride_s = 0.2
storage = "f16"
[[head]]
kind = "objects"
output = "objects"
grid = { x_min_m = -32.0, y_min_m = -32.0, cell_m = 4.0, rows = 16, cols = 16 }
classes = ["car", "van", "truck", "bus", "motorcycle", "cyclist", "pedestrian", "cone"]
thresholds = [0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]
[[head]]
kind = "stop_lines"
output = "stop_lines"
grid = { x_min_m = -32.0, y_min_m = -32.0, cell_m = 4.0, rows = 16, cols = 16 }
classes = ["stop_line"]
thresholds = [0.3]
"#;

pub fn manifest() -> Manifest {
    Manifest::from_toml_str(MANIFEST, "small/manifest.toml".as_ref()).expect("it is sound")
}

/// A camera ahead and one behind, 90 degrees each.
pub fn rig() -> Rig {
    let camera = |name: &str, x_m: f64, yaw_rad: f64| Camera {
        name: name.into(),
        intrinsics: Intrinsics::new([32.0; 2], [31.5, 23.5], [WIDTH, HEIGHT], Lens::IDEAL)
            .expect("sound numbers"),
        ego_from_cam: Pose::looking(Vector3::new(x_m, 0.0, 1.5), yaw_rad, 0.0, 0.0),
    };
    let cameras = vec![
        camera("front", 1.5, 0.0),
        camera("back", 0.0, std::f64::consts::PI),
    ];
    Rig::new(cameras, 0).expect("two names")
}

pub fn options() -> PipelineOptions {
    PipelineOptions::new("small", rig())
}

/// A pipeline whose network is the script of [`see_a_car`] followed by `more`.
pub fn pipeline(
    options: PipelineOptions,
    more: impl FnMut(&mut Tensors) -> Result<(), EngineError> + Send + 'static,
) -> Pipeline {
    Pipeline::with_engine(manifest(), Box::new(engine(more)), options).expect("it fits together")
}

/// The engine of [`pipeline`].
pub fn engine(
    mut more: impl FnMut(&mut Tensors) -> Result<(), EngineError> + Send + 'static,
) -> ScriptedEngine {
    let interface = NetworkInterface::new(&manifest(), 2);
    ScriptedEngine::new(interface, move |tensors, set| {
        see_a_car(tensors, set.index());
        more(tensors)
    })
}

pub fn plain_pipeline() -> Pipeline {
    pipeline(options(), |_| Ok(()))
}

/// The map holds the mean of the images and the number of the cell; the object head one car.
fn see_a_car(tensors: &mut Tensors, set: usize) {
    let images = &tensors.images[set];
    let mean = images.iter().sum::<f32>() / images.len() as f32;
    let bev = tensors.output_mut(OutputRole::Bev);
    for (cell, values) in bev.chunks_exact_mut(2).enumerate() {
        values.copy_from_slice(&[mean, cell as f32]);
    }
    let objects = tensors.output_mut(OutputRole::Head(0));
    objects.fill(0.0);
    objects[..8 * CELLS].fill(-10.0);
    objects[CAR_CELL] = 4.0;
    let mut set = |channel: usize, value: f32| objects[channel * CELLS + CAR_CELL] = value;
    set(10, 0.8);
    set(11, 4.5_f32.ln());
    set(12, 1.8_f32.ln());
    set(13, 1.5_f32.ln());
    set(15, 1.0);
    // It keeps its distance to the vehicle of [`pose_at`].
    set(16, 10.0);
    (19..25).for_each(|channel| set(channel, 0.2_f32.ln()));
    let stop_lines = tensors.output_mut(OutputRole::Head(1));
    stop_lines.fill(0.0);
    stop_lines[..CELLS].fill(-10.0);
}

pub fn milliseconds(value: i64) -> Stamp {
    Stamp::ZERO + Span::from_milliseconds(value)
}

/// Straight ahead at 10 m/s.
pub fn pose_at(stamp: Stamp) -> Pose<Odom, Ego> {
    Pose::new(
        UnitQuaternion::identity(),
        Vector3::new(10.0 * stamp.seconds(), 0.0, 0.0),
    )
}

/// A picture that differs from stamp to stamp.
pub fn picture(camera: usize, stamp: Stamp) -> Vec<u8> {
    let shade = (stamp.nanoseconds() / 1_000_000 % 97) as usize;
    (0..(WIDTH * HEIGHT) as usize)
        .map(|pixel| (pixel * 7 + shade * 3 + camera * 31) as u8)
        .collect()
}

pub fn push_image(pipeline: &mut Pipeline, camera: usize, stamp: Stamp) -> Result<(), FrameError> {
    let bytes = picture(camera, stamp);
    let image = ImageView::packed(PixelFormat::Grey, WIDTH, HEIGHT, &bytes).expect("it fits");
    pipeline.push_image(camera, &image, stamp, stamp + Span::from_milliseconds(5))
}

/// Both images of a set and the motion to its stamp.
pub fn push_set(pipeline: &mut Pipeline, stamp: Stamp) {
    pipeline
        .push_pose(stamp, &pose_at(stamp))
        .expect("time goes on");
    for camera in 0..2 {
        push_image(pipeline, camera, stamp).expect("time goes on");
    }
}

/// A step 20 ms after the stamp, which must give a frame.
pub fn step(pipeline: &mut Pipeline, stamp: Stamp) -> Box<OutputFrame> {
    let mut frame = OutputFrame::boxed();
    let outcome = pipeline.step(stamp + Span::from_milliseconds(20), &mut frame);
    assert_eq!(outcome, Ok(StepOutcome::Frame));
    frame
}

/// Complete sets every 100 ms, from `first_ms` up to but not including `end_ms`.
pub fn drive(pipeline: &mut Pipeline, first_ms: i64, end_ms: i64) -> Vec<Box<OutputFrame>> {
    (first_ms..end_ms)
        .step_by(100)
        .map(|stamp_ms| {
            push_set(pipeline, milliseconds(stamp_ms));
            step(pipeline, milliseconds(stamp_ms))
        })
        .collect()
}
