//! One scene of a nuScenes folder: its cameras, pictures, poses and key frames.

use std::path::PathBuf;
use std::sync::Arc;

use bevrt_calibration::{Ego, Pose, Rig, World};
use bevrt_runtime::Stamp;
use nalgebra::{Point3, Vector3};

use super::annotations::{Annotation, objects, racks, stands_in_racks};
use super::level::Level;
use super::map_expansion::MapExpansion;
use super::map_truth;
use crate::metrics::{Task, Tasks};
use crate::prediction::{FramePrediction, PredictedObject};
use crate::truth::FrameTruth;

/// A picture of a scene.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    /// Index in the rig.
    pub camera: usize,
    pub stamp: Stamp,
    pub file: PathBuf,
    pub size_px: [u32; 2],
}

/// A sample of the data set: a moment with ground truth.
#[derive(Clone, Debug)]
pub struct KeyFrame {
    /// Token of the sample.
    pub sample_token: String,
    /// When the reference camera exposed.
    pub stamp: Stamp,
    /// Where the vehicle was then.
    pub world_from_ego: Pose<World, Ego>,
    /// Where the devkit measures ranges from: the vehicle at the stamp of the lidar, or of the
    /// reference camera where there is none.
    pub(super) range_origin: Vector3<f64>,
    /// Places of its boxes among the annotations of the scene.
    pub(super) places: Vec<usize>,
    /// For each camera of the rig its picture of this sample, by its place among all pictures of the
    /// scene; `None` where there is none.
    pub pictures: Vec<Option<usize>>,
}

impl KeyFrame {
    pub(super) fn level(&self) -> Level {
        Level::new(self.world_from_ego, self.range_origin)
    }
}

/// One scene with everything but its pictures in memory.
#[derive(Clone, Debug)]
pub struct NuscenesScene {
    pub(super) name: String,
    pub(super) location: String,
    pub(super) rig: Rig,
    /// By stamp.
    pub(super) pictures: Vec<Picture>,
    /// By stamp, each stamp once.
    pub(super) poses: Vec<(Stamp, Pose<World, Ego>)>,
    pub(super) key_frames: Vec<KeyFrame>,
    /// `None` where the data set has no annotations at all.
    pub(super) annotations: Option<Vec<Annotation>>,
    /// `None` where the location has no map expansion.
    pub(super) map: Option<Arc<MapExpansion>>,
}

impl NuscenesScene {
    /// Its name, such as `scene-0061`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it was recorded.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Its cameras; the reference is the front one.
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    /// Pictures of all cameras, sweeps included.
    pub fn picture_count(&self) -> usize {
        self.pictures.len()
    }

    /// Its samples, by time.
    pub fn key_frames(&self) -> &[KeyFrame] {
        &self.key_frames
    }

    /// The vehicle at the stamps of all pictures, by time.
    pub fn poses(&self) -> &[(Stamp, Pose<World, Ego>)] {
        &self.poses
    }

    /// Where the vehicle was when a picture was taken; `None` at other stamps.
    pub fn world_from_ego(&self, stamp: Stamp) -> Option<Pose<World, Ego>> {
        let place = self.poses.binary_search_by_key(&stamp, |(at, _)| *at);
        place.ok().map(|place| self.poses[place].1)
    }

    /// What the data set has labels for. It does not tell which hidden objects were seen before, nor
    /// where arrows and the ends of the road are.
    pub fn tasks(&self) -> Tasks {
        let mut tasks = Tasks::NONE;
        if self.annotations.is_some() {
            tasks = tasks.union(Tasks::of(&[Task::Objects, Task::Tracks]));
        }
        if self.map.is_some() {
            let of_map = [Task::PaintedLanes, Task::Crosswalks, Task::StopLines];
            tasks = tasks.union(Tasks::of(&of_map));
        }
        tasks
    }

    /// Ground truth of a key frame, in the ego frame at the stamp of the reference camera.
    ///
    /// Objects are those with a point of lidar or radar in them, of the classes that we know; their
    /// velocities come from neighbouring annotations. They are annotated for the stamp of the
    /// sample, which is the lidar's, and taken as they are. Everything of the map within 60 m counts
    /// as seen.
    pub fn truth(&self, key_frame: &KeyFrame) -> FrameTruth {
        let mut truth = self.labelled(key_frame);
        truth.objects.retain(|object| object.counts);
        truth
    }

    /// As [`Self::truth`], and with the objects that are annotated but no ground truth: they do not
    /// count. A trainer takes neither their presence nor their absence for true.
    pub fn labelled(&self, key_frame: &KeyFrame) -> FrameTruth {
        let pose = &key_frame.world_from_ego;
        let annotations = self.annotations.as_deref().unwrap_or_default();
        let mut truth = FrameTruth {
            stamp_ns: key_frame.stamp.nanoseconds(),
            objects: objects(annotations, &key_frame.places, pose),
            ..FrameTruth::default()
        };
        if let Some(map) = &self.map {
            truth.lanes = map_truth::lanes(map, pose);
            truth.crosswalks = map_truth::crosswalks(map, pose);
            truth.stop_lines = map_truth::stop_lines(map, pose);
        }
        truth
    }

    /// Ground truth and results of a key frame as they are scored: objects in the level ego frame,
    /// where distances are those of the world as the devkit takes them, and without predicted
    /// bicycles and motorcycles in bicycle racks. What lies on the road stays as it is.
    pub fn scored(
        &self,
        key_frame: &KeyFrame,
        prediction: &FramePrediction,
    ) -> (FrameTruth, FramePrediction) {
        let level = key_frame.level();
        let mut truth = self.truth(key_frame);
        truth.ego_in_world = Some(level.in_world());
        for object in &mut truth.objects {
            object.position_m = level.position(object.position_m);
            object.yaw_rad = level.yaw(object.yaw_rad);
            object.velocity_mps = object.velocity_mps.map(|v| level.direction(v));
        }
        let mut prediction = prediction.clone();
        prediction
            .objects
            .retain(|object| !self.is_in_rack(key_frame, &level, object));
        for object in &mut prediction.objects {
            object.position_m = level.position(object.position_m);
            object.yaw_rad = level.yaw(object.yaw_rad);
            object.velocity_mps = level.direction(object.velocity_mps);
        }
        (truth, prediction)
    }

    fn is_in_rack(&self, key_frame: &KeyFrame, level: &Level, object: &PredictedObject) -> bool {
        let annotations = self.annotations.as_deref().unwrap_or_default();
        let position = Point3::from(level.world_position(object.position_m));
        bevrt_sim::ObjectClass::from_code(object.class).is_some_and(stands_in_racks)
            && racks(annotations, &key_frame.places).any(|rack| rack.contains(&position))
    }
}
