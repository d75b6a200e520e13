//! Kalibr's `camchain.yaml`.

use std::path::Path;

use nalgebra::Matrix4;

use super::node::{Node, parse_yaml};
use super::{CameraMatrix, fisheye, pinhole};
use crate::{CalibrationError, Cam, Camera, Ego, Intrinsics, Lens, Pose, Rig, Sensor, rig};

/// The cameras of a Kalibr chain, with poses in the chain's own frame.
///
/// That frame, here `Sensor`, is the IMU's where the file holds `T_cam_imu`, else that of `cam0`.
#[derive(Debug, Clone, PartialEq)]
pub struct Camchain {
    cameras: Vec<ChainCamera>,
    is_to_imu: bool,
}

/// One camera of a [`Camchain`].
#[derive(Debug, Clone, PartialEq)]
pub struct ChainCamera {
    /// Key in the file: `cam0`, `cam1`, …
    pub name: String,
    /// ROS topic of its images, where the file names one.
    pub topic: Option<String>,
    /// Intrinsics.
    pub intrinsics: Intrinsics,
    /// Pose in the chain's frame.
    pub sensor_from_cam: Pose<Sensor, Cam>,
}

impl Camchain {
    /// Reads a chain from a file.
    ///
    /// # Errors
    /// Names file, camera and field. Camera models other than `pinhole` and distortion models other than
    /// `radtan`, `equidistant` and `none` are refused; so is a chain in which only some cameras have a
    /// pose to the IMU.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, CalibrationError> {
        let path = path.as_ref();
        Self::from_yaml_str(&rig::read(path)?).map_err(|error| error.in_file(path))
    }

    /// Reads a chain from text.
    ///
    /// # Errors
    /// As [`Camchain::from_file`], without a file.
    pub fn from_yaml_str(text: &str) -> Result<Self, CalibrationError> {
        let value = parse_yaml(text)?;
        let root = Node::root(&value);
        let mut cameras: Vec<ChainCamera> = Vec::new();
        let is_to_imu = root
            .get("cam0")
            .is_some_and(|camera| camera.get("T_cam_imu").is_some());
        for index in 0..root.members()?.len() {
            let name = format!("cam{index}");
            let node = root.need(&[&name])?;
            let previous = cameras.last().map(|camera| camera.sensor_from_cam);
            let camera = read_camera(&name, &node, is_to_imu, previous)
                .map_err(|error| error.in_camera(&name))?;
            cameras.push(camera);
        }
        if cameras.is_empty() {
            return Err(CalibrationError::new(
                "file",
                "at least one camera cam0",
                "none",
            ));
        }
        Ok(Self { cameras, is_to_imu })
    }

    /// The cameras, `cam0` first.
    pub fn cameras(&self) -> &[ChainCamera] {
        &self.cameras
    }

    /// Whether the chain's frame is the IMU's; else it is that of `cam0`.
    pub fn is_to_imu(&self) -> bool {
        self.is_to_imu
    }

    /// The rig, given where the chain's frame sits on the vehicle. `cam0` is the reference.
    ///
    /// # Errors
    /// Where [`Rig::new`] refuses the cameras.
    pub fn rig(&self, ego_from_sensor: Pose<Ego, Sensor>) -> Result<Rig, CalibrationError> {
        let cameras = self
            .cameras
            .iter()
            .map(|camera| Camera {
                name: camera.name.clone(),
                intrinsics: camera.intrinsics,
                ego_from_cam: ego_from_sensor * camera.sensor_from_cam,
            })
            .collect();
        Rig::new(cameras, 0)
    }
}

fn read_camera(
    name: &str,
    node: &Node,
    is_to_imu: bool,
    previous: Option<Pose<Sensor, Cam>>,
) -> Result<ChainCamera, CalibrationError> {
    let sensor_from_cam = match (is_to_imu, previous) {
        (true, _) => pose::<Cam, Sensor>(node, "T_cam_imu")?.inverse(),
        (false, None) => Pose::identity(),
        (false, Some(sensor_from_previous)) => {
            let cam_from_previous = pose::<Cam, Cam>(node, "T_cn_cnm1")?;
            sensor_from_previous * cam_from_previous.inverse()
        }
    };
    Ok(ChainCamera {
        name: name.to_owned(),
        topic: node
            .get("rostopic")
            .map(|topic| topic.text())
            .transpose()?
            .map(str::to_owned),
        intrinsics: intrinsics(node)?,
        sensor_from_cam,
    })
}

fn intrinsics(node: &Node) -> Result<Intrinsics, CalibrationError> {
    let model = node.need(&["camera_model"])?;
    if model.text()? != "pinhole" {
        return Err(model.refuse("the camera model pinhole"));
    }
    let [fx, fy, cx, cy] = node.need(&["intrinsics"])?.array()?;
    let size_px = node.need(&["resolution"])?.size_pair()?;
    let matrix = CameraMatrix {
        focal_px: [fx, fy],
        principal_px: [cx, cy],
    };
    matrix.intrinsics(size_px, lens(node)?)
}

fn lens(node: &Node) -> Result<Lens, CalibrationError> {
    let model = node.need(&["distortion_model"])?;
    let kind = model.text()?;
    if kind == "none" {
        return Ok(Lens::IDEAL);
    }
    let coefficients = node.need(&["distortion_coeffs"])?;
    match kind {
        "radtan" => pinhole(coefficients.path(), &coefficients.numbers()?),
        "equidistant" => fisheye(coefficients.path(), &coefficients.numbers()?),
        _ => Err(model.refuse("radtan, equidistant or none")),
    }
}

fn pose<A, B>(node: &Node, field: &str) -> Result<Pose<A, B>, CalibrationError> {
    let numbers = node.need(&[field])?.array::<16>()?;
    Pose::from_matrix(&Matrix4::from_row_slice(&numbers)).map_err(|error| error.within(field))
}
