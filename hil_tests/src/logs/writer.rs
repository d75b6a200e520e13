//! Writing a log.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use bevrt_runtime::Stamp;
use mcap::records::MessageHeader;
use mcap::{Compression, McapError, WriteOptions};

use super::LogError;
use super::message_writer::{MessageForm, MessageSink, MessageWriter, SinkMessage};

/// Chunks are closed beyond this size; a reader holds a few of them.
const CHUNK_BYTES: u64 = 4 << 20;
/// Pictures are compressed already: the quickest level serves.
const ZSTD_LEVEL: u32 = 1;

/// Writes a log: zstd, in chunks, with index.
pub type LogWriter<W> = MessageWriter<McapSink<W>>;

/// An MCAP file that is being written.
pub struct McapSink<W: Write + Seek> {
    file: PathBuf,
    writer: mcap::Writer<W>,
    channels: BTreeMap<String, Channel>,
}

#[derive(Clone, Copy)]
struct Channel {
    id: u16,
    messages: u32,
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
        Ok(Self::to_sink(McapSink {
            file: file.to_path_buf(),
            writer,
            channels: BTreeMap::new(),
        }))
    }

    /// Writes the index and ends the file. Without it a log cannot be read.
    ///
    /// # Errors
    /// The target refuses it.
    pub fn finish(mut self) -> Result<W, LogError> {
        let refused =
            |file: &Path, source| LogError::caused_by(file, "a place to write to", source);
        self.sink
            .writer
            .finish()
            .map_err(|source| refused(&self.sink.file, source))?;
        let mut target = self.sink.writer.into_inner();
        target.flush().map_err(|source| {
            LogError::caused_by(&self.sink.file, "a place to write to", source)
        })?;
        Ok(target)
    }
}

impl<W: Write + Seek> MessageSink for McapSink<W> {
    fn name(&self) -> &Path {
        &self.file
    }

    fn put(&mut self, message: &SinkMessage<'_>) -> Result<(), LogError> {
        let SinkMessage {
            topic,
            form,
            arrival,
            stamp,
            data,
        } = *message;
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
}

fn add_channel<W: Write + Seek>(
    writer: &mut mcap::Writer<W>,
    topic: &str,
    form: &MessageForm<'_>,
) -> Result<u16, McapError> {
    let schema = match form.schema {
        Some((name, encoding, data)) => writer.add_schema(name, encoding, data)?,
        None => 0,
    };
    writer.add_channel(schema, topic, form.encoding, &form.metadata)
}
