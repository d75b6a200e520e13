//! A whole evaluation against the public devkit: its tables, its results, its scores.

use std::collections::BTreeMap;
use std::path::Path;

use bevrt_calibration::{Ego, Pose, World};
use bevrt_hil::metrics::{ClassScores, DetectionScores, ScoreClass, ScoreTally};
use bevrt_hil::nuscenes::{KeyFrame, NuscenesDataset, NuscenesResults, NuscenesScene};
use bevrt_hil::{FramePrediction, PredictedObject};
use nalgebra::{Point3, Quaternion, UnitQuaternion, Vector3};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::small_folder::place;

const VERSION: &str = "v1.0-sim";

/// Records as one list of names and lists of values.
#[derive(Deserialize)]
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl Table {
    fn records(&self) -> Vec<Map<String, Value>> {
        let record = |row: &Vec<Value>| self.columns.iter().cloned().zip(row.clone()).collect();
        self.rows.iter().map(record).collect()
    }
}

#[derive(Deserialize)]
struct ClassExpected {
    truth_count: usize,
    ap: [f64; 4],
    errors: [Option<f64>; 4],
}

#[derive(Deserialize)]
struct Fixture {
    tables: BTreeMap<String, Table>,
    results: Table,
    expected: BTreeMap<String, ClassExpected>,
    aggregates: Aggregates,
}

/// What the devkit makes of its ten classes together.
#[derive(Deserialize)]
struct Aggregates {
    mean_ap: f64,
    nd_score: f64,
    /// Translation, scale, orientation, velocity, attribute.
    tp_errors: [f64; 5],
}

#[derive(Clone, Debug, Deserialize)]
struct FileBox {
    sample_token: String,
    translation: [f64; 3],
    size: [f64; 3],
    rotation: [f64; 4],
    velocity: [f64; 2],
    detection_name: String,
    detection_score: f64,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../fixtures/nuscenes_devkit.json"))
        .expect("the fixture has this form")
}

fn scenes(fixture: &Fixture, root: &Path) -> Vec<NuscenesScene> {
    let folder = root.join(VERSION);
    std::fs::create_dir_all(&folder).expect("the folder of tests is writable");
    for (name, table) in &fixture.tables {
        let text = serde_json::to_string(&table.records()).expect("plain JSON");
        std::fs::write(folder.join(format!("{name}.json")), text)
            .expect("the folder of tests is writable");
    }
    let dataset = NuscenesDataset::open(root, VERSION).expect("the fixture is sound");
    dataset
        .load(&dataset.scene_names())
        .expect("the fixture is sound")
}

fn boxes(fixture: &Fixture) -> Vec<FileBox> {
    let read = |record| serde_json::from_value(Value::Object(record)).expect("a result");
    fixture.results.records().into_iter().map(read).collect()
}

fn in_ego(world_from_ego: &Pose<World, Ego>, [x, y]: [f64; 2]) -> [f64; 2] {
    let seen = world_from_ego.inverse().rotate(&Vector3::new(x, y, 0.0));
    [seen.x, seen.y]
}

/// The result as the runtime would have given it.
fn object(file_box: &FileBox, world_from_ego: &Pose<World, Ego>) -> PredictedObject {
    let class = ScoreClass::ALL
        .into_iter()
        .position(|class| class.name() == file_box.detection_name)
        .expect("the fixture has our classes");
    let [w, x, y, z] = file_box.rotation;
    let rotation = UnitQuaternion::from_quaternion(Quaternion::new(w, x, y, z));
    let ahead = rotation * Vector3::x();
    let heading = in_ego(world_from_ego, [ahead.x, ahead.y]);
    let [width, length, height] = file_box.size;
    PredictedObject {
        // Cars are the first of two classes that are scored as one.
        class: if class == 0 { 0 } else { class as u8 + 1 },
        track_id: None,
        confidence: file_box.detection_score,
        position_m: world_from_ego
            .inverse()
            .transform(&Point3::from(file_box.translation))
            .coords
            .into(),
        size_m: [length, width, height],
        yaw_rad: heading[1].atan2(heading[0]),
        velocity_mps: in_ego(world_from_ego, file_box.velocity),
        sigmas: [1.0; 6],
        is_coasting: false,
    }
}

fn prediction(boxes: &[FileBox], key_frame: &KeyFrame) -> FramePrediction {
    let of_sample = boxes
        .iter()
        .filter(|file_box| file_box.sample_token == key_frame.sample_token);
    FramePrediction {
        stamp_ns: key_frame.stamp.nanoseconds(),
        objects: of_sample
            .map(|file_box| object(file_box, &key_frame.world_from_ego))
            .collect(),
        ..FramePrediction::default()
    }
}

/// Our scores of the fixture's results on its tables.
fn scores(fixture: &Fixture, name: &str) -> DetectionScores {
    let boxes = boxes(fixture);
    let mut tally = ScoreTally::default();
    for scene in scenes(fixture, &place(name)) {
        for key_frame in scene.key_frames() {
            let (truth, prediction) = scene.scored(key_frame, &prediction(&boxes, key_frame));
            tally.add(&truth, &prediction, 0.0);
        }
        tally.end_drive();
    }
    tally.scores().objects
}

/// The four errors of a class, where it has them.
fn errors(class: &ClassScores) -> [Option<f64>; 4] {
    [
        Some(class.translation_error_m),
        Some(class.scale_error),
        class.orientation_error_rad,
        class.velocity_error_mps,
    ]
}

#[test]
fn a_whole_evaluation_gives_the_numbers_of_the_devkit() {
    let fixture = fixture();
    let scores = scores(&fixture, "devkit");
    assert!(
        scores
            .classes
            .iter()
            .filter(|class| class.truth_count > 0)
            .count()
            >= 5
    );
    for class in &scores.classes {
        let name = class.class.name();
        let expected = &fixture.expected[name];
        assert_eq!(class.truth_count, expected.truth_count, "{name}");
        let near = |found: f64, expected: f64, what: &str| {
            assert!(
                (found - expected).abs() < 1e-6,
                "{name}, {what}: {found}, devkit {expected}"
            );
        };
        for (found, expected) in class.average_precision.iter().zip(expected.ap) {
            near(*found, expected, "AP");
        }
        for (found, expected) in errors(class).into_iter().zip(expected.errors) {
            assert_eq!(found.is_some(), expected.is_some(), "{name}");
            if let (Some(found), Some(expected)) = (found, expected) {
                near(found, expected, "error");
            }
        }
    }
}

#[test]
fn the_aggregates_of_the_devkit_follow_from_our_values_by_class() {
    let fixture = fixture();
    let classes = scores(&fixture, "devkit_aggregates").classes;
    let expected = &fixture.aggregates;
    // The devkit always averages its ten classes. Those that we do not know have no ground truth here:
    // they score 0 and err by 1, but barriers have no velocity.
    let others = [("trailer", 4), ("construction_vehicle", 4), ("barrier", 3)];
    let known = |name: &str| classes.iter().any(|class| class.class.name() == name);
    assert!(others.iter().all(|(name, _)| !known(name)));
    let count = (classes.len() + others.len()) as f64;
    assert_eq!(count, 10.0);
    let precisions = classes.iter().map(|class| &class.average_precision);
    let mean_ap = precisions.flatten().sum::<f64>() / (4.0 * count);
    assert!((mean_ap - expected.mean_ap).abs() < 1e-6, "{mean_ap}");
    let mut score = 5.0 * mean_ap;
    for place in 0..4 {
        let ours = classes.iter().filter_map(|class| errors(class)[place]);
        let theirs = others.iter().filter(|(_, has)| place < *has).map(|_| 1.0);
        let all: Vec<f64> = ours.chain(theirs).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let expected = expected.tp_errors[place];
        assert!(
            (mean - expected).abs() < 1e-6,
            "{place}: {mean}, devkit {expected}"
        );
        score += (1.0 - mean).max(0.0);
    }
    // Nothing predicts attributes: all of them are wrong.
    assert_eq!(expected.tp_errors[4], 1.0);
    let score = score / 10.0;
    assert!((score - expected.nd_score).abs() < 1e-6, "{score}");
}

#[test]
fn results_are_written_as_the_devkit_takes_them() {
    let fixture = fixture();
    let boxes = boxes(&fixture);
    let root = place("results");
    let mut results = NuscenesResults::default();
    let mut samples = 0;
    for scene in scenes(&fixture, &root) {
        for key_frame in scene.key_frames() {
            results.add(key_frame, &prediction(&boxes, key_frame).objects);
            samples += 1;
        }
    }
    assert_eq!(results.sample_count(), samples);
    let file = root.join("results.json");
    results
        .write(&file)
        .expect("the folder of tests is writable");
    let text = std::fs::read_to_string(&file).expect("we wrote it");
    let written: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(written["meta"]["use_camera"], true);
    assert_eq!(written["meta"]["use_lidar"], false);
    let by_sample = written["results"].as_object().expect("by sample");
    assert_eq!(by_sample.len(), samples);
    let found: Vec<FileBox> = by_sample
        .values()
        .flat_map(|boxes| serde_json::from_value::<Vec<FileBox>>(boxes.clone()).expect("boxes"))
        .collect();
    assert_eq!(found.len(), boxes.len());
    for expected in &boxes {
        let found = found
            .iter()
            .find(|found| found.detection_score == expected.detection_score)
            .expect("scores are unique");
        assert_eq!(found.detection_name, expected.detection_name);
        assert_eq!(found.sample_token, expected.sample_token);
        let norm: f64 = expected.rotation.iter().map(|v| v * v).sum::<f64>().sqrt();
        let turn: f64 = (0..4)
            .map(|k| found.rotation[k] * expected.rotation[k] / norm)
            .sum();
        assert!(turn.abs() > 1.0 - 1e-9, "{found:?}, {expected:?}");
        for k in 0..3 {
            assert!((found.translation[k] - expected.translation[k]).abs() < 1e-6);
            assert_eq!(found.size[k], expected.size[k]);
        }
        for k in 0..2 {
            assert!((found.velocity[k] - expected.velocity[k]).abs() < 1e-9);
        }
    }
}
