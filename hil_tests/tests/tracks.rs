//! Scores of tracks against numbers of nuscenes-devkit, TrackEval, and what both leave open.

use std::collections::BTreeMap;

use bevrt_hil::metrics::{
    ClearTally, HotaScores, HotaTally, IdentityTally, RECALLS, ScoreClass, SimilarityDrive,
    SimilarityFrame, TrackBox, TrackClassScores, TrackFrame, TrackTally,
};
use serde::Deserialize;

/// `[class, id, x, y]` of ground truth, and the score of predictions.
#[derive(Deserialize)]
struct FileBox(String, u32, f64, f64, #[serde(default)] Option<f64>);

#[derive(Deserialize)]
struct Frame {
    timestamp_us: i64,
    ego: [f64; 2],
    truths: Vec<FileBox>,
    predictions: Vec<FileBox>,
}

#[derive(Deserialize)]
struct Drive {
    frames: Vec<Frame>,
}

/// The devkit's scores of one class, or their means or sums; `null` where it gives none.
#[derive(Deserialize)]
struct DevkitScores {
    amota: Option<f64>,
    amotp: Option<f64>,
    mota: Option<f64>,
    motp: Option<f64>,
    recall: Option<f64>,
    mt: Option<f64>,
    ml: Option<f64>,
    tp: Option<f64>,
    fp: Option<f64>,
    #[serde(rename = "fn")]
    misses: Option<f64>,
    ids: Option<f64>,
    frag: Option<f64>,
    #[serde(default)]
    thresholds: Vec<Option<f64>>,
}

#[derive(Deserialize)]
struct Devkit {
    classes: BTreeMap<String, DevkitScores>,
    means: DevkitScores,
}

/// TrackEval's scores: HOTA's at each least similarity.
#[derive(Deserialize)]
struct TrackEvalScores {
    #[serde(rename = "HOTA")]
    hota: Vec<f64>,
    #[serde(rename = "DetA")]
    detection: Vec<f64>,
    #[serde(rename = "AssA")]
    association: Vec<f64>,
    #[serde(rename = "DetRe")]
    detection_recall: Vec<f64>,
    #[serde(rename = "DetPr")]
    detection_precision: Vec<f64>,
    #[serde(rename = "AssRe")]
    association_recall: Vec<f64>,
    #[serde(rename = "AssPr")]
    association_precision: Vec<f64>,
    #[serde(rename = "LocA")]
    localisation: Vec<f64>,
    #[serde(rename = "CLR_TP")]
    found: f64,
    #[serde(rename = "CLR_FN")]
    missed: f64,
    #[serde(rename = "CLR_FP")]
    wrong: f64,
    #[serde(rename = "IDSW")]
    identity_switches: f64,
    #[serde(rename = "MT")]
    mostly_tracked: f64,
    #[serde(rename = "PT")]
    partly_tracked: f64,
    #[serde(rename = "ML")]
    mostly_lost: f64,
    #[serde(rename = "Frag")]
    fragmentations: f64,
    #[serde(rename = "MOTA")]
    accuracy: f64,
    #[serde(rename = "MOTP")]
    precision: f64,
    #[serde(rename = "IDTP")]
    identity_agreed: f64,
    #[serde(rename = "IDFN")]
    identity_missed: f64,
    #[serde(rename = "IDFP")]
    identity_wrong: f64,
    #[serde(rename = "IDF1")]
    identity_f1: f64,
    #[serde(rename = "IDR")]
    identity_recall: f64,
    #[serde(rename = "IDP")]
    identity_precision: f64,
}

/// Identities of truths and predictions, and a row of similarities for each truth.
#[derive(Deserialize)]
struct Matrix(Vec<usize>, Vec<usize>, Vec<Vec<f64>>);

#[derive(Deserialize)]
struct File {
    drives: Vec<Drive>,
    expected_devkit: Devkit,
    expected_trackeval: BTreeMap<String, TrackEvalScores>,
    matrices: BTreeMap<String, Vec<Matrix>>,
    expected_matrices: BTreeMap<String, TrackEvalScores>,
}

fn file() -> File {
    serde_json::from_str(include_str!("fixtures/tracks.json")).expect("the fixture has this form")
}

fn near(found: f64, expected: f64, what: &str) {
    assert!(
        (found - expected).abs() < 1e-6,
        "{what}: expected {expected}, found {found}"
    );
}

fn track_box(file_box: &FileBox) -> TrackBox {
    let FileBox(class, id, x, y, score) = file_box;
    let mut classes = ScoreClass::ALL.into_iter();
    TrackBox {
        id: *id,
        class: classes
            .find(|known| known.name() == class)
            .expect("the fixture has our classes"),
        position_m: [*x, *y],
        confidence: score.unwrap_or(1.0),
        counts: true,
    }
}

/// All drives, each in a tally of its own, as workers have them.
fn tally(drives: &[Drive]) -> TrackTally {
    let mut all = TrackTally::default();
    for drive in drives {
        let mut of_drive = TrackTally::default();
        for frame in &drive.frames {
            of_drive.add(TrackFrame {
                stamp_ns: 1000 * frame.timestamp_us,
                origin_m: frame.ego,
                truths: frame.truths.iter().map(track_box).collect(),
                predictions: frame.predictions.iter().map(track_box).collect(),
            });
        }
        all.merge(&of_drive);
    }
    all
}

fn check_hota(levels: &[HotaScores], known: &TrackEvalScores, name: &str) {
    assert_eq!(levels.len(), known.hota.len());
    for (k, scores) in levels.iter().enumerate() {
        let pairs = [
            (scores.hota, known.hota[k], "HOTA"),
            (scores.detection, known.detection[k], "DetA"),
            (scores.association, known.association[k], "AssA"),
            (scores.detection_recall, known.detection_recall[k], "DetRe"),
            (
                scores.detection_precision,
                known.detection_precision[k],
                "DetPr",
            ),
            (
                scores.association_recall,
                known.association_recall[k],
                "AssRe",
            ),
            (
                scores.association_precision,
                known.association_precision[k],
                "AssPr",
            ),
            (scores.localisation, known.localisation[k], "LocA"),
        ];
        for (found, expected, score) in pairs {
            near(found, expected, &format!("{score} of {name}, level {k}"));
        }
    }
}

fn check_counts(clear: &ClearTally, identity: &IdentityTally, known: &TrackEvalScores, name: &str) {
    let counts = [
        (clear.found, known.found),
        (clear.missed, known.missed),
        (clear.wrong, known.wrong),
        (clear.identity_switches, known.identity_switches),
        (clear.mostly_tracked, known.mostly_tracked),
        (clear.partly_tracked, known.partly_tracked),
        (clear.mostly_lost, known.mostly_lost),
        (clear.fragmentations, known.fragmentations),
        (identity.agreed, known.identity_agreed),
        (identity.missed, known.identity_missed),
        (identity.wrong, known.identity_wrong),
    ];
    for (place, (found, expected)) in counts.into_iter().enumerate() {
        assert_eq!(found as f64, expected, "count {place} of {name}");
    }
    if clear.found + clear.missed > 0 {
        near(clear.accuracy(), known.accuracy, name);
    }
    near(clear.precision(), known.precision, name);
    near(identity.f1(), known.identity_f1, name);
    near(identity.recall(), known.identity_recall, name);
    near(identity.precision(), known.identity_precision, name);
}

#[test]
fn average_accuracy_over_recall_equals_the_public_devkit() {
    let File {
        drives,
        expected_devkit: expected,
        ..
    } = file();
    let scores = tally(&drives).scores();
    assert_eq!(scores.classes.len(), expected.classes.len());
    for class in &scores.classes {
        check_class(class, &expected.classes[class.class.name()]);
    }
    let means = &expected.means;
    let mean = |found: Option<f64>, known: Option<f64>| {
        near(found.expect("a score"), known.expect("a score"), "mean");
    };
    mean(scores.average_accuracy, means.amota);
    mean(scores.average_distance_m, means.amotp);
}

fn check_class(class: &TrackClassScores, known: &DevkitScores) {
    let name = class.class.name();
    let Some(amota) = known.amota else {
        assert_eq!(class.truth_boxes, 0, "{name}");
        return;
    };
    near(class.average_accuracy, amota, name);
    near(
        class.average_distance_m,
        known.amotp.expect("it has AMOTA"),
        name,
    );
    assert_eq!(class.thresholds.len(), RECALLS);
    for (found, expected) in class.thresholds.iter().zip(&known.thresholds) {
        assert_eq!(found.is_some(), expected.is_some(), "{name}");
        near(found.unwrap_or(0.0), expected.unwrap_or(0.0), name);
    }
    let count = |found: usize, expected: Option<f64>| {
        assert_eq!(Some(found as f64), expected, "{name}");
    };
    if class.confidence.is_none() {
        // No recall is reached: the devkit says that nothing is found.
        count(class.truth_boxes, known.misses);
        count(class.truth_tracks, known.ml);
        assert_eq!(known.recall, Some(0.0), "{name}");
        return;
    }
    let events = &class.counts.events;
    count(events.matches, known.tp);
    count(events.switches, known.ids);
    count(events.misses, known.misses);
    count(events.wrong, known.fp);
    count(events.fragmentations, known.frag);
    count(events.mostly_tracked, known.mt);
    count(events.mostly_lost, known.ml);
    near(events.accuracy(), known.mota.expect("a score"), name);
    near(events.recall(), known.recall.expect("a score"), name);
    near(
        events.mean_distance_m().expect("something is found"),
        known.motp.expect("a score"),
        name,
    );
}

#[test]
fn tracks_by_centre_distance_score_as_in_trackeval() {
    let File {
        drives,
        expected_trackeval: expected,
        ..
    } = file();
    let scores = tally(&drives).scores();
    for class in &scores.classes {
        let name = class.class.name();
        let known = &expected[name];
        let published = &class.published;
        check_hota(&published.hota.levels(), known, name);
        check_counts(&published.clear, &published.identity, known, name);
        let mean = known.hota.iter().sum::<f64>() / known.hota.len() as f64;
        near(published.hota.scores().hota, mean, name);
    }
}

#[test]
fn matrices_of_similarities_score_as_in_trackeval() {
    let File {
        matrices,
        expected_matrices: expected,
        ..
    } = file();
    let (mut hota, mut clear, mut identity) = (
        HotaTally::default(),
        ClearTally::default(),
        IdentityTally::default(),
    );
    for (name, frames) in matrices {
        let frames = frames
            .into_iter()
            .map(|Matrix(truths, predictions, similarity)| SimilarityFrame {
                truths,
                predictions,
                similarity,
            });
        let drive = SimilarityDrive::new(frames.collect());
        let of_drive = HotaTally::of(&drive);
        check_hota(&of_drive.levels(), &expected[&name], &name);
        hota.merge(&of_drive);
        let (of_clear, of_identity) = (ClearTally::of(&drive), IdentityTally::of(&drive));
        check_counts(&of_clear, &of_identity, &expected[&name], &name);
        clear.merge(&of_clear);
        identity.merge(&of_identity);
    }
    check_hota(&hota.levels(), &expected["all"], "all");
    check_counts(&clear, &identity, &expected["all"], "all");
}

#[test]
fn the_fixture_reaches_every_case() {
    let File {
        drives,
        expected_devkit,
        expected_matrices,
        ..
    } = file();
    let of = |class: &str| &expected_devkit.classes[class];
    let reached = |class: &str| of(class).thresholds.iter().flatten().count();
    assert!((10..40).contains(&reached("car")), "some recalls");
    assert!(of("car").ids > Some(5.0) && of("car").frag > Some(5.0));
    assert_eq!((reached("truck"), reached("bus")), (0, 0));
    assert_eq!(of("bicycle").amota, None);
    let is_far = |b: &FileBox, ego: [f64; 2]| (b.2 - ego[0]).hypot(b.3 - ego[1]) > 50.0;
    let frames = || drives.iter().flat_map(|drive| &drive.frames);
    assert!(frames().any(|frame| frame.truths.iter().any(|b| is_far(b, frame.ego))));
    assert!(frames().any(|frame| frame.truths.is_empty() && frame.predictions.is_empty()));
    assert!(expected_matrices["all"].identity_switches > 5.0);
}
