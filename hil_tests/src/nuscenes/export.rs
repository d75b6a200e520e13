//! Simulated drives as a nuScenes v1.0 folder, which the public devkit loads.

mod map_writer;
mod scene_writer;
mod table_writer;

use std::fs;
use std::path::{Path, PathBuf};

use bevrt_calibration::{Lens, Rig};
use bevrt_runtime::Stamp;
use nalgebra::Vector2;
use serde_json::json;

use super::NuscenesError;
use super::classes::CATEGORIES;
use crate::source::{SimulatedDrive, SourceError};
use map_writer::MapWriter;
use scene_writer::SceneWriter;
use table_writer::Tables;

/// Name of the folder of tables that an export writes.
pub const EXPORT_VERSION: &str = "v1.0-sim";
/// The location that exported scenes lie in: the devkit takes none but the four of nuScenes.
const LOCATION: &str = "singapore-onenorth";
/// The split of all exported scenes.
const SPLIT: &str = "all";
const LIDAR: &str = "LIDAR_TOP";
/// Key frames a second.
const KEY_FRAME_RATE_HZ: f64 = 2.0;
/// Free ground around the path of each scene, metres.
const MARGIN_M: f64 = 200.0;
/// Width and height of the smallest map, metres.
const CANVAS_M: f64 = 2.0 * MARGIN_M;

/// What attributes there are: one for each movement that the simulated world shows.
const ATTRIBUTES: [&str; 5] = [
    "vehicle.moving",
    "vehicle.stopped",
    "cycle.with_rider",
    "pedestrian.moving",
    "pedestrian.standing",
];
/// Levels of visibility with the least share of each, in per cent.
const VISIBILITIES: [(&str, f64); 4] = [
    ("v0-40", 0.0),
    ("v40-60", 0.4),
    ("v60-80", 0.6),
    ("v80-100", 0.8),
];

/// How drives are exported.
#[derive(Clone, Copy, Debug)]
pub struct ExportOptions {
    /// Frame sets a second of the drives: a multiple of the two key frames a second.
    pub frame_rate_hz: f64,
    /// JPEG quality from 1 to 100.
    pub quality: u8,
}

impl Default for ExportOptions {
    /// 10 Hz, quality 90.
    fn default() -> Self {
        Self {
            frame_rate_hz: 10.0,
            quality: 90,
        }
    }
}

/// A nuScenes folder that is being written.
pub struct NuscenesExport {
    root: PathBuf,
    tables: Tables,
    map: MapWriter,
    options: ExportOptions,
    /// Frame sets from one key frame to the next.
    frames_per_key: u64,
    /// Where the next scene may begin on the map.
    free_x_m: f64,
    height_m: f64,
    scenes: Vec<String>,
    logs: Vec<String>,
}

impl NuscenesExport {
    /// Begins a folder.
    ///
    /// # Errors
    /// The folder holds an export already or cannot be written, or the frame rate is no multiple of
    /// the key frames'.
    pub fn create(root: impl AsRef<Path>, options: ExportOptions) -> Result<Self, NuscenesError> {
        let root = root.as_ref().to_path_buf();
        let frames_per_key = options.frame_rate_hz / KEY_FRAME_RATE_HZ;
        if frames_per_key < 1.0 || frames_per_key.fract() != 0.0 {
            return Err(NuscenesError::new(
                &root,
                "a frame rate that is a multiple of 2 Hz, the rate of key frames",
                format!("{} Hz", options.frame_rate_hz),
            ));
        }
        let folder = root.join(EXPORT_VERSION);
        if folder.exists() {
            let expected = "a place without an export";
            return Err(NuscenesError::new(&folder, expected, "one"));
        }
        for part in [&folder, &root.join("maps/expansion")] {
            fs::create_dir_all(part).map_err(|error| unwritable(part, error))?;
        }
        Ok(Self {
            tables: Tables::create(&folder)?,
            map: MapWriter::default(),
            frames_per_key: frames_per_key as u64,
            free_x_m: 0.0,
            height_m: CANVAS_M,
            scenes: Vec::new(),
            logs: Vec::new(),
            root,
            options,
        })
    }

    /// Draws a drive to its end and writes it as the scene `sim-SEED`. `progress` is called after
    /// each picture of the reference camera.
    ///
    /// # Errors
    /// A camera is no ideal pinhole, as all of nuScenes are, or a file cannot be written.
    pub fn add_drive(
        &mut self,
        seed: u64,
        drive: &mut SimulatedDrive,
        progress: &mut dyn FnMut(),
    ) -> Result<(), SourceError> {
        self.check(crate::source::DriveSource::rig(drive))?;
        let map_from_world = self.place(drive);
        let scene = SceneWriter::new(
            &self.root,
            seed,
            map_from_world,
            self.frames_per_key,
            self.options.quality,
        );
        self.scenes.push(scene.name());
        self.logs.push(scene.log_token());
        self.map
            .add_scene(&scene.token(), drive, map_from_world, self.moments(drive));
        scene.write(drive, &mut self.tables, progress)
    }

    /// Writes what the scenes share. Without it the folder is not complete.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn finish(mut self) -> Result<(), NuscenesError> {
        for (name, description) in CATEGORIES {
            let record = json!({"token": name, "name": name, "description": description});
            self.tables.category.write(&record)?;
        }
        for name in ATTRIBUTES {
            let record = json!({"token": name, "name": name, "description": name});
            self.tables.attribute.write(&record)?;
        }
        for (place, (level, _)) in VISIBILITIES.iter().enumerate() {
            let token = (place + 1).to_string();
            let record = json!({"token": token, "level": level, "description": level});
            self.tables.visibility.write(&record)?;
        }
        let mask = format!("maps/{LOCATION}.png");
        self.tables.map.write(&json!({
            "token": LOCATION,
            "log_tokens": self.logs,
            "category": "semantic_prior",
            "filename": mask,
        }))?;
        self.tables.finish()?;
        write_mask(&self.root.join(mask))?;
        let canvas = [self.free_x_m.max(CANVAS_M), self.height_m];
        let expansion = self.root.join(format!("maps/expansion/{LOCATION}.json"));
        self.map.write(&expansion, canvas)?;
        let splits = self.root.join(EXPORT_VERSION).join("splits.json");
        let text = json!({ SPLIT: self.scenes }).to_string();
        fs::write(&splits, text).map_err(|error| unwritable(&splits, error))
    }

    /// nuScenes publishes undistorted pictures and has no other lens.
    fn check(&self, rig: &Rig) -> Result<(), NuscenesError> {
        match rig
            .cameras()
            .iter()
            .find(|camera| *camera.intrinsics.lens() != Lens::IDEAL)
        {
            None => Ok(()),
            Some(camera) => Err(NuscenesError::new(
                &self.root,
                "pinhole cameras without distortion, the only ones that nuScenes knows",
                format!("camera {:?} with another lens", camera.name),
            )),
        }
    }

    /// Stamps at which the map around the vehicle is collected.
    fn moments(&self, drive: &SimulatedDrive) -> impl Iterator<Item = Stamp> + use<> {
        let rate_hz = self.options.frame_rate_hz;
        let frames = drive.frames();
        (0..frames)
            .step_by(self.frames_per_key as usize)
            .map(move |frame| {
                SimulatedDrive::BEGIN + bevrt_runtime::Span::from_seconds(frame as f64 / rate_hz)
            })
    }

    /// Finds a place of its own for a drive, beside those before: the way from its world to the map.
    fn place(&mut self, drive: &SimulatedDrive) -> Vector2<f64> {
        let (mut least, mut most) = (
            Vector2::repeat(f64::INFINITY),
            Vector2::repeat(f64::NEG_INFINITY),
        );
        for stamp in self.moments(drive) {
            let place = drive.world_from_ego(stamp).translation().xy();
            least = least.inf(&place);
            most = most.sup(&place);
        }
        let begin = Vector2::new(self.free_x_m + MARGIN_M, MARGIN_M);
        self.free_x_m += most.x - least.x + 2.0 * MARGIN_M;
        self.height_m = self.height_m.max(most.y - least.y + 2.0 * MARGIN_M);
        begin - least
    }
}

/// The devkit wants a picture of the map, and never looks into it unless asked.
fn write_mask(file: &Path) -> Result<(), NuscenesError> {
    image::GrayImage::new(1, 1)
        .save(file)
        .map_err(|error| NuscenesError::caused_by(file, "a file that can be written", error))
}

fn unwritable(file: &Path, error: std::io::Error) -> NuscenesError {
    NuscenesError::caused_by(file, "a place that can be written", error)
}
