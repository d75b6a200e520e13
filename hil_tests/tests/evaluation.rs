//! The whole evaluation with a small network of random weights.

use std::sync::Mutex;

use bevrt_calibration::rigs;
use bevrt_hil::eval::{
    Ablation, Contender, EvalError, EvalOptions, EvalReport, evaluate, evaluate_by_clip,
    evaluate_robustness,
};
use bevrt_hil::source::{Corruption, PictureSize};
use bevrt_runtime::{HeadKind, SetupError};

/// Four cameras, two slots, objects and crosswalks.
const PACKAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../runtime/tests/fixtures/foreign"
);

fn options(workers: usize) -> EvalOptions {
    let mut options = EvalOptions::new(PACKAGE, 950_000..950_003, rigs::four_fisheye());
    options.drive.size = PictureSize::TimesNetwork(1);
    options.drive.frame_rate_hz = 2.0;
    options.drive.duration_s = 3.0;
    options.workers = workers;
    options.ablation = Ablation::Queue {
        without_queue: None,
    };
    options
}

/// `None` where there is no ONNX Runtime.
fn evaluated(options: &EvalOptions) -> Option<EvalReport> {
    let finished = Mutex::new(Vec::new());
    let report = evaluate(options, &|progress| {
        finished
            .lock()
            .expect("nobody panics")
            .push((progress.finished, progress.seed));
    });
    let mut finished = finished.into_inner().expect("nobody panics");
    match report {
        Ok(report) => {
            finished.sort();
            assert_eq!(
                finished.iter().map(|(count, _)| *count).collect::<Vec<_>>(),
                [1, 2, 3]
            );
            Some(report)
        }
        Err(EvalError::Setup(error)) if matches!(*error, SetupError::Engine(_)) => {
            println!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn scores_do_not_depend_on_the_number_of_workers() {
    let Some(one) = evaluated(&options(1)) else {
        return;
    };
    // From 0 to 3 s seven frames, of which those at 2.5 and 3 s are scored.
    assert_eq!(
        (one.clips, one.published.frames, one.replayed_frames),
        (3, 6, 21)
    );
    assert_eq!(one.refused_images, 0);
    let names: Vec<&str> = one.columns.iter().map(|column| column.name).collect();
    assert_eq!(names, ["aligned queue", "queue not aligned", "queue empty"]);
    assert_eq!(one.conditions.iter().map(|c| c.clips).sum::<usize>(), 3);
    let Some(two) = evaluated(&options(2)) else {
        return;
    };
    assert_eq!(one.published, two.published);
    assert_eq!(one.columns, two.columns);
    assert!(one.to_table().contains("What the queue is worth"));
}

#[test]
fn a_network_that_was_trained_without_a_queue_is_shown_none() {
    let mut options = EvalOptions::new(PACKAGE, 950_001..950_004, rigs::four_fisheye());
    options.drive.size = bevrt_hil::source::PictureSize::TimesNetwork(1);
    options.drive.duration_s = 3.0;
    options.ablation = Ablation::Queue {
        without_queue: Some(PACKAGE.into()),
    };
    let Some(report) = evaluated(&options) else {
        return;
    };
    // The same package stands in for it, so its column is that of the empty queue.
    assert_eq!(report.columns[2].scores, report.columns[3].scores);
    assert_ne!(report.columns[0].scores, report.columns[3].scores);
}

#[test]
fn contenders_see_every_frame_and_the_same_network_differs_by_nothing() {
    let mut options = options(2);
    options.drive.frame_rate_hz = 4.0;
    let contender = Contender {
        package: PACKAGE.into(),
        precision: None,
    };
    options.ablation = Ablation::Contenders(vec![contender.clone(), contender]);
    let contest = match evaluate_by_clip(&options, &|_| {}) {
        Ok(contest) => contest,
        Err(EvalError::Setup(error)) if matches!(*error, SetupError::Engine(_)) => {
            println!("SKIPPED: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let seeds: Vec<u64> = contest.clips.iter().map(|clip| clip.seed).collect();
    assert_eq!(seeds, [950_000, 950_001, 950_002]);
    for clip in &contest.clips {
        let [first, second, third] = &clip.published[..] else {
            panic!("three networks, found {}", clip.published.len());
        };
        assert_eq!(first.scores(), second.scores());
        assert_eq!(first.scores(), third.scores());
    }
    // 13 frames of 3 s for each clip: nothing was left out for the contenders.
    let frames: Vec<u64> = contest.latency.iter().map(|times| times.frames).collect();
    assert!(frames[0] >= 26 && frames.iter().all(|f| *f == frames[0]));
    let comparison = contest.compare(2, &[HeadKind::Objects], 20, &|| {});
    assert!(comparison.rows.iter().all(|row| row.interval == [0.0; 2]));
    assert!(
        comparison
            .network_ms
            .is_some_and(|(a, b)| a > 0.0 && b > 0.0)
    );
}

#[test]
fn robustness_compares_every_row_with_clean_input() {
    let mut options = options(1);
    options.seeds = 950_000..950_001;
    options.ablation = Ablation::Off;
    let corruptions = [Corruption::ImagesLost(0.0), Corruption::Dark(6.0)];
    let report = match evaluate_robustness(&options, &corruptions, &|_, _| {}) {
        Ok(report) => report,
        Err(EvalError::Setup(error)) if matches!(*error, SetupError::Engine(_)) => {
            println!("SKIPPED: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let [clean, untouched, dark] = &report.rows[..] else {
        panic!("three rows, found {}", report.rows.len());
    };
    assert_eq!((clean.name.as_str(), clean.scores.frames), ("clean", 2));
    assert_eq!(clean.scores, clean.clean);
    assert_eq!(untouched.scores, clean.scores);
    assert_eq!(dark.clean, clean.scores);
    assert_ne!(dark.scores, clean.scores);
    assert_eq!(report.to_markdown().lines().count(), 5);
}

#[test]
fn impossible_options_are_refused_with_the_field() {
    let none = EvalOptions {
        seeds: 5..5,
        ..options(1)
    };
    let error = evaluate(&none, &|_| {}).expect_err("there is no clip");
    assert_eq!(error.to_string(), "seeds: expected at least one");
    let idle = EvalOptions {
        workers: 0,
        ..options(1)
    };
    assert!(evaluate(&idle, &|_| {}).is_err());
}

#[test]
fn a_missing_package_is_told() {
    let options = EvalOptions {
        package: "no/such/package".into(),
        ..options(1)
    };
    let error = evaluate(&options, &|_| {}).expect_err("there is no package");
    assert!(error.to_string().contains("no/such/package"), "{error}");
}
