//! The self-contained page of the demo.

use super::recorder::{PAGE_WIDTH, RecordedFrame};
use crate::failure::Failure;
use bevrt_calibration::Rig;
use bevrt_hil::eval::score_lines;
use bevrt_hil::metrics::Scores;
use bevrt_hil::replay::LatencyReport;
use bevrt_runtime::Engine;
use serde_json::{Map, Value, json};

const TEMPLATE: &str = include_str!("page.html");

/// What the scores mean, in the page's own words.
const DEFINITIONS: &str = "Objects: nuScenes average precision over centre distances of 0.5, 1, 2 and 4 m, to 50 m for \
vehicles, 40 m for people and two-wheelers, 30 m for cones. Lanes: Chamfer average precision over 0.5, 1 and 1.5 m, and \
F1 of lanes of whose points three quarters lie within 0.5 m. Marks: within 30 m ahead and behind and 15 m to each side. \
Ground truth counts when a camera sees it now or saw it within two seconds. One short drive: the figures scatter much \
more than those of `bevrt eval`.";

/// Everything that the page shows.
pub struct Page<'a> {
    pub subtitle: String,
    pub rig: &'a Rig,
    pub frames: &'a [RecordedFrame],
    pub scores: &'a Scores,
    pub latency: &'a LatencyReport,
    pub machine: String,
    pub period_ms: f64,
}

impl Page<'_> {
    /// The page with its data inside.
    pub fn to_html(&self) -> Result<String, Failure> {
        let cameras: Vec<_> = self
            .rig
            .cameras()
            .iter()
            .map(|camera| {
                let lens = &camera.intrinsics;
                json!({"name": camera.name, "width": PAGE_WIDTH, "height": PAGE_WIDTH * lens.height() / lens.width()})
            })
            .collect();
        let frames = self
            .frames
            .iter()
            .map(frame_json)
            .collect::<Result<Vec<_>, _>>()?;
        let quality: Vec<_> = score_lines(self.scores)
            .into_iter()
            .map(|(name, value)| {
                [
                    name.to_owned(),
                    value.map_or("–".to_owned(), |value| format!("{value:.3}")),
                ]
            })
            .collect();
        let stages: Vec<_> = self
            .latency
            .stages
            .iter()
            .map(|stage| {
                let ms = |value: f64| format!("{value:.2}");
                [
                    stage.stage.replace('_', " "),
                    ms(stage.p50_ms),
                    ms(stage.p99_ms),
                    ms(stage.max_ms),
                ]
            })
            .collect();
        let data = json!({
            "subtitle": self.subtitle, "cameras": cameras, "frames": frames, "quality": quality, "stages": stages,
            "definitions": DEFINITIONS, "machine": self.machine, "period_ms": self.period_ms,
        });
        Ok(filled(TEMPLATE, &data))
    }
}

/// A page's template with its data.
pub fn filled(template: &str, data: &Value) -> String {
    // The data stands in a script element: `</` must not end it.
    template.replace("__DATA__", &data.to_string().replace("</", "<\\/"))
}

fn frame_json(frame: &RecordedFrame) -> Result<Value, Failure> {
    let latency: Map<_, _> = frame
        .latency_ms
        .iter()
        .map(|(stage, ms)| ((*stage).to_owned(), json!((ms * 100.0).round() / 100.0)))
        .collect();
    Ok(json!({
        "time_s": frame.time_s,
        "images": frame.pictures,
        "result": serde_json::to_value(&frame.result)?,
        "truth": serde_json::to_value(&frame.truth)?,
        "result_overlay": serde_json::to_value(&frame.result_overlay)?,
        "truth_overlay": serde_json::to_value(&frame.truth_overlay)?,
        "latency": latency,
        "health": frame.health,
        "coverage": frame.coverage,
    }))
}

/// The machine and the engine, as the latency table needs them.
pub fn machine_text(engine: &dyn Engine) -> String {
    let processor = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split(':').nth(1)?.trim().to_owned())
        })
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{processor}, {cores} cores, provider {}. Rendering and drawing are not in these times.",
        engine.provider()
    )
}
