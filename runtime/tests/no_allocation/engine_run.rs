//! The engine's run: what the Rust side of ONNX Runtime's bindings takes, as measured.
//!
//! What the library takes by itself is not seen here.

use std::path::Path;

use bevrt_calibration::Rig;
use bevrt_runtime::{
    BesideThread, Engine, EngineLoadError, EngineOptions, HistoryMemory, ImageError, ImageSet,
    ImageView, LibraryError, NetworkInterface, NetworkRequest, OnnxRuntime, OnnxRuntimeLibrary,
    OutputFrame, Package, Pipeline, PipelineOptions, PixelFormat, ProviderKind, SetupError, Stamp,
    StepBegin,
};

use crate::counting::allocations;
use crate::small_model as small;

/// Allocations in one run as recorded with ONNX Runtime 1.31.1: 6 with three outputs, 14 with six.
/// The bindings copy the name of each output and make a value of it; lists of more than four spill.
const fn ceiling(outputs: usize) -> usize {
    if outputs > 4 {
        2 * outputs + 2
    } else {
        2 * outputs
    }
}

fn reduced() -> Package {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reduced");
    Package::open(&folder).expect("the fixture is right")
}

/// Pushes a pose and a picture of each camera, ten sets a second; gives the stamp of the set.
fn push_set<'a>(
    pipeline: &mut Pipeline,
    step: i64,
    cameras: usize,
    picture: impl Fn(usize) -> Result<ImageView<'a>, ImageError>,
) -> Stamp {
    let stamp = small::milliseconds(step * 100);
    pipeline
        .push_pose(stamp, &small::pose_at(stamp))
        .expect("time goes on");
    for camera in 0..cameras {
        let image = picture(step as usize + camera * 4).expect("it fits");
        pipeline
            .push_image(camera, &image, stamp, stamp)
            .expect("time goes on");
    }
    stamp
}

/// Steps to the first of two counts as a warm-up, then to the second; allocations of those.
fn allocations_of_steps<'a>(
    pipeline: &mut Pipeline,
    cameras: usize,
    [warm, end]: [i64; 2],
    picture: impl Fn(usize) -> Result<ImageView<'a>, ImageError>,
) -> usize {
    let mut frame = OutputFrame::boxed();
    let mut run = |steps: std::ops::Range<i64>| {
        for step in steps {
            let stamp = push_set(pipeline, step, cameras, &picture);
            pipeline
                .step(stamp, &mut frame)
                .expect("the engine has all tensors");
        }
    };
    run(0..warm);
    allocations(|| run(warm..end))
}

#[test]
fn a_run_of_the_engine_stays_below_its_ceiling() {
    if let Err(error) = OnnxRuntimeLibrary::load(None) {
        println!("SKIPPED: {error}");
        return;
    }
    let package = reduced();
    let request = NetworkRequest {
        provider: ProviderKind::Cpu,
        precision: None,
    };
    let entry = package.choose(request).expect("the fixture is for the CPU");
    let network = package.read_network(entry).expect("the fixture is whole");
    let interface = NetworkInterface::new(package.manifest(), 2);
    let options = EngineOptions {
        intra_op_threads: 1,
        ..EngineOptions::default()
    };
    let mut engine = OnnxRuntime::load(&network, interface, &options).expect("the fixture loads");
    let outputs = engine.interface().outputs().len();
    let mut set = ImageSet::First;
    for _ in 0..10 {
        let count = allocations(|| engine.run(set).expect("the network runs"));
        assert!(count <= ceiling(outputs), "{count}");
        set = set.other();
    }
}

#[test]
fn a_step_takes_no_more_than_the_run_of_its_engine() {
    let package = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/foreign");
    let rig = bevrt_calibration::rigs::four_fisheye();
    let mut pipeline = match Pipeline::new(PipelineOptions::new(package, rig)) {
        Ok(pipeline) => pipeline,
        Err(SetupError::Engine(EngineLoadError::Library(LibraryError::NotFound { .. }))) => {
            println!("SKIPPED: no ONNX Runtime is here; `cargo xtask test` brings one");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let pictures: Vec<Vec<u8>> = (0..16)
        .map(|k| {
            (0..1280 * 960 * 3 / 2)
                .map(|i| (i * 13 + k * 101) as u8)
                .collect()
        })
        .collect();
    let found = allocations_of_steps(&mut pipeline, 4, [10, 30], |picture| {
        ImageView::packed(PixelFormat::Nv12, 1280, 960, &pictures[picture % 16])
    });
    let outputs = pipeline.engine().interface().outputs().len();
    assert!(
        found <= 20 * ceiling(outputs),
        "{found} allocations in 20 steps"
    );
    assert_eq!(pipeline.stats().frames(), 30);
}

#[test]
fn maps_in_the_memory_of_the_provider_cost_the_runs_of_their_two_graphs() {
    if let Err(error) = OnnxRuntimeLibrary::load(None) {
        println!("SKIPPED: {error}");
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reduced");
    let rig = Rig::from_toml_file(folder.join("golden/case0/rig.toml")).expect("a sound rig");
    let mut options = PipelineOptions::new(folder, rig);
    options.engine.history_memory = HistoryMemory::Provider;
    let mut pipeline = Pipeline::new(options).expect("it is sound");
    let pictures: Vec<Vec<u8>> = (0..8)
        .map(|k| (0..32 * 16 * 3).map(|i| (i * 13 + k * 101) as u8).collect())
        .collect();
    let found = allocations_of_steps(&mut pipeline, 2, [20, 60], |picture| {
        ImageView::packed(PixelFormat::Rgb, 32, 16, &pictures[picture % 8])
    });
    let outputs = pipeline.engine().interface().outputs().len();
    // One gives a place and whether the map is finite, the other one the history.
    let allowed = ceiling(outputs) + ceiling(2) + ceiling(1);
    assert!(
        found <= 40 * allowed,
        "{found} allocations in 40 steps, expected at most {allowed} a step"
    );
    assert_eq!(pipeline.stats().frames(), 60);
}

#[test]
fn a_network_on_a_thread_of_its_own_takes_nothing_from_the_thread_that_pushes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reduced");
    let rig = Rig::from_toml_file(folder.join("golden/case0/rig.toml")).expect("a sound rig");
    if let Err(error) = OnnxRuntimeLibrary::load(None) {
        println!("SKIPPED: {error}");
        return;
    }
    let mut pipeline = Pipeline::new(PipelineOptions::new(folder, rig)).expect("it is sound");
    pipeline
        .overlap(Some(BesideThread::new(|| {})))
        .expect("a thread can be had");
    let pictures: Vec<Vec<u8>> = (0..8)
        .map(|k| (0..32 * 16 * 3).map(|i| (i * 13 + k * 101) as u8).collect())
        .collect();
    let mut frame = OutputFrame::boxed();
    let mut run = |steps: std::ops::Range<i64>| {
        for step in steps {
            let stamp = push_set(&mut pipeline, step, 2, |picture| {
                ImageView::packed(PixelFormat::Rgb, 32, 16, &pictures[picture % 8])
            });
            if pipeline.is_step_running() {
                pipeline.finish_step(&mut frame).expect("it was begun");
            }
            assert_eq!(pipeline.begin_step(stamp), Ok(StepBegin::Begun));
        }
    };
    run(0..20);
    assert_eq!(allocations(|| run(20..60)), 0);
    assert_eq!(pipeline.stats().frames(), 59);
}
