//! Results that were written before, with pictures and ground truth of their drive where it is given.

use super::recorded::{DriveRecorder, RecordedDrive};
use crate::failure::Failure;
use crate::progress::DriveBar;
use crate::replay::length_of_log_s;
use bevrt_hil::FrameTruth;
use bevrt_hil::logs::{LogReader, TOPIC_FRAME, TOPIC_STATISTICS};
use bevrt_hil::source::{DriveEvent, DriveSource, LogDrive, LogDriveOptions};
use bevrt_runtime::{OutputFrame, Stamp};
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::path::Path;

/// Schema of pictures in our own logs.
const PICTURES: &str = "foxglove.CompressedImage";
/// Ground truths that are kept until the frame of their stamp comes.
const TRUTHS_KEPT: usize = 8;

/// Reads a result. Pictures and truth are those of `drive`, else of the result itself.
pub fn read(result: &Path, drive: Option<&Path>) -> Result<RecordedDrive, Failure> {
    let reader = LogReader::open(result)?;
    let topics = reader.topics();
    let has_pictures = topics.iter().any(|topic| topic.schema == PICTURES);
    let source = drive.or(has_pictures.then_some(result));
    let open = |log| LogDrive::open(log, LogDriveOptions::default());
    let drive = source.map(open).transpose()?;
    let cameras = drive.as_ref().map(|drive| drive.rig().cameras().to_vec());
    let bar = DriveBar::new("reading", length_of_log_s(result));
    let name = result.display().to_string();
    let mut recorder = DriveRecorder::new(name, cameras.unwrap_or_default(), bar);
    let mut surroundings = Surroundings {
        drive,
        truths: VecDeque::new(),
    };

    let mut messages =
        reader.messages(|topic| topic.topic == TOPIC_FRAME || topic.topic == TOPIC_STATISTICS)?;
    let mut waiting: Option<Box<OutputFrame>> = None;
    let mut keep = |frame: Box<OutputFrame>, latency_ms| -> Result<(), Failure> {
        surroundings.advance(Stamp::from_nanoseconds(frame.now_ns), &mut recorder)?;
        recorder.keep(&frame, surroundings.truth_at(frame.stamp_ns), latency_ms);
        Ok(())
    };
    // The times of a frame come after it.
    while let Some(message) = messages.next_message()? {
        if message.topic == TOPIC_FRAME {
            let frame = OutputFrame::boxed_from_frame_bytes(message.data)?;
            if let Some(before) = waiting.replace(frame) {
                keep(before, Vec::new())?;
            }
        } else if let Some(frame) = waiting.take() {
            keep(frame, stage_times(&serde_json::from_slice(message.data)?))?;
        }
    }
    if let Some(frame) = waiting {
        keep(frame, Vec::new())?;
    }
    Ok(recorder.finish())
}

/// The drive beside its result.
struct Surroundings {
    drive: Option<LogDrive>,
    truths: VecDeque<FrameTruth>,
}

impl Surroundings {
    /// Takes in what had come by `now`.
    fn advance(&mut self, now: Stamp, recorder: &mut DriveRecorder) -> Result<(), Failure> {
        let Some(drive) = &mut self.drive else {
            return Ok(());
        };
        while let Some(event) = drive.next_event()? {
            recorder
                .take(&event)
                .map_err(|error| Failure::new(error.to_string()))?;
            let arrival = match &event {
                DriveEvent::Image(image) => image.arrival,
                DriveEvent::VehicleMotion { arrival, .. } | DriveEvent::Pose { arrival, .. } => {
                    *arrival
                }
                DriveEvent::Truth(truth) => {
                    if self.truths.len() == TRUTHS_KEPT {
                        self.truths.pop_front();
                    }
                    self.truths.push_back((*truth).clone());
                    continue;
                }
            };
            if arrival > now {
                break;
            }
        }
        Ok(())
    }

    fn truth_at(&self, stamp_ns: i64) -> Option<&FrameTruth> {
        self.truths.iter().find(|truth| truth.stamp_ns == stamp_ns)
    }
}

/// Stages as the player names them, from the record that goes with a frame.
fn stage_times(record: &Map<String, Value>) -> Vec<(String, f64)> {
    let stages = record.iter().filter_map(|(name, value)| {
        let stage = name.strip_suffix("_ms")?;
        let stage = if stage == "publish" { "other" } else { stage };
        Some((stage.to_owned(), value.as_f64()?))
    });
    stages.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevrt_runtime::Stage;

    #[test]
    fn the_stages_of_a_record_are_those_of_the_player() {
        let record = Stage::ALL.map(|stage| (format!("{}_ms", stage.name()), 1.5.into()));
        let times = stage_times(&record.into_iter().collect());
        for name in [
            "preprocess",
            "align",
            "network",
            "decode",
            "track",
            "other",
            "total",
        ] {
            assert!(times.contains(&(name.to_owned(), 1.5)), "{name}: {times:?}");
        }
    }
}
