//! Between our types and Foxglove's messages.

use bevrt_calibration::{BrownConrady, CalibrationError, Camera, Intrinsics, Lens};
use foxglove::messages::{CameraCalibration, FrameTransform, Pose, Quaternion, Timestamp, Vector3};
use nalgebra as na;

/// Distortion model names of Foxglove.
const PLUMB_BOB: &str = "plumb_bob";
const RATIONAL: &str = "rational_polynomial";
const KANNALA_BRANDT: &str = "kannala_brandt";

/// A stamp as Foxglove has it; before the origin it is held at zero.
pub(super) fn timestamp(stamp_ns: i64) -> Timestamp {
    let stamp_ns = stamp_ns.max(0) as u64;
    let seconds = u32::try_from(stamp_ns / 1_000_000_000).unwrap_or(u32::MAX);
    Timestamp::new(seconds, (stamp_ns % 1_000_000_000) as u32)
}

/// Nanoseconds of a stamp; `None` where there is none.
pub fn nanoseconds(timestamp: Option<&Timestamp>) -> Option<i64> {
    i64::try_from(timestamp?.total_nanos()).ok()
}

pub(super) fn vector(v: &na::Vector3<f64>) -> Vector3 {
    Vector3 {
        x: v.x,
        y: v.y,
        z: v.z,
    }
}

pub(super) fn quaternion(rotation: &na::UnitQuaternion<f64>) -> Quaternion {
    Quaternion {
        x: rotation.i,
        y: rotation.j,
        z: rotation.k,
        w: rotation.w,
    }
}

pub(super) fn pose(isometry: &na::Isometry3<f64>) -> Pose {
    Pose {
        position: Some(vector(&isometry.translation.vector)),
        orientation: Some(quaternion(&isometry.rotation)),
    }
}

pub(super) fn transform(
    stamp_ns: i64,
    parent: &str,
    child: &str,
    parent_from_child: &na::Isometry3<f64>,
) -> FrameTransform {
    FrameTransform {
        timestamp: Some(timestamp(stamp_ns)),
        parent_frame_id: parent.to_owned(),
        child_frame_id: child.to_owned(),
        translation: Some(vector(&parent_from_child.translation.vector)),
        rotation: Some(quaternion(&parent_from_child.rotation)),
    }
}

/// The rigid motion of a translation and a rotation; `None` where one is missing, not finite, or
/// the quaternion is far from unit length.
pub fn pose_of(
    translation: Option<&Vector3>,
    rotation: Option<&Quaternion>,
) -> Option<na::Isometry3<f64>> {
    let (t, q) = (translation?, rotation?);
    let quaternion = na::Quaternion::new(q.w, q.x, q.y, q.z);
    let is_sound = [t.x, t.y, t.z].iter().all(|value| value.is_finite())
        && (quaternion.norm() - 1.0).abs() < 1e-3;
    is_sound.then(|| {
        na::Isometry3::from_parts(
            na::Translation3::new(t.x, t.y, t.z),
            na::UnitQuaternion::from_quaternion(quaternion),
        )
    })
}

/// The calibration message of a camera.
pub(super) fn calibration(stamp_ns: i64, camera: &Camera) -> CameraCalibration {
    let intrinsics = &camera.intrinsics;
    let (model, mut d) = match intrinsics.lens() {
        Lens::Pinhole { k } if k.coefficients().len() > 5 => (RATIONAL, k.coefficients()),
        Lens::Pinhole { k } => (PLUMB_BOB, k.coefficients()),
        Lens::Fisheye { k } => (KANNALA_BRANDT, k.to_vec()),
    };
    if d.is_empty() {
        d = vec![0.0; 5];
    }
    let (fx, fy, cx, cy) = (
        intrinsics.fx(),
        intrinsics.fy(),
        intrinsics.cx(),
        intrinsics.cy(),
    );
    CameraCalibration {
        timestamp: Some(timestamp(stamp_ns)),
        frame_id: camera.name.clone(),
        width: intrinsics.width(),
        height: intrinsics.height(),
        distortion_model: model.to_owned(),
        d,
        k: vec![fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        r: vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p: vec![fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    }
}

/// A calibration message on its way to a camera.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadCalibration {
    /// Frame of the camera.
    pub frame_id: String,
    /// Intrinsics at the size of its images.
    pub intrinsics: Intrinsics,
}

impl TryFrom<&CameraCalibration> for ReadCalibration {
    type Error = CalibrationError;

    /// # Errors
    /// Unknown distortion model, wrong number of coefficients, or impossible intrinsics.
    fn try_from(message: &CameraCalibration) -> Result<Self, CalibrationError> {
        let in_camera = |error: CalibrationError| error.in_camera(&message.frame_id);
        let refuse = |field: &str, expected: &str, found: String| {
            in_camera(CalibrationError::new(field, expected, found))
        };
        let [fx, skew, cx, _, fy, cy, ..] = message.k[..] else {
            return Err(refuse("K", "9 numbers", format!("{:?}", message.k)));
        };
        if skew != 0.0 {
            return Err(refuse("K", "no skew", skew.to_string()));
        }
        let lens = match message.distortion_model.as_str() {
            "" | PLUMB_BOB | RATIONAL => {
                let is_ideal = message.d.iter().all(|&value| value == 0.0);
                let coefficients = if is_ideal { &[] } else { &message.d[..] };
                Lens::Pinhole {
                    k: BrownConrady::from_coefficients(coefficients).map_err(in_camera)?,
                }
            }
            KANNALA_BRANDT => Lens::Fisheye {
                k: message.d[..].try_into().map_err(|_length| {
                    refuse("D", "4 coefficients", message.d.len().to_string())
                })?,
            },
            other => {
                let known = format!("{PLUMB_BOB}, {RATIONAL} or {KANNALA_BRANDT}");
                return Err(refuse("distortion_model", &known, format!("{other:?}")));
            }
        };
        let size = [message.width, message.height];
        Ok(Self {
            frame_id: message.frame_id.clone(),
            intrinsics: Intrinsics::new([fx, fy], [cx, cy], size, lens).map_err(in_camera)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevrt_calibration::rigs;

    #[test]
    fn calibration_survives_for_both_kinds_of_lens() {
        for rig in [rigs::six_pinhole(), rigs::four_fisheye()] {
            for camera in rig.cameras() {
                let read = ReadCalibration::try_from(&calibration(5, camera)).expect("we wrote it");
                assert_eq!(read.frame_id, camera.name);
                assert_eq!(read.intrinsics, camera.intrinsics);
            }
        }
    }

    #[test]
    fn wrong_calibration_is_refused_with_the_field() {
        let good = calibration(0, &rigs::four_fisheye().cameras()[0]);
        let fails = |change: &dyn Fn(&mut CameraCalibration), field: &str| {
            let mut bad = good.clone();
            change(&mut bad);
            let error = ReadCalibration::try_from(&bad).expect_err(field);
            assert!(error.to_string().contains(field), "{error}");
        };
        fails(
            &|c| c.distortion_model = "fisheye62".to_owned(),
            "distortion_model",
        );
        fails(&|c| c.k.truncate(4), "K");
        fails(&|c| c.k[1] = 0.5, "K");
        fails(&|c| c.d.truncate(3), "D");
        fails(&|c| c.k[0] = -4.0, "f");
    }

    #[test]
    fn a_pose_survives_and_a_stretched_one_is_refused() {
        let isometry = na::Isometry3::from_parts(
            na::Translation3::new(1.0, -2.0, 0.5),
            na::UnitQuaternion::from_euler_angles(0.1, 0.2, 3.0),
        );
        let message = pose(&isometry);
        let read = pose_of(message.position.as_ref(), message.orientation.as_ref());
        assert!(
            (read.expect("it is rigid").inverse() * isometry)
                .translation
                .vector
                .norm()
                < 1e-12
        );
        let stretched = Quaternion {
            x: 0.0,
            y: 0.0,
            z: 0.0,
            w: 2.0,
        };
        assert!(pose_of(message.position.as_ref(), Some(&stretched)).is_none());
        assert!(pose_of(None, message.orientation.as_ref()).is_none());
    }

    #[test]
    fn stamps_keep_their_nanoseconds() {
        let stamp_ns = 1_700_000_000_123_456_789;
        assert_eq!(nanoseconds(Some(&timestamp(stamp_ns))), Some(stamp_ns));
        assert_eq!(nanoseconds(None), None);
    }
}
