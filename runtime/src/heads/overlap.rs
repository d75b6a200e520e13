//! How much two boxes on the ground share.

use super::raster::length;

/// A rectangle on the ground.
#[derive(Clone, Copy, Debug)]
pub(super) struct Footprint {
    pub centre_m: [f32; 2],
    /// Extents along and across `yaw_rad`.
    pub size_m: [f32; 2],
    pub yaw_rad: f32,
}

impl Footprint {
    /// Share of the smaller rectangle that lies in the other one, in [0, 1].
    ///
    /// The other rectangle is replaced by its bounding box in axes of `self`, which is exact at
    /// multiples of a quarter turn and somewhat large between: enough to tell a second detection
    /// of one thing from a neighbour.
    #[inline]
    pub(super) fn overlap(&self, other: &Self) -> f32 {
        if self.is_out_of_reach(other) {
            0.0
        } else {
            self.overlap_in_reach(other)
        }
    }

    fn overlap_in_reach(&self, other: &Self) -> f32 {
        let (sin, cos) = self.yaw_rad.sin_cos();
        let dx = other.centre_m[0] - self.centre_m[0];
        let dy = other.centre_m[1] - self.centre_m[1];
        let (along, across) = (cos * dx + sin * dy, cos * dy - sin * dx);
        let (turn_sin, turn_cos) = (other.yaw_rad - self.yaw_rad).sin_cos();
        let (turn_sin, turn_cos) = (turn_sin.abs(), turn_cos.abs());
        let [length, width] = other.size_m;
        let box_m = [
            turn_cos * length + turn_sin * width,
            turn_sin * length + turn_cos * width,
        ];
        let shared = shared_length(along, self.size_m[0], box_m[0])
            * shared_length(across, self.size_m[1], box_m[1]);
        let smaller = (self.size_m[0] * self.size_m[1]).min(length * width);
        (shared / smaller.max(1e-6)).min(1.0)
    }

    /// Whether the centres are too far apart for any share, whatever the angles.
    #[inline]
    fn is_out_of_reach(&self, other: &Self) -> bool {
        let [dx, dy] = [0, 1].map(|k| other.centre_m[k] - self.centre_m[k]);
        // No side of the bounding box is longer than this.
        let side = other.size_m[0] + other.size_m[1];
        let [along, across] = self.size_m.map(|size| 0.5 * (size + side));
        // A thousandth more than what rounding could make of it.
        dx * dx + dy * dy > 1.001 * (along * along + across * across)
    }

    /// Whether the centres are less than `reach_m` apart.
    #[inline]
    pub(super) fn is_nearer(&self, other: &Self, reach_m: f32) -> bool {
        let [dx, dy] = [0, 1].map(|k| other.centre_m[k] - self.centre_m[k]);
        // The squares tell most pairs apart without a root.
        dx * dx + dy * dy <= 1.001 * (reach_m * reach_m) && length(dx, dy) < reach_m
    }
}

/// How much two lengths whose middles are `offset` apart share.
fn shared_length(offset: f32, a: f32, b: f32) -> f32 {
    (0.5 * (a + b) - offset.abs()).min(a).min(b).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::Footprint;

    fn car(x: f32, y: f32, yaw_rad: f32) -> Footprint {
        Footprint {
            centre_m: [x, y],
            size_m: [4.0, 2.0],
            yaw_rad,
        }
    }

    #[test]
    fn neighbours_in_lanes_and_queues_do_not_overlap() {
        assert_eq!(car(0.0, 0.0, 0.0).overlap(&car(0.0, 3.0, 0.0)), 0.0);
        assert_eq!(car(0.0, 0.0, 0.7).overlap(&car(3.8, 3.2, 0.7)), 0.0);
    }

    #[test]
    fn what_is_out_of_reach_shares_nothing() {
        use proptest::prelude::*;
        let footprint = (
            prop::array::uniform2(-8.0_f32..8.0),
            prop::array::uniform2(0.05_f32..12.0),
            -4.0_f32..4.0,
        );
        let footprint = footprint.prop_map(|(centre_m, size_m, yaw_rad)| Footprint {
            centre_m,
            size_m,
            yaw_rad,
        });
        let config = ProptestConfig {
            cases: 4096,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        proptest!(config, |(a in footprint.clone(), b in footprint)| {
            prop_assert_eq!(a.overlap(&b), a.overlap_in_reach(&b));
        });
    }

    #[test]
    fn a_known_overlap_comes_out() {
        let overlap = car(0.0, 0.0, 0.0).overlap(&car(2.0, 0.0, 0.0));
        assert!((overlap - 0.5).abs() < 1e-6);
        let crossed = car(0.0, 0.0, 0.0).overlap(&car(0.0, 0.0, std::f32::consts::FRAC_PI_2));
        assert!((crossed - 0.5).abs() < 1e-5);
    }

    #[test]
    fn turning_both_changes_nothing() {
        let flat = car(0.0, 0.0, 0.0).overlap(&car(1.0, 0.5, 0.2));
        let (sin, cos) = 1.1_f32.sin_cos();
        let turned = car(0.0, 0.0, 1.1).overlap(&car(cos - 0.5 * sin, sin + 0.5 * cos, 1.3));
        assert!((flat - turned).abs() < 1e-5);
    }
}
