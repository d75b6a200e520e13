//! A result that was written before, frame by frame, with pictures and ground truth of its drive
//! where there is one.

use crate::failure::Failure;
use bevrt_calibration::Rig;
use bevrt_hil::FrameTruth;
use bevrt_hil::logs::{LogReader, ResultEvent, ResultLog, TOPIC_FRAME};
use bevrt_hil::replay::{ReplayError, VisitorError};
use bevrt_hil::source::{DriveEvent, DriveSource, LogDrive, LogDriveOptions, SourceError};
use bevrt_runtime::{EgoMotionSource, OutputFrame, Stamp};
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Schema of pictures in our own logs.
const PICTURES: &str = "foxglove.CompressedImage";
/// Ground truths that are kept until the frame of their stamp comes.
const TRUTHS_KEPT: usize = 8;

/// Who looks at a drive as it goes on.
pub trait DriveWatcher {
    /// Takes what comes in.
    ///
    /// # Errors
    /// Ends the drive.
    fn take(&mut self, event: &DriveEvent<'_>) -> Result<(), VisitorError>;

    /// Takes what comes out, with milliseconds by stage.
    ///
    /// # Errors
    /// Ends the drive.
    fn keep(
        &mut self,
        frame: &OutputFrame,
        truth: Option<&FrameTruth>,
        latency_ms: Vec<(String, f64)>,
    ) -> Result<(), VisitorError>;
}

/// Whether a log holds output frames, so that it is a result.
pub fn is_result(log: &Path) -> bool {
    LogReader::open(log).is_ok_and(|reader| {
        let mut topics = reader.topics().into_iter();
        topics.any(|topic| topic.topic == TOPIC_FRAME)
    })
}

/// A result of `bevrt replay`, and the drive beside it.
pub struct ResultDrive {
    result: ResultLog,
    /// Where the pictures and the ground truth are.
    source: Option<PathBuf>,
    rig: Option<Rig>,
}

impl ResultDrive {
    /// Opens a result. Pictures and truth are those of `drive`, else of the result itself.
    ///
    /// # Errors
    /// One of the logs is damaged, or lacks what it must have.
    pub fn open(result: &Path, drive: Option<&Path>) -> Result<Self, Failure> {
        let topics = LogReader::open(result)?.topics();
        let has_pictures = topics.iter().any(|topic| topic.schema == PICTURES);
        let source = drive.or(has_pictures.then_some(result));
        let open = |log| LogDrive::open(log, LogDriveOptions::default());
        let rig = source.map(open).transpose()?;
        Ok(Self {
            result: ResultLog::open(result)?,
            source: source.map(Path::to_owned),
            rig: rig.map(|drive| drive.rig().clone()),
        })
    }

    /// The cameras whose pictures there are.
    pub fn rig(&self) -> Option<&Rig> {
        self.rig.as_ref()
    }

    /// What kind of ego motion it holds, where it holds one.
    pub fn ego_motion(&self) -> Option<EgoMotionSource> {
        self.result.ego_motion()
    }

    /// Stamp of the first frame and log time of the end; `None` without frames.
    ///
    /// # Errors
    /// The log is damaged where it begins.
    pub fn times(&self) -> Result<Option<(Stamp, Stamp)>, Failure> {
        Ok(self.result.times()?)
    }

    /// Shows everything from a log time on.
    ///
    /// # Errors
    /// One of the logs is damaged, or the watcher gives up.
    pub fn play(&mut self, from: Stamp, watcher: &mut dyn DriveWatcher) -> Result<(), ReplayError> {
        self.result.seek(from).map_err(SourceError::from)?;
        let mut surroundings = Surroundings::open(self.source.as_deref(), from)?;
        let mut waiting: Option<Box<OutputFrame>> = None;
        let mut keep = |frame: Box<OutputFrame>, latency_ms, watcher: &mut dyn DriveWatcher| {
            surroundings.advance(Stamp::from_nanoseconds(frame.now_ns), watcher)?;
            let truth = surroundings.truth_at(frame.stamp_ns);
            watcher
                .keep(&frame, truth, latency_ms)
                .map_err(ReplayError::Visitor)
        };
        // The times of a frame come after it.
        while let Some(event) = self.result.next_event().map_err(SourceError::from)? {
            let motion = match event {
                ResultEvent::Frame(frame) => {
                    if let Some(before) = waiting.replace(frame) {
                        keep(before, Vec::new(), watcher)?;
                    }
                    continue;
                }
                ResultEvent::Statistics(record) => {
                    if let Some(frame) = waiting.take() {
                        keep(frame, stage_times(&record), watcher)?;
                    }
                    continue;
                }
                ResultEvent::VehicleMotion(record) => {
                    let stamp = Stamp::from_nanoseconds(record.stamp_ns);
                    DriveEvent::VehicleMotion {
                        stamp,
                        arrival: stamp,
                        speed_mps: record.speed_mps,
                        yaw_rate_radps: record.yaw_rate_radps,
                    }
                }
                ResultEvent::Pose {
                    stamp,
                    odom_from_ego,
                } => DriveEvent::Pose {
                    stamp,
                    arrival: stamp,
                    odom_from_ego,
                },
            };
            watcher.take(&motion).map_err(ReplayError::Visitor)?;
        }
        match waiting {
            Some(frame) => keep(frame, Vec::new(), watcher),
            None => Ok(()),
        }
    }
}

/// The drive beside its result.
struct Surroundings {
    drive: Option<LogDrive>,
    truths: VecDeque<FrameTruth>,
}

impl Surroundings {
    fn open(log: Option<&Path>, from: Stamp) -> Result<Self, ReplayError> {
        let open = |log: &Path| {
            let times = LogReader::open(log).ok().and_then(|log| log.log_times_ns());
            let from_s = times.map(|(first, _)| (from.nanoseconds() as f64 - first as f64) * 1e-9);
            let options = LogDriveOptions {
                from_s,
                ..LogDriveOptions::default()
            };
            LogDrive::open(log, options)
        };
        Ok(Self {
            drive: log.map(open).transpose()?,
            truths: VecDeque::new(),
        })
    }

    /// Takes in what had come by `now`; motion is told by the result itself.
    fn advance(&mut self, now: Stamp, watcher: &mut dyn DriveWatcher) -> Result<(), ReplayError> {
        let Some(drive) = &mut self.drive else {
            return Ok(());
        };
        while let Some(event) = drive.next_event()? {
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
                    watcher.take(&event).map_err(ReplayError::Visitor)?;
                    continue;
                }
            };
            if matches!(event, DriveEvent::Image(_)) {
                watcher.take(&event).map_err(ReplayError::Visitor)?;
            }
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
