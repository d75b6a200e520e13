//! OSI traces: messages one after another in a file.

mod error;
mod multi;
mod name;
mod single;

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use crate::messages::SensorData;

pub use error::TraceError;
pub use multi::{PROTOBUF_VERSION, TOPIC_SENSOR_DATA};
pub use name::{UtcTime, trace_file_name};

/// The two kinds of traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TraceFormat {
    /// Single channel, binary: each message behind its length.
    Osi,
    /// Multi channel: MCAP with schema, index and metadata.
    Mcap,
}

impl TraceFormat {
    /// The format that a file's extension asks for.
    ///
    /// # Errors
    /// The extension is neither `osi` nor `mcap`.
    pub fn of(file: &Path) -> Result<Self, TraceError> {
        let extension = file.extension().and_then(|extension| extension.to_str());
        match extension {
            Some("osi") => Ok(Self::Osi),
            Some("mcap") => Ok(Self::Mcap),
            other => {
                let found = other.map_or("none".to_owned(), |other| format!("{other:?}"));
                Err(TraceError::new(file, "extension osi or mcap", found))
            }
        }
    }

    /// The extension of its files.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Osi => "osi",
            Self::Mcap => "mcap",
        }
    }
}

/// What an MCAP trace tells about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceInfo {
    /// What is in it, for people.
    pub description: String,
    /// What it was made from.
    pub data_sources: String,
    /// When writing began, by the calendar.
    pub creation_time: UtcTime,
}

/// Writes a trace of either kind.
pub struct TraceWriter(Kind);

enum Kind {
    Osi(single::SingleWriter<BufWriter<File>>),
    Mcap(Box<multi::McapWriter<BufWriter<File>>>),
}

impl TraceWriter {
    /// Creates or replaces a file, and its folder where it is missing. The extension is the format;
    /// a binary trace has no place for `info`.
    ///
    /// # Errors
    /// The extension is no trace's, or the file cannot be made.
    pub fn create(file: &Path, info: &TraceInfo) -> Result<Self, TraceError> {
        let format = TraceFormat::of(file)?;
        let failed = |source| TraceError::caused_by(file, "a place to write to", source);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let target = BufWriter::new(File::create(file).map_err(failed)?);
        Ok(Self(match format {
            TraceFormat::Osi => Kind::Osi(single::SingleWriter::new(file, target)),
            TraceFormat::Mcap => Kind::Mcap(Box::new(multi::McapWriter::new(file, target, info)?)),
        }))
    }

    /// Appends a message.
    ///
    /// # Errors
    /// The target refuses it; in MCAP also a message whose timestamp lies before zero.
    pub fn write(&mut self, message: &SensorData) -> Result<(), TraceError> {
        match &mut self.0 {
            Kind::Osi(writer) => writer.write(message),
            Kind::Mcap(writer) => writer.write(message),
        }
    }

    /// Writes what is still held back, in MCAP the index as well, and ends the file.
    ///
    /// # Errors
    /// The target refuses it.
    pub fn finish(self) -> Result<(), TraceError> {
        match self.0 {
            Kind::Osi(writer) => writer.finish().map(drop),
            Kind::Mcap(writer) => writer.finish().map(drop),
        }
    }
}
