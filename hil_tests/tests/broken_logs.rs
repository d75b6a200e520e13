//! Logs without an index, broken off, damaged, or no logs at all; and parts of logs, several times.

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use bevrt_calibration::rigs;
use bevrt_hil::logs::LogWriter;
use bevrt_hil::logs::VehicleMotionRecord;
use bevrt_hil::source::{
    DriveEvent, DriveSource, LogDrive, LogDriveOptions, LoopedDrive, scaled_rig,
};
use bevrt_runtime::{Manifest, Span, Stamp};

const FRAMES: i64 = 60;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Six seconds of six small cameras and speeds, in noise so that it takes several chunks.
fn written(name: &str) -> PathBuf {
    let file = file(name);
    let manifest = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../models/packages/tiny/manifest.toml"
    );
    let manifest = Manifest::from_toml_file(manifest.as_ref()).expect("it ships");
    let rig = scaled_rig(&rigs::six_pinhole(), manifest.preprocess(), 1);
    let mut writer = LogWriter::create(&file).expect("the test folder is writable");
    let begin = Stamp::from_nanoseconds(1_000_000_000);
    writer.write_rig(&rig, begin).expect("written");
    let mut random = 1_u64;
    for frame in 0..FRAMES {
        let stamp = begin + Span::from_milliseconds(100 * frame);
        for camera in rig.cameras() {
            let size = [camera.intrinsics.width(), camera.intrinsics.height()];
            let rgb: Vec<u8> = (0..3 * size[0] * size[1])
                .map(|_| {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    (random >> 56) as u8
                })
                .collect();
            writer
                .write_image(&camera.name, stamp, stamp, &rgb, size)
                .expect("written");
        }
        let record = VehicleMotionRecord {
            stamp_ns: stamp.nanoseconds(),
            speed_mps: 5.0,
            yaw_rate_radps: 0.0,
        };
        writer
            .write_vehicle_motion(stamp, &record)
            .expect("written");
    }
    writer.finish().expect("written");
    file
}

/// Arrivals of images.
fn images(drive: &mut dyn DriveSource) -> Vec<i64> {
    let mut arrivals = Vec::new();
    while let Some(event) = drive.next_event().expect("it goes on") {
        if let DriveEvent::Image(image) = event {
            arrivals.push(image.arrival.nanoseconds());
        }
    }
    arrivals
}

fn open(path: &PathBuf, options: LogDriveOptions) -> LogDrive {
    LogDrive::open(path, options).expect("it is read")
}

#[test]
fn a_log_from_a_pipe_gives_what_the_file_gives() {
    let file = written("piped.mcap");
    let of_file = images(&mut open(&file, LogDriveOptions::default()));
    let bytes = fs::read(&file).expect("we wrote it");
    let input = Box::new(Cursor::new(bytes));
    let mut piped =
        LogDrive::from_stream("pipe", input, LogDriveOptions::default()).expect("it is read");
    assert_eq!(images(&mut piped), of_file);
    assert_eq!(of_file.len(), 6 * FRAMES as usize);
    assert_eq!(piped.remarks(), Vec::<String>::new());
}

#[test]
fn a_log_that_breaks_off_is_read_as_far_as_it_goes_and_says_so() {
    let whole = written("whole.mcap");
    let bytes = fs::read(&whole).expect("we wrote it");
    let cut = file("cut.mcap");
    fs::write(&cut, &bytes[..bytes.len() * 3 / 4]).expect("the test folder is writable");
    let mut drive = open(&cut, LogDriveOptions::default());
    let count = images(&mut drive).len();
    assert!((150..360).contains(&count), "{count} of 360 images");
    let remarks = drive.remarks().join("; ");
    assert!(
        remarks.contains("no index") && remarks.contains("breaks off"),
        "{remarks}"
    );
}

#[test]
fn a_damaged_chunk_is_left_out_and_said() {
    let whole = written("sound.mcap");
    let mut bytes = fs::read(&whole).expect("we wrote it");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    let input = Box::new(Cursor::new(bytes));
    let mut drive =
        LogDrive::from_stream("pipe", input, LogDriveOptions::default()).expect("it is read");
    let count = images(&mut drive).len();
    assert!((100..360).contains(&count), "{count} of 360 images");
    let remarks = drive.remarks();
    assert_eq!(remarks, ["1 damaged chunks left out"]);
}

#[test]
fn what_is_no_log_is_refused_by_name() {
    let path = file("no_log.mcap");
    fs::write(
        &path,
        b"this is a text, and a long one at that, but it is no log at all",
    )
    .expect("the test folder is writable");
    let refused = LogDrive::open(&path, LogDriveOptions::default()).err();
    let text = refused.expect("it is a text").to_string();
    assert!(
        text.contains("no_log.mcap") && text.contains("MCAP"),
        "{text}"
    );
    let missing = LogDrive::open(file("not_there.mcap"), LogDriveOptions::default()).err();
    let text = missing.expect("it is not there").to_string();
    assert!(text.contains("not_there.mcap"), "{text}");
}

#[test]
fn a_part_of_a_log_is_the_same_with_and_without_an_index() {
    let file = written("part.mcap");
    let part = LogDriveOptions {
        from_s: Some(2.0),
        to_s: Some(3.5),
        ..LogDriveOptions::default()
    };
    let of_file = images(&mut open(&file, part.clone()));
    assert_eq!(of_file.len(), 6 * 15);
    assert_eq!(of_file[0], 3_000_000_000);
    let bytes = Box::new(Cursor::new(fs::read(&file).expect("we wrote it")));
    let mut piped = LogDrive::from_stream("pipe", bytes, part).expect("it is read");
    assert_eq!(images(&mut piped), of_file);
}

#[test]
fn a_looped_drive_carries_its_stamps_on() {
    let file = written("looped.mcap");
    let part = LogDriveOptions {
        to_s: Some(1.0),
        ..LogDriveOptions::default()
    };
    let open = || LogDrive::open(&file, part.clone());
    let mut drive = LoopedDrive::new(3, open).expect("it is read");
    let arrivals = images(&mut drive);
    assert_eq!(arrivals.len(), 3 * 6 * 10);
    assert!(arrivals.is_sorted());
    let span = arrivals[arrivals.len() - 1] - arrivals[0];
    assert_eq!(span, 2_900_000_000, "ten sets a second without a gap");
}
