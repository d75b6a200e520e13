//! Single-channel binary traces.

use std::io::Write;
use std::path::{Path, PathBuf};

use prost::Message;

use super::TraceError;
use crate::messages::SensorData;

/// Writes each message behind its length, four bytes with the lowest first.
pub(super) struct SingleWriter<W> {
    file: PathBuf,
    target: W,
    bytes: Vec<u8>,
}

impl<W: Write> SingleWriter<W> {
    pub(super) fn new(file: &Path, target: W) -> Self {
        Self {
            file: file.to_path_buf(),
            target,
            bytes: Vec::new(),
        }
    }

    pub(super) fn write(&mut self, message: &SensorData) -> Result<(), TraceError> {
        let length = u32::try_from(message.encoded_len()).map_err(|_too_long| {
            let found = format!("{} bytes", message.encoded_len());
            TraceError::new(&self.file, "messages below 4 GiB", found)
        })?;
        self.bytes.clear();
        self.bytes.extend_from_slice(&length.to_le_bytes());
        message
            .encode(&mut self.bytes)
            .expect("a vector takes every message");
        self.target
            .write_all(&self.bytes)
            .map_err(|source| TraceError::caused_by(&self.file, "a place to write to", source))
    }

    pub(super) fn finish(mut self) -> Result<W, TraceError> {
        self.target
            .flush()
            .map_err(|source| TraceError::caused_by(&self.file, "a place to write to", source))?;
        Ok(self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Identifier;

    #[test]
    fn each_message_stands_behind_its_length() {
        let mut writer = SingleWriter::new(Path::new("a.osi"), Vec::new());
        let message = SensorData {
            sensor_id: Some(Identifier { value: Some(7) }),
            ..SensorData::default()
        };
        for message in [&message, &SensorData::default()] {
            writer.write(message).expect("a vector takes everything");
        }
        // Field 5 of two bytes: field 1 is the number 7.
        let expected = [4, 0, 0, 0, 5 << 3 | 2, 2, 1 << 3, 7, 0, 0, 0, 0];
        assert_eq!(writer.finish().expect("a vector is flushed"), expected);
    }
}
