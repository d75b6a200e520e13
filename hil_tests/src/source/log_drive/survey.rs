//! What a log tells about its cameras and its motion before the drive is read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use bevrt_calibration::{Camera, Pose, Rig};
use bevrt_runtime::EgoMotionSource;
use foxglove::messages::CameraCalibration;
use nalgebra::Isometry3;

use super::messages::{Messages, StreamMessages, Window};
use super::{
    CALIBRATION, IMAGE, LogDriveOptions, POSE, SourceError, TRANSFORM, TRANSFORMS, decode,
    is_vehicle, isometry_of, ros, transforms,
};
use crate::logs::ros::schema;
use crate::logs::{
    LogError, LogMessage, LogReader, LogStream, ReadCalibration, TOPIC_VEHICLE_MOTION,
};

/// Names that the reference camera goes by, in any case; else it is the first.
const REFERENCES: [&str; 2] = ["front", "cam_front"];
/// Of a log without an index, this much is read to find its cameras: from the first message on, and
/// as long as there is room for it in memory.
const SURVEY_NS: u64 = 2_000_000_000;
const SURVEY_BYTES: usize = 512 << 20;

/// A topic of ROS with the vehicle's motion.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MotionTopic {
    /// The better one first.
    rank: u8,
    pub(super) topic: String,
}

impl MotionTopic {
    fn of(topic: &str, schema: &str) -> Option<Self> {
        let rank = match schema {
            schema::ODOMETRY => 0,
            schema::TWIST_STAMPED => 1,
            schema::TWIST => 2,
            _ => return None,
        };
        let topic = topic.to_owned();
        Some(Self { rank, topic })
    }

    fn is_odometry(&self) -> bool {
        self.rank == 0
    }
}

/// What the log tells about cameras and motion.
pub(super) struct Survey {
    /// In the order of the log.
    calibrations: Vec<CameraCalibration>,
    mounts: BTreeMap<String, Isometry3<f64>>,
    topics: BTreeSet<(String, String)>,
    has_transforms_of_vehicle: bool,
}

/// Which motion there is.
pub(super) struct Motion {
    has_our_rates: bool,
    pub(super) has_transforms: bool,
    has_poses: bool,
    ros: Option<MotionTopic>,
}

impl Survey {
    fn new(topics: BTreeSet<(String, String)>) -> Self {
        Self {
            calibrations: Vec::new(),
            mounts: BTreeMap::new(),
            topics,
            has_transforms_of_vehicle: false,
        }
    }

    /// Of a log with its index: until everything has been seen once.
    pub(super) fn of_reader(reader: &LogReader) -> Result<Self, LogError> {
        let topics = reader.topics();
        let cameras = topics
            .iter()
            .filter(|topic| is_calibration(&topic.schema))
            .count();
        let names = topics.into_iter().map(|topic| (topic.topic, topic.schema));
        let mut survey = Self::new(names.collect());
        let mut messages = reader.messages(|topic| tells(&topic.schema))?;
        while let Some(message) = messages.next_message()? {
            survey.add(reader.path(), &message)?;
            if survey.is_complete(cameras) {
                break;
            }
        }
        Ok(survey)
    }

    /// Of a log that is read as it comes: its first seconds, which are kept.
    pub(super) fn of_stream(
        mut stream: LogStream,
        options: &LogDriveOptions,
        remark: Option<String>,
    ) -> Result<(Self, Messages), LogError> {
        let mut survey = Self::new(BTreeSet::new());
        let mut kept = VecDeque::new();
        let (mut first_ns, mut bytes) = (None, 0);
        while let Some(message) = stream.next_owned()? {
            bytes += message.len();
            let Some(view) = stream.view(&message) else {
                continue;
            };
            let log_time_ns = view.log_time_ns;
            let begin_ns = *first_ns.get_or_insert(log_time_ns);
            survey
                .topics
                .insert((view.topic.to_owned(), view.schema.to_owned()));
            if tells(view.schema) {
                survey.add(stream.name(), &view)?;
            }
            kept.push_back(message);
            if log_time_ns.saturating_sub(begin_ns) > SURVEY_NS || bytes > SURVEY_BYTES {
                break;
            }
        }
        let messages = StreamMessages {
            window: Window::new(options, first_ns),
            stream,
            kept,
            remark,
            current: None,
        };
        Ok((survey, Messages::Stream(Box::new(messages))))
    }

    fn add(&mut self, path: &Path, message: &LogMessage<'_>) -> Result<(), LogError> {
        match message.schema {
            CALIBRATION => self.add_calibration(decode(path, message)?),
            schema::CAMERA_INFO => {
                self.add_calibration(ros(path, message, crate::logs::ros::camera_info)?);
            }
            _ => {
                for transform in transforms(path, message)? {
                    if is_vehicle(&transform.child_frame_id) {
                        self.has_transforms_of_vehicle = true;
                    } else if is_vehicle(&transform.parent_frame_id)
                        && let Some(isometry) = isometry_of(&transform)
                    {
                        self.mounts
                            .entry(transform.child_frame_id)
                            .or_insert(isometry);
                    }
                }
            }
        }
        Ok(())
    }

    fn add_calibration(&mut self, calibration: CameraCalibration) {
        if !self
            .calibrations
            .iter()
            .any(|known| known.frame_id == calibration.frame_id)
        {
            self.calibrations.push(calibration);
        }
    }

    /// Everything that is used has been seen once; later changes are not looked for.
    fn is_complete(&self, cameras: usize) -> bool {
        self.calibrations.len() >= cameras
            && self.has_transforms_of_vehicle
            && self
                .calibrations
                .iter()
                .all(|c| self.mounts.contains_key(&c.frame_id))
    }

    /// The cameras, by their calibrations and mounts.
    pub(super) fn rig(&self, path: &Path) -> Result<Rig, SourceError> {
        let has_images = self.topics.iter().any(|(_, schema)| is_image(schema));
        if !has_images || self.calibrations.is_empty() {
            let expected = format!("cameras: {IMAGE} and {CALIBRATION}, or those of ROS 2");
            let found: Vec<&str> = self.topics.iter().map(|(name, _)| name.as_str()).collect();
            let found = format!("topics {}", found.join(", "));
            return Err(LogError::new(path, expected, found).into());
        }
        let mut cameras = Vec::new();
        for message in &self.calibrations {
            let name = &message.frame_id;
            let mount = self.mounts.get(name).ok_or_else(|| {
                let expected = format!("a transform of {name:?} in \"ego\" or \"base_link\"");
                LogError::new(path, expected, "none")
            })?;
            let read = ReadCalibration::try_from(message).map_err(|error| error.in_file(path))?;
            cameras.push(Camera {
                name: name.clone(),
                intrinsics: read.intrinsics,
                ego_from_cam: Pose::from_isometry(*mount),
            });
        }
        let is_reference = |camera: &Camera| {
            let name = camera.name.to_ascii_lowercase();
            REFERENCES.contains(&name.as_str())
        };
        let reference = cameras.iter().position(is_reference).unwrap_or(0);
        Rig::new(cameras, reference).map_err(|error| error.in_file(path).into())
    }

    /// Which motion there is.
    pub(super) fn motion(&self) -> Motion {
        let topics = self.topics.iter();
        let of_ros = topics.filter_map(|(topic, schema)| MotionTopic::of(topic, schema));
        Motion {
            has_our_rates: self.topics.iter().any(|(t, _)| t == TOPIC_VEHICLE_MOTION),
            has_transforms: self.has_transforms_of_vehicle,
            has_poses: self.topics.iter().any(|(_, schema)| schema == POSE),
            ros: of_ros.min(),
        }
    }
}

impl Motion {
    /// The topic of ROS that is used, if any.
    pub(super) fn topic(&self) -> Option<&MotionTopic> {
        self.ros.as_ref()
    }

    /// What is used: what was asked for, or our own speed and yaw rate, poses, those of ROS.
    pub(super) fn choose(
        &self,
        path: &Path,
        wanted: Option<EgoMotionSource>,
    ) -> Result<EgoMotionSource, LogError> {
        let has_odometry = self.ros.as_ref().is_some_and(MotionTopic::is_odometry);
        let has_rates = self.has_our_rates || self.ros.is_some();
        let has_poses = self.has_transforms || self.has_poses || has_odometry;
        let chosen = match wanted {
            Some(wanted) => wanted,
            None if self.has_our_rates || !has_poses => EgoMotionSource::Rates,
            None => EgoMotionSource::Poses,
        };
        let is_there = match chosen {
            EgoMotionSource::Rates => has_rates,
            EgoMotionSource::Poses => has_poses,
        };
        if is_there {
            return Ok(chosen);
        }
        let expected = format!(
            "ego motion: {TOPIC_VEHICLE_MOTION}, transforms, poses, or odometry or twists of ROS 2"
        );
        Err(LogError::new(
            path,
            expected,
            "none of the kind that is wanted",
        ))
    }
}

fn is_calibration(schema: &str) -> bool {
    matches!(schema, CALIBRATION | schema::CAMERA_INFO)
}

fn is_image(schema: &str) -> bool {
    matches!(schema, IMAGE | schema::COMPRESSED_IMAGE | schema::IMAGE)
}

/// Whether messages of a schema tell of cameras or transforms.
fn tells(schema: &str) -> bool {
    is_calibration(schema) || matches!(schema, TRANSFORM | TRANSFORMS | schema::TRANSFORMS)
}
