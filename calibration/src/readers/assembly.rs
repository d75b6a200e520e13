//! A rig put together from the calibration files of others, and poses.
//!
//! ROS and OpenCV files hold no pose, Kalibr files none on the vehicle, and no format says in which
//! order a network wants its cameras. A list in TOML adds that; `docs/FRAMES.md` shows it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::kalibr::Camchain;
use super::opencv::{self, LensModel};
use super::ros;
use crate::rig::file::from_toml;
use crate::rig::pose_entry::PoseEntry;
use crate::{CalibrationError, Camera, Ego, Pose, Rig, Sensor, rig};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    reference: String,
    camera: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    ros: Option<PathBuf>,
    opencv: Option<PathBuf>,
    lens: Option<OpenCvLens>,
    kalibr: Option<PathBuf>,
    chain_camera: Option<String>,
    ego_from_cam: Option<PoseEntry>,
    ego_from_sensor: Option<PoseEntry>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OpenCvLens {
    Pinhole,
    Fisheye,
}

/// Reads the list and all files that it names.
///
/// # Errors
/// Names file, camera and field of the first mistake: in the list, in a file that it names, or in the
/// rig that comes of it.
pub fn from_toml_file(path: impl AsRef<Path>) -> Result<Rig, CalibrationError> {
    let path = path.as_ref();
    let list: List = from_toml(&rig::read(path)?, "a list of cameras in TOML")
        .map_err(|error| error.in_file(path))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut cameras = Vec::with_capacity(list.camera.len());
    for entry in &list.camera {
        cameras.push(camera(entry, folder, path)?);
    }
    let reference = cameras
        .iter()
        .position(|camera| camera.name == list.reference);
    let Some(reference) = reference else {
        let found = format!("{:?}", list.reference);
        let error = CalibrationError::new("reference", "the name of one of the cameras", found);
        return Err(error.in_file(path));
    };
    Rig::new(cameras, reference).map_err(|error| error.in_file(path))
}

fn camera(entry: &Entry, folder: &Path, list: &Path) -> Result<Camera, CalibrationError> {
    let in_list = |error: CalibrationError| error.in_camera(&entry.name).in_file(list);
    let pose_of = |pose: &PoseEntry| {
        pose.pose()
            .map_err(|error| in_list(error.within("ego_from_cam")))
    };
    let Entry {
        name,
        ros,
        opencv,
        lens,
        kalibr,
        chain_camera,
        ego_from_cam,
        ego_from_sensor,
    } = entry;
    let (intrinsics, ego_from_cam) = match (
        (ros, opencv, lens),
        (kalibr, chain_camera),
        (ego_from_cam, ego_from_sensor),
    ) {
        ((Some(file), None, None), (None, None), (Some(pose), None)) => {
            let camera = ros::camera_info(folder.join(file))?;
            (camera.intrinsics, pose_of(pose)?)
        }
        ((None, Some(file), Some(lens)), (None, None), (Some(pose), None)) => {
            let model = match lens {
                OpenCvLens::Pinhole => LensModel::Pinhole,
                OpenCvLens::Fisheye => LensModel::Fisheye,
            };
            (
                opencv::file_storage(folder.join(file), model)?,
                pose_of(pose)?,
            )
        }
        ((None, None, None), (Some(file), Some(wanted)), (None, Some(pose))) => {
            let chain = Camchain::from_file(folder.join(file))?;
            let Some(found) = chain.cameras().iter().find(|one| one.name == *wanted) else {
                let names: Vec<_> = chain.cameras().iter().map(|one| &*one.name).collect();
                let expected = format!("one of {}", names.join(", "));
                let error = CalibrationError::new("chain_camera", expected, wanted.clone());
                return Err(in_list(error));
            };
            let ego_from_sensor: Pose<Ego, Sensor> = pose
                .pose()
                .map_err(|error| in_list(error.within("ego_from_sensor")))?;
            (found.intrinsics, ego_from_sensor * found.sensor_from_cam)
        }
        _ => {
            let expected = "ros with ego_from_cam; opencv with lens and ego_from_cam; \
                            or kalibr with chain_camera and ego_from_sensor";
            let error = CalibrationError::new("camera", expected, fields(entry));
            return Err(in_list(error));
        }
    };
    Ok(Camera {
        name: name.clone(),
        intrinsics,
        ego_from_cam,
    })
}

/// Which fields a camera has.
fn fields(entry: &Entry) -> String {
    let fields = [
        ("ros", entry.ros.is_some()),
        ("opencv", entry.opencv.is_some()),
        ("lens", entry.lens.is_some()),
        ("kalibr", entry.kalibr.is_some()),
        ("chain_camera", entry.chain_camera.is_some()),
        ("ego_from_cam", entry.ego_from_cam.is_some()),
        ("ego_from_sensor", entry.ego_from_sensor.is_some()),
    ];
    let found: Vec<_> = fields
        .iter()
        .filter_map(|(name, is_there)| is_there.then_some(*name))
        .collect();
    if found.is_empty() {
        "none of them".to_owned()
    } else {
        found.join(", ")
    }
}
