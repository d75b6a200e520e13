//! Logs of others: other topics, `base_link` as the vehicle, one transform a message.

use std::path::PathBuf;

use bevrt_hil::logs::{LogWriter, encode_jpeg};
use bevrt_hil::source::{DriveEvent, DriveSource, LogDrive, LogDriveOptions};
use bevrt_runtime::{EgoMotionSource, Stamp};
use foxglove::bytes::Bytes;
use foxglove::messages::{
    CameraCalibration, CompressedImage, FrameTransform, Quaternion, Timestamp, Vector3,
};

const CAMERAS: [&str; 2] = ["CAM_BACK", "CAM_FRONT"];
const BEGIN_S: u32 = 1_532_402_927;

fn transform(stamp: Timestamp, parent: &str, child: &str, x: f64) -> FrameTransform {
    FrameTransform {
        timestamp: Some(stamp),
        parent_frame_id: parent.to_owned(),
        child_frame_id: child.to_owned(),
        translation: Some(Vector3 { x, y: 0.0, z: 1.5 }),
        rotation: Some(Quaternion {
            x: 0.5,
            y: -0.5,
            z: 0.5,
            w: -0.5,
        }),
    }
}

fn write(file: &PathBuf, format: &str, has_mounts: bool) {
    let mut writer = LogWriter::create(file).expect("the test folder is writable");
    let mut jpeg = Vec::new();
    encode_jpeg(&[90; 3 * 32 * 16], 32, 16, 90, &mut jpeg).expect("the size fits");
    for step in 0..4_u32 {
        let stamp = Timestamp::new(BEGIN_S + step, 500);
        let at = Stamp::from_nanoseconds(stamp.total_nanos() as i64);
        let pose = transform(stamp, "map", "base_link", f64::from(step));
        writer.write("/tf", at, at, &pose).expect("written");
        for camera in CAMERAS {
            if has_mounts {
                let mount = transform(stamp, "base_link", camera, 1.7);
                writer.write("/tf", at, at, &mount).expect("written");
            }
            let calibration = CameraCalibration {
                timestamp: Some(stamp),
                frame_id: camera.to_owned(),
                width: 32,
                height: 16,
                k: vec![25.0, 0.0, 15.5, 0.0, 25.0, 7.5, 0.0, 0.0, 1.0],
                ..CameraCalibration::default()
            };
            let topic = format!("/{camera}/camera_info");
            writer.write(&topic, at, at, &calibration).expect("written");
            let image = CompressedImage {
                timestamp: Some(stamp),
                frame_id: camera.to_owned(),
                data: Bytes::from(jpeg.clone()),
                format: format.to_owned(),
            };
            let topic = format!("/{camera}/image_rect_compressed");
            writer.write(&topic, at, at, &image).expect("written");
        }
    }
    writer.finish().expect("written");
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn cameras_and_poses_are_found_by_their_schemas() {
    let file = file("foreign.mcap");
    write(&file, "jpeg", true);
    let mut drive = LogDrive::open(&file, LogDriveOptions::default()).expect("it is sound");
    assert_eq!(drive.ego_motion(), EgoMotionSource::Poses);
    assert_eq!(drive.rig().reference_camera().name, "CAM_FRONT");
    let (mut images, mut poses) = (0, Vec::new());
    while let Some(event) = drive.next_event().expect("it is sound") {
        match event {
            DriveEvent::Image(image) => {
                assert_eq!((image.image.width(), image.image.height()), (32, 16));
                assert_eq!(image.stamp.nanoseconds() % 1_000_000_000, 500);
                images += 1;
            }
            DriveEvent::Pose { odom_from_ego, .. } => poses.push(odom_from_ego.translation().x),
            DriveEvent::VehicleMotion { .. } | DriveEvent::Truth(_) => panic!("there is none"),
        }
    }
    assert_eq!(images, 8);
    assert_eq!(poses, [0.0, 1.0, 2.0, 3.0]);
}

#[test]
fn pictures_in_another_format_are_refused_with_topic_and_time() {
    let file = file("webp.mcap");
    write(&file, "webp", true);
    let mut drive = LogDrive::open(&file, LogDriveOptions::default()).expect("the frame is sound");
    let error = loop {
        match drive.next_event() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the format went unnoticed"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(
        error.contains("/CAM_BACK/image_rect_compressed at 1532402927."),
        "{error}"
    );
    assert!(error.contains("\"webp\""), "{error}");
}

#[test]
fn a_camera_without_a_mount_is_refused_by_name() {
    let file = file("no_mounts.mcap");
    write(&file, "jpeg", false);
    let error = LogDrive::open(&file, LogDriveOptions::default())
        .err()
        .expect("no mounts");
    assert!(error.to_string().contains("\"CAM_BACK\""), "{error}");
}
