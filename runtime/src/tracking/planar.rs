use std::f64::consts::{PI, TAU};

use bevrt_calibration::{Ego, Odom, Pose};

/// Where the vehicle is on the ground plane of the odometry frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PlanarPose {
    x_m: f64,
    y_m: f64,
    pub yaw_rad: f64,
    sin: f64,
    cos: f64,
}

impl PlanarPose {
    pub(super) const IDENTITY: Self = Self {
        x_m: 0.0,
        y_m: 0.0,
        yaw_rad: 0.0,
        sin: 0.0,
        cos: 1.0,
    };

    pub(super) fn of(odom_from_ego: &Pose<Odom, Ego>) -> Self {
        let matrix = odom_from_ego.to_matrix();
        let yaw_rad = matrix[(1, 0)].atan2(matrix[(0, 0)]);
        Self::at(matrix[(0, 3)], matrix[(1, 3)], yaw_rad)
    }

    /// The pose at a place of the odometry frame, with a heading.
    pub(super) fn at(x_m: f64, y_m: f64, yaw_rad: f64) -> Self {
        let (sin, cos) = yaw_rad.sin_cos();
        Self {
            x_m,
            y_m,
            yaw_rad,
            sin,
            cos,
        }
    }

    /// A point of the ego frame in the odometry frame.
    pub(super) fn point_to_odom(&self, x: f32, y: f32) -> [f64; 2] {
        let [x, y] = self.vector_to_odom(x, y);
        [self.x_m + x, self.y_m + y]
    }

    /// A point of the odometry frame in the ego frame.
    pub(super) fn point_to_ego(&self, [x, y]: [f64; 2]) -> [f32; 2] {
        self.vector_to_ego([x - self.x_m, y - self.y_m])
    }

    pub(super) fn vector_to_odom(&self, x: f32, y: f32) -> [f64; 2] {
        let (x, y) = (f64::from(x), f64::from(y));
        [self.cos * x - self.sin * y, self.sin * x + self.cos * y]
    }

    pub(super) fn vector_to_ego(&self, [x, y]: [f64; 2]) -> [f32; 2] {
        [
            (self.cos * x + self.sin * y) as f32,
            (self.cos * y - self.sin * x) as f32,
        ]
    }

    /// A symmetric 2 × 2 matrix (xx, xy, yy) of the ego frame in the odometry frame.
    pub(super) fn spread_to_odom(&self, spread: [f64; 3]) -> [f64; 3] {
        turned(spread, self.sin, self.cos)
    }

    /// A symmetric 2 × 2 matrix (xx, xy, yy) of the odometry frame in the ego frame.
    pub(super) fn spread_to_ego(&self, spread: [f64; 3]) -> [f64; 3] {
        turned(spread, -self.sin, self.cos)
    }
}

/// A symmetric 2 × 2 matrix (xx, xy, yy), turned.
pub(super) fn turned([xx, xy, yy]: [f64; 3], sin: f64, cos: f64) -> [f64; 3] {
    [
        cos * cos * xx - 2.0 * sin * cos * xy + sin * sin * yy,
        sin * cos * (xx - yy) + (cos * cos - sin * sin) * xy,
        sin * sin * xx + 2.0 * sin * cos * xy + cos * cos * yy,
    ]
}

/// The same angle in (−π, π].
pub(super) fn wrapped(angle_rad: f64) -> f64 {
    let turned = angle_rad.rem_euclid(TAU);
    if turned > PI { turned - TAU } else { turned }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use bevrt_calibration::Pose;
    use nalgebra::{UnitQuaternion, Vector3};

    use super::{PlanarPose, wrapped};

    fn pose() -> PlanarPose {
        let turn = UnitQuaternion::from_euler_angles(0.0, 0.0, PI / 2.0);
        PlanarPose::of(&Pose::new(turn, Vector3::new(10.0, 20.0, 3.0)))
    }

    #[test]
    fn a_known_point_lies_where_it_should() {
        // Facing odometry y: two metres ahead is +2 in y, one to the left is −1 in x.
        let [x, y] = pose().point_to_odom(2.0, 1.0);
        assert!((x - 9.0).abs() < 1e-9 && (y - 22.0).abs() < 1e-9);
        let [back_x, back_y] = pose().point_to_ego([x, y]);
        assert!((back_x - 2.0).abs() < 1e-6 && (back_y - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_spread_turns_with_its_frame() {
        let [xx, xy, yy] = pose().spread_to_odom([4.0, 0.0, 1.0]);
        assert!((xx - 1.0).abs() < 1e-9 && xy.abs() < 1e-9 && (yy - 4.0).abs() < 1e-9);
        let back = pose().spread_to_ego([xx, xy, yy]);
        assert!((back[0] - 4.0).abs() < 1e-9 && (back[2] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn angles_wrap_into_their_half_open_range() {
        assert_eq!(wrapped(-PI), PI);
        assert!((wrapped(3.5) - (3.5 - 2.0 * PI)).abs() < 1e-12);
    }
}
