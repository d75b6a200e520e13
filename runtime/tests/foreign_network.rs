//! Somebody else's networks, one of each family: their raw outputs through the runtime equal those of
//! Python's ONNX Runtime, and what is decoded from query sets equals what an independent decoder finds.
//!
//! The fixtures are written by `python -m bevrt_models example NAME --out runtime/tests/fixtures/NAME`,
//! with random weights and the outputs that Python got for inputs which a formula gives:
//! - `foreign`: projection table with four weighted taps, aligned history, dense heads, four fisheyes;
//! - `bevdet_like`: matrices, history that the network aligns, dense heads;
//! - `maptr_like`: matrices, no history, query sets of boxes and of map elements.

use std::path::PathBuf;

use bevrt_calibration::{Pose, Rig, rigs};
use bevrt_runtime::{
    Detections, ElementType, Engine, EngineLoadError, EngineOptions, HeadDecoder, HeadOutput,
    ImageSet, ImageView, InputRole, LibraryError, MapElement, NetworkInterface, NetworkRequest,
    OnnxRuntime, OutputFrame, OutputRole, Package, Pipeline, PipelineOptions, PixelFormat,
    ProviderKind, RawValues, SetupError, Span, Stamp, StepOutcome,
};
use nalgebra::{UnitQuaternion, Vector3};
use serde_json::Value;

/// Largest difference, in standard deviations of the output: both sides run the same kernels.
const TOLERANCE: f64 = 1e-4;
const NAMES: [&str; 3] = ["foreign", "bevdet_like", "maptr_like"];

fn folder(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/fixtures", name]
        .iter()
        .collect()
}

fn package(name: &str) -> Package {
    Package::open(&folder(name)).expect("the manifest is sound")
}

/// The rig that a fixture is driven with: that of its golden case, if it has one.
fn rig(name: &str) -> Rig {
    if name == "foreign" {
        return rigs::four_fisheye();
    }
    Rig::from_toml_file(folder(name).join("golden/case0/rig.toml")).expect("the fixture is whole")
}

fn expected(name: &str) -> Value {
    let text = std::fs::read_to_string(folder(name).join("expected.json")).expect("the fixture");
    serde_json::from_str(&text).expect("JSON")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(number).collect()
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

/// Gives the engine the inputs that Python had.
fn fill(engine: &mut OnnxRuntime, package: &Package, given: &Value) {
    let manifest = package.manifest();
    let cameras = engine.interface().cameras();
    let rows = |place: usize| manifest.lifts()[place].spec.rows_per_camera();
    let specs = engine.interface().inputs().to_vec();
    for (place, spec) in specs.iter().enumerate() {
        match (spec.role, spec.element) {
            (InputRole::Images, _) => {
                let images = engine.images_mut(ImageSet::First).iter_mut().enumerate();
                images.for_each(|(i, value)| *value = given_float(place, i));
            }
            (InputRole::HistoryState, _) => {
                let stride_s = manifest.queue().map_or(0.0, |queue| queue.stride_s);
                let state = engine.input_mut(spec.role).expect("it has a queue");
                for (slot, state) in state.chunks_exact_mut(2).enumerate() {
                    state.copy_from_slice(&[1.0, (stride_s * (slot + 1) as f64) as f32]);
                }
            }
            (role, ElementType::F32) => {
                let values = engine.input_mut(role).expect("the interface names it");
                for (i, value) in values.iter_mut().enumerate() {
                    *value = given
                        .get(&spec.name)
                        .map_or_else(|| given_float(place, i), |given| number(&given[i]) as f32);
                }
            }
            (InputRole::LiftIndex(lift), ElementType::I32) => {
                let null = cameras * rows(lift);
                let indices = engine.index_mut(spec.role).expect("the interface names it");
                for (i, index) in indices.iter_mut().enumerate() {
                    *index = ((i * 31 + place) % (null + 1)) as i32;
                }
            }
            (role, ElementType::I32) => panic!("no formula for {role:?}"),
        }
    }
}

/// The network after a run on the inputs that Python had, and what Python got.
fn run_as_python(name: &str) -> Option<(Package, OnnxRuntime, Value)> {
    let expected = expected(name);
    let cameras = expected["cameras"].as_u64().expect("a count") as usize;
    let package = package(name);
    let mut engine = load(&package, cameras)?;
    fill(&mut engine, &package, &expected["given"]);
    engine.run(ImageSet::First).expect("the network runs");
    Some((package, engine, expected))
}

#[test]
fn raw_outputs_equal_those_of_python() {
    for name in NAMES {
        let Some((_, engine, expected)) = run_as_python(name) else {
            return;
        };
        let specs = engine.interface().outputs().to_vec();
        assert_eq!(specs.len(), list(&expected["outputs"]).len());
        for wanted in list(&expected["outputs"]) {
            let name = wanted["name"].as_str().expect("a name");
            let spec = specs
                .iter()
                .find(|spec| spec.name == name)
                .expect("it is promised");
            let output = engine.output(spec.role).expect("it is promised");
            let std = number(&wanted["std"]);
            for (position, value) in list(&wanted["position"]).iter().zip(list(&wanted["value"])) {
                let position = position.as_u64().expect("a position") as usize;
                let (value, found) = (number(value), f64::from(output[position]));
                assert!(
                    (found - value).abs() <= TOLERANCE * std,
                    "{name}[{position}]: {found} instead of {value}"
                );
            }
            let sum = output.iter().map(|&value| f64::from(value)).sum::<f64>();
            let mean = sum / output.len() as f64;
            assert!(
                (mean - number(&wanted["mean"])).abs() <= TOLERANCE * std,
                "{name}: mean {mean}"
            );
        }
    }
}

/// What the decoders make of the network's outputs.
fn decoded(package: &Package, engine: &OnnxRuntime) -> Box<Detections> {
    let mut detections = Box::<Detections>::default();
    for (place, section) in package.manifest().heads().iter().enumerate() {
        let output = HeadOutput::Queries {
            scores: engine.output(OutputRole::Head(place)).expect("promised"),
            values: engine
                .output(OutputRole::HeadValues(place))
                .expect("promised"),
        };
        HeadDecoder::new(section)
            .decode_into(output, &mut detections)
            .expect("the outputs are finite");
    }
    detections
}

fn assert_near(what: &str, found: &[f32], expected: &Value, tolerance: f64) {
    for (&found, expected) in found.iter().zip(numbers(expected)) {
        assert!(
            (f64::from(found) - expected).abs() <= tolerance,
            "{what}: {found} instead of {expected}"
        );
    }
}

#[test]
fn query_sets_decode_to_what_an_independent_decoder_finds() {
    let Some((package, engine, expected)) = run_as_python("maptr_like") else {
        return;
    };
    let found = decoded(&package, &engine);
    let wanted = &expected["decoded"];

    let (object, wanted_object) = (&found.objects[0], &wanted["objects"]);
    assert_eq!(u64::from(object.class), wanted_object["class"]);
    assert_near(
        "position",
        &object.position_m,
        &wanted_object["position_m"],
        1e-3,
    );
    assert_near("size", &object.size_m, &wanted_object["size_m"], 1e-3);
    assert_near(
        "velocity",
        &object.velocity_mps,
        &wanted_object["velocity_mps"],
        1e-3,
    );
    let sigma = &wanted_object["sigma_position_m"];
    assert_near("sigma", &object.sigma.position_m, sigma, 1e-3);
    assert!((f64::from(object.yaw_rad) - number(&wanted_object["yaw_rad"])).abs() < 1e-3);

    let (lane, wanted_lane) = (&found.lanes[0], &wanted["lanes"]);
    let element = wanted_lane["element"]
        .as_str()
        .and_then(MapElement::from_name);
    let (marking, colour) = (lane.marking, lane.colour);
    assert_eq!(element, Some(MapElement::Line { marking, colour }));
    let points = lane.points();
    assert_near(
        "first point",
        &points[0][..2],
        &wanted_lane["first_m"],
        0.05,
    );
    let last = &points[points.len() - 1][..2];
    assert_near("last point", last, &wanted_lane["last_m"], 0.05);

    let (walk, wanted_walk) = (&found.crosswalks[0], &wanted["crosswalks"]);
    assert_near(
        "centre",
        &walk.position_m[..2],
        &wanted_walk["centre_m"],
        0.05,
    );
    assert!((f64::from(walk.length_m) - number(&wanted_walk["length_m"])).abs() < 0.05);
    assert!((f64::from(walk.width_m) - number(&wanted_walk["width_m"])).abs() < 0.05);

    let (stop, wanted_stop) = (&found.stop_lines[0], &wanted["stop_lines"]);
    assert_near(
        "middle",
        &stop.position_m[..2],
        &wanted_stop["centre_m"],
        1e-2,
    );
    assert!((f64::from(stop.length_m) - number(&wanted_stop["length_m"])).abs() < 1e-2);
    let cos = f64::from((2.0 * stop.theta_rad).cos());
    assert!((cos - number(&wanted_stop["cos_2theta"])).abs() < 1e-3);

    for (confidence, wanted) in [
        (object.confidence, wanted_object),
        (lane.confidence, wanted_lane),
        (walk.confidence, wanted_walk),
        (stop.confidence, wanted_stop),
    ] {
        assert!((f64::from(confidence) - number(&wanted["confidence"])).abs() < 1e-4);
    }
}

/// A pipeline around a fixture; its golden cases are run on the way.
fn pipeline(name: &str) -> Option<Pipeline> {
    match Pipeline::new(PipelineOptions::new(folder(name), rig(name))) {
        Ok(pipeline) => Some(pipeline),
        Err(SetupError::Engine(EngineLoadError::Library(LibraryError::NotFound { .. }))) => {
            println!("SKIPPED: no ONNX Runtime is here; `cargo xtask test` brings one");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// A winding drive of twelve frames at 10 Hz, RGB; the frames as bytes.
fn drive(pipeline: &mut Pipeline) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut frame = OutputFrame::boxed();
    let cameras = pipeline.rig().cameras().to_vec();
    for step in 0..12 {
        let stamp = Stamp::ZERO + Span::from_milliseconds(100 * step);
        let turn = UnitQuaternion::from_euler_angles(0.0, 0.0, 0.3 * stamp.seconds());
        let pose = Pose::new(turn, Vector3::new(8.0 * stamp.seconds(), 0.0, 0.0));
        pipeline.push_pose(stamp, &pose).expect("time goes on");
        for (index, camera) in cameras.iter().enumerate() {
            let (width, height) = (camera.intrinsics.width(), camera.intrinsics.height());
            let shade = step as usize * 17 + index * 59;
            let pixels: Vec<u8> = (0..(width * height * 3) as usize)
                .map(|i| ((i / width as usize + i % 640) + shade) as u8)
                .collect();
            let image =
                ImageView::packed(PixelFormat::Rgb, width, height, &pixels).expect("it fits");
            pipeline
                .push_image(index, &image, stamp, stamp)
                .expect("time goes on");
        }
        assert_eq!(pipeline.step(stamp, &mut frame), Ok(StepOutcome::Frame));
        bytes.extend_from_slice(frame.as_frame_bytes());
    }
    bytes
}

#[test]
fn two_drives_over_the_same_inputs_give_the_same_bytes() {
    for name in NAMES {
        let (Some(mut first), Some(mut second)) = (pipeline(name), pipeline(name)) else {
            return;
        };
        assert!(drive(&mut first) == drive(&mut second), "{name}");
        let found = first.raw_detections();
        let elements = found.objects.len() + found.lanes.len() + found.stop_lines.len();
        assert!(elements > 0, "{name}: random weights find something");
    }
}

#[test]
fn the_tensors_of_a_frame_give_its_outputs_again() {
    for name in NAMES {
        let Some(mut pipeline) = pipeline(name) else {
            return;
        };
        drive(&mut pipeline);
        let package = package(name);
        let cameras = pipeline.rig().cameras().len();
        let Some(mut engine) = load(&package, cameras) else {
            return;
        };
        let is_filled = hand_over(&mut pipeline, &mut engine);
        assert_eq!(
            is_filled,
            package.manifest().queue().is_some(),
            "twelve frames fill two slots of 0.4 s"
        );
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
}

/// Copies all inputs of a pipeline into an engine; whether there is a history that is not zero.
fn hand_over(pipeline: &mut Pipeline, engine: &mut OnnxRuntime) -> bool {
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
                    let input = engine.input_mut(role).expect("an input");
                    input.copy_from_slice(values);
                }
                (role, RawValues::I32(values)) => {
                    let input = engine.index_mut(role).expect("an input");
                    input.copy_from_slice(values);
                }
            }
        })
        .expect("the engine has them");
    is_history_filled
}
