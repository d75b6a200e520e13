//! One camera of a rig.

use nalgebra::{Point2, Point3};

use crate::{Cam, Ego, Intrinsics, Pose};

/// A named camera: its intrinsics and where it sits.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// Name, unique within its rig.
    pub name: String,
    /// Intrinsics at the size of the images that the camera delivers.
    pub intrinsics: Intrinsics,
    /// Mounting pose.
    pub ego_from_cam: Pose<Ego, Cam>,
}

impl Camera {
    /// Pixel of a point given in the ego frame (metres), if it is in the image.
    pub fn project_within(&self, point_in_ego: &Point3<f64>) -> Option<Point2<f64>> {
        let point_in_cam = self.ego_from_cam.inverse().transform(point_in_ego);
        self.intrinsics.project_within(&point_in_cam)
    }

    /// Point on the ego frame's ground plane (z = 0) that a pixel shows, if its ray meets the plane in
    /// front of the camera.
    pub fn ground_point(&self, pixel: &Point2<f64>) -> Option<Point3<f64>> {
        let ray_in_ego = self.ego_from_cam.rotate(&self.intrinsics.unproject(pixel)?);
        let origin = self.ego_from_cam.translation();
        let distance = -origin.z / ray_in_ego.z;
        (distance.is_finite() && distance > 0.0)
            .then(|| Point3::from(origin + ray_in_ego * distance))
    }
}
