//! Reading results back: output frames, with the ego motion that they rest on.

use std::path::Path;

use bevrt_calibration::{Ego, Odom, Pose};
use bevrt_runtime::{EgoMotionSource, OutputFrame, Stamp};
use foxglove::Decode;
use foxglove::messages::PoseInFrame;
use serde_json::{Map, Value};

use super::convert::{nanoseconds, pose_of};
use super::reader::{LogMessage, LogMessages, LogReader};
use super::{
    LogError, TOPIC_FRAME, TOPIC_POSE, TOPIC_STATISTICS, TOPIC_VEHICLE_MOTION, VehicleMotionRecord,
};

/// What a result log tells.
#[derive(Clone, Debug)]
pub enum ResultEvent {
    /// A frame came out.
    Frame(Box<OutputFrame>),
    /// Speed and yaw rate went in.
    VehicleMotion(VehicleMotionRecord),
    /// Measured times of the frame before.
    Statistics(Map<String, Value>),
    /// A pose went in.
    Pose {
        /// When it was true.
        stamp: Stamp,
        /// Pose of the vehicle in an odometry frame.
        odom_from_ego: Pose<Odom, Ego>,
    },
}

/// A log with output frames, as `bevrt replay` writes them.
pub struct ResultLog {
    reader: LogReader,
    messages: LogMessages,
    frames: u64,
    ego_motion: Option<EgoMotionSource>,
}

impl ResultLog {
    /// Opens a log and finds its frames.
    ///
    /// # Errors
    /// The log is damaged or has no output frames.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LogError> {
        let reader = LogReader::open(path)?;
        let topics = reader.topics();
        let has = |name: &str| topics.iter().any(|topic| topic.topic == name);
        let Some(frames) = topics.iter().find(|topic| topic.topic == TOPIC_FRAME) else {
            let expected = format!("output frames on {TOPIC_FRAME}, as `bevrt replay` writes them");
            let found: Vec<&str> = topics.iter().map(|topic| topic.topic.as_str()).collect();
            let found = format!("topics {}", found.join(", "));
            return Err(LogError::new(reader.path(), expected, found));
        };
        let ego_motion = if has(TOPIC_VEHICLE_MOTION) {
            Some(EgoMotionSource::Rates)
        } else {
            has(TOPIC_POSE).then_some(EgoMotionSource::Poses)
        };
        Ok(Self {
            frames: frames.messages,
            messages: messages_from(&reader, ego_motion, 0)?,
            ego_motion,
            reader,
        })
    }

    /// Goes to a log time: the next event is the first one from there on.
    ///
    /// # Errors
    /// The log cannot be opened once more.
    pub fn seek(&mut self, from: Stamp) -> Result<(), LogError> {
        let from_ns = u64::try_from(from.nanoseconds()).unwrap_or(0);
        self.messages = messages_from(&self.reader, self.ego_motion, from_ns)?;
        Ok(())
    }

    /// Stamp of the first frame and log time of the end; `None` without frames.
    ///
    /// # Errors
    /// The log is damaged where it begins, or its frames are of another version of the runtime.
    pub fn times(&self) -> Result<Option<(Stamp, Stamp)>, LogError> {
        let mut frames = self.reader.messages(|topic| topic.topic == TOPIC_FRAME)?;
        let Some(message) = frames.next_message()? else {
            return Ok(None);
        };
        let path = self.reader.path();
        let first = OutputFrame::boxed_from_frame_bytes(message.data)
            .map_err(|source| at(path, &message, "an output frame of this version", source))?;
        let last_ns = self.reader.log_times_ns().map_or(0, |(_, last_ns)| last_ns);
        let last = Stamp::from_nanoseconds(i64::try_from(last_ns).unwrap_or(i64::MAX));
        Ok(Some((Stamp::from_nanoseconds(first.stamp_ns), last)))
    }

    /// How many frames it holds, by its index.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// What kind of ego motion it holds, where it holds one.
    pub fn ego_motion(&self) -> Option<EgoMotionSource> {
        self.ego_motion
    }

    /// The next event in the order of arrival; `None` at the end.
    ///
    /// # Errors
    /// The log is damaged, or a frame is of another version of the runtime.
    pub fn next_event(&mut self) -> Result<Option<ResultEvent>, LogError> {
        let Some(message) = self.messages.next_message()? else {
            return Ok(None);
        };
        let path = self.reader.path();
        match message.topic {
            TOPIC_FRAME => OutputFrame::boxed_from_frame_bytes(message.data)
                .map(ResultEvent::Frame)
                .map_err(|source| at(path, &message, "an output frame of this version", source)),
            TOPIC_VEHICLE_MOTION => serde_json::from_slice(message.data)
                .map(ResultEvent::VehicleMotion)
                .map_err(|source| at(path, &message, "speed and yaw rate", source)),
            TOPIC_STATISTICS => serde_json::from_slice(message.data)
                .map(ResultEvent::Statistics)
                .map_err(|source| at(path, &message, "measured times", source)),
            _ => pose(path, &message),
        }
        .map(Some)
    }
}

/// Frames, their times and the motion that they rest on.
fn messages_from(
    reader: &LogReader,
    ego_motion: Option<EgoMotionSource>,
    from_ns: u64,
) -> Result<LogMessages, LogError> {
    let motion = match ego_motion {
        Some(EgoMotionSource::Rates) => TOPIC_VEHICLE_MOTION,
        Some(EgoMotionSource::Poses) | None => TOPIC_POSE,
    };
    let wanted = [TOPIC_FRAME, TOPIC_STATISTICS, motion];
    reader.messages_between((from_ns, u64::MAX), |topic| {
        wanted.contains(&topic.topic.as_str())
    })
}

fn pose(path: &Path, message: &LogMessage<'_>) -> Result<ResultEvent, LogError> {
    let read = PoseInFrame::decode(message.data)
        .map_err(|source| at(path, message, "a foxglove.PoseInFrame", source))?;
    let pose = read.pose.unwrap_or_default();
    let isometry = pose_of(pose.position.as_ref(), pose.orientation.as_ref()).ok_or_else(|| {
        LogError::new(path, "a rigid pose of the vehicle", "none")
            .on_topic(message.topic)
            .at(message.log_time_ns)
    })?;
    let arrival_ns = i64::try_from(message.log_time_ns).unwrap_or(i64::MAX);
    let stamp_ns = nanoseconds(read.timestamp.as_ref()).unwrap_or(arrival_ns);
    Ok(ResultEvent::Pose {
        stamp: Stamp::from_nanoseconds(stamp_ns),
        odom_from_ego: Pose::from_isometry(isometry),
    })
}

fn at(
    path: &Path,
    message: &LogMessage<'_>,
    expected: &str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> LogError {
    LogError::caused_by(path, expected, source)
        .on_topic(message.topic)
        .at(message.log_time_ns)
}
