//! A nuScenes scene as a drive.

use std::sync::Arc;

use bevrt_calibration::{Pose, Rig};
use bevrt_runtime::{EgoMotionSource, ImageView, PixelFormat, Stamp};

use super::{NuscenesError, NuscenesScene};
use crate::logs::JpegDecoder;
use crate::source::{DriveEvent, DriveSource, ImageEvent, SourceError};
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
    file: Vec<u8>,
    decoder: JpegDecoder,
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
            file: Vec::new(),
            decoder: JpegDecoder::default(),
            truth: FrameTruth::default(),
        }
    }

    /// The scene.
    pub fn scene(&self) -> &NuscenesScene {
        &self.scene
    }

    fn picture(&mut self, place: usize) -> Result<DriveEvent<'_>, SourceError> {
        let picture = &self.scene.pictures[place];
        let file = &picture.file;
        self.file.clear();
        std::fs::File::open(file)
            .and_then(|mut open| std::io::Read::read_to_end(&mut open, &mut self.file))
            .map_err(|error| NuscenesError::caused_by(file, "a picture", error))?;
        let decoded = self
            .decoder
            .decode(&self.file)
            .map_err(|error| NuscenesError::caused_by(file, "a JPEG picture", error))?;
        let found = [decoded.width, decoded.height];
        if found != picture.size_px {
            let size = |[width, height]: [u32; 2]| format!("{width}×{height}");
            let expected = format!("a picture of {} as in its table", size(picture.size_px));
            return Err(NuscenesError::new(file, expected, size(found)).into());
        }
        let image = ImageView::packed(PixelFormat::Rgb, found[0], found[1], &decoded.bytes)
            .map_err(|problem| SourceError::Image {
                camera: self.scene.rig.cameras()[picture.camera].name.clone(),
                problem,
            })?;
        Ok(DriveEvent::Image(ImageEvent {
            camera: picture.camera,
            stamp: picture.stamp,
            arrival: picture.stamp,
            image,
            rgb: &decoded.bytes,
            jpeg: Some(&self.file),
        }))
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
            Pending::Picture(place) => self.picture(place).map(Some),
        }
    }
}
