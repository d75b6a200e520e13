//! Convex polygons in the plane: areas, cuts, overlaps.

/// A corner: x, y, metres.
pub type Corner = [f64; 2];

/// Area, positive for counter-clockwise corners.
pub fn signed_area(corners: &[Corner]) -> f64 {
    let doubled: f64 = (0..corners.len())
        .map(|k| {
            let (a, b) = (corners[k], corners[(k + 1) % corners.len()]);
            a[0] * b[1] - a[1] * b[0]
        })
        .sum();
    0.5 * doubled
}

/// The part of `subject` inside the convex, counter-clockwise `window`.
pub fn intersection(subject: &[Corner], window: &[Corner]) -> Vec<Corner> {
    let mut rest = subject.to_vec();
    for k in 0..window.len() {
        let (from, to) = (window[k], window[(k + 1) % window.len()]);
        let side = |p: &Corner| {
            (to[0] - from[0]) * (p[1] - from[1]) - (to[1] - from[1]) * (p[0] - from[0])
        };
        let mut kept = Vec::with_capacity(rest.len() + 1);
        for j in 0..rest.len() {
            let (a, b) = (rest[j], rest[(j + 1) % rest.len()]);
            let (side_a, side_b) = (side(&a), side(&b));
            if side_a >= 0.0 {
                kept.push(a);
            }
            if (side_a > 0.0 && side_b < 0.0) || (side_a < 0.0 && side_b > 0.0) {
                let share = side_a / (side_a - side_b);
                kept.push([a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])]);
            }
        }
        rest = kept;
    }
    rest
}

/// Intersection over union of two convex, counter-clockwise polygons.
pub fn intersection_over_union(a: &[Corner], b: &[Corner]) -> f64 {
    let shared = signed_area(&intersection(a, b)).max(0.0);
    let joined = signed_area(a) + signed_area(b) - shared;
    if joined > 0.0 { shared / joined } else { 0.0 }
}

/// Whether two convex polygons share a point; touching counts.
pub fn convex_meet(a: &[Corner], b: &[Corner]) -> bool {
    !(has_separating_edge(a, b) || has_separating_edge(b, a))
}

fn has_separating_edge(a: &[Corner], b: &[Corner]) -> bool {
    (0..a.len()).any(|k| {
        let (from, to) = (a[k], a[(k + 1) % a.len()]);
        let normal = [to[1] - from[1], from[0] - to[0]];
        if normal == [0.0, 0.0] {
            return false;
        }
        let (a_low, a_high) = extent(a, normal);
        let (b_low, b_high) = extent(b, normal);
        a_high < b_low || b_high < a_low
    })
}

fn extent(corners: &[Corner], axis: Corner) -> (f64, f64) {
    corners
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), corner| {
            let along = corner[0] * axis[0] + corner[1] * axis[1];
            (low.min(along), high.max(along))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: [Corner; 4] = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];

    fn shifted(dx: f64, dy: f64) -> Vec<Corner> {
        UNIT.iter().map(|c| [c[0] + dx, c[1] + dy]).collect()
    }

    #[test]
    fn overlap_of_shifted_squares_is_hand_computed() {
        assert!((intersection_over_union(&UNIT, &shifted(0.5, 0.5)) - 0.25 / 1.75).abs() < 1e-12);
        assert!((intersection_over_union(&UNIT, &UNIT) - 1.0).abs() < 1e-12);
        assert_eq!(intersection_over_union(&UNIT, &shifted(3.0, 0.0)), 0.0);
        let diamond = [[0.5, -0.5], [1.5, 0.5], [0.5, 1.5], [-0.5, 0.5]];
        assert!((intersection_over_union(&UNIT, &diamond) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn touching_polygons_meet_and_apart_ones_do_not() {
        assert!(convex_meet(&UNIT, &shifted(1.0, 0.0)));
        assert!(!convex_meet(&UNIT, &shifted(1.000_001, 0.0)));
        assert!(convex_meet(&UNIT, &shifted(0.2, -0.3)));
    }
}
