//! The `bevrt` command as a user runs it, on the package that ships.

mod bench;
mod engines;
mod hil;
mod replay;

use bevrt_hil::logs::{LogReader, TOPIC_FRAME};
use bevrt_osi::SensorData;
use bevrt_runtime::OutputFrame;
use prost::Message;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn bevrt(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bevrt"))
        .args(arguments)
        .current_dir(repository())
        .output()
        .expect("the command was built before its tests")
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the repository")
}

fn success(arguments: &[&str]) -> String {
    let output = bevrt(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "bevrt {arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn failure(arguments: &[&str]) -> String {
    let output = bevrt(arguments);
    assert!(!output.status.success(), "bevrt {arguments:?} must fail");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An empty folder below the one that cargo gives to tests.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the folder of tests is writable");
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().expect("folders of tests have plain names")
}

/// Every output frame of a result, byte by byte.
fn frames(result: &Path) -> Vec<Vec<u8>> {
    let reader = LogReader::open(result).expect("the result is a log");
    let mut messages = reader
        .messages(|topic| topic.topic == TOPIC_FRAME)
        .expect("the log is indexed");
    let mut frames = Vec::new();
    while let Some(message) = messages.next_message().expect("the log is sound") {
        frames.push(message.data.to_vec());
    }
    frames
}

#[test]
fn log_replayed_twice_gives_identical_frames_and_tensors_to_compare() {
    let folder = folder("replay_twice");
    let log = folder.join("drive.mcap");
    success(&[
        "sim",
        "--seed",
        "950101",
        "--seconds",
        "1.5",
        "--times-network",
        "2",
        "--out",
        text(&log),
    ]);
    let results = ["first", "second"].map(|name| folder.join(name));
    for result in &results {
        success(&[
            "replay",
            text(&log),
            "--out",
            text(result),
            "--dump-tensors",
            "1",
            "--json",
        ]);
    }
    let [first, second] = results
        .each_ref()
        .map(|result| frames(&result.join("result.mcap")));
    assert!(
        first.len() >= 14,
        "{} frames of 1.5 s at 10 Hz",
        first.len()
    );
    assert!(first == second, "frames of two replays differ");
    result_becomes_traces(&log, &results[0].join("result.mcap"), &first);
    for tensor in [
        "inputs/images",
        "inputs/coarse_index",
        "inputs/history",
        "outputs/objects",
        "outputs/bev",
    ] {
        let file = results[0].join(format!("tensors/frame_000/{tensor}.npy"));
        let bytes =
            std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(&bytes[..6], b"\x93NUMPY", "{tensor}");
        assert_eq!(
            bytes,
            std::fs::read(results[1].join(format!("tensors/frame_000/{tensor}.npy")))
                .expect("written too")
        );
    }
}

/// Converts a result to both kinds of OSI traces and compares the messages with its frames.
fn result_becomes_traces(drive: &Path, result: &Path, frames: &[Vec<u8>]) {
    let out = folder("osi");
    let trace = out.join("trace_sd.osi");
    let said = success(&["osi", text(result), "--out", text(&trace)]);
    assert!(said.contains(&format!("{} frames", frames.len())), "{said}");
    let bytes = std::fs::read(&trace).expect("it was written");
    let mut rest = &bytes[..];
    let mut with_velocities = 0;
    for frame in frames {
        let (length, after) = rest.split_first_chunk().expect("a length");
        let (message, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        rest = after;
        let message = SensorData::decode(message).expect("a message");
        let frame = OutputFrame::boxed_from_frame_bytes(frame).expect("a frame");
        let objects = message.moving_object.len() + message.stationary_object.len();
        assert_eq!(objects, frame.objects().len());
        assert_eq!(message.lane_boundary.len(), frame.lanes().len());
        let nanoseconds = message.timestamp.and_then(|time| time.nanos);
        assert_eq!(
            nanoseconds.map(i64::from),
            Some(frame.now_ns % 1_000_000_000)
        );
        let velocity = |object: &bevrt_osi::messages::DetectedMovingObject| object.base?.velocity;
        with_velocities += message.moving_object.iter().filter_map(velocity).count();
    }
    assert!(rest.is_empty(), "{} bytes too many", rest.len());
    assert!(with_velocities > 0, "the result holds no ego motion");

    success(&["osi", text(result), "--out", text(&out)]);
    let mut names = std::fs::read_dir(&out).expect("the folder is there");
    let has_named = names.any(|file| {
        let name = file.expect("it is readable").file_name();
        let end = format!("_{}_result.mcap", frames.len());
        name.to_string_lossy().ends_with(&end)
    });
    assert!(has_named, "no MCAP trace is named as OSI recommends");

    let errors = failure(&["osi", text(drive), "--out", text(&trace)]);
    assert!(errors.contains(TOPIC_FRAME), "{errors}");
    let errors = failure(&["osi", text(result), "--out", "trace.txt"]);
    assert!(errors.contains("osi or mcap"), "{errors}");
}

#[test]
fn nuscenes_folder_is_written_replayed_and_evaluated() {
    let folder = folder("nuscenes");
    let root = folder.join("data");
    success(&[
        "sim",
        "--nuscenes",
        text(&root),
        "--seeds",
        "950102..950104",
        "--seconds",
        "1",
        "--rate",
        "4",
        "--times-network",
        "1",
    ]);
    let results = folder.join("results.json");
    let scores = folder.join("scores.json");
    let table = success(&[
        "eval",
        "--nuscenes",
        text(&root),
        "--nuscenes-results",
        text(&results),
        "--json",
        text(&scores),
    ]);
    assert!(table.contains("2 scenes, 6 key frames scored"), "{table}");
    let read = |file: &Path| -> serde_json::Value {
        let text = std::fs::read_to_string(file).expect("it was written");
        serde_json::from_str(&text).expect("JSON")
    };
    let scores = read(&scores);
    assert!(scores["lanes"]["F1"].is_number(), "{scores}");
    assert!(scores.get("arrows").is_none(), "{scores}");
    assert_eq!(
        read(&results)["results"].as_object().map(|r| r.len()),
        Some(6)
    );
    let out = folder.join("replay");
    success(&[
        "replay",
        "--nuscenes",
        text(&root),
        "--version",
        "v1.0-sim",
        "--scene",
        "sim-950103",
        "--out",
        text(&out),
    ]);
    let result = out.join("sim-950103/result.mcap");
    assert_eq!(frames(&result).len(), 5);
    // Here the motion comes as poses.
    let trace = out.join("trace_sd.mcap");
    let said = success(&["osi", text(&result), "--out", text(&trace)]);
    assert!(
        said.contains("5 frames") && !said.contains(" 0 of them"),
        "{said}"
    );
    let errors = failure(&["eval", "--nuscenes", text(&root), "--scene", "scene-0061"]);
    assert!(
        errors.contains("sim-950102") && errors.contains("scene-0061"),
        "{errors}"
    );
    let errors = failure(&["eval", "--nuscenes", text(&root), "--version", "v1.0-mini"]);
    assert!(
        errors.contains("v1.0-mini") && errors.contains("found v1.0-sim"),
        "{errors}"
    );
}

#[test]
fn worst_clips_get_pages_and_a_page_that_leads_to_them() {
    let out = folder("worst");
    success(&[
        "worst",
        "--seeds",
        "900100..900102",
        "--pages",
        "1",
        "--seconds",
        "3",
        "--out",
        text(&out),
    ]);
    let read = |file: &Path| std::fs::read_to_string(file).expect("it was written");
    let page = read(&out.join("index.html"));
    let data = page
        .split_once(r#"type="application/json">"#)
        .and_then(|(_, rest)| rest.split_once("</script>"))
        .expect("the data stands in a script element")
        .0;
    let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
    let clips = data["clips"].as_array().expect("a list");
    assert_eq!(clips.len(), 2);
    let linked: Vec<&str> = clips.iter().filter_map(|c| c["page"].as_str()).collect();
    assert!(!linked.is_empty());
    for link in linked {
        assert!(read(&out.join(link)).contains("<!doctype html>"), "{link}");
    }
}

#[test]
fn a_package_compared_with_itself_differs_by_nothing() {
    let report = folder("compare").join("report.json");
    let tiny = "models/packages/tiny";
    let seeds = ["--seeds", "900100..900101", "--resamples", "5"];
    let table = success(
        &[
            &["compare", tiny, tiny, "--json", text(&report)],
            &seeds[..],
        ]
        .concat(),
    );
    assert!(table.contains("| lanes F1 |") && table.contains("| network, ms |"));
    let report = std::fs::read_to_string(report).expect("it was written");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let rows = report[0]["rows"].as_object().expect("rows by name");
    assert_eq!(rows.len(), 10);
    for row in rows.values() {
        assert_eq!(row["first"], row["second"]);
        assert_eq!(row["interval"], serde_json::json!([0.0, 0.0]));
    }
    assert!(failure(&["compare", tiny]).contains("OTHERS"));
}

/// What `bevrt doctor --json` says with these arguments.
fn examined(arguments: &[&str]) -> serde_json::Value {
    let report = success(&[&["doctor", "--json"], arguments].concat());
    let end = report.rfind('}').expect("the report is JSON, then a line");
    serde_json::from_str(&report[..=end]).expect("JSON")
}

/// Golden outputs, all of which agree.
fn agreeing(report: &serde_json::Value) -> usize {
    let outputs = report["golden"]["outputs"].as_array();
    let outputs = outputs.expect("golden outputs");
    assert!(
        outputs.iter().all(|output| output["agrees"] == true),
        "{outputs:?}"
    );
    outputs.len()
}

#[test]
fn shipped_package_is_sound_on_this_machine() {
    assert!(agreeing(&examined(&["models/packages/tiny"])) >= 6);
}

#[test]
fn example_packages_of_other_families_are_sound_on_this_machine() {
    for (name, heads, queue) in [
        ("bevdet_like", "cells of", "aligned by the network"),
        ("maptr_like", "queries", "none"),
    ] {
        let package = format!("runtime/tests/fixtures/{name}");
        let rig = format!("{package}/golden/case0/rig.toml");
        let report = examined(&[&package, "--rig", &rig]);
        assert!(agreeing(&report) > 0, "{name}");
        let text = |value: &serde_json::Value| value.to_string();
        let found = (
            text(&report["package"]["heads"]),
            text(&report["package"]["queue"]),
        );
        assert!(
            found.0.contains(heads) && found.1.contains(queue),
            "{found:?}"
        );
        let inputs = text(&report["network"]["inputs"]);
        assert!(
            inputs.contains("ego_from_cam") && !inputs.contains("_index"),
            "{inputs}"
        );
    }
}

#[test]
fn a_list_of_calibration_files_of_others_becomes_a_rig_file() {
    let folder = folder("assembled");
    let foreign = repository().join("calibration/tests/fixtures/readers/camera_info.yaml");
    let list = format!(
        "reference = \"front\"\n[[camera]]\nname = \"front\"\nros = '{}'\n\
         [camera.ego_from_cam]\ntranslation_m = [1.7, 0.0, 1.5]\n\
         quaternion_wxyz = [0.5, -0.5, 0.5, -0.5]\n",
        foreign.display()
    );
    let file = folder.join("cameras.toml");
    std::fs::write(&file, list).expect("the folder is writable");
    let rig = success(&["rig", "--assemble", text(&file)]);
    let rig = bevrt_calibration::Rig::from_toml_str(&rig).expect("a rig file");
    assert_eq!(rig.reference_camera().intrinsics.fx(), 913.25);
    let error = failure(&["rig", "--assemble", text(&foreign)]);
    assert!(error.contains("a list of cameras in TOML"), "{error}");
}

#[test]
fn built_in_rigs_are_rig_files() {
    let folder = folder("rigs");
    for name in ["six-pinhole", "four-fisheye"] {
        let file = folder.join(format!("{name}.toml"));
        std::fs::write(&file, success(&["rig", name])).expect("the folder is writable");
        assert_eq!(
            success(&["rig", text(&file)]),
            success(&["rig", name]),
            "{name}"
        );
    }
}

#[test]
fn wrong_inputs_are_named_in_the_error() {
    let folder = folder("wrong_inputs");
    let damaged = folder.join("damaged.mcap");
    std::fs::write(&damaged, b"this is no log").expect("the folder is writable");
    assert!(failure(&["replay", text(&damaged)]).contains("damaged.mcap"));
    assert!(failure(&["doctor", "models/packages/none"]).contains("models/packages/none"));
    assert!(failure(&["replay"]).contains("LOG"));
    assert!(failure(&["sim", "--nuscenes", "out/none"]).contains("--seeds"));
    assert!(failure(&["eval", "--nuscenes", "no/folder"]).contains("no/folder"));
    assert!(failure(&["eval", "--scene", "scene-0061"]).contains("--nuscenes"));
    assert!(failure(&["robustness", "--only", "hail"]).contains("hail"));
    let manifest = ["--manifest", "models/packages/tiny/manifest.toml"];
    let streamed = |more: &[&str]| failure(&[&["train-stream"], &manifest[..], more].concat());
    assert!(streamed(&["--nuscenes", "no/folder"]).contains("no/folder"));
    assert!(streamed(&["--nuscenes", "no/folder", "--seeds", "0..2"]).contains("--seeds"));
    assert!(failure(&["rig", "seven-pinhole"]).contains("seven-pinhole"));
    assert!(failure(&["rig"]).contains("required"));
    let errors = failure(&[
        "train-stream",
        "--seeds",
        "949990..950001",
        "--manifest",
        "models/packages/tiny/manifest.toml",
    ]);
    assert!(
        errors.contains("test") || errors.contains("950000"),
        "{errors}"
    );
    assert!(failure(&["eval", "--seeds", "9..3"]).contains("FIRST..END"));
}
