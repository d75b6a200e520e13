//! `bevrt hil report`, `check`, `faults` and `soak`.

use crate::{failure, folder, success, text};
use serde_json::{Value, json};
use std::path::Path;

/// The data of a page.
fn data_of(page: &Path) -> Value {
    let page = std::fs::read_to_string(page).expect("it was written");
    let begin = page.find(r#"type="application/json">"#).expect("data") + 24;
    let end = begin + page[begin..].find("</script>").expect("the end of it");
    serde_json::from_str(&page[begin..end]).expect("JSON")
}

#[test]
fn a_result_is_reported_with_the_pictures_of_its_drive_or_without() {
    let folder = folder("report");
    let log = folder.join("drive.mcap");
    let size = ["--times-network", "1"];
    let sim = [
        "sim",
        "--seed",
        "950105",
        "--seconds",
        "1",
        "--rate",
        "4",
        "--out",
        text(&log),
    ];
    success(&[&sim[..], &size[..]].concat());
    success(&["replay", text(&log), "--out", text(&folder)]);
    let (result, page) = (folder.join("result.mcap"), folder.join("report.html"));

    success(&[
        "hil",
        "report",
        text(&result),
        "--drive",
        text(&log),
        "--out",
        text(&page),
    ]);
    let data = data_of(&page);
    let frames = data["frames"].as_array().expect("frames");
    assert_eq!(frames.len(), 5);
    for frame in frames {
        assert_eq!(frame["images"].as_array().map(Vec::len), Some(6));
        assert!(
            frame["images"][0]
                .as_str()
                .is_some_and(|image| image.len() > 1000)
        );
        assert!(
            frame["latency"]["total"].as_f64() > Some(0.0),
            "{}",
            frame["latency"]
        );
        assert!(frame["truth"]["boxes"].is_array() && frame["score"].is_array());
    }
    // The pictures are those of the frame: another one each time.
    assert_ne!(frames[1]["images"][0], frames[2]["images"][0]);

    success(&["hil", "report", text(&result), "--out", text(&page)]);
    let data = data_of(&page);
    assert_eq!(data["cameras"], json!([]));
    assert_eq!(data["frames"][4]["score"], Value::Null);

    success(&[
        "hil",
        "report",
        text(&log),
        "--pictures",
        "2",
        "--out",
        text(&page),
    ]);
    let data = data_of(&page);
    let with_pictures = data["frames"].as_array().expect("frames").iter();
    let with_pictures = with_pictures.filter(|frame| frame["images"].is_array());
    assert!((2..5).contains(&with_pictures.count()));

    let errors = failure(&[
        "hil",
        "report",
        text(&result),
        "--drive",
        "a",
        "--drive",
        "b",
    ]);
    assert!(errors.contains("--drive"), "{errors}");
}

#[test]
fn the_gate_opens_for_the_same_bytes_and_elsewhere_for_scores() {
    let folder = folder("check");
    let (baseline, page) = (folder.join("baseline.json"), folder.join("check.html"));
    let check = [
        "hil",
        "check",
        "--baseline",
        text(&baseline),
        "--no-latency",
    ];
    let drive = [
        "--seeds",
        "950101..950102",
        "--seconds",
        "2.5",
        "--rate",
        "4",
        "--repeats",
        "2",
    ];
    let said = success(&[&check[..], &["--write"], &drive[..]].concat());
    assert!(said.contains("1 drives, 11 frames"), "{said}");
    let again = [&check[..], &["--repeats", "1", "--page", text(&page)]].concat();
    assert!(success(&again).contains("all 11 frames are the same bytes"));
    assert!(!page.exists());

    let read = || -> Value {
        let text = std::fs::read_to_string(&baseline).expect("it was written");
        serde_json::from_str(&text).expect("JSON")
    };
    let write = |value: &Value| std::fs::write(&baseline, value.to_string()).expect("written");
    let sound = read();
    let mut other = sound.clone();
    other["drives"][0]["frames"][7]["hash"] = json!("00");
    write(&other);
    let errors = failure(&again);
    assert!(errors.contains("1 of 11 frames"), "{errors}");
    assert!(errors.contains("frame 7 of seed 950101"), "{errors}");
    assert_eq!(data_of(&page)["frames"][0]["id"], "0-7");

    // Made elsewhere: bytes do not count, scores do.
    other["setting"]["onnxruntime"] = json!("another build");
    other["scores"]["lanes F1"] = json!(2.0);
    write(&other);
    let errors = failure(&again);
    assert!(
        errors.contains("lanes F1: expected 2.0000") && !errors.contains("bytes"),
        "{errors}"
    );

    write(&json!({"format": 1}));
    assert!(failure(&again).contains("expected a baseline"));
}

#[test]
fn faults_are_judged_printed_and_written_as_page_and_table() {
    // The folder is made.
    let folder = folder("faults").join("new");
    let (page, table) = (folder.join("faults.html"), folder.join("faults.json"));
    let scenarios = ["camera_lost_front", "package_network_bit"]
        .map(|name| format!("hil_tests/scenarios/{name}.toml"));
    let [lost, package] = scenarios.each_ref().map(String::as_str);
    let written = ["--page", text(&page), "--json", text(&table)];
    let said = success(&[&["hil", "faults", lost, package][..], &written].concat());
    let summary = "2 scenarios: 2 as expected, 0 not noticed and explained, 0 failed";
    assert!(said.contains(summary), "{said}");
    let read = |file: &Path| std::fs::read_to_string(file).expect("it was written");
    let table: Value = serde_json::from_str(&read(&table)).expect("JSON");
    let rows = table["rows"].as_array().expect("rows");
    let names: Vec<_> = rows.iter().map(|row| row["name"].as_str()).collect();
    let expected = [
        "front camera lost",
        "package: one bit of the network changed",
    ];
    assert_eq!(names, expected.map(Some));
    let frames = rows[0]["frames"].as_array().expect("frames");
    assert!(frames.len() >= 30, "{} frames of 3.5 s", frames.len());
    let is_missing = |frame: &&Value| {
        frame[2]
            .as_str()
            .is_some_and(|reasons| reasons.contains("reference_missing"))
    };
    assert_eq!(frames.iter().filter(is_missing).count(), 5);
    // The page holds the very rows.
    let page = read(&page);
    let rows = rows
        .iter()
        .map(|row| row.to_string().replace('<', "\\u003c"));
    for row in rows {
        assert!(page.contains(&row), "{row}");
    }

    // A row that is not as expected fails the command.
    let wrong = folder.join("wrong.toml");
    let scenario = std::fs::read_to_string(crate::repository().join(lost)).expect("it ships");
    let scenario = scenario.replace("camera_missing", "camera_blind");
    std::fs::write(&wrong, scenario).expect("the folder is writable");
    assert!(failure(&["hil", "faults", text(&wrong)]).contains("found 1 that are not"));
}

#[test]
fn a_short_soak_on_the_shipped_network_is_flat() {
    let log = folder("soak").join("drive.mcap");
    let table = success(&[
        "hil",
        "soak",
        "--steps",
        "60",
        "--paced-minutes",
        "0.1",
        "--seconds",
        "1.5",
        "--rate",
        "5",
        "--out",
        text(&log),
    ]);
    assert!(table.contains("in lockstep, 6"), "{table}");
    assert!(table.contains("in real time"), "{table}");
    assert!(
        table.contains("| file handles |") && !table.contains("FAILED"),
        "{table}"
    );
}
