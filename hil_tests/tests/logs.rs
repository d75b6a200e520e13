//! Logs: what is written is read again, and damage is told.

use std::path::PathBuf;

use bevrt_calibration::{Ego, Pose, World, rigs};
use bevrt_hil::logs::{
    FRAME_ENCODING, JpegDecoder, LogReader, LogWriter, TOPIC_FRAME, TOPIC_TRUTH,
    TOPIC_VEHICLE_MOTION, VehicleMotionRecord,
};
use bevrt_hil::{FrameTruth, ObjectTruth};
use bevrt_runtime::{OutputFrame, OutputObject, Stamp};
use foxglove::Decode;
use foxglove::messages::{CompressedImage, SceneUpdate};

fn at(milliseconds: i64) -> Stamp {
    Stamp::from_nanoseconds(milliseconds * 1_000_000)
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("the test folder is writable");
    folder
}

fn truth(stamp: Stamp) -> FrameTruth {
    FrameTruth {
        stamp_ns: stamp.nanoseconds(),
        objects: vec![ObjectTruth {
            class: 6,
            track_id: 77,
            position_m: [1.0, 0.1 + 0.2, 3e-9],
            size_m: [0.6, 0.6, 1.7],
            yaw_rad: -1.0,
            velocity_mps: Some([1.0, 0.0]),
            yaw_rate_radps: 0.0,
            visible_fraction: 0.75,
            visible_pixels: 80.0,
            counts: true,
            is_occluded: false,
        }],
        ..FrameTruth::default()
    }
}

fn frame(now: Stamp) -> Box<OutputFrame> {
    let mut frame = OutputFrame::boxed();
    frame.stamp_ns = now.nanoseconds() - 50_000_000;
    frame.now_ns = now.nanoseconds();
    let object = OutputObject {
        id: 9,
        confidence: 0.5,
        length_m: 4.0,
        ..OutputObject::EMPTY
    };
    frame.try_push_object(object).expect("there is room");
    frame
}

fn write_log(file: &PathBuf) {
    let rig = rigs::six_pinhole();
    let mut writer = LogWriter::create(file).expect("the folder is writable");
    writer.write_rig(&rig, at(0)).expect("written");
    for step in 0..20_i64 {
        let time = 100 + 100 * step;
        // The arrivals are not in the order of the calls.
        for (camera, delay) in rig.cameras().iter().zip([40, 10, 50, 20, 30, 60]) {
            let rgb = vec![(step * 10) as u8; 64 * 48 * 3];
            writer
                .write_image(&camera.name, at(time), at(time + delay), &rgb, [64, 48])
                .expect("written");
        }
        let record = VehicleMotionRecord {
            stamp_ns: at(time).nanoseconds(),
            speed_mps: 0.1 * step as f64,
            yaw_rate_radps: 1.0 / 3.0,
        };
        writer
            .write_vehicle_motion(at(time + 5), &record)
            .expect("written");
        writer
            .write_pose(at(time), &Pose::<World, Ego>::identity())
            .expect("written");
        writer.write_truth(&truth(at(time))).expect("written");
        writer.write_frame(&frame(at(time + 90))).expect("written");
    }
    writer.finish().expect("written");
}

#[test]
fn messages_come_back_in_the_order_of_arrival() {
    let file = folder("order").join("log.mcap");
    write_log(&file);
    let reader = LogReader::open(&file).expect("we wrote it");
    assert_eq!(reader.topics().len(), 6 + 6 + 8);
    assert_eq!(
        reader.log_times_ns(),
        Some((0, at(2000 + 90).nanoseconds() as u64))
    );
    let mut messages = reader.messages(|_| true).expect("the index is sound");
    let (mut count, mut last) = (0, 0);
    while let Some(message) = messages.next_message().expect("the log is sound") {
        assert!(message.log_time_ns >= last);
        last = message.log_time_ns;
        count += 1;
    }
    assert_eq!(count, 7 + 20 * (6 + 1 + 2 + 2 + 2));
}

#[test]
fn contents_come_back_unchanged() {
    let file = folder("contents").join("log.mcap");
    write_log(&file);
    let reader = LogReader::open(&file).expect("we wrote it");
    let mut messages = reader.messages(|_| true).expect("the index is sound");
    let mut decoder = JpegDecoder::default();
    let mut seen = [0; 5];
    while let Some(message) = messages.next_message().expect("the log is sound") {
        match (message.topic, message.schema) {
            (_, "foxglove.CompressedImage") => {
                let image = CompressedImage::decode(message.data).expect("we wrote it");
                let stamp = image.timestamp.expect("it has one").total_nanos();
                assert!(message.log_time_ns > stamp, "arrival follows exposure");
                let picture = decoder.decode(&image.data).expect("we wrote it");
                assert_eq!((picture.width, picture.height), (64, 48));
                let level = ((stamp / 100_000_000 - 1) * 10) as u8;
                assert!(picture.bytes.iter().all(|byte| byte.abs_diff(level) <= 2));
                seen[0] += 1;
            }
            (TOPIC_VEHICLE_MOTION, _) => {
                let record: VehicleMotionRecord =
                    serde_json::from_slice(message.data).expect("we wrote it");
                assert_eq!(record.yaw_rate_radps, 1.0 / 3.0);
                seen[1] += 1;
            }
            (TOPIC_TRUTH, _) => {
                let read: FrameTruth = serde_json::from_slice(message.data).expect("we wrote it");
                assert_eq!(read, truth(Stamp::from_nanoseconds(read.stamp_ns)));
                seen[2] += 1;
            }
            (TOPIC_FRAME, _) => {
                assert_eq!(message.encoding, FRAME_ENCODING);
                let now = Stamp::from_nanoseconds(message.log_time_ns as i64);
                assert_eq!(message.data, frame(now).as_frame_bytes());
                seen[3] += 1;
            }
            (_, "foxglove.SceneUpdate") => {
                let scene = SceneUpdate::decode(message.data).expect("we wrote it");
                assert_eq!(scene.entities.len(), 1);
                assert_eq!(scene.entities[0].cubes.len(), 1);
                seen[4] += 1;
            }
            _ => {}
        }
    }
    assert_eq!(seen, [120, 20, 20, 20, 40]);
}

#[test]
fn topics_can_be_chosen() {
    let file = folder("chosen").join("log.mcap");
    write_log(&file);
    let reader = LogReader::open(&file).expect("we wrote it");
    let count = |wanted: &dyn Fn(&str) -> bool| {
        let mut messages = reader
            .messages(|topic| wanted(&topic.topic))
            .expect("sound");
        let mut count = 0;
        while messages.next_message().expect("sound").is_some() {
            count += 1;
        }
        count
    };
    assert_eq!(count(&|topic| topic == TOPIC_FRAME), 20);
    assert_eq!(count(&|_| false), 0);
}

#[test]
fn damage_is_told_with_the_file() {
    let folder = folder("damage");
    let whole = folder.join("whole.mcap");
    write_log(&whole);
    let bytes = std::fs::read(&whole).expect("we wrote it");

    let missing = LogReader::open(folder.join("missing.mcap"))
        .err()
        .expect("there is none");
    assert!(missing.to_string().contains("missing.mcap"), "{missing}");

    let foreign = folder.join("foreign.mcap");
    std::fs::write(
        &foreign,
        b"not a log, by far, not at all, not one single byte of it",
    )
    .expect("writable");
    let error = LogReader::open(&foreign).err().expect("it is no log");
    assert!(error.to_string().contains("an MCAP file"), "{error}");

    let cut = folder.join("cut.mcap");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).expect("writable");
    assert!(LogReader::open(&cut).is_err());

    let flipped = folder.join("flipped.mcap");
    let mut bytes = bytes;
    for byte in &mut bytes[2000..2400] {
        *byte ^= 0xff;
    }
    std::fs::write(&flipped, &bytes).expect("writable");
    let reader = LogReader::open(&flipped).expect("the index is whole");
    let mut messages = reader.messages(|_| true).expect("the index is whole");
    let error = loop {
        match messages.next_message() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the damage went unnoticed"),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("flipped.mcap"), "{error}");
}

#[test]
fn an_index_that_claims_more_than_the_file_has_takes_no_memory() {
    let file = folder("claims").join("log.mcap");
    write_log(&file);
    let mut bytes = std::fs::read(&file).expect("we wrote it");
    // The last chunk index: the length of its chunk stands behind the name of the compression.
    let name = b"\x04\0\0\0zstd";
    let at = bytes.windows(name.len()).rposition(|window| window == name);
    let at = at.expect("chunks are compressed") + name.len();
    bytes[at..at + 8].copy_from_slice(&(400_u64 << 20).to_le_bytes());
    // No checksum of the index: that of the footer, before the last magic number.
    let end = bytes.len();
    bytes[end - 12..end - 8].fill(0);
    std::fs::write(&file, &bytes).expect("writable");
    let reader = LogReader::open(&file).expect("the index has its form");
    let mut messages = reader.messages(|_| true).expect("the index has its form");
    let error = loop {
        match messages.next_message() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the damage went unnoticed"),
            Err(error) => break error,
        }
    };
    let size = format!("a file of {end} bytes");
    assert!(error.to_string().contains(&size), "{error}");
}

#[test]
fn times_before_the_origin_are_refused() {
    let file = folder("negative").join("log.mcap");
    let mut writer = LogWriter::create(&file).expect("the folder is writable");
    let error = writer
        .write_truth(&truth(at(-5)))
        .expect_err("it lies before the origin");
    assert!(error.to_string().contains("-5000000 ns"), "{error}");
    assert_eq!(error.topic(), Some("/ground_truth"));
}
