//! Writing a log.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use bevrt_calibration::{Ego, Pose, Rig, World};
use bevrt_runtime::{FRAME_ABI_MAJOR, OutputFrame, Stamp};
use foxglove::messages::{CompressedImage, FrameTransforms, PoseInFrame};
use foxglove::{Encode, bytes::Bytes};
use mcap::records::MessageHeader;
use mcap::{Compression, McapError, WriteOptions};
use serde::{Deserialize, Serialize};

use super::convert::{calibration, pose, timestamp, transform};
use super::drawing::{frame_scene, truth_scene};
use super::{
    EGO_FRAME, FRAME_ENCODING, LogError, TOPIC_FRAME, TOPIC_MOUNTS, TOPIC_POSE, TOPIC_SCENE,
    TOPIC_STATISTICS, TOPIC_TRANSFORMS, TOPIC_TRUTH, TOPIC_TRUTH_SCENE, TOPIC_VEHICLE_MOTION,
    WORLD_FRAME, encode_jpeg,
};
use crate::truth::FrameTruth;

/// Chunks are closed beyond this size; a reader holds a few of them.
const CHUNK_BYTES: u64 = 4 << 20;
const JPEG_QUALITY: u8 = 90;
/// Pictures are compressed already: the quickest level serves.
const ZSTD_LEVEL: u32 = 1;

const VEHICLE_MOTION_SCHEMA: &str = r#"{"title":"bevrt.VehicleMotion","type":"object","properties":{"stamp_ns":{"type":"integer"},"speed_mps":{"type":"number"},"yaw_rate_radps":{"type":"number"}}}"#;
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

/// Writes a log: zstd, in chunks, with index.
pub struct LogWriter<W: Write + Seek> {
    file: PathBuf,
    writer: mcap::Writer<W>,
    channels: BTreeMap<String, Channel>,
    scratch: Vec<u8>,
    jpeg: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Channel {
    id: u16,
    messages: u32,
}

/// What a channel carries.
struct Form<'a> {
    schema: Option<(&'a str, &'a str, &'a [u8])>,
    encoding: &'a str,
    metadata: BTreeMap<String, String>,
}

impl LogWriter<BufWriter<File>> {
    /// Creates or replaces a file, and its folder where it is missing.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(file: impl AsRef<Path>) -> Result<Self, LogError> {
        let file = file.as_ref();
        let failed = |source| LogError::caused_by(file, "a place to write to", source);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        Self::new(file, BufWriter::new(File::create(file).map_err(failed)?))
    }
}

impl<W: Write + Seek> LogWriter<W> {
    /// Writes to `target`; errors name `file`.
    ///
    /// # Errors
    /// The target refuses the file's beginning.
    pub fn new(file: &Path, target: W) -> Result<Self, LogError> {
        let writer = WriteOptions::new()
            .compression(Some(Compression::Zstd))
            .compression_level(ZSTD_LEVEL)
            .compression_threads(0)
            .chunk_size(Some(CHUNK_BYTES))
            .library(concat!("bevrt ", env!("CARGO_PKG_VERSION")))
            .create(target)
            .map_err(|source| LogError::caused_by(file, "a place to write to", source))?;
        Ok(Self {
            file: file.to_path_buf(),
            writer,
            channels: BTreeMap::new(),
            scratch: Vec::new(),
            jpeg: Vec::new(),
        })
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
            LogError::caused_by(
                &self.file,
                format!("{width}x{height} pixels of RGB"),
                source,
            )
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
        let form = Form {
            schema: None,
            encoding: FRAME_ENCODING,
            metadata,
        };
        self.write_bytes(TOPIC_FRAME, &form, now, stamp, frame.as_frame_bytes())
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
            .map_err(|error| LogError::new(&self.file, "a message", error.to_string()))?;
        let schema = M::get_schema();
        let encoding = M::get_message_encoding();
        let form = Form {
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
            LogError::caused_by(&self.file, "a record", source).on_topic(topic)
        })?;
        let form = Form {
            schema: Some((name, "jsonschema", schema.as_bytes())),
            encoding: "json",
            metadata: BTreeMap::new(),
        };
        self.write_bytes(topic, &form, arrival, stamp, &json)
    }

    fn write_bytes(
        &mut self,
        topic: &str,
        form: &Form<'_>,
        arrival: Stamp,
        stamp: Stamp,
        data: &[u8],
    ) -> Result<(), LogError> {
        let time = |time: Stamp| {
            u64::try_from(time.nanoseconds()).map_err(|_negative| {
                let found = format!("{} ns", time.nanoseconds());
                LogError::new(&self.file, "times from 0 on", found).on_topic(topic)
            })
        };
        let (log_time, publish_time) = (time(arrival)?, time(stamp)?);
        let refused = |file: &Path, source: McapError| {
            LogError::caused_by(file, "a place to write to", source)
                .on_topic(topic)
                .at(log_time)
        };
        let channel = match self.channels.get_mut(topic) {
            Some(channel) => channel,
            None => {
                let id = add_channel(&mut self.writer, topic, form)
                    .map_err(|source| refused(&self.file, source))?;
                self.channels
                    .entry(topic.to_owned())
                    .or_insert(Channel { id, messages: 0 })
            }
        };
        let header = MessageHeader {
            channel_id: channel.id,
            sequence: channel.messages,
            log_time,
            publish_time,
        };
        channel.messages = channel.messages.wrapping_add(1);
        self.writer
            .write_to_known_channel(&header, data)
            .map_err(|source| refused(&self.file, source))
    }

    /// Writes the index and ends the file. Without it a log cannot be read.
    ///
    /// # Errors
    /// The target refuses it.
    pub fn finish(mut self) -> Result<W, LogError> {
        let refused =
            |file: &Path, source| LogError::caused_by(file, "a place to write to", source);
        self.writer
            .finish()
            .map_err(|source| refused(&self.file, source))?;
        let mut target = self.writer.into_inner();
        target
            .flush()
            .map_err(|source| LogError::caused_by(&self.file, "a place to write to", source))?;
        Ok(target)
    }
}

fn add_channel<W: Write + Seek>(
    writer: &mut mcap::Writer<W>,
    topic: &str,
    form: &Form<'_>,
) -> Result<u16, McapError> {
    let schema = match form.schema {
        Some((name, encoding, data)) => writer.add_schema(name, encoding, data)?,
        None => 0,
    };
    writer.add_channel(schema, topic, form.encoding, &form.metadata)
}
