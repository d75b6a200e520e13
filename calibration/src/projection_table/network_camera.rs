//! A camera as the network's input image shows it.

use std::sync::Arc;

use nalgebra::{Point2, Vector3};

use super::FisheyeGain;
use crate::{Cam, Camera, Ego, Intrinsics, PixelRect, Pose};

/// Border pixels whose rays bound a camera's view, per image edge.
const SAMPLES_PER_EDGE: usize = 32;
/// All border samples, in order around the image.
pub(super) const BORDER_SAMPLES: usize = 4 * SAMPLES_PER_EDGE;

/// One camera of a projection table: intrinsics at the network's image size, pose, and state.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkCamera {
    intrinsics: Intrinsics,
    border_rays_in_cam: Option<[Vector3<f64>; BORDER_SAMPLES]>,
    fisheye_gain: Option<Arc<FisheyeGain>>,
    /// Mounting pose.
    pub ego_from_cam: Pose<Ego, Cam>,
    /// Whether features of this camera are gathered; false for a camera that is lost.
    pub is_enabled: bool,
    /// How the vehicle stood when this camera exposed, seen from where it stood at the reference
    /// stamp. The identity where exposures coincide. At 20 m/s, 40 ms of skew is 0.8 m.
    pub ego_at_reference_from_ego_at_camera: Pose<Ego, Ego>,
}

impl NetworkCamera {
    /// A camera whose images are cropped (source pixels), then resized to `width_px` × `height_px`.
    pub fn new(camera: &Camera, crop: PixelRect, width_px: u32, height_px: u32) -> Self {
        let intrinsics = camera
            .intrinsics
            .cropped_and_scaled(crop, width_px, height_px);
        Self::from_parts(intrinsics, camera.ego_from_cam)
    }

    /// A camera given directly at the network's image size.
    pub fn from_parts(intrinsics: Intrinsics, ego_from_cam: Pose<Ego, Cam>) -> Self {
        Self {
            border_rays_in_cam: border_rays(&intrinsics),
            fisheye_gain: FisheyeGain::of(&intrinsics).map(Arc::new),
            intrinsics,
            ego_from_cam,
            is_enabled: true,
            ego_at_reference_from_ego_at_camera: Pose::identity(),
        }
    }

    /// Intrinsics at the network's image size.
    pub fn intrinsics(&self) -> &Intrinsics {
        &self.intrinsics
    }

    /// Rays around the image border, or `None` where the lens has no ray for some border pixel.
    pub(super) fn border_rays_in_cam(&self) -> Option<&[Vector3<f64>; BORDER_SAMPLES]> {
        self.border_rays_in_cam.as_ref()
    }

    /// The tabulated lens, if it is a fisheye that can be tabulated.
    pub(super) fn fisheye_gain(&self) -> Option<&Arc<FisheyeGain>> {
        self.fisheye_gain.as_ref()
    }
}

fn border_rays(intrinsics: &Intrinsics) -> Option<[Vector3<f64>; BORDER_SAMPLES]> {
    let (width, height) = (
        f64::from(intrinsics.width()),
        f64::from(intrinsics.height()),
    );
    let mut rays = [Vector3::zeros(); BORDER_SAMPLES];
    for (sample, ray) in rays.iter_mut().enumerate() {
        let along = (sample % SAMPLES_PER_EDGE) as f64 / SAMPLES_PER_EDGE as f64;
        let (x, y) = match sample / SAMPLES_PER_EDGE {
            0 => (along, 0.0),
            1 => (1.0, along),
            2 => (1.0 - along, 1.0),
            _ => (0.0, 1.0 - along),
        };
        *ray = intrinsics.unproject(&Point2::new(x * width - 0.5, y * height - 0.5))?;
    }
    Some(rays)
}
