//! Rigid transforms whose frames are part of their type.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Mul;

use nalgebra::{
    Isometry3, Matrix3, Matrix4, Point3, Rotation3, Translation3, UnitQuaternion, Vector3,
};

use crate::CalibrationError;

/// ISO 8855 vehicle frame: x forward, y left, z up, origin on the ground under the rear-axle mid-point.
#[derive(Debug)]
pub enum Ego {}
/// Optical camera frame: x right, y down, z forward along the optical axis.
#[derive(Debug)]
pub enum Cam {}
/// Locally smooth frame of the ego motion: it drifts, but never jumps.
#[derive(Debug)]
pub enum Odom {}
/// Fixed frame of a map, a data set or a simulated world.
#[derive(Debug)]
pub enum World {}
/// Any other sensor's own frame, as foreign calibration files know it.
#[derive(Debug)]
pub enum Sensor {}

/// How far `RᵀR` may differ from the identity, and a quaternion's norm from 1, before a rotation
/// counts as non-rigid. Wide enough for six printed digits, far too narrow for a scale or a shear.
const RIGID_TOLERANCE: f64 = 1e-4;

/// Rigid transform `a_from_b`: takes coordinates in frame `B` (metres) to coordinates in frame `A`.
///
/// Transforms read right to left, and mixing frames does not compile:
///
/// ```
/// use bevrt_calibration::{Cam, Ego, Odom, Pose};
/// # use nalgebra::{UnitQuaternion, Vector3};
/// let odom_from_ego = Pose::<Odom, Ego>::identity();
/// let ego_from_cam = Pose::<Ego, Cam>::new(UnitQuaternion::identity(), Vector3::new(1.7, 0.0, 1.5));
/// let odom_from_cam: Pose<Odom, Cam> = odom_from_ego * ego_from_cam;
/// # assert_eq!(odom_from_cam.translation().x, 1.7);
/// ```
///
/// ```compile_fail
/// use bevrt_calibration::{Cam, Ego, Odom, Pose};
/// let odom_from_ego = Pose::<Odom, Ego>::identity();
/// let ego_from_cam = Pose::<Ego, Cam>::identity();
/// let wrong = ego_from_cam * odom_from_ego;
/// ```
pub struct Pose<A, B> {
    isometry: Isometry3<f64>,
    frames: PhantomData<fn(B) -> A>,
}

impl<A, B> Pose<A, B> {
    /// The transform that rotates by `rotation`, then moves by `translation` (metres, in frame `A`).
    pub fn new(rotation: UnitQuaternion<f64>, translation: Vector3<f64>) -> Self {
        Self::from_isometry(Isometry3::from_parts(
            Translation3::from(translation),
            rotation,
        ))
    }

    /// Frames `A` and `B` coincide.
    pub fn identity() -> Self {
        Self::from_isometry(Isometry3::identity())
    }

    /// Gives frames to a bare isometry.
    pub fn from_isometry(isometry: Isometry3<f64>) -> Self {
        Self {
            isometry,
            frames: PhantomData,
        }
    }

    /// Reads a 4×4 homogeneous matrix.
    ///
    /// # Errors
    /// Refuses numbers that are not finite, a last row other than `0 0 0 1`, and a rotation part that
    /// is not a rotation (scaled, sheared or mirrored by more than 1e-4).
    pub fn from_matrix(matrix: &Matrix4<f64>) -> Result<Self, CalibrationError> {
        let last = matrix.row(3);
        if last[0] != 0.0 || last[1] != 0.0 || last[2] != 0.0 || last[3] != 1.0 {
            return Err(CalibrationError::new(
                "last row of the pose matrix",
                "0 0 0 1",
                format!("{} {} {} {}", last[0], last[1], last[2], last[3]),
            ));
        }
        let rotation = matrix.fixed_view::<3, 3>(0, 0).into_owned();
        let translation = matrix.fixed_view::<3, 1>(0, 3).into_owned();
        Self::from_rotation_matrix(&rotation, translation)
    }

    /// Reads a 3×3 rotation matrix and a translation (metres).
    ///
    /// # Errors
    /// As [`Pose::from_matrix`].
    pub fn from_rotation_matrix(
        rotation: &Matrix3<f64>,
        translation: Vector3<f64>,
    ) -> Result<Self, CalibrationError> {
        check_translation(&translation)?;
        if !rotation.iter().all(|value| value.is_finite()) {
            return Err(CalibrationError::new(
                "rotation",
                "nine finite numbers",
                list(rotation.transpose().as_slice()),
            ));
        }
        let deviation = (rotation.transpose() * rotation - Matrix3::identity()).amax();
        if deviation > RIGID_TOLERANCE {
            return Err(CalibrationError::new(
                "rotation",
                format!("a rigid rotation (orthonormal within {RIGID_TOLERANCE:e})"),
                format!("a matrix off by {deviation:.3e}"),
            ));
        }
        let determinant = rotation.determinant();
        if determinant < 0.0 {
            return Err(CalibrationError::new(
                "rotation",
                "a right-handed rotation (determinant +1)",
                format!("determinant {determinant:.6}"),
            ));
        }
        let quaternion =
            UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(*rotation));
        Ok(Self::new(quaternion, translation))
    }

    /// Reads a quaternion in the order w, x, y, z and a translation (metres).
    ///
    /// # Errors
    /// Refuses numbers that are not finite and a quaternion whose norm is off 1 by more than 1e-4.
    pub fn from_quaternion_wxyz(
        wxyz: [f64; 4],
        translation: Vector3<f64>,
    ) -> Result<Self, CalibrationError> {
        check_translation(&translation)?;
        let quaternion = nalgebra::Quaternion::new(wxyz[0], wxyz[1], wxyz[2], wxyz[3]);
        let norm = quaternion.norm();
        // NaN fails the comparison, as it should.
        let is_unit = (norm - 1.0).abs() <= RIGID_TOLERANCE;
        if !is_unit {
            return Err(CalibrationError::new(
                "rotation",
                format!("a unit quaternion w x y z (norm 1 within {RIGID_TOLERANCE:e})"),
                format!("{} with norm {norm}", list(&wxyz)),
            ));
        }
        // A quaternion that is already as exact as f64 allows is kept bit by bit, so that writing and
        // reading a rig changes nothing.
        let unit = if (norm - 1.0).abs() <= 4.0 * f64::EPSILON {
            UnitQuaternion::new_unchecked(quaternion)
        } else {
            UnitQuaternion::new_normalize(quaternion)
        };
        Ok(Self::new(unit, translation))
    }

    /// The 4×4 homogeneous matrix.
    pub fn to_matrix(&self) -> Matrix4<f64> {
        self.isometry.to_homogeneous()
    }

    /// The bare isometry, for nalgebra's own operations.
    pub fn as_isometry(&self) -> &Isometry3<f64> {
        &self.isometry
    }

    /// The rotation part.
    pub fn rotation(&self) -> &UnitQuaternion<f64> {
        &self.isometry.rotation
    }

    /// Origin of frame `B` in frame `A`, metres.
    pub fn translation(&self) -> &Vector3<f64> {
        &self.isometry.translation.vector
    }

    /// The opposite transform, `b_from_a`.
    pub fn inverse(&self) -> Pose<B, A> {
        Pose::from_isometry(self.isometry.inverse())
    }

    /// A point given in frame `B`, in frame `A`.
    pub fn transform(&self, point_in_b: &Point3<f64>) -> Point3<f64> {
        self.isometry.transform_point(point_in_b)
    }

    /// A direction given in frame `B`, in frame `A` (rotated only).
    pub fn rotate(&self, direction_in_b: &Vector3<f64>) -> Vector3<f64> {
        self.isometry.rotation * direction_in_b
    }

    /// Whether every number of the pose is finite.
    pub fn is_finite(&self) -> bool {
        let quaternion = self.isometry.rotation.coords;
        quaternion
            .iter()
            .chain(self.translation().iter())
            .all(|value| value.is_finite())
    }
}

impl Pose<Ego, Cam> {
    /// A camera at `position` (ego frame, metres) that looks along `yaw_rad` (counter-clockwise from
    /// forward), tilted down by `pitch_rad` and rolled by `roll_rad` about its viewing direction.
    pub fn looking(position: Vector3<f64>, yaw_rad: f64, pitch_rad: f64, roll_rad: f64) -> Self {
        #[rustfmt::skip]
        let body_from_optical = Rotation3::from_matrix_unchecked(Matrix3::new(
            0.0, 0.0, 1.0,
            -1.0, 0.0, 0.0,
            0.0, -1.0, 0.0,
        ));
        let ego_from_body = UnitQuaternion::from_euler_angles(roll_rad, pitch_rad, yaw_rad);
        Self::new(
            ego_from_body * UnitQuaternion::from_rotation_matrix(&body_from_optical),
            position,
        )
    }
}

impl<A, B, C> Mul<Pose<B, C>> for Pose<A, B> {
    type Output = Pose<A, C>;

    fn mul(self, b_from_c: Pose<B, C>) -> Pose<A, C> {
        Pose::from_isometry(self.isometry * b_from_c.isometry)
    }
}

impl<A, B> Clone for Pose<A, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, B> Copy for Pose<A, B> {}

impl<A, B> PartialEq for Pose<A, B> {
    fn eq(&self, other: &Self) -> bool {
        self.isometry == other.isometry
    }
}

impl<A, B> Default for Pose<A, B> {
    fn default() -> Self {
        Self::identity()
    }
}

impl<A, B> fmt::Debug for Pose<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = self.translation();
        let q = self.rotation();
        f.debug_struct("Pose")
            .field("translation_m", &[t.x, t.y, t.z])
            .field("quaternion_wxyz", &[q.w, q.i, q.j, q.k])
            .finish()
    }
}

fn check_translation(translation: &Vector3<f64>) -> Result<(), CalibrationError> {
    if translation.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    Err(CalibrationError::new(
        "translation",
        "three finite numbers in metres",
        list(translation.as_slice()),
    ))
}

/// Numbers as a person reads them in a message.
pub(crate) fn list(values: &[f64]) -> String {
    format!("{values:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::FRAC_PI_2;

    #[test]
    fn a_forward_camera_sees_the_road_ahead_along_its_optical_axis() {
        let ego_from_cam = Pose::<Ego, Cam>::looking(Vector3::new(1.7, 0.0, 1.5), 0.0, 0.0, 0.0);
        let in_cam = ego_from_cam
            .inverse()
            .transform(&Point3::new(11.7, 1.0, 0.5));
        // One metre to the left, one metre below the camera, ten metres ahead.
        assert!((in_cam - Point3::new(-1.0, 1.0, 10.0)).norm() < 1e-12);
    }

    #[test]
    fn yaw_turns_the_camera_left_and_pitch_turns_it_down() {
        let left = Pose::<Ego, Cam>::looking(Vector3::zeros(), FRAC_PI_2, 0.0, 0.0);
        assert!((left.rotate(&Vector3::z()) - Vector3::y()).norm() < 1e-12);
        let down = Pose::<Ego, Cam>::looking(Vector3::zeros(), 0.0, FRAC_PI_2, 0.0);
        assert!((down.rotate(&Vector3::z()) + Vector3::z()).norm() < 1e-12);
    }

    #[test]
    fn matrices_round_trip() {
        let pose = Pose::<Odom, Ego>::new(
            UnitQuaternion::from_euler_angles(0.1, -0.2, 2.9),
            Vector3::new(1.0, 2.0, 3.0),
        );
        let again = Pose::<Odom, Ego>::from_matrix(&pose.to_matrix()).expect("it is rigid");
        assert!((again.to_matrix() - pose.to_matrix()).amax() < 1e-14);
        assert!(((pose * pose.inverse()).to_matrix() - Matrix4::identity()).amax() < 1e-14);
    }

    #[test]
    fn matrices_that_are_not_rigid_are_refused() {
        let mut scaled = Matrix4::identity();
        scaled[(0, 0)] = 1.001;
        let mut mirrored = Matrix4::identity();
        mirrored[(2, 2)] = -1.0;
        let mut sheared = Matrix4::identity();
        sheared[(0, 1)] = 0.01;
        let mut not_a_number = Matrix4::identity();
        not_a_number[(1, 1)] = f64::NAN;
        let mut far_away = Matrix4::identity();
        far_away[(0, 3)] = f64::INFINITY;
        let mut projective = Matrix4::identity();
        projective[(3, 0)] = 0.5;
        for matrix in [
            scaled,
            mirrored,
            sheared,
            not_a_number,
            far_away,
            projective,
        ] {
            assert!(Pose::<Ego, Cam>::from_matrix(&matrix).is_err(), "{matrix}");
        }
    }

    #[test]
    fn quaternions_off_the_unit_sphere_are_refused() {
        for wxyz in [[0.0; 4], [1.0, 0.1, 0.0, 0.0], [f64::NAN, 0.0, 0.0, 0.0]] {
            assert!(Pose::<Ego, Cam>::from_quaternion_wxyz(wxyz, Vector3::zeros()).is_err());
        }
    }
}
