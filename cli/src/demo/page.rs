//! The self-contained page of the demo.

use crate::failure::Failure;
use crate::player::{
    DEFINITIONS, RecordedFrame, cameras_json, filled, frame_json, quality_rows, stage_rows,
};
use bevrt_calibration::Rig;
use bevrt_hil::metrics::Scores;
use bevrt_hil::replay::LatencyReport;
use bevrt_runtime::Engine;
use serde_json::json;

const TEMPLATE: &str = include_str!("page.html");

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
        let frames = self
            .frames
            .iter()
            .map(frame_json)
            .collect::<Result<Vec<_>, _>>()?;
        let data = json!({
            "subtitle": self.subtitle,
            "cameras": cameras_json(self.rig.cameras()),
            "frames": frames,
            "quality": quality_rows(self.scores),
            "stages": stage_rows(self.latency),
            "definitions": DEFINITIONS, "machine": self.machine, "period_ms": self.period_ms,
        });
        Ok(filled(TEMPLATE, &data))
    }
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
