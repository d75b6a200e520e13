//! Reading a log from its beginning to its end without its index: from a pipe, or a file whose
//! recording broke off.

use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use mcap::records::{Record, op};
use mcap::sans_io::linear_reader::{LinearReadEvent, LinearReader, LinearReaderOptions};
use mcap::{McapError, parse_record};

use super::chunk::records_of_chunk;
use super::reader::RECORD_LIMIT_BYTES;
use super::{LogError, LogMessage};

/// A message with memory of its own.
#[derive(Clone, Debug)]
pub struct OwnedMessage {
    channel: u16,
    log_time_ns: u64,
    data: Vec<u8>,
}

impl OwnedMessage {
    /// Bytes that it takes.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether it has no data.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }
}

/// What is known of a channel.
#[derive(Clone, Debug)]
struct StreamChannel {
    topic: String,
    schema: String,
    encoding: String,
}

/// Messages of a log in the order in which they were written, one chunk in memory at a time.
///
/// A damaged chunk is left out and counted; where records break off, the log ends.
pub struct LogStream {
    name: PathBuf,
    input: Box<dyn Read + Send>,
    reader: LinearReader,
    schemas: BTreeMap<u16, String>,
    channels: BTreeMap<u16, StreamChannel>,
    ready: VecDeque<OwnedMessage>,
    current: Option<OwnedMessage>,
    is_over: bool,
    has_begun: bool,
    damaged_chunks: u64,
    broken_off: Option<String>,
}

impl LogStream {
    /// Reads from `input`; messages and errors name it `name`.
    pub fn new(name: impl Into<PathBuf>, input: Box<dyn Read + Send>) -> Self {
        let options = LinearReaderOptions::default()
            .with_emit_chunks(true)
            .with_record_length_limit(RECORD_LIMIT_BYTES);
        Self {
            name: name.into(),
            input,
            reader: LinearReader::new_with_options(options),
            schemas: BTreeMap::new(),
            channels: BTreeMap::new(),
            ready: VecDeque::new(),
            current: None,
            is_over: false,
            has_begun: false,
            damaged_chunks: 0,
            broken_off: None,
        }
    }

    /// What the log is called.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// Chunks that were left out, so far.
    pub fn damaged_chunks(&self) -> u64 {
        self.damaged_chunks
    }

    /// Why the log ended before its end.
    pub fn broken_off(&self) -> Option<&str> {
        self.broken_off.as_deref()
    }

    /// The next message; `None` at the end, or where the log breaks off.
    ///
    /// # Errors
    /// It is no MCAP log from its first bytes on, or a chunk is compressed in a way that is not
    /// supported (zstd and plain are).
    pub fn next_message(&mut self) -> Result<Option<LogMessage<'_>>, LogError> {
        self.current = self.next_owned()?;
        Ok(self.current.as_ref().and_then(|message| self.view(message)))
    }

    /// The next message, to be kept.
    ///
    /// # Errors
    /// As [`Self::next_message`].
    pub fn next_owned(&mut self) -> Result<Option<OwnedMessage>, LogError> {
        while self.ready.is_empty() && !self.is_over {
            self.read_record()?;
        }
        Ok(self.ready.pop_front())
    }

    /// A kept message; `None` when its channel was never told.
    pub fn view<'a>(&'a self, message: &'a OwnedMessage) -> Option<LogMessage<'a>> {
        let channel = self.channels.get(&message.channel)?;
        Some(LogMessage {
            topic: &channel.topic,
            schema: &channel.schema,
            encoding: &channel.encoding,
            log_time_ns: message.log_time_ns,
            data: &message.data,
        })
    }

    /// Reads one record of the file; a chunk is read as a whole.
    fn read_record(&mut self) -> Result<(), LogError> {
        let outcome = match self.reader.next_event() {
            None => {
                self.is_over = true;
                return Ok(());
            }
            Some(Ok(LinearReadEvent::ReadRequest(length))) => {
                let read = read_some(&mut self.input, self.reader.insert(length));
                match read {
                    Ok(read) => {
                        self.reader.notify_read(read);
                        return Ok(());
                    }
                    Err(error) => Err(McapError::Io(error)),
                }
            }
            Some(Ok(LinearReadEvent::Record { data, opcode })) if opcode == op::CHUNK => {
                let records = records_of_chunk(data);
                self.has_begun = true;
                return self.take_chunk(records);
            }
            Some(Ok(LinearReadEvent::Record { data, opcode })) => {
                parse_record(opcode, data).map(Record::into_owned)
            }
            Some(Err(error)) => Err(error),
        };
        match outcome {
            Ok(record) => {
                self.has_begun = true;
                self.take(record);
                Ok(())
            }
            Err(source) if !self.has_begun => {
                self.is_over = true;
                Err(LogError::caused_by(&self.name, "an MCAP log", source))
            }
            Err(error) => {
                self.is_over = true;
                self.broken_off = Some(error.to_string());
                Ok(())
            }
        }
    }

    /// Takes the records of a chunk, or leaves the chunk out.
    fn take_chunk(
        &mut self,
        records: Result<Vec<Record<'static>>, McapError>,
    ) -> Result<(), LogError> {
        match records {
            Ok(records) => records.into_iter().for_each(|record| self.take(record)),
            Err(source @ McapError::UnsupportedCompression(_)) => {
                self.is_over = true;
                let expected = "chunks that are plain or compressed by zstd";
                return Err(LogError::caused_by(&self.name, expected, source));
            }
            Err(_damage) => self.damaged_chunks += 1,
        }
        Ok(())
    }

    fn take(&mut self, record: Record<'_>) {
        match record {
            Record::Schema { header, .. } => {
                self.schemas.insert(header.id, header.name);
            }
            Record::Channel(channel) => {
                let schema = self.schemas.get(&channel.schema_id);
                let known = StreamChannel {
                    topic: channel.topic,
                    schema: schema.cloned().unwrap_or_default(),
                    encoding: channel.message_encoding,
                };
                self.channels.insert(channel.id, known);
            }
            Record::Message { header, data } => self.ready.push_back(OwnedMessage {
                channel: header.channel_id,
                log_time_ns: header.log_time,
                data: data.into_owned(),
            }),
            _ => {}
        }
    }
}

/// Reads what is there, as a pipe gives it.
fn read_some(input: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
