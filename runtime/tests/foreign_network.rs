//! Somebody else's network: its raw outputs through the runtime equal those of Python's ONNX Runtime.
//!
//! The fixture is written by `python -m bevrt_models foreign --out runtime/tests/fixtures/foreign`:
//! another grid, 16 channels, 2 slots, 4 cameras, 4 weighted taps, BGR, two heads, random weights,
//! and the outputs that Python got for inputs which a formula gives.

use std::path::Path;

use bevrt_calibration::{Pose, rigs};
use bevrt_runtime::{
    ElementType, Engine, EngineLoadError, EngineOptions, ImageSet, ImageView, InputRole,
    LibraryError, NetworkInterface, NetworkRequest, OnnxRuntime, OutputFrame, Package, Pipeline,
    PipelineOptions, PixelFormat, ProviderKind, RawValues, SetupError, Span, Stamp, StepOutcome,
};
use nalgebra::{UnitQuaternion, Vector3};
use serde_json::Value;

/// Largest difference, in standard deviations of the output: both sides run the same kernels.
const TOLERANCE: f64 = 1e-4;

fn fixture() -> &'static Path {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/foreign"
    ))
}

fn load(package: &Package, cameras: usize) -> Option<OnnxRuntime> {
    let request = NetworkRequest {
        provider: ProviderKind::Cpu,
        precision: None,
    };
    let entry = package.choose(request).expect("it is for the CPU");
    let network = package.read_network(entry).expect("the hash is right");
    let interface = NetworkInterface::new(package.manifest(), cameras);
    match OnnxRuntime::load(&network, interface, &EngineOptions::default()) {
        Ok(engine) => Some(engine),
        Err(EngineLoadError::Library(LibraryError::NotFound { .. })) => {
            println!("SKIPPED: no ONNX Runtime is here; `cargo xtask test` brings one");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Element `i` of input `place`, as the fixture says.
fn given_float(place: usize, i: usize) -> f32 {
    (((i * 37 + 11 * place) % 127) as f64 / 127.0 - 0.3) as f32
}

fn fill(engine: &mut OnnxRuntime, null: usize) {
    let specs = engine.interface().inputs().to_vec();
    for (place, spec) in specs.iter().enumerate() {
        match (spec.role, spec.element) {
            (InputRole::Images, _) => {
                let images = engine.images_mut(ImageSet::First);
                images
                    .iter_mut()
                    .enumerate()
                    .for_each(|(i, value)| *value = given_float(place, i));
            }
            (InputRole::HistoryState, _) => {
                let state = engine.input_mut(spec.role).expect("it has a queue");
                state.copy_from_slice(&[1.0, 0.4, 1.0, 0.8]);
            }
            (role, ElementType::F32) => {
                let values = engine.input_mut(role).expect("the interface names it");
                values
                    .iter_mut()
                    .enumerate()
                    .for_each(|(i, value)| *value = given_float(place, i));
            }
            (role, ElementType::I32) => {
                let indices = engine.index_mut(role).expect("the interface names it");
                for (i, index) in indices.iter_mut().enumerate() {
                    *index = ((i * 31 + place) % (null + 1)) as i32;
                }
            }
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

#[test]
fn raw_outputs_equal_those_of_python() {
    let text = std::fs::read_to_string(fixture().join("expected.json")).expect("the fixture");
    let expected: Value = serde_json::from_str(&text).expect("JSON");
    let cameras = expected["cameras"].as_u64().expect("a count") as usize;
    let package = Package::open(fixture()).expect("the manifest is sound");
    let Some(mut engine) = load(&package, cameras) else {
        return;
    };
    let rows_per_camera = package.manifest().lifts()[0].spec.rows_per_camera();
    fill(&mut engine, cameras * rows_per_camera);
    engine.run(ImageSet::First).expect("the network runs");

    let specs = engine.interface().outputs().to_vec();
    assert_eq!(specs.len(), list(&expected["outputs"]).len());
    for wanted in list(&expected["outputs"]) {
        let name = wanted["name"].as_str().expect("a name");
        let spec = specs
            .iter()
            .find(|spec| spec.name == name)
            .expect("it is promised");
        let output = engine.output(spec.role).expect("it is promised");
        let std = wanted["std"].as_f64().expect("a number");
        for (position, value) in list(&wanted["position"]).iter().zip(list(&wanted["value"])) {
            let position = position.as_u64().expect("a position") as usize;
            let value = value.as_f64().expect("a number");
            let found = f64::from(output[position]);
            assert!(
                (found - value).abs() <= TOLERANCE * std,
                "{name}[{position}]: {found} instead of {value}"
            );
        }
        let mean = output.iter().map(|&value| f64::from(value)).sum::<f64>() / output.len() as f64;
        let wanted_mean = wanted["mean"].as_f64().expect("a number");
        assert!(
            (mean - wanted_mean).abs() <= TOLERANCE * std,
            "{name}: mean {mean}"
        );
    }
}

fn pipeline() -> Option<Pipeline> {
    match Pipeline::new(PipelineOptions::new(fixture(), rigs::four_fisheye())) {
        Ok(pipeline) => Some(pipeline),
        Err(SetupError::Engine(EngineLoadError::Library(LibraryError::NotFound { .. }))) => {
            println!("SKIPPED: no ONNX Runtime is here; `cargo xtask test` brings one");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// A winding drive of twelve frames at 10 Hz, four fisheye cameras, RGB; the frames as bytes.
fn drive(pipeline: &mut Pipeline) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut frame = OutputFrame::boxed();
    for step in 0..12 {
        let stamp = Stamp::ZERO + Span::from_milliseconds(100 * step);
        let turn = UnitQuaternion::from_euler_angles(0.0, 0.0, 0.3 * stamp.seconds());
        let pose = Pose::new(turn, Vector3::new(8.0 * stamp.seconds(), 0.0, 0.0));
        pipeline.push_pose(stamp, &pose).expect("time goes on");
        for camera in 0..4 {
            let shade = step as usize * 17 + camera * 59;
            let pixels: Vec<u8> = (0..1280 * 960 * 3)
                .map(|i| ((i / 1280 + i % 640) + shade) as u8)
                .collect();
            let image = ImageView::packed(PixelFormat::Rgb, 1280, 960, &pixels).expect("it fits");
            pipeline
                .push_image(camera, &image, stamp, stamp)
                .expect("time goes on");
        }
        assert_eq!(pipeline.step(stamp, &mut frame), Ok(StepOutcome::Frame));
        bytes.extend_from_slice(frame.as_frame_bytes());
    }
    bytes
}

#[test]
fn two_drives_over_the_same_inputs_give_the_same_bytes() {
    let (Some(mut first), Some(mut second)) = (pipeline(), pipeline()) else {
        return;
    };
    assert!(drive(&mut first) == drive(&mut second));
}

#[test]
fn the_tensors_of_a_frame_give_its_outputs_again() {
    let Some(mut pipeline) = pipeline() else {
        return;
    };
    drive(&mut pipeline);
    let package = Package::open(fixture()).expect("the manifest is sound");
    let Some(mut engine) = load(&package, 4) else {
        return;
    };
    let specs = engine.interface().inputs().to_vec();
    let mut is_history_filled = false;
    pipeline
        .raw_inputs(|tensor| {
            let spec = specs
                .iter()
                .find(|spec| spec.name == tensor.name)
                .expect("an input");
            match (spec.role, tensor.values) {
                (InputRole::Images, RawValues::F32(values)) => {
                    engine.images_mut(ImageSet::Second).copy_from_slice(values);
                }
                (role, RawValues::F32(values)) => {
                    is_history_filled |=
                        role == InputRole::History && values.iter().any(|&value| value != 0.0);
                    engine
                        .input_mut(role)
                        .expect("an input")
                        .copy_from_slice(values);
                }
                (role, RawValues::I32(values)) => {
                    engine
                        .index_mut(role)
                        .expect("an input")
                        .copy_from_slice(values);
                }
            }
        })
        .expect("the engine has them");
    assert!(is_history_filled, "twelve frames fill two slots of 0.4 s");
    engine.run(ImageSet::Second).expect("the network runs");
    pipeline
        .raw_outputs(|tensor| {
            let outputs = engine.interface().outputs();
            let spec = outputs
                .iter()
                .find(|spec| spec.name == tensor.name)
                .expect("an output");
            let again = engine.output(spec.role).expect("an output");
            assert!(tensor.values == RawValues::F32(again), "{}", tensor.name);
        })
        .expect("the engine has them");
}
