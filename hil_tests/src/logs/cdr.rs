//! Common Data Representation, as ROS 2 writes messages: primitives aligned to their size, counted
//! from behind a header of four bytes that tells the byte order.

use std::fmt;

/// Why bytes are no message of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CdrError {
    /// The header is none of plain CDR.
    Header {
        /// Its first two bytes.
        found: [u8; 2],
    },
    /// The bytes end before the message does.
    Short {
        /// Bytes that were needed in all.
        expected: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// A text is not UTF-8.
    Text,
}

impl fmt::Display for CdrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { found } => {
                write!(
                    f,
                    "expected the header of CDR, 00 00 or 00 01, found {found:02x?}"
                )
            }
            Self::Short { expected, found } => {
                write!(f, "expected at least {expected} bytes, found {found}")
            }
            Self::Text => f.write_str("expected text in UTF-8, found other bytes"),
        }
    }
}

impl std::error::Error for CdrError {}

/// Reads a message field by field.
pub struct CdrReader<'a> {
    /// Behind the header.
    bytes: &'a [u8],
    place: usize,
    is_little_endian: bool,
}

const HEADER_BYTES: usize = 4;

impl<'a> CdrReader<'a> {
    /// Begins behind the header.
    ///
    /// # Errors
    /// There is none, or another than that of plain CDR.
    pub fn new(message: &'a [u8]) -> Result<Self, CdrError> {
        let Some((header, bytes)) = message.split_at_checked(HEADER_BYTES) else {
            return Err(CdrError::Short {
                expected: HEADER_BYTES,
                found: message.len(),
            });
        };
        let is_little_endian = match [header[0], header[1]] {
            [0, 0] => false,
            [0, 1] => true,
            found => return Err(CdrError::Header { found }),
        };
        Ok(Self {
            bytes,
            place: 0,
            is_little_endian,
        })
    }

    /// One byte.
    ///
    /// # Errors
    /// The message is too short, as everywhere here.
    pub fn u8(&mut self) -> Result<u8, CdrError> {
        Ok(self.take(1)?[0])
    }

    /// A signed number of 32 bits.
    ///
    /// # Errors
    /// See [`Self::u8`].
    pub fn i32(&mut self) -> Result<i32, CdrError> {
        self.u32().map(u32::cast_signed)
    }

    /// A number of 32 bits.
    ///
    /// # Errors
    /// See [`Self::u8`].
    pub fn u32(&mut self) -> Result<u32, CdrError> {
        let bytes = self.aligned()?;
        Ok(if self.is_little_endian {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }

    /// A floating point number of 64 bits.
    ///
    /// # Errors
    /// See [`Self::u8`].
    pub fn f64(&mut self) -> Result<f64, CdrError> {
        let bytes = self.aligned()?;
        Ok(if self.is_little_endian {
            f64::from_le_bytes(bytes)
        } else {
            f64::from_be_bytes(bytes)
        })
    }

    /// As many of them.
    ///
    /// # Errors
    /// See [`Self::u8`].
    pub fn f64s(&mut self, count: usize) -> Result<Vec<f64>, CdrError> {
        self.expect(count.saturating_mul(size_of::<f64>()))?;
        (0..count).map(|_| self.f64()).collect()
    }

    /// A length, then bytes.
    ///
    /// # Errors
    /// See [`Self::u8`].
    pub fn bytes(&mut self) -> Result<&'a [u8], CdrError> {
        let length = self.u32()? as usize;
        self.take(length)
    }

    /// A length, then text with a zero behind it.
    ///
    /// # Errors
    /// See [`Self::u8`]; or it is not UTF-8.
    pub fn text(&mut self) -> Result<&'a str, CdrError> {
        let bytes = self.bytes()?;
        let text = bytes.strip_suffix(&[0]).unwrap_or(bytes);
        std::str::from_utf8(text).map_err(|_invalid| CdrError::Text)
    }

    fn aligned<const N: usize>(&mut self) -> Result<[u8; N], CdrError> {
        self.place = self.place.next_multiple_of(N);
        let bytes = self.take(N)?;
        Ok(bytes.try_into().expect("as many were taken"))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], CdrError> {
        self.expect(length)?;
        let bytes = &self.bytes[self.place..self.place + length];
        self.place += length;
        Ok(bytes)
    }

    fn expect(&self, length: usize) -> Result<(), CdrError> {
        let expected = self.place.saturating_add(length);
        if expected <= self.bytes.len() {
            Ok(())
        } else {
            Err(CdrError::Short {
                expected: expected.saturating_add(HEADER_BYTES),
                found: self.bytes.len() + HEADER_BYTES,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_aligned_and_of_either_byte_order() {
        let little = [0, 1, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, b'a', 0, 0, 0];
        let mut reader = CdrReader::new(&little).expect("little endian");
        assert_eq!(reader.u8(), Ok(7));
        assert_eq!(reader.text(), Ok("a"));
        let mut big = vec![0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        big.extend(2.5_f64.to_be_bytes());
        let mut reader = CdrReader::new(&big).expect("big endian");
        assert_eq!((reader.u8(), reader.f64()), (Ok(1), Ok(2.5)));
    }

    #[test]
    fn what_is_short_or_strange_is_refused() {
        let header = CdrReader::new(&[0, 7, 0, 0]).err();
        assert_eq!(header, Some(CdrError::Header { found: [0, 7] }));
        assert!(CdrReader::new(&[0, 1]).is_err());
        let mut reader = CdrReader::new(&[0, 1, 0, 0, 255, 255, 255, 255, 1]).expect("a header");
        let short = CdrError::Short {
            expected: 8 + u32::MAX as usize,
            found: 9,
        };
        assert_eq!(reader.bytes(), Err(short));
        let mut reader = CdrReader::new(&[0, 1, 0, 0]).expect("a header");
        assert!(reader.f64s(usize::MAX).is_err());
        let bad = [0, 1, 0, 0, 2, 0, 0, 0, 0xff, 0];
        assert_eq!(
            CdrReader::new(&bad).and_then(|mut r| r.text()),
            Err(CdrError::Text)
        );
    }
}
