//! The records of one chunk, which may be damaged or made to do damage.
//!
//! Not by `mcap`'s linear reader: it takes the length of a record in a plain chunk for true, even beyond
//! the end of the chunk.

use std::borrow::Cow;
use std::io::Read;

use mcap::records::{ChunkHeader, Record, op};
use mcap::{McapError, parse_record};

use super::reader::RECORD_LIMIT_BYTES;

/// Opcode and length before each record.
const RECORD_HEAD: usize = 9;

/// All records of a chunk, all or none: size and checksum are compared first.
pub(super) fn records_of_chunk(body: &[u8]) -> Result<Vec<Record<'static>>, McapError> {
    let Record::Chunk { header, data } = parse_record(op::CHUNK, body)? else {
        return Err(McapError::UnexpectedEoc);
    };
    let plain = decompressed(&header, data)?;
    let (saved, calculated) = (header.uncompressed_crc, crc32fast::hash(&plain));
    // Zero: the writer left it out.
    if saved != 0 && saved != calculated {
        return Err(McapError::BadChunkCrc { saved, calculated });
    }
    let mut records = Vec::new();
    let mut rest = plain.as_ref();
    while let Some((&[opcode, ref length @ ..], tail)) = rest.split_first_chunk::<RECORD_HEAD>() {
        let length = u64::from_le_bytes(*length);
        let record = usize::try_from(length)
            .ok()
            .and_then(|length| tail.split_at_checked(length));
        let (data, next) = record.ok_or(McapError::UnexpectedEoc)?;
        records.push(parse_record(opcode, data)?.into_owned());
        rest = next;
    }
    if rest.is_empty() {
        Ok(records)
    } else {
        Err(McapError::UnexpectedEoc)
    }
}

/// The bytes of a chunk. Memory is taken for what comes out, not for what the header says.
fn decompressed<'a>(header: &ChunkHeader, data: Cow<'a, [u8]>) -> Result<Cow<'a, [u8]>, McapError> {
    let expected = header.uncompressed_size;
    if expected > RECORD_LIMIT_BYTES as u64 {
        return Err(McapError::ChunkTooLarge(expected));
    }
    let plain = match header.compression.as_str() {
        "" => data,
        "zstd" => {
            let mut plain = Vec::new();
            zstd::Decoder::new(data.as_ref())?
                .take(expected + 1)
                .read_to_end(&mut plain)?;
            plain.into()
        }
        other => return Err(McapError::UnsupportedCompression(other.to_owned())),
    };
    let found = plain.len() as u64;
    if found == expected {
        Ok(plain)
    } else {
        let (header, available) = (expected, found);
        Err(McapError::BadChunkLength { header, available })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plain chunk without a checksum that holds one message record of stated length.
    fn chunk(compression: &str, stated_size: u64, record_length: u64, message: &[u8]) -> Vec<u8> {
        let mut records = vec![op::MESSAGE];
        records.extend(record_length.to_le_bytes());
        records.extend(message);
        let mut body = [1_u64, 2, stated_size].map(u64::to_le_bytes).concat();
        body.extend(0_u32.to_le_bytes());
        body.extend((compression.len() as u32).to_le_bytes());
        body.extend(compression.as_bytes());
        body.extend((records.len() as u64).to_le_bytes());
        body.extend(records);
        body
    }

    /// Channel 3, sequence 4, two times, no data.
    fn message() -> Vec<u8> {
        let mut message = vec![3, 0, 4, 0, 0, 0];
        message.extend([5_u64, 6].map(u64::to_le_bytes).concat());
        message
    }

    #[test]
    fn a_plain_chunk_gives_its_records() {
        let message = message();
        let length = message.len() as u64;
        let records = records_of_chunk(&chunk("", 9 + length, length, &message)).expect("sound");
        assert!(
            matches!(&records[..], [Record::Message { header, .. }] if header.channel_id == 3),
            "{records:?}"
        );
    }

    #[test]
    fn a_record_that_is_longer_than_its_chunk_is_damage() {
        let message = message();
        let size = 9 + message.len() as u64;
        for length in [message.len() as u64 + 1, u64::MAX, u64::MAX - 8] {
            let found = records_of_chunk(&chunk("", size, length, &message));
            assert!(matches!(found, Err(McapError::UnexpectedEoc)), "{found:?}");
        }
    }

    #[test]
    fn a_size_that_is_not_what_is_there_is_damage() {
        let message = message();
        let length = message.len() as u64;
        for stated in [0, length, 10 + length] {
            let found = records_of_chunk(&chunk("", stated, length, &message));
            assert!(
                matches!(found, Err(McapError::BadChunkLength { .. })),
                "{found:?}"
            );
        }
        let found = records_of_chunk(&chunk("", 1 << 40, length, &message));
        assert!(
            matches!(found, Err(McapError::ChunkTooLarge(_))),
            "{found:?}"
        );
    }

    #[test]
    fn other_compressions_are_told_apart_from_damage() {
        let message = message();
        let length = message.len() as u64;
        let found = records_of_chunk(&chunk("lz4", 9 + length, length, &message));
        assert!(
            matches!(&found, Err(McapError::UnsupportedCompression(name)) if name == "lz4"),
            "{found:?}"
        );
        let found = records_of_chunk(&chunk("zstd", 9 + length, length, &message));
        assert!(matches!(found, Err(McapError::Io(_))), "{found:?}");
    }
}
