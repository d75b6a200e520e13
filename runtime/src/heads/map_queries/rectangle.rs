use std::f32::consts::{FRAC_PI_2, PI};

use heapless::Vec;

use crate::manifest::QUERY_POINT_CAPACITY;

/// A rotated rectangle on the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rectangle {
    /// At the mean height of the points.
    pub centre_m: [f32; 3],
    /// Direction of the longer side in (−π/2, π/2].
    pub theta_rad: f32,
    /// The longer side.
    pub length_m: f32,
    /// The shorter side.
    pub width_m: f32,
}

/// A convex outline; its upper and lower halves meet in two points.
type Outline = Vec<[f32; 2], { QUERY_POINT_CAPACITY + 1 }>;

/// The rectangle of least area around some points; `None` for fewer than three corners.
///
/// One of its sides lies on a side of the convex outline (Freeman and Shapira 1975), so each of
/// these is tried. People walk along the longer side of a crosswalk: it runs across the road.
pub(super) fn rectangle_around(points: &[[f32; 3]]) -> Option<Rectangle> {
    let [x, y, _] = *points.first()?;
    let height = points.iter().map(|point| point[2]).sum::<f32>() / points.len() as f32;
    let outline = outline_of(points, [x, y]);
    if outline.len() < 3 {
        return None;
    }
    let sides = outline.iter().zip(outline.iter().cycle().skip(1));
    let boxes = sides.filter_map(|(a, b)| box_along(&outline, [b[0] - a[0], b[1] - a[1]]));
    let least = boxes.min_by(|a, b| a.area().total_cmp(&b.area()))?;
    Some(least.rectangle([x, y, height]))
}

/// The extent of an outline along and across a direction.
#[derive(Clone, Copy, Debug)]
struct Extent {
    direction: [f32; 2],
    along: [f32; 2],
    across: [f32; 2],
}

fn box_along(outline: &Outline, side: [f32; 2]) -> Option<Extent> {
    let length = side[0].hypot(side[1]);
    if length <= 0.0 {
        return None;
    }
    let direction = [side[0] / length, side[1] / length];
    let [cos, sin] = direction;
    let empty = [f32::INFINITY, f32::NEG_INFINITY];
    let (mut along, mut across) = (empty, empty);
    for &[x, y] in outline {
        let (a, b) = (cos * x + sin * y, cos * y - sin * x);
        along = [along[0].min(a), along[1].max(a)];
        across = [across[0].min(b), across[1].max(b)];
    }
    Some(Extent {
        direction,
        along,
        across,
    })
}

impl Extent {
    fn sides(&self) -> [f32; 2] {
        [
            self.along[1] - self.along[0],
            self.across[1] - self.across[0],
        ]
    }

    fn area(&self) -> f32 {
        let [along, across] = self.sides();
        along * across
    }

    fn rectangle(&self, [x, y, z]: [f32; 3]) -> Rectangle {
        let [cos, sin] = self.direction;
        let middle = |extent: [f32; 2]| 0.5 * (extent[0] + extent[1]);
        let (a, b) = (middle(self.along), middle(self.across));
        let [along, across] = self.sides();
        let theta = sin.atan2(cos);
        Rectangle {
            centre_m: [x + cos * a - sin * b, y + sin * a + cos * b, z],
            theta_rad: half_turn(if along >= across {
                theta
            } else {
                theta + FRAC_PI_2
            }),
            length_m: along.max(across),
            width_m: along.min(across),
        }
    }
}

/// An angle in (−π, 3π/2] as a direction without sense, in (−π/2, π/2].
fn half_turn(theta: f32) -> f32 {
    if theta > FRAC_PI_2 {
        theta - PI
    } else if theta <= -FRAC_PI_2 {
        theta + PI
    } else {
        theta
    }
}

/// The convex outline of points relative to `origin`, counter-clockwise (Andrew's monotone chain).
fn outline_of(points: &[[f32; 3]], origin: [f32; 2]) -> Outline {
    let mut sorted: Outline = points
        .iter()
        .take(QUERY_POINT_CAPACITY)
        .map(|point| [point[0] - origin[0], point[1] - origin[1]])
        .collect();
    sorted.sort_unstable_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let mut outline = Outline::new();
    add_chain(&mut outline, sorted.iter());
    let lower = outline.len().saturating_sub(1);
    outline.truncate(lower);
    let mut upper = Outline::new();
    add_chain(&mut upper, sorted.iter().rev());
    upper.truncate(upper.len().saturating_sub(1));
    // Each point is in one of the halves at most.
    outline.extend(upper);
    outline
}

fn add_chain<'a>(chain: &mut Outline, points: impl Iterator<Item = &'a [f32; 2]>) {
    for &point in points {
        while let [.., a, b] = chain[..]
            && turn(a, b, point) <= 0.0
        {
            chain.pop();
        }
        // There are no more points than the list holds.
        let _ = chain.push(point);
    }
}

/// Above 0 where the way from `a` over `b` to `c` turns left.
fn turn(a: [f32; 2], b: [f32; 2], c: [f32; 2]) -> f32 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::rectangle_around;
    use crate::heads::detections::CrosswalkDetection;

    /// Points around a rectangle, the first one again at the end.
    fn around(rectangle: &CrosswalkDetection, points: usize) -> Vec<[f32; 3]> {
        let corners = rectangle.corners();
        (0..points)
            .map(|k| {
                let place = 4.0 * k as f32 / (points - 1) as f32;
                let (corner, share) = (
                    (place as usize).min(3),
                    place - (place as usize).min(3) as f32,
                );
                let (a, b) = (corners[corner], corners[(corner + 1) % 4]);
                std::array::from_fn(|axis| a[axis] + share * (b[axis] - a[axis]))
            })
            .collect()
    }

    proptest! {
        #[test]
        fn a_rectangle_comes_back(
            x in -50.0_f32..50.0, y in -30.0_f32..30.0, theta in -1.57_f32..1.57,
            length in 4.0_f32..20.0, width in 2.0_f32..3.9,
        ) {
            let painted = CrosswalkDetection {
                position_m: [x, y, 0.2],
                theta_rad: theta,
                length_m: length,
                width_m: width,
                ..CrosswalkDetection::default()
            };
            // 21 points: five a side, so that the corners are among them.
            let found = rectangle_around(&around(&painted, 21)).expect("it has corners");
            prop_assert!((found.centre_m[0] - x).hypot(found.centre_m[1] - y) < 1e-3);
            prop_assert!((found.centre_m[2] - 0.2).abs() < 1e-5);
            prop_assert!((found.length_m - length).abs() < 1e-3);
            prop_assert!((found.width_m - width).abs() < 1e-3);
            prop_assert!((found.theta_rad - theta).sin().abs() < 1e-3, "{}", found.theta_rad);
        }
    }

    #[test]
    fn points_without_extent_are_no_rectangle() {
        assert_eq!(rectangle_around(&[]), None);
        assert_eq!(rectangle_around(&[[1.0, 2.0, 0.0]; 20]), None);
        let line: Vec<[f32; 3]> = (0..20).map(|k| [k as f32, 0.0, 0.0]).collect();
        assert_eq!(rectangle_around(&line), None);
    }
}
