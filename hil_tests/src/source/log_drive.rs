//! A drive from a log: ours, or any with Foxglove's schemas for cameras and transforms.

use std::collections::BTreeMap;
use std::path::Path;

use bevrt_calibration::{Camera, Ego, Odom, Pose, Rig};
use bevrt_runtime::{EgoMotionSource, ImageView, PixelFormat, Stamp};
use foxglove::Decode;
use foxglove::messages::{
    CameraCalibration, CompressedImage, FrameTransform, FrameTransforms, PoseInFrame,
};
use nalgebra::Isometry3;

use super::{DriveEvent, DriveSource, ImageEvent, SourceError};
use crate::logs::{
    EGO_FRAME, JpegDecoder, LogError, LogMessage, LogMessages, LogReader, LogTopic,
    ReadCalibration, TOPIC_TRUTH, TOPIC_VEHICLE_MOTION, VehicleMotionRecord, nanoseconds, pose_of,
};
use crate::truth::FrameTruth;

const IMAGE: &str = "foxglove.CompressedImage";
const CALIBRATION: &str = "foxglove.CameraCalibration";
const TRANSFORM: &str = "foxglove.FrameTransform";
const TRANSFORMS: &str = "foxglove.FrameTransforms";
const POSE: &str = "foxglove.PoseInFrame";
/// Names that the vehicle's frame goes by.
const VEHICLE_FRAMES: [&str; 2] = [EGO_FRAME, "base_link"];
/// Names that the reference camera goes by, else it is the first.
const REFERENCES: [&str; 2] = ["front", "CAM_FRONT"];

/// How a log is read.
#[derive(Clone, Debug, Default)]
pub struct LogDriveOptions {
    /// Calibration instead of the log's; cameras are found by name.
    pub rig: Option<Rig>,
    /// Which ego motion is used; `None` takes speed and yaw rate where they are, else poses.
    pub ego_motion: Option<EgoMotionSource>,
}

/// A drive from a log.
pub struct LogDrive {
    rig: Rig,
    ego_motion: EgoMotionSource,
    has_transforms_of_vehicle: bool,
    reader: LogReader,
    messages: LogMessages,
    decoders: Vec<JpegDecoder>,
    truth: FrameTruth,
}

/// What a message turned out to be; what is large lies in the drive.
enum Read {
    Nothing,
    Image {
        camera: usize,
        stamp: Stamp,
        arrival: Stamp,
    },
    VehicleMotion {
        arrival: Stamp,
        record: VehicleMotionRecord,
    },
    Pose {
        stamp: Stamp,
        arrival: Stamp,
        odom_from_ego: Pose<Odom, Ego>,
    },
    Truth,
}

impl LogDrive {
    /// Opens a log and finds its cameras.
    ///
    /// # Errors
    /// The log is damaged, or has no camera with images, calibration and mounting pose, or no ego
    /// motion of the kind that was asked for.
    pub fn open(path: impl AsRef<Path>, options: LogDriveOptions) -> Result<Self, SourceError> {
        let reader = LogReader::open(path)?;
        let topics = reader.topics();
        let survey = Survey::of(&reader, &topics)?;
        let rig = match options.rig {
            Some(rig) => rig,
            None => survey.rig(&reader, &topics)?,
        };
        let has_rates = topics
            .iter()
            .any(|topic| topic.topic == TOPIC_VEHICLE_MOTION);
        let has_poses =
            survey.has_transforms_of_vehicle || topics.iter().any(|topic| topic.schema == POSE);
        let ego_motion = match options.ego_motion {
            Some(wanted) => wanted,
            None if has_rates => EgoMotionSource::Rates,
            None => EgoMotionSource::Poses,
        };
        let is_there = match ego_motion {
            EgoMotionSource::Rates => has_rates,
            EgoMotionSource::Poses => has_poses,
        };
        if !is_there {
            let found = "neither of the kind that is wanted";
            let expected = format!("ego motion: {TOPIC_VEHICLE_MOTION}, transforms or poses");
            return Err(LogError::new(reader.path(), expected, found).into());
        }
        let messages = reader.messages(|topic| {
            matches!(topic.schema.as_str(), IMAGE | TRANSFORM | TRANSFORMS | POSE)
                || topic.topic == TOPIC_VEHICLE_MOTION
                || topic.topic == TOPIC_TRUTH
        })?;
        Ok(Self {
            decoders: rig
                .cameras()
                .iter()
                .map(|_| JpegDecoder::default())
                .collect(),
            has_transforms_of_vehicle: survey.has_transforms_of_vehicle,
            rig,
            ego_motion,
            messages,
            reader,
            truth: FrameTruth::default(),
        })
    }

    /// The log.
    pub fn reader(&self) -> &LogReader {
        &self.reader
    }
}

impl DriveSource for LogDrive {
    fn rig(&self) -> &Rig {
        &self.rig
    }

    fn ego_motion(&self) -> EgoMotionSource {
        self.ego_motion
    }

    fn next_event(&mut self) -> Result<Option<DriveEvent<'_>>, SourceError> {
        loop {
            let Some(message) = self.messages.next_message()? else {
                return Ok(None);
            };
            let mut interpreter = Interpreter {
                path: self.reader.path(),
                rig: &self.rig,
                ego_motion: self.ego_motion,
                has_transforms_of_vehicle: self.has_transforms_of_vehicle,
                decoders: &mut self.decoders,
                truth: &mut self.truth,
            };
            match interpreter.read(&message)? {
                Read::Nothing => {}
                Read::Truth => return Ok(Some(DriveEvent::Truth(&self.truth))),
                Read::VehicleMotion { arrival, record } => {
                    return Ok(Some(DriveEvent::VehicleMotion {
                        stamp: Stamp::from_nanoseconds(record.stamp_ns),
                        arrival,
                        speed_mps: record.speed_mps,
                        yaw_rate_radps: record.yaw_rate_radps,
                    }));
                }
                Read::Pose {
                    stamp,
                    arrival,
                    odom_from_ego,
                } => {
                    return Ok(Some(DriveEvent::Pose {
                        stamp,
                        arrival,
                        odom_from_ego,
                    }));
                }
                Read::Image {
                    camera,
                    stamp,
                    arrival,
                } => {
                    let picture = self.decoders[camera].picture();
                    let (width, height) = (picture.width, picture.height);
                    let image = ImageView::packed(PixelFormat::Rgb, width, height, &picture.bytes)
                        .map_err(|problem| SourceError::Image {
                            camera: self.rig.cameras()[camera].name.clone(),
                            problem,
                        })?;
                    let rgb = &picture.bytes;
                    let event = ImageEvent {
                        camera,
                        stamp,
                        arrival,
                        image,
                        rgb,
                    };
                    return Ok(Some(DriveEvent::Image(event)));
                }
            }
        }
    }
}

/// Turns messages into events.
struct Interpreter<'a> {
    path: &'a Path,
    rig: &'a Rig,
    ego_motion: EgoMotionSource,
    has_transforms_of_vehicle: bool,
    decoders: &'a mut [JpegDecoder],
    truth: &'a mut FrameTruth,
}

impl Interpreter<'_> {
    fn read(&mut self, message: &LogMessage<'_>) -> Result<Read, LogError> {
        let arrival = arrival(message);
        match (message.topic, message.schema) {
            (TOPIC_TRUTH, _) => {
                *self.truth = json(self.path, message)?;
                Ok(Read::Truth)
            }
            (TOPIC_VEHICLE_MOTION, _) if self.ego_motion == EgoMotionSource::Rates => {
                Ok(Read::VehicleMotion {
                    arrival,
                    record: json(self.path, message)?,
                })
            }
            (_, IMAGE) => self.image(message, arrival),
            (_, TRANSFORM | TRANSFORMS | POSE) if self.ego_motion == EgoMotionSource::Poses => {
                self.pose(message, arrival)
            }
            _ => Ok(Read::Nothing),
        }
    }

    fn image(&mut self, message: &LogMessage<'_>, arrival: Stamp) -> Result<Read, LogError> {
        let image: CompressedImage = decode(self.path, message)?;
        let Some(camera) = self.rig.index_of(&image.frame_id) else {
            return Ok(Read::Nothing);
        };
        if !matches!(image.format.as_str(), "jpeg" | "jpg") {
            let found = format!("{:?}", image.format);
            return Err(wrong(
                self.path,
                message,
                "images in format \"jpeg\"",
                found,
            ));
        }
        self.decoders[camera]
            .decode(&image.data)
            .map_err(|source| {
                LogError::caused_by(self.path, "a JPEG picture", source)
                    .on_topic(message.topic)
                    .at(message.log_time_ns)
            })?;
        let stamp = nanoseconds(image.timestamp.as_ref()).map_or(arrival, Stamp::from_nanoseconds);
        Ok(Read::Image {
            camera,
            stamp,
            arrival,
        })
    }

    /// A pose of the vehicle: from its transform, or from pose messages where there is none.
    fn pose(&self, message: &LogMessage<'_>, arrival: Stamp) -> Result<Read, LogError> {
        let found = if message.schema == POSE {
            if self.has_transforms_of_vehicle {
                return Ok(Read::Nothing);
            }
            let message: PoseInFrame = decode(self.path, message)?;
            let pose = message.pose.unwrap_or_default();
            let isometry = pose_of(pose.position.as_ref(), pose.orientation.as_ref());
            Some((isometry, message.timestamp))
        } else {
            transforms(self.path, message)?
                .into_iter()
                .find(|transform| is_vehicle(&transform.child_frame_id))
                .map(|transform| (isometry_of(&transform), transform.timestamp))
        };
        let Some((isometry, timestamp)) = found else {
            return Ok(Read::Nothing);
        };
        let isometry = isometry.ok_or_else(|| {
            wrong(
                self.path,
                message,
                "a rigid pose of the vehicle",
                "none".to_owned(),
            )
        })?;
        let stamp = nanoseconds(timestamp.as_ref()).map_or(arrival, Stamp::from_nanoseconds);
        Ok(Read::Pose {
            stamp,
            arrival,
            odom_from_ego: Pose::from_isometry(isometry),
        })
    }
}

/// What the log tells about cameras before the drive is read.
struct Survey {
    /// In the order of the log.
    calibrations: Vec<CameraCalibration>,
    mounts: BTreeMap<String, Isometry3<f64>>,
    has_transforms_of_vehicle: bool,
}

impl Survey {
    fn of(reader: &LogReader, topics: &[LogTopic]) -> Result<Self, LogError> {
        let cameras = topics
            .iter()
            .filter(|topic| topic.schema == CALIBRATION)
            .count();
        let mut survey = Self {
            calibrations: Vec::new(),
            mounts: BTreeMap::new(),
            has_transforms_of_vehicle: false,
        };
        let mut messages = reader.messages(|topic| {
            matches!(topic.schema.as_str(), CALIBRATION | TRANSFORM | TRANSFORMS)
        })?;
        while let Some(message) = messages.next_message()? {
            if message.schema == CALIBRATION {
                survey.add_calibration(decode(reader.path(), &message)?);
                continue;
            }
            for transform in transforms(reader.path(), &message)? {
                if is_vehicle(&transform.child_frame_id) {
                    survey.has_transforms_of_vehicle = true;
                } else if is_vehicle(&transform.parent_frame_id)
                    && let Some(isometry) = isometry_of(&transform)
                {
                    survey
                        .mounts
                        .entry(transform.child_frame_id)
                        .or_insert(isometry);
                }
            }
            if survey.is_complete(cameras) {
                break;
            }
        }
        Ok(survey)
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

    fn rig(&self, reader: &LogReader, topics: &[LogTopic]) -> Result<Rig, SourceError> {
        let has_images = topics.iter().any(|topic| topic.schema == IMAGE);
        if !has_images || self.calibrations.is_empty() {
            let expected = format!("cameras: {IMAGE} and {CALIBRATION}");
            let found: Vec<&str> = topics.iter().map(|topic| topic.topic.as_str()).collect();
            let found = format!("topics {}", found.join(", "));
            return Err(LogError::new(reader.path(), expected, found).into());
        }
        let mut cameras = Vec::new();
        for message in &self.calibrations {
            let name = &message.frame_id;
            let mount = self.mounts.get(name).ok_or_else(|| {
                let expected = format!("a transform of {name:?} in \"ego\" or \"base_link\"");
                LogError::new(reader.path(), expected, "none")
            })?;
            let read =
                ReadCalibration::try_from(message).map_err(|error| error.in_file(reader.path()))?;
            cameras.push(Camera {
                name: name.clone(),
                intrinsics: read.intrinsics,
                ego_from_cam: Pose::from_isometry(*mount),
            });
        }
        let reference = cameras
            .iter()
            .position(|camera| REFERENCES.contains(&camera.name.as_str()))
            .unwrap_or(0);
        Rig::new(cameras, reference).map_err(|error| error.in_file(reader.path()).into())
    }
}

fn is_vehicle(frame: &str) -> bool {
    VEHICLE_FRAMES.contains(&frame)
}

fn isometry_of(transform: &FrameTransform) -> Option<Isometry3<f64>> {
    pose_of(transform.translation.as_ref(), transform.rotation.as_ref())
}

fn transforms(path: &Path, message: &LogMessage<'_>) -> Result<Vec<FrameTransform>, LogError> {
    if message.schema == TRANSFORM {
        return Ok(vec![decode(path, message)?]);
    }
    Ok(decode::<FrameTransforms>(path, message)?.transforms)
}

fn arrival(message: &LogMessage<'_>) -> Stamp {
    Stamp::from_nanoseconds(i64::try_from(message.log_time_ns).unwrap_or(i64::MAX))
}

fn wrong(path: &Path, message: &LogMessage<'_>, expected: &str, found: String) -> LogError {
    LogError::new(path, expected, found)
        .on_topic(message.topic)
        .at(message.log_time_ns)
}

fn decode<M: Decode>(path: &Path, message: &LogMessage<'_>) -> Result<M, LogError> {
    if message.encoding != "protobuf" {
        return Err(wrong(
            path,
            message,
            "encoding protobuf",
            message.encoding.to_owned(),
        ));
    }
    M::decode(message.data).map_err(|error| {
        wrong(
            path,
            message,
            &format!("a message of {}", message.schema),
            error.to_string(),
        )
    })
}

fn json<T: serde::de::DeserializeOwned>(
    path: &Path,
    message: &LogMessage<'_>,
) -> Result<T, LogError> {
    serde_json::from_slice(message.data).map_err(|source| {
        LogError::caused_by(path, "JSON of our form", source)
            .on_topic(message.topic)
            .at(message.log_time_ns)
    })
}
