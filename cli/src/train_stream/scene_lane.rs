//! One nuScenes scene of the stream: its key frames, as the messages of a simulated drive have it.

use super::Lane;
use super::jitter::ColourCast;
use super::lane::{AUGMENTATION, CAMERA_LOSS};
use super::message::{Header, Message};
use super::sample::push_truth;
use super::tables::NetworkTables;
use crate::failure::Failure;
use bevrt_calibration::NetworkCamera;
use bevrt_hil::metrics::Task;
use bevrt_hil::nuscenes::{KeyFrame, NuscenesScene, PictureReader};
use bevrt_runtime::{Manifest, PixelFormat, PreprocessSection, Preprocessor, crop_for};
use bevrt_sim::Random;
use std::io::{self, Write};
use std::sync::Arc;

/// Level of a picture that did not come.
const LOST_LEVEL: u8 = 128;
/// No object at a feature cell; that nobody knows is said by the mask.
const NO_CLASS: u8 = 255;

/// Scenes that take turns in one place of the stream.
pub struct SceneLane {
    slot: usize,
    manifest: Manifest,
    preprocess: PreprocessSection,
    scenes: Arc<[NuscenesScene]>,
    is_augmented: bool,
    reader: PictureReader,
    levels: Vec<u8>,
    message: Message,
    current: Option<Current>,
}

/// The scene that is under way.
struct Current {
    place: usize,
    step: usize,
    cameras: Vec<NetworkCamera>,
    preprocessors: Vec<Preprocessor>,
    tables: NetworkTables,
    masked: Vec<&'static str>,
    random: Random,
    cast: ColourCast,
}

impl SceneLane {
    /// A lane without a scene yet.
    pub fn new(
        slot: usize,
        manifest: &Manifest,
        scenes: Arc<[NuscenesScene]>,
        is_augmented: bool,
    ) -> Self {
        Self {
            slot,
            preprocess: *manifest.preprocess(),
            manifest: manifest.clone(),
            scenes,
            is_augmented,
            reader: PictureReader::default(),
            levels: Vec::new(),
            message: Message::default(),
            current: None,
        }
    }

    /// Appends the pictures, and turns the cameras to how the vehicle stood when each exposed.
    fn push_images(
        &mut self,
        scene: &NuscenesScene,
        key_frame: &KeyFrame,
        current: &mut Current,
    ) -> io::Result<()> {
        let count = current.cameras.len();
        let lost = (self.is_augmented && current.random.chance(CAMERA_LOSS))
            .then(|| (current.random.unit() * count as f64) as usize);
        let (width, height) = (
            self.preprocess.width as usize,
            self.preprocess.height as usize,
        );
        let each = 3 * width * height;
        self.levels.resize(count * each, 0);
        let reference_from_world = key_frame.world_from_ego.inverse();
        let pictures = self.levels.chunks_exact_mut(each).zip(&key_frame.pictures);
        for (index, (levels, picture)) in pictures.enumerate() {
            let camera = &mut current.cameras[index];
            camera.is_enabled = picture.is_some() && lost != Some(index);
            let Some(place) = picture.filter(|_| camera.is_enabled) else {
                levels.fill(LOST_LEVEL);
                continue;
            };
            let picture = self.reader.read(scene, place).map_err(io::Error::other)?;
            current.preprocessors[index]
                .run_levels_into(&picture.image, levels)
                .map_err(io::Error::other)?;
            current.cast.apply(levels);
            if let Some(world_from_ego) = scene.world_from_ego(picture.stamp) {
                camera.ego_at_reference_from_ego_at_camera = reference_from_world * world_from_ego;
            }
        }
        self.message
            .push("images", &[count, 3, height, width], &self.levels);
        let [rows, columns] = current.tables.coarsest_features();
        let (shape, cells) = ([count, rows, columns], count * rows * columns);
        self.message.push("depth", &shape, &vec![0.0_f32; cells]);
        self.message.push("classes", &shape, &vec![NO_CLASS; cells]);
        Ok(())
    }
}

impl Lane for SceneLane {
    fn is_over(&self) -> bool {
        self.current
            .as_ref()
            .is_none_or(|current| current.step == self.scenes[current.place].key_frames().len())
    }

    fn start(&mut self, seed: u64) -> Result<(), Failure> {
        let place = seed as usize % self.scenes.len();
        let scene = &self.scenes[place];
        if scene.key_frames().is_empty() {
            return Err(Failure::new(format!(
                "scene {}: expected samples, found none",
                scene.name()
            )));
        }
        let preprocess = &self.preprocess;
        let (mut cameras, mut preprocessors) = (Vec::new(), Vec::new());
        for camera in scene.rig().cameras() {
            let (width, height) = (camera.intrinsics.width(), camera.intrinsics.height());
            let crop = crop_for(preprocess, width, height);
            cameras.push(NetworkCamera::new(
                camera,
                crop,
                preprocess.width,
                preprocess.height,
            ));
            preprocessors.push(Preprocessor::new(
                preprocess,
                width,
                height,
                PixelFormat::Rgb,
            )?);
        }
        let mut random = Random::new(seed, AUGMENTATION);
        self.current = Some(Current {
            place,
            step: 0,
            tables: NetworkTables::new(&self.manifest, cameras.len()),
            cameras,
            preprocessors,
            masked: masked(scene),
            cast: if self.is_augmented {
                ColourCast::random(&mut random)
            } else {
                ColourCast::NONE
            },
            random,
        });
        Ok(())
    }

    fn write_sample(&mut self, out: &mut impl Write) -> io::Result<()> {
        let Some(mut current) = self.current.take() else {
            return Err(io::Error::other("no scene was started"));
        };
        let scenes = Arc::clone(&self.scenes);
        let scene = &scenes[current.place];
        let key_frame = &scene.key_frames()[current.step];
        self.message.clear();
        self.push_images(scene, key_frame, &mut current)?;
        current.tables.push(&current.cameras, &mut self.message);
        // The data set's poses are the ego motion that the runtime would be given.
        for name in ["odom_from_ego", "odom_from_ego_noisy"] {
            self.message.push_pose(name, &key_frame.world_from_ego);
        }
        push_truth(&scene.labelled(key_frame), &mut self.message);
        let header = Header {
            drive: self.slot,
            seed: current.place as u64,
            step: current.step as u64,
            stamp_ns: key_frame.stamp.nanoseconds(),
            masked: &current.masked,
        };
        self.message.write(&header, out)?;
        current.step += 1;
        self.current = Some(current);
        Ok(())
    }
}

/// What a scene does not tell: distances and classes in the picture, arrows; of objects, which cars are
/// vans; of the map, heights and where the road ends.
fn masked(scene: &NuscenesScene) -> Vec<&'static str> {
    let tasks = scene.tasks();
    let mut masked = vec!["depth", "classes", "arrows"];
    masked.push(if tasks.contains(Task::Objects) {
        "objects.van"
    } else {
        "objects"
    });
    if tasks.contains(Task::PaintedLanes) {
        masked.extend(["lanes.road_edge", "lanes.z", "crosswalks.z", "stop_lines.z"]);
    } else {
        masked.extend(["lanes", "crosswalks", "stop_lines"]);
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::super::lane::DriveLane;
    use super::*;
    use bevrt_calibration::rigs;
    use bevrt_hil::nuscenes::{EXPORT_VERSION, ExportOptions, NuscenesDataset, NuscenesExport};
    use bevrt_hil::source::{PictureSize, SimulatedDrive, SimulatedDriveOptions};
    use nalgebra::{Matrix4, Vector4};
    use std::path::Path;

    const SEED: u64 = 900_003;
    const STEPS: usize = 3;
    const MANIFEST: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../models/packages/tiny/manifest.toml"
    );

    /// A message as a reader finds it.
    struct Read {
        header: serde_json::Value,
        body: Vec<u8>,
    }

    impl Read {
        fn numbers<const N: usize>(&self, name: &str, of: impl Fn([u8; N]) -> f64) -> Vec<f64> {
            let arrays = self.header["arrays"].as_array().expect("a list");
            let array = arrays.iter().find(|array| array["name"] == name);
            let array = array.unwrap_or_else(|| panic!("no array {name}"));
            let shape = array["shape"].as_array().expect("a list").iter();
            let count: u64 = shape.filter_map(serde_json::Value::as_u64).product();
            let offset = array["offset"].as_u64().expect("a number") as usize;
            let bytes = &self.body[offset..][..N * count as usize];
            let numbers = bytes.chunks_exact(N);
            numbers
                .map(|bytes| of(bytes.try_into().expect("so many bytes")))
                .collect()
        }

        fn floats(&self, name: &str) -> Vec<f64> {
            self.numbers(name, |bytes| f64::from(f32::from_le_bytes(bytes)))
        }

        fn whole(&self, name: &str) -> Vec<f64> {
            self.numbers(name, |bytes| f64::from(i32::from_le_bytes(bytes)))
        }

        fn rows(&self, name: &str, columns: usize) -> Vec<Vec<f64>> {
            let floats = self.floats(name);
            floats.chunks_exact(columns).map(<[f64]>::to_vec).collect()
        }
    }

    /// The messages of one drive.
    fn messages(lane: &mut impl Lane, seed: u64) -> Vec<Read> {
        lane.start(seed).expect("the drive is sound");
        let mut messages = Vec::new();
        for _ in 0..STEPS {
            let mut bytes = Vec::new();
            lane.write_sample(&mut bytes).expect("a vector takes all");
            let header_bytes = u32::from_le_bytes(bytes[4..8].try_into().expect("four")) as usize;
            let header = serde_json::from_slice(&bytes[8..8 + header_bytes]).expect("JSON");
            let body = bytes.split_off(8 + header_bytes);
            messages.push(Read { header, body });
        }
        messages
    }

    /// The same drive from the simulation and from its export.
    fn both() -> (Vec<Read>, Vec<Read>) {
        let manifest = Manifest::from_toml_file(Path::new(MANIFEST)).expect("it ships");
        let rig = rigs::six_pinhole();
        let mut simulated =
            DriveLane::new(0, &manifest, &rig, 1.0, 1, false).expect("the rig fits");
        simulated.step_jitter_s = 0.0;

        let root = std::env::temp_dir().join(format!("bevrt-scene-lane-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        let export = ExportOptions {
            frame_rate_hz: 2.0,
            quality: 95,
        };
        let mut export = NuscenesExport::create(&root, export).expect("the place is free");
        // As long as the simulated lane's: traffic depends on it.
        let options = SimulatedDriveOptions {
            duration_s: 2.0,
            frame_rate_hz: 2.0,
            size: PictureSize::TimesNetwork(1),
            ..SimulatedDriveOptions::default()
        };
        let mut drive = SimulatedDrive::new(SEED, &rig, manifest.preprocess(), &options);
        export
            .add_drive(SEED, &mut drive, &mut || {})
            .expect("the cameras are ideal");
        export.finish().expect("the place is writable");
        let dataset = NuscenesDataset::open(&root, EXPORT_VERSION).expect("we wrote it");
        let scenes = dataset.load(&dataset.scene_names()).expect("we wrote it");
        let mut lane = SceneLane::new(0, &manifest, scenes.into(), false);
        let both = (messages(&mut simulated, SEED), messages(&mut lane, 0));
        std::fs::remove_dir_all(&root).expect("we wrote it");
        both
    }

    fn mean_difference(a: &[f64], b: &[f64]) -> f64 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>() / a.len() as f64
    }

    fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
        assert_eq!(a.len(), b.len());
        a.iter()
            .zip(b)
            .fold(0.0, |most, (a, b)| (a - b).abs().max(most))
    }

    fn near(a: &[f64], b: &[f64], within: f64) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() <= within)
    }

    #[test]
    fn an_exported_drive_streams_as_the_simulated_one_does() {
        let (simulated, read) = both();
        for (step, (simulated, read)) in simulated.iter().zip(&read).enumerate() {
            assert_eq!(read.header["step"], simulated.header["step"]);
            assert_eq!(read.header["new_drive"], step == 0);
            same_pictures_and_geometry(simulated, read);
            same_objects(simulated, read);
            same_map(simulated, read);
        }
        same_velocities(&simulated, &read);
        same_motion(&simulated, &read);
        let mask: Vec<&str> = read[0].header["masked"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|name| name.as_str())
            .collect();
        assert!(
            mask.contains(&"arrows") && mask.contains(&"depth"),
            "{mask:?}"
        );
        assert!(
            mask.contains(&"lanes.road_edge") && !mask.contains(&"lanes"),
            "{mask:?}"
        );
        assert_eq!(simulated[0].header["masked"], serde_json::json!([]));
    }

    fn same_pictures_and_geometry(simulated: &Read, read: &Read) {
        let level = |bytes: [u8; 1]| f64::from(bytes[0]);
        let [drawn, decoded] = [simulated, read].map(|m| m.numbers("images", level));
        // The simulated stream passes 4:2:0 chroma, the export JPEG.
        let difference = mean_difference(&drawn, &decoded);
        assert!(difference < 3.0, "{difference} levels");
        assert!(mean_difference(&simulated.floats("rays"), &read.floats("rays")) < 1e-6);
        for table in ["coarse_index", "coarse_depth_index", "fine_index"] {
            let [a, b] = [simulated, read].map(|m| m.whole(table));
            let differing = a.iter().zip(&b).filter(|(a, b)| a != b).count();
            // Last bits of the mounts decide cells on an edge.
            assert!(
                differing * 1000 <= a.len(),
                "{table}: {differing} of {}",
                a.len()
            );
        }
    }

    fn same_objects(simulated: &Read, read: &Read) {
        let (expected, found) = (simulated.rows("objects", 16), read.rows("objects", 16));
        assert_eq!(found.len(), expected.len());
        let mut silent = 0;
        for object in &expected {
            let like = found
                .iter()
                .find(|other| near(&other[1..7], &object[1..7], 1e-4));
            let other = like.unwrap_or_else(|| panic!("no object like {object:?}"));
            // A van is a car to nuScenes.
            let class = if object[0] == 1.0 { 0.0 } else { object[0] };
            assert_eq!(other[0], class);
            assert!(near(
                &[other[7].sin(), other[7].cos()],
                &[object[7].sin(), object[7].cos()],
                1e-4
            ));
            assert!(
                (other[11] - object[11]).abs() <= 0.2 + 1e-6,
                "{other:?}, {object:?}"
            );
            assert_eq!(other[13], object[13], "{other:?}, {object:?}");
            silent += usize::from(other[13] == 0.0);
        }
        assert!(silent > 0 && silent < found.len(), "{silent}");
    }

    /// Velocities of the middle message: the way between its neighbours, in its ego frame.
    fn same_velocities(simulated: &[Read], read: &[Read]) {
        let poses: Vec<Matrix4<f64>> = simulated.iter().map(pose).collect();
        let rows: Vec<Vec<Vec<f64>>> = simulated.iter().map(|m| m.rows("objects", 16)).collect();
        let place = |step: usize, id: f64| {
            let object = rows[step].iter().find(|object| object[15] == id)?;
            Some(poses[step] * Vector4::new(object[1], object[2], object[3], 1.0))
        };
        let found = read[1].rows("objects", 16);
        let mut moving = 0;
        for object in &rows[1] {
            let (Some(before), Some(after)) = (place(0, object[15]), place(2, object[15])) else {
                continue;
            };
            // One second lies between them; the tables know velocities along the ground.
            let mut way = after - before;
            way.z = 0.0;
            let seen = poses[1].transpose() * way;
            let other = found
                .iter()
                .find(|other| near(&other[1..7], &object[1..7], 1e-4))
                .expect("it was found before");
            assert!(
                near(&other[8..10], &[seen.x, seen.y], 1e-3),
                "{other:?}, {seen}"
            );
            moving += usize::from(seen.norm() > 1.0);
        }
        assert!(moving > 5, "{moving}");
    }

    fn pose(message: &Read) -> Matrix4<f64> {
        Matrix4::from_row_slice(&message.numbers("odom_from_ego", f64::from_le_bytes))
    }

    fn same_map(simulated: &Read, read: &Read) {
        let points = |message: &Read| -> Vec<Vec<f64>> {
            let points = message.rows("lane_points", 4);
            let lanes = message.whole("lanes");
            let of_lane = |lane: &[f64]| {
                let [first, count] = [lane[0] as usize, lane[1] as usize];
                let tagged = |p: &Vec<f64>| vec![p[0], p[1], lane[2], lane[3]];
                points[first..first + count]
                    .iter()
                    .map(tagged)
                    .collect::<Vec<_>>()
            };
            lanes.chunks_exact(4).flat_map(of_lane).collect()
        };
        let (expected, found) = (points(simulated), points(read));
        let mut painted = 0;
        // The flat map is put on the plane of the ego frame; farther away the road climbs out of it.
        for point in expected
            .iter()
            .filter(|p| p[2] != 3.0 && p[0].hypot(p[1]) < 30.0)
        {
            let is_like = |other: &&Vec<f64>| {
                near(&other[..2], &point[..2], 0.15) && other[2..] == point[2..]
            };
            assert!(
                found.iter().any(|other| is_like(&other)),
                "no point like {point:?}"
            );
            painted += 1;
        }
        assert!(painted > 20, "{painted}");
        for (name, columns) in [("crosswalks", 8), ("stop_lines", 7)] {
            let (expected, found) = (simulated.rows(name, columns), read.rows(name, columns));
            for mark in expected.iter().filter(|mark| mark[0].hypot(mark[1]) < 30.0) {
                assert!(
                    found.iter().any(|other| near(&other[..2], &mark[..2], 0.15)
                        && (other[4] - mark[4]).abs() < 0.1),
                    "{name}: none like {mark:?}"
                );
            }
        }
        assert!(read.floats("arrows").is_empty());
    }

    /// From the first pose to each later one.
    fn same_motion(simulated: &[Read], read: &[Read]) {
        let motions = |messages: &[Read]| -> Vec<Matrix4<f64>> {
            let first = pose(&messages[0]).try_inverse().expect("a pose");
            messages
                .iter()
                .map(|message| first * pose(message))
                .collect()
        };
        for (a, b) in motions(simulated).iter().zip(&motions(read)) {
            assert!(
                largest_difference(a.as_slice(), b.as_slice()) < 1e-6,
                "{a}, {b}"
            );
        }
    }
}
