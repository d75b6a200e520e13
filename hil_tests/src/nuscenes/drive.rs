//! A nuScenes scene as a drive.

use std::sync::Arc;

use bevrt_calibration::{Pose, Rig};
use bevrt_runtime::{EgoMotionSource, Stamp};

use super::{NuscenesScene, PictureReader};
use crate::source::{DriveEvent, DriveSource, SourceError};
use crate::truth::FrameTruth;

/// What comes next, by its place in the scene; at one stamp in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pending {
    Pose(usize),
    Truth(usize),
    Picture(usize),
}

/// A scene, event by event: poses, ground truth at key frames, and all pictures at their own stamps.
/// The data set does not tell when anything arrived, so everything arrives at its stamp.
pub struct NuscenesDrive {
    scene: Arc<NuscenesScene>,
    events: Vec<(Stamp, Pending)>,
    next: usize,
    pictures: PictureReader,
    truth: FrameTruth,
}

impl NuscenesDrive {
    /// From the first picture of a scene to its last.
    pub fn new(scene: impl Into<Arc<NuscenesScene>>) -> Self {
        let scene = scene.into();
        let poses = scene.poses.iter().enumerate();
        let truths = scene.key_frames.iter().enumerate();
        let pictures = scene.pictures.iter().enumerate();
        let mut events: Vec<(Stamp, Pending)> = poses
            .map(|(place, (stamp, _))| (*stamp, Pending::Pose(place)))
            .chain(truths.map(|(place, frame)| (frame.stamp, Pending::Truth(place))))
            .chain(pictures.map(|(place, picture)| (picture.stamp, Pending::Picture(place))))
            .collect();
        events.sort();
        Self {
            scene,
            events,
            next: 0,
            pictures: PictureReader::default(),
            truth: FrameTruth::default(),
        }
    }

    /// The scene.
    pub fn scene(&self) -> &NuscenesScene {
        &self.scene
    }
}

impl DriveSource for NuscenesDrive {
    fn rig(&self) -> &Rig {
        &self.scene.rig
    }

    fn ego_motion(&self) -> EgoMotionSource {
        EgoMotionSource::Poses
    }

    fn next_event(&mut self) -> Result<Option<DriveEvent<'_>>, SourceError> {
        let Some(&(stamp, pending)) = self.events.get(self.next) else {
            return Ok(None);
        };
        self.next += 1;
        match pending {
            Pending::Pose(place) => {
                let world_from_ego = self.scene.poses[place].1;
                Ok(Some(DriveEvent::Pose {
                    stamp,
                    arrival: stamp,
                    odom_from_ego: Pose::from_isometry(*world_from_ego.as_isometry()),
                }))
            }
            Pending::Truth(place) => {
                self.truth = self.scene.truth(&self.scene.key_frames[place]);
                Ok(Some(DriveEvent::Truth(&self.truth)))
            }
            Pending::Picture(place) => {
                let image = self.pictures.read(&self.scene, place)?;
                Ok(Some(DriveEvent::Image(image)))
            }
        }
    }
}
