use std::path::Path;

use sha2::{Digest, Sha256};

use super::{GoldenError, GoldenReport, run_golden};
use crate::engine::conformance::{
    has_onnx_runtime, reduced_folder, reduced_network, reduced_package,
};
use crate::engine::{Engine, EngineOptions, ImageSet, OnnxRuntime};
use crate::manifest::Precision;
use crate::package::hex::Hex;
use crate::package::{MANIFEST_FILE, Package, PackageError};

fn options() -> EngineOptions {
    EngineOptions {
        intra_op_threads: 1,
        warm_up_runs: 0,
        ..EngineOptions::default()
    }
}

fn engine(cameras: usize) -> OnnxRuntime {
    let (network, interface) = reduced_network(cameras);
    OnnxRuntime::load(&network, interface, &options()).expect("the fixture loads")
}

fn run(package: &Package, engine: &mut OnnxRuntime) -> Result<GoldenReport, GoldenError> {
    let entry = &package.manifest().networks()[0];
    run_golden(package, entry, engine, &options()).map(|report| report.expect("there are cases"))
}

#[test]
fn python_and_the_runtime_agree_on_every_output() {
    if !has_onnx_runtime() {
        return;
    }
    let mut engine = engine(2);
    let report = run(&reduced_package(), &mut engine).expect("the cases run");
    assert_eq!(report.outputs().len(), 6);
    assert!(report.is_passed(), "{report}");
    // Far below the tolerance: only the order of additions may differ.
    assert!(
        report.outputs().iter().all(|output| output.worst < 1e-4),
        "{report}"
    );
    assert!(report.into_result().is_ok());
    assert!(
        engine
            .images_mut(ImageSet::First)
            .iter()
            .all(|&value| value == 0.0)
    );
}

#[test]
fn a_rig_with_other_cameras_is_tested_on_an_engine_of_its_own() {
    if !has_onnx_runtime() {
        return;
    }
    let report = run(&reduced_package(), &mut engine(5)).expect("the cases run");
    assert!(report.is_passed(), "{report}");
}

/// A copy of the reduced package with one change in its golden file.
struct Changed(std::path::PathBuf);

impl Changed {
    fn new(test: &str, change: impl Fn(&mut serde_json::Value)) -> Self {
        let folder =
            std::env::temp_dir().join(format!("bevrt-golden-{test}-{}", std::process::id()));
        copy(&reduced_folder(), &folder);
        let path = folder.join("golden.json");
        let text = std::fs::read_to_string(&path).expect("the copy is whole");
        let mut golden = serde_json::from_str(&text).expect("it is JSON");
        change(&mut golden);
        let changed = Self(folder);
        changed.replace("golden.json", golden.to_string().as_bytes());
        changed
    }

    /// Writes a file and its hash.
    fn replace(&self, file: &str, bytes: &[u8]) {
        let path = self.0.join(file);
        let hash = |bytes: &[u8]| {
            let digest: [u8; 32] = Sha256::digest(bytes).into();
            Hex(&digest).to_string()
        };
        let before = hash(&std::fs::read(&path).expect("the copy is whole"));
        std::fs::write(&path, bytes).expect("the copy is writable");
        let manifest = self.0.join(MANIFEST_FILE);
        let text = std::fs::read_to_string(&manifest).expect("the copy is whole");
        assert!(text.contains(&before), "{file} is in the manifest");
        std::fs::write(&manifest, text.replace(&before, &hash(bytes))).expect("it is writable");
    }

    fn package(&self) -> Package {
        Package::open(&self.0).expect("the copy is right")
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        // A folder that stays behind in the system's temporary space does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the temporary folder is writable");
    for entry in std::fs::read_dir(from).expect("the fixture is whole") {
        let from = entry.expect("the fixture is readable").path();
        let to = to.join(from.file_name().expect("it has a name"));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).expect("the temporary folder is writable");
        }
    }
}

#[test]
fn an_output_that_differs_is_named() {
    if !has_onnx_runtime() {
        return;
    }
    let changed = Changed::new("differs", |golden| {
        let value = &mut golden["cases"][0]["outputs"]["fp32"][2]["values"][7];
        *value = (value.as_f64().expect("a number") + 1.0).into();
    });
    let report = run(&changed.package(), &mut engine(2)).expect("the cases run");
    assert!(!report.is_passed());
    let wrong: Vec<&str> = report
        .outputs()
        .iter()
        .filter(|output| !report.agrees(output))
        .map(|output| output.output.as_str())
        .collect();
    assert_eq!(wrong, ["lanes"]);
    let error = report.into_result().expect_err("an output differs");
    assert!(error.to_string().contains("lanes: DIFFERS"), "{error}");
}

#[test]
fn a_precision_is_compared_with_outputs_of_its_own() {
    if !has_onnx_runtime() {
        return;
    }
    let changed = Changed::new("precision", |golden| {
        let outputs = &mut golden["cases"][0]["outputs"];
        outputs["int8-cpu"] = outputs["fp32"].clone();
        let value = &mut outputs["int8-cpu"][2]["values"][7];
        *value = (value.as_f64().expect("a number") + 1e3).into();
    });
    let package = changed.package();
    let mut entry = package.manifest().networks()[0].clone();
    for (precision, is_passed) in [
        (Precision::Fp32, true),
        (Precision::Int8Cpu, false),
        // It has none of its own.
        (Precision::Fp16, true),
    ] {
        entry.precision = precision;
        let report = run_golden(&package, &entry, &mut engine(2), &options())
            .expect("the cases run")
            .expect("there are cases");
        assert_eq!(report.is_passed(), is_passed, "{report}");
    }
}

#[test]
fn a_collapsed_channel_is_found_where_no_sample_lies() {
    if !has_onnx_runtime() {
        return;
    }
    let changed = Changed::new("collapsed", |golden| {
        golden["cases"][0]["outputs"]["fp32"][1]["channel_std"][3] = 5.0.into();
    });
    let report = run(&changed.package(), &mut engine(2)).expect("the cases run");
    assert!(!report.is_passed(), "{report}");
}

#[test]
fn history_without_its_poses_differs() {
    if !has_onnx_runtime() {
        return;
    }
    let changed = Changed::new("poses", |golden| {
        golden["cases"][0]["frames"][0]["odom_from_ego"][3] = 4.0.into();
    });
    let report = run(&changed.package(), &mut engine(2)).expect("the cases run");
    assert!(
        !report.is_passed(),
        "the queue must be aligned by the poses"
    );
}

#[test]
fn files_that_are_not_those_of_the_manifest_are_refused() {
    if !has_onnx_runtime() {
        return;
    }
    for file in [
        "golden.json",
        "golden/case0/rig.toml",
        "golden/case0/frame1_cam0.png",
    ] {
        let changed = Changed::new(&format!("hash-{}", file.len()), |_| {});
        let path = changed.0.join(file);
        let mut bytes = std::fs::read(&path).expect("the copy is whole");
        bytes.push(b' ');
        std::fs::write(&path, bytes).expect("the copy is writable");
        let error = run(&changed.package(), &mut engine(2)).expect_err("the hash is wrong");
        let is_hash = matches!(&error, GoldenError::Package(PackageError::Hash { .. }));
        assert!(is_hash && error.to_string().contains(file), "{error}");
    }
    let changed = Changed::new("unlisted", |golden| {
        golden["cases"][0]["frames"][1]["images"][0] = "other.png".into();
    });
    let error = run(&changed.package(), &mut engine(2)).expect_err("it is not in the manifest");
    assert!(
        error
            .to_string()
            .contains("other.png: expected its SHA-256"),
        "{error}"
    );
}

#[test]
fn wrong_cases_are_refused() {
    if !has_onnx_runtime() {
        return;
    }
    type Change = fn(&mut serde_json::Value);
    let changes: [(&str, Change, &str); 5] = [
        ("format", |golden| golden["format"] = 1.into(), "format"),
        (
            "picture",
            |golden| golden["cases"][0]["frames"][1]["images"][0] = "golden.json".into(),
            "golden.json",
        ),
        (
            "outside",
            |golden| golden["cases"][0]["frames"][1]["images"][0] = "../x.png".into(),
            "inside the package",
        ),
        (
            "cameras",
            |golden| golden["cases"][0]["frames"][1]["images"] = serde_json::json!([]),
            "2 pictures",
        ),
        (
            "shape",
            |golden| {
                golden["cases"][0]["outputs"]["fp32"][2]["shape"] =
                    serde_json::json!([1, 13, 8, 10])
            },
            "lanes",
        ),
    ];
    for (name, change, part) in changes {
        let changed = Changed::new(name, change);
        let error = run(&changed.package(), &mut engine(2)).expect_err("the cases are wrong");
        assert!(error.to_string().contains(part), "{name}: {error}");
    }
}
