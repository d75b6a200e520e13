//! The cameras of one vehicle, and their file.

pub(crate) mod file;
pub(crate) mod pose_entry;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::{CalibrationError, Camera};

/// Most cameras that a rig may have.
pub const MAX_CAMERAS: usize = 16;

/// 1 to 16 cameras with unique names; one of them is the reference, whose stamp a frame set takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Rig {
    cameras: Vec<Camera>,
    reference: usize,
}

impl Rig {
    /// Takes cameras in the order in which the network gets them, and the index of the reference.
    ///
    /// # Errors
    /// Refuses no camera, more than [`MAX_CAMERAS`], empty or repeated names, poses that are not
    /// finite, and a reference that is not there.
    pub fn new(cameras: Vec<Camera>, reference: usize) -> Result<Self, CalibrationError> {
        if !(1..=MAX_CAMERAS).contains(&cameras.len()) {
            return Err(CalibrationError::new(
                "cameras",
                format!("1 to {MAX_CAMERAS}"),
                cameras.len().to_string(),
            ));
        }
        for (index, camera) in cameras.iter().enumerate() {
            if camera.name.trim().is_empty() {
                return Err(CalibrationError::new(
                    "name",
                    "a name",
                    format!("{:?} for camera {index}", camera.name),
                ));
            }
            if let Some(twin) = cameras[..index]
                .iter()
                .position(|earlier| earlier.name == camera.name)
            {
                return Err(CalibrationError::new(
                    "name",
                    "a name of its own for every camera",
                    format!("{:?} for cameras {twin} and {index}", camera.name),
                )
                .in_camera(&camera.name));
            }
            if !camera.ego_from_cam.is_finite() {
                return Err(CalibrationError::new(
                    "ego_from_cam",
                    "finite numbers",
                    format!("{:?}", camera.ego_from_cam),
                )
                .in_camera(&camera.name));
            }
        }
        if reference >= cameras.len() {
            return Err(CalibrationError::new(
                "reference",
                format!("the index of one of {} cameras", cameras.len()),
                reference.to_string(),
            ));
        }
        Ok(Self { cameras, reference })
    }

    /// Reads a rig from a TOML file; `docs/FRAMES.md` describes the format.
    ///
    /// # Errors
    /// Names file, camera and field of the first mistake.
    pub fn from_toml_file(path: impl AsRef<Path>) -> Result<Self, CalibrationError> {
        let path = path.as_ref();
        let text = read(path)?;
        Self::from_toml_str(&text).map_err(|error| error.in_file(path))
    }

    /// Reads a rig from TOML text.
    ///
    /// # Errors
    /// Names camera and field of the first mistake.
    pub fn from_toml_str(text: &str) -> Result<Self, CalibrationError> {
        file::parse(text)
    }

    /// The rig as TOML; reading it again gives the same rig, bit by bit.
    pub fn to_toml(&self) -> String {
        file::print(self)
    }

    /// The cameras, in the network's order.
    pub fn cameras(&self) -> &[Camera] {
        &self.cameras
    }

    /// Index of the reference camera.
    pub fn reference(&self) -> usize {
        self.reference
    }

    /// The reference camera.
    pub fn reference_camera(&self) -> &Camera {
        &self.cameras[self.reference]
    }

    /// Index of the camera of this name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.cameras.iter().position(|camera| camera.name == name)
    }
}

/// The largest file that is read: a calibrated_sensor table of nuScenes has 4 MB.
const LIMIT_BYTES: u64 = 64 << 20;

/// Reads a text file of a calibration.
pub(crate) fn read(path: &Path) -> Result<String, CalibrationError> {
    let read = || {
        let mut text = String::new();
        File::open(path)?
            .take(LIMIT_BYTES + 1)
            .read_to_string(&mut text)?;
        if text.len() as u64 > LIMIT_BYTES {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        Ok(text)
    };
    read().map_err(|error| {
        CalibrationError::new("file", "a readable text file", error.to_string())
            .in_file(path)
            .caused_by(error)
    })
}

#[cfg(test)]
mod tests;
