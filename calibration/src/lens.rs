//! Lens models: how a ray from the camera's centre meets the normalised image plane.

mod brown_conrady;
mod kannala_brandt;
mod monotone;

pub use brown_conrady::BrownConrady;
pub(crate) use brown_conrady::distort;
pub(crate) use kannala_brandt::KannalaBrandt;
pub(crate) use monotone::{first_failure, invert_increasing};

/// Lens of a camera, with OpenCV's coefficients in OpenCV's order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Lens {
    /// Perspective projection with Brown–Conrady distortion (`cv::projectPoints`).
    Pinhole {
        /// Distortion coefficients; all zero for an ideal lens.
        k: BrownConrady,
    },
    /// Equidistant projection with the Kannala–Brandt polynomial (`cv::fisheye`).
    Fisheye {
        /// `k1 … k4` of `θ_d = θ (1 + k1 θ² + k2 θ⁴ + k3 θ⁶ + k4 θ⁸)`.
        k: [f64; 4],
    },
}

impl Lens {
    /// A perspective lens without distortion.
    pub const IDEAL: Lens = Lens::Pinhole {
        k: BrownConrady::NONE,
    };

    /// Coefficients in OpenCV's order: 0, 5 or 8 for a pinhole lens, 4 for a fisheye.
    pub fn coefficients(&self) -> Vec<f64> {
        match self {
            Lens::Pinhole { k } => k.coefficients(),
            Lens::Fisheye { k } => k.to_vec(),
        }
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.coefficients().iter().all(|value| value.is_finite())
    }
}
