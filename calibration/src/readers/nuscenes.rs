//! The calibration tables of a nuScenes v1.0 data set.

use std::path::Path;

use nalgebra::Vector3;

use super::CameraMatrix;
use super::node::{Node, parse_json};
use crate::{CalibrationError, Camera, Lens, Pose, Rig, rig};

/// The cameras in the order that networks of this project expect; others follow by name.
const ORDER: [&str; 6] = [
    "front",
    "front_left",
    "front_right",
    "back_left",
    "back_right",
    "back",
];

/// `calibrated_sensor.json` joined with `sensor.json`: every calibration of every camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    cameras: Vec<CalibratedCamera>,
}

/// One record of `calibrated_sensor.json` that belongs to a camera.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibratedCamera {
    /// Token of the record, as `sample_data.json` refers to it.
    pub token: String,
    /// Channel of the sensor, such as `CAM_FRONT_LEFT`.
    pub channel: String,
    /// The camera; its name is the channel without `CAM_`, in lower case.
    pub camera: Camera,
}

impl Tables {
    /// Reads both tables from a version folder such as `v1.0-mini`. Images are `size_px` large (the
    /// tables do not say; `sample_data.json` does, and it is 1600×900 for nuScenes).
    ///
    /// # Errors
    /// Names file, camera and field.
    pub fn read(folder: impl AsRef<Path>, size_px: [u32; 2]) -> Result<Self, CalibrationError> {
        Self::read_used(folder, &|_token| Some(size_px))
    }

    /// The same for the calibrations alone whose token `size_px` knows the image size of: others
    /// are passed over, whatever they hold.
    ///
    /// # Errors
    /// As [`Tables::read`].
    pub fn read_used(
        folder: impl AsRef<Path>,
        size_px: &dyn Fn(&str) -> Option<[u32; 2]>,
    ) -> Result<Self, CalibrationError> {
        let folder = folder.as_ref();
        let sensor_file = folder.join("sensor.json");
        let calibrated_file = folder.join("calibrated_sensor.json");
        let sensors = rig::read(&sensor_file)?;
        let channels = camera_channels(&sensors).map_err(|error| error.in_file(&sensor_file))?;
        let calibrated = rig::read(&calibrated_file)?;
        let cameras = calibrated_cameras(&calibrated, &channels, size_px)
            .map_err(|error| error.in_file(&calibrated_file))?;
        Ok(Self { cameras })
    }

    /// Reads both tables from text.
    ///
    /// # Errors
    /// As [`Tables::read`], without files.
    pub fn from_json_str(
        calibrated_sensor: &str,
        sensor: &str,
        size_px: [u32; 2],
    ) -> Result<Self, CalibrationError> {
        let channels = camera_channels(sensor)?;
        let cameras = calibrated_cameras(calibrated_sensor, &channels, &|_token| Some(size_px))?;
        Ok(Self { cameras })
    }

    /// All calibrations of cameras, in the file's order.
    pub fn cameras(&self) -> &[CalibratedCamera] {
        &self.cameras
    }

    /// The rig made of these calibrations, given by token; the front camera is the reference.
    ///
    /// # Errors
    /// Refuses a token that is no camera's, two calibrations of one camera, and what [`Rig::new`]
    /// refuses.
    pub fn rig(&self, tokens: &[&str]) -> Result<Rig, CalibrationError> {
        let mut cameras = Vec::with_capacity(tokens.len());
        for &token in tokens {
            let Some(found) = self.cameras.iter().find(|camera| camera.token == token) else {
                return Err(CalibrationError::new(
                    "calibrated_sensor.token",
                    "the token of a camera's calibration",
                    format!("{token:?}"),
                ));
            };
            cameras.push(found.camera.clone());
        }
        let rank = |name: &str| {
            ORDER
                .iter()
                .position(|known| *known == name)
                .unwrap_or(ORDER.len())
        };
        cameras.sort_by(|a, b| (rank(&a.name), &a.name).cmp(&(rank(&b.name), &b.name)));
        Rig::new(cameras, 0)
    }
}

/// `(sensor token, channel)` of every camera.
fn camera_channels(text: &str) -> Result<Vec<(String, String)>, CalibrationError> {
    let value = parse_json(text)?;
    let mut channels = Vec::new();
    for record in Node::root(&value).list()? {
        if record.need(&["modality"])?.text()? == "camera" {
            let token = record.need(&["token"])?.text()?.to_owned();
            channels.push((token, record.need(&["channel"])?.text()?.to_owned()));
        }
    }
    Ok(channels)
}

fn calibrated_cameras(
    text: &str,
    channels: &[(String, String)],
    size_px: &dyn Fn(&str) -> Option<[u32; 2]>,
) -> Result<Vec<CalibratedCamera>, CalibrationError> {
    let value = parse_json(text)?;
    let mut cameras = Vec::new();
    for record in Node::root(&value).list()? {
        let sensor = record.need(&["sensor_token"])?.text()?;
        let Some((_, channel)) = channels.iter().find(|(token, _)| token == sensor) else {
            continue;
        };
        let token = record.need(&["token"])?.text()?;
        let Some(size_px) = size_px(token) else {
            continue;
        };
        let camera = camera(&record, channel, size_px).map_err(|error| error.in_camera(channel))?;
        cameras.push(CalibratedCamera {
            token: token.to_owned(),
            channel: channel.clone(),
            camera,
        });
    }
    Ok(cameras)
}

fn camera(record: &Node, channel: &str, size_px: [u32; 2]) -> Result<Camera, CalibrationError> {
    let matrix = record.need(&["camera_intrinsic"])?;
    let matrix = CameraMatrix::from_rows(matrix.path(), &matrix.numbers()?)?;
    let translation = Vector3::from(record.need(&["translation"])?.array::<3>()?);
    let wxyz = record.need(&["rotation"])?.array::<4>()?;
    Ok(Camera {
        name: channel
            .strip_prefix("CAM_")
            .unwrap_or(channel)
            .to_lowercase(),
        // nuScenes images are published undistorted.
        intrinsics: matrix.intrinsics(size_px, Lens::IDEAL)?,
        ego_from_cam: Pose::from_quaternion_wxyz(wxyz, translation)
            .map_err(|error| error.within(record.path()))?,
    })
}
