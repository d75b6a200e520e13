//! OpenLane's lane score against numbers of the public evaluation code.

use bevrt_hil::metrics::{
    OpenLaneErrors, OpenLaneFrame, OpenLaneLine, OpenLaneTally, openlane_ground_point,
};
use nalgebra::{Matrix4, Vector3};
use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    xyz: Vec<[f64; 3]>,
    #[serde(default)]
    visibility: Vec<f64>,
    category: i32,
}

#[derive(Deserialize)]
struct Frame {
    kind: String,
    gt: Vec<Line>,
    pred: Vec<Line>,
}

#[derive(Deserialize)]
struct FrameExpected {
    n_gt: usize,
    n_pred: usize,
    kept_gt: Vec<usize>,
    kept_pred: Vec<usize>,
    cost: Vec<Vec<i64>>,
    assigned: Vec<(usize, usize, i64)>,
    n_match: usize,
    tp_gt: usize,
    tp_pred: usize,
    n_category_ok: usize,
    x_error_close: Vec<Option<f64>>,
    x_error_far: Vec<Option<f64>>,
    z_error_close: Vec<Option<f64>>,
    z_error_far: Vec<Option<f64>>,
}

#[derive(Deserialize)]
struct Overall {
    #[serde(rename = "F")]
    f1: f64,
    recall: f64,
    precision: f64,
    category_accuracy: f64,
    x_error_close: f64,
    x_error_far: f64,
    z_error_close: f64,
    z_error_far: f64,
    n_gt: usize,
    n_pred: usize,
    n_match: usize,
    tp_gt: usize,
    tp_pred: usize,
    n_category_ok: usize,
}

#[derive(Deserialize)]
struct Expected {
    per_frame: Vec<FrameExpected>,
    overall: Overall,
}

#[derive(Deserialize)]
struct TransformCase {
    extrinsic: [[f64; 4]; 4],
    file_xyz: [Vec<f64>; 3],
    ground_xyz: Vec<[f64; 3]>,
}

#[derive(Deserialize)]
struct File {
    frames: Vec<Frame>,
    expected: Expected,
    ground_transform_cases: Vec<TransformCase>,
}

fn file() -> File {
    serde_json::from_str(include_str!("fixtures/openlane_lane3d_f1.json"))
        .expect("the fixture has this form")
}

fn line(line: &Line) -> OpenLaneLine {
    OpenLaneLine {
        points: line.xyz.clone(),
        category: line.category,
    }
}

fn near(found: Option<f64>, expected: Option<f64>, what: &str) {
    assert_eq!(found.is_some(), expected.is_some(), "{what}");
    let (found, expected) = (found.unwrap_or(0.0), expected.unwrap_or(0.0));
    assert!(
        (found - expected).abs() < 1e-6,
        "{what}: expected {expected}, found {found}"
    );
}

#[test]
fn lane_scores_equal_the_public_code() {
    let File {
        frames, expected, ..
    } = file();
    let mut tally = OpenLaneTally::default();
    let mut counts = [0; 6];
    assert_eq!(frames.len(), expected.per_frame.len());
    for (frame, known) in frames.iter().zip(&expected.per_frame) {
        let truths: Vec<(OpenLaneLine, Vec<bool>)> = frame
            .gt
            .iter()
            .map(|truth| {
                (
                    line(truth),
                    truth.visibility.iter().map(|v| *v > 0.0).collect(),
                )
            })
            .collect();
        let predictions: Vec<OpenLaneLine> = frame.pred.iter().map(line).collect();
        let found = OpenLaneFrame::new(&truths, &predictions);
        let kind = &frame.kind;
        assert_eq!(found.kept_truths, known.kept_gt, "{kind}");
        assert_eq!(found.kept_predictions, known.kept_pred, "{kind}");
        assert_eq!(found.kept_truths.len(), known.n_gt, "{kind}");
        assert_eq!(found.kept_predictions.len(), known.n_pred, "{kind}");
        assert_eq!(found.cost, known.cost, "{kind}");
        assert_eq!(found.assigned, known.assigned, "{kind}");
        assert_eq!(found.errors.len(), known.n_match, "{kind}");
        assert_eq!(found.truths_found, known.tp_gt, "{kind}");
        assert_eq!(found.predictions_right, known.tp_pred, "{kind}");
        assert_eq!(found.categories_right, known.n_category_ok, "{kind}");
        for (place, errors) in found.errors.iter().enumerate() {
            near(errors.x_near_m, known.x_error_close[place], kind);
            near(errors.x_far_m, known.x_error_far[place], kind);
            near(errors.z_near_m, known.z_error_close[place], kind);
            near(errors.z_far_m, known.z_error_far[place], kind);
        }
        let of_frame = [
            found.kept_truths.len(),
            found.kept_predictions.len(),
            found.errors.len(),
            found.truths_found,
            found.predictions_right,
            found.categories_right,
        ];
        counts
            .iter_mut()
            .zip(of_frame)
            .for_each(|(sum, count)| *sum += count);
        tally.add(found);
    }
    let scores = tally.scores();
    let known = &expected.overall;
    let known_counts = [
        known.n_gt,
        known.n_pred,
        known.n_match,
        known.tp_gt,
        known.tp_pred,
        known.n_category_ok,
    ];
    assert_eq!(counts, known_counts);
    near(Some(scores.f1), Some(known.f1), "F1");
    near(Some(scores.recall), Some(known.recall), "recall");
    near(Some(scores.precision), Some(known.precision), "precision");
    near(
        Some(scores.category_accuracy),
        Some(known.category_accuracy),
        "category",
    );
    let OpenLaneErrors {
        x_near_m,
        x_far_m,
        z_near_m,
        z_far_m,
    } = scores.errors;
    near(x_near_m, Some(known.x_error_close), "x near");
    near(x_far_m, Some(known.x_error_far), "x far");
    near(z_near_m, Some(known.z_error_close), "z near");
    near(z_far_m, Some(known.z_error_far), "z far");
}

#[test]
fn annotations_come_into_the_ground_frame_as_in_the_public_code() {
    for case in file().ground_transform_cases {
        let extrinsic = Matrix4::from_fn(|row, column| case.extrinsic[row][column]);
        let [x, y, z] = &case.file_xyz;
        for (place, known) in case.ground_xyz.iter().enumerate() {
            let point = Vector3::new(x[place], y[place], z[place]);
            let found = openlane_ground_point(&extrinsic, &point);
            for axis in 0..3 {
                near(Some(found[axis]), Some(known[axis]), "ground point");
            }
        }
    }
}
