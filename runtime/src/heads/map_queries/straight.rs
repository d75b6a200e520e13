/// A straight piece on the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Straight {
    /// Its middle, at the mean height of the points.
    pub centre_m: [f32; 3],
    /// Its direction in (−π/2, π/2].
    pub theta_rad: f32,
    /// From one end to the other.
    pub length_m: f32,
}

/// The piece through some points along the direction of their largest spread, as far as they reach;
/// `None` without points.
pub(super) fn straight_through(points: &[[f32; 3]]) -> Option<Straight> {
    let [x, y, _] = *points.first()?;
    let share = 1.0 / points.len() as f32;
    let mut mean = [0.0_f32; 3];
    for point in points {
        let offset = [point[0] - x, point[1] - y, point[2]];
        mean = std::array::from_fn(|k| mean[k] + share * offset[k]);
    }
    let offsets = || {
        points
            .iter()
            .map(|point| [point[0] - x - mean[0], point[1] - y - mean[1]])
    };
    let (mut xx, mut xy, mut yy) = (0.0_f32, 0.0_f32, 0.0_f32);
    for [dx, dy] in offsets() {
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
    }
    let theta_rad = 0.5 * (2.0 * xy).atan2(xx - yy);
    let (sin, cos) = theta_rad.sin_cos();
    let (mut least, mut most) = (0.0_f32, 0.0_f32);
    for [dx, dy] in offsets() {
        let along = cos * dx + sin * dy;
        (least, most) = (least.min(along), most.max(along));
    }
    let middle = 0.5 * (least + most);
    Some(Straight {
        centre_m: [
            x + mean[0] + middle * cos,
            y + mean[1] + middle * sin,
            mean[2],
        ],
        theta_rad,
        length_m: most - least,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::straight_through;
    use crate::heads::detections::StopLineDetection;

    proptest! {
        #[test]
        fn a_straight_piece_comes_back(
            x in -50.0_f32..50.0, y in -30.0_f32..30.0, theta in -1.57_f32..1.57,
            length in 1.0_f32..20.0,
        ) {
            let painted = StopLineDetection {
                position_m: [x, y, 0.1],
                theta_rad: theta,
                length_m: length,
                ..StopLineDetection::default()
            };
            let [a, b] = painted.ends();
            let points: Vec<[f32; 3]> = (0..20)
                .map(|k| std::array::from_fn(|axis| a[axis] + k as f32 / 19.0 * (b[axis] - a[axis])))
                .collect();
            let found = straight_through(&points).expect("there are points");
            prop_assert!((found.centre_m[0] - x).hypot(found.centre_m[1] - y) < 1e-3);
            prop_assert!((found.length_m - length).abs() < 1e-3);
            prop_assert!((found.theta_rad - theta).sin().abs() < 1e-3, "{}", found.theta_rad);
        }
    }

    #[test]
    fn one_point_has_no_length() {
        let found = straight_through(&[[3.0, 4.0, 0.5]; 5]).expect("there are points");
        assert_eq!(found.length_m, 0.0);
        assert_eq!(found.centre_m, [3.0, 4.0, 0.5]);
        assert_eq!(straight_through(&[]), None);
    }
}
