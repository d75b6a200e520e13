//! One simulated drive as a scene: pictures, poses and boxes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bevrt_calibration::{Camera, Ego, Pose, Rig, World};
use bevrt_runtime::Stamp;
use bevrt_sim::{ObjectClass, WORLD_VERSION};
use nalgebra::{UnitQuaternion, Vector2, Vector3};
use serde_json::{Value, json};

use super::table_writer::Tables;
use super::{LIDAR, LOCATION, VISIBILITIES, unwritable};
use crate::logs::encode_jpeg;
use crate::nuscenes::NuscenesError;
use crate::nuscenes::classes::category_of;
use crate::nuscenes::level::{Level, upright};
use crate::source::{DriveEvent, DriveSource, ImageEvent, SimulatedDrive, SourceError};
use crate::truth::{FrameTruth, ObjectTruth};

/// Scenes begin this long after the epoch, each seed a hundred seconds after the one before, so that
/// stamps look like those of nuScenes.
const EPOCH_US: u64 = 1_600_000_000_000_000;
const SEED_US: u64 = 100_000_000;
/// Seeds after which stamps repeat.
const SEEDS: u64 = 1_000_000;
/// Mount of the lidar that is not there, on the roof.
const LIDAR_MOUNT_M: [f64; 3] = [0.94, 0.0, 1.84];
/// From this speed on something moves, m/s.
const MOVING_MPS: f64 = 0.2;

/// A box of a key frame before its neighbours are known.
struct KeyBox {
    key: u64,
    class: ObjectClass,
    translation: [f64; 3],
    rotation: UnitQuaternion<f64>,
    object: ObjectTruth,
}

/// Writes one scene.
pub(super) struct SceneWriter<'a> {
    root: &'a Path,
    seed: u64,
    map_from_world: Vector2<f64>,
    frames_per_key: u64,
    quality: u8,
    jpeg: Vec<u8>,
    /// Pictures of each camera so far.
    pictures: Vec<u64>,
    truths: u64,
    samples: Vec<i64>,
    boxes: BTreeMap<u32, Vec<KeyBox>>,
}

impl<'a> SceneWriter<'a> {
    pub fn new(
        root: &'a Path,
        seed: u64,
        map_from_world: Vector2<f64>,
        frames_per_key: u64,
        quality: u8,
    ) -> Self {
        Self {
            root,
            seed,
            map_from_world,
            frames_per_key,
            quality,
            jpeg: Vec::new(),
            pictures: Vec::new(),
            truths: 0,
            samples: Vec::new(),
            boxes: BTreeMap::new(),
        }
    }

    pub fn name(&self) -> String {
        format!("sim-{}", self.seed)
    }

    pub fn token(&self) -> String {
        format!("sim{}", self.seed)
    }

    pub fn log_token(&self) -> String {
        format!("{}-log", self.token())
    }

    /// Draws the drive to its end.
    pub fn write(
        mut self,
        drive: &mut SimulatedDrive,
        tables: &mut Tables,
        progress: &mut dyn FnMut(),
    ) -> Result<(), SourceError> {
        let rig = drive.rig().clone();
        let condition = drive.condition().name();
        self.pictures = vec![0; rig.cameras().len()];
        self.write_sensors(&rig, tables)?;
        loop {
            // A pose is asked for when the event is no longer borrowed from the drive.
            let (stamp, frame, truth) = match drive.next_event()? {
                None => break,
                Some(DriveEvent::Truth(truth)) => {
                    self.truths += 1;
                    if !(self.truths - 1).is_multiple_of(self.frames_per_key) {
                        continue;
                    }
                    let stamp = Stamp::from_nanoseconds(truth.stamp_ns);
                    (stamp, None, Some(truth.clone()))
                }
                Some(DriveEvent::Image(image)) => {
                    let frame = self.write_picture(&rig.cameras()[image.camera], &image)?;
                    (image.stamp, Some((image.camera, frame)), None)
                }
                Some(DriveEvent::VehicleMotion { .. } | DriveEvent::Pose { .. }) => continue,
            };
            // The data set counts microseconds: the vehicle is where it was at the rounded stamp.
            let rounded = Stamp::from_nanoseconds(stamp.nanoseconds() / 1000 * 1000);
            let pose = self.map_from_ego(drive, rounded);
            if let Some(truth) = truth {
                self.add_truth(&truth, &pose);
                self.write_lidar(rounded, &pose, drive.frames(), tables)?;
            }
            if let Some((camera, frame)) = frame {
                self.write_data(
                    &rig.cameras()[camera],
                    frame,
                    rounded,
                    &pose,
                    drive.frames(),
                    tables,
                )?;
                if camera == rig.reference() {
                    progress();
                }
            }
        }
        self.write_samples(tables)?;
        self.write_boxes(tables)?;
        self.write_scene(condition, tables)?;
        Ok(())
    }

    fn map_from_ego(&self, drive: &SimulatedDrive, stamp: Stamp) -> Pose<World, Ego> {
        let pose = drive.world_from_ego(stamp);
        let shift = Vector3::new(self.map_from_world.x, self.map_from_world.y, 0.0);
        Pose::new(*pose.rotation(), pose.translation() + shift)
    }

    fn timestamp_us(&self, stamp: Stamp) -> i64 {
        (EPOCH_US + self.seed % SEEDS * SEED_US) as i64 + stamp.nanoseconds() / 1000
    }

    fn sample_token(&self, key: u64) -> String {
        format!("{}-sample-{key:03}", self.token())
    }

    fn data_token(&self, channel: &str, frame: u64) -> String {
        format!("{}-{channel}-{frame:04}", self.token())
    }

    /// Where a picture or point cloud lies, seen from the root.
    fn filename(&self, channel: &str, frame: u64, ending: &str) -> String {
        let is_key_frame = frame.is_multiple_of(self.frames_per_key);
        let folder = if is_key_frame { "samples" } else { "sweeps" };
        let name = self.name();
        format!("{folder}/{channel}/{name}__{channel}__{frame:04}.{ending}")
    }

    fn write_sensors(&self, rig: &Rig, tables: &mut Tables) -> Result<(), NuscenesError> {
        let lidar = (
            LIDAR.to_owned(),
            "lidar",
            json!({
                "translation": LIDAR_MOUNT_M,
                "rotation": [1.0, 0.0, 0.0, 0.0],
                "camera_intrinsic": [],
            }),
        );
        let cameras = rig.cameras().iter().map(|camera| {
            let lens = &camera.intrinsics;
            let intrinsic = [
                [lens.fx(), 0.0, lens.cx()],
                [0.0, lens.fy(), lens.cy()],
                [0.0, 0.0, 1.0],
            ];
            let mut mount = pose_json(&camera.ego_from_cam);
            mount["camera_intrinsic"] = json!(intrinsic);
            (channel_of(camera), "camera", mount)
        });
        for (channel, modality, mut mount) in cameras.chain([lidar]) {
            if !tables.channels.contains(&channel) {
                tables.sensor.write(&json!({
                    "token": channel,
                    "channel": channel,
                    "modality": modality,
                }))?;
                tables.channels.push(channel.clone());
            }
            mount["token"] = json!(format!("{}-{channel}", self.token()));
            mount["sensor_token"] = json!(channel);
            tables.calibrated_sensor.write(&mount)?;
        }
        Ok(())
    }

    /// Writes a picture; the number of its frame set.
    fn write_picture(
        &mut self,
        camera: &Camera,
        image: &ImageEvent<'_>,
    ) -> Result<u64, NuscenesError> {
        let frame = self.pictures[image.camera];
        self.pictures[image.camera] += 1;
        let file = self
            .root
            .join(self.filename(&channel_of(camera), frame, "jpg"));
        let (width, height) = (image.image.width(), image.image.height());
        self.jpeg.clear();
        encode_jpeg(image.rgb, width, height, self.quality, &mut self.jpeg)
            .map_err(|error| NuscenesError::caused_by(&file, "a picture", error))?;
        write_file(&file, &self.jpeg)?;
        Ok(frame)
    }

    fn write_data(
        &self,
        camera: &Camera,
        frame: u64,
        stamp: Stamp,
        map_from_ego: &Pose<World, Ego>,
        frames: u64,
        tables: &mut Tables,
    ) -> Result<(), NuscenesError> {
        let size_px = [camera.intrinsics.width(), camera.intrinsics.height()];
        let of_set = DataOfSet {
            channel: &channel_of(camera),
            ending: "jpg",
            format: "jpg",
            frame,
            step: 1,
            frames,
            size_px,
        };
        self.write_sample_data(&of_set, stamp, map_from_ego, tables)
    }

    /// There is no lidar; the devkit asks its key frames for the pose of the vehicle.
    fn write_lidar(
        &self,
        stamp: Stamp,
        map_from_ego: &Pose<World, Ego>,
        frames: u64,
        tables: &mut Tables,
    ) -> Result<(), NuscenesError> {
        let of_set = DataOfSet {
            channel: LIDAR,
            ending: "pcd.bin",
            format: "pcd",
            frame: self.truths - 1,
            step: self.frames_per_key,
            frames,
            size_px: [0, 0],
        };
        let file = self.filename(of_set.channel, of_set.frame, of_set.ending);
        write_file(&self.root.join(file), &[])?;
        self.write_sample_data(&of_set, stamp, map_from_ego, tables)
    }

    fn write_sample_data(
        &self,
        data: &DataOfSet<'_>,
        stamp: Stamp,
        map_from_ego: &Pose<World, Ego>,
        tables: &mut Tables,
    ) -> Result<(), NuscenesError> {
        let DataOfSet {
            channel,
            frame,
            step,
            ..
        } = *data;
        let token = self.data_token(channel, frame);
        let neighbour = |is_there: bool, frame: u64| {
            if is_there {
                self.data_token(channel, frame)
            } else {
                String::new()
            }
        };
        let timestamp_us = self.timestamp_us(stamp);
        tables.sample_data.write(&json!({
            "token": token,
            "sample_token": self.sample_token(frame / self.frames_per_key),
            "ego_pose_token": token,
            "calibrated_sensor_token": format!("{}-{channel}", self.token()),
            "timestamp": timestamp_us,
            "fileformat": data.format,
            "is_key_frame": frame.is_multiple_of(self.frames_per_key),
            "height": data.size_px[1],
            "width": data.size_px[0],
            "filename": self.filename(channel, frame, data.ending),
            "prev": neighbour(frame >= step, frame.saturating_sub(step)),
            "next": neighbour(frame + step < data.frames, frame + step),
        }))?;
        let mut pose = pose_json(map_from_ego);
        pose["token"] = json!(token);
        pose["timestamp"] = json!(timestamp_us);
        tables.ego_pose.write(&pose)
    }

    /// Keeps the boxes of a key frame. They stand upright in the world, as those of nuScenes do.
    fn add_truth(&mut self, truth: &FrameTruth, map_from_ego: &Pose<World, Ego>) {
        let key = self.samples.len() as u64;
        let stamp = Stamp::from_nanoseconds(truth.stamp_ns);
        self.samples.push(self.timestamp_us(stamp));
        let level = Level::new(*map_from_ego, *map_from_ego.translation());
        for object in &truth.objects {
            let Some(class) = ObjectClass::from_code(object.class) else {
                continue;
            };
            self.boxes.entry(object.track_id).or_default().push(KeyBox {
                key,
                class,
                translation: level.world_position(object.position_m),
                rotation: upright(level.world_yaw(object.yaw_rad)),
                object: object.clone(),
            });
        }
    }

    fn write_samples(&self, tables: &mut Tables) -> Result<(), NuscenesError> {
        let token = |key: Option<usize>| match key {
            Some(key) if key < self.samples.len() => self.sample_token(key as u64),
            _ => String::new(),
        };
        for (key, timestamp_us) in self.samples.iter().enumerate() {
            tables.sample.write(&json!({
                "token": token(Some(key)),
                "timestamp": timestamp_us,
                "scene_token": self.token(),
                "prev": token(key.checked_sub(1)),
                "next": token(Some(key + 1)),
            }))?;
        }
        Ok(())
    }

    fn write_boxes(&self, tables: &mut Tables) -> Result<(), NuscenesError> {
        for (id, boxes) in &self.boxes {
            let instance = format!("{}-object-{id}", self.token());
            let token = |place: Option<usize>| {
                let found = place.and_then(|place| boxes.get(place));
                found.map_or(String::new(), |found| {
                    format!("{instance}-{:03}", found.key)
                })
            };
            for (place, found) in boxes.iter().enumerate() {
                let object = &found.object;
                let [length, width, height] = object.size_m;
                let attribute = attribute_of(found.class, object);
                tables.sample_annotation.write(&json!({
                    "token": token(Some(place)),
                    "sample_token": self.sample_token(found.key),
                    "instance_token": instance,
                    "visibility_token": visibility_of(object.visible_fraction),
                    "attribute_tokens": attribute.map_or(json!([]), |name| json!([name])),
                    "translation": found.translation,
                    "size": [width, length, height],
                    "rotation": wxyz(&found.rotation),
                    "prev": token(place.checked_sub(1)),
                    "next": token(Some(place + 1)),
                    "num_lidar_pts": points_of(object),
                    "num_radar_pts": 0,
                }))?;
            }
            tables.instance.write(&json!({
                "token": instance,
                "category_token": boxes.first().map_or("", |found| category_of(found.class)),
                "nbr_annotations": boxes.len(),
                "first_annotation_token": token(Some(0)),
                "last_annotation_token": token(boxes.len().checked_sub(1)),
            }))?;
        }
        Ok(())
    }

    fn write_scene(&self, condition: &str, tables: &mut Tables) -> Result<(), NuscenesError> {
        tables.log.write(&json!({
            "token": self.log_token(),
            "logfile": self.name(),
            "vehicle": "simulated",
            "date_captured": "2020-09-13",
            "location": LOCATION,
        }))?;
        let last = (self.samples.len() as u64).saturating_sub(1);
        tables.scene.write(&json!({
            "token": self.token(),
            "log_token": self.log_token(),
            "nbr_samples": self.samples.len(),
            "first_sample_token": self.sample_token(0),
            "last_sample_token": self.sample_token(last),
            "name": self.name(),
            "description": format!("simulated world {WORLD_VERSION}, seed {}, {condition}", self.seed),
        }))
    }
}

/// What a record of `sample_data` is of.
struct DataOfSet<'a> {
    channel: &'a str,
    ending: &'a str,
    format: &'a str,
    /// Number of its frame set, the step to the next of this channel, and their number in all.
    frame: u64,
    step: u64,
    frames: u64,
    size_px: [u32; 2],
}

/// Writes a file and the folders above it.
fn write_file(file: &Path, content: &[u8]) -> Result<(), NuscenesError> {
    let folder = file.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, content))
        .map_err(|error| unwritable(file, error))
}

/// Channel of a camera: `front_left` is `CAM_FRONT_LEFT`.
fn channel_of(camera: &Camera) -> String {
    format!("CAM_{}", camera.name.to_uppercase())
}

fn wxyz(rotation: &UnitQuaternion<f64>) -> [f64; 4] {
    [rotation.w, rotation.i, rotation.j, rotation.k]
}

fn pose_json<A, B>(pose: &Pose<A, B>) -> Value {
    let translation: [f64; 3] = (*pose.translation()).into();
    json!({"translation": translation, "rotation": wxyz(pose.rotation())})
}

/// Token of the level that a visible share lies in.
fn visibility_of(visible_fraction: f64) -> String {
    let level = VISIBILITIES
        .iter()
        .rposition(|(_, least)| visible_fraction >= *least)
        .unwrap_or(0);
    (level + 1).to_string()
}

/// A point of the lidar that is not there for each visible pixel: none in what does not count, so
/// that the devkit leaves out what our scores leave out.
fn points_of(object: &ObjectTruth) -> u64 {
    if object.counts {
        (object.visible_pixels as u64).max(1)
    } else {
        0
    }
}

fn attribute_of(class: ObjectClass, object: &ObjectTruth) -> Option<&'static str> {
    let [vx, vy] = object.velocity_mps.unwrap_or_default();
    let is_moving = vx.hypot(vy) >= MOVING_MPS;
    match class {
        ObjectClass::Car | ObjectClass::Van | ObjectClass::Truck | ObjectClass::Bus => {
            Some(if is_moving {
                "vehicle.moving"
            } else {
                "vehicle.stopped"
            })
        }
        ObjectClass::Motorcycle | ObjectClass::Cyclist => Some("cycle.with_rider"),
        ObjectClass::Pedestrian => Some(if is_moving {
            "pedestrian.moving"
        } else {
            "pedestrian.standing"
        }),
        ObjectClass::Cone => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_shares_fall_into_the_levels_of_nuscenes() {
        let found = [0.0, 0.39, 0.4, 0.6, 0.79, 0.8, 1.0].map(visibility_of);
        assert_eq!(found, ["1", "1", "2", "3", "3", "4", "4"]);
    }
}
