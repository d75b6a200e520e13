//! A nuScenes folder of two samples and two cameras, written by hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bevrt_hil::logs::encode_jpeg;
use serde_json::{Value, json};

pub const VERSION: &str = "v1.0-mini";
/// The location, which names the file of the map expansion.
pub const LOCATION: &str = "singapore-onenorth";
/// Size of the pictures.
pub const SIZE: [u32; 2] = [64, 48];
/// Stamp of the first sample.
pub const BEGIN_US: i64 = 1_532_402_927_647_951;

/// An empty folder of this name below the one that cargo gives to tests.
pub fn place(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("nuscenes")
        .join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the folder of tests is writable");
    folder
}

/// Tables by name and a map expansion, before they are written.
#[derive(Clone)]
pub struct SmallFolder {
    pub tables: BTreeMap<&'static str, Value>,
    pub map: Value,
    /// Pictures by file name.
    pub pictures: Vec<String>,
}

/// Half a turn of 90 degrees to the left, as w x y z.
fn turned_left() -> Value {
    let half = std::f64::consts::FRAC_PI_4;
    json!([half.cos(), 0.0, 0.0, half.sin()])
}

/// A box at a place of the world, turned to the left.
fn annotation(token: &str, k: usize, instance: &str, place: [f64; 3], chain: [&str; 2]) -> Value {
    json!({
        "token": token, "sample_token": format!("sample{k}"), "instance_token": instance,
        "visibility_token": "2", "attribute_tokens": [], "translation": place,
        "size": [1.9, 4.5, 1.6], "rotation": turned_left(),
        "prev": chain[0], "next": chain[1], "num_lidar_pts": 5, "num_radar_pts": 0,
    })
}

impl SmallFolder {
    /// The vehicle stands at (100, 200), later at (100, 205), and looks to the north (+y). Pictures
    /// of both cameras come at both samples, and one sweep of the front camera in between.
    pub fn new() -> Self {
        let mut folder = Self {
            tables: BTreeMap::new(),
            map: Value::Null,
            pictures: Vec::new(),
        };
        folder.add_small_tables();
        folder.add_data();
        folder.add_annotations();
        folder.map = map();
        folder
    }

    fn add_small_tables(&mut self) {
        let sensor = |channel: &str, modality: &str| json!({"token": channel, "channel": channel, "modality": modality});
        let intrinsic = json!([[50.0, 0.0, 31.5], [0.0, 50.0, 23.5], [0.0, 0.0, 1.0]]);
        let calibrated = |channel: &str, rotation: Value, intrinsic: &Value| {
            json!({
                "token": format!("calibrated-{channel}"), "sensor_token": channel,
                "translation": [1.7, 0.0, 1.5], "rotation": rotation, "camera_intrinsic": intrinsic,
            })
        };
        self.tables.extend([
            (
                "sensor",
                json!([
                    sensor("CAM_BACK", "camera"),
                    sensor("CAM_FRONT", "camera"),
                    sensor("LIDAR_TOP", "lidar"),
                    sensor("RADAR_FRONT", "radar"),
                ]),
            ),
            (
                "calibrated_sensor",
                json!([
                    calibrated("CAM_BACK", json!([0.5, -0.5, -0.5, 0.5]), &intrinsic),
                    calibrated("CAM_FRONT", json!([0.5, -0.5, 0.5, -0.5]), &intrinsic),
                    calibrated("LIDAR_TOP", json!([1.0, 0.0, 0.0, 0.0]), &json!([])),
                ]),
            ),
            (
                "log",
                json!([{"token": "log", "logfile": "n015", "vehicle": "n015",
                        "date_captured": "2018-07-24", "location": LOCATION}]),
            ),
            (
                "scene",
                json!([{"token": "scene", "log_token": "log", "nbr_samples": 2, "name": "scene-0001",
                        "description": "Turn left", "first_sample_token": "sample0",
                        "last_sample_token": "sample1"}]),
            ),
            (
                "sample",
                json!([
                    {"token": "sample0", "timestamp": BEGIN_US, "scene_token": "scene",
                     "prev": "", "next": "sample1"},
                    {"token": "sample1", "timestamp": BEGIN_US + 500_000, "scene_token": "scene",
                     "prev": "sample0", "next": ""},
                ]),
            ),
            (
                "category",
                json!([
                    {"token": "car", "name": "vehicle.car", "description": ""},
                    {"token": "rack", "name": "static_object.bicycle_rack", "description": ""},
                    {"token": "bicycle", "name": "vehicle.bicycle", "description": ""},
                    {"token": "animal", "name": "animal", "description": ""},
                ]),
            ),
            (
                "visibility",
                json!([
                    {"token": "1", "level": "v0-40", "description": ""},
                    {"token": "2", "level": "v40-60", "description": ""},
                ]),
            ),
        ]);
    }

    fn add_data(&mut self) {
        let mut data = Vec::new();
        let mut poses = Vec::new();
        // Channel, offset of the stamp, sample, whether it is a key frame.
        let records = [
            ("CAM_FRONT", -20_000, 0, true),
            ("CAM_BACK", 25_000, 0, true),
            ("LIDAR_TOP", 0, 0, true),
            ("LIDAR_TOP", 50_000, 0, false),
            ("RADAR_FRONT", 10_000, 0, true),
            ("CAM_FRONT", 230_000, 0, false),
            ("CAM_FRONT", 480_000, 1, true),
            ("CAM_BACK", 525_000, 1, true),
            ("LIDAR_TOP", 500_000, 1, true),
        ];
        for (place, (channel, offset_us, sample, is_key_frame)) in records.into_iter().enumerate() {
            let is_camera = channel.starts_with("CAM");
            let size = if is_camera { SIZE } else { [0, 0] };
            let kind = if is_key_frame { "samples" } else { "sweeps" };
            let filename = format!("{kind}/{channel}/{place}.jpg");
            data.push(json!({
                "token": format!("data{place}"), "sample_token": format!("sample{sample}"),
                "ego_pose_token": format!("pose{place}"),
                "calibrated_sensor_token": format!("calibrated-{channel}"),
                "timestamp": BEGIN_US + offset_us, "fileformat": "jpg",
                "is_key_frame": is_key_frame, "height": size[1], "width": size[0],
                "filename": filename, "prev": "", "next": "",
            }));
            poses.push(json!({
                "token": format!("pose{place}"), "timestamp": BEGIN_US + offset_us,
                "rotation": turned_left(),
                "translation": [100.0, 200.0 + 5.0 * f64::from(sample), 0.0],
            }));
            if is_camera {
                self.pictures.push(filename);
            }
        }
        self.tables.insert("sample_data", json!(data));
        self.tables.insert("ego_pose", json!(poses));
    }

    fn add_annotations(&mut self) {
        let mut unseen = annotation("unseen", 0, "parked", [90.0, 200.0, 0.8], ["", ""]);
        unseen["num_lidar_pts"] = json!(0);
        self.tables.insert(
            "sample_annotation",
            json!([
                annotation("ahead0", 0, "moving", [100.0, 220.0, 0.8], ["", "ahead1"]),
                annotation("ahead1", 1, "moving", [99.0, 228.0, 0.8], ["ahead0", ""]),
                unseen,
                annotation("dog", 0, "dog", [105.0, 210.0, 0.3], ["", ""]),
                annotation("racked", 1, "bicycle", [110.0, 210.0, 0.6], ["", ""]),
                annotation("rack", 1, "rack", [110.5, 210.0, 0.6], ["", ""]),
            ]),
        );
        let instance = |token: &str, category: &str| {
            json!({"token": token, "category_token": category, "nbr_annotations": 1,
                   "first_annotation_token": "", "last_annotation_token": ""})
        };
        self.tables.insert(
            "instance",
            json!([
                instance("moving", "car"),
                instance("parked", "car"),
                instance("dog", "animal"),
                instance("bicycle", "bicycle"),
                instance("rack", "rack"),
            ]),
        );
    }

    /// Writes tables, pictures and map below `root`.
    pub fn write(&self, root: &Path) {
        let write = |file: PathBuf, content: &[u8]| {
            let folder = file.parent().expect("it lies below the root");
            std::fs::create_dir_all(folder).expect("the folder of tests is writable");
            std::fs::write(&file, content).expect("the folder of tests is writable");
        };
        for (name, table) in &self.tables {
            let file = root.join(VERSION).join(format!("{name}.json"));
            write(file, table.to_string().as_bytes());
        }
        let rgb: Vec<u8> = (0..SIZE[1])
            .flat_map(|v| (0..SIZE[0]).flat_map(move |u| [(2 * u) as u8, (3 * v) as u8, 90]))
            .collect();
        let mut jpeg = Vec::new();
        encode_jpeg(&rgb, SIZE[0], SIZE[1], 90, &mut jpeg).expect("the size fits");
        for picture in &self.pictures {
            write(root.join(picture), &jpeg);
        }
        if !self.map.is_null() {
            let file = root.join(format!("maps/expansion/{LOCATION}.json"));
            write(file, self.map.to_string().as_bytes());
        }
    }
}

/// A road divider and a lane divider beside the vehicle, a crosswalk and stop lines before it.
fn map() -> Value {
    let places = [
        ("d0", 98.0, 180.0),
        ("d1", 98.0, 240.0),
        ("l0", 102.0, 190.0),
        ("l1", 102.0, 210.0),
        ("l2", 102.0, 230.0),
        ("c0", 95.0, 222.0),
        ("c1", 105.0, 222.0),
        ("c2", 105.0, 225.0),
        ("c3", 95.0, 225.0),
        ("s0", 100.0, 220.0),
        ("s1", 104.0, 220.0),
        ("s2", 104.0, 220.5),
        ("s3", 100.0, 220.5),
    ];
    let nodes: Vec<Value> = places
        .iter()
        .map(|(token, x, y)| json!({"token": token, "x": x, "y": y}))
        .collect();
    let polygon = |token: &str, nodes: [&str; 4]| json!({"token": token, "exterior_node_tokens": nodes, "holes": []});
    let stop = |token: &str, kind: &str| {
        json!({"token": token, "polygon_token": "stop-area", "stop_line_type": kind,
               "ped_crossing_tokens": [], "traffic_light_tokens": []})
    };
    json!({
        "version": "1.3",
        "canvas_edge": [1585.6, 2025.0],
        "connectivity": {"some": ["thing", "else"]},
        "lane_divider": [{
            "token": "lane-divider", "line_token": "lane-line",
            "lane_divider_segments": [
                {"node_token": "l0", "segment_type": "SINGLE_SOLID_WHITE"},
                {"node_token": "l1", "segment_type": "DOUBLE_DASHED_WHITE"},
                {"node_token": "l2", "segment_type": "DOUBLE_DASHED_WHITE"},
            ],
        }],
        "node": nodes,
        "line": [
            {"token": "road-line", "node_tokens": ["d0", "d1"]},
            {"token": "lane-line", "node_tokens": ["l0", "l1", "l2"]},
        ],
        "polygon": [
            polygon("crossing-area", ["c0", "c1", "c2", "c3"]),
            polygon("stop-area", ["s0", "s1", "s2", "s3"]),
        ],
        "road_divider": [{"token": "road-divider", "line_token": "road-line", "road_segment_token": ""}],
        "ped_crossing": [{"token": "crossing", "polygon_token": "crossing-area", "road_segment_token": ""}],
        "stop_line": [stop("stop", "TRAFFIC_LIGHT"), stop("wait", "TURN_STOP")],
    })
}
