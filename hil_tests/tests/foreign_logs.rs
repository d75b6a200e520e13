//! Logs of others: other topics, `base_link` as the vehicle, one transform a message.

#[path = "drives/model.rs"]
mod model;
#[path = "faults/stand_in.rs"]
mod stand_in;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

use bevrt_hil::logs::{LogWriter, encode_jpeg};
use bevrt_hil::replay::{ReplayFrame, ReplayVisitor, VisitorError, replay};
use bevrt_hil::source::{DriveEvent, DriveSource, LogDrive, LogDriveOptions};
use bevrt_runtime::{CameraState, EgoMotionSource, Stamp};
use foxglove::Encode;
use foxglove::bytes::Bytes;
use foxglove::messages::{
    CameraCalibration, CompressedImage, FrameTransform, PointCloud, PoseInFrame, Quaternion,
    Timestamp, Vector3,
};
use mcap::records::MessageHeader;

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

/// A log in the form of the public nuScenes-to-MCAP converter: frames in lower case, a key frame each
/// half second whose images are logged at the lidar's stamp, images between them at their own, a pose of
/// the vehicle for each sensor, a pose in the vehicle's own frame to look at, odometry as JSON, and
/// sensors that are not read.
struct Converted {
    writer: mcap::Writer<BufWriter<File>>,
    channels: BTreeMap<String, u16>,
    jpegs: Vec<Vec<u8>>,
}

/// Cameras with their exposure against the lidar's stamp, milliseconds.
const CONVERTED: [(&str, i64); 3] = [
    ("CAM_FRONT", -35),
    ("CAM_BACK", 12),
    ("CAM_FRONT_LEFT", -43),
];

/// Images of a camera from key frame to key frame.
const SWEEPS: usize = 5;

impl Converted {
    fn write(&mut self, topic: &str, schema: &str, encoding: &str, at_ns: i64, data: &[u8]) {
        let known = self.channels.get(topic).copied();
        let channel_id = known.unwrap_or_else(|| {
            let kind = if encoding == "json" {
                "jsonschema"
            } else {
                encoding
            };
            let schema = self.writer.add_schema(schema, kind, b"").expect("written");
            let empty = BTreeMap::new();
            let id = self.writer.add_channel(schema, topic, encoding, &empty);
            *self
                .channels
                .entry(topic.to_owned())
                .or_insert(id.expect("written"))
        });
        let header = MessageHeader {
            channel_id,
            sequence: 0,
            log_time: at_ns as u64,
            publish_time: at_ns as u64,
        };
        let written = self.writer.write_to_known_channel(&header, data);
        written.expect("written");
    }

    fn message<M: Encode>(&mut self, topic: &str, at_ns: i64, message: &M) {
        let schema = M::get_schema().expect("Foxglove's have one");
        let mut data = Vec::new();
        message.encode(&mut data).expect("there is room");
        self.write(topic, &schema.name, "protobuf", at_ns, &data);
    }

    fn key_frame(&mut self, step: usize) {
        let lidar_ns = lidar_ns(step);
        self.message("/tf", lidar_ns, &vehicle(lidar_ns));
        let mount = transform(timestamp(lidar_ns), "base_link", "lidar_top", 0.9);
        self.message("/tf", lidar_ns, &mount);
        let cloud = PointCloud {
            timestamp: Some(timestamp(lidar_ns)),
            frame_id: "lidar_top".to_owned(),
            ..PointCloud::default()
        };
        self.message("/LIDAR_TOP", lidar_ns, &cloud);
        let pose = PoseInFrame {
            timestamp: Some(timestamp(lidar_ns)),
            frame_id: "base_link".to_owned(),
            pose: None,
        };
        self.message("/pose", lidar_ns, &pose);
        let odometry = br#"{"pos": [1e6, 0.0, 0.0], "vel": [99.0, 0.0, 0.0]}"#;
        self.write("/odom", "Pose", "json", lidar_ns, odometry);
        for sweep in 0..SWEEPS {
            for (index, (channel, after_ms)) in CONVERTED.into_iter().enumerate() {
                let exposed_ns = lidar_ns + 1_000_000 * (100 * sweep as i64 + after_ms);
                let logged_ns = if sweep == 0 { lidar_ns } else { exposed_ns };
                let picture = (SWEEPS * step + sweep + index) % self.jpegs.len();
                self.camera(channel, exposed_ns, logged_ns, picture);
            }
        }
    }

    fn camera(&mut self, channel: &str, exposed_ns: i64, logged_ns: i64, picture: usize) {
        let frame = channel.to_lowercase();
        self.message("/tf", logged_ns, &vehicle(exposed_ns));
        let mount = transform(timestamp(exposed_ns), "base_link", &frame, 1.7);
        self.message("/tf", logged_ns, &mount);
        let calibration = CameraCalibration {
            timestamp: Some(timestamp(exposed_ns)),
            frame_id: frame.clone(),
            width: 176,
            height: 96,
            k: vec![140.0, 0.0, 87.5, 0.0, 140.0, 47.5, 0.0, 0.0, 1.0],
            ..CameraCalibration::default()
        };
        self.message(&format!("/{channel}/camera_info"), logged_ns, &calibration);
        let image = CompressedImage {
            timestamp: Some(timestamp(exposed_ns)),
            frame_id: frame,
            data: Bytes::from(self.jpegs[picture].clone()),
            format: "jpeg".to_owned(),
        };
        let topic = format!("/{channel}/image_rect_compressed");
        self.message(&topic, logged_ns, &image);
    }
}

fn lidar_ns(step: usize) -> i64 {
    i64::from(BEGIN_S) * 1_000_000_000 + 500_000_000 * step as i64
}

fn timestamp(ns: i64) -> Timestamp {
    Timestamp::new((ns / 1_000_000_000) as u32, (ns % 1_000_000_000) as u32)
}

/// Where the vehicle is: it drives at 5 m/s.
fn vehicle(ns: i64) -> FrameTransform {
    let x_m = 5e-9 * (ns - lidar_ns(0)) as f64;
    let level = Quaternion {
        x: 0.0,
        y: 0.0,
        z: 0.0,
        w: 1.0,
    };
    FrameTransform {
        rotation: Some(level),
        ..transform(timestamp(ns), "map", "base_link", x_m)
    }
}

/// Pictures that differ, so that no camera counts as frozen.
fn pictures() -> Vec<Vec<u8>> {
    let picture = |seed: usize| {
        let levels = (0..3 * 176 * 96).map(|place| ((place * (7 + seed)) / 40 % 256) as u8);
        let mut jpeg = Vec::new();
        let levels: Vec<u8> = levels.collect();
        encode_jpeg(&levels, 176, 96, 90, &mut jpeg).expect("the size fits");
        jpeg
    };
    (0..9).map(picture).collect()
}

#[derive(Default)]
struct Frames(Vec<(i64, Vec<CameraState>)>);

impl ReplayVisitor for Frames {
    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError> {
        let cameras = frame.frame.health.cameras().iter();
        let states = cameras.map(|camera| CameraState::try_from(camera.state));
        let states = states
            .collect::<Result<_, _>>()
            .map_err(|_| "unknown state")?;
        self.0.push((frame.frame.stamp_ns, states));
        Ok(())
    }
}

#[test]
fn a_log_of_the_nuscenes_converter_gives_frames_of_all_cameras() {
    let path = file("nuscenes_converted.mcap");
    let output = BufWriter::new(File::create(&path).expect("the test folder is writable"));
    let mut log = Converted {
        writer: mcap::Writer::new(output).expect("written"),
        channels: BTreeMap::new(),
        jpegs: pictures(),
    };
    for step in 0..5 {
        log.key_frame(step);
    }
    log.writer.finish().expect("written");

    let mut drive = LogDrive::open(&path, LogDriveOptions::default()).expect("it is sound");
    assert_eq!(drive.ego_motion(), EgoMotionSource::Poses);
    let names = drive
        .rig()
        .cameras()
        .iter()
        .map(|camera| camera.name.as_str());
    let names: Vec<_> = names.collect();
    assert_eq!(names, ["cam_front", "cam_back", "cam_front_left"]);
    assert_eq!(drive.rig().reference_camera().name, "cam_front");
    let mut poses = Vec::new();
    while let Some(event) = drive.next_event().expect("it is sound") {
        if let DriveEvent::Pose {
            stamp,
            odom_from_ego,
            ..
        } = event
        {
            let since_s = 1e-9 * stamp.nanoseconds() as f64 - f64::from(BEGIN_S);
            let x_m = odom_from_ego.translation().x;
            assert!(
                (x_m - 5.0 * since_s).abs() < 1e-5,
                "{x_m} m after {since_s} s"
            );
            poses.push(stamp);
        }
    }
    // One for each image and for the lidar; neither `/pose` nor `/odom`.
    assert_eq!(poses.len(), 5 * (SWEEPS * CONVERTED.len() + 1));

    let mut drive = LogDrive::open(&path, LogDriveOptions::default()).expect("it is sound");
    let mut pipelines = [model::pipeline(drive.rig().clone(), drive.ego_motion())];
    let mut frames = Frames::default();
    let summary = replay(&mut drive, &mut pipelines, &mut frames, None).expect("it is sound");
    assert_eq!((summary.frames, summary.refused_images), (25, 0));
    for (step, (stamp_ns, states)) in frames.0.iter().enumerate() {
        assert_eq!(stamp_ns - lidar_ns(0), (100 * step as i64 - 35) * 1_000_000);
        assert_eq!(*states, [CameraState::Ok; 3]);
    }
}
