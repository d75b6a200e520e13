//! ROS `camera_info`: the YAML of `camera_calibration`, and a printed `sensor_msgs/CameraInfo`.

use std::path::Path;

use super::node::{Node, parse_yaml};
use super::{CameraMatrix, fisheye, pinhole};
use crate::{CalibrationError, Intrinsics, Lens, rig};

/// Intrinsics of one ROS camera; its pose is in other files.
#[derive(Debug, Clone, PartialEq)]
pub struct RosCamera {
    /// `camera_name`, where the file has one.
    pub name: Option<String>,
    /// Raw (not rectified) intrinsics.
    pub intrinsics: Intrinsics,
}

/// Reads a `camera_info` YAML file. Rectification and projection matrix are not used: the raw image
/// is what the network sees.
///
/// # Errors
/// Names file, camera and field. Distortion models other than `plumb_bob`, `rational_polynomial`,
/// `equidistant`, `fisheye` and none are refused.
pub fn camera_info(path: impl AsRef<Path>) -> Result<RosCamera, CalibrationError> {
    let path = path.as_ref();
    camera_info_str(&rig::read(path)?).map_err(|error| error.in_file(path))
}

/// As [`camera_info`], from text.
///
/// # Errors
/// As [`camera_info`], without a file.
pub fn camera_info_str(text: &str) -> Result<RosCamera, CalibrationError> {
    let value = parse_yaml(text)?;
    let root = Node::root(&value);
    let name = root
        .get("camera_name")
        .map(|node| node.text())
        .transpose()?
        .map(str::to_owned);
    let intrinsics = intrinsics(&root).map_err(|error| match &name {
        Some(name) => error.in_camera(name),
        None => error,
    })?;
    Ok(RosCamera { name, intrinsics })
}

fn intrinsics(root: &Node) -> Result<Intrinsics, CalibrationError> {
    let size_px = [
        root.need(&["image_width", "width"])?.size()?,
        root.need(&["image_height", "height"])?.size()?,
    ];
    let matrix = root.need(&["camera_matrix", "K", "k"])?;
    let matrix = CameraMatrix::from_rows(matrix.path(), &matrix.numbers()?)?;
    let lens = lens(root)?;
    matrix.intrinsics(size_px, lens)
}

fn lens(root: &Node) -> Result<Lens, CalibrationError> {
    let coefficients = root
        .get("distortion_coefficients")
        .or_else(|| root.get("D"))
        .or_else(|| root.get("d"));
    let Some(coefficients) = coefficients else {
        return Ok(Lens::IDEAL);
    };
    let field = coefficients.path();
    let numbers = coefficients.numbers()?;
    if numbers.is_empty() {
        return Ok(Lens::IDEAL);
    }
    let model = root.need(&["distortion_model"])?;
    match model.text()? {
        "plumb_bob" if numbers.len() <= 5 => pinhole(field, &numbers),
        "plumb_bob" => Err(CalibrationError::new(
            field,
            "4 or 5 coefficients of plumb_bob",
            format!("{} coefficients", numbers.len()),
        )),
        "rational_polynomial" => pinhole(field, &numbers),
        "equidistant" | "fisheye" => fisheye(field, &numbers),
        "none" | "" => Err(CalibrationError::new(
            field,
            "no coefficients, as the model is none",
            format!("{numbers:?}"),
        )),
        _ => Err(model.refuse("plumb_bob, rational_polynomial, equidistant or fisheye")),
    }
}
