use std::io::Cursor;

use super::*;
use crate::trace::UtcTime;

fn info() -> TraceInfo {
    TraceInfo {
        description: "two frames".to_owned(),
        data_sources: "a test".to_owned(),
        creation_time: UtcTime::from_unix_seconds(1_629_299_142),
    }
}

fn writer() -> McapWriter<Cursor<Vec<u8>>> {
    let target = Cursor::new(Vec::new());
    McapWriter::new(Path::new("a.mcap"), target, &info()).expect("a vector takes everything")
}

fn at(seconds: i64, nanos: u32) -> SensorData {
    SensorData {
        timestamp: Some(Timestamp {
            seconds: Some(seconds),
            nanos: Some(nanos),
        }),
        ..SensorData::default()
    }
}

#[test]
fn a_trace_holds_metadata_schema_channel_and_messages() {
    let mut writer = writer();
    let messages = [at(3, 4), at(4, 0)];
    for message in &messages {
        writer.write(message).expect("the times are possible");
    }
    let bytes = writer.finish().expect("a vector is flushed").into_inner();

    let summary = mcap::Summary::read(&bytes)
        .expect("it is MCAP")
        .expect("it has an index");
    let [index] = &summary.metadata_indexes[..] else {
        panic!("{:?}", summary.metadata_indexes);
    };
    assert_eq!(index.name, "net.asam.osi.trace");
    assert!(
        summary
            .chunk_indexes
            .iter()
            .all(|c| c.compression == "zstd")
    );

    let read: Vec<mcap::Message<'_>> = mcap::MessageStream::new(&bytes)
        .expect("it is MCAP")
        .collect::<Result<_, _>>()
        .expect("it is sound");
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].publish_time, 3_000_000_004);
    assert_eq!(read[0].log_time, read[0].publish_time);
    let channel = &read[0].channel;
    assert_eq!(channel.message_encoding, "protobuf");
    assert_eq!(
        channel.metadata["net.asam.osi.trace.channel.osi_version"],
        "3.8.0"
    );
    let schema = channel.schema.as_ref().expect("the channel has a schema");
    assert_eq!(
        (&*schema.name, &*schema.encoding),
        ("osi3.SensorData", "protobuf")
    );
    for (read, written) in read.iter().zip(&messages) {
        assert_eq!(
            &SensorData::decode(&*read.data).expect("it is a message"),
            written
        );
    }
}

#[test]
fn times_before_zero_and_no_times_are_refused() {
    let mut writer = writer();
    for message in [at(-1, 0), at(i64::MAX, 0), SensorData::default()] {
        let error = writer.write(&message).expect_err("MCAP counts from 0");
        assert!(
            error.to_string().contains("a.mcap: expected timestamps"),
            "{error}"
        );
    }
}

#[test]
fn the_version_of_prost_is_that_of_the_lock_file() {
    let lock = include_str!("../../../../Cargo.lock");
    let entry = format!("name = \"prost\"\nversion = \"{PROTOBUF_VERSION}\"\n");
    assert!(
        lock.contains(&entry),
        "expected prost {PROTOBUF_VERSION} in Cargo.lock"
    );
}
