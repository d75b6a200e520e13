use std::path::Path;

use super::ring::RingProblem;
use super::{EngineOptions, Fallback, HistoryMemory, Memory, OnnxRuntime, open};
use crate::align::GridAffine;
use crate::engine::conformance::{CAMERAS, conforms, has_onnx_runtime, reduced_network};
use crate::engine::{
    CudaOptions, Engine, EngineError, EngineLoadError, ImageSet, InputRole, LibraryError,
    NetworkInterface, OnnxRuntimeLibrary, OutputRole, PluginOptions, Provider, TensorRtOptions,
};
use crate::manifest::Manifest;
use crate::threads::ThreadSettings;

fn options() -> EngineOptions {
    EngineOptions {
        intra_op_threads: 1,
        warm_up_runs: 1,
        ..EngineOptions::default()
    }
}

fn engine() -> OnnxRuntime {
    let (network, interface) = reduced_network(CAMERAS);
    OnnxRuntime::load(&network, interface, &options()).expect("the fixture loads")
}

#[test]
fn it_conforms_on_the_cpu() {
    if has_onnx_runtime() {
        conforms(engine);
    }
}

/// An engine on the CPU whose inputs and outputs are kept as they are for another device.
fn engine_with(memory: Memory) -> OnnxRuntime {
    let (network, interface) = reduced_network(CAMERAS);
    let options = options();
    let library = OnnxRuntimeLibrary::load(None).expect("it is there");
    let opened = open(library, &network, &interface, &options).expect("the fixture loads");
    OnnxRuntime::take(opened, library, &network, interface, memory, &options)
        .expect("the fixture runs")
}

/// The same, with past maps kept there.
fn engine_that_keeps_maps(memory: Memory) -> OnnxRuntime {
    let mut engine = engine_with(memory);
    let (network, _) = reduced_network(CAMERAS);
    let library = OnnxRuntimeLibrary::load(None).expect("it is there");
    engine
        .keep_maps(&Provider::Cpu, memory, library, &network, &options())
        .expect("as on the host");
    engine
}

#[test]
fn maps_are_kept_where_the_network_has_them_and_brought_here_on_demand() {
    if !has_onnx_runtime() {
        return;
    }
    let mut plain = engine();
    plain.images_mut(ImageSet::First).fill(0.5);
    plain.run(ImageSet::First).expect("the network runs");
    let map = plain.output(OutputRole::Bev).expect("it is here").to_vec();
    for memory in [Memory::Device("Cpu", 0), Memory::Here] {
        let mut engine = engine_that_keeps_maps(memory);
        engine.images_mut(ImageSet::First).fill(0.5);
        let history = engine.input_mut(InputRole::History).expect("to look at");
        assert!(history.iter().all(|&value| value == 0.0), "empty at first");
        engine.run(ImageSet::First).expect("the network runs");
        if let Memory::Device(..) = memory {
            assert_eq!(engine.output(OutputRole::Bev), Err(EngineError::Kept));
        }
        let ring = engine.map_ring().expect("maps are kept");
        assert_eq!(ring.store_map(5), Ok(true));
        let identity = Some((5, GridAffine::IDENTITY));
        ring.align_maps(&[None, identity]).expect("it runs");
        ring.bring_map().expect("it runs");
        assert_eq!(engine.output(OutputRole::Bev), Ok(&map[..]));
        let history = engine.input_mut(InputRole::History).expect("to look at");
        let channels = 4;
        for (slots, cell) in history.chunks(2 * channels).zip(map.chunks(channels)) {
            assert!(slots[..channels].iter().all(|&value| value == 0.0));
            for (found, expected) in slots[channels..].iter().zip(cell) {
                assert!((found - expected).abs() <= expected.abs() / 1024.0 + 1e-7);
            }
        }
    }
}

#[test]
fn the_history_of_a_device_reaches_the_network() {
    if !has_onnx_runtime() {
        return;
    }
    let outputs = |engine: &OnnxRuntime| -> Vec<Vec<f32>> {
        let heads = (0..5).map(OutputRole::Head);
        heads
            .map(|head| engine.output(head).map(<[f32]>::to_vec).unwrap_or_default())
            .collect()
    };
    let mut found = [Memory::Device("Cpu", 0), Memory::Here].map(|memory| {
        let mut engine = engine_that_keeps_maps(memory);
        engine.images_mut(ImageSet::First).fill(0.5);
        let state = engine.input_mut(InputRole::HistoryState).expect("there");
        state.fill(1.0);
        engine.run(ImageSet::First).expect("the network runs");
        let without = outputs(&engine);
        let ring = engine.map_ring().expect("maps are kept");
        assert_eq!(ring.store_map(0), Ok(true));
        let identity = Some((0, GridAffine::IDENTITY));
        ring.align_maps(&[identity, identity]).expect("it runs");
        engine.run(ImageSet::First).expect("the network runs");
        assert_ne!(outputs(&engine), without);
        outputs(&engine)
    });
    let [device, here] = &mut found;
    assert_eq!(device, here);
}

#[test]
fn history_goes_to_the_memory_that_was_asked_for_and_that_is_known() {
    let cuda = Provider::Cuda(CudaOptions::on(1));
    let tensorrt = Provider::TensorRt(TensorRtOptions {
        device: 1,
        has_graphs: true,
        ..TensorRtOptions::new("engines")
    });
    let plugin = PluginOptions::from_text("libqnn.so", "Qnn", "").expect("no options");
    let plugin = Provider::Plugin(plugin);
    let on = |memory, provider: &Provider| super::ring_provider(memory, provider).ok().flatten();
    for provider in [&cuda, &tensorrt] {
        assert_eq!(on(HistoryMemory::Host, provider), None);
        for memory in [HistoryMemory::Automatic, HistoryMemory::Provider] {
            assert_eq!(
                on(memory, provider),
                Some(Provider::Cuda(CudaOptions::on(1)))
            );
        }
    }
    for provider in [&Provider::Cpu, &plugin] {
        assert_eq!(on(HistoryMemory::Automatic, provider), None);
    }
    assert_eq!(
        on(HistoryMemory::Provider, &Provider::Cpu),
        Some(Provider::Cpu)
    );
    let refused = super::ring_provider(HistoryMemory::Provider, &plugin).expect_err("not known");
    let text = refused.to_string();
    assert!(
        text.contains("history_memory") && text.contains("Qnn"),
        "{text}"
    );
}

#[test]
fn it_conforms_with_the_memory_of_a_device_and_with_copies() {
    if has_onnx_runtime() {
        conforms(|| engine_with(Memory::Device("Cpu", 0)));
        conforms(|| engine_with(Memory::Copies));
    }
}

#[test]
fn the_rig_fixes_the_number_of_cameras() {
    if !has_onnx_runtime() {
        return;
    }
    for cameras in [1, 3, 6] {
        let (network, interface) = reduced_network(cameras);
        let mut engine = OnnxRuntime::load(&network, interface, &options())
            .expect("one network serves all rigs");
        assert_eq!(
            engine.images_mut(ImageSet::First).len(),
            cameras * 3 * 16 * 32
        );
        engine.run(ImageSet::Second).expect("the network runs");
    }
}

/// The message with which the reduced network is refused under another manifest.
fn refusal(from: &str, to: &str) -> String {
    let file = crate::engine::conformance::reduced_folder().join("manifest.toml");
    let text = std::fs::read_to_string(&file).expect("the fixture is whole");
    assert!(
        text.contains(from),
        "the fixture's manifest has no `{from}`"
    );
    let manifest =
        Manifest::from_toml_str(&text.replace(from, to), &file).expect("the manifest is right");
    let (network, _) = reduced_network(CAMERAS);
    let interface = NetworkInterface::new(&manifest, CAMERAS);
    match OnnxRuntime::load(&network, interface, &options()) {
        Err(error @ EngineLoadError::Mismatch { .. }) => error.to_string(),
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("the network was taken"),
    }
}

#[test]
fn a_network_that_differs_from_its_manifest_is_refused() {
    if !has_onnx_runtime() {
        return;
    }
    let message = refusal("width = 32", "width = 64");
    for part in [
        "reduced.onnx",
        "input images: shape",
        "[2, 3, 16, 64]",
        "[2, 3, 16, 32]",
        "change `preprocess.width`",
    ] {
        assert!(message.contains(part), "{message}");
    }
    let message = refusal("name = \"fine\"", "name = \"near\"");
    assert!(message.contains("input near_index"), "{message}");
    assert!(message.contains("fine_index"), "{message}");
    let message = refusal("output = \"lanes\"", "output = \"lines\"");
    assert!(message.contains("output lines"), "{message}");
    let message = refusal("geometry = true", "geometry = false");
    assert!(message.contains("input coarse_geometry"), "{message}");
    assert!(
        message.contains("named \"coarse\" with `geometry = true`"),
        "{message}"
    );
    let message = refusal("slots = 2", "slots = 3");
    assert!(message.contains("input history: shape"), "{message}");
    assert!(
        message.contains("`queue.slots` or `queue.channels`"),
        "{message}"
    );
    let message = refusal(
        "[queue]",
        "[matrices]\nlargest_distortion_px = 0.0\n[queue]",
    );
    assert!(message.contains("input intrinsics"), "{message}");
    assert!(message.contains("`matrices` of the manifest"), "{message}");
    let message = refusal("slots = 2", "slots = 2\nalignment = \"graph\"");
    assert!(message.contains("input history_from_now"), "{message}");
    let message = refusal("[rays]\nstride = 8", "");
    assert!(message.contains("section `[rays]`"), "{message}");
}

#[test]
fn a_provider_that_is_not_there_is_refused_unless_fallback_is_asked_for() {
    if !has_onnx_runtime() {
        return;
    }
    let (network, interface) = reduced_network(CAMERAS);
    let with = |fallback| EngineOptions {
        providers: vec![Provider::Cuda(CudaOptions::on(0)), Provider::Cpu],
        fallback,
        ..options()
    };
    match OnnxRuntime::load(&network, interface.clone(), &with(Fallback::Refuse)) {
        Err(EngineLoadError::NoProvider { reasons, .. }) => {
            assert_eq!(reasons.len(), 1);
            assert!(reasons[0].starts_with("cuda:0: "), "{}", reasons[0]);
        }
        Err(error) => panic!("another error: {error}"),
        Ok(engine) => {
            println!("SKIPPED: there is a CUDA device");
            assert_eq!(*engine.provider(), Provider::Cuda(CudaOptions::on(0)));
            return;
        }
    }
    let engine = OnnxRuntime::load(&network, interface, &with(Fallback::NextProvider))
        .expect("the CPU is the next one");
    assert_eq!(*engine.provider(), Provider::Cpu);
}

#[test]
fn tensorrt_without_engines_that_serve_is_refused_unless_fallback_is_asked_for() {
    if !has_onnx_runtime() {
        return;
    }
    let (network, interface) = reduced_network(CAMERAS);
    let mut options = EngineOptions {
        providers: vec![
            Provider::TensorRt(TensorRtOptions::new("no-such-folder")),
            Provider::Cpu,
        ],
        ..options()
    };
    match OnnxRuntime::load(&network, interface.clone(), &options).err() {
        Some(EngineLoadError::EngineCache(error)) => {
            let text = error.to_string();
            assert!(text.contains("no-such-folder/bevrt-engine.json"), "{text}");
        }
        Some(error) => panic!("another error: {error}"),
        None => panic!("there is no engine"),
    }
    options.fallback = Fallback::NextProvider;
    let engine = OnnxRuntime::load(&network, interface, &options).expect("the CPU is next");
    assert_eq!(*engine.provider(), Provider::Cpu);
}

#[test]
fn a_plug_in_that_cannot_be_loaded_is_refused_by_name() {
    if !has_onnx_runtime() {
        return;
    }
    let (network, interface) = reduced_network(CAMERAS);
    let plugin = PluginOptions::from_text("/no/such/libqnn.so", "QNNExecutionProvider", "a=1");
    let options = EngineOptions {
        providers: vec![Provider::Plugin(plugin.expect("a pair"))],
        ..options()
    };
    let error = OnnxRuntime::load(&network, interface, &options)
        .err()
        .expect("there is no such library")
        .to_string();
    assert!(error.contains("QNNExecutionProvider: "), "{error}");
}

#[test]
fn options_that_cannot_be_are_refused() {
    let (network, interface) = reduced_network(CAMERAS);
    for options in [
        EngineOptions {
            intra_op_threads: 0,
            ..options()
        },
        EngineOptions {
            providers: Vec::new(),
            ..options()
        },
    ] {
        let result = OnnxRuntime::load(&network, interface.clone(), &options);
        assert!(matches!(result.err(), Some(EngineLoadError::Option { .. })));
    }
}

#[test]
fn a_second_library_in_one_process_is_refused() {
    if !has_onnx_runtime() {
        return;
    }
    let other = Path::new("/no/such/libonnxruntime.so");
    assert!(matches!(
        OnnxRuntimeLibrary::load(Some(other)),
        Err(LibraryError::OtherIsLoaded { .. })
    ));
    let loaded = OnnxRuntimeLibrary::load(None).expect("it is loaded");
    assert!(OnnxRuntimeLibrary::load(Some(loaded.path())).is_ok());
    assert!(loaded.build_info().contains("ORT Build Info"));
}

#[test]
fn an_index_out_of_range_is_a_failed_run_and_not_a_crash() {
    if !has_onnx_runtime() {
        return;
    }
    let mut engine = engine();
    engine
        .index_mut(InputRole::LiftIndex(0))
        .expect("there is a lift")
        .fill(1_000_000);
    assert!(engine.run(ImageSet::First).is_err());
    assert!(
        engine
            .last_failure()
            .is_some_and(|text| text.contains("indices"))
    );
    engine
        .index_mut(InputRole::LiftIndex(0))
        .expect("there is a lift")
        .fill(0);
    assert!(engine.run(ImageSet::First).is_ok());
    assert!(engine.output(OutputRole::Bev).is_ok());
}

/// Names of this process's threads that begin so.
fn threads(prefix: &str) -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux tells");
    let mut names: Vec<String> = tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| name.starts_with(prefix))
        .collect();
    names.sort();
    names
}

#[test]
fn the_threads_of_the_pool_have_names_and_end_with_the_engine() {
    if !has_onnx_runtime() {
        return;
    }
    let (network, interface) = reduced_network(CAMERAS);
    let options = EngineOptions {
        // As many as no other test of this program asks for.
        intra_op_threads: 6,
        ..options()
    };
    let engine = OnnxRuntime::load(&network, interface, &options).expect("the fixture loads");
    assert!(threads("bevrt-pool-").contains(&"bevrt-pool-5".to_owned()));
    drop(engine);
    // The kernel lists a thread for a moment after it was joined.
    let begin = std::time::Instant::now();
    while threads("bevrt-pool-").contains(&"bevrt-pool-5".to_owned()) {
        assert!(begin.elapsed().as_secs() < 10, "the thread goes on");
        std::thread::yield_now();
    }
}

#[test]
fn a_pool_on_cores_that_are_not_there_is_refused_by_name() {
    if !has_onnx_runtime() {
        return;
    }
    let (network, interface) = reduced_network(CAMERAS);
    let options = EngineOptions {
        intra_op_threads: 2,
        pool: ThreadSettings {
            cores: vec![1000],
            ..ThreadSettings::default()
        },
        ..options()
    };
    match OnnxRuntime::load(&network, interface, &options) {
        Err(EngineLoadError::Thread(error)) => {
            let text = error.to_string();
            assert!(
                text.contains("bevrt-pool-1") && text.contains("[1000]"),
                "{text}"
            );
        }
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("core 1000 was found"),
    }
}

#[test]
fn a_ring_that_is_refused_is_told_with_the_network_the_provider_and_both_values() {
    let (network, _) = reduced_network(CAMERAS);
    let differs = RingProblem::Differs {
        field: "a quarter turn: row 1, column 2, slot 0, channel 3".into(),
        expected: "1.5".into(),
        found: "-2".into(),
    };
    let cuda = Provider::Cuda(CudaOptions::on(3));
    let text = super::keep::refused(differs, &network, &cuda).to_string();
    for part in [
        "reduced.onnx",
        "cuda:3",
        "a quarter turn: row 1, column 2, slot 0, channel 3",
        "expected 1.5",
        "found -2",
        "history_memory = host",
    ] {
        assert!(text.contains(part), "{text}");
    }
}
