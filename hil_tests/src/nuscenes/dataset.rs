//! A nuScenes folder and the scenes in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bevrt_calibration::{Ego, Pose, World};
use bevrt_runtime::Stamp;

use super::NuscenesError;
use super::annotations::Annotation;
use super::map_expansion::MapExpansion;
use super::scene::{KeyFrame, NuscenesScene, Picture};
use super::tables::{
    AnnotationRecord, DataRecord, Folder, SampleRecord, SceneRecord, SensorKind, stamp,
};

/// Scene names that an error lists.
const LISTED: usize = 10;

/// A nuScenes folder of one version, as it is on a disk: `<root>/<version>/*.json`, pictures below
/// `<root>/samples` and `<root>/sweeps`, and `<root>/maps/expansion` where it was installed.
#[derive(Clone, Debug)]
pub struct NuscenesDataset {
    root: PathBuf,
    version: String,
    tables: PathBuf,
    scenes: Vec<SceneRecord>,
}

/// The tables that several scenes share, cut to those scenes.
struct Tables {
    samples: BTreeMap<String, SampleRecord>,
    kinds: BTreeMap<String, SensorKind>,
    data: Vec<DataRecord>,
    poses: BTreeMap<String, Pose<World, Ego>>,
    annotations: Option<BTreeMap<String, AnnotationRecord>>,
}

impl NuscenesDataset {
    /// Opens a version such as `v1.0-mini` and lists its scenes.
    ///
    /// # Errors
    /// The folder has no such version, or its table of scenes is damaged.
    pub fn open(root: impl AsRef<Path>, version: &str) -> Result<Self, NuscenesError> {
        let root = root.as_ref().to_path_buf();
        let tables = root.join(version);
        if !tables.is_dir() {
            let versions = Self::versions(&root);
            let found = if versions.is_empty() {
                "no folder of any version".to_owned()
            } else {
                versions.join(", ")
            };
            let expected = format!("a folder {version:?} with the tables of nuScenes");
            return Err(NuscenesError::new(&root, expected, found));
        }
        let scenes = Folder { path: &tables }.scenes()?;
        Ok(Self {
            root,
            version: version.to_owned(),
            tables,
            scenes,
        })
    }

    /// The versions that a folder has: the names of its folders of tables.
    pub fn versions(root: impl AsRef<Path>) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(root) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with("v1.0"))
            .collect();
        names.sort();
        names
    }

    /// The version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Names of all scenes, in the order of the table.
    pub fn scene_names(&self) -> Vec<&str> {
        self.scenes
            .iter()
            .map(|scene| scene.name.as_str())
            .collect()
    }

    /// Reads everything but the pictures of these scenes, each table once. Memory grows with the
    /// scenes that are asked for, not with the tables.
    ///
    /// # Errors
    /// A scene is not there, a table is missing or damaged, or a token leads nowhere.
    pub fn load(&self, names: &[&str]) -> Result<Vec<NuscenesScene>, NuscenesError> {
        let scenes = names
            .iter()
            .map(|name| self.scene_record(name))
            .collect::<Result<Vec<_>, _>>()?;
        let folder = self.folder();
        let locations = folder.locations()?;
        let tables = self.tables_of(&scenes)?;
        let mut maps = BTreeMap::new();
        let mut loaded = Vec::with_capacity(scenes.len());
        for scene in scenes {
            let location = locations.get(&scene.log_token).ok_or_else(|| {
                folder.dangling(
                    "scene",
                    &scene.token,
                    "log_token",
                    "log.json",
                    &scene.log_token,
                )
            })?;
            if !maps.contains_key(location) {
                maps.insert(location.clone(), self.map(location)?);
            }
            let map = maps.get(location).cloned().flatten();
            loaded.push(self.scene(scene, location, &tables, map)?);
        }
        Ok(loaded)
    }

    fn folder(&self) -> Folder<'_> {
        Folder { path: &self.tables }
    }

    fn scene_record(&self, name: &str) -> Result<&SceneRecord, NuscenesError> {
        self.scenes
            .iter()
            .find(|scene| scene.name == name)
            .ok_or_else(|| {
                let known: Vec<&str> = self.scene_names().into_iter().take(LISTED).collect();
                let more = if self.scenes.len() > LISTED {
                    ", …"
                } else {
                    ""
                };
                let expected = format!("a scene of this version: {}{more}", known.join(", "));
                NuscenesError::new(self.folder().table("scene"), expected, format!("{name:?}"))
            })
    }

    fn tables_of(&self, scenes: &[&SceneRecord]) -> Result<Tables, NuscenesError> {
        let folder = self.folder();
        let tokens: BTreeSet<&str> = scenes.iter().map(|scene| scene.token.as_str()).collect();
        let samples = folder.samples(&tokens)?;
        let kinds = folder.sensor_kinds()?;
        let data = folder.data(&samples, &kinds)?;
        let poses = folder.poses(&data)?;
        let annotations = folder.annotations(&samples)?;
        Ok(Tables {
            samples,
            kinds,
            data,
            poses,
            annotations,
        })
    }

    /// The map expansion of a location, where it is installed.
    fn map(&self, location: &str) -> Result<Option<Arc<MapExpansion>>, NuscenesError> {
        let file = self
            .root
            .join("maps/expansion")
            .join(format!("{location}.json"));
        if !file.exists() {
            return Ok(None);
        }
        Ok(Some(Arc::new(MapExpansion::read(&file)?)))
    }

    fn scene(
        &self,
        scene: &SceneRecord,
        location: &str,
        tables: &Tables,
        map: Option<Arc<MapExpansion>>,
    ) -> Result<NuscenesScene, NuscenesError> {
        let folder = self.folder();
        let samples = tables.samples_of(scene);
        let (pictures, lidar) = tables.data_of(scene);
        if pictures.is_empty() {
            let expected = format!("pictures of scene {:?}", scene.name);
            return Err(NuscenesError::new(
                folder.table("sample_data"),
                expected,
                "none",
            ));
        }
        let sizes_px: BTreeMap<&str, [u32; 2]> = pictures
            .iter()
            .map(|data| (data.calibrated_token.as_str(), data.size_px))
            .collect();
        let (rig, tokens) = folder.rig(&sizes_px)?;
        let (annotations, places) = link(&folder, tables, &samples)?;
        let reference: Vec<&DataRecord> = pictures
            .iter()
            .filter(|data| data.calibrated_token == tokens[rig.reference()])
            .copied()
            .collect();
        let of_cameras = pictures_by_sample(&samples, &pictures, &tokens);
        let key_frames = samples
            .iter()
            .zip(places.into_iter().zip(of_cameras))
            .map(|(sample, (places, pictures))| {
                let frame = key_frame(tables, sample, places, pictures, &reference, &lidar);
                frame.ok_or_else(|| {
                    let name = &rig.reference_camera().name;
                    let expected = format!("a key frame of camera {name:?} for every sample");
                    NuscenesError::new(folder.table("sample_data"), expected, "none")
                        .in_record(format!("of sample {:?}", sample.token))
                })
            })
            .collect::<Result<_, _>>()?;
        let picture = |data: &&DataRecord| Picture {
            camera: tokens
                .iter()
                .position(|token| *token == data.calibrated_token)
                .expect("the rig was made of the pictures' calibrations"),
            stamp: stamp(data.timestamp_us),
            file: self.root.join(&data.filename),
            size_px: data.size_px,
        };
        Ok(NuscenesScene {
            name: scene.name.clone(),
            location: location.to_owned(),
            pictures: pictures.iter().map(picture).collect(),
            poses: tables.poses_at(&pictures),
            rig,
            key_frames,
            annotations,
            map,
        })
    }
}

impl Tables {
    /// By time.
    fn samples_of(&self, scene: &SceneRecord) -> Vec<&SampleRecord> {
        let mut samples: Vec<&SampleRecord> = self
            .samples
            .values()
            .filter(|sample| sample.scene_token == scene.token)
            .collect();
        samples.sort_by_key(|sample| sample.timestamp_us);
        samples
    }

    /// Pictures and key frames of the lidar, by time.
    fn data_of(&self, scene: &SceneRecord) -> (Vec<&DataRecord>, Vec<&DataRecord>) {
        let mut data: Vec<&DataRecord> = self
            .data
            .iter()
            .filter(|data| self.samples[&data.sample_token].scene_token == scene.token)
            .collect();
        data.sort_by_key(|data| data.timestamp_us);
        data.into_iter()
            .partition(|data| self.kinds[&data.calibrated_token] == SensorKind::Camera)
    }

    /// Each stamp once.
    fn poses_at(&self, pictures: &[&DataRecord]) -> Vec<(Stamp, Pose<World, Ego>)> {
        let mut poses: Vec<_> = pictures
            .iter()
            .map(|data| (stamp(data.timestamp_us), self.poses[&data.pose_token]))
            .collect();
        poses.dedup_by_key(|(stamp, _)| *stamp);
        poses
    }
}

/// The key frame of a sample; `None` where the reference camera has no picture for it.
fn key_frame(
    tables: &Tables,
    sample: &SampleRecord,
    places: Vec<usize>,
    pictures: Vec<Option<usize>>,
    reference: &[&DataRecord],
    lidar: &[&DataRecord],
) -> Option<KeyFrame> {
    let of_sample = |data: &&&DataRecord| data.is_key_frame && data.sample_token == sample.token;
    let data = reference.iter().find(of_sample)?;
    let world_from_ego = tables.poses[&data.pose_token];
    let seen_from = lidar
        .iter()
        .find(of_sample)
        .map_or(world_from_ego, |data| tables.poses[&data.pose_token]);
    Some(KeyFrame {
        sample_token: sample.token.clone(),
        stamp: stamp(data.timestamp_us),
        world_from_ego,
        range_origin: *seen_from.translation(),
        places,
        pictures,
    })
}

/// For each sample and camera the place of its picture. `tokens` are those of the calibrations, by
/// camera.
fn pictures_by_sample(
    samples: &[&SampleRecord],
    pictures: &[&DataRecord],
    tokens: &[String],
) -> Vec<Vec<Option<usize>>> {
    let mut found: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (place, data) in pictures.iter().enumerate() {
        if data.is_key_frame {
            found.insert((&data.sample_token, &data.calibrated_token), place);
        }
    }
    let of_sample = |sample: &&SampleRecord| {
        let place = |token: &String| found.get(&(sample.token.as_str(), token.as_str())).copied();
        tokens.iter().map(place).collect()
    };
    samples.iter().map(of_sample).collect()
}

/// The annotations of one scene with their neighbours, and the places of each sample's own.
type Linked = (Option<Vec<Annotation>>, Vec<Vec<usize>>);

fn link(
    folder: &Folder<'_>,
    tables: &Tables,
    samples: &[&SampleRecord],
) -> Result<Linked, NuscenesError> {
    let mut places: Vec<Vec<usize>> = vec![Vec::new(); samples.len()];
    let Some(all) = &tables.annotations else {
        return Ok((None, places));
    };
    let sample_places: BTreeMap<&str, usize> = samples
        .iter()
        .enumerate()
        .map(|(place, sample)| (sample.token.as_str(), place))
        .collect();
    let mut records: Vec<(&String, &AnnotationRecord, usize)> = all
        .iter()
        .filter_map(|(token, record)| {
            let sample = *sample_places.get(record.sample_token.as_str())?;
            Some((token, record, sample))
        })
        .collect();
    records.sort_by_key(|(_, _, sample)| *sample);
    let by_token: BTreeMap<&str, usize> = records
        .iter()
        .enumerate()
        .map(|(place, (token, ..))| (token.as_str(), place))
        .collect();
    let mut tracks: BTreeMap<&str, u32> = BTreeMap::new();
    let mut annotations = Vec::with_capacity(records.len());
    for (token, record, sample) in &records {
        let neighbour = |field: &str, other: &str| match other {
            "" => Ok(None),
            other => by_token.get(other).copied().map(Some).ok_or_else(|| {
                let table = "sample_annotation.json of the same scene";
                folder.dangling("sample_annotation", token, field, table, other)
            }),
        };
        let next_track = tracks.len() as u32 + 1;
        places[*sample].push(annotations.len());
        annotations.push(Annotation {
            track_id: *tracks.entry(&record.instance_token).or_insert(next_track),
            meaning: record.meaning,
            world_from_box: record.world_from_box,
            size_m: record.size_m,
            visible_fraction: record.visible_fraction,
            has_points: record.points > 0,
            timestamp_us: samples[*sample].timestamp_us,
            previous: neighbour("prev", &record.previous)?,
            next: neighbour("next", &record.next)?,
        });
    }
    Ok((Some(annotations), places))
}
