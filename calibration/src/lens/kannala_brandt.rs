//! The Kannala–Brandt fisheye polynomial.

use std::f64::consts::PI;

use super::{first_failure, invert_increasing};

/// `θ_d = θ (1 + k1 θ² + k2 θ⁴ + k3 θ⁶ + k4 θ⁸)`, θ the angle to the optical axis.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KannalaBrandt(pub(crate) [f64; 4]);

impl KannalaBrandt {
    /// Distorted angle.
    #[inline]
    pub(crate) fn distort(&self, theta: f64) -> f64 {
        let [k1, k2, k3, k4] = self.0;
        let t2 = theta * theta;
        theta * (1.0 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))))
    }

    fn slope(&self, theta: f64) -> f64 {
        let [k1, k2, k3, k4] = self.0;
        let t2 = theta * theta;
        1.0 + t2 * (3.0 * k1 + t2 * (5.0 * k2 + t2 * (7.0 * k3 + t2 * 9.0 * k4)))
    }

    /// Angle up to which the polynomial increases, at most π.
    pub(crate) fn valid_angle(&self) -> f64 {
        first_failure(PI, 0.001, |theta| self.slope(theta) > 0.0)
    }

    /// The angle up to `valid_angle` that is distorted to `theta_d`, or `None` if there is none.
    pub(crate) fn undistort(&self, theta_d: f64, valid_angle: f64) -> Option<f64> {
        invert_increasing(theta_d, valid_angle, theta_d, |theta| {
            (self.distort(theta), self.slope(theta))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folding_polynomial_is_valid_up_to_its_fold() {
        // θ - 0.1 θ³ turns at θ = 1 / sqrt(0.3).
        let lens = KannalaBrandt([-0.1, 0.0, 0.0, 0.0]);
        let valid = lens.valid_angle();
        assert!((valid - (1.0 / 0.3f64).sqrt()).abs() < 1e-9);
        assert_eq!(lens.undistort(lens.distort(valid) + 1e-6, valid), None);
    }

    #[test]
    fn angles_round_trip() {
        let lens = KannalaBrandt([-0.0437, 0.0217, -0.0264, 0.0084]);
        let valid = lens.valid_angle();
        for step in 0..=300 {
            let theta = valid * f64::from(step) / 300.0;
            let again = lens
                .undistort(lens.distort(theta), valid)
                .expect("in range");
            assert!((again - theta).abs() < 1e-9, "{theta} {again}");
        }
    }
}
