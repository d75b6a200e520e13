//! Outlines of road arrows as convex polygons.

use crate::ground_truth::ArrowKind;

/// A convex polygon, counter-clockwise: (forward, left) in metres from the middle of the arrow.
pub(super) type Polygon = Vec<[f64; 2]>;

/// Half the width of the stem, metres.
const STEM_M: f64 = 0.1;
/// Half the width of a head.
const HEAD_M: f64 = 0.38;

/// Polygons of an arrow of a given length.
pub(super) fn polygons(kind: ArrowKind, length_m: f64) -> Vec<Polygon> {
    let half = 0.5 * length_m;
    if kind == ArrowKind::U_TURN {
        return u_turn(half);
    }
    let bits = kind.bits();
    let is_straight = bits & 1 != 0;
    let mut polygons = Vec::new();
    let head = 0.36 * length_m;
    // Side branches leave the stem lower when the stem goes on.
    let branch = if is_straight {
        -0.12 * length_m
    } else {
        0.18 * length_m
    };
    let stem_end = if is_straight {
        half - head
    } else {
        branch + STEM_M
    };
    strip(&mut polygons, &[[-half, 0.0], [stem_end, 0.0]], STEM_M);
    if is_straight {
        polygons.push(vec![
            [half - head, HEAD_M],
            [half - head, -HEAD_M],
            [half, 0.0],
        ]);
    }
    for (bit, side) in [(2, 1.0), (4, -1.0)] {
        if bits & bit != 0 {
            side_branch(&mut polygons, branch, length_m, side);
        }
    }
    polygons
}

/// A bend to one side and its head, which points sideways and a little ahead.
fn side_branch(polygons: &mut Vec<Polygon>, from: f64, length: f64, side: f64) {
    let rise = 0.14 * length;
    let bend = [
        [from, 0.0],
        [from + 0.6 * rise, 0.16 * side],
        [from + rise, 0.42 * side],
    ];
    strip(polygons, &bend, STEM_M);
    let base = 0.40 * side;
    let tip = [from + 1.35 * rise, 1.0 * side];
    let (low, high) = (
        [from + rise - 0.17 * length, base],
        [from + rise + 0.14 * length, base],
    );
    polygons.push(if side > 0.0 {
        vec![low, high, tip]
    } else {
        vec![high, low, tip]
    });
}

fn u_turn(half: f64) -> Vec<Polygon> {
    let mut polygons = Vec::new();
    let reach = 0.36;
    strip(
        &mut polygons,
        &[[-half, -reach], [half - 2.0 * reach, -reach]],
        STEM_M,
    );
    let arc: Vec<[f64; 2]> = (0..=6)
        .map(|i| {
            let angle = f64::from(i) * std::f64::consts::PI / 6.0;
            [
                half - 2.0 * reach + 1.8 * reach * angle.sin(),
                -reach * angle.cos(),
            ]
        })
        .collect();
    strip(&mut polygons, &arc, STEM_M);
    let neck = 0.05 * half;
    strip(
        &mut polygons,
        &[[half - 2.0 * reach, reach], [neck, reach]],
        STEM_M,
    );
    polygons.push(vec![
        [neck, reach - HEAD_M],
        [neck, reach + HEAD_M],
        [neck - 0.62 * half, reach],
    ]);
    polygons
}

/// Quadrilaterals along a line, none longer than 1.5 m.
fn strip(polygons: &mut Vec<Polygon>, line: &[[f64; 2]], half_width: f64) {
    for pair in line.windows(2) {
        let ([u0, v0], [u1, v1]) = (pair[0], pair[1]);
        let length = (u1 - u0).hypot(v1 - v0);
        if length < 1e-6 {
            continue;
        }
        let (nu, nv) = (
            -(v1 - v0) / length * half_width,
            (u1 - u0) / length * half_width,
        );
        let count = (length / 1.5).ceil();
        for i in 0..count as usize {
            let (a, b) = (i as f64 / count, (i + 1) as f64 / count);
            let at = |k: f64| [u0 + (u1 - u0) * k, v0 + (v1 - v0) * k];
            let (p, q) = (at(a), at(b));
            polygons.push(vec![
                [p[0] - nu, p[1] - nv],
                [q[0] - nu, q[1] - nv],
                [q[0] + nu, q[1] + nv],
                [p[0] + nu, p[1] + nv],
            ]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(polygon: &Polygon) -> f64 {
        let n = polygon.len();
        let cross = |i: usize| {
            let (a, b) = (polygon[i], polygon[(i + 1) % n]);
            a[0] * b[1] - b[0] * a[1]
        };
        0.5 * (0..n).map(cross).sum::<f64>()
    }

    #[test]
    fn polygons_are_counter_clockwise_and_within_the_lane() {
        for kind in ArrowKind::ALL {
            for polygon in polygons(kind, 5.0) {
                assert!(area(&polygon) > 0.0, "{kind:?} {polygon:?}");
                for [u, v] in &polygon {
                    assert!(u.abs() <= 2.6 && v.abs() < 1.2, "{kind:?} {polygon:?}");
                }
            }
        }
    }

    #[test]
    fn arrows_spread_over_their_whole_length() {
        for kind in [
            ArrowKind::STRAIGHT,
            ArrowKind::STRAIGHT_LEFT_RIGHT,
            ArrowKind::U_TURN,
        ] {
            let points: Vec<f64> = polygons(kind, 5.0)
                .into_iter()
                .flatten()
                .map(|point| point[0])
                .collect();
            let low = points.iter().copied().fold(f64::MAX, f64::min);
            let high = points.iter().copied().fold(f64::MIN, f64::max);
            assert!(
                (low + 2.5).abs() < 0.01 && (high - 2.5).abs() < 0.2,
                "{kind:?} {low} {high}"
            );
        }
    }
}
