//! The rig's TOML form.

use nalgebra::{Matrix3, Matrix4, Vector3};
use serde::{Deserialize, Serialize};

use super::Rig;
use crate::lens::BrownConrady;
use crate::{CalibrationError, Cam, Camera, Ego, Intrinsics, Lens, Pose};

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

/// One of three forms: translation with quaternion, translation with rotation matrix, or a 4×4 matrix.
#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct PoseEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    translation_m: Option<[f64; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quaternion_wxyz: Option<[f64; 4]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation: Option<[[f64; 3]; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matrix: Option<[[f64; 4]; 4]>,
}

fn is_false(value: &bool) -> bool {
    !value
}

pub(super) fn parse(text: &str) -> Result<Rig, CalibrationError> {
    let file: RigFile = toml::from_str(text).map_err(|error| {
        let place = match error.span() {
            Some(span) => format!(
                "line {}",
                1 + text[..span.start.min(text.len())].matches('\n').count()
            ),
            None => "rig".to_owned(),
        };
        CalibrationError::new(place, "a rig in TOML", error.message().to_owned()).caused_by(error)
    })?;
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
    let ego_from_cam =
        pose(&entry.ego_from_cam).map_err(|error| named(error.within("ego_from_cam")))?;
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

fn pose(entry: &PoseEntry) -> Result<Pose<Ego, Cam>, CalibrationError> {
    match (
        entry.translation_m,
        entry.quaternion_wxyz,
        entry.rotation,
        entry.matrix,
    ) {
        (Some(t), Some(wxyz), None, None) => Pose::from_quaternion_wxyz(wxyz, Vector3::from(t)),
        (Some(t), None, Some(rows), None) => Pose::from_rotation_matrix(
            &Matrix3::from_fn(|row, col| rows[row][col]),
            Vector3::from(t),
        ),
        (None, None, None, Some(rows)) => {
            Pose::from_matrix(&Matrix4::from_fn(|row, col| rows[row][col]))
        }
        (t, q, r, m) => Err(CalibrationError::new(
            "pose",
            "translation_m with quaternion_wxyz, translation_m with rotation, or matrix alone",
            format!(
                "translation_m: {}, quaternion_wxyz: {}, rotation: {}, matrix: {}",
                t.is_some(),
                q.is_some(),
                r.is_some(),
                m.is_some()
            ),
        )),
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
    let translation = camera.ego_from_cam.translation();
    let rotation = camera.ego_from_cam.rotation();
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
        ego_from_cam: PoseEntry {
            translation_m: Some([translation.x, translation.y, translation.z]),
            quaternion_wxyz: Some([rotation.w, rotation.i, rotation.j, rotation.k]),
            ..PoseEntry::default()
        },
    }
}
