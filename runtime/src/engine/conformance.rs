//! What every engine must do, on the reduced package of `tests/fixtures`.

use std::path::{Path, PathBuf};

use super::{
    BesideThread, ElementType, Engine, EngineError, ImageSet, InputRole, NetworkInterface,
    OnnxRuntimeLibrary, OutputRole,
};
use crate::manifest::ProviderKind;
use crate::package::{NetworkRequest, Package, VerifiedNetwork};

/// Cameras of the reduced package's golden rig.
pub(super) const CAMERAS: usize = 2;

/// Whether ONNX Runtime is there; says so where it is not.
pub(crate) fn has_onnx_runtime() -> bool {
    match OnnxRuntimeLibrary::load(None) {
        Ok(_) => true,
        Err(error) => {
            println!("SKIPPED: {error}");
            false
        }
    }
}

/// The folder of the reduced package.
pub(crate) fn reduced_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reduced")
}

/// The reduced package.
pub(crate) fn reduced_package() -> Package {
    Package::open(&reduced_folder()).expect("the fixture is right")
}

/// Network and interface of the reduced package for a rig of `cameras` cameras.
pub(crate) fn reduced_network(cameras: usize) -> (VerifiedNetwork, NetworkInterface) {
    let package = reduced_package();
    let request = NetworkRequest {
        provider: ProviderKind::Cpu,
        precision: None,
    };
    let entry = package.choose(request).expect("the fixture is for the CPU");
    let network = package.read_network(entry).expect("the fixture is whole");
    let interface = NetworkInterface::new(package.manifest(), cameras);
    (network, interface)
}

/// Runs all checks. `make` gives a new engine for [`reduced_network`] with [`CAMERAS`] cameras.
pub(super) fn conforms<E: Engine>(mut make: impl FnMut() -> E) {
    shapes_are_those_of_the_interface(&mut make());
    a_new_engine_has_zeros(&mut make());
    what_is_written_stays_and_counts(&mut make());
    image_sets_are_apart(&mut make());
    the_same_inputs_give_the_same_bits(&mut make());
    a_run_that_was_started_ends_as_one_that_was_waited_for(&mut make());
    a_tensor_that_is_not_there_is_an_error(&mut make());
}

fn shapes_are_those_of_the_interface(engine: &mut impl Engine) {
    let interface = engine.interface().clone();
    for spec in interface.inputs() {
        let count: usize = spec.shape.iter().product();
        let found = match (spec.role, spec.element) {
            (InputRole::Images, _) => engine.images_mut(ImageSet::First).len(),
            (role, ElementType::F32) => engine.input_mut(role).map_or(0, |v| v.len()),
            (role, ElementType::I32) => engine.index_mut(role).map_or(0, |v| v.len()),
        };
        assert_eq!(found, count, "{}", spec.name);
    }
    engine.run(ImageSet::First).expect("the network runs");
    for spec in interface.outputs() {
        let count: usize = spec.shape.iter().product();
        let output = engine.output(spec.role).expect("it is in the interface");
        assert_eq!(output.len(), count, "{}", spec.name);
        assert!(
            output.iter().all(|value| value.is_finite()),
            "{}",
            spec.name
        );
    }
}

fn a_new_engine_has_zeros(engine: &mut impl Engine) {
    for set in [ImageSet::First, ImageSet::Second] {
        assert!(engine.images_mut(set).iter().all(|&value| value == 0.0));
    }
    let index = engine
        .index_mut(InputRole::LiftIndex(0))
        .expect("there is a lift");
    assert!(index.iter().all(|&value| value == 0));
}

fn fill_images(engine: &mut impl Engine, set: ImageSet, seed: f32) {
    for (k, value) in engine.images_mut(set).iter_mut().enumerate() {
        *value = (k as f32 * 0.37 + seed).sin();
    }
}

/// Gives the engine inputs that depend on `seed`.
fn fill(engine: &mut impl Engine, set: ImageSet, seed: f32) {
    fill_images(engine, set, seed);
    let index = engine
        .index_mut(InputRole::LiftIndex(0))
        .expect("there is a lift");
    for (k, value) in index.iter_mut().enumerate() {
        *value = (k % 17) as i32;
    }
    let geometry = engine
        .input_mut(InputRole::LiftGeometry(0))
        .expect("there is a geometry");
    for (k, value) in geometry.iter_mut().enumerate() {
        *value = (k as f32 * 0.11).cos();
    }
}

fn bev(engine: &mut impl Engine, set: ImageSet) -> Vec<f32> {
    engine.run(set).expect("the network runs");
    engine
        .output(OutputRole::Bev)
        .expect("there is a map")
        .to_vec()
}

fn what_is_written_stays_and_counts(engine: &mut impl Engine) {
    fill(engine, ImageSet::First, 0.0);
    let first = bev(engine, ImageSet::First);
    assert_eq!(
        bev(engine, ImageSet::First),
        first,
        "inputs stay as they were written"
    );
    engine
        .input_mut(InputRole::LiftGeometry(0))
        .expect("there is a geometry")
        .fill(0.3);
    let second = bev(engine, ImageSet::First);
    assert_ne!(second, first, "a changed input is seen by the next run");
}

fn image_sets_are_apart(engine: &mut impl Engine) {
    fill(engine, ImageSet::First, 0.0);
    fill(engine, ImageSet::Second, 5.0);
    let first = bev(engine, ImageSet::First);
    let second = bev(engine, ImageSet::Second);
    assert_ne!(first, second, "each set has its own images");
    engine.images_mut(ImageSet::Second).fill(0.9);
    assert_eq!(
        bev(engine, ImageSet::First),
        first,
        "one set leaves the other alone"
    );
}

fn the_same_inputs_give_the_same_bits(engine: &mut impl Engine) {
    fill(engine, ImageSet::First, 1.0);
    fill(engine, ImageSet::Second, 1.0);
    let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
    let first = bits(bev(engine, ImageSet::First));
    assert_eq!(bits(bev(engine, ImageSet::Second)), first);
    assert_eq!(bits(bev(engine, ImageSet::First)), first);
}

fn a_run_that_was_started_ends_as_one_that_was_waited_for(engine: &mut impl Engine) {
    fill(engine, ImageSet::First, 1.0);
    let expected = bev(engine, ImageSet::First);
    let (tell, told) = std::sync::mpsc::channel();
    let thread = BesideThread::new(move || {
        // Nobody listens when the engine is dropped.
        let _ = tell.send(());
    });
    for thread in [None, Some(thread)] {
        let is_beside = thread.is_some();
        engine.run_beside(thread).expect("there is a thread");
        for seed in [2.0, 3.0] {
            engine.start(ImageSet::First).expect("no other run");
            assert_eq!(engine.is_running(), is_beside);
            // The other set is free meanwhile, and the one that is read waits for the end.
            fill_images(engine, ImageSet::Second, seed);
            engine.finish().expect("the network ran");
            let found = engine.output(OutputRole::Bev).expect("there is a map");
            assert_eq!(found, expected);
        }
        if is_beside {
            engine.start(ImageSet::First).expect("no other run");
            assert_eq!(engine.start(ImageSet::Second), Err(EngineError::Running));
            assert_eq!(engine.run(ImageSet::Second), Err(EngineError::Running));
            let output = engine.output(OutputRole::Bev).map(|_| ());
            assert_eq!(output, Err(EngineError::Running));
            fill_images(engine, ImageSet::First, 7.0);
            engine.finish().expect("the network ran");
            let found = engine.output(OutputRole::Bev).expect("there is a map");
            assert_eq!(found, expected, "what came later is not seen");
            assert_eq!(told.iter().take(3).count(), 3, "each run wakes");
        }
        fill_images(engine, ImageSet::First, 1.0);
    }
    assert_eq!(engine.finish(), Ok(()), "nothing runs");
    // Dropping an engine waits for its run.
    engine.start(ImageSet::Second).expect("no other run");
}

fn a_tensor_that_is_not_there_is_an_error(engine: &mut impl Engine) {
    let missing = Err(EngineError::NoSuchTensor);
    assert_eq!(
        engine.input_mut(InputRole::LiftWeight(0)).map(|_| ()),
        missing
    );
    assert_eq!(
        engine.input_mut(InputRole::LiftIndex(0)).map(|_| ()),
        missing
    );
    assert_eq!(
        engine.index_mut(InputRole::LiftIndex(9)).map(|_| ()),
        missing
    );
    assert_eq!(engine.index_mut(InputRole::History).map(|_| ()), missing);
    assert_eq!(engine.output(OutputRole::Head(9)).map(|_| ()), missing);
}
