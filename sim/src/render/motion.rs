//! Movement of picture points during an exposure.

use bevrt_calibration::Intrinsics;
use nalgebra::{Point2, Point3, Vector3};

/// How the camera moves while the shutter is open.
#[derive(Clone, Copy, Debug)]
pub struct Motion {
    /// Velocity of the camera in its own axes, m/s.
    pub linear_mps: Vector3<f64>,
    /// Angular velocity of the camera in its own axes, rad/s.
    pub angular_radps: Vector3<f64>,
    /// Time that the shutter is open, seconds.
    pub exposure_s: f64,
}

impl Motion {
    /// Movement in pixels of the static point behind a pixel; depth 0 counts as infinitely far.
    pub(super) fn flow<'a>(
        &'a self,
        intrinsics: &'a Intrinsics,
        depth_m: &'a [f32],
    ) -> impl Fn(usize, usize) -> [f32; 2] + 'a {
        let width = intrinsics.width() as usize;
        move |column, row| {
            let pixel = Point2::new(column as f64, row as f64);
            let Some(ray) = intrinsics.unproject(&pixel) else {
                return [0.0; 2];
            };
            let depth = f64::from(depth_m[row * width + column]);
            let distance = if depth > 0.0 { depth } else { 1e4 };
            let point = ray * distance;
            let moved =
                point - (self.linear_mps + self.angular_radps.cross(&point)) * self.exposure_s;
            match intrinsics.project(&Point3::from(moved)) {
                Some(end) => [(end.x - pixel.x) as f32, (end.y - pixel.y) as f32]
                    .map(|x| x.clamp(-40.0, 40.0)),
                None => [0.0; 2],
            }
        }
    }
}
