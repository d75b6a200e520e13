//! What a sound build and package reach on the demo drive; far below their mean, since one drive scatters.

use crate::failure::Failure;
use serde_json::{Map, Value};

/// Pointers into `metrics.json` and the least value.
const FLOORS: [(&str, f64); 3] = [
    ("/objects/mAP_30m", 0.25),
    ("/lanes/F1", 0.5),
    ("/lanes/chamfer_mAP", 0.4),
];

/// Compares the metrics with the floors.
///
/// # Errors
/// Names every floor that is missed, or frames that are.
pub fn check(
    metrics: &Map<String, Value>,
    frames: u64,
    expected_frames: u64,
) -> Result<(), Failure> {
    let metrics = Value::Object(metrics.clone());
    let mut missed = Vec::new();
    for (pointer, floor) in FLOORS {
        let found = metrics.pointer(pointer).and_then(Value::as_f64);
        if found.is_none_or(|found| found < floor) {
            missed.push(format!(
                "{pointer}: expected at least {floor}, found {found:?}"
            ));
        }
    }
    if frames != expected_frames {
        missed.push(format!(
            "frames: expected {expected_frames}, found {frames}"
        ));
    }
    let allocations = metrics.pointer("/alloc_per_frame").and_then(Value::as_f64);
    if allocations.is_none() {
        missed.push("alloc_per_frame: expected a count, found none".to_owned());
    }
    if missed.is_empty() {
        println!("floors: all {} reached", FLOORS.len());
        return Ok(());
    }
    Err(Failure::new(format!(
        "the demo is below its floors: {}",
        missed.join("; ")
    )))
}
