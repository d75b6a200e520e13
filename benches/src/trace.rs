//! The measured frames as a trace that Perfetto and Chrome open.

use std::path::Path;

use bevrt_runtime::Stage;
use serde_json::{Value, json};

use crate::error::BenchError;
use crate::sample::{Interval, Sample};

/// Stages of a step in the order in which they run, one after another.
const STEP_STAGES: [Stage; 5] = [
    Stage::Align,
    Stage::Network,
    Stage::Decode,
    Stage::Track,
    Stage::Publish,
];
/// Those that follow the network.
const AFTER_NETWORK: [Stage; 3] = [Stage::Decode, Stage::Track, Stage::Publish];
/// Rows of the trace.
const PIPELINE: u32 = 1;
const BARE: u32 = 2;
const ARRIVALS: u32 = 3;
/// The network, where it has a thread of its own.
const NETWORK: u32 = 4;
/// The steps from begin to frame, there.
const STEPS: u32 = 5;
const ROWS: [(u32, &str); 5] = [
    (PIPELINE, "pipeline (calling thread)"),
    (NETWORK, "network (a thread of its own, with --overlap)"),
    (STEPS, "steps, with --overlap"),
    (BARE, "bare run of the network (calling thread)"),
    (ARRIVALS, "last image due"),
];

/// The trace of frames, in the JSON form of trace events: complete events (`ph` is `X`) with
/// microseconds in `ts` and `dur`, and the names of rows. `has_overlap` says that the network had a
/// thread of its own.
pub fn trace(samples: &[Sample], cameras: &[String], has_overlap: bool) -> Value {
    let pid = std::process::id();
    let mut events: Vec<Value> = vec![name(pid, 0, "process_name", "bevrt bench")];
    events.extend(
        ROWS.iter()
            .map(|(row, text)| name(pid, *row, "thread_name", text)),
    );
    for (frame, sample) in samples.iter().enumerate() {
        add_frame(&mut events, frame, sample, cameras, has_overlap);
    }
    json!({"displayTimeUnit": "ms", "traceEvents": events})
}

/// Writes the trace of frames.
///
/// # Errors
/// The file cannot be written.
pub fn write_trace(
    path: &Path,
    samples: &[Sample],
    cameras: &[String],
    has_overlap: bool,
) -> Result<(), BenchError> {
    let trace = trace(samples, cameras, has_overlap);
    std::fs::write(path, trace.to_string()).map_err(BenchError::file(path))
}

fn add_frame(
    events: &mut Vec<Value>,
    frame: usize,
    sample: &Sample,
    cameras: &[String],
    has_overlap: bool,
) {
    let pid = std::process::id();
    let arguments = json!({"frame": frame, "mode": sample.mode.name(), "block": sample.block});
    let mut add = |row: u32, name: &str, interval: Interval| {
        events.push(json!({
            "name": name, "cat": sample.mode.name(), "ph": "X", "pid": pid, "tid": row,
            "ts": microseconds(interval.start_ns), "dur": microseconds(interval.length_ns),
            "args": arguments,
        }));
    };
    for (push, camera) in sample.pushes[..sample.cameras].iter().zip(cameras) {
        add(PIPELINE, &format!("image {camera}"), *push);
    }
    // The step of another set lies around its images: a row of its own keeps them apart.
    add(
        if has_overlap { STEPS } else { PIPELINE },
        "step",
        sample.step,
    );
    let length_ns = |stage| u64::try_from(sample.stages.get(stage).nanoseconds()).unwrap_or(0);
    let mut start_ns = sample.step.start_ns;
    for stage in STEP_STAGES {
        if has_overlap && stage == Stage::Decode {
            // The caller took other images and came back: what follows ends with the step.
            let rest: u64 = AFTER_NETWORK.into_iter().map(length_ns).sum();
            start_ns = start_ns.max(sample.step.end_ns().saturating_sub(rest));
        }
        // The stages' clock is read within the step's: they do not reach beyond it.
        let end_ns = (start_ns + length_ns(stage)).min(sample.step.end_ns());
        let row = if has_overlap && stage == Stage::Network {
            NETWORK
        } else {
            PIPELINE
        };
        add(row, stage.name(), Interval::new(start_ns, end_ns));
        start_ns = end_ns;
    }
    if let Some(bare) = sample.bare {
        add(BARE, "bare run", bare);
    }
    events.push(json!({
        "name": "last image due", "cat": sample.mode.name(), "ph": "i", "s": "t", "pid": pid,
        "tid": ARRIVALS, "ts": microseconds(sample.due_ns), "args": arguments,
    }));
}

fn name(pid: u32, row: u32, kind: &str, text: &str) -> Value {
    json!({"name": kind, "ph": "M", "pid": pid, "tid": row, "args": {"name": text}})
}

fn microseconds(nanoseconds: u64) -> f64 {
    1e-3 * nanoseconds as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Mode;
    use crate::sample::tests::sample;

    fn events(samples: &[Sample]) -> Vec<Value> {
        let trace = trace(samples, &["front".into(), "back".into()], false);
        let text = trace.to_string();
        let read: Value = serde_json::from_str(&text).expect("it is JSON");
        read["traceEvents"].as_array().expect("a list").clone()
    }

    #[test]
    fn every_complete_event_has_its_times_and_a_named_row() {
        let samples = [sample(Mode::Paced, 0, 80.0), sample(Mode::FlatOut, 0, 80.0)];
        let events = events(&samples);
        let named: Vec<u64> = events
            .iter()
            .filter(|event| event["ph"] == "M" && event["name"] == "thread_name")
            .filter_map(|event| event["tid"].as_u64())
            .collect();
        let complete: Vec<&Value> = events.iter().filter(|event| event["ph"] == "X").collect();
        // Two images, the step, five stages; flat out a bare run, too.
        assert_eq!(complete.len(), 8 + 9);
        for event in complete {
            assert!(event["ts"].as_f64().is_some_and(|ts| ts >= 0.0), "{event}");
            assert!(
                event["dur"].as_f64().is_some_and(|dur| dur >= 0.0),
                "{event}"
            );
            assert!(event["pid"].as_u64().is_some(), "{event}");
            let row = event["tid"].as_u64().expect("a row");
            assert!(named.contains(&row), "{event}");
        }
    }

    #[test]
    fn a_network_of_its_own_thread_has_its_own_row() {
        let trace = trace(
            &[sample(Mode::FlatOut, 0, 80.0)],
            &["front".into(), "back".into()],
            true,
        );
        let row = |name: &str| {
            let events = trace["traceEvents"].as_array().expect("a list");
            let found = events.iter().find(|event| event["name"] == name);
            found.expect("it is there")["tid"].clone()
        };
        assert_eq!(row("network"), NETWORK);
        assert_eq!(row("step"), STEPS);
        assert_eq!(row("decode"), PIPELINE);
        assert_eq!(row("image front"), PIPELINE);
    }

    #[test]
    fn times_are_microseconds() {
        let events = events(&[sample(Mode::Paced, 0, 80.0)]);
        let step = events.iter().find(|event| event["name"] == "step");
        let step = step.expect("there is one");
        assert_eq!(step["ts"].as_f64(), Some(12_000.0));
        assert_eq!(step["dur"].as_f64(), Some(80_000.0));
    }
}
