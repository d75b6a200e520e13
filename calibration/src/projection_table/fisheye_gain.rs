//! The fisheye polynomial as a table over the cosine of the angle, without trigonometry per point.

use nalgebra::Point2;

use super::writer::nearest;
use crate::{Intrinsics, Lens};

/// Steps of the table. Linear interpolation in `f32` then stays within 1e-6 of the exact gain.
const STEPS: usize = 2048;
/// Lenses whose images reach beyond this angle are projected exactly: near π the gain has a pole.
const WIDEST_ANGLE_RAD: f64 = 2.5;

/// `θ_d / sin θ` over `cos θ`: a smooth function on all of a real lens' range, the axis included.
#[derive(Debug, PartialEq)]
pub(super) struct FisheyeGain {
    least_cosine: f32,
    steps_per_cosine: f32,
    values: [f32; STEPS + 1],
}

impl FisheyeGain {
    /// Tabulates a lens up to the farthest image corner, or `None` if that is not a fisheye or the image
    /// reaches too far around.
    pub(super) fn of(intrinsics: &Intrinsics) -> Option<Self> {
        if !matches!(intrinsics.lens(), Lens::Fisheye { .. }) {
            return None;
        }
        let widest = widest_angle(intrinsics);
        if widest > WIDEST_ANGLE_RAD {
            return None;
        }
        let Lens::Fisheye { k } = intrinsics.lens() else {
            return None;
        };
        let lens = crate::lens::KannalaBrandt(*k);
        let least_cosine = widest.cos();
        let cosine_per_step = (1.0 - least_cosine) / STEPS as f64;
        let values = std::array::from_fn(|step| {
            let theta = (least_cosine + cosine_per_step * step as f64)
                .min(1.0)
                .acos();
            let gain = if theta > 0.0 {
                lens.distort(theta) / theta.sin()
            } else {
                1.0
            };
            gain as f32
        });
        Some(Self {
            least_cosine: least_cosine as f32,
            steps_per_cosine: (1.0 / cosine_per_step) as f32,
            values,
        })
    }

    /// The gain at a cosine, and whether the cosine is within the image's range.
    #[inline(always)]
    pub(super) fn at(&self, cosine: f32) -> (f32, bool) {
        let position = (cosine - self.least_cosine) * self.steps_per_cosine;
        let is_in_range = position >= 0.0;
        // Between two steps either may come out as the one below: the line through them is one.
        let step = nearest(position - 0.5).clamp(0, STEPS as i32 - 1) as usize;
        let rest = position - step as f32;
        let (low, high) = (self.values[step], self.values[step + 1]);
        (low + (high - low) * rest, is_in_range)
    }
}

/// Angle of the image corner that is farthest from the axis, within the valid radius.
fn widest_angle(intrinsics: &Intrinsics) -> f64 {
    let (width, height) = (
        f64::from(intrinsics.width()),
        f64::from(intrinsics.height()),
    );
    [(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)]
        .into_iter()
        .map(|(x, y)| {
            let corner = intrinsics.unproject(&Point2::new(x - 0.5, y - 0.5));
            corner.map_or(intrinsics.valid_radius(), |ray| {
                ray.z.clamp(-1.0, 1.0).acos()
            })
        })
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rigs;
    use nalgebra::Point3;

    #[test]
    fn the_table_moves_no_point_by_a_thousandth_of_a_pixel() {
        let intrinsics = rigs::four_fisheye().cameras()[0].intrinsics;
        let gain = FisheyeGain::of(&intrinsics).expect("a real fisheye");
        let mut compared = 0;
        for degree in 0..2000 {
            let theta = f64::from(degree) * 0.001;
            let (sine, cosine) = theta.sin_cos();
            let point = Point3::new(0.6 * sine, 0.8 * sine, cosine);
            let (value, is_in_range) = gain.at(cosine as f32);
            if !is_in_range {
                continue;
            }
            let value = f64::from(value);
            let exact = intrinsics.project(&point).expect("within the valid radius");
            let x = intrinsics.fx() * point.x * value + intrinsics.cx();
            let y = intrinsics.fy() * point.y * value + intrinsics.cy();
            assert!((x - exact.x).hypot(y - exact.y) < 1e-3, "{theta}");
            compared += 1;
        }
        assert!(compared > 1900, "{compared}");
    }
}
