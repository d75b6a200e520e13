//! Events with memory of their own, for whoever must keep them.

use bevrt_calibration::{Ego, Odom, Pose, Rig};
use bevrt_runtime::{ImageError, ImageView, PixelFormat, Span, Stamp};

use super::{DriveEvent, ImageEvent, SourceError};
use crate::truth::FrameTruth;

/// A picture with memory of its own.
#[derive(Clone, Debug)]
pub(crate) struct OwnedPicture {
    pub(crate) format: PixelFormat,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// All planes without padding.
    pub(crate) bytes: Vec<u8>,
    pub(crate) rgb: Vec<u8>,
}

/// An event with memory of its own.
#[derive(Clone, Debug)]
pub(crate) enum OwnedEvent {
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
        odom_from_ego: Pose<Odom, Ego>,
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

    pub(crate) fn view(&self) -> Result<ImageView<'_>, ImageError> {
        ImageView::packed(self.format, self.width, self.height, &self.bytes)
    }
}

impl OwnedEvent {
    pub(crate) fn of(event: &DriveEvent<'_>) -> Self {
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

    pub(crate) fn view(&self, rig: &Rig) -> Result<DriveEvent<'_>, SourceError> {
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
                jpeg: None,
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
    pub(crate) fn arrival(&self) -> Stamp {
        match self {
            Self::Image { arrival, .. }
            | Self::VehicleMotion { arrival, .. }
            | Self::Pose { arrival, .. } => *arrival,
            Self::Truth(truth) => Stamp::from_nanoseconds(truth.stamp_ns),
        }
    }

    /// Whether it comes at some time; ground truth is only true at one.
    pub(crate) fn has_arrival(&self) -> bool {
        !matches!(self, Self::Truth(_))
    }

    /// Moves all times.
    pub(crate) fn shift(&mut self, by: Span) {
        match self {
            Self::Truth(truth) => truth.stamp_ns += by.nanoseconds(),
            _ => {
                if let Some((stamp, arrival)) = self.times_mut() {
                    *stamp = *stamp + by;
                    *arrival = *arrival + by;
                }
            }
        }
    }

    /// Both times; ground truth has none.
    pub(crate) fn times_mut(&mut self) -> Option<(&mut Stamp, &mut Stamp)> {
        match self {
            Self::Image { stamp, arrival, .. }
            | Self::VehicleMotion { stamp, arrival, .. }
            | Self::Pose { stamp, arrival, .. } => Some((stamp, arrival)),
            Self::Truth(_) => None,
        }
    }
}
