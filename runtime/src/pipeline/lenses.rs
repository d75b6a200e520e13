//! Whether the lenses of a rig are what a network that takes matrices can know of them.

use bevrt_calibration::{Intrinsics, Rig};
use nalgebra::Point2;

use super::SetupError;
use crate::manifest::Manifest;
use crate::preprocess::crop_for;

/// Points along each side of the image at which a lens is compared with its matrix.
const SAMPLES: u32 = 17;

/// Checks every camera of the rig against the manifest's `matrices.largest_distortion_px`.
///
/// # Errors
/// A lens moves pixels farther; the message names the camera and how far.
pub(super) fn check(manifest: &Manifest, rig: &Rig) -> Result<(), SetupError> {
    let Some(matrices) = manifest.matrices() else {
        return Ok(());
    };
    let preprocess = manifest.preprocess();
    for camera in rig.cameras() {
        let source = &camera.intrinsics;
        let crop = crop_for(preprocess, source.width(), source.height());
        let lens = source.cropped_and_scaled(crop, preprocess.width, preprocess.height);
        let found_px = distortion_px(&lens);
        if found_px > matrices.largest_distortion_px {
            return Err(SetupError::Lens {
                camera: camera.name.clone(),
                expected_px: matrices.largest_distortion_px,
                found_px,
            });
        }
    }
    Ok(())
}

/// How far the lens moves any pixel from where its pinhole matrix has it; infinite where a pixel
/// looks sideways or backwards, or has no ray.
fn distortion_px(lens: &Intrinsics) -> f64 {
    let along = |k: u32, side: u32| f64::from(k) * f64::from(side - 1) / f64::from(SAMPLES - 1);
    let places = (0..SAMPLES).flat_map(|v| (0..SAMPLES).map(move |u| (u, v)));
    places
        .map(|(u, v)| Point2::new(along(u, lens.width()), along(v, lens.height())))
        .map(|pixel| match lens.unproject(&pixel) {
            Some(ray) if ray.z > 0.0 => {
                let by_matrix = Point2::new(
                    lens.fx() * ray.x / ray.z + lens.cx(),
                    lens.fy() * ray.y / ray.z + lens.cy(),
                );
                (by_matrix - pixel).norm()
            }
            Some(_) | None => f64::INFINITY,
        })
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use bevrt_calibration::{Intrinsics, Lens};

    use super::distortion_px;

    #[test]
    fn a_pinhole_has_none() {
        let lens = Intrinsics::new([32.0; 2], [31.5, 23.5], [64, 48], Lens::IDEAL);
        assert!(distortion_px(&lens.expect("sound numbers")) < 1e-9);
    }

    #[test]
    fn a_fisheye_has_more_than_any_limit() {
        let lens = Lens::Fisheye { k: [0.0; 4] };
        let lens = Intrinsics::new([16.0; 2], [31.5, 23.5], [64, 48], lens);
        assert_eq!(distortion_px(&lens.expect("sound numbers")), f64::INFINITY);
    }
}
