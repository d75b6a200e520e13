//! Scenes through a small network of random weights.

use std::sync::Arc;

use bevrt_calibration::{Rig, rigs};
use bevrt_hil::eval::{EvalError, NuscenesEvalOptions, evaluate_nuscenes};
use bevrt_runtime::SetupError;

use super::export::exported_with;

/// Four cameras, two slots, objects and crosswalks.
const PACKAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../runtime/tests/fixtures/foreign"
);

#[test]
fn every_key_frame_is_scored_and_masked_tasks_are_absent() {
    let cameras = rigs::six_pinhole().cameras()[..4].to_vec();
    let rig = Rig::new(cameras, 0).expect("names are unique");
    let (_, scene) = exported_with("evaluation", &rig);
    let samples = scene.key_frames().len();
    let scenes = [Arc::new(scene)];
    let options = NuscenesEvalOptions::new(PACKAGE);
    let mut steps = Vec::new();
    let evaluated = evaluate_nuscenes("v1.0-sim", &scenes, &options, &mut |done| steps.push(done));
    let (report, results) = match evaluated {
        Ok(evaluated) => evaluated,
        Err(EvalError::Setup(error)) if matches!(*error, SetupError::Engine(_)) => {
            println!("SKIPPED: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    assert_eq!(report.scores.frames, samples);
    assert_eq!((report.missed_key_frames, report.refused_images), (0, 0));
    assert_eq!(results.sample_count(), samples);
    assert_eq!(steps.last(), Some(&(samples as u64)));
    let json = report.to_json();
    for key in [
        "/objects/mAP",
        "/lanes/F1",
        "/crosswalks/AP",
        "/stop_lines/AP",
        "/latency_ms/total",
    ] {
        assert!(json.pointer(key).is_some(), "{key}");
    }
    for key in [
        "/arrows",
        "/objects/recall_occluded",
        "/details/lanes/chamfer_AP/road_edge",
    ] {
        assert!(json.pointer(key).is_none(), "{key}");
    }
    assert_eq!(json["world_version"], "nuScenes v1.0-sim");
    let table = report.to_table();
    assert!(!table.contains("arrows   AP"), "{table}");
    assert!(
        table.contains("hidden objects, road edges, arrows"),
        "{table}"
    );
}

#[test]
fn an_evaluation_without_scenes_is_refused() {
    let options = NuscenesEvalOptions::new(PACKAGE);
    let refused = evaluate_nuscenes("v1.0-mini", &[], &options, &mut |_| {});
    let error = refused.expect_err("there is nothing to score");
    assert!(error.to_string().contains("scenes"), "{error}");
}
