//! Two rigs of the usual layouts, for tests, demonstrations and the simulated world.

use nalgebra::Vector3;

use crate::{Cam, Camera, Ego, Intrinsics, Lens, Pose, Rig};

/// Six pinhole cameras at 1600×900 all around the vehicle, as on the cars of the nuScenes data set.
///
/// Order: front, front_left, front_right, back_left, back_right, back. Five have a field of view of
/// 64.6°, the back camera 89.4°. The reference is the front camera. The lenses are ideal.
pub fn six_pinhole() -> Rig {
    const NARROW_PX: f64 = 1266.0;
    const WIDE_PX: f64 = 809.0;
    let camera =
        |name: &str, position: [f64; 3], yaw_deg: f64, pitch_deg: f64, focal_px: f64| Camera {
            name: name.to_owned(),
            intrinsics: Intrinsics::new([focal_px; 2], [799.5, 449.5], [1600, 900], Lens::IDEAL)
                .expect("these numbers are sound"),
            ego_from_cam: pose(position, yaw_deg, pitch_deg),
        };
    let cameras = vec![
        camera("front", [1.70, 0.0, 1.51], 0.0, 0.0, NARROW_PX),
        camera("front_left", [1.52, 0.49, 1.51], 55.0, 0.0, NARROW_PX),
        camera("front_right", [1.55, -0.49, 1.50], -55.0, 0.0, NARROW_PX),
        camera("back_left", [1.04, 0.48, 1.59], 110.0, 0.0, NARROW_PX),
        camera("back_right", [1.01, -0.48, 1.56], -110.0, 0.0, NARROW_PX),
        camera("back", [0.03, 0.0, 1.58], 180.0, 0.0, WIDE_PX),
    ];
    Rig::new(cameras, 0).expect("names are unique")
}

/// Four fisheye cameras at 1280×960 with 190° lenses: front, left, right, back, tilted down.
///
/// The reference is the front camera. At the left and right image borders the angle to the axis
/// is 95°.
pub fn four_fisheye() -> Rig {
    let lens = Lens::Fisheye {
        k: [-0.02, 0.004, -0.001, 0.0],
    };
    // The image border is 640 px from the axis, where θ_d(95°) = θ_d(1.658063) = 1.582571.
    const FOCAL_PX: f64 = 404.4;
    let camera = |name: &str, position: [f64; 3], yaw_deg: f64, pitch_deg: f64| Camera {
        name: name.to_owned(),
        intrinsics: Intrinsics::new([FOCAL_PX; 2], [639.5, 479.5], [1280, 960], lens)
            .expect("these numbers are sound"),
        ego_from_cam: pose(position, yaw_deg, pitch_deg),
    };
    let cameras = vec![
        camera("front", [3.70, 0.0, 0.70], 0.0, 15.0),
        camera("left", [2.00, 1.00, 1.05], 90.0, 30.0),
        camera("right", [2.00, -1.00, 1.05], -90.0, 30.0),
        camera("back", [-0.95, 0.0, 0.90], 180.0, 15.0),
    ];
    Rig::new(cameras, 0).expect("names are unique")
}

fn pose(position: [f64; 3], yaw_deg: f64, pitch_deg: f64) -> Pose<Ego, Cam> {
    Pose::looking(
        Vector3::from(position),
        yaw_deg.to_radians(),
        pitch_deg.to_radians(),
        0.0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{Point2, Point3};

    #[test]
    fn the_six_cameras_see_what_their_names_say() {
        let rig = six_pinhole();
        let sees = |name: &str, x: f64, y: f64| {
            let index = rig.index_of(name).expect("camera");
            rig.cameras()[index]
                .project_within(&Point3::new(x, y, 1.0))
                .is_some()
        };
        assert!(sees("front", 20.0, 0.0) && !sees("front", -20.0, 0.0));
        assert!(sees("front_left", 12.0, 14.0) && !sees("front_left", 12.0, -14.0));
        assert!(sees("front_right", 12.0, -14.0));
        assert!(sees("back_left", -6.0, 16.0) && sees("back_right", -6.0, -16.0));
        assert!(sees("back", -20.0, 0.0));
    }

    #[test]
    fn the_six_cameras_leave_no_gap_all_around() {
        let rig = six_pinhole();
        for degree in 0..360 {
            let (sine, cosine) = f64::from(degree).to_radians().sin_cos();
            let point = Point3::new(30.0 * cosine, 30.0 * sine, 1.5);
            assert!(
                rig.cameras()
                    .iter()
                    .any(|camera| camera.project_within(&point).is_some()),
                "{degree}°"
            );
        }
    }

    #[test]
    fn the_fisheye_image_is_190_degrees_wide() {
        let rig = four_fisheye();
        let intrinsics = &rig.reference_camera().intrinsics;
        let left = intrinsics
            .unproject(&Point2::new(-0.5, 479.5))
            .expect("in range");
        let angle_deg = left.z.acos().to_degrees();
        assert!((angle_deg - 95.0).abs() < 0.01, "{angle_deg}");
    }

    #[test]
    fn the_fisheye_cameras_see_the_ground_all_around() {
        let rig = four_fisheye();
        for degree in 0..360 {
            let (sine, cosine) = f64::from(degree).to_radians().sin_cos();
            let point = Point3::new(1.4 + 6.0 * cosine, 6.0 * sine, 0.0);
            assert!(
                rig.cameras()
                    .iter()
                    .any(|camera| camera.project_within(&point).is_some()),
                "{degree}°"
            );
        }
    }
}
