//! Where every feature cell of a camera looks, as a network input.

use nalgebra::Point2;

use crate::{CalibrationError, NetworkCamera};

/// Numbers per feature cell in [`RaySpec::write_into`].
const CHANNELS: usize = 5;
/// Distances to the ground are given relative to this, on a logarithmic scale.
const UNIT_M: f64 = 10.0;
/// Distances to the ground are clamped to `UNIT_M / RANGE ..= UNIT_M * RANGE`.
const RANGE: f64 = 10.0;

/// A grid of feature cells over the network's image, for which a network is told the camera's rays.
///
/// A convolution sees neither how its camera is mounted nor through which lens it looks. These five
/// planes a camera say it, so that one network serves other rigs:
/// - 0, 1, 2: the unit vector from the camera through the cell's centre, in ego axes.
/// - 3: `ln(d / 10 m)`, where `d` is the distance along the ray to the ground plane `z = 0`, clamped to
///   1 to 100 m; rays that do not fall have 100 m.
/// - 4: `ln f`, where `f` is the mean focal length in feature cells.
///
/// All are 0 where the lens has no ray.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RaySpec {
    /// Columns of the grid.
    pub feature_width: u32,
    /// Rows of the grid.
    pub feature_height: u32,
    /// Network-image pixels per feature cell.
    pub stride: u32,
}

impl RaySpec {
    /// Planes a camera.
    pub const CHANNELS: usize = CHANNELS;

    /// The grid of cells of `stride` pixels in an image of `width` × `height` pixels.
    ///
    /// # Errors
    /// Refuses a stride that does not divide both.
    pub fn new(width: u32, height: u32, stride: u32) -> Result<Self, CalibrationError> {
        if stride == 0 || !width.is_multiple_of(stride) || !height.is_multiple_of(stride) {
            return Err(CalibrationError::new(
                "stride",
                format!("a divisor of {width} and {height}"),
                stride.to_string(),
            ));
        }
        Ok(Self {
            feature_width: width / stride,
            feature_height: height / stride,
            stride,
        })
    }

    /// Values of one camera: planes × rows × columns.
    pub fn len_per_camera(&self) -> usize {
        CHANNELS * self.cells()
    }

    fn cells(&self) -> usize {
        self.feature_width as usize * self.feature_height as usize
    }

    /// Writes the planes `[cameras, 5, rows, columns]` of all cameras, in their order.
    ///
    /// Mounting pose and lens count, not whether a camera is enabled nor its skew.
    ///
    /// # Panics
    /// If `planes` is not [`RaySpec::len_per_camera`] long for each camera.
    ///
    /// # Real-time
    /// Allocates nothing; a fraction of a microsecond a cell.
    pub fn write_into(&self, cameras: &[NetworkCamera], planes: &mut [f32]) {
        assert_eq!(
            planes.len(),
            cameras.len() * self.len_per_camera(),
            "five planes a camera"
        );
        for (camera, planes) in cameras
            .iter()
            .zip(planes.chunks_exact_mut(self.len_per_camera()))
        {
            self.write_camera(camera, planes);
        }
    }

    fn write_camera(&self, camera: &NetworkCamera, planes: &mut [f32]) {
        let intrinsics = camera.intrinsics();
        let ln_focal = (intrinsics.mean_focal() / f64::from(self.stride)).ln() as f32;
        let height_m = camera.ego_from_cam.translation().z;
        let stride = f64::from(self.stride);
        for cell in 0..self.cells() {
            let (column, row) = (
                cell % self.feature_width as usize,
                cell / self.feature_width as usize,
            );
            let pixel = Point2::new(
                (column as f64 + 0.5) * stride - 0.5,
                (row as f64 + 0.5) * stride - 0.5,
            );
            let values = intrinsics.unproject(&pixel).map_or([0.0; CHANNELS], |ray| {
                let ray = camera.ego_from_cam.rotate(&ray.normalize());
                [
                    ray.x as f32,
                    ray.y as f32,
                    ray.z as f32,
                    ln_ground_distance(height_m, ray.z) as f32,
                    ln_focal,
                ]
            });
            for (plane, value) in values.into_iter().enumerate() {
                planes[plane * self.cells() + cell] = value;
            }
        }
    }
}

/// `ln(d / 10 m)` of a ray that starts `height_m` above the ground and rises by `slope` a metre.
fn ln_ground_distance(height_m: f64, slope: f64) -> f64 {
    let farthest_m = UNIT_M * RANGE;
    let distance_m = if slope * farthest_m < -height_m {
        -height_m / slope
    } else {
        farthest_m
    };
    (distance_m / UNIT_M).clamp(1.0 / RANGE, RANGE).ln()
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use super::*;
    use crate::{BrownConrady, Intrinsics, Lens, Pose};

    fn forward_camera() -> NetworkCamera {
        let lens = Lens::Pinhole {
            k: BrownConrady::NONE,
        };
        // The principal point is the centre of cell (2, 1) of cells of 8 pixels.
        let intrinsics =
            Intrinsics::new([16.0, 16.0], [19.5, 11.5], [40, 24], lens).expect("sound");
        let pose = Pose::looking(Vector3::new(1.0, 0.0, 1.5), 0.0, 0.0, 0.0);
        NetworkCamera::from_parts(intrinsics, pose)
    }

    #[test]
    fn a_level_camera_sees_the_ground_where_geometry_says() {
        let spec = RaySpec::new(40, 24, 8).expect("divides");
        let mut planes = vec![f32::NAN; spec.len_per_camera()];
        spec.write_into(&[forward_camera()], &mut planes);
        let at = |plane: usize, row: usize, column: usize| planes[plane * 15 + row * 5 + column];
        // Straight ahead: level, never meets the ground.
        for (plane, expected) in [1.0, 0.0, 0.0, 10f32.ln(), 2f32.ln()]
            .into_iter()
            .enumerate()
        {
            assert!((at(plane, 1, 2) - expected).abs() < 1e-6, "plane {plane}");
        }
        // One cell down is a slope of one half: 1.5 m lower after 3 m ahead, 3.3541 m away.
        let length = 1.25f32.sqrt();
        for (plane, expected) in [1.0 / length, 0.0, -0.5 / length, 0.335_41f32.ln()]
            .into_iter()
            .enumerate()
        {
            assert!((at(plane, 2, 2) - expected).abs() < 1e-5, "plane {plane}");
        }
        // One cell to the right in the image is to the right in ego: y is negative.
        assert!((at(1, 1, 3) + 0.5 / length).abs() < 1e-6);
        // Above the horizon there is no ground.
        assert_eq!(at(3, 0, 0), 10f32.ln());
    }

    #[test]
    fn a_stride_that_does_not_divide_is_refused() {
        for stride in [0, 3, 16] {
            let error = RaySpec::new(40, 24, stride).expect_err("must be refused");
            assert!(error.to_string().contains("stride"), "{error}");
        }
    }

    #[test]
    fn cells_without_a_ray_are_zero() {
        // The image reaches beyond the monotone range of this lens: corners have no ray.
        let k = BrownConrady::from_coefficients(&[-0.4, 0.0, 0.0, 0.0, 0.0]).expect("sound");
        let intrinsics = Intrinsics::new([8.0, 8.0], [19.5, 11.5], [40, 24], Lens::Pinhole { k })
            .expect("sound");
        let camera = NetworkCamera::from_parts(intrinsics, forward_camera().ego_from_cam);
        let spec = RaySpec::new(40, 24, 8).expect("divides");
        let mut planes = vec![f32::NAN; spec.len_per_camera()];
        spec.write_into(&[camera], &mut planes);
        assert!((0..5).all(|plane| planes[plane * 15] == 0.0));
        assert!(planes.iter().all(|value| value.is_finite()));
    }
}
