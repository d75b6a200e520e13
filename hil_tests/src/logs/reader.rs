//! Reading a log in the order of arrival, in bounded memory.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mcap::sans_io::indexed_reader::{IndexedReadEvent, IndexedReader, IndexedReaderOptions};
use mcap::sans_io::summary_reader::{SummaryReadEvent, SummaryReader, SummaryReaderOptions};
use mcap::{Channel, McapError, Summary};

use super::LogError;

/// No record of a sound log is longer.
pub(super) const RECORD_LIMIT_BYTES: usize = 512 << 20;

/// A topic of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogTopic {
    /// Its name.
    pub topic: String,
    /// Name of its schema; empty where it has none.
    pub schema: String,
    /// How its messages are encoded.
    pub encoding: String,
    /// Messages, where the log counts them.
    pub messages: u64,
}

/// A message of a log.
#[derive(Clone, Copy, Debug)]
pub struct LogMessage<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Name of its schema; empty where it has none.
    pub schema: &'a str,
    /// How it is encoded.
    pub encoding: &'a str,
    /// Arrival.
    pub log_time_ns: u64,
    /// Its bytes.
    pub data: &'a [u8],
}

/// An open log with its index.
pub struct LogReader {
    path: PathBuf,
    summary: Summary,
}

impl LogReader {
    /// Opens a log and reads its index.
    ///
    /// # Errors
    /// The file cannot be read, is no MCAP file, or has no index (as after a recording that broke
    /// off: `mcap recover` makes one).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LogError> {
        let path = path.as_ref();
        let readable = |source| LogError::caused_by(path, "a readable file", source);
        let mut file = File::open(path).map_err(readable)?;
        let size = file.metadata().map_err(readable)?.len();
        let summary = read_summary(&mut file, size)
            .map_err(|source| LogError::caused_by(path, "an MCAP file with an index", source))?
            .filter(|summary| !summary.chunk_indexes.is_empty() || is_empty(summary))
            .ok_or_else(|| {
                let found = "none (recording broken off? `mcap recover` makes one)";
                LogError::new(path, "an index of chunks at the end of the file", found)
            })?;
        Ok(Self {
            path: path.to_path_buf(),
            summary,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The topics, by name.
    pub fn topics(&self) -> Vec<LogTopic> {
        let mut topics: Vec<LogTopic> = self
            .summary
            .channels
            .values()
            .map(|channel| LogTopic {
                topic: channel.topic.clone(),
                schema: schema_name(channel).to_owned(),
                encoding: channel.message_encoding.clone(),
                messages: self
                    .summary
                    .stats
                    .as_ref()
                    .and_then(|stats| stats.channel_message_counts.get(&channel.id).copied())
                    .unwrap_or(0),
            })
            .collect();
        topics.sort_by(|a, b| a.topic.cmp(&b.topic));
        topics
    }

    /// First and last log time; `None` for an empty log.
    pub fn log_times_ns(&self) -> Option<(u64, u64)> {
        let chunks = || {
            self.summary
                .chunk_indexes
                .iter()
                .filter(|chunk| chunk.message_end_time > 0)
        };
        let first = chunks().map(|chunk| chunk.message_start_time).min()?;
        Some((first, chunks().map(|chunk| chunk.message_end_time).max()?))
    }

    /// Reads messages by log time; of the topics that `wanted` accepts.
    ///
    /// A few chunks are held in memory, never the file.
    ///
    /// # Errors
    /// The file cannot be opened once more, or its index is wrong.
    pub fn messages(&self, wanted: impl Fn(&LogTopic) -> bool) -> Result<LogMessages, LogError> {
        self.messages_between((0, u64::MAX), wanted)
    }

    /// Reads messages by log time, from the first time on and before the second one. What lies
    /// before is not read.
    ///
    /// # Errors
    /// As [`Self::messages`].
    pub fn messages_between(
        &self,
        (from_ns, to_ns): (u64, u64),
        wanted: impl Fn(&LogTopic) -> bool,
    ) -> Result<LogMessages, LogError> {
        let topics: BTreeSet<String> = self
            .topics()
            .into_iter()
            .filter(|topic| wanted(topic))
            .map(|topic| topic.topic)
            .collect();
        let file = File::open(&self.path)
            .map_err(|source| LogError::caused_by(&self.path, "a readable file", source))?;
        let size = file
            .metadata()
            .map_err(|source| LogError::caused_by(&self.path, "a readable file", source))?
            .len();
        let options = IndexedReaderOptions::new()
            .include_topics(topics.iter().cloned())
            .starting_at(from_ns)
            .ending_before(to_ns)
            .with_record_length_limit(RECORD_LIMIT_BYTES);
        let reader = IndexedReader::new_with_options(&self.summary, options)
            .map_err(|source| LogError::caused_by(&self.path, "a sound index", source))?;
        Ok(LogMessages {
            path: self.path.clone(),
            file,
            size,
            summary: self.summary.clone(),
            reader: (!topics.is_empty()).then_some(reader),
            chunk: Vec::new(),
            channel: None,
            data: Vec::new(),
        })
    }
}

/// Messages of a log, one by one.
pub struct LogMessages {
    path: PathBuf,
    file: File,
    size: u64,
    summary: Summary,
    reader: Option<IndexedReader>,
    chunk: Vec<u8>,
    channel: Option<Arc<Channel<'static>>>,
    data: Vec<u8>,
}

impl LogMessages {
    /// The next message; `None` at the end.
    ///
    /// # Errors
    /// The file ends early, or a chunk is damaged or compressed in a way that is not supported
    /// (zstd and plain are).
    pub fn next_message(&mut self) -> Result<Option<LogMessage<'_>>, LogError> {
        let Some(reader) = &mut self.reader else {
            return Ok(None);
        };
        let log_time_ns = loop {
            let event = reader
                .next_event()
                .transpose()
                .map_err(|source| LogError::caused_by(&self.path, "a sound chunk", source))?;
            match event {
                None => return Ok(None),
                Some(IndexedReadEvent::ReadChunkRequest { offset, length }) => {
                    // Before memory is taken: a damaged index can claim any length.
                    if offset.saturating_add(length as u64) > self.size {
                        let expected = format!("{length} bytes at offset {offset}");
                        let found = format!("a file of {} bytes", self.size);
                        return Err(LogError::new(&self.path, expected, found));
                    }
                    self.chunk.resize(length, 0);
                    self.file
                        .seek(SeekFrom::Start(offset))
                        .and_then(|_| self.file.read_exact(&mut self.chunk))
                        .map_err(|source| {
                            let expected = format!("{length} bytes at offset {offset}");
                            LogError::caused_by(&self.path, expected, source)
                        })?;
                    reader
                        .insert_chunk_record_data(offset, &self.chunk)
                        .map_err(|source| {
                            let expected =
                                format!("a sound chunk (zstd or plain) at offset {offset}");
                            LogError::caused_by(&self.path, expected, source)
                        })?;
                }
                Some(IndexedReadEvent::Message { header, data }) => {
                    let channel =
                        self.summary
                            .channels
                            .get(&header.channel_id)
                            .ok_or_else(|| {
                                let expected =
                                    format!("a channel {} in the index", header.channel_id);
                                LogError::new(&self.path, expected, "none").at(header.log_time)
                            })?;
                    self.channel = Some(Arc::clone(channel));
                    self.data.clear();
                    self.data.extend_from_slice(data);
                    break header.log_time;
                }
            }
        };
        Ok(self.channel.as_deref().map(|channel| LogMessage {
            topic: &channel.topic,
            schema: schema_name(channel),
            encoding: &channel.message_encoding,
            log_time_ns,
            data: &self.data,
        }))
    }
}

fn schema_name<'a>(channel: &'a Channel<'static>) -> &'a str {
    channel.schema.as_ref().map_or("", |schema| &schema.name)
}

fn is_empty(summary: &Summary) -> bool {
    summary
        .stats
        .as_ref()
        .is_some_and(|stats| stats.message_count == 0)
}

fn read_summary(file: &mut File, size: u64) -> Result<Option<Summary>, McapError> {
    let options = SummaryReaderOptions::default()
        .with_file_size(size)
        .with_record_length_limit(RECORD_LIMIT_BYTES);
    let mut reader = SummaryReader::new_with_options(options);
    while let Some(event) = reader.next_event() {
        match event? {
            SummaryReadEvent::ReadRequest(need) => {
                let read = file.read(reader.insert(need))?;
                reader.notify_read(read);
            }
            SummaryReadEvent::SeekRequest(to) => {
                let position = file.seek(to)?;
                reader.notify_seeked(position);
            }
        }
    }
    Ok(reader.finish())
}
