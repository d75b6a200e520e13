//! ROS 2 bags in MCAP, as rosbag2 writes them: CDR, `base_link`, images raw and compressed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

use bevrt_hil::logs::encode_jpeg;
use bevrt_hil::source::{DriveEvent, DriveSource, LogDrive, LogDriveOptions};
use bevrt_runtime::EgoMotionSource;
use mcap::records::MessageHeader;

const BEGIN_S: i32 = 1_700_000_000;
const SIZE: [u32; 2] = [32, 16];

/// A message in little endian.
struct Cdr(Vec<u8>);

impl Cdr {
    fn new() -> Self {
        Self(vec![0, 1, 0, 0])
    }

    fn aligned(mut self, bytes: &[u8]) -> Self {
        while !(self.0.len() - 4).is_multiple_of(bytes.len()) {
            self.0.push(0);
        }
        self.0.extend(bytes);
        self
    }

    fn u32(self, value: u32) -> Self {
        self.aligned(&value.to_le_bytes())
    }

    fn f64s(self, values: &[f64]) -> Self {
        values
            .iter()
            .fold(self, |cdr, value| cdr.aligned(&value.to_le_bytes()))
    }

    fn bytes(self, bytes: &[u8]) -> Self {
        let mut cdr = self.u32(bytes.len() as u32);
        cdr.0.extend(bytes);
        cdr
    }

    fn text(self, text: &str) -> Self {
        self.bytes(&[text.as_bytes(), &[0]].concat())
    }

    fn header(self, step: i32, frame: &str) -> Self {
        self.u32((BEGIN_S + step) as u32).u32(500).text(frame)
    }
}

struct Bag {
    writer: mcap::Writer<BufWriter<File>>,
    channels: BTreeMap<String, u16>,
    time_ns: u64,
}

impl Bag {
    fn create(name: &str) -> (PathBuf, Self) {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let file = BufWriter::new(File::create(&path).expect("the test folder is writable"));
        let bag = Self {
            writer: mcap::Writer::new(file).expect("written"),
            channels: BTreeMap::new(),
            time_ns: BEGIN_S as u64 * 1_000_000_000,
        };
        (path, bag)
    }

    fn write(&mut self, topic: &str, schema: &str, message: &Cdr) {
        let known = self.channels.get(topic).copied();
        let channel_id = known.unwrap_or_else(|| {
            let schema = self
                .writer
                .add_schema(schema, "ros2msg", b"")
                .expect("written");
            let id = self
                .writer
                .add_channel(schema, topic, "cdr", &BTreeMap::new())
                .expect("written");
            self.channels.insert(topic.to_owned(), id);
            id
        });
        self.time_ns += 1_000;
        let header = MessageHeader {
            channel_id,
            sequence: 0,
            log_time: self.time_ns,
            publish_time: self.time_ns,
        };
        self.writer
            .write_to_known_channel(&header, &message.0)
            .expect("written");
    }

    fn mounts(&mut self, cameras: &[&str]) {
        let message = Cdr::new().u32(cameras.len() as u32);
        let message = cameras.iter().fold(message, |message, camera| {
            message
                .header(0, "base_link")
                .text(camera)
                .f64s(&[1.7, 0.0, 1.5, 0.5, -0.5, 0.5, -0.5])
        });
        self.write("/tf_static", "tf2_msgs/msg/TFMessage", &message);
    }

    fn camera_info(&mut self, camera: &str, model: &str, d: &[f64]) {
        let message = Cdr::new()
            .header(0, camera)
            .u32(SIZE[1])
            .u32(SIZE[0])
            .text(model)
            .u32(d.len() as u32)
            .f64s(d)
            .f64s(&[25.0, 0.0, 15.5, 0.0, 25.0, 7.5, 0.0, 0.0, 1.0])
            .f64s(&[0.0; 9])
            .f64s(&[0.0; 12]);
        let topic = format!("/{camera}/camera_info");
        self.write(&topic, "sensor_msgs/msg/CameraInfo", &message);
    }

    fn raw_image(&mut self, camera: &str, step: i32, encoding: &str, pixels: &[u8]) {
        let step_bytes = pixels.len() as u32 / SIZE[1];
        let mut message = Cdr::new()
            .header(step, camera)
            .u32(SIZE[1])
            .u32(SIZE[0])
            .text(encoding);
        message.0.push(0);
        let message = message.u32(step_bytes).bytes(pixels);
        self.write(
            &format!("/{camera}/image"),
            "sensor_msgs/msg/Image",
            &message,
        );
    }

    fn jpeg(&mut self, camera: &str, step: i32, jpeg: &[u8]) {
        let message = Cdr::new()
            .header(step, camera)
            .text("rgb8; jpeg compressed bgr8")
            .bytes(jpeg);
        let topic = format!("/{camera}/image/compressed");
        self.write(&topic, "sensor_msgs/msg/CompressedImage", &message);
    }

    fn odometry(&mut self, step: i32) {
        let message = Cdr::new()
            .header(step, "odom")
            .text("base_link")
            .f64s(&[f64::from(step), 2.0, 0.0, 0.0, 0.0, 0.0, 1.0])
            .f64s(&[0.0; 36])
            .f64s(&[7.5, 0.0, 0.0, 0.0, 0.0, 0.25])
            .f64s(&[0.0; 36]);
        self.write("/odometry", "nav_msgs/msg/Odometry", &message);
    }

    fn finish(mut self) {
        self.writer.finish().expect("written");
    }
}

fn jpeg() -> Vec<u8> {
    let mut jpeg = Vec::new();
    encode_jpeg(&[90; 3 * 32 * 16], SIZE[0], SIZE[1], 90, &mut jpeg).expect("the size fits");
    jpeg
}

#[test]
fn pictures_calibration_and_odometry_of_a_bag_make_a_drive() {
    let (path, mut bag) = Bag::create("bag.mcap");
    bag.mounts(&["cam_back", "cam_front"]);
    bag.camera_info("cam_back", "equidistant", &[0.1, 0.0, 0.0, 0.0]);
    bag.camera_info("cam_front", "plumb_bob", &[0.0; 5]);
    let bgr: Vec<u8> = [10, 20, 30].repeat(32 * 16);
    for step in 0..3 {
        bag.odometry(step);
        bag.raw_image("cam_back", step, "bgr8", &bgr);
        bag.jpeg("cam_front", step, &jpeg());
    }
    bag.finish();
    let mut drive = LogDrive::open(&path, LogDriveOptions::default()).expect("it is sound");
    assert_eq!(drive.ego_motion(), EgoMotionSource::Poses);
    assert_eq!(drive.rig().reference_camera().name, "cam_front");
    let (mut images, mut poses) = (0, Vec::new());
    while let Some(event) = drive.next_event().expect("it is sound") {
        match event {
            DriveEvent::Image(image) => {
                assert_eq!([image.image.width(), image.image.height()], SIZE);
                assert_eq!(image.stamp.nanoseconds() % 1_000_000_000, 500);
                if image.camera == 0 {
                    assert_eq!(image.rgb[..3], [30, 20, 10]);
                }
                images += 1;
            }
            DriveEvent::Pose { odom_from_ego, .. } => poses.push(odom_from_ego.translation().x),
            DriveEvent::VehicleMotion { .. } | DriveEvent::Truth(_) => panic!("not asked for"),
        }
    }
    assert_eq!((images, poses), (6, vec![0.0, 1.0, 2.0]));

    let rates = LogDriveOptions {
        ego_motion: Some(EgoMotionSource::Rates),
        ..LogDriveOptions::default()
    };
    let mut drive = LogDrive::open(&path, rates).expect("it is sound");
    let mut speeds = Vec::new();
    while let Some(event) = drive.next_event().expect("it is sound") {
        if let DriveEvent::VehicleMotion {
            speed_mps,
            yaw_rate_radps,
            ..
        } = event
        {
            speeds.push((speed_mps, yaw_rate_radps));
        }
    }
    assert_eq!(speeds, [(7.5, 0.25); 3]);
}

#[test]
fn twists_are_taken_where_there_is_no_pose() {
    let (path, mut bag) = Bag::create("twists.mcap");
    bag.mounts(&["front"]);
    bag.camera_info("front", "plumb_bob", &[0.0; 5]);
    let twist = [3.0, 0.0, 0.0, 0.0, 0.0, -0.5];
    let stamped = Cdr::new().header(1, "base_link").f64s(&twist);
    bag.write("/vehicle/twist", "geometry_msgs/msg/TwistStamped", &stamped);
    // A command is no measurement: what has a stamp goes first.
    let command = Cdr::new().f64s(&[9.0; 6]);
    bag.write("/cmd_vel", "geometry_msgs/msg/Twist", &command);
    bag.jpeg("front", 1, &jpeg());
    bag.finish();
    let mut drive = LogDrive::open(&path, LogDriveOptions::default()).expect("it is sound");
    assert_eq!(drive.ego_motion(), EgoMotionSource::Rates);
    let mut speeds = Vec::new();
    while let Some(event) = drive.next_event().expect("it is sound") {
        if let DriveEvent::VehicleMotion {
            stamp, speed_mps, ..
        } = event
        {
            speeds.push((stamp.nanoseconds() % 1_000_000_000, speed_mps));
        }
    }
    assert_eq!(speeds, [(500, 3.0)]);
}

#[test]
fn twists_without_a_stamp_are_true_when_they_come() {
    let (path, mut bag) = Bag::create("plain_twists.mcap");
    bag.mounts(&["front"]);
    bag.camera_info("front", "plumb_bob", &[0.0; 5]);
    for step in 0..2 {
        let twist = Cdr::new().f64s(&[4.0 + f64::from(step), 0.5, 0.0, 0.1, 0.2, -0.25]);
        bag.write("/vehicle/speed", "geometry_msgs/msg/Twist", &twist);
        bag.jpeg("front", step, &jpeg());
    }
    bag.finish();
    let mut drive = LogDrive::open(&path, LogDriveOptions::default()).expect("it is sound");
    assert_eq!(drive.ego_motion(), EgoMotionSource::Rates);
    let mut motion = Vec::new();
    while let Some(event) = drive.next_event().expect("it is sound") {
        if let DriveEvent::VehicleMotion {
            stamp,
            arrival,
            speed_mps,
            yaw_rate_radps,
        } = event
        {
            assert_eq!(stamp, arrival);
            motion.push((speed_mps, yaw_rate_radps));
        }
    }
    assert_eq!(motion, [(4.0, -0.25), (5.0, -0.25)]);
}

#[test]
fn damaged_pictures_are_left_out_and_said_and_unknown_pixels_are_refused() {
    let (path, mut bag) = Bag::create("damaged_pictures.mcap");
    bag.mounts(&["front"]);
    bag.camera_info("front", "", &[]);
    let jpeg = jpeg();
    for step in 0..4 {
        bag.odometry(step);
        let end = if step == 2 {
            jpeg.len() / 2
        } else {
            jpeg.len()
        };
        bag.jpeg("front", step, &jpeg[..end]);
    }
    bag.finish();
    let mut drive = LogDrive::open(&path, LogDriveOptions::default()).expect("it is sound");
    let mut images = 0;
    while let Some(event) = drive.next_event().expect("it goes on") {
        images += usize::from(matches!(event, DriveEvent::Image(_)));
    }
    assert_eq!(images, 3);
    assert_eq!(drive.remarks(), ["1 damaged pictures left out"]);

    let (path, mut bag) = Bag::create("bayer.mcap");
    bag.mounts(&["front"]);
    bag.camera_info("front", "", &[]);
    bag.odometry(0);
    bag.raw_image("front", 0, "bayer_rggb8", &[0; 32 * 16]);
    bag.finish();
    let mut drive = LogDrive::open(&path, LogDriveOptions::default()).expect("the frame is sound");
    let error = loop {
        match drive.next_event() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the pixels went unnoticed"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(
        error.contains("bayer_rggb8") && error.contains("/front/image"),
        "{error}"
    );
}
