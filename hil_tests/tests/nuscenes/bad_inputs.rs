//! What is said about folders that are damaged.

use std::path::Path;

use bevrt_hil::nuscenes::{NuscenesDataset, NuscenesDrive};
use bevrt_hil::source::DriveSource;
use serde_json::{Value, json};

use super::small_folder::{SmallFolder, VERSION, place};

/// What reading the whole folder says; empty where nothing is wrong.
fn message(root: &Path) -> String {
    let read = || -> Result<(), Box<dyn std::error::Error>> {
        let dataset = NuscenesDataset::open(root, VERSION)?;
        for scene in dataset.load(&dataset.scene_names())? {
            let mut drive = NuscenesDrive::new(scene);
            while drive.next_event()?.is_some() {}
        }
        Ok(())
    };
    read()
        .err()
        .map_or(String::new(), |error| error.to_string())
}

/// A change of one field of one record.
struct Case {
    table: &'static str,
    record: usize,
    field: &'static str,
    /// `None` takes the field away.
    value: Option<Value>,
    /// What the message has in it, besides the name of the file.
    says: &'static [&'static str],
}

fn case(
    table: &'static str,
    record: usize,
    field: &'static str,
    value: impl Into<Option<Value>>,
    says: &'static [&'static str],
) -> Case {
    Case {
        table,
        record,
        field,
        value: value.into(),
        says,
    }
}

fn cases() -> Vec<Case> {
    let nowhere = || json!("nowhere");
    vec![
        case(
            "scene",
            0,
            "name",
            None,
            &["\"scene\"", "name", "a text", "no such field"],
        ),
        case(
            "scene",
            0,
            "log_token",
            nowhere(),
            &["\"scene\"", "log_token", "log.json", "\"nowhere\""],
        ),
        case(
            "log",
            0,
            "location",
            json!(7),
            &["\"log\"", "location", "a text", "found 7"],
        ),
        case(
            "sample",
            1,
            "timestamp",
            json!("noon"),
            &["\"sample1\"", "timestamp", "a whole number", "\"noon\""],
        ),
        case(
            "sample",
            0,
            "token",
            None,
            &["number 0 (it has no token)", "token"],
        ),
        case("sensor", 1, "channel", None, &["\"CAM_FRONT\"", "channel"]),
        case(
            "calibrated_sensor",
            1,
            "sensor_token",
            nowhere(),
            &["\"calibrated-CAM_FRONT\"", "sensor.json"],
        ),
        case(
            "calibrated_sensor",
            1,
            "translation",
            json!([1.0, 2.0]),
            &["translation", "x y z in metres", "[1.0,2.0]"],
        ),
        case(
            "calibrated_sensor",
            1,
            "camera_intrinsic",
            json!([[1.0, 0.0, 0.0]]),
            &["camera_intrinsic", "three rows"],
        ),
        case(
            "calibrated_sensor",
            1,
            "camera_intrinsic",
            json!([[50.0, 3.0, 31.5], [0.0, 50.0, 23.5], [0.0, 0.0, 1.0]]),
            &["CAM_FRONT", "without skew"],
        ),
        case(
            "sample_data",
            0,
            "ego_pose_token",
            nowhere(),
            &[
                "\"data0\"",
                "ego_pose_token",
                "ego_pose.json",
                "\"nowhere\"",
            ],
        ),
        case(
            "sample_data",
            0,
            "is_key_frame",
            json!(1),
            &["\"data0\"", "is_key_frame", "true or false", "found 1"],
        ),
        case(
            "sample_data",
            0,
            "width",
            json!(-64),
            &["\"data0\"", "width", "from 0 on", "-64"],
        ),
        case(
            "sample_data",
            0,
            "is_key_frame",
            json!(false),
            &["of sample \"sample0\"", "a key frame of camera \"front\""],
        ),
        case(
            "sample_data",
            0,
            "filename",
            json!("samples/none.jpg"),
            &["a picture"],
        ),
        case(
            "ego_pose",
            0,
            "rotation",
            json!([2.0, 0.0, 0.0, 0.0]),
            &[
                "\"pose0\"",
                "rotation",
                "a unit quaternion w x y z",
                "[2.0,0.0,0.0,0.0]",
            ],
        ),
        case("category", 0, "name", None, &["\"car\"", "name"]),
        case(
            "visibility",
            1,
            "level",
            json!("half"),
            &["\"2\"", "level", "\"v40-60\"", "\"half\""],
        ),
        case(
            "instance",
            0,
            "category_token",
            nowhere(),
            &["\"moving\"", "category_token", "category.json"],
        ),
        case(
            "instance",
            0,
            "token",
            json!("other"),
            &[
                "sample_annotation.json",
                "instance_token",
                "instance.json",
                "\"moving\"",
            ],
        ),
        case(
            "sample_annotation",
            0,
            "size",
            json!([1.9, 0.0, 1.6]),
            &["\"ahead0\"", "size", "above 0", "[1.9,0.0,1.6]"],
        ),
        case(
            "sample_annotation",
            0,
            "next",
            nowhere(),
            &["\"ahead0\"", "next", "of the same scene", "\"nowhere\""],
        ),
        case(
            "sample_annotation",
            0,
            "visibility_token",
            json!("9"),
            &["\"ahead0\"", "visibility.json", "\"9\""],
        ),
        case(
            "sample_annotation",
            0,
            "num_lidar_pts",
            json!(1.5),
            &["\"ahead0\"", "num_lidar_pts", "1.5"],
        ),
    ]
}

#[test]
fn every_damaged_field_is_named_with_what_was_expected_and_found() {
    for (place_in_list, case) in cases().into_iter().enumerate() {
        let mut folder = SmallFolder::new();
        let table = folder.tables.get_mut(case.table).expect("it is a table");
        let record = table[case.record].as_object_mut().expect("it is a record");
        match case.value {
            Some(value) => record.insert(case.field.to_owned(), value),
            None => record.remove(case.field),
        };
        let root = place(&format!("bad_field_{place_in_list}"));
        folder.write(&root);
        let message = message(&root);
        let file = match (case.table, case.field) {
            ("instance", "token") => String::new(),
            ("sample_data", "filename") => "samples/none.jpg".to_owned(),
            (table, _) => format!("{VERSION}/{table}.json"),
        };
        for part in case
            .says
            .iter()
            .copied()
            .chain([file.as_str(), "expected", "found"])
        {
            assert!(
                message.contains(part),
                "{} of {}: {part:?} is not in {message:?}",
                case.field,
                case.table
            );
        }
    }
}

#[test]
fn a_missing_table_is_named() {
    let whole = SmallFolder::new();
    assert_eq!(message(&written(&whole, "whole")), "");
    for table in whole.tables.keys() {
        let mut folder = whole.clone();
        folder.tables.remove(table);
        let message = message(&written(&folder, &format!("without_{table}")));
        assert!(message.contains(&format!("{table}.json")), "{message}");
        assert!(message.contains("expected a readable"), "{message}");
    }
}

#[test]
fn a_table_that_is_no_list_of_records_is_named_with_the_line() {
    for (text, says) in [
        ("{}", "a list of records"),
        ("[{\"token\": \"a\"", "line 1"),
        ("[7]", "invalid type"),
        ("[] []", "trailing"),
    ] {
        let root = written(&SmallFolder::new(), "no_list");
        let file = root.join(VERSION).join("sample.json");
        std::fs::write(&file, text).expect("the folder of tests is writable");
        let message = message(&root);
        assert!(
            message.contains("sample.json") && message.contains(says),
            "{text}: {message}"
        );
    }
}

#[test]
fn a_picture_that_is_none_or_has_another_size_is_named() {
    let folder = SmallFolder::new();
    let root = written(&folder, "no_picture");
    let file = root.join(&folder.pictures[1]);
    std::fs::write(&file, b"no picture").expect("the folder of tests is writable");
    let found = message(&root);
    assert!(
        found.contains(&folder.pictures[1]) && found.contains("a JPEG picture"),
        "{found}"
    );

    let mut folder = SmallFolder::new();
    for place in [0, 5, 6] {
        folder.tables.get_mut("sample_data").expect("a table")[place]["height"] = json!(50);
    }
    let found = message(&written(&folder, "other_size"));
    assert!(
        found.contains("64×50") && found.contains("64×48"),
        "{found}"
    );
}

#[test]
fn a_damaged_map_is_named_with_layer_and_token() {
    let change = |layer: &str, field: &str, value: Value, says: &[&str]| {
        let mut folder = SmallFolder::new();
        folder.map[layer][0][field] = value;
        let message = message(&written(&folder, "bad_map"));
        for part in says.iter().chain(&["singapore-onenorth.json"]) {
            assert!(
                message.contains(part),
                "{layer}: {part:?} is not in {message:?}"
            );
        }
    };
    change(
        "node",
        "x",
        json!("left"),
        &["\"d0\" of node", "x", "a number", "\"left\""],
    );
    change(
        "line",
        "node_tokens",
        json!(["d0", "nowhere"]),
        &["\"road-line\" of line", "node_tokens", "\"nowhere\""],
    );
    change(
        "polygon",
        "exterior_node_tokens",
        json!(["c0", "c1"]),
        &["\"crossing-area\" of polygon", "three nodes", "found 2"],
    );
    change(
        "road_divider",
        "line_token",
        json!("nowhere"),
        &[
            "\"road-divider\" of road_divider",
            "line_token",
            "record of line",
        ],
    );
    change(
        "lane_divider",
        "lane_divider_segments",
        json!([{"node_token": "l0"}]),
        &["\"lane-divider\" of lane_divider", "segment_type"],
    );
    change(
        "ped_crossing",
        "polygon_token",
        json!(null),
        &[
            "\"crossing\" of ped_crossing",
            "polygon_token",
            "a text",
            "null",
        ],
    );
    change(
        "stop_line",
        "stop_line_type",
        json!(3),
        &["\"stop\" of stop_line", "stop_line_type", "found 3"],
    );
}

#[test]
fn an_unknown_version_or_scene_is_answered_with_those_there_are() {
    let root = written(&SmallFolder::new(), "unknown");
    let error = NuscenesDataset::open(&root, "v1.0-trainval").expect_err("it is not there");
    assert!(error.to_string().contains("v1.0-trainval"), "{error}");
    assert!(error.to_string().contains("found v1.0-mini"), "{error}");
    let dataset = NuscenesDataset::open(&root, VERSION).expect("it is there");
    let error = dataset.load(&["scene-9"]).expect_err("it is not there");
    for part in ["scene.json", "scene-0001", "\"scene-9\""] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

fn written(folder: &SmallFolder, name: &str) -> std::path::PathBuf {
    let root = place(name);
    folder.write(&root);
    root
}
