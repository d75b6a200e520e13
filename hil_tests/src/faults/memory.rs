//! Drives that are kept in memory, so that many faults strike the very same one.

use bevrt_calibration::Rig;
use bevrt_runtime::{EgoMotionSource, ImageError, ImageView, PixelFormat, Stamp};

use crate::source::{DriveEvent, DriveSource, ImageEvent, SourceError};
use crate::truth::FrameTruth;

/// A picture with memory of its own.
#[derive(Clone, Debug)]
pub(super) struct OwnedPicture {
    pub(super) format: PixelFormat,
    pub(super) width: u32,
    pub(super) height: u32,
    /// All planes without padding.
    pub(super) bytes: Vec<u8>,
    pub(super) rgb: Vec<u8>,
}

/// An event with memory of its own.
#[derive(Clone, Debug)]
pub(super) enum OwnedEvent {
    Image {
        camera: usize,
        stamp: Stamp,
        arrival: Stamp,
        picture: OwnedPicture,
    },
    VehicleMotion {
        stamp: Stamp,
        arrival: Stamp,
        speed_mps: f64,
        yaw_rate_radps: f64,
    },
    Pose {
        stamp: Stamp,
        arrival: Stamp,
        odom_from_ego: bevrt_calibration::Pose<bevrt_calibration::Odom, bevrt_calibration::Ego>,
    },
    Truth(Box<FrameTruth>),
}

impl OwnedPicture {
    fn of(image: &ImageView<'_>, rgb: &[u8]) -> Self {
        let (width, height) = (image.width(), image.height());
        let format = image.format();
        let mut bytes = Vec::new();
        for (index, plane) in image.planes().iter().enumerate() {
            for row in 0..format.rows(index, height as usize) {
                let begin = row * plane.stride;
                let end = begin + format.row_bytes(width as usize);
                bytes.extend_from_slice(&plane.bytes[begin..end]);
            }
        }
        Self {
            format,
            width,
            height,
            bytes,
            rgb: rgb.to_vec(),
        }
    }

    pub(super) fn view(&self) -> Result<ImageView<'_>, ImageError> {
        ImageView::packed(self.format, self.width, self.height, &self.bytes)
    }
}

impl OwnedEvent {
    pub(super) fn of(event: &DriveEvent<'_>) -> Self {
        match event {
            DriveEvent::Image(image) => Self::Image {
                camera: image.camera,
                stamp: image.stamp,
                arrival: image.arrival,
                picture: OwnedPicture::of(&image.image, image.rgb),
            },
            DriveEvent::VehicleMotion {
                stamp,
                arrival,
                speed_mps,
                yaw_rate_radps,
            } => Self::VehicleMotion {
                stamp: *stamp,
                arrival: *arrival,
                speed_mps: *speed_mps,
                yaw_rate_radps: *yaw_rate_radps,
            },
            DriveEvent::Pose {
                stamp,
                arrival,
                odom_from_ego,
            } => Self::Pose {
                stamp: *stamp,
                arrival: *arrival,
                odom_from_ego: *odom_from_ego,
            },
            DriveEvent::Truth(truth) => Self::Truth(Box::new((*truth).clone())),
        }
    }

    pub(super) fn view(&self, rig: &Rig) -> Result<DriveEvent<'_>, SourceError> {
        Ok(match self {
            Self::Image {
                camera,
                stamp,
                arrival,
                picture,
            } => DriveEvent::Image(ImageEvent {
                camera: *camera,
                stamp: *stamp,
                arrival: *arrival,
                image: picture.view().map_err(|problem| SourceError::Image {
                    camera: rig.cameras()[*camera].name.clone(),
                    problem,
                })?,
                rgb: &picture.rgb,
            }),
            Self::VehicleMotion {
                stamp,
                arrival,
                speed_mps,
                yaw_rate_radps,
            } => DriveEvent::VehicleMotion {
                stamp: *stamp,
                arrival: *arrival,
                speed_mps: *speed_mps,
                yaw_rate_radps: *yaw_rate_radps,
            },
            Self::Pose {
                stamp,
                arrival,
                odom_from_ego,
            } => DriveEvent::Pose {
                stamp: *stamp,
                arrival: *arrival,
                odom_from_ego: *odom_from_ego,
            },
            Self::Truth(truth) => DriveEvent::Truth(truth),
        })
    }

    /// When it comes; ground truth is there when it is true.
    pub(super) fn arrival(&self) -> Stamp {
        match self {
            Self::Image { arrival, .. }
            | Self::VehicleMotion { arrival, .. }
            | Self::Pose { arrival, .. } => *arrival,
            Self::Truth(truth) => Stamp::from_nanoseconds(truth.stamp_ns),
        }
    }

    /// Both times; ground truth has none.
    pub(super) fn times_mut(&mut self) -> Option<(&mut Stamp, &mut Stamp)> {
        match self {
            Self::Image { stamp, arrival, .. }
            | Self::VehicleMotion { stamp, arrival, .. }
            | Self::Pose { stamp, arrival, .. } => Some((stamp, arrival)),
            Self::Truth(_) => None,
        }
    }
}

/// A drive in memory.
pub struct MemoryDrive {
    rig: Rig,
    ego_motion: EgoMotionSource,
    events: Vec<OwnedEvent>,
}

impl MemoryDrive {
    /// Reads a drive to its end.
    ///
    /// # Errors
    /// The drive cannot be read.
    pub fn of(source: &mut dyn DriveSource) -> Result<Self, SourceError> {
        let (rig, ego_motion) = (source.rig().clone(), source.ego_motion());
        let mut events = Vec::new();
        while let Some(event) = source.next_event()? {
            events.push(OwnedEvent::of(&event));
        }
        Ok(Self {
            rig,
            ego_motion,
            events,
        })
    }

    /// The cameras.
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    /// What kind of ego motion it has.
    pub fn ego_motion(&self) -> EgoMotionSource {
        self.ego_motion
    }

    /// The drive from its beginning to the last event that comes before `end`.
    pub fn play_until(&self, end: Stamp) -> Playback<'_> {
        Playback {
            drive: self,
            next: 0,
            end,
        }
    }
}

/// A drive in memory, event by event.
pub struct Playback<'a> {
    drive: &'a MemoryDrive,
    next: usize,
    end: Stamp,
}

impl DriveSource for Playback<'_> {
    fn rig(&self) -> &Rig {
        &self.drive.rig
    }

    fn ego_motion(&self) -> EgoMotionSource {
        self.drive.ego_motion
    }

    fn next_event(&mut self) -> Result<Option<DriveEvent<'_>>, SourceError> {
        let event = self.drive.events.get(self.next);
        let Some(event) = event.filter(|event| event.arrival() < self.end) else {
            return Ok(None);
        };
        self.next += 1;
        event.view(&self.drive.rig).map(Some)
    }
}
