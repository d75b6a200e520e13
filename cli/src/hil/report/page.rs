//! The page of the report.

use super::moments::{Moment, moments_of, total_ms, worst_first};
use super::recorded::RecordedDrive;
use crate::failure::Failure;
use crate::player::{DEFINITIONS, cameras_json, filled, frame_json, quality_rows, stage_rows};
use bevrt_benches::Machine;
use bevrt_calibration::Camera;
use bevrt_hil::metrics::{DISTANCE_BANDS_M, ScoreTally, Scores};
use bevrt_hil::replay::{LatencyReport, StageLatency};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;

const TEMPLATE: &str = include_str!("../report.html");
/// Milliseconds between frames where nothing tells it.
const USUAL_PERIOD_MS: f64 = 100.0;
/// Stages of the latency table, in the order of the path.
const STAGES: [&str; 7] = [
    "preprocess",
    "align",
    "network",
    "decode",
    "track",
    "other",
    "total",
];

/// Everything that the page shows.
pub struct ReportPage {
    drives: Vec<RecordedDrive>,
    /// Number of the first frame of each drive.
    firsts: Vec<usize>,
    moments: Vec<Moment>,
    /// `None` where no drive has ground truth.
    scores: Option<Scores>,
    latency: LatencyReport,
    faults: Option<Value>,
    period_ms: f64,
    deadline_ms: f64,
}

impl ReportPage {
    /// Of drives with the same cameras.
    pub fn new(
        drives: Vec<RecordedDrive>,
        faults: Option<Value>,
        deadline_ms: Option<f64>,
    ) -> Result<Self, Failure> {
        for drive in &drives {
            if drive.frames.is_empty() {
                let name = &drive.name;
                return Err(Failure::new(format!(
                    "{name}: expected frame sets, found none that is complete"
                )));
            }
            check_cameras(&drives[0], drive)?;
        }
        let period_ms = period_ms(&drives);
        let deadline_ms = deadline_ms.unwrap_or(period_ms);
        let mut firsts = Vec::new();
        let mut moments = Vec::new();
        let mut tally = ScoreTally::default();
        let mut frames = 0;
        for drive in &drives {
            moments.extend(moments_of(drive, frames, deadline_ms));
            tally.merge(&drive.tally);
            firsts.push(frames);
            frames += drive.frames.len();
        }
        worst_first(&mut moments);
        Ok(Self {
            latency: latency_of(&drives),
            scores: (tally.frames() > 0).then(|| tally.scores()),
            drives,
            firsts,
            moments,
            faults,
            period_ms,
            deadline_ms,
        })
    }

    /// The page; at most about `pictures` frames have pictures of their own, those of moments first.
    pub fn to_html(&self, pictures: usize) -> Result<String, Failure> {
        let kept = self.frames_with_pictures(pictures);
        let mut frames = Vec::new();
        for (drive, recorded) in self.drives.iter().enumerate() {
            for (frame, note) in recorded.frames.iter().zip(&recorded.notes) {
                let mut value = frame_json(frame)?;
                if !kept.contains(&frames.len()) {
                    value["images"] = Value::Null;
                }
                value["drive"] = json!(drive);
                value["reasons"] = json!(note.reasons);
                value["score"] = json!(note.quality.map(|q| [q.objects, q.lanes]));
                frames.push(value);
            }
        }
        let moments = self.moments.iter().map(|moment| {
            json!({"frame": moment.frame, "kind": moment.kind.name(), "text": moment.text})
        });
        let drives = self.drives.iter().zip(&self.firsts);
        let drives = drives.map(|(drive, first)| json!({"name": drive.name, "first": first}));
        let data = json!({
            "subtitle": self.subtitle(),
            "summary": self.summary(),
            "moments": moments.collect::<Vec<_>>(),
            "drives": drives.collect::<Vec<_>>(),
            "cameras": cameras_json(&self.drives[0].cameras),
            "frames": frames,
            "ranges": self.scores.as_ref().map(ranges),
            "quality": self.scores.as_ref().map(quality_rows).unwrap_or_default(),
            "stages": stage_rows(&self.latency),
            "faults": self.faults,
            "definitions": DEFINITIONS,
            "machine": format!("Written on {}.", Machine::now().summary()),
            "period_ms": self.period_ms,
            "deadline_ms": self.deadline_ms,
        });
        Ok(filled(TEMPLATE, &data))
    }

    /// The summary for a terminal.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for [name, value] in self.summary() {
            let _ = writeln!(text, "{name:32} {value}");
        }
        for moment in self.moments.iter().take(5) {
            let (kind, frame) = (moment.kind.name(), moment.frame);
            let _ = writeln!(text, "{kind:9} #frame-{frame}: {}", moment.text);
        }
        text
    }

    fn subtitle(&self) -> String {
        match &self.drives[..] {
            [drive] => drive.name.clone(),
            drives => format!("{} drives", drives.len()),
        }
    }

    fn frame_count(&self) -> usize {
        self.drives.iter().map(|drive| drive.frames.len()).sum()
    }

    fn summary(&self) -> Vec<[String; 2]> {
        let frames = || self.drives.iter().flat_map(|drive| &drive.frames);
        let of = |health: &str| frames().filter(|frame| frame.health == health).count();
        let late = frames().filter(|frame| total_ms(&frame.latency_ms) > self.deadline_ms);
        let mut rows = vec![
            ("drives", self.drives.len().to_string()),
            ("frames", self.frame_count().to_string()),
            ("frames with a fault", of("fault").to_string()),
            ("frames degraded", of("degraded").to_string()),
            (
                "frames late",
                format!("{} (deadline {:.0} ms)", late.count(), self.deadline_ms),
            ),
        ];
        if let Some(total) = self.latency.stages.iter().find(|s| s.stage == "total") {
            let text = format!("{:.1} / {:.1} ms", total.p50_ms, total.p99_ms);
            rows.push(("latency, p50 / p99", text));
        }
        if let Some(scores) = &self.scores {
            let near = scores.near_objects.mean_average_precision;
            rows.push(("frames scored", scores.frames.to_string()));
            rows.push(("objects mAP within 30 m", format!("{near:.3}")));
            rows.push(("lanes F1 at 0.5 m", format!("{:.3}", scores.lanes.f1.f1)));
        }
        if let Some(rows_of) = self
            .faults
            .as_ref()
            .and_then(|table| table["rows"].as_array())
        {
            let failed = rows_of.iter().filter(|row| row["ok"] != true).count();
            let text = format!("{failed} of {} not as expected", rows_of.len());
            rows.push(("fault scenarios", text));
        }
        let rows = rows.into_iter();
        rows.map(|(name, value)| [name.to_owned(), value]).collect()
    }

    /// Frames that keep their pictures: the first of each drive, those of moments, and as many
    /// between them as there is room for.
    fn frames_with_pictures(&self, most: usize) -> BTreeSet<usize> {
        let step = self.frame_count().div_ceil(most.max(1)).max(1);
        let mut kept: BTreeSet<usize> = (0..self.frame_count()).step_by(step).collect();
        kept.extend(&self.firsts);
        kept.extend(self.moments.iter().take(most).map(|moment| moment.frame));
        kept
    }
}

fn check_cameras(first: &RecordedDrive, other: &RecordedDrive) -> Result<(), Failure> {
    let names = |cameras: &[Camera]| -> Vec<String> {
        let names = cameras.iter().map(|camera| {
            let lens = &camera.intrinsics;
            format!("{} {}x{}", camera.name, lens.width(), lens.height())
        });
        names.collect()
    };
    let (expected, found) = (names(&first.cameras), names(&other.cameras));
    if expected == found {
        return Ok(());
    }
    let or_none = |names: Vec<String>| match names.len() {
        0 => "no pictures".to_owned(),
        _ => names.join(", "),
    };
    Err(Failure::new(format!(
        "{}: expected the cameras of {} ({}), found {}",
        other.name,
        first.name,
        or_none(expected),
        or_none(found)
    )))
}

/// The median time between frames.
fn period_ms(drives: &[RecordedDrive]) -> f64 {
    let mut periods: Vec<f64> = drives
        .iter()
        .flat_map(|drive| drive.frames.windows(2))
        .map(|pair| 1e3 * (pair[1].time_s - pair[0].time_s))
        .filter(|ms| *ms > 0.0)
        .collect();
    periods.sort_by(f64::total_cmp);
    periods
        .get(periods.len() / 2)
        .copied()
        .unwrap_or(USUAL_PERIOD_MS)
}

/// Percentiles over all frames that were measured.
fn latency_of(drives: &[RecordedDrive]) -> LatencyReport {
    let stages = STAGES.into_iter().filter_map(|stage| {
        let frames = drives.iter().flat_map(|drive| &drive.frames);
        let times = frames.flat_map(|frame| &frame.latency_ms);
        let times = times.filter(|(of, _)| *of == stage);
        let mut times: Vec<f64> = times.map(|(_, ms)| *ms).collect();
        times.sort_by(f64::total_cmp);
        let last = times.len().checked_sub(1)?;
        let at = |share: f64| times[(share * last as f64).round() as usize];
        Some(StageLatency {
            stage,
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            mean_ms: times.iter().sum::<f64>() / times.len() as f64,
            max_ms: times[last],
        })
    });
    LatencyReport {
        frames: drives.iter().map(|drive| drive.frames.len() as u64).sum(),
        stages: stages.collect(),
    }
}

/// Average precision of objects by distance: bands, then a row for all and for each class.
fn ranges(scores: &Scores) -> Value {
    let ends = DISTANCE_BANDS_M
        .iter()
        .skip(1)
        .map(|end| format!("to {end:.0} m"));
    let mut bands: Vec<String> = ends.collect();
    bands.push("farther".to_owned());
    let mut rows = vec![json!({"name": "all classes", "values": scores.objects.by_distance})];
    let classes = scores.objects.classes.iter();
    rows.extend(classes.filter(|class| class.truth_count > 0).map(|class| {
        let name = format!("{} ({})", class.class.name(), class.truth_count);
        json!({"name": name, "values": class.by_distance})
    }));
    json!({"bands": bands, "rows": rows})
}
