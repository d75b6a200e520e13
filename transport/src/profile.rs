//! The profiles: where the header's fields lie and what the CRC covers.

pub(crate) mod codec {
    /// What a header says besides its CRC.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Fields {
        /// Bytes of the whole message.
        pub length: u32,
        /// Number of the message.
        pub counter: u32,
        /// Who sends what.
        pub data_id: u32,
    }

    /// Reads and writes a header. Outside of the crate nobody can name this trait, so the
    /// profiles are those of this file.
    pub trait Codec {
        /// Writes the fields and the CRC over everything else. The message has room for the header.
        fn seal(fields: Fields, message: &mut [u8]);

        /// The fields of a message whose CRC fits; `None` when it does not, or when the message
        /// is shorter than the header.
        fn open(message: &[u8]) -> Option<Fields>;
    }
}

use codec::{Codec, Fields};
use crc::{CRC_32_AUTOSAR, CRC_64_XZ, Crc, Table};

/// An E2E profile of AUTOSAR, with its header at the start of the message.
pub trait Profile: Codec + Copy {
    /// Name in messages to people.
    const NAME: &'static str;
    /// Bytes of the header.
    const HEADER_BYTES: usize;
    /// Most bytes of a message, header included, that the standard allows.
    const MAX_MESSAGE_BYTES: u32;
    /// The counter's largest value; 0 follows.
    const MAX_COUNTER: u32;
}

/// Profile 4, for messages up to 4 KiB.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 2 | length of the whole message |
/// | 2 | 2 | counter |
/// | 4 | 4 | data id |
/// | 8 | 4 | CRC-32/AUTOSAR over bytes 0 to 7 and 12 to the end |
///
/// All fields are big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile4 {}

/// Profile 7, for messages up to 4 MiB.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 8 | CRC-64/XZ over bytes 8 to the end |
/// | 8 | 4 | length of the whole message |
/// | 12 | 4 | counter |
/// | 16 | 4 | data id |
///
/// All fields are big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile7 {}

/// One kilobyte of table: messages of this profile are small.
static CRC_32: Crc<u32> = Crc::<u32>::new(&CRC_32_AUTOSAR);
/// Sixteen bytes a step, from 32 KiB of table: an output frame has 57 kB.
static CRC_64: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_XZ);

fn crc_32(before: &[u8], after: &[u8]) -> u32 {
    let mut digest = CRC_32.digest();
    digest.update(before);
    digest.update(after);
    digest.finalize()
}

impl Codec for Profile4 {
    fn seal(fields: Fields, message: &mut [u8]) {
        // A channel of this profile never exceeds 4096 bytes, and its counter wraps at 16 bits.
        message[0..2].copy_from_slice(&(fields.length as u16).to_be_bytes());
        message[2..4].copy_from_slice(&(fields.counter as u16).to_be_bytes());
        message[4..8].copy_from_slice(&fields.data_id.to_be_bytes());
        let crc = crc_32(&message[..8], &message[12..]);
        message[8..12].copy_from_slice(&crc.to_be_bytes());
    }

    fn open(message: &[u8]) -> Option<Fields> {
        let (before, rest) = message.split_first_chunk::<8>()?;
        let (crc, after) = rest.split_first_chunk::<4>()?;
        let [l0, l1, c0, c1, id @ ..] = *before;
        (u32::from_be_bytes(*crc) == crc_32(before, after)).then_some(Fields {
            length: u32::from(u16::from_be_bytes([l0, l1])),
            counter: u32::from(u16::from_be_bytes([c0, c1])),
            data_id: u32::from_be_bytes(id),
        })
    }
}

impl Profile for Profile4 {
    const NAME: &'static str = "profile 4";
    const HEADER_BYTES: usize = 12;
    const MAX_MESSAGE_BYTES: u32 = 4096;
    const MAX_COUNTER: u32 = u16::MAX as u32;
}

impl Codec for Profile7 {
    fn seal(fields: Fields, message: &mut [u8]) {
        message[8..12].copy_from_slice(&fields.length.to_be_bytes());
        message[12..16].copy_from_slice(&fields.counter.to_be_bytes());
        message[16..20].copy_from_slice(&fields.data_id.to_be_bytes());
        let crc = CRC_64.checksum(&message[8..]);
        message[0..8].copy_from_slice(&crc.to_be_bytes());
    }

    fn open(message: &[u8]) -> Option<Fields> {
        let (crc, covered) = message.split_first_chunk::<8>()?;
        let (length, rest) = covered.split_first_chunk::<4>()?;
        let (counter, rest) = rest.split_first_chunk::<4>()?;
        let (data_id, _payload) = rest.split_first_chunk::<4>()?;
        (u64::from_be_bytes(*crc) == CRC_64.checksum(covered)).then_some(Fields {
            length: u32::from_be_bytes(*length),
            counter: u32::from_be_bytes(*counter),
            data_id: u32::from_be_bytes(*data_id),
        })
    }
}

impl Profile for Profile7 {
    const NAME: &'static str = "profile 7";
    const HEADER_BYTES: usize = 20;
    const MAX_MESSAGE_BYTES: u32 = 4 * 1024 * 1024;
    const MAX_COUNTER: u32 = u32::MAX;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crcs_are_those_of_the_catalogue() {
        assert_eq!(CRC_32.checksum(b"123456789"), 0x1697_D06A);
        assert_eq!(CRC_64.checksum(b"123456789"), 0x995D_C9BB_DF19_39FA);
        assert_eq!(crc_32(b"1234", b"56789"), 0x1697_D06A);
    }

    fn opens_what_it_sealed<P: Profile>() {
        let mut message = vec![7; P::HEADER_BYTES + 5];
        let fields = Fields {
            length: message.len() as u32,
            counter: P::MAX_COUNTER,
            data_id: 0xFEDC_BA98,
        };
        P::seal(fields, &mut message);
        assert_eq!(P::open(&message), Some(fields));
        assert_eq!(&message[P::HEADER_BYTES..], [7; 5]);
        for length in 0..message.len() {
            assert_eq!(P::open(&message[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn fields_come_back_and_a_cut_message_does_not_open() {
        opens_what_it_sealed::<Profile4>();
        opens_what_it_sealed::<Profile7>();
    }
}
