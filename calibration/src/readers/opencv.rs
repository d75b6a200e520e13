//! OpenCV's `FileStorage` YAML, as written by its calibration samples and by most people's scripts.

use std::path::Path;

use super::node::{Node, parse_yaml};
use super::{CameraMatrix, fisheye, pinhole};
use crate::{CalibrationError, Intrinsics, Lens, rig};

/// Which of OpenCV's two camera models a file belongs to; the file itself does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LensModel {
    /// `cv::calibrateCamera`.
    Pinhole,
    /// `cv::fisheye::calibrate`.
    Fisheye,
}

/// Reads a camera matrix, distortion and image size from a `FileStorage` YAML file.
///
/// Known names: `camera_matrix`, `cameraMatrix`, `Camera_Matrix`, `K`; `distortion_coefficients`,
/// `Distortion_Coefficients`, `dist_coeffs`, `distCoeffs`, `D`; `image_width` with `image_height`,
/// `image_Width` with `image_Height`, `resolution`, `image_size`, `imageSize`. A file without distortion is refused, as it
/// is more likely misspelt than ideal.
///
/// # Errors
/// Names file and field.
pub fn file_storage(
    path: impl AsRef<Path>,
    model: LensModel,
) -> Result<Intrinsics, CalibrationError> {
    let path = path.as_ref();
    file_storage_str(&rig::read(path)?, model).map_err(|error| error.in_file(path))
}

/// As [`file_storage`], from text.
///
/// # Errors
/// As [`file_storage`], without a file.
pub fn file_storage_str(text: &str, model: LensModel) -> Result<Intrinsics, CalibrationError> {
    let value = parse_yaml(text)?;
    let root = Node::root(&value);
    let matrix = root.need(&["camera_matrix", "cameraMatrix", "Camera_Matrix", "K"])?;
    let matrix = CameraMatrix::from_rows(matrix.path(), &matrix.numbers()?)?;
    let size_px = size(&root)?;
    let lens = lens(&root, model)?;
    matrix.intrinsics(size_px, lens)
}

fn size(root: &Node) -> Result<[u32; 2], CalibrationError> {
    if let Some(pair) = ["resolution", "image_size", "imageSize"]
        .iter()
        .find_map(|name| root.get(name))
    {
        return pair.size_pair();
    }
    Ok([
        root.need(&["image_width", "image_Width"])?.size()?,
        root.need(&["image_height", "image_Height"])?.size()?,
    ])
}

fn lens(root: &Node, model: LensModel) -> Result<Lens, CalibrationError> {
    let names = [
        "distortion_coefficients",
        "Distortion_Coefficients",
        "dist_coeffs",
        "distCoeffs",
        "D",
    ];
    let coefficients = root.need(&names)?;
    let numbers = coefficients.numbers()?;
    match model {
        LensModel::Pinhole => pinhole(coefficients.path(), &numbers),
        LensModel::Fisheye => fisheye(coefficients.path(), &numbers),
    }
}
