//! Engines built ahead, other providers, and tables against the size of the job.

use bevrt_runtime::OnnxRuntimeLibrary;

use super::{failure, folder, success, text};

const TINY: &str = "models/packages/tiny";

#[test]
fn tensorrt_is_refused_for_what_it_lacks() {
    if let Err(error) = OnnxRuntimeLibrary::load(None) {
        println!("SKIPPED: {error}");
        return;
    }
    let doctor = ["doctor", TINY, "--provider", "tensorrt"];
    let error = failure(&doctor);
    assert!(error.contains("--engine-cache DIR"), "{error}");
    let cache = folder("engines");
    let with_cache = ["--engine-cache", text(&cache)];
    let error = failure(&[&doctor[..], &with_cache].concat());
    assert!(error.contains("bevrt-engine.json"), "{error}");
    assert!(error.contains("bevrt build-engine"), "{error}");
    let plain = failure(&["build-engine", TINY]);
    assert!(plain.contains("--engine-cache DIR"), "{plain}");
    // The ONNX Runtime that the set-up brings has no TensorRT.
    let error = failure(&[&["build-engine", TINY][..], &with_cache].concat());
    assert!(error.contains("tensorrt:0: "), "{error}");
    assert!(
        !cache.join("bevrt-engine.json").exists(),
        "nothing was built"
    );
}

#[test]
fn options_of_threads_and_plug_ins_are_read() {
    for (arguments, part) in [
        (&["--pool-cores", "x"][..], "\"0,2-3\""),
        (&["--pool-priority", "100"], "1 to 99"),
        (&["--provider", "plugin"], "--plugin FILE"),
        (&["--provider", "cuda", "--device=-1"], "0 or more"),
    ] {
        let error = failure(&[&["doctor", TINY], arguments].concat());
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn tables_have_a_row_for_each_size_of_the_job() {
    if let Err(error) = OnnxRuntimeLibrary::load(None) {
        println!("SKIPPED: {error}");
        return;
    }
    let tables = success(&[
        "scaling",
        "--cameras",
        "1,2",
        "--sizes",
        "320x240",
        "--threads",
        "1",
        "--objects",
        "0,16",
        "--seconds",
        "0.5",
    ]);
    for row in [
        "| 1 | ",
        "| 2 | ",
        "| 320 × 240 | ",
        "| 0 | 0 | ",
        "| 16 | 16 | ",
    ] {
        assert!(tables.contains(row), "{row} in {tables}");
    }
    assert!(!tables.contains("NaN"), "{tables}");
}
