//! A pose as files of this project write it.

use nalgebra::{Matrix3, Matrix4, Vector3};
use serde::{Deserialize, Serialize};

use crate::{CalibrationError, Pose};

/// One of three forms: translation with quaternion, translation with rotation matrix, or a 4×4 matrix.
#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct PoseEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    translation_m: Option<[f64; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quaternion_wxyz: Option<[f64; 4]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation: Option<[[f64; 3]; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matrix: Option<[[f64; 4]; 4]>,
}

impl PoseEntry {
    /// Translation and quaternion of a pose.
    pub(super) fn of<A, B>(pose: &Pose<A, B>) -> Self {
        let (translation, rotation) = (pose.translation(), pose.rotation());
        Self {
            translation_m: Some([translation.x, translation.y, translation.z]),
            quaternion_wxyz: Some([rotation.w, rotation.i, rotation.j, rotation.k]),
            ..Self::default()
        }
    }

    /// The pose, in whichever form it was given.
    pub(crate) fn pose<A, B>(&self) -> Result<Pose<A, B>, CalibrationError> {
        match (
            self.translation_m,
            self.quaternion_wxyz,
            self.rotation,
            self.matrix,
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
}
