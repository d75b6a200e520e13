//! The tables of a nuScenes folder, cut to what the chosen scenes need.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bevrt_calibration::{CalibrationError, Ego, Pose, Rig, Sensor, World, readers};
use bevrt_runtime::Stamp;
use nalgebra::Isometry3;

use super::NuscenesError;
use super::classes::Meaning;
use super::table::{Record, read_table};

/// Channel whose key frames the devkit measures ranges from.
const LIDAR: &str = "LIDAR_TOP";

/// A record of `scene.json`.
#[derive(Clone, Debug)]
pub(super) struct SceneRecord {
    pub token: String,
    pub name: String,
    pub log_token: String,
}

/// A record of `sample.json`.
#[derive(Clone, Debug)]
pub(super) struct SampleRecord {
    pub token: String,
    pub scene_token: String,
    pub timestamp_us: i64,
}

/// A record of `sample_data.json`: a picture, or a key frame of the lidar.
#[derive(Clone, Debug)]
pub(super) struct DataRecord {
    pub token: String,
    pub sample_token: String,
    pub pose_token: String,
    pub calibrated_token: String,
    pub filename: String,
    pub size_px: [u32; 2],
    pub timestamp_us: i64,
    pub is_key_frame: bool,
}

/// A record of `sample_annotation.json` with the class of its instance.
#[derive(Clone, Debug)]
pub(super) struct AnnotationRecord {
    pub sample_token: String,
    pub instance_token: String,
    pub meaning: Meaning,
    pub world_from_box: Isometry3<f64>,
    /// Length, width, height.
    pub size_m: [f64; 3],
    pub visible_fraction: f64,
    /// Points of lidar and radar in the box.
    pub points: u32,
    pub previous: String,
    pub next: String,
}

/// What a calibration belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SensorKind {
    Camera,
    Lidar,
}

/// The folder of one version.
pub(super) struct Folder<'a> {
    pub path: &'a Path,
}

impl Folder<'_> {
    pub fn table(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.json"))
    }

    fn read(
        &self,
        name: &str,
        each: &mut dyn FnMut(&Record<'_>) -> Result<(), NuscenesError>,
    ) -> Result<usize, NuscenesError> {
        read_table(&self.table(name), each)
    }

    /// All scenes, in the order of the file.
    pub fn scenes(&self) -> Result<Vec<SceneRecord>, NuscenesError> {
        let mut scenes = Vec::new();
        self.read("scene", &mut |record| {
            scenes.push(SceneRecord {
                token: record.token()?.to_owned(),
                name: record.text("name")?.to_owned(),
                log_token: record.text("log_token")?.to_owned(),
            });
            Ok(())
        })?;
        Ok(scenes)
    }

    /// Location by the token of a log.
    pub fn locations(&self) -> Result<BTreeMap<String, String>, NuscenesError> {
        let mut locations = BTreeMap::new();
        self.read("log", &mut |record| {
            let location = record.text("location")?.to_owned();
            locations.insert(record.token()?.to_owned(), location);
            Ok(())
        })?;
        Ok(locations)
    }

    /// The samples of these scenes, by token.
    pub fn samples(
        &self,
        scenes: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, SampleRecord>, NuscenesError> {
        let mut samples = BTreeMap::new();
        self.read("sample", &mut |record| {
            let scene_token = record.text("scene_token")?;
            if scenes.contains(scene_token) {
                let token = record.token()?.to_owned();
                let sample = SampleRecord {
                    token: token.clone(),
                    scene_token: scene_token.to_owned(),
                    timestamp_us: record.integer("timestamp")?,
                };
                samples.insert(token, sample);
            }
            Ok(())
        })?;
        Ok(samples)
    }

    /// Kind of the sensor by the token of a calibration; cameras and the lidar alone.
    pub fn sensor_kinds(&self) -> Result<BTreeMap<String, SensorKind>, NuscenesError> {
        let mut sensors: BTreeMap<String, Option<SensorKind>> = BTreeMap::new();
        self.read("sensor", &mut |record| {
            let kind = match (record.text("modality")?, record.text("channel")?) {
                ("camera", _) => Some(SensorKind::Camera),
                (_, LIDAR) => Some(SensorKind::Lidar),
                _ => None,
            };
            sensors.insert(record.token()?.to_owned(), kind);
            Ok(())
        })?;
        let mut kinds = BTreeMap::new();
        self.read("calibrated_sensor", &mut |record| {
            let sensor = sensors
                .get(record.text("sensor_token")?)
                .ok_or_else(|| record.wrong("sensor_token", token_in("sensor.json")))?;
            if let Some(kind) = sensor {
                record.pose::<Ego, Sensor>()?;
                if *kind == SensorKind::Camera && record.list("camera_intrinsic")?.len() != 3 {
                    return Err(record.wrong("camera_intrinsic", "three rows of three numbers"));
                }
                kinds.insert(record.token()?.to_owned(), *kind);
            }
            Ok(())
        })?;
        Ok(kinds)
    }

    /// Pictures and key frames of the lidar that belong to these samples.
    pub fn data(
        &self,
        samples: &BTreeMap<String, SampleRecord>,
        kinds: &BTreeMap<String, SensorKind>,
    ) -> Result<Vec<DataRecord>, NuscenesError> {
        let mut data = Vec::new();
        self.read("sample_data", &mut |record| {
            let (sample, calibrated) = (
                record.text("sample_token")?,
                record.text("calibrated_sensor_token")?,
            );
            let is_key_frame = record.flag("is_key_frame")?;
            let is_used = match kinds.get(calibrated) {
                Some(SensorKind::Camera) => true,
                Some(SensorKind::Lidar) => is_key_frame,
                None => false,
            };
            if !is_used || !samples.contains_key(sample) {
                return Ok(());
            }
            let size_px = [record.count("width")?, record.count("height")?];
            data.push(DataRecord {
                token: record.token()?.to_owned(),
                sample_token: sample.to_owned(),
                pose_token: record.text("ego_pose_token")?.to_owned(),
                calibrated_token: calibrated.to_owned(),
                filename: record.text("filename")?.to_owned(),
                size_px,
                timestamp_us: record.integer("timestamp")?,
                is_key_frame,
            });
            Ok(())
        })?;
        Ok(data)
    }

    /// Poses of the vehicle by token.
    pub fn poses(
        &self,
        data: &[DataRecord],
    ) -> Result<BTreeMap<String, Pose<World, Ego>>, NuscenesError> {
        let wanted: BTreeSet<&str> = data.iter().map(|data| data.pose_token.as_str()).collect();
        let mut poses = BTreeMap::new();
        self.read("ego_pose", &mut |record| {
            if wanted.contains(record.token()?) {
                poses.insert(record.token()?.to_owned(), record.pose()?);
            }
            Ok(())
        })?;
        match data
            .iter()
            .find(|data| !poses.contains_key(&data.pose_token))
        {
            None => Ok(poses),
            Some(data) => Err(self.dangling(
                "sample_data",
                &data.token,
                "ego_pose_token",
                "ego_pose.json",
                &data.pose_token,
            )),
        }
    }

    /// The annotations of these samples by token; `None` where the folder has none at all, as the
    /// test split.
    pub fn annotations(
        &self,
        samples: &BTreeMap<String, SampleRecord>,
    ) -> Result<Option<BTreeMap<String, AnnotationRecord>>, NuscenesError> {
        let categories = self.names_by_token("category", "name")?;
        let visibilities = self.visibilities()?;
        let mut annotations = BTreeMap::new();
        let all = self.read("sample_annotation", &mut |record| {
            let sample = record.text("sample_token")?;
            if samples.contains_key(sample) {
                let annotation = annotation(record, sample, &visibilities)?;
                annotations.insert(record.token()?.to_owned(), annotation);
            }
            Ok(())
        })?;
        let meanings = self.meanings(&annotations, &categories)?;
        for (token, annotation) in &mut annotations {
            annotation.meaning = *meanings.get(&annotation.instance_token).ok_or_else(|| {
                self.dangling(
                    "sample_annotation",
                    token,
                    "instance_token",
                    "instance.json",
                    &annotation.instance_token,
                )
            })?;
        }
        Ok((all > 0).then_some(annotations))
    }

    /// Meaning by the token of an instance.
    fn meanings(
        &self,
        annotations: &BTreeMap<String, AnnotationRecord>,
        categories: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, Meaning>, NuscenesError> {
        let wanted: BTreeSet<&str> = annotations
            .values()
            .map(|annotation| annotation.instance_token.as_str())
            .collect();
        let mut meanings = BTreeMap::new();
        self.read("instance", &mut |record| {
            if wanted.contains(record.token()?) {
                let category = categories
                    .get(record.text("category_token")?)
                    .ok_or_else(|| record.wrong("category_token", token_in("category.json")))?;
                let meaning = Meaning::of_category(category);
                meanings.insert(record.token()?.to_owned(), meaning);
            }
            Ok(())
        })?;
        Ok(meanings)
    }

    fn names_by_token(
        &self,
        table: &str,
        field: &str,
    ) -> Result<BTreeMap<String, String>, NuscenesError> {
        let mut names = BTreeMap::new();
        self.read(table, &mut |record| {
            names.insert(record.token()?.to_owned(), record.text(field)?.to_owned());
            Ok(())
        })?;
        Ok(names)
    }

    /// Middle of each level of visibility by token, from levels such as `v40-60`.
    fn visibilities(&self) -> Result<BTreeMap<String, f64>, NuscenesError> {
        let mut fractions = BTreeMap::new();
        self.read("visibility", &mut |record| {
            let fraction = middle_of_level(record.text("level")?)
                .ok_or_else(|| record.wrong("level", "a range of per cent such as \"v40-60\""))?;
            fractions.insert(record.token()?.to_owned(), fraction);
            Ok(())
        })?;
        Ok(fractions)
    }

    /// The rig of calibrations whose images have these sizes, with the token of each of its cameras.
    pub fn rig(
        &self,
        sizes_px: &BTreeMap<&str, [u32; 2]>,
    ) -> Result<(Rig, Vec<String>), NuscenesError> {
        let refused = |error: CalibrationError| {
            let file = error
                .file()
                .map_or_else(|| self.table("calibrated_sensor"), Path::to_path_buf);
            let refused =
                NuscenesError::new(file, error.expected(), error.found()).in_field(error.field());
            match error.camera() {
                Some(camera) => refused.in_record(format!("of camera {camera}")),
                None => refused,
            }
        };
        let tables =
            readers::nuscenes::Tables::read_used(self.path, &|token| sizes_px.get(token).copied())
                .map_err(refused)?;
        let tokens: Vec<&str> = sizes_px.keys().copied().collect();
        let rig = tables.rig(&tokens).map_err(refused)?;
        let of_camera = |name: &str| {
            let found = tables
                .cameras()
                .iter()
                .find(|found| found.camera.name == name);
            found.map(|found| found.token.clone()).unwrap_or_default()
        };
        let tokens = rig
            .cameras()
            .iter()
            .map(|camera| of_camera(&camera.name))
            .collect();
        Ok((rig, tokens))
    }

    /// A token that leads nowhere.
    pub fn dangling(
        &self,
        table: &str,
        record: &str,
        field: &str,
        other: &str,
        found: &str,
    ) -> NuscenesError {
        NuscenesError::new(self.table(table), token_in(other), format!("{found:?}"))
            .in_record(format!("{record:?}"))
            .in_field(field)
    }
}

/// A stamp of nuScenes, which are microseconds.
pub(super) fn stamp(timestamp_us: i64) -> Stamp {
    Stamp::from_nanoseconds(timestamp_us.saturating_mul(1000))
}

fn token_in(table: &str) -> String {
    format!("the token of a record in {table}")
}

fn annotation(
    record: &Record<'_>,
    sample: &str,
    visibilities: &BTreeMap<String, f64>,
) -> Result<AnnotationRecord, NuscenesError> {
    let expected = "width, length, height in metres, all above 0";
    let [width, length, height] = record.numbers::<3>("size", expected)?;
    if ![width, length, height].iter().all(|side| *side > 0.0) {
        return Err(record.wrong("size", expected));
    }
    // The test split and some records leave the level empty.
    let visible_fraction = match record.text("visibility_token")? {
        "" => 1.0,
        token => *visibilities
            .get(token)
            .ok_or_else(|| record.wrong("visibility_token", token_in("visibility.json")))?,
    };
    Ok(AnnotationRecord {
        sample_token: sample.to_owned(),
        instance_token: record.text("instance_token")?.to_owned(),
        // Until the instances have been read.
        meaning: Meaning::Other,
        world_from_box: *record.pose::<World, World>()?.as_isometry(),
        size_m: [length, width, height],
        visible_fraction,
        points: record
            .count("num_lidar_pts")?
            .saturating_add(record.count("num_radar_pts")?),
        previous: record.text("prev")?.to_owned(),
        next: record.text("next")?.to_owned(),
    })
}

fn middle_of_level(level: &str) -> Option<f64> {
    let (from, to) = level.strip_prefix('v')?.split_once('-')?;
    let (from, to): (f64, f64) = (from.parse().ok()?, to.parse().ok()?);
    (0.0..=100.0).contains(&from).then_some(0.005 * (from + to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_visibility_become_their_middle() {
        for (level, fraction) in [("v0-40", 0.2), ("v40-60", 0.5), ("v80-100", 0.9)] {
            let found = middle_of_level(level).expect("it is a level");
            assert!((found - fraction).abs() < 1e-12, "{level}");
        }
        for level in ["", "v", "40-60", "v40", "vmuch-more", "v-5-10"] {
            assert_eq!(middle_of_level(level), None, "{level}");
        }
    }
}
