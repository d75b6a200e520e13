//! `bevrt bench` as a user runs it, on the package that ships. Nothing here asserts a time.

use std::path::Path;

use bevrt_runtime::OnnxRuntimeLibrary;
use serde_json::Value;

use super::{folder, text};

fn success(arguments: &[&str]) -> String {
    super::success(&[&["bench"], arguments].concat())
}

fn failure(arguments: &[&str]) -> String {
    super::failure(&[&["bench"], arguments].concat())
}

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("it was written");
    serde_json::from_str(&text).expect("JSON")
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("expected a number, found {value}"))
}

/// The report with other block medians of a time, or of all times (`*`).
fn with_blocks(report: &Value, mode: &str, name: &str, change: impl Fn(f64) -> f64) -> Value {
    let mut report = report.clone();
    let times = report["modes"][mode]["times"].as_array_mut();
    for times in times.expect("times").iter_mut() {
        if times["name"] == name || name == "*" {
            for blocks in ["block_medians_ms", "block_p90s_ms"] {
                for block in times[blocks].as_array_mut().expect("blocks") {
                    *block = change(number(block)).into();
                }
            }
        }
    }
    report
}

fn check_mode(report: &Value, mode: &str, names: &[&str]) {
    let of_mode = &report["modes"][mode];
    assert!(of_mode["frames"].as_u64().is_some_and(|frames| frames >= 3));
    let times = of_mode["times"].as_array().expect("times");
    let found: Vec<&str> = times.iter().filter_map(|t| t["name"].as_str()).collect();
    assert_eq!(found, names, "{mode}");
    let median = |name: &str| {
        let times = times.iter().find(|times| times["name"] == name);
        number(&times.expect("it is there")["p50_ms"])
    };
    for stage in ["preprocess", "align", "network", "decode"] {
        assert!(median(stage) > 0.0, "{mode} {stage}");
    }
    if names.contains(&"from_last_image") {
        assert!(median("network") <= median("from_last_image"), "{mode}");
    }
    assert!(median("network") <= median("total"), "{mode}");
    for times in times {
        let mut last = number(&times["p50_ms"]);
        for percentile in ["p90_ms", "p99_ms", "p99_9_ms"] {
            if !times[percentile].is_null() {
                assert!(number(&times[percentile]) >= last, "{times}");
                last = number(&times[percentile]);
            }
        }
        assert!(number(&times["max_ms"]) >= last, "{times}");
        assert_eq!(times["p99_9_ms"], Value::Null, "two seconds cannot tell");
        let blocks = times["block_medians_ms"].as_array().expect("blocks");
        assert!(blocks.len() >= 3, "{times}");
    }
    assert!(number(&of_mode["cpu_user_ms"]) > 0.0, "{mode}");
}

const STAGES: [&str; 8] = [
    "preprocess",
    "align",
    "network",
    "decode",
    "track",
    "publish",
    "total",
    "from_last_image",
];

fn check_report(report: &Value) {
    assert_eq!(report["format"], 2);
    check_mode(report, "paced", &[&STAGES[..], &["response"]].concat());
    check_mode(report, "flat_out", &[&STAGES[..], &["bare_run"]].concat());
    assert!(number(&report["step_per_bare"]["median"]) > 0.5);
    let start_up = &report["start_up"];
    assert!(number(&start_up["open_ms"]) > 0.0);
    assert!(number(&start_up["until_first_frame_ms"]) > number(&start_up["first_total_ms"]));
    let memory = &report["memory"];
    assert!(number(&memory["peak_mib"]) >= number(&memory["steady_mib"]));
    assert!(number(&memory["steady_mib"]) > number(&memory["frames_mib"]));
    let allocations = &report["allocations"];
    assert_eq!(
        allocations["whole"], allocations["bare_run"],
        "our stages allocate nothing"
    );
    assert_eq!(report["subject"]["package"], "tiny");
    assert_eq!(report["subject"]["provider"], "cpu");
    let sha256 = report["subject"]["sha256"].as_str().expect("a hash");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/packages/tiny");
    let manifest = std::fs::read_to_string(manifest.join("manifest.toml")).expect("it ships");
    assert!(sha256.len() == 64 && manifest.contains(sha256), "{sha256}");
    assert!(report["machine"]["cores"].as_u64() >= Some(1));
    assert_ne!(report["machine"]["kernel"], "");
}

fn check_trace(trace: &Value) {
    let events = trace["traceEvents"].as_array().expect("events");
    let complete: Vec<&Value> = events.iter().filter(|event| event["ph"] == "X").collect();
    for event in &complete {
        for field in ["ts", "dur", "pid", "tid"] {
            assert!(event[field].is_number(), "{field} of {event}");
        }
    }
    let names = |name: &str| complete.iter().filter(|e| e["name"] == name).count();
    assert!(names("step") >= 6 && names("step") == names("network"));
    assert!(names("image front") == names("step") && names("bare run") >= 3);
    assert!(events.iter().any(|event| event["name"] == "thread_name"));
}

/// With a thread for the network the same is measured but the step from the last image, which waits for
/// the set before; and the reports do not compare.
fn check_overlap(frames: &Path, overlapped: &Path, plain: &Path) {
    let frames = ["--frames", text(frames), "--seconds", "2"];
    success(&[&frames[..], &["--overlap", "--json", text(overlapped)]].concat());
    let report = json(overlapped);
    assert_eq!(report["subject"]["has_overlap"], true);
    check_mode(&report, "paced", &[&STAGES[..], &["response"]].concat());
    let [stages @ .., "from_last_image"] = &STAGES else {
        panic!("{STAGES:?}");
    };
    check_mode(&report, "flat_out", &[stages, &["bare_run"][..]].concat());
    assert!(report["step_per_bare"].is_null());
    let errors = failure(&["--compare", text(plain), "--report", text(overlapped)]);
    assert!(errors.contains("overlap"), "{errors}");
}

#[test]
fn a_benchmark_is_plausible_and_is_compared_by_stage() {
    if let Err(error) = OnnxRuntimeLibrary::load(None) {
        println!("SKIPPED: {error}");
        return;
    }
    let folder = folder("bench");
    let file = |name: &str| folder.join(name);
    let frames = file("frames");
    success(&["--sets", "4", "--dump-frames", text(&frames)]);
    for part in ["frames.json", "frames.nv12", "rig.toml"] {
        assert!(frames.join(part).is_file(), "{part}");
    }
    assert!(frames.join("tensors/frame_002/inputs/images.npy").is_file());

    let (report, trace, picture) = (file("new.json"), file("trace.json"), file("picture.svg"));
    let table = success(&[
        "--frames",
        text(&frames),
        "--seconds",
        "2",
        "--json",
        text(&report),
        "--trace",
        text(&trace),
        "--picture",
        text(&picture),
    ]);
    for part in [
        "paced, ms",
        "flat_out, ms",
        "–",
        "step / bare run",
        "start-up",
    ] {
        assert!(table.contains(part), "{part} is missing in\n{table}");
    }
    check_report(&json(&report));
    check_trace(&json(&trace));
    let drawn = std::fs::read_to_string(&picture).expect("it was written");
    assert!(drawn.starts_with("<svg") && drawn.contains("Frame by frame"));

    check_overlap(&frames, &file("overlap.json"), &report);

    // A report against itself, then with one stage that was half of it.
    let same = success(&["--compare", text(&report), "--report", text(&report)]);
    assert!(same.contains("nothing is slower"), "{same}");
    let (old, new) = (file("old.json"), file("doctored.json"));
    for (path, align_ms) in [(&old, 100.0), (&new, 200.0)] {
        let doctored = with_blocks(&json(&report), "paced", "align", |_| align_ms);
        std::fs::write(path, doctored.to_string()).expect("the folder is writable");
    }
    let errors = failure(&["--compare", text(&old), "--report", text(&new)]);
    for part in ["paced align: old 100.000, new 200.000", "noise"] {
        assert!(errors.contains(part), "{errors}");
    }
    assert!(
        !errors.contains("flat_out") && !errors.contains("decode"),
        "{errors}"
    );

    // A new measurement against one that took a hundred times as long.
    let mut slow = ["paced", "flat_out"]
        .iter()
        .fold(json(&report), |report, mode| {
            with_blocks(&report, mode, "*", |ms| 100.0 * ms)
        });
    // What a run has once depends on what else this machine does while it is tested.
    slow["start_up"]["open_ms"] = 1e6.into();
    slow["memory"]["peak_mib"] = 1e6.into();
    for mode in ["paced", "flat_out"] {
        let slow = &mut slow["modes"][mode];
        slow["deadline_misses"] = slow["frames"].clone();
        slow["dropped_sets"] = 0.into();
        slow["missing_frames"] = 0.into();
    }
    std::fs::write(&old, slow.to_string()).expect("the folder is writable");
    let measured = ["--frames", text(&frames), "--seconds", "0.5"];
    let faster = success(&[&measured[..], &["--compare", text(&old)]].concat());
    assert!(faster.contains("faster"), "{faster}");

    let mut other = json(&report);
    other["subject"]["threads"] = 77.into();
    std::fs::write(&old, other.to_string()).expect("the folder is writable");
    let errors = failure(&["--compare", text(&old), "--report", text(&report)]);
    assert!(
        errors.contains("threads") && errors.contains("77"),
        "{errors}"
    );
}

#[test]
fn wrong_options_are_named_before_anything_is_drawn() {
    assert!(failure(&["--sets", "1"]).contains("--sets"));
    assert!(failure(&["--seconds", "0"]).contains("--seconds"));
    assert!(failure(&["--deadline-ms", "0"]).contains("--deadline-ms"));
    assert!(failure(&["--frames", "no/folder"]).contains("no/folder"));
    assert!(failure(&["--compare", "no/report.json"]).contains("no/report.json"));
    assert!(failure(&["--report", "new.json"]).contains("--compare"));
}
