//! Chamfer average precision against numbers of the public MapTR evaluation code.

use std::collections::BTreeMap;

use bevrt_hil::metrics::{
    ChamferLine, Curve, HALF_WIDTH_M, Outcome, Point, Strip, Tally, chamfer, distance_matrix,
    match_nearest, resample,
};
use serde::Deserialize;

const THRESHOLDS: [(&str, f64); 3] = [("0.5", 0.5), ("1.0", 1.0), ("1.5", 1.5)];

#[derive(Deserialize)]
struct Line {
    class: String,
    #[serde(default)]
    score: f64,
    pts: Vec<[f64; 2]>,
}

#[derive(Deserialize)]
struct Frame {
    gt: Vec<Line>,
    pred: Vec<Line>,
}

#[derive(Deserialize)]
struct ThresholdExpected {
    ap: f64,
    tp: String,
    fp: String,
    final_recall: f64,
    final_precision: f64,
}

#[derive(Deserialize)]
struct ClassExpected {
    num_gt: usize,
    num_pred: usize,
    order: Vec<[usize; 2]>,
    thresholds: BTreeMap<String, ThresholdExpected>,
}

type Matrices = Vec<BTreeMap<String, Vec<Vec<Option<f64>>>>>;

#[derive(Deserialize)]
struct Expected {
    per_class: BTreeMap<String, ClassExpected>,
    mean_ap_per_threshold: BTreeMap<String, f64>,
    ap_mean_over_thresholds: BTreeMap<String, f64>,
    map: f64,
    chamfer_matrix_per_frame: Matrices,
}

#[derive(Deserialize)]
struct ApFile {
    frames: Vec<Frame>,
    expected_resampled: Expected,
    expected_raw_pred_points: Expected,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    pred: Vec<[f64; 2]>,
    gt: Vec<[f64; 2]>,
    accepted: bool,
    chamfer: Option<f64>,
    chamfer_without_gate: f64,
    accepted_if_half_width: BTreeMap<String, bool>,
    pred_100: Option<Vec<[f64; 2]>>,
    gt_100: Option<Vec<[f64; 2]>>,
}

#[derive(Deserialize)]
struct EdgeExpected {
    ap: BTreeMap<String, BTreeMap<String, f64>>,
    num_gt: BTreeMap<String, usize>,
    num_pred: BTreeMap<String, usize>,
    mean_over_classes_with_gt: BTreeMap<String, f64>,
    map: f64,
}

#[derive(Deserialize)]
struct EdgeCase {
    classes: Vec<String>,
    frames: Vec<Frame>,
    expected: EdgeExpected,
}

#[derive(Deserialize)]
struct PairFile {
    pairs: Vec<Pair>,
    edge_case: EdgeCase,
}

fn spatial(points: &[[f64; 2]]) -> Vec<Point> {
    points.iter().map(|p| [p[0], p[1], 0.0]).collect()
}

fn near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{what}: expected {expected}, found {found}"
    );
}

/// Lines of one class in one frame, with the places of the predictions in the file.
struct ClassFrame {
    places: Vec<usize>,
    scores: Vec<f64>,
    predictions: Vec<ChamferLine>,
    truths: Vec<ChamferLine>,
}

fn class_frame(
    frame: &Frame,
    class: &str,
    resamples_predictions: impl Fn(&[Point]) -> ChamferLine,
) -> ClassFrame {
    let wanted: Vec<(usize, &Line)> = frame
        .pred
        .iter()
        .enumerate()
        .filter(|(_, line)| line.class == class && line.pts.len() >= 2)
        .collect();
    ClassFrame {
        places: wanted.iter().map(|(place, _)| *place).collect(),
        scores: wanted.iter().map(|(_, line)| line.score).collect(),
        predictions: wanted
            .iter()
            .map(|(_, line)| resamples_predictions(&spatial(&line.pts)))
            .collect(),
        truths: frame
            .gt
            .iter()
            .filter(|line| line.class == class)
            .map(|line| ChamferLine::new(&spatial(&line.pts)))
            .collect(),
    }
}

fn check(frames: &[Frame], expected: &Expected, prepare: impl Fn(&[Point]) -> ChamferLine + Copy) {
    let mut class_means = Vec::new();
    let mut by_threshold: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (class, wanted) in &expected.per_class {
        let per_frame: Vec<ClassFrame> = frames
            .iter()
            .map(|frame| class_frame(frame, class, prepare))
            .collect();
        assert_eq!(
            per_frame.iter().map(|f| f.truths.len()).sum::<usize>(),
            wanted.num_gt
        );
        assert_eq!(
            per_frame.iter().map(|f| f.scores.len()).sum::<usize>(),
            wanted.num_pred
        );
        let matrices: Vec<_> = per_frame
            .iter()
            .map(|f| distance_matrix(&f.predictions, &f.truths))
            .collect();
        for (f, matrix) in matrices.iter().enumerate() {
            let Some(known) = expected.chamfer_matrix_per_frame[f].get(class) else {
                assert!(matrix.is_empty() || matrix[0].is_empty());
                continue;
            };
            let shape =
                |rows: &[Vec<Option<f64>>]| rows.iter().map(Vec::len).collect::<Vec<usize>>();
            assert_eq!(shape(matrix), shape(known), "frame {f}, {class}");
            for (found, known) in matrix.iter().flatten().zip(known.iter().flatten()) {
                assert_eq!(found.is_some(), known.is_some(), "gate, frame {f}, {class}");
                near(found.unwrap_or(0.0), known.unwrap_or(0.0), 1e-6, "chamfer");
            }
        }
        let mut sum = 0.0;
        for (key, threshold_m) in THRESHOLDS {
            let known = &wanted.thresholds[key];
            let mut tally = Tally::default();
            let mut is_true: BTreeMap<[usize; 2], bool> = BTreeMap::new();
            for (f, (frame, matrix)) in per_frame.iter().zip(&matrices).enumerate() {
                let counts = vec![true; frame.truths.len()];
                let outcomes = match_nearest(&frame.scores, matrix, &counts, threshold_m);
                for (place, outcome) in frame.places.iter().zip(&outcomes) {
                    is_true.insert([f, *place], matches!(outcome, Outcome::Found(_)));
                }
                tally.add(&frame.scores, &outcomes, frame.truths.len());
            }
            let pattern: String = wanted
                .order
                .iter()
                .map(|at| if is_true[at] { '1' } else { '0' })
                .collect();
            assert_eq!(pattern, known.tp, "{class} at {key}");
            let ranked = tally.ranked();
            let pattern = |is_true: bool| -> String {
                let marks = ranked.iter().map(|v| v.is_true == is_true);
                marks.map(|mark| if mark { '1' } else { '0' }).collect()
            };
            assert_eq!(pattern(true), known.tp, "order of {class} at {key}");
            assert_eq!(pattern(false), known.fp, "order of {class} at {key}");
            let curve = Curve::new(&ranked, tally.truth_count());
            let last = |values: &[f64]| *values.last().expect("there are predictions");
            near(last(&curve.recall), known.final_recall, 1e-5, "recall");
            near(
                last(&curve.precision),
                known.final_precision,
                1e-5,
                "precision",
            );
            let ap = tally.average_precision().unwrap_or(0.0);
            near(ap, known.ap, 1e-5, &format!("AP of {class} at {key}"));
            by_threshold.entry(key).or_default().push(ap);
            sum += ap / 3.0;
        }
        near(sum, expected.ap_mean_over_thresholds[class], 1e-5, class);
        class_means.push(sum);
    }
    for (key, values) in by_threshold {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        near(mean, expected.mean_ap_per_threshold[key], 1e-5, key);
    }
    near(
        class_means.iter().sum::<f64>() / class_means.len() as f64,
        expected.map,
        1e-5,
        "map",
    );
}

#[test]
fn chamfer_average_precision_equals_the_public_code() {
    let file: ApFile = serde_json::from_str(include_str!("fixtures/maptr_chamfer_ap.json"))
        .expect("the fixture has this form");
    check(&file.frames, &file.expected_resampled, ChamferLine::new);
    check(&file.frames, &file.expected_raw_pred_points, |points| {
        ChamferLine::from_samples(points.to_vec())
    });
}

#[test]
fn single_pairs_equal_the_public_code() {
    let file: PairFile = serde_json::from_str(include_str!("fixtures/maptr_chamfer_pairs.json"))
        .expect("the fixture has this form");
    for pair in &file.pairs {
        let (prediction, truth) = (
            ChamferLine::new(&spatial(&pair.pred)),
            ChamferLine::new(&spatial(&pair.gt)),
        );
        let found = prediction.gated_distance(&truth);
        assert_eq!(found.is_some(), pair.accepted, "{}", pair.name);
        if let (Some(found), Some(known)) = (found, pair.chamfer) {
            near(found, known, 1e-6, &pair.name);
        }
        let free = chamfer(prediction.points(), truth.points());
        near(free, pair.chamfer_without_gate, 1e-6, &pair.name);
        for (width, accepted) in &pair.accepted_if_half_width {
            let width: f64 = width.parse().expect("a number");
            let meets =
                Strip::new(prediction.points(), width).meets(&Strip::new(truth.points(), width));
            assert_eq!(meets, *accepted, "{} at half-width {width}", pair.name);
        }
        for (line, known) in [(&pair.pred, &pair.pred_100), (&pair.gt, &pair.gt_100)] {
            let Some(known) = known else { continue };
            assert_eq!(known.len(), 100, "{}", pair.name);
            for (found, known) in resample(&spatial(line), 100).iter().zip(known) {
                near(found[0], known[0], 1e-8, &pair.name);
                near(found[1], known[1], 1e-8, &pair.name);
            }
        }
    }
    assert_eq!(HALF_WIDTH_M, 2.0);
}

#[test]
fn classes_without_ground_truth_or_predictions_score_as_in_the_public_code() {
    let file: PairFile = serde_json::from_str(include_str!("fixtures/maptr_chamfer_pairs.json"))
        .expect("the fixture has this form");
    let EdgeCase {
        classes,
        frames,
        expected,
    } = file.edge_case;
    let mut total = 0.0;
    let mut of_scored: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for class in &classes {
        let per_frame: Vec<ClassFrame> = frames
            .iter()
            .map(|frame| class_frame(frame, class, ChamferLine::new))
            .collect();
        assert_eq!(
            per_frame.iter().map(|f| f.truths.len()).sum::<usize>(),
            expected.num_gt[class]
        );
        assert_eq!(
            per_frame.iter().map(|f| f.scores.len()).sum::<usize>(),
            expected.num_pred[class]
        );
        for (key, threshold_m) in THRESHOLDS {
            let mut tally = Tally::default();
            for frame in &per_frame {
                let matrix = distance_matrix(&frame.predictions, &frame.truths);
                let counts = vec![true; frame.truths.len()];
                let outcomes = match_nearest(&frame.scores, &matrix, &counts, threshold_m);
                tally.add(&frame.scores, &outcomes, counts.len());
            }
            let ap = tally.average_precision().unwrap_or(0.0);
            near(ap, expected.ap[class][key], 1e-5, class);
            if tally.truth_count() > 0 {
                of_scored.entry(key).or_default().push(ap);
            }
            total += ap / (3.0 * classes.len() as f64);
        }
    }
    for (key, known) in &expected.mean_over_classes_with_gt {
        let scores = &of_scored[key.as_str()];
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        near(mean, *known, 1e-5, key);
    }
    near(total, expected.map, 1e-5, "map");
}
