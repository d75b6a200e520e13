//! What is told in messages, wherever they go: into a log, or to those who watch.

use std::collections::BTreeMap;
use std::path::Path;

use bevrt_calibration::{Ego, Pose, Rig, World};
use bevrt_runtime::{FRAME_ABI_MAJOR, HealthState, OutputFrame, Stamp};
use foxglove::messages::{CompressedImage, FrameTransforms, PoseInFrame};
use foxglove::{Encode, bytes::Bytes};
use serde::{Deserialize, Serialize};

use super::convert::{calibration, pose, timestamp, transform};
use super::drawing::{frame_scene, truth_scene};
use super::{
    EGO_FRAME, FRAME_ENCODING, LogError, TOPIC_FRAME, TOPIC_HEALTH, TOPIC_MOUNTS, TOPIC_POSE,
    TOPIC_SCENE, TOPIC_STATISTICS, TOPIC_TRANSFORMS, TOPIC_TRUTH, TOPIC_TRUTH_SCENE,
    TOPIC_VEHICLE_MOTION, WORLD_FRAME, encode_jpeg,
};
use crate::truth::FrameTruth;

const JPEG_QUALITY: u8 = 90;

const VEHICLE_MOTION_SCHEMA: &str = r#"{"title":"bevrt.VehicleMotion","type":"object","properties":{"stamp_ns":{"type":"integer"},"speed_mps":{"type":"number"},"yaw_rate_radps":{"type":"number"}}}"#;
const HEALTH_SCHEMA: &str = r#"{"title":"bevrt.Health","type":"object","properties":{"stamp_ns":{"type":"integer"},"state":{"type":"string"},"level":{"type":"integer"},"reasons":{"type":"array","items":{"type":"string"}},"frame_age_ns":{"type":"integer"}}}"#;
const ANY_OBJECT_SCHEMA: &str = r#"{"type":"object"}"#;

/// Speed and yaw rate as the vehicle measures them: the JSON of `/ego/can`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VehicleMotionRecord {
    /// When it was measured.
    pub stamp_ns: i64,
    /// Speed along the vehicle, forward positive.
    pub speed_mps: f64,
    /// Turning rate, counter-clockwise positive.
    pub yaw_rate_radps: f64,
}

/// Health of a frame to look at: the JSON of `/bevrt/health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthRecord {
    /// Stamp of the frame.
    pub stamp_ns: i64,
    /// `ok`, `degraded` or `fault`.
    pub state: String,
    /// The same as a number, to plot: 0, 1, 2.
    pub level: u8,
    /// Why it is not ok.
    pub reasons: Vec<String>,
    /// Clock of the runtime minus stamp of the frame.
    pub frame_age_ns: i64,
}

impl From<&OutputFrame> for HealthRecord {
    fn from(frame: &OutputFrame) -> Self {
        let health = &frame.health;
        let state = HealthState::try_from(health.state).unwrap_or(HealthState::Fault);
        let state = match state {
            HealthState::Ok => "ok",
            HealthState::Degraded => "degraded",
            HealthState::Fault => "fault",
        };
        Self {
            stamp_ns: frame.stamp_ns,
            state: state.to_owned(),
            level: health.state,
            reasons: health.reasons().names().map(str::to_owned).collect(),
            frame_age_ns: health.frame_age_ns,
        }
    }
}

/// What a channel carries.
pub struct MessageForm<'a> {
    /// Name, encoding and definition; `None` where the messages speak for themselves.
    pub schema: Option<(&'a str, &'a str, &'a [u8])>,
    /// How messages are encoded.
    pub encoding: &'a str,
    /// What else is to be known of the channel.
    pub metadata: BTreeMap<String, String>,
}

/// A message on its way.
pub struct SinkMessage<'a> {
    /// Its channel.
    pub topic: &'a str,
    /// What the channel carries, each time the same.
    pub form: &'a MessageForm<'a>,
    /// When it came.
    pub arrival: Stamp,
    /// What it is true for.
    pub stamp: Stamp,
    /// The message.
    pub data: &'a [u8],
}

/// Where messages go.
pub trait MessageSink {
    /// What errors call it.
    fn name(&self) -> &Path;

    /// Takes a message.
    ///
    /// # Errors
    /// It cannot be taken, or a time lies before the clock's origin.
    fn put(&mut self, message: &SinkMessage<'_>) -> Result<(), LogError>;
}

/// Turns cameras, motion, ground truth and results into messages; [`super::LogWriter`] is one that
/// writes them into a log.
pub struct MessageWriter<S> {
    pub(super) sink: S,
    scratch: Vec<u8>,
    jpeg: Vec<u8>,
}

impl<S: MessageSink> MessageWriter<S> {
    /// Gives messages to `sink`.
    pub fn to_sink(sink: S) -> Self {
        Self {
            sink,
            scratch: Vec::new(),
            jpeg: Vec::new(),
        }
    }

    /// Writes what does not change: calibration of each camera, and where it sits.
    ///
    /// # Errors
    /// As for every message: the target refuses it, or `stamp` lies before the clock's origin.
    pub fn write_rig(&mut self, rig: &Rig, stamp: Stamp) -> Result<(), LogError> {
        let stamp_ns = stamp.nanoseconds();
        let mut transforms = Vec::with_capacity(rig.cameras().len());
        for camera in rig.cameras() {
            let topic = format!("/camera/{}/calibration", camera.name);
            self.write(&topic, stamp, stamp, &calibration(stamp_ns, camera))?;
            let pose = camera.ego_from_cam.as_isometry();
            transforms.push(transform(stamp_ns, EGO_FRAME, &camera.name, pose));
        }
        self.write(TOPIC_MOUNTS, stamp, stamp, &FrameTransforms { transforms })
    }

    /// Writes an image of R, G, B rows as JPEG.
    ///
    /// # Errors
    /// As [`Self::write_rig`], or the bytes do not fit the size.
    pub fn write_image(
        &mut self,
        camera: &str,
        stamp: Stamp,
        arrival: Stamp,
        rgb: &[u8],
        [width, height]: [u32; 2],
    ) -> Result<(), LogError> {
        let mut jpeg = std::mem::take(&mut self.jpeg);
        jpeg.clear();
        encode_jpeg(rgb, width, height, JPEG_QUALITY, &mut jpeg).map_err(|source| {
            let expected = format!("{width}x{height} pixels of RGB");
            LogError::caused_by(self.sink.name(), expected, source)
        })?;
        let written = self.write_jpeg(camera, stamp, arrival, &jpeg);
        self.jpeg = jpeg;
        written
    }

    /// Writes an image that is JPEG already.
    ///
    /// # Errors
    /// As [`Self::write_rig`].
    pub fn write_jpeg(
        &mut self,
        camera: &str,
        stamp: Stamp,
        arrival: Stamp,
        jpeg: &[u8],
    ) -> Result<(), LogError> {
        let message = CompressedImage {
            timestamp: Some(timestamp(stamp.nanoseconds())),
            frame_id: camera.to_owned(),
            data: Bytes::copy_from_slice(jpeg),
            format: "jpeg".to_owned(),
        };
        self.write(&format!("/camera/{camera}/image"), arrival, stamp, &message)
    }

    /// Writes the exact pose of the vehicle.
    ///
    /// # Errors
    /// As [`Self::write_rig`].
    pub fn write_pose(
        &mut self,
        stamp: Stamp,
        world_from_ego: &Pose<World, Ego>,
    ) -> Result<(), LogError> {
        let stamp_ns = stamp.nanoseconds();
        let isometry = world_from_ego.as_isometry();
        let message = PoseInFrame {
            timestamp: Some(timestamp(stamp_ns)),
            frame_id: WORLD_FRAME.to_owned(),
            pose: Some(pose(isometry)),
        };
        self.write(TOPIC_POSE, stamp, stamp, &message)?;
        let transforms = vec![transform(stamp_ns, WORLD_FRAME, EGO_FRAME, isometry)];
        self.write(
            TOPIC_TRANSFORMS,
            stamp,
            stamp,
            &FrameTransforms { transforms },
        )
    }

    /// Writes speed and yaw rate.
    ///
    /// # Errors
    /// As [`Self::write_rig`].
    pub fn write_vehicle_motion(
        &mut self,
        arrival: Stamp,
        record: &VehicleMotionRecord,
    ) -> Result<(), LogError> {
        let schema = ("bevrt.VehicleMotion", VEHICLE_MOTION_SCHEMA);
        let stamp = Stamp::from_nanoseconds(record.stamp_ns);
        self.write_json(TOPIC_VEHICLE_MOTION, schema, arrival, stamp, record)
    }

    /// Writes ground truth, to look at and to score against.
    ///
    /// # Errors
    /// As [`Self::write_rig`].
    pub fn write_truth(&mut self, truth: &FrameTruth) -> Result<(), LogError> {
        let stamp = Stamp::from_nanoseconds(truth.stamp_ns);
        self.write(TOPIC_TRUTH_SCENE, stamp, stamp, &truth_scene(truth))?;
        self.write_json(
            TOPIC_TRUTH,
            ("bevrt.GroundTruth", ANY_OBJECT_SCHEMA),
            stamp,
            stamp,
            truth,
        )
    }

    /// Writes a result, to look at and as bytes, logged at its own `now`.
    ///
    /// # Errors
    /// As [`Self::write_rig`].
    pub fn write_frame(&mut self, frame: &OutputFrame) -> Result<(), LogError> {
        let now = Stamp::from_nanoseconds(frame.now_ns);
        let stamp = Stamp::from_nanoseconds(frame.stamp_ns);
        self.write(TOPIC_SCENE, now, stamp, &frame_scene(frame))?;
        let metadata = BTreeMap::from([
            ("abi_major".to_owned(), FRAME_ABI_MAJOR.to_string()),
            (
                "size_bytes".to_owned(),
                size_of::<OutputFrame>().to_string(),
            ),
        ]);
        let form = MessageForm {
            schema: None,
            encoding: FRAME_ENCODING,
            metadata,
        };
        self.write_bytes(TOPIC_FRAME, &form, now, stamp, frame.as_frame_bytes())
    }

    /// Writes the health of a result, to look at, logged at its own `now`.
    ///
    /// # Errors
    /// As [`Self::write_rig`].
    pub fn write_health(&mut self, frame: &OutputFrame) -> Result<(), LogError> {
        let now = Stamp::from_nanoseconds(frame.now_ns);
        let stamp = Stamp::from_nanoseconds(frame.stamp_ns);
        let schema = ("bevrt.Health", HEALTH_SCHEMA);
        self.write_json(TOPIC_HEALTH, schema, now, stamp, &HealthRecord::from(frame))
    }

    /// Writes measured times or other statistics of the step at `now`.
    ///
    /// # Errors
    /// As [`Self::write_rig`].
    pub fn write_statistics(
        &mut self,
        now: Stamp,
        record: &impl Serialize,
    ) -> Result<(), LogError> {
        let schema = ("bevrt.Statistics", ANY_OBJECT_SCHEMA);
        self.write_json(TOPIC_STATISTICS, schema, now, now, record)
    }

    /// Writes a message of a Foxglove schema.
    ///
    /// # Errors
    /// The target refuses it, or a time lies before the clock's origin.
    pub fn write<M: Encode>(
        &mut self,
        topic: &str,
        arrival: Stamp,
        stamp: Stamp,
        message: &M,
    ) -> Result<(), LogError> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        message
            .encode(&mut scratch)
            .map_err(|error| LogError::new(self.sink.name(), "a message", error.to_string()))?;
        let schema = M::get_schema();
        let encoding = M::get_message_encoding();
        let form = MessageForm {
            schema: schema
                .as_ref()
                .map(|s| (s.name.as_str(), s.encoding.as_str(), &s.data[..])),
            encoding: &encoding,
            metadata: BTreeMap::new(),
        };
        let written = self.write_bytes(topic, &form, arrival, stamp, &scratch);
        self.scratch = scratch;
        written
    }

    fn write_json(
        &mut self,
        topic: &str,
        (name, schema): (&str, &str),
        arrival: Stamp,
        stamp: Stamp,
        record: &impl Serialize,
    ) -> Result<(), LogError> {
        let json = serde_json::to_vec(record).map_err(|source| {
            LogError::caused_by(self.sink.name(), "a record", source).on_topic(topic)
        })?;
        let form = MessageForm {
            schema: Some((name, "jsonschema", schema.as_bytes())),
            encoding: "json",
            metadata: BTreeMap::new(),
        };
        self.write_bytes(topic, &form, arrival, stamp, &json)
    }

    fn write_bytes(
        &mut self,
        topic: &str,
        form: &MessageForm<'_>,
        arrival: Stamp,
        stamp: Stamp,
        data: &[u8],
    ) -> Result<(), LogError> {
        self.sink.put(&SinkMessage {
            topic,
            form,
            arrival,
            stamp,
            data,
        })
    }
}
