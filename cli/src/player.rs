//! The player of a drive on a page: cameras, the picture from above, latency, by slider and keys.
//!
//! The pages of `bevrt demo`, `bevrt worst`, `bevrt hil report` and `bevrt view` share its style and scripts, and
//! `bevrt hil check` its picture from above. A page is one file: everything stands inside.

mod recorded;

pub use recorded::{FrameKeeper, PAGE_WIDTH, RecordedFrame, stage_times};

use crate::failure::Failure;
use bevrt_calibration::Camera;
use bevrt_hil::eval::score_lines;
use bevrt_hil::metrics::Scores;
use bevrt_hil::replay::LatencyReport;
use serde_json::{Map, Value, json};

/// What stands where in a page's template.
const PARTS: [(&str, &str); 4] = [
    ("__PLAYER_STYLE__", include_str!("player/player.css")),
    ("__BEV_SCRIPT__", include_str!("player/bev.js")),
    ("__PLAYER_SCRIPT__", include_str!("player/player.js")),
    ("__CHARTS_SCRIPT__", include_str!("player/charts.js")),
];

/// What the scores mean, in the page's own words.
pub const DEFINITIONS: &str = "Objects: nuScenes average precision over centre distances of 0.5, 1, 2 and 4 m, to 50 m for \
vehicles, 40 m for people and two-wheelers, 30 m for cones. Lanes: Chamfer average precision over 0.5, 1 and 1.5 m, and \
F1 of lanes of whose points three quarters lie within 0.5 m. Marks: within 30 m ahead and behind and 15 m to each side. \
Ground truth counts when a camera sees it now or saw it within two seconds. One short drive: the figures scatter much \
more than those of `bevrt eval`.";

/// A page's template with its parts and its data.
pub fn filled(template: &str, data: &Value) -> String {
    let mut page = template.to_owned();
    for (mark, part) in PARTS {
        page = page.replace(mark, part);
    }
    // The data stands in a script element: `</` must not end it.
    page.replace("__DATA__", &data.to_string().replace("</", "<\\/"))
}

/// Names and picture sizes of cameras.
pub fn cameras_json(cameras: &[Camera]) -> Vec<Value> {
    let sizes = cameras.iter().map(|camera| {
        let lens = &camera.intrinsics;
        json!({"name": camera.name, "width": PAGE_WIDTH, "height": PAGE_WIDTH * lens.height() / lens.width()})
    });
    sizes.collect()
}

/// A frame as the player takes it.
pub fn frame_json(frame: &RecordedFrame) -> Result<Value, Failure> {
    let latency: Map<_, _> = frame
        .latency_ms
        .iter()
        .map(|(stage, ms)| (stage.clone(), json!((ms * 100.0).round() / 100.0)))
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

/// The table of scores.
pub fn quality_rows(scores: &Scores) -> Vec<[String; 2]> {
    let text = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.3}"));
    let lines = score_lines(scores).into_iter();
    lines
        .map(|(name, value)| [name.to_owned(), text(value)])
        .collect()
}

/// The table of times.
pub fn stage_rows(latency: &LatencyReport) -> Vec<[String; 4]> {
    let ms = |value: f64| format!("{value:.2}");
    let stages = latency.stages.iter().map(|stage| {
        [
            stage.stage.replace('_', " "),
            ms(stage.p50_ms),
            ms(stage.p99_ms),
            ms(stage.max_ms),
        ]
    });
    stages.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_its_parts_and_data_that_cannot_end_their_script() {
        let template = "<style>__PLAYER_STYLE__</style>__BEV_SCRIPT____PLAYER_SCRIPT____CHARTS_SCRIPT__|__DATA__";
        let page = filled(template, &json!({ "name": "</script>" }));
        assert!(page.contains("drawBev") && page.contains("hashchange"));
        assert!(page.ends_with(r#"|{"name":"<\/script>"}"#), "{page}");
        for (mark, part) in PARTS {
            assert!(!page.contains(mark), "{mark}");
            assert!(!part.contains("</script") && !part.contains("__DATA__"));
            assert!(!part.contains("http:") && !part.contains("https:"));
        }
    }
}
