//! Readers of the calibration files that others write.
//!
//! | From | Function | Gives |
//! |---|---|---|
//! | nuScenes `calibrated_sensor.json` + `sensor.json` | [`nuscenes::Tables`] | rigs, by token |
//! | ROS `camera_info` YAML | [`ros::camera_info`] | name and intrinsics |
//! | Kalibr `camchain.yaml` | [`kalibr::Camchain`] | cameras with poses in the chain's frame |
//! | OpenCV `FileStorage` YAML | [`opencv::file_storage`] | intrinsics |
//! | a list of such files with poses | [`assembly::from_toml_file`] | a rig |
//!
//! All of them take whole, uncropped images, so a principal point outside of the image is refused: the
//! intrinsics then belong to another image size. Every error names the file, the camera where there is
//! one, the field, what was expected, and what was found.

pub mod assembly;
pub mod kalibr;
mod node;
pub mod nuscenes;
pub mod opencv;
pub mod ros;

use crate::{BrownConrady, CalibrationError, Intrinsics, Lens};

/// Camera matrix as focal lengths and principal point.
struct CameraMatrix {
    focal_px: [f64; 2],
    principal_px: [f64; 2],
}

impl CameraMatrix {
    /// Reads `[fx 0 cx, 0 fy cy, 0 0 1]`, row by row.
    fn from_rows(field: &str, rows: &[f64]) -> Result<Self, CalibrationError> {
        let refuse =
            |expected: &str| Err(CalibrationError::new(field, expected, format!("{rows:?}")));
        let &[fx, skew, cx, zero_a, fy, cy, zero_b, zero_c, one] = rows else {
            return refuse("nine numbers of a 3×3 camera matrix");
        };
        if skew != 0.0 {
            return refuse("a camera matrix without skew");
        }
        if [zero_a, zero_b, zero_c] != [0.0; 3] || one != 1.0 {
            return refuse("a camera matrix [fx 0 cx, 0 fy cy, 0 0 1]");
        }
        Ok(Self {
            focal_px: [fx, fy],
            principal_px: [cx, cy],
        })
    }

    fn intrinsics(self, size_px: [u32; 2], lens: Lens) -> Result<Intrinsics, CalibrationError> {
        let intrinsics = Intrinsics::new(self.focal_px, self.principal_px, size_px, lens)?;
        intrinsics.check_principal_point()?;
        Ok(intrinsics)
    }
}

fn pinhole(field: &str, coefficients: &[f64]) -> Result<Lens, CalibrationError> {
    match BrownConrady::from_coefficients(coefficients) {
        Ok(k) => Ok(Lens::Pinhole { k }),
        Err(error) => Err(CalibrationError::new(
            field,
            error.expected(),
            error.found(),
        )),
    }
}

fn fisheye(field: &str, coefficients: &[f64]) -> Result<Lens, CalibrationError> {
    match coefficients {
        &[k1, k2, k3, k4] => Ok(Lens::Fisheye {
            k: [k1, k2, k3, k4],
        }),
        other => Err(CalibrationError::new(
            field,
            "4 coefficients k1 k2 k3 k4 of a fisheye lens",
            format!("{} coefficients {other:?}", other.len()),
        )),
    }
}
