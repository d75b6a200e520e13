//! One training sample as a message: a JSON header and raw little-endian arrays.
//!
//! Form 2. Layout: u32 bytes that follow, u32 header bytes, header JSON, then the arrays, each on a multiple of 8 bytes from the
//! end of the padded header. `models/bevrt_models/stream.py` is the reader.

use bevrt_calibration::Pose;
use std::io::{self, Write};
use zerocopy::{Immutable, IntoBytes};

/// The form of messages, in every header. Form 1 had no such number and no mask.
const FORM: u32 = 2;

/// What a message is of.
pub struct Header<'a> {
    /// Which of the drives that take turns.
    pub drive: usize,
    /// Seed of the simulated drive, or place of the scene in its table.
    pub seed: u64,
    /// Steps of the drive before this one.
    pub step: u64,
    /// When the reference camera exposed.
    pub stamp_ns: i64,
    /// What the arrays do not tell: tasks, or `task.value`, by the names of the trainer's losses.
    pub masked: &'a [&'static str],
}

/// Collects the arrays of a message; reused from sample to sample.
#[derive(Default)]
pub struct Message {
    arrays: Vec<serde_json::Value>,
    body: Vec<u8>,
}

/// Element types that the reader knows.
pub trait Element: IntoBytes + Immutable {
    /// Name of the type in the header.
    const NAME: &'static str;
}

impl Element for u8 {
    const NAME: &'static str = "u8";
}

impl Element for i32 {
    const NAME: &'static str = "i32";
}

impl Element for f32 {
    const NAME: &'static str = "f32";
}

impl Element for f64 {
    const NAME: &'static str = "f64";
}

impl Message {
    /// Forgets the arrays of the last sample.
    pub fn clear(&mut self) {
        self.arrays.clear();
        self.body.clear();
    }

    /// Appends an array.
    pub fn push<T: Element>(&mut self, name: &str, shape: &[usize], values: &[T]) {
        debug_assert_eq!(shape.iter().product::<usize>(), values.len());
        let offset = self.body.len().next_multiple_of(8);
        self.body.resize(offset, 0);
        self.body.extend_from_slice(values.as_bytes());
        self.arrays.push(serde_json::json!({
            "name": name, "dtype": T::NAME, "shape": shape, "offset": offset,
        }));
    }

    /// Appends a pose as a matrix.
    pub fn push_pose<To, From>(&mut self, name: &str, pose: &Pose<To, From>) {
        let rows = pose.as_isometry().to_homogeneous().transpose();
        self.push(name, &[4, 4], rows.as_slice());
    }

    /// Writes the message.
    ///
    /// # Errors
    /// Those of the writer; a closed pipe is `BrokenPipe`.
    pub fn write(&mut self, header: &Header<'_>, out: &mut impl Write) -> io::Result<()> {
        let mut header = serde_json::json!({
            "form": FORM, "drive": header.drive, "seed": header.seed, "step": header.step,
            "new_drive": header.step == 0, "stamp_ns": header.stamp_ns, "masked": header.masked,
            "arrays": std::mem::take(&mut self.arrays),
        })
        .to_string();
        header.extend(std::iter::repeat_n(
            ' ',
            header.len().next_multiple_of(8) - header.len(),
        ));
        let length = |bytes: usize| u32::try_from(bytes).map_err(io::Error::other);
        out.write_all(&length(4 + header.len() + self.body.len())?.to_le_bytes())?;
        out.write_all(&length(header.len())?.to_le_bytes())?;
        out.write_all(header.as_bytes())?;
        out.write_all(&self.body)?;
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_start_on_multiples_of_eight_behind_the_header() {
        let mut message = Message::default();
        message.push("levels", &[3], &[1u8, 2, 3]);
        message.push("poses", &[2], &[1.5f64, 2.5]);
        let mut bytes = Vec::new();
        let header = Header {
            drive: 1,
            seed: 7,
            step: 4,
            stamp_ns: 2_000_000_000,
            masked: &["depth"],
        };
        message
            .write(&header, &mut bytes)
            .expect("a vector takes all");
        let number = |at: usize| {
            u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
        };
        assert_eq!(number(0) + 4, bytes.len());
        let body = 8 + number(4);
        let header: serde_json::Value = serde_json::from_slice(&bytes[8..body]).expect("JSON");
        assert_eq!((&header["form"], &header["step"]), (&2.into(), &4.into()));
        assert_eq!(header["new_drive"], false);
        assert_eq!(header["masked"], serde_json::json!(["depth"]));
        assert_eq!(header["arrays"][1]["offset"], 8);
        assert_eq!(&bytes[body..body + 3], &[1, 2, 3]);
        assert_eq!(bytes[body + 8..body + 16], 1.5f64.to_le_bytes());
    }
}
