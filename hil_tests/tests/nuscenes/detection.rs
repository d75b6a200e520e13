//! Detection scores against numbers of the public nuScenes devkit.

use std::collections::BTreeMap;

use bevrt_hil::metrics::{
    DetectionRange, DetectionTally, PredictedBox, ScoreClass, ScoredBox, TruthBox,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct FileBox {
    class: String,
    centre: [f64; 2],
    size: [f64; 3],
    yaw: f64,
    velocity: [f64; 2],
    #[serde(default)]
    score: f64,
}

#[derive(Deserialize)]
struct Frame {
    truths: Vec<FileBox>,
    predictions: Vec<FileBox>,
}

#[derive(Deserialize)]
struct ClassExpected {
    truth_count: usize,
    ap: [f64; 4],
    errors: [f64; 4],
}

#[derive(Deserialize)]
struct Expected {
    classes: BTreeMap<String, ClassExpected>,
    #[serde(rename = "mAP")]
    mean_average_precision: f64,
    errors: [f64; 4],
    #[serde(rename = "NDS_without_attributes")]
    detection_score: f64,
}

#[derive(Deserialize)]
struct File {
    frames: Vec<Frame>,
    expected: Expected,
    expected_within_30_m: Expected,
}

fn scored(file_box: &FileBox) -> ScoredBox {
    ScoredBox {
        class: ScoreClass::ALL
            .into_iter()
            .find(|class| class.name() == file_box.class)
            .expect("the fixture has our classes"),
        centre_m: file_box.centre,
        size_m: file_box.size,
        yaw_rad: file_box.yaw,
        velocity_mps: file_box.velocity,
    }
}

fn check(frames: &[Frame], expected: &Expected, range: DetectionRange) {
    let mut tally = DetectionTally::default();
    for frame in frames {
        let truths: Vec<TruthBox> = frame
            .truths
            .iter()
            .map(|b| TruthBox {
                scored: scored(b),
                counts: true,
            })
            .collect();
        let predictions: Vec<PredictedBox> = frame
            .predictions
            .iter()
            .map(|b| PredictedBox {
                scored: scored(b),
                confidence: b.score,
            })
            .collect();
        let mut of_frame = DetectionTally::default();
        of_frame.add(&truths, &predictions, range);
        tally.merge(&of_frame);
    }
    let scores = tally.scores();
    let near = |found: f64, expected: f64, what: &str| {
        assert!(
            (found - expected).abs() < 1e-9,
            "{what}: expected {expected}, found {found}"
        );
    };
    for class in &scores.classes {
        let name = class.class.name();
        let known = &expected.classes[name];
        assert_eq!(class.truth_count, known.truth_count, "{name}");
        for (found, expected) in class.average_precision.iter().zip(known.ap) {
            near(*found, expected, name);
        }
        near(class.translation_error_m, known.errors[0], name);
        near(class.scale_error, known.errors[1], name);
        if class.class != ScoreClass::TrafficCone {
            near(
                class.orientation_error_rad.expect("it has a heading"),
                known.errors[2],
                name,
            );
            near(
                class.velocity_error_mps.expect("it moves"),
                known.errors[3],
                name,
            );
        }
    }
    near(
        scores.mean_average_precision,
        expected.mean_average_precision,
        "mAP",
    );
    near(scores.translation_error_m, expected.errors[0], "mATE");
    near(scores.scale_error, expected.errors[1], "mASE");
    near(scores.orientation_error_rad, expected.errors[2], "mAOE");
    near(scores.velocity_error_mps, expected.errors[3], "mAVE");
    near(scores.detection_score, expected.detection_score, "NDS");
}

#[test]
fn detection_scores_equal_the_public_devkit() {
    let file: File = serde_json::from_str(include_str!("../fixtures/nuscenes_detection.json"))
        .expect("the fixture has this form");
    check(&file.frames, &file.expected, DetectionRange::NuScenes);
    check(
        &file.frames,
        &file.expected_within_30_m,
        DetectionRange::Within(30.0),
    );
}
