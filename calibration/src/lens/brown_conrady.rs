//! Brown–Conrady distortion, plain and rational.

use std::ops::{Add, Div, Mul};

use super::{first_failure, invert_increasing};
use crate::CalibrationError;

/// Radius (tangent of the angle to the optical axis) up to which distortion is followed at all: 89.4°.
const RADIUS_LIMIT: f64 = 100.0;
/// Directions in which a lens with tangential distortion is examined.
const DIRECTIONS: u32 = 64;

/// Brown–Conrady coefficients, named and used as in OpenCV.
///
/// With `r² = x² + y²` on the plane `z = 1`:
/// `g = (1 + k1 r² + k2 r⁴ + k3 r⁶) / (1 + k4 r² + k5 r⁴ + k6 r⁶)`,
/// `x_d = x g + 2 p1 x y + p2 (r² + 2 x²)`, `y_d = y g + p1 (r² + 2 y²) + 2 p2 x y`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[allow(missing_docs)]
pub struct BrownConrady {
    pub k1: f64,
    pub k2: f64,
    pub p1: f64,
    pub p2: f64,
    pub k3: f64,
    pub k4: f64,
    pub k5: f64,
    pub k6: f64,
}

impl BrownConrady {
    /// No distortion.
    pub const NONE: Self = Self {
        k1: 0.0,
        k2: 0.0,
        p1: 0.0,
        p2: 0.0,
        k3: 0.0,
        k4: 0.0,
        k5: 0.0,
        k6: 0.0,
    };

    /// Takes coefficients in OpenCV's order `k1 k2 p1 p2 [k3 [k4 k5 k6]]`.
    ///
    /// # Errors
    /// Refuses counts other than 0, 4, 5 and 8. Longer OpenCV vectors (thin prism, tilt) are accepted
    /// where everything after the eighth is zero.
    pub fn from_coefficients(coefficients: &[f64]) -> Result<Self, CalibrationError> {
        let (used, rest) = coefficients.split_at(coefficients.len().min(8));
        if !matches!(used.len(), 0 | 4 | 5 | 8) || rest.iter().any(|&value| value != 0.0) {
            return Err(CalibrationError::new(
                "distortion",
                "0, 4, 5 or 8 coefficients k1 k2 p1 p2 k3 k4 k5 k6 (no thin prism, no tilt)",
                format!("{} coefficients {coefficients:?}", coefficients.len()),
            ));
        }
        let at = |index: usize| used.get(index).copied().unwrap_or(0.0);
        Ok(Self {
            k1: at(0),
            k2: at(1),
            p1: at(2),
            p2: at(3),
            k3: at(4),
            k4: at(5),
            k5: at(6),
            k6: at(7),
        })
    }

    /// The shortest of 0, 5 or 8 coefficients in OpenCV's order.
    pub fn coefficients(&self) -> Vec<f64> {
        let all = self.all();
        if self.is_none() {
            Vec::new()
        } else if all[5..].iter().all(|&value| value == 0.0) {
            all[..5].to_vec()
        } else {
            all.to_vec()
        }
    }

    /// Whether the lens does not distort.
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    fn is_radial(&self) -> bool {
        self.p1 == 0.0 && self.p2 == 0.0
    }

    /// The radial factor `g` and its derivative by `r²`.
    #[inline]
    fn radial(&self, r2: f64) -> (f64, f64) {
        let numerator = 1.0 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3));
        let numerator_slope = self.k1 + r2 * (2.0 * self.k2 + r2 * 3.0 * self.k3);
        let denominator = 1.0 + r2 * (self.k4 + r2 * (self.k5 + r2 * self.k6));
        let denominator_slope = self.k4 + r2 * (2.0 * self.k5 + r2 * 3.0 * self.k6);
        let factor = numerator / denominator;
        (
            factor,
            (numerator_slope - factor * denominator_slope) / denominator,
        )
    }

    /// Distorted position of a point on the plane `z = 1`.
    #[inline]
    pub(crate) fn distort(&self, x: f64, y: f64) -> (f64, f64) {
        distort(&self.all(), 1.0, x, y)
    }

    /// All eight coefficients in OpenCV's order.
    #[inline]
    pub(crate) fn all(&self) -> [f64; 8] {
        [
            self.k1, self.k2, self.p1, self.p2, self.k3, self.k4, self.k5, self.k6,
        ]
    }

    /// The (symmetric) Jacobian of [`Self::distort`]: `[∂x_d/∂x, ∂x_d/∂y = ∂y_d/∂x, ∂y_d/∂y]`.
    fn jacobian(&self, x: f64, y: f64) -> [f64; 3] {
        let (factor, slope) = self.radial(x * x + y * y);
        [
            factor + 2.0 * x * x * slope + 2.0 * self.p1 * y + 6.0 * self.p2 * x,
            2.0 * x * y * slope + 2.0 * self.p1 * x + 2.0 * self.p2 * y,
            factor + 2.0 * y * y * slope + 6.0 * self.p1 * y + 2.0 * self.p2 * x,
        ]
    }

    /// Radius on the plane `z = 1` within which the lens maps no two rays onto one pixel.
    ///
    /// The Jacobian is symmetric, so the distortion is the gradient of a potential. Where it is positive
    /// definite over a disc, that potential is strictly convex there and its gradient injective: this
    /// is the largest such disc. Infinite without distortion.
    pub(crate) fn valid_radius(&self) -> f64 {
        if self.is_none() {
            return f64::INFINITY;
        }
        first_failure(RADIUS_LIMIT, 0.002, |radius| self.is_sound_at(radius))
    }

    fn is_sound_at(&self, radius: f64) -> bool {
        let r2 = radius * radius;
        if 1.0 + r2 * (self.k4 + r2 * (self.k5 + r2 * self.k6)) <= 0.0 {
            return false;
        }
        let directions = if self.is_radial() { 1 } else { DIRECTIONS };
        (0..directions).all(|step| {
            let (sine, cosine) =
                (std::f64::consts::TAU * f64::from(step) / f64::from(directions)).sin_cos();
            let [a, b, d] = self.jacobian(radius * cosine, radius * sine);
            // Smaller eigenvalue of a symmetric matrix; NaN fails.
            0.5 * (a + d) - (0.25 * (a - d) * (a - d) + b * b).sqrt() > 0.0
        })
    }

    /// The point within `valid_radius` that is distorted to `(x_d, y_d)`, or `None` if there is none.
    pub(crate) fn undistort(&self, x_d: f64, y_d: f64, valid_radius: f64) -> Option<(f64, f64)> {
        if self.is_none() {
            return Some((x_d, y_d));
        }
        let start = self.undistort_radial(x_d, y_d, valid_radius);
        if self.is_radial() {
            return start;
        }
        let (x, y) = start.unwrap_or_else(|| {
            let shrink = 0.9 * valid_radius / x_d.hypot(y_d);
            (x_d * shrink, y_d * shrink)
        });
        self.refine(x, y, x_d, y_d, valid_radius)
    }

    fn undistort_radial(&self, x_d: f64, y_d: f64, valid_radius: f64) -> Option<(f64, f64)> {
        let target = x_d.hypot(y_d);
        if target == 0.0 {
            return Some((0.0, 0.0));
        }
        let radius = invert_increasing(target, valid_radius, target, |radius| {
            let r2 = radius * radius;
            let (factor, slope) = self.radial(r2);
            (radius * factor, factor + 2.0 * r2 * slope)
        })?;
        Some((x_d * radius / target, y_d * radius / target))
    }

    /// Newton's method in two dimensions; a step that would not bring the residual down, or would
    /// leave the valid disc, is halved.
    fn refine(
        &self,
        mut x: f64,
        mut y: f64,
        x_d: f64,
        y_d: f64,
        valid_radius: f64,
    ) -> Option<(f64, f64)> {
        let residual_at = |x: f64, y: f64| {
            let (u, v) = self.distort(x, y);
            (u - x_d, v - y_d)
        };
        let tolerance = 1e-13 * (1.0 + x_d.hypot(y_d));
        let mut residual = residual_at(x, y);
        for _ in 0..64 {
            let size = residual.0.hypot(residual.1);
            if size <= tolerance {
                break;
            }
            let [a, b, d] = self.jacobian(x, y);
            let determinant = a * d - b * b;
            let step_x = (d * residual.0 - b * residual.1) / determinant;
            let step_y = (a * residual.1 - b * residual.0) / determinant;
            let mut scale = 1.0;
            let next = loop {
                let (next_x, next_y) = (x - scale * step_x, y - scale * step_y);
                let next_residual = residual_at(next_x, next_y);
                let is_better = next_residual.0.hypot(next_residual.1) < size;
                if is_better && next_x.hypot(next_y) <= valid_radius {
                    break Some((next_x, next_y, next_residual));
                }
                scale *= 0.5;
                if scale < 1e-9 {
                    break None;
                }
            };
            let Some((next_x, next_y, next_residual)) = next else {
                break;
            };
            (x, y, residual) = (next_x, next_y, next_residual);
        }
        // A pixel is refused only where no ray comes near it: 1e-9 is a micropixel at any real focal length.
        (residual.0.hypot(residual.1) <= 1e-9 && x.hypot(y) <= valid_radius).then_some((x, y))
    }
}

/// The formula itself, in the precision of the caller: `f64` for one point, `f32` for whole tables.
/// `k` in OpenCV's order; `one` is the number 1.
#[inline(always)]
pub(crate) fn distort<T>(k: &[T; 8], one: T, x: T, y: T) -> (T, T)
where
    T: Copy + Add<Output = T> + Mul<Output = T> + Div<Output = T>,
{
    let [k1, k2, p1, p2, k3, k4, k5, k6] = *k;
    let (x2, y2) = (x * x, y * y);
    let r2 = x2 + y2;
    let numerator = one + r2 * (k1 + r2 * (k2 + r2 * k3));
    let denominator = one + r2 * (k4 + r2 * (k5 + r2 * k6));
    let factor = numerator / denominator;
    let xy = x * y;
    (
        x * factor + p1 * (xy + xy) + p2 * (r2 + x2 + x2),
        y * factor + p1 * (r2 + y2 + y2) + p2 * (xy + xy),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficient_counts_are_those_of_opencv() {
        for count in [0, 4, 5, 8] {
            assert!(
                BrownConrady::from_coefficients(&vec![0.01; count]).is_ok(),
                "{count}"
            );
        }
        for count in [1, 2, 3, 6, 7, 9, 12, 14] {
            assert!(
                BrownConrady::from_coefficients(&vec![0.01; count]).is_err(),
                "{count}"
            );
        }
        assert!(BrownConrady::from_coefficients(&[0.0; 14]).is_ok());
    }

    #[test]
    fn a_barrel_polynomial_is_valid_up_to_its_fold() {
        // r (1 - 0.3 r²) turns at r = 1 / sqrt(0.9).
        let lens = BrownConrady {
            k1: -0.3,
            ..BrownConrady::NONE
        };
        assert!((lens.valid_radius() - (1.0 / 0.9f64).sqrt()).abs() < 1e-9);
    }

    #[test]
    fn a_pole_of_the_rational_model_ends_the_valid_disc() {
        let lens = BrownConrady {
            k4: -0.25,
            ..BrownConrady::NONE
        };
        assert!((lens.valid_radius() - 2.0).abs() < 1e-9);
    }

    #[test]
    fn tangential_distortion_is_undone_up_to_the_rim() {
        let lens = BrownConrady {
            k1: -0.31,
            k2: 0.12,
            p1: 0.003,
            p2: -0.002,
            k3: -0.02,
            ..BrownConrady::NONE
        };
        let valid = lens.valid_radius();
        for step in 0..200 {
            let radius = valid * 0.995 * f64::from(step) / 199.0;
            for turn in 0..16 {
                let (sine, cosine) = (f64::from(turn) * 0.39).sin_cos();
                let (x, y) = (radius * cosine, radius * sine);
                let (x_d, y_d) = lens.distort(x, y);
                let (u, v) = lens
                    .undistort(x_d, y_d, valid)
                    .expect("inside the valid disc");
                assert!(
                    (u - x).hypot(v - y) < 1e-8,
                    "{radius} {turn}: {}",
                    (u - x).hypot(v - y)
                );
            }
        }
    }
}
