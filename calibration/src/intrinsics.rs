//! From rays in the camera frame to pixels and back.

use nalgebra::{Point2, Point3, Vector3};

use crate::lens::KannalaBrandt;
use crate::{CalibrationError, Lens};

/// Nearest distance in front of a pinhole camera that is projected, metres.
const NEAREST_DEPTH_M: f64 = 1e-9;
/// Widest and highest image that is accepted, pixels.
const LARGEST_IMAGE_PX: u32 = 65_535;

/// A rectangle of an image, in pixels; fractions are allowed.
///
/// `x`, `y` are counted from the image's outer corner, so the rectangle covers the pixels
/// `x .. x + width` (pixel 0 spans 0 to 1 here, its centre is at coordinate 0 in pixel coordinates).
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)]
pub struct PixelRect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Checked intrinsics of one camera: focal lengths, principal point, image size, lens.
///
/// Pixel coordinates have `u` to the right and `v` down; whole numbers are pixel centres, so the image
/// covers `[-0.5, width - 0.5) × [-0.5, height - 0.5)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Intrinsics {
    fx: f64,
    fy: f64,
    cx: f64,
    cy: f64,
    width: u32,
    height: u32,
    lens: Lens,
    valid_radius: f64,
}

impl Intrinsics {
    /// Takes focal lengths and principal point (pixels), image size (pixels), and the lens.
    ///
    /// The lens' valid radius is searched here, once: some ten microseconds, with tangential
    /// distortion a millisecond.
    ///
    /// # Errors
    /// Refuses numbers that are not finite, focal lengths that are not positive, and an image without
    /// pixels or over 65535 pixels wide or high.
    pub fn new(
        focal_px: [f64; 2],
        principal_px: [f64; 2],
        size_px: [u32; 2],
        lens: Lens,
    ) -> Result<Self, CalibrationError> {
        for (field, value) in [("fx_px", focal_px[0]), ("fy_px", focal_px[1])] {
            if !(value.is_finite() && value > 0.0) {
                return Err(CalibrationError::new(
                    field,
                    "a positive finite number",
                    value.to_string(),
                ));
            }
        }
        for (field, value) in [("cx_px", principal_px[0]), ("cy_px", principal_px[1])] {
            if !value.is_finite() {
                return Err(CalibrationError::new(
                    field,
                    "a finite number",
                    value.to_string(),
                ));
            }
        }
        for (field, value) in [("width", size_px[0]), ("height", size_px[1])] {
            if !(1..=LARGEST_IMAGE_PX).contains(&value) {
                return Err(CalibrationError::new(
                    field,
                    format!("1 to {LARGEST_IMAGE_PX}"),
                    value.to_string(),
                ));
            }
        }
        if !lens.is_finite() {
            return Err(CalibrationError::new(
                "distortion",
                "finite numbers",
                crate::pose::list(&lens.coefficients()),
            ));
        }
        let valid_radius = match &lens {
            Lens::Pinhole { k } => k.valid_radius(),
            Lens::Fisheye { k } => KannalaBrandt(*k).valid_angle(),
        };
        Ok(Self {
            fx: focal_px[0],
            fy: focal_px[1],
            cx: principal_px[0],
            cy: principal_px[1],
            width: size_px[0],
            height: size_px[1],
            lens,
            valid_radius,
        })
    }

    /// Horizontal focal length, pixels.
    pub fn fx(&self) -> f64 {
        self.fx
    }

    /// Vertical focal length, pixels.
    pub fn fy(&self) -> f64 {
        self.fy
    }

    /// Horizontal principal point, pixels.
    pub fn cx(&self) -> f64 {
        self.cx
    }

    /// Vertical principal point, pixels.
    pub fn cy(&self) -> f64 {
        self.cy
    }

    /// Mean of both focal lengths, pixels.
    pub fn mean_focal(&self) -> f64 {
        0.5 * (self.fx + self.fy)
    }

    /// Image width, pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Image height, pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The lens.
    pub fn lens(&self) -> &Lens {
        &self.lens
    }

    /// Radius within which no two rays meet one pixel: `tan θ` for a pinhole lens (infinite without
    /// distortion), the angle `θ` in radians for a fisheye.
    pub fn valid_radius(&self) -> f64 {
        self.valid_radius
    }

    /// [`Self::valid_radius`] as an angle to the optical axis, radians: at most π/2 for a pinhole lens.
    pub fn valid_angle_rad(&self) -> f64 {
        match self.lens {
            Lens::Pinhole { .. } => self.valid_radius.atan(),
            Lens::Fisheye { .. } => self.valid_radius,
        }
    }

    /// Pixel of a point given in the camera frame (metres); it may lie outside of the image.
    ///
    /// `None` behind a pinhole camera and beyond the valid radius of the lens: a polynomial that folds
    /// over gives no ghost pixels.
    ///
    /// # Real-time
    /// Neither allocates nor fails in other ways; NaN gives `None`.
    #[inline]
    pub fn project(&self, point_in_cam: &Point3<f64>) -> Option<Point2<f64>> {
        let (x, y, z) = (point_in_cam.x, point_in_cam.y, point_in_cam.z);
        let (x_d, y_d) = match &self.lens {
            Lens::Pinhole { k } => {
                let is_in_front = z > NEAREST_DEPTH_M;
                if !is_in_front {
                    return None;
                }
                let (x, y) = (x / z, y / z);
                let is_valid = x * x + y * y <= self.valid_radius * self.valid_radius;
                if !is_valid {
                    return None;
                }
                if k.is_none() { (x, y) } else { k.distort(x, y) }
            }
            Lens::Fisheye { k } => {
                let rho = (x * x + y * y).sqrt();
                let theta = rho.atan2(z);
                let is_valid = theta <= self.valid_radius;
                if !is_valid || (rho == 0.0 && z <= 0.0) {
                    return None;
                }
                let theta_d = KannalaBrandt(*k).distort(theta);
                // On the axis theta_d / rho tends to 1 / z.
                let scale = if rho > 1e-12 { theta_d / rho } else { 1.0 / z };
                (x * scale, y * scale)
            }
        };
        Some(Point2::new(
            self.fx * x_d + self.cx,
            self.fy * y_d + self.cy,
        ))
    }

    /// As [`Self::project`], but `None` outside of the image too.
    #[inline]
    pub fn project_within(&self, point_in_cam: &Point3<f64>) -> Option<Point2<f64>> {
        self.project(point_in_cam)
            .filter(|pixel| self.contains(pixel))
    }

    /// Whether a pixel position lies in the image, that is in `[-0.5, size - 0.5)` on both axes.
    #[inline]
    pub fn contains(&self, pixel: &Point2<f64>) -> bool {
        pixel.x >= -0.5
            && pixel.y >= -0.5
            && pixel.x < f64::from(self.width) - 0.5
            && pixel.y < f64::from(self.height) - 0.5
    }

    /// Unit ray in the camera frame that meets a pixel, or `None` where no valid ray does.
    pub fn unproject(&self, pixel: &Point2<f64>) -> Option<Vector3<f64>> {
        let x_d = (pixel.x - self.cx) / self.fx;
        let y_d = (pixel.y - self.cy) / self.fy;
        if !(x_d.is_finite() && y_d.is_finite()) {
            return None;
        }
        match &self.lens {
            Lens::Pinhole { k } => {
                let (x, y) = k.undistort(x_d, y_d, self.valid_radius)?;
                Some(Vector3::new(x, y, 1.0).normalize())
            }
            Lens::Fisheye { k } => {
                let theta_d = x_d.hypot(y_d);
                let theta = KannalaBrandt(*k).undistort(theta_d, self.valid_radius)?;
                let (sine, cosine) = theta.sin_cos();
                let scale = if theta_d > 0.0 { sine / theta_d } else { 1.0 };
                Some(Vector3::new(x_d * scale, y_d * scale, cosine))
            }
        }
    }

    /// The same lens seen through a crop that is then resized to `width_px` × `height_px`.
    ///
    /// Exact in the pixel-centre convention: pixel `u` of the source comes to
    /// `(u + 0.5 - crop.x) · width_px / crop.width - 0.5`.
    ///
    /// # Panics
    /// If the crop or the new size is empty or not finite, a mistake of the caller's set-up.
    pub fn cropped_and_scaled(&self, crop: PixelRect, width_px: u32, height_px: u32) -> Intrinsics {
        let scale_x = f64::from(width_px) / crop.width;
        let scale_y = f64::from(height_px) / crop.height;
        assert!(
            scale_x.is_finite() && scale_x > 0.0 && scale_y.is_finite() && scale_y > 0.0,
            "crop {crop:?} to {width_px}×{height_px} is not a rectangle"
        );
        Intrinsics {
            fx: self.fx * scale_x,
            fy: self.fy * scale_y,
            cx: (self.cx + 0.5 - crop.x) * scale_x - 0.5,
            cy: (self.cy + 0.5 - crop.y) * scale_y - 0.5,
            width: width_px,
            height: height_px,
            lens: self.lens,
            valid_radius: self.valid_radius,
        }
    }

    /// Checks that images of a source have the size that was calibrated.
    ///
    /// # Errors
    /// Names expected and found size.
    pub fn check_image_size(&self, width: u32, height: u32) -> Result<(), CalibrationError> {
        if (width, height) == (self.width, self.height) {
            return Ok(());
        }
        Err(CalibrationError::new(
            "image size",
            format!("{}×{} as calibrated", self.width, self.height),
            format!("{width}×{height}"),
        ))
    }

    /// Whether the principal point lies in the image, as it does for every camera that was not cropped.
    pub fn has_principal_point_inside(&self) -> bool {
        self.contains(&Point2::new(self.cx, self.cy))
    }

    /// Refuses a principal point outside of the image: a sign that the focal length and the image size
    /// belong to two different resolutions.
    pub(crate) fn check_principal_point(&self) -> Result<(), CalibrationError> {
        if self.has_principal_point_inside() {
            return Ok(());
        }
        Err(CalibrationError::new(
            "cx_px, cy_px",
            format!(
                "a principal point inside of the {}×{} image",
                self.width, self.height
            ),
            format!(
                "{}, {} (calibrated at another image size?)",
                self.cx, self.cy
            ),
        ))
    }
}

#[cfg(test)]
mod tests;
