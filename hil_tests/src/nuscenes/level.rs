//! Boxes in the axes of the world, as the devkit compares them.
//!
//! The devkit compares boxes in the world's horizontal plane; ours lie in the plane of the ego frame,
//! which leans with the road. Directions of the ego frame with two components (headings,
//! velocities) are those of horizontal ones with the component along ego z left out: ours are, and
//! that has an exact inverse.

use bevrt_calibration::{Ego, Pose, World};
use nalgebra::{Point3, UnitQuaternion, Vector3};

/// The ego frame made level: x along the heading, z upright.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    world_from_ego: Pose<World, Ego>,
    /// Where ranges are measured from, in the world.
    origin: Vector3<f64>,
    heading_rad: f64,
}

impl Level {
    /// Of an ego pose, with distances measured from `origin` in the world.
    pub fn new(world_from_ego: Pose<World, Ego>, origin: Vector3<f64>) -> Self {
        let ahead = world_from_ego.rotate(&Vector3::x());
        Self {
            world_from_ego,
            origin,
            heading_rad: ahead.y.atan2(ahead.x),
        }
    }

    /// A point of the ego frame in the world.
    pub fn world_position(&self, point_in_ego: [f64; 3]) -> [f64; 3] {
        let point = self.world_from_ego.transform(&Point3::from(point_in_ego));
        point.coords.into()
    }

    /// The horizontal direction of the world that the ego frame sees as `in_ego`.
    pub fn world_direction(&self, in_ego: [f64; 2]) -> [f64; 2] {
        let rotation = self.world_from_ego.rotation().to_rotation_matrix();
        let up = rotation.matrix().row(2).into_owned();
        let along_z = -(up[0] * in_ego[0] + up[1] * in_ego[1]) / up[2];
        let direction = rotation * Vector3::new(in_ego[0], in_ego[1], along_z);
        [direction.x, direction.y]
    }

    /// The heading in the world of a heading in the ego frame.
    pub fn world_yaw(&self, yaw_in_ego_rad: f64) -> f64 {
        let (sin, cos) = yaw_in_ego_rad.sin_cos();
        let [x, y] = self.world_direction([cos, sin]);
        y.atan2(x)
    }

    /// Where the level frame stands in the world: x, y, heading.
    pub fn in_world(&self) -> [f64; 3] {
        [self.origin.x, self.origin.y, self.heading_rad]
    }

    /// A point of the ego frame in the level one.
    pub fn position(&self, point_in_ego: [f64; 3]) -> [f64; 3] {
        let from_origin = Vector3::from(self.world_position(point_in_ego)) - self.origin;
        let [x, y] = turned([from_origin.x, from_origin.y], -self.heading_rad);
        [x, y, from_origin.z]
    }

    /// A direction of the ego frame in the level one.
    pub fn direction(&self, in_ego: [f64; 2]) -> [f64; 2] {
        turned(self.world_direction(in_ego), -self.heading_rad)
    }

    /// A heading of the ego frame in the level one.
    pub fn yaw(&self, yaw_in_ego_rad: f64) -> f64 {
        let (sin, cos) = yaw_in_ego_rad.sin_cos();
        let [x, y] = self.direction([cos, sin]);
        y.atan2(x)
    }
}

/// A horizontal direction of the world as the ego frame sees it.
pub(super) fn direction_in_ego(
    world_from_ego: &Pose<World, Ego>,
    direction_in_world: [f64; 2],
) -> [f64; 2] {
    let [x, y] = direction_in_world;
    let seen = world_from_ego.inverse().rotate(&Vector3::new(x, y, 0.0));
    [seen.x, seen.y]
}

/// Rotation about the vertical axis.
pub(super) fn upright(yaw_rad: f64) -> UnitQuaternion<f64> {
    UnitQuaternion::from_euler_angles(0.0, 0.0, yaw_rad)
}

fn turned([x, y]: [f64; 2], by_rad: f64) -> [f64; 2] {
    let (sin, cos) = by_rad.sin_cos();
    [x * cos - y * sin, x * sin + y * cos]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaning() -> Pose<World, Ego> {
        Pose::new(
            UnitQuaternion::from_euler_angles(0.03, -0.05, 2.1),
            Vector3::new(411.0, 1180.0, 3.0),
        )
    }

    #[test]
    fn horizontal_directions_survive_the_leaning_ego_frame() {
        let level = Level::new(leaning(), *leaning().translation());
        for direction in [[3.0, 4.0], [-1.0, 0.2], [0.0, -7.0]] {
            let in_ego = direction_in_ego(&leaning(), direction);
            let back = level.world_direction(in_ego);
            assert!((back[0] - direction[0]).abs() < 1e-12, "{back:?}");
            assert!((back[1] - direction[1]).abs() < 1e-12, "{back:?}");
        }
    }

    #[test]
    fn the_level_frame_looks_ahead_and_keeps_distances_of_the_world() {
        let level = Level::new(leaning(), *leaning().translation());
        // The horizontal direction that is seen along ego x lies aside of the slope by roll times pitch.
        assert!((level.yaw(0.0).abs() - 0.03 * 0.05).abs() < 1e-5);
        let (a, b) = ([20.0, 3.0, 0.5], [-4.0, 7.0, 1.0]);
        let flat = |p: [f64; 3], q: [f64; 3]| (p[0] - q[0]).hypot(p[1] - q[1]);
        let in_world = flat(level.world_position(a), level.world_position(b));
        assert!((flat(level.position(a), level.position(b)) - in_world).abs() < 1e-9);
        let ahead = level.position([30.0, 0.0, 0.0]);
        assert!(ahead[1].abs() < 1e-9 && ahead[0] < 30.0 && ahead[0] > 29.9);
        // Nose down by a positive pitch; here it is negative, so the road climbs.
        assert!((ahead[2] - 30.0 * 0.05_f64.sin()).abs() < 1e-9);
    }
}
