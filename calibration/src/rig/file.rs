//! The rig's TOML form.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Rig;
use super::pose_entry::PoseEntry;
use crate::lens::BrownConrady;
use crate::{CalibrationError, Camera, Intrinsics, Lens};

/// Version of the format that is read and written.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RigFile {
    format: u32,
    reference: String,
    camera: Vec<CameraEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CameraEntry {
    name: String,
    width: u32,
    height: u32,
    lens: LensKind,
    fx_px: f64,
    fy_px: f64,
    cx_px: f64,
    cy_px: f64,
    #[serde(default)]
    distortion: Vec<f64>,
    /// Said of images that were cut out of larger ones: their principal point may lie outside.
    #[serde(default, skip_serializing_if = "is_false")]
    cropped: bool,
    ego_from_cam: PoseEntry,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LensKind {
    Pinhole,
    Fisheye,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Reads TOML; an error says the line.
pub(crate) fn from_toml<T: DeserializeOwned>(
    text: &str,
    expected: &str,
) -> Result<T, CalibrationError> {
    toml::from_str(text).map_err(|error| {
        let place = match error.span() {
            Some(span) => format!(
                "line {}",
                1 + text[..span.start.min(text.len())].matches('\n').count()
            ),
            None => "file".to_owned(),
        };
        CalibrationError::new(place, expected, error.message().to_owned()).caused_by(error)
    })
}

pub(super) fn parse(text: &str) -> Result<Rig, CalibrationError> {
    let file: RigFile = from_toml(text, "a rig in TOML")?;
    if file.format != FORMAT {
        return Err(CalibrationError::new(
            "format",
            FORMAT.to_string(),
            file.format.to_string(),
        ));
    }
    let cameras = file
        .camera
        .iter()
        .map(camera)
        .collect::<Result<Vec<_>, _>>()?;
    let Some(reference) = cameras
        .iter()
        .position(|camera| camera.name == file.reference)
    else {
        return Err(CalibrationError::new(
            "reference",
            "the name of one of the cameras",
            format!("{:?}", file.reference),
        ));
    };
    Rig::new(cameras, reference)
}

fn camera(entry: &CameraEntry) -> Result<Camera, CalibrationError> {
    let named = |error: CalibrationError| error.in_camera(&entry.name);
    let lens = lens(entry).map_err(named)?;
    let intrinsics = Intrinsics::new(
        [entry.fx_px, entry.fy_px],
        [entry.cx_px, entry.cy_px],
        [entry.width, entry.height],
        lens,
    )
    .map_err(named)?;
    if !entry.cropped {
        intrinsics.check_principal_point().map_err(named)?;
    }
    let ego_from_cam = entry
        .ego_from_cam
        .pose()
        .map_err(|error| named(error.within("ego_from_cam")))?;
    Ok(Camera {
        name: entry.name.clone(),
        intrinsics,
        ego_from_cam,
    })
}

fn lens(entry: &CameraEntry) -> Result<Lens, CalibrationError> {
    match entry.lens {
        LensKind::Pinhole => Ok(Lens::Pinhole {
            k: BrownConrady::from_coefficients(&entry.distortion)?,
        }),
        LensKind::Fisheye => match entry.distortion.as_slice() {
            [] => Ok(Lens::Fisheye { k: [0.0; 4] }),
            &[k1, k2, k3, k4] => Ok(Lens::Fisheye {
                k: [k1, k2, k3, k4],
            }),
            other => Err(CalibrationError::new(
                "distortion",
                "4 coefficients k1 k2 k3 k4 of a fisheye lens",
                format!("{} coefficients", other.len()),
            )),
        },
    }
}

pub(super) fn print(rig: &Rig) -> String {
    let file = RigFile {
        format: FORMAT,
        reference: rig.reference_camera().name.clone(),
        camera: rig.cameras().iter().map(entry).collect(),
    };
    toml::to_string(&file).expect("a rig holds only numbers and names")
}

fn entry(camera: &Camera) -> CameraEntry {
    let intrinsics = &camera.intrinsics;
    CameraEntry {
        name: camera.name.clone(),
        width: intrinsics.width(),
        height: intrinsics.height(),
        lens: match intrinsics.lens() {
            Lens::Pinhole { .. } => LensKind::Pinhole,
            Lens::Fisheye { .. } => LensKind::Fisheye,
        },
        fx_px: intrinsics.fx(),
        fy_px: intrinsics.fy(),
        cx_px: intrinsics.cx(),
        cy_px: intrinsics.cy(),
        distortion: intrinsics.lens().coefficients(),
        cropped: !intrinsics.has_principal_point_inside(),
        ego_from_cam: PoseEntry::of(&camera.ego_from_cam),
    }
}
