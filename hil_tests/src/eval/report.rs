//! What an evaluation says, and its JSON.

use std::ops::Range;

use serde_json::{Map, Value, json};

use crate::metrics::{
    ClassScores, DISTANCE_BANDS_M, DetectionScores, LaneFamily, Scores, THRESHOLDS_M, Task,
    TrackClassScores, TrackScores, VISIBILITY_LEVELS,
};
use crate::replay::LatencyReport;

/// Stages whose times stand in the JSON.
const STAGES: [&str; 6] = ["total", "preprocess", "align", "network", "decode", "track"];

/// Scores of the clips of one light or weather.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionScores {
    /// Its name.
    pub condition: &'static str,
    /// Clips of it.
    pub clips: usize,
    /// Scores of the output frames.
    pub scores: Scores,
}

/// Scores of one kind of queue, of what the heads found.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The kind.
    pub name: &'static str,
    /// The scores.
    pub scores: Scores,
}

/// What an evaluation says.
#[derive(Clone, Debug, PartialEq)]
pub struct EvalReport {
    /// Name of the package.
    pub package_name: String,
    /// Its version.
    pub package_version: String,
    /// Version of the simulated world.
    pub world_version: String,
    /// Seeds of the clips.
    pub seeds: Range<u64>,
    /// Clips.
    pub clips: usize,
    /// Frames of all clips.
    pub replayed_frames: u64,
    /// Images that came into no set.
    pub refused_images: u64,
    /// Clips that were worked on at the same time.
    pub workers: usize,
    /// Scores of the output frames.
    pub published: Scores,
    /// The same without what single cameras alone could see, in the order of the options.
    pub without_cameras: Vec<Scores>,
    /// The same by light and weather.
    pub conditions: Vec<ConditionScores>,
    /// The comparison of queues; empty where it was not asked for.
    pub columns: Vec<Column>,
    /// Measured times of one worker.
    pub latency: LatencyReport,
    /// Heap allocations for each frame, where they were counted.
    pub allocations_per_frame: Option<f64>,
}

impl EvalReport {
    /// The report as JSON: the scores that are compared between versions stand at the top, with
    /// `conditions`, `queue` and `details` below.
    pub fn to_json(&self) -> Value {
        let mut top = metrics_json(
            &self.published,
            &self.latency,
            self.allocations_per_frame,
            &self.world_version,
        );
        top.insert(
            "package".to_owned(),
            json!({ "name": self.package_name, "version": self.package_version }),
        );
        top.insert(
            "clips".to_owned(),
            json!({
                "count": self.clips,
                "first_seed": self.seeds.start,
                "end_seed": self.seeds.end,
                "replayed_frames": self.replayed_frames,
                "refused_images": self.refused_images,
                "workers": self.workers,
            }),
        );
        let conditions: Map<String, Value> = self
            .conditions
            .iter()
            .map(|c| {
                let mut entry = headline(&c.scores);
                entry.insert("clips".to_owned(), json!(c.clips));
                entry.insert("frames".to_owned(), json!(c.scores.frames));
                (c.condition.to_owned(), Value::Object(entry))
            })
            .collect();
        top.insert("conditions".to_owned(), Value::Object(conditions));
        if !self.columns.is_empty() {
            let columns: Vec<Value> = self
                .columns
                .iter()
                .map(|column| {
                    let mut entry = headline(&column.scores);
                    entry.insert("name".to_owned(), json!(column.name));
                    Value::Object(entry)
                })
                .collect();
            top.insert("queue".to_owned(), Value::Array(columns));
        }
        Value::Object(top)
    }
}

/// The JSON of one set of scores with the times that go with them: the scores that are compared
/// between versions, `latency_ms`, `frames`, `alloc_per_frame`, `world_version` and `details`.
pub fn metrics_json(
    scores: &Scores,
    latency: &LatencyReport,
    allocations_per_frame: Option<f64>,
    world_version: &str,
) -> Map<String, Value> {
    let mut top = headline(scores);
    top.insert("latency_ms".to_owned(), latency_json(latency));
    top.insert("frames".to_owned(), json!(scores.frames));
    top.insert("alloc_per_frame".to_owned(), json!(allocations_per_frame));
    top.insert("world_version".to_owned(), json!(world_version));
    top.insert("details".to_owned(), details(scores));
    top
}

/// The scores that are compared between versions, of the tasks that were scored.
pub(super) fn headline(scores: &Scores) -> Map<String, Value> {
    let mut top = Map::new();
    let tasks = scores.tasks;
    if tasks.contains(Task::Objects) {
        let mut objects = json!({
            "mAP": scores.objects.mean_average_precision,
            "mAP_30m": scores.near_objects.mean_average_precision,
            "NDS": scores.objects.detection_score,
            "mAVE": scores.objects.velocity_error_mps,
        });
        if tasks.contains(Task::HiddenObjects) {
            objects["recall_occluded"] = json!(scores.occlusion.recall);
        }
        top.insert("objects".to_owned(), objects);
    }
    let mut insert = |is_scored: bool, name: &str, value: Value| {
        if is_scored {
            top.insert(name.to_owned(), value);
        }
    };
    insert(
        tasks.contains(Task::Tracks),
        "tracks",
        json!({
            "HOTA": scores.tracks.hota.map(|hota| hota.hota),
            "AMOTA": scores.tracks.average_accuracy,
            "AMOTP": scores.tracks.average_distance_m,
            "IDF1": scores.tracks.identity_f1,
        }),
    );
    insert(
        tasks.contains_lanes(),
        "lanes",
        json!({
            "chamfer_mAP": scores.lanes.chamfer_map,
            "F1": scores.lanes.f1.f1,
        }),
    );
    insert(
        tasks.contains(Task::Arrows),
        "arrows",
        json!({ "AP": scores.arrows.average_precision }),
    );
    insert(
        tasks.contains(Task::Crosswalks),
        "crosswalks",
        json!({ "AP": scores.crosswalks.average_precision[0] }),
    );
    insert(
        tasks.contains(Task::StopLines),
        "stop_lines",
        json!({ "AP": scores.stop_lines.average_precision[0] }),
    );
    top
}

fn latency_json(latency: &LatencyReport) -> Value {
    let stages: Map<String, Value> = latency
        .stages
        .iter()
        .filter(|stage| STAGES.contains(&stage.stage))
        .map(|stage| {
            (
                stage.stage.to_owned(),
                json!({ "p50": stage.p50_ms, "p99": stage.p99_ms }),
            )
        })
        .collect();
    Value::Object(stages)
}

/// Everything else that is known about the tasks that were scored.
fn details(scores: &Scores) -> Value {
    let tasks = scores.tasks;
    let mut all = Map::new();
    let mut insert = |is_scored: bool, name: &str, value: Value| {
        if is_scored {
            all.insert(name.to_owned(), value);
        }
    };
    let has_objects = tasks.contains(Task::Objects);
    insert(has_objects, "objects", detection_json(&scores.objects));
    insert(
        has_objects,
        "objects_30m",
        detection_json(&scores.near_objects),
    );
    let by_visibility = VISIBILITY_LEVELS.iter().zip(scores.occlusion.by_visibility);
    let by_visibility = by_visibility.map(
        |(begin, level)| json!({ "from": begin, "recall": level.recall, "truths": level.count }),
    );
    insert(
        has_objects,
        "objects_by_visibility",
        Value::Array(by_visibility.collect()),
    );
    insert(
        tasks.contains(Task::Tracks),
        "tracks",
        track_details(&scores.tracks),
    );
    insert(
        tasks.contains(Task::HiddenObjects),
        "occluded",
        json!({
            "objects": scores.occlusion.hidden_count,
            "score_at_precision_half": scores.occlusion.score,
        }),
    );
    insert(tasks.contains_lanes(), "lanes", lane_details(scores));
    insert(
        tasks.contains(Task::Arrows),
        "arrows",
        json!({
            "mean_over_kinds": scores.arrows.mean_over_kinds,
            "heading_error_rad": scores.arrows.heading_error_rad,
            "truths": scores.arrows.truth_count,
        }),
    );
    insert(
        tasks.contains(Task::Crosswalks),
        "crosswalks",
        json!({
            "AP_1.5m": scores.crosswalks.average_precision[1],
            "AP_IoU_0.5": scores.crosswalks.overlap_average_precision,
            "truths": scores.crosswalks.truth_count,
        }),
    );
    insert(
        tasks.contains(Task::StopLines),
        "stop_lines",
        json!({
            "AP_1.5m": scores.stop_lines.average_precision[1],
            "truths": scores.stop_lines.truth_count,
        }),
    );
    let sigma: Map<String, Value> = scores
        .sigma
        .iter()
        .map(|score| {
            let entry = json!({
                "within_one_sigma": score.share,
                "factor": score.factor,
                "errors": score.errors,
            });
            (score.name.to_owned(), entry)
        })
        .collect();
    insert(true, "sigma", Value::Object(sigma));
    Value::Object(all)
}

fn track_details(tracks: &TrackScores) -> Value {
    let class = |class: &TrackClassScores| {
        let hota = class.counts.hota.scores();
        let clear = &class.counts.clear;
        let events = &class.counts.events;
        json!({
            "truth_boxes": class.truth_boxes,
            "truth_tracks": class.truth_tracks,
            "AMOTA": class.average_accuracy,
            "AMOTP": class.average_distance_m,
            "confidence": class.confidence,
            "HOTA": hota.hota,
            "DetA": hota.detection,
            "AssA": hota.association,
            "LocA": hota.localisation,
            "MOTA": clear.accuracy(),
            "MOTP": clear.precision(),
            "IDF1": class.counts.identity.f1(),
            "identity_switches": clear.identity_switches,
            "fragmentations": clear.fragmentations,
            "mostly_tracked": clear.mostly_tracked,
            "mostly_lost": clear.mostly_lost,
            "nuScenes": {
                "MOTA": events.accuracy(),
                "MOTP": events.mean_distance_m(),
                "recall": events.recall(),
                "identity_switches": events.switches,
                "fragmentations": events.fragmentations,
                "mostly_tracked": events.mostly_tracked,
                "mostly_lost": events.mostly_lost,
            },
            "HOTA_published": class.published.hota.scores().hota,
        })
    };
    let classes: Map<String, Value> = tracks
        .classes
        .iter()
        .filter(|c| c.truth_boxes > 0)
        .map(|c| (c.class.name().to_owned(), class(c)))
        .collect();
    json!({
        "DetA": tracks.hota.map(|hota| hota.detection),
        "AssA": tracks.hota.map(|hota| hota.association),
        "LocA": tracks.hota.map(|hota| hota.localisation),
        "MOTA": tracks.accuracy,
        "identity_switches": tracks.identity_switches,
        "HOTA_published": tracks.published_hota,
        "classes": classes,
    })
}

fn lane_details(scores: &Scores) -> Value {
    let lanes = &scores.lanes;
    let families: Map<String, Value> = LaneFamily::ALL
        .into_iter()
        .zip(lanes.average_precision)
        .filter(|(family, _)| scores.tasks.contains(Task::of_family(*family)))
        .map(|(family, ap)| (family.name().to_owned(), json!(ap)))
        .collect();
    json!({
        "chamfer_AP": families,
        "recall": lanes.f1.recall,
        "precision": lanes.f1.precision,
        "F1_1.5m": lanes.f1.f1_lenient,
        "F1_best": lanes.f1.best.0,
        "F1_best_confidence": lanes.f1.best.1,
        "truths": lanes.f1.truth_count,
        "marking_accuracy": lanes.f1.marking_accuracy,
        "colour_accuracy": lanes.f1.colour_accuracy,
        "lateral_error_m": lanes.f1.lateral_error_m,
    })
}

/// Scores by the distance in metres that their band begins at.
fn by_distance(values: &[Option<f64>]) -> Value {
    let bands = DISTANCE_BANDS_M.iter().zip(values);
    let entries = bands.map(|(begin, value)| (begin.to_string(), json!(value)));
    Value::Object(entries.collect())
}

fn detection_json(scores: &DetectionScores) -> Value {
    let class = |class: &ClassScores| {
        let ap: Map<String, Value> = THRESHOLDS_M
            .iter()
            .zip(class.average_precision)
            .map(|(threshold_m, ap)| (threshold_m.to_string(), json!(ap)))
            .collect();
        json!({
            "truths": class.truth_count,
            "AP": ap,
            "AP_by_distance": by_distance(&class.by_distance),
            "ATE": class.translation_error_m,
            "ASE": class.scale_error,
            "AOE": class.orientation_error_rad,
            "AVE": class.velocity_error_mps,
        })
    };
    let classes: Map<String, Value> = scores
        .classes
        .iter()
        .map(|c| (c.class.name().to_owned(), class(c)))
        .collect();
    json!({
        "mAP": scores.mean_average_precision,
        "mAP_by_distance": by_distance(&scores.by_distance),
        "mATE": scores.translation_error_m,
        "mASE": scores.scale_error,
        "mAOE": scores.orientation_error_rad,
        "mAVE": scores.velocity_error_mps,
        "NDS": scores.detection_score,
        "classes": classes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{ScoreTally, Tasks};

    #[test]
    fn a_task_without_labels_stands_nowhere_in_the_json() {
        let scores =
            ScoreTally::for_tasks(Tasks::of(&[Task::Objects, Task::PaintedLanes])).scores();
        let latency = LatencyReport::new(&bevrt_runtime::PipelineStats::default());
        let json = Value::Object(metrics_json(&scores, &latency, None, "1"));
        for key in [
            "/objects/mAP",
            "/lanes/F1",
            "/details/lanes/chamfer_AP/painted",
        ] {
            assert!(json.pointer(key).is_some(), "{key}");
        }
        for key in [
            "/objects/recall_occluded",
            "/tracks",
            "/arrows",
            "/crosswalks",
            "/stop_lines",
            "/details/occluded",
            "/details/arrows",
            "/details/crosswalks",
            "/details/stop_lines",
            "/details/lanes/chamfer_AP/road_edge",
        ] {
            assert!(json.pointer(key).is_none(), "{key}");
        }
    }

    #[test]
    fn the_json_has_every_promised_key() {
        let scores = ScoreTally::default().scores();
        let report = EvalReport {
            package_name: "tiny".to_owned(),
            package_version: "0.1.0".to_owned(),
            world_version: "1".to_owned(),
            seeds: 950_000..950_040,
            clips: 40,
            replayed_frames: 4000,
            refused_images: 0,
            workers: 1,
            published: scores.clone(),
            without_cameras: Vec::new(),
            conditions: vec![ConditionScores {
                condition: "day",
                clips: 16,
                scores: scores.clone(),
            }],
            columns: vec![Column {
                name: "aligned queue",
                scores,
            }],
            latency: LatencyReport::new(&bevrt_runtime::PipelineStats::default()),
            allocations_per_frame: Some(0.0),
        };
        let json = report.to_json();
        let mut keys = vec![
            "/objects/mAP".to_owned(),
            "/objects/mAP_30m".to_owned(),
            "/objects/NDS".to_owned(),
            "/objects/mAVE".to_owned(),
            "/objects/recall_occluded".to_owned(),
            "/tracks/HOTA".to_owned(),
            "/tracks/AMOTA".to_owned(),
            "/details/tracks/MOTA".to_owned(),
            "/details/objects/mAP_by_distance/15".to_owned(),
            "/details/objects_by_visibility/3/recall".to_owned(),
            "/lanes/chamfer_mAP".to_owned(),
            "/lanes/F1".to_owned(),
            "/arrows/AP".to_owned(),
            "/crosswalks/AP".to_owned(),
            "/stop_lines/AP".to_owned(),
            "/frames".to_owned(),
            "/alloc_per_frame".to_owned(),
            "/world_version".to_owned(),
            "/conditions/day/lanes/F1".to_owned(),
            "/queue/0/name".to_owned(),
        ];
        for stage in STAGES {
            keys.push(format!("/latency_ms/{stage}/p50"));
            keys.push(format!("/latency_ms/{stage}/p99"));
        }
        for key in keys {
            assert!(json.pointer(&key).is_some(), "{key}");
        }
    }
}
