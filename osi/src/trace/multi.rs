//! Multi-channel traces: MCAP as OSI wants it.

use std::collections::BTreeMap;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use mcap::records::{MessageHeader, Metadata};
use mcap::{Compression, McapError, WriteOptions};
use prost::Message;

use super::{TraceError, TraceInfo};
use crate::convert::OSI_VERSION;
use crate::messages::{SensorData, Timestamp};
use crate::schema::{SCHEMA_NAME, schema_bytes};

/// Topic of the messages.
pub const TOPIC_SENSOR_DATA: &str = "bevrt.SensorData";
/// Version of the protobuf implementation that encodes the messages (the crate `prost`).
pub const PROTOBUF_VERSION: &str = "0.14.6";

const METADATA_NAME: &str = "net.asam.osi.trace";
const CHANNEL_PREFIX: &str = "net.asam.osi.trace.channel";
const PROTOBUF: &str = "protobuf";
const CHUNK_BYTES: u64 = 4 << 20;
const ZSTD_LEVEL: u32 = 3;

/// Writes messages to one channel: zstd, in chunks, with index.
pub(super) struct McapWriter<W: Write + Seek> {
    file: PathBuf,
    writer: mcap::Writer<W>,
    channel: u16,
    bytes: Vec<u8>,
}

impl<W: Write + Seek> McapWriter<W> {
    pub(super) fn new(file: &Path, target: W, info: &TraceInfo) -> Result<Self, TraceError> {
        let begin = || -> Result<_, McapError> {
            let mut writer = WriteOptions::new()
                .compression(Some(Compression::Zstd))
                .compression_level(ZSTD_LEVEL)
                .compression_threads(0)
                .chunk_size(Some(CHUNK_BYTES))
                .library(concat!("bevrt ", env!("CARGO_PKG_VERSION")))
                .create(target)?;
            writer.write_metadata(&trace_metadata(info))?;
            let schema = writer.add_schema(SCHEMA_NAME, PROTOBUF, &schema_bytes())?;
            let channel =
                writer.add_channel(schema, TOPIC_SENSOR_DATA, PROTOBUF, &channel_metadata(info))?;
            Ok((writer, channel))
        };
        let (writer, channel) =
            begin().map_err(|source| TraceError::caused_by(file, "a place to write to", source))?;
        Ok(Self {
            file: file.to_path_buf(),
            writer,
            channel,
            bytes: Vec::new(),
        })
    }

    pub(super) fn write(&mut self, message: &SensorData) -> Result<(), TraceError> {
        let time_ns = nanoseconds(message.timestamp).ok_or_else(|| {
            let found = format!("{:?}", message.timestamp);
            TraceError::new(&self.file, "timestamps from 0 on", found)
        })?;
        self.bytes.clear();
        message
            .encode(&mut self.bytes)
            .expect("a vector takes every message");
        let header = MessageHeader {
            channel_id: self.channel,
            // OSI: 0 where nobody counts messages on their way.
            sequence: 0,
            log_time: time_ns,
            publish_time: time_ns,
        };
        self.writer
            .write_to_known_channel(&header, &self.bytes)
            .map_err(|source| TraceError::caused_by(&self.file, "a place to write to", source))
    }

    pub(super) fn finish(mut self) -> Result<W, TraceError> {
        let file = &self.file;
        self.writer
            .finish()
            .map_err(|source| TraceError::caused_by(file, "a place to write to", source))?;
        let mut target = self.writer.into_inner();
        target
            .flush()
            .map_err(|source| TraceError::caused_by(file, "a place to write to", source))?;
        Ok(target)
    }
}

/// A timestamp as MCAP counts it: not before zero.
fn nanoseconds(timestamp: Option<Timestamp>) -> Option<u64> {
    let Timestamp { seconds, nanos } = timestamp?;
    let seconds = u64::try_from(seconds.unwrap_or(0)).ok()?;
    seconds
        .checked_mul(1_000_000_000)?
        .checked_add(u64::from(nanos.unwrap_or(0)))
}

fn osi_version() -> String {
    OSI_VERSION.map(|number| number.to_string()).join(".")
}

fn trace_metadata(info: &TraceInfo) -> Metadata {
    let entries = [
        ("version", osi_version()),
        ("min_osi_version", osi_version()),
        ("max_osi_version", osi_version()),
        ("min_protobuf_version", PROTOBUF_VERSION.to_owned()),
        ("max_protobuf_version", PROTOBUF_VERSION.to_owned()),
        ("creation_time", info.creation_time.to_string()),
        ("description", info.description.clone()),
        ("data_sources", info.data_sources.clone()),
    ];
    Metadata {
        name: METADATA_NAME.to_owned(),
        metadata: entries.map(|(key, value)| (key.to_owned(), value)).into(),
    }
}

fn channel_metadata(info: &TraceInfo) -> BTreeMap<String, String> {
    [
        ("osi_version", osi_version()),
        ("protobuf_version", PROTOBUF_VERSION.to_owned()),
        ("description", info.description.clone()),
    ]
    .map(|(key, value)| (format!("{CHANNEL_PREFIX}.{key}"), value))
    .into()
}

#[cfg(test)]
mod tests;
