//! A drive from a log: ours, or any with Foxglove's or ROS 2's schemas for cameras and motion.

mod messages;
mod survey;

use std::io;
use std::path::Path;

use bevrt_calibration::{Ego, Odom, Pose, Rig};
use bevrt_runtime::{EgoMotionSource, ImageView, PixelFormat, Stamp};
use foxglove::Decode;
use foxglove::bytes::Bytes;
use foxglove::messages::{
    CompressedImage, FrameTransform, FrameTransforms, PoseInFrame, Timestamp,
};
use nalgebra::Isometry3;

use super::{DriveEvent, DriveSource, ImageEvent, SourceError};
use crate::logs::ros::{self, schema};
use crate::logs::{
    EGO_FRAME, JpegDecoder, LogError, LogMessage, LogReader, LogStream, TOPIC_TRUTH,
    TOPIC_VEHICLE_MOTION, VehicleMotionRecord, nanoseconds, pose_of,
};
use crate::truth::FrameTruth;
use messages::{Messages, Window};
use survey::{MotionTopic, Survey};

const IMAGE: &str = "foxglove.CompressedImage";
const CALIBRATION: &str = "foxglove.CameraCalibration";
const TRANSFORM: &str = "foxglove.FrameTransform";
const TRANSFORMS: &str = "foxglove.FrameTransforms";
const POSE: &str = "foxglove.PoseInFrame";
/// Names that the vehicle's frame goes by.
const VEHICLE_FRAMES: [&str; 2] = [EGO_FRAME, "base_link"];
/// How a log is read.
#[derive(Clone, Debug, Default)]
pub struct LogDriveOptions {
    /// Calibration instead of the log's; cameras are found by name.
    pub rig: Option<Rig>,
    /// Which ego motion is used; `None` takes speed and yaw rate of our own logs, else poses, else
    /// speed and yaw rate of ROS.
    pub ego_motion: Option<EgoMotionSource>,
    /// Seconds from the beginning of the log to the first message that is given out. The queue is
    /// empty then: what the network gives equals that of the whole log, to rounding, once it has
    /// filled. Tracks begin anew: ids, ages and what was smoothed are those of the part.
    pub from_s: Option<f64>,
    /// Seconds from the beginning of the log to the first message that is not.
    pub to_s: Option<f64>,
}

/// A drive from a log.
pub struct LogDrive {
    rig: Rig,
    ego_motion: EgoMotionSource,
    motion_topic: Option<MotionTopic>,
    has_transforms_of_vehicle: bool,
    messages: Messages,
    decoders: Vec<JpegDecoder>,
    damaged_pictures: u64,
    /// The last picture as it was recorded; `None` when it was not a JPEG.
    jpeg: Option<Bytes>,
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
    /// Opens a log and finds its cameras. A log without an index, as after a recording that broke
    /// off, is read from its beginning as far as it goes; [`Self::remarks`] tells it.
    ///
    /// # Errors
    /// The file is no log, or has no camera with images, calibration and mounting pose, or no ego
    /// motion of the kind that was asked for.
    pub fn open(path: impl AsRef<Path>, options: LogDriveOptions) -> Result<Self, SourceError> {
        let path = path.as_ref();
        let reader = match LogReader::open(path) {
            Ok(reader) => reader,
            Err(no_index) => return Self::open_without_index(path, options, no_index),
        };
        let survey = Survey::of_reader(&reader)?;
        let window = Window::new(&options, reader.log_times_ns().map(|(first, _)| first));
        let motion = survey.motion();
        let wanted = reader.messages_between(window.range_ns(), |topic| {
            is_read(&topic.topic, &topic.schema, motion.topic())
        })?;
        Self::new(
            path,
            survey,
            options,
            Messages::Indexed(path.to_owned(), Box::new(wanted)),
        )
    }

    /// Reads a log as it comes, from a pipe, say. Its first seconds must tell the cameras.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_stream(
        name: impl AsRef<Path>,
        input: Box<dyn io::Read + Send>,
        options: LogDriveOptions,
    ) -> Result<Self, SourceError> {
        let stream = LogStream::new(name.as_ref(), input);
        let (survey, messages) = Survey::of_stream(stream, &options, None)?;
        Self::new(name.as_ref(), survey, options, messages)
    }

    fn open_without_index(
        path: &Path,
        options: LogDriveOptions,
        no_index: LogError,
    ) -> Result<Self, SourceError> {
        let Ok(file) = std::fs::File::open(path) else {
            return Err(no_index.into());
        };
        let stream = LogStream::new(path, Box::new(file));
        let remark = format!("no index, so it is read from its beginning on ({no_index})");
        let (survey, messages) = Survey::of_stream(stream, &options, Some(remark))?;
        Self::new(path, survey, options, messages)
    }

    fn new(
        path: &Path,
        survey: Survey,
        options: LogDriveOptions,
        messages: Messages,
    ) -> Result<Self, SourceError> {
        let rig = match options.rig {
            Some(rig) => rig,
            None => survey.rig(path)?,
        };
        let motion = survey.motion();
        let ego_motion = motion.choose(path, options.ego_motion)?;
        Ok(Self {
            decoders: rig
                .cameras()
                .iter()
                .map(|_| JpegDecoder::default())
                .collect(),
            has_transforms_of_vehicle: motion.has_transforms,
            motion_topic: motion.topic().cloned(),
            rig,
            ego_motion,
            messages,
            damaged_pictures: 0,
            jpeg: None,
            truth: FrameTruth::default(),
        })
    }

    /// What was not as it should be with the log, as far as it has been read.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = self.messages.remarks();
        if self.damaged_pictures > 0 {
            remarks.push(format!(
                "{} damaged pictures left out",
                self.damaged_pictures
            ));
        }
        remarks
    }
}

/// Whether messages of a topic are read at all.
fn is_read(topic: &str, schema: &str, motion: Option<&MotionTopic>) -> bool {
    matches!(
        schema,
        IMAGE
            | TRANSFORM
            | TRANSFORMS
            | POSE
            | schema::COMPRESSED_IMAGE
            | schema::IMAGE
            | schema::TRANSFORMS
    ) || topic == TOPIC_TRUTH
        || motion.is_some_and(|motion| motion.topic == topic)
        || topic == TOPIC_VEHICLE_MOTION
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
            let (path, message) = self.messages.next_message()?;
            let Some(message) = message else {
                return Ok(None);
            };
            let mut interpreter = Interpreter {
                path,
                rig: &self.rig,
                ego_motion: self.ego_motion,
                motion_topic: self.motion_topic.as_ref(),
                has_transforms_of_vehicle: self.has_transforms_of_vehicle,
                damaged_pictures: &mut self.damaged_pictures,
                decoders: &mut self.decoders,
                jpeg: &mut self.jpeg,
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
                        jpeg: self.jpeg.as_deref(),
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
    motion_topic: Option<&'a MotionTopic>,
    has_transforms_of_vehicle: bool,
    damaged_pictures: &'a mut u64,
    decoders: &'a mut [JpegDecoder],
    jpeg: &'a mut Option<Bytes>,
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
            (_, IMAGE) => {
                let image = decode(self.path, message)?;
                self.compressed_image(message, arrival, &image)
            }
            (_, schema::COMPRESSED_IMAGE) => {
                let image = ros(self.path, message, ros::compressed_image)?;
                self.compressed_image(message, arrival, &image)
            }
            (_, schema::IMAGE) => self.raw_image(message, arrival),
            (_, TRANSFORM | TRANSFORMS | POSE | schema::TRANSFORMS)
                if self.ego_motion == EgoMotionSource::Poses =>
            {
                self.pose(message, arrival)
            }
            (topic, _)
                if self
                    .motion_topic
                    .is_some_and(|motion| motion.topic == topic) =>
            {
                self.ros_motion(message, arrival)
            }
            _ => Ok(Read::Nothing),
        }
    }

    fn compressed_image(
        &mut self,
        message: &LogMessage<'_>,
        arrival: Stamp,
        image: &CompressedImage,
    ) -> Result<Read, LogError> {
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
        if self.decoders[camera].decode(&image.data).is_err() {
            *self.damaged_pictures += 1;
            return Ok(Read::Nothing);
        }
        *self.jpeg = Some(image.data.clone());
        let stamp = stamp_of(image.timestamp.as_ref(), arrival);
        Ok(Read::Image {
            camera,
            stamp,
            arrival,
        })
    }

    fn raw_image(&mut self, message: &LogMessage<'_>, arrival: Stamp) -> Result<Read, LogError> {
        let image = ros(self.path, message, ros::image)?;
        let Some(camera) = self.rig.index_of(image.frame_id) else {
            return Ok(Read::Nothing);
        };
        let picture = self.decoders[camera].picture_mut();
        (picture.width, picture.height) = (image.width, image.height);
        image
            .write_rgb(&mut picture.bytes)
            .map_err(|error| wrong(self.path, message, "pixels", error.to_string()))?;
        *self.jpeg = None;
        Ok(Read::Image {
            camera,
            stamp: stamp_of(Some(&image.stamp), arrival),
            arrival,
        })
    }

    /// Odometry or speeds of ROS.
    fn ros_motion(&self, message: &LogMessage<'_>, arrival: Stamp) -> Result<Read, LogError> {
        let (stamp, twist) = match message.schema {
            schema::ODOMETRY => {
                let odometry = ros(self.path, message, ros::odometry)?;
                let stamp = stamp_of(Some(&odometry.stamp), arrival);
                if self.ego_motion == EgoMotionSource::Poses {
                    if self.has_transforms_of_vehicle {
                        return Ok(Read::Nothing);
                    }
                    let pose = pose_of(Some(&odometry.position), Some(&odometry.orientation));
                    return self.rigid(message, pose).map(|isometry| Read::Pose {
                        stamp,
                        arrival,
                        odom_from_ego: Pose::from_isometry(isometry),
                    });
                }
                (stamp, odometry.twist)
            }
            schema::TWIST_STAMPED => {
                let (stamp, twist) = ros(self.path, message, ros::twist_stamped)?;
                (stamp_of(Some(&stamp), arrival), twist)
            }
            _ => (arrival, ros(self.path, message, ros::twist)?),
        };
        if self.ego_motion == EgoMotionSource::Poses {
            return Ok(Read::Nothing);
        }
        Ok(Read::VehicleMotion {
            arrival,
            record: VehicleMotionRecord {
                stamp_ns: stamp.nanoseconds(),
                speed_mps: twist.speed_mps,
                yaw_rate_radps: twist.yaw_rate_radps,
            },
        })
    }

    fn rigid(
        &self,
        message: &LogMessage<'_>,
        isometry: Option<Isometry3<f64>>,
    ) -> Result<Isometry3<f64>, LogError> {
        isometry.ok_or_else(|| {
            let expected = "a rigid pose of the vehicle";
            wrong(self.path, message, expected, "none".to_owned())
        })
    }

    /// A pose of the vehicle: from its transform, or from pose messages where there is none.
    fn pose(&self, message: &LogMessage<'_>, arrival: Stamp) -> Result<Read, LogError> {
        let found = if message.schema == POSE {
            if self.has_transforms_of_vehicle {
                return Ok(Read::Nothing);
            }
            let message: PoseInFrame = decode(self.path, message)?;
            // A pose in the vehicle's own frame, to look at: it tells no motion.
            if is_vehicle(&message.frame_id) {
                return Ok(Read::Nothing);
            }
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
        let isometry = self.rigid(message, isometry)?;
        let stamp = stamp_of(timestamp.as_ref(), arrival);
        Ok(Read::Pose {
            stamp,
            arrival,
            odom_from_ego: Pose::from_isometry(isometry),
        })
    }
}

fn is_vehicle(frame: &str) -> bool {
    VEHICLE_FRAMES.contains(&frame)
}

fn isometry_of(transform: &FrameTransform) -> Option<Isometry3<f64>> {
    pose_of(transform.translation.as_ref(), transform.rotation.as_ref())
}

fn transforms(path: &Path, message: &LogMessage<'_>) -> Result<Vec<FrameTransform>, LogError> {
    match message.schema {
        TRANSFORM => Ok(vec![decode(path, message)?]),
        schema::TRANSFORMS => ros(path, message, ros::transforms),
        _ => Ok(decode::<FrameTransforms>(path, message)?.transforms),
    }
}

/// The stamp of a message; its arrival where it has none.
fn stamp_of(timestamp: Option<&Timestamp>, arrival: Stamp) -> Stamp {
    nanoseconds(timestamp).map_or(arrival, Stamp::from_nanoseconds)
}

/// A message of ROS 2.
fn ros<'m, T>(
    path: &Path,
    message: &LogMessage<'m>,
    read: impl FnOnce(&'m [u8]) -> Result<T, ros::RosError>,
) -> Result<T, LogError> {
    if message.encoding != "cdr" {
        let found = message.encoding.to_owned();
        return Err(wrong(path, message, "encoding cdr", found));
    }
    read(message.data).map_err(|error| {
        let expected = format!("a message of {}", message.schema);
        wrong(path, message, &expected, error.to_string())
    })
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
