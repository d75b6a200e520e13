use std::path::Path;

use super::{HeadKind, Manifest, ManifestError, Precision, QueueStorage};

const TINY: &str = r#"
format = 1
name = "tiny"
version = "0.1.0"
world = "1"
[[network]]
file = "tiny-fp32.onnx"
precision = "fp32"
providers = ["cpu", "cuda", "tensorrt"]
cpu_features = []
sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
[preprocess]
width = 352
height = 128
crop_top = 0.353333
kernel = "area"
colour = "rgb"
mean = [127.5, 127.5, 127.5]
std = [64.0, 64.0, 64.0]
[rays]
stride = 8
[[lift]]
name = "coarse"
stride = 8
taps = 1
heights_m = [0.0, 0.6, 1.4, 2.6]
geometry = true
grid = { x_min_m = -51.2, y_min_m = -51.2, cell_m = 0.8, rows = 128, cols = 128 }
depth_bins = { count = 32, min_m = 2.0, max_m = 72.0 }
[queue]
grid = { x_min_m = -51.2, y_min_m = -51.2, cell_m = 0.8, rows = 128, cols = 128 }
channels = 32
slots = 4
stride_s = 0.5
storage = "f16"
[[head]]
kind = "stop_lines"
output = "stop_lines"
grid = { x_min_m = -33.6, y_min_m = -16.8, cell_m = 0.4, rows = 168, cols = 84 }
thresholds = [0.3]
[golden]
file = "golden.json"
tolerance = { fp32 = 1e-3, fp16 = 2e-2, int8-cpu = 0.15, int8-trt = 0.2 }
"#;

fn parse(text: &str) -> Result<Manifest, ManifestError> {
    Manifest::from_toml_str(text, Path::new("tiny/manifest.toml"))
}

fn refusal(from: &str, to: &str) -> String {
    assert!(TINY.contains(from), "the example has no `{from}`");
    parse(&TINY.replacen(from, to, 1))
        .expect_err("the manifest is wrong")
        .to_string()
}

#[test]
fn the_documented_example_is_read() {
    let manifest = parse(TINY).expect("the example is right");
    assert_eq!(manifest.name(), "tiny");
    assert_eq!(manifest.networks()[0].precision, Precision::Fp32);
    assert_eq!(manifest.networks()[0].sha256[0], 0xe3);
    assert_eq!(
        manifest.lifts()[0].spec.depth_bins.map(|b| b.count),
        Some(32)
    );
    let rays = manifest.rays().expect("the example asks for rays");
    assert_eq!((rays.feature_width, rays.feature_height), (44, 16));
    assert_eq!(manifest.heads()[0].kind, HeadKind::StopLines);
    assert_eq!(
        manifest.queue().map(|queue| queue.storage),
        Some(QueueStorage::F16)
    );
    let golden = manifest.golden().expect("the example has goldens");
    assert_eq!(golden.tolerance_of(Precision::Int8Cpu), Some(0.15));
}

#[test]
fn a_refusal_names_file_field_expected_and_found() {
    let message = refusal("stride = 8\ntaps", "stride = 7\ntaps");
    assert!(message.contains("tiny/manifest.toml"), "{message}");
    assert!(message.contains("lift[0].stride"), "{message}");
    assert!(message.contains("352 x 128"), "{message}");
    assert!(message.ends_with("found 7"), "{message}");
}

#[test]
fn wrong_values_are_refused() {
    for (from, to, field) in [
        ("format = 1", "format = 2", "format"),
        ("crop_top = 0.353333", "crop_top = 1.0", "crop_top"),
        ("crop_top = 0.353333", "crop_top = nan", "crop_top"),
        ("std = [64.0", "std = [0.0", "preprocess.std"),
        ("[rays]\nstride = 8", "[rays]\nstride = 7", "rays"),
        ("[rays]\nstride = 8", "[rays]\nstride = 0", "rays"),
        ("taps = 1", "taps = 5", "taps"),
        (
            "heights_m = [0.0, 0.6, 1.4, 2.6]",
            "heights_m = []",
            "heights_m",
        ),
        ("max_m = 72.0", "max_m = 1.0", "depth_bins"),
        ("cell_m = 0.8", "cell_m = -0.8", "cell_m"),
        ("rows = 128", "rows = 0", "rows"),
        ("slots = 4", "slots = 0", "queue.slots"),
        ("stride_s = 0.5", "stride_s = 0.0", "queue.stride_s"),
        ("storage = \"f16\"", "storage = \"u8\"", "queue.storage"),
        (
            "thresholds = [0.3]",
            "thresholds = [0.3, 0.4]",
            "head[0].thresholds",
        ),
        (
            "thresholds = [0.3]",
            "thresholds = [0.0]",
            "head[0].thresholds",
        ),
        (
            "output = \"stop_lines\"",
            "output = \"bev\"",
            "head[0].output",
        ),
        (
            "file = \"tiny-fp32.onnx\"",
            "file = \"../tiny.onnx\"",
            "network[0].file",
        ),
        ("e3b0c442", "x3b0c442", "network[0].sha256"),
        ("fp32 = 1e-3", "fp32 = -1.0", "golden.tolerance.fp32"),
    ] {
        let message = refusal(from, to);
        assert!(message.contains(field), "{to}: {message}");
    }
}

#[test]
fn an_unknown_field_is_refused() {
    let message = refusal("taps = 1", "taps = 1\ntypo = 1");
    assert!(message.contains("typo"), "{message}");
}
