use std::path::Path;

use super::{
    HeadForm, HeadKind, Manifest, ManifestError, MapElement, PointCoordinates, PointDimensions,
    Precision, QueueAlignment, QueueStorage,
};

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
    assert_eq!(manifest.heads()[0].form.finds(), [HeadKind::StopLines]);
    assert!(manifest.matrices().is_none());
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

/// Matrices instead of a lift, raw history, and two query sets.
const OTHER: &str = r#"
format = 1
name = "other"
version = "0.1.0"
world = "1"
[[network]]
file = "other.onnx"
precision = "fp32"
providers = ["cpu"]
sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
[preprocess]
width = 704
height = 256
crop_top = 0.3
kernel = "area"
colour = "bgr"
mean = [103.5, 116.3, 123.7]
std = [57.4, 57.1, 58.4]
[matrices]
largest_distortion_px = 2.0
[queue]
grid = { x_min_m = -51.2, y_min_m = -51.2, cell_m = 0.8, rows = 128, cols = 128 }
channels = 64
slots = 1
stride_s = 0.5
storage = "f16"
alignment = "graph"
[[head]]
kind = "objects"
form = "queries"
output = "boxes"
queries = 300
range = { x_min_m = -51.2, x_max_m = 51.2, y_min_m = -40.0, y_max_m = 40.5 }
classes = ["car", "van", "truck", "bus", "motorcycle", "cyclist", "pedestrian", "cone"]
thresholds = [0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]
[[head]]
kind = "map_elements"
form = "queries"
output = "map"
queries = 50
points = 20
dimensions = 2
coordinates = "normalised"
range = { x_min_m = -30.0, x_max_m = 30.0, y_min_m = -15.0, y_max_m = 15.0 }
classes = ["divider", "ped_crossing", "boundary", "centreline"]
elements = ["dashed", "crosswalk", "road_edge", "ignored"]
sigma_m = [0.3, 0.6, 0.4, 1.0]
thresholds = [0.4, 0.4, 0.4, 0.4]
"#;

#[test]
fn matrices_raw_history_and_query_sets_are_read() {
    let manifest = parse(OTHER).expect("the example is right");
    assert!(manifest.lifts().is_empty());
    let matrices = manifest.matrices().expect("it takes matrices");
    assert_eq!(matrices.largest_distortion_px, 2.0);
    let queue = manifest.queue().expect("it has a queue");
    assert_eq!(queue.alignment, QueueAlignment::Graph);
    let [objects, map] = manifest.heads() else {
        panic!("two heads");
    };
    let area = objects.form.area();
    assert_eq!((area.rows, area.cols, area.cell_m), (103, 81, 1.0));
    assert_eq!(
        map.form.finds(),
        [HeadKind::Lanes, HeadKind::Crosswalks],
        "an ignored class fills no list"
    );
    let HeadForm::MapQueries(map) = &map.form else {
        panic!("a set of point lists");
    };
    assert_eq!(map.coordinates, PointCoordinates::Normalised);
    assert_eq!(map.dimensions, PointDimensions::Two);
    let dashed = MapElement::Line {
        marking: 1,
        colour: 0,
    };
    assert_eq!(map.elements[0], dashed);
}

#[test]
fn families_that_do_not_fit_together_are_refused() {
    let second = "kind = \"map_elements\"\nform = \"queries\"";
    for (from, to, field, found) in [
        (
            "[matrices]\nlargest_distortion_px = 2.0",
            "",
            "`lift`",
            "found 0",
        ),
        (
            "px = 2.0",
            "px = -1.0",
            "matrices.largest_distortion_px",
            "-1",
        ),
        (
            "px = 2.0",
            "px = nan",
            "matrices.largest_distortion_px",
            "NaN",
        ),
        (
            "alignment = \"graph\"",
            "alignment = \"none\"",
            "alignment",
            "none",
        ),
        ("queries = 300\n", "", "head[0].queries", "found none"),
        ("queries = 300", "queries = 0", "head[0].queries", "found 0"),
        (
            "queries = 300",
            "queries = 300\npoints = 2",
            "head[0].points",
            "found",
        ),
        (
            "queries = 300",
            "queries = 300\ngrid = { x_min_m = 0.0, y_min_m = 0.0, cell_m = 1.0, rows = 1, cols = 1 }",
            "head[0].grid",
            "no such field",
        ),
        ("x_max_m = 51.2", "x_max_m = -52.0", "head[0].range", "-52"),
        ("x_max_m = 51.2", "x_max_m = nan", "head[0].range", "NaN"),
        ("\"cone\"]", "\"barrier\"]", "head[0].classes", "barrier"),
        (second, "kind = \"map_elements\"", "head[1].form", "Dense"),
        (
            second,
            "kind = \"lanes\"\nform = \"queries\"",
            "head[1].kind",
            "Lanes",
        ),
        ("points = 20", "points = 65", "head[1].points", "found 65"),
        ("points = 20\n", "", "head[1].points", "found none"),
        (
            "dimensions = 2",
            "dimensions = 4",
            "head[1].dimensions",
            "found 4",
        ),
        ("\"dashed\", ", "", "head[1].elements", "4 classes"),
        ("\"dashed\"", "\"divider\"", "head[1].elements", "divider"),
        (
            "sigma_m = [0.3, ",
            "sigma_m = [",
            "head[1].sigma_m",
            "4 classes",
        ),
        (
            "sigma_m = [0.3",
            "sigma_m = [0.0",
            "head[1].sigma_m",
            "above 0",
        ),
        (
            "thresholds = [0.4, ",
            "thresholds = [",
            "head[1].thresholds",
            "4 thresholds",
        ),
    ] {
        assert!(OTHER.contains(from), "the example has no `{from}`");
        let error = parse(&OTHER.replacen(from, to, 1)).expect_err("the manifest is wrong");
        let message = error.to_string();
        assert!(
            message.contains(field) && message.contains(found),
            "{to}: {message}"
        );
    }
}

#[test]
fn two_heads_do_not_fill_one_list() {
    let lanes = r#"
[[head]]
kind = "lanes"
output = "lanes"
grid = { x_min_m = 0.0, y_min_m = 0.0, cell_m = 1.0, rows = 8, cols = 8 }
thresholds = [0.5]
"#;
    let message = parse(&format!("{OTHER}{lanes}"))
        .expect_err("the map head finds lanes, too")
        .to_string();
    assert!(message.contains("head[2].kind"), "{message}");
    let stop_lines = lanes.replace("lanes", "stop_lines");
    parse(&format!("{OTHER}{stop_lines}")).expect("the map head finds no stop lines");
}

#[test]
fn other_files_have_hashes_and_lie_inside_the_package() {
    let digits = "ab".repeat(32);
    let with = |file: &str, digits: &str| {
        let text = format!("{TINY}[files]\n\"{file}\" = \"{digits}\"\n");
        parse(&text)
    };
    let manifest = with("golden/a.png", &digits).expect("it is right");
    let entry = manifest.file(Path::new("golden/a.png"));
    assert_eq!(entry.map(|entry| entry.sha256), Some([0xAB; 32]));
    assert!(manifest.file(Path::new("golden.json")).is_none());
    for (file, digits, part) in [
        ("../a.png", digits.as_str(), "a file inside the package"),
        ("/a.png", &digits, "a file inside the package"),
        ("a.png", &digits[2..], "64 hexadecimal digits"),
        ("a.png", "zz", "64 hexadecimal digits"),
    ] {
        let error = with(file, digits).expect_err("it is wrong").to_string();
        assert!(error.contains("files.") && error.contains(part), "{error}");
    }
}
