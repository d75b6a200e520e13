//! Junctions: where their arms begin, and the kerbs around their corners.

use super::super::curve::wrap;
use super::Road;
use nalgebra::Point2;
use std::f64::consts::TAU;

/// A road that leaves a junction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arm {
    /// Index of the road.
    pub(crate) road: usize,
    /// +1 when leaving the junction along increasing arc length.
    pub(crate) sign: f64,
    /// Arc length on the road where the junction ends and the arm begins.
    pub(crate) mouth_s: f64,
    /// Direction out of the junction.
    pub(crate) heading: f64,
}

impl Arm {
    /// Arc length of a point `out_m` beyond the mouth, away from the junction.
    pub(crate) fn s_at(&self, out_m: f64) -> f64 {
        self.mouth_s + self.sign * out_m
    }

    /// Direction index of the lanes that come in through this arm.
    pub(crate) fn incoming(&self) -> usize {
        if self.sign > 0.0 { 1 } else { 0 }
    }

    /// Direction index of the lanes that leave through this arm.
    pub(crate) fn outgoing(&self) -> usize {
        1 - self.incoming()
    }

    /// Lateral position on the road of the edge that is on the left when leaving the junction, and of the right one.
    pub(crate) fn edges_m(&self, road: &Road) -> [f64; 2] {
        let [right, left] = road.section.edges_m();
        if self.sign > 0.0 {
            [left, right]
        } else {
            [right, left]
        }
    }
}

/// A place where two roads meet.
#[derive(Clone, Debug)]
pub(crate) struct Junction {
    pub(crate) centre: Point2<f64>,
    /// Arc length of the centre on the main road and on the crossing road.
    pub(crate) s: [f64; 2],
    /// Arms in counter-clockwise order.
    pub(crate) arms: Vec<Arm>,
    /// Kerb from the left edge of arm i to the right edge of the next arm, as points about every metre.
    pub(crate) corners: Vec<Vec<Point2<f64>>>,
}

impl Junction {
    /// Builds a junction from (road, sign) of its arms; the main road is road 0.
    pub(super) fn new(roads: &[Road], ends: Vec<(usize, f64)>, s: [f64; 2], radius_m: f64) -> Self {
        let s_on = |road: usize| if road == 0 { s[0] } else { s[1] };
        let mut arms: Vec<Arm> = ends
            .into_iter()
            .map(|(road, sign)| {
                let at = roads[road].curve.at(s_on(road));
                let heading = wrap(
                    at.heading
                        + if sign > 0.0 {
                            0.0
                        } else {
                            std::f64::consts::PI
                        },
                );
                Arm {
                    road,
                    sign,
                    mouth_s: s_on(road),
                    heading,
                }
            })
            .collect();
        arms.sort_by(|a, b| a.heading.total_cmp(&b.heading));
        let mut outs = vec![2.0_f64; arms.len()];
        for i in 0..arms.len() {
            let next = (i + 1) % arms.len();
            let [here, there] = corner_reach(roads, &arms[i], &arms[next], radius_m);
            outs[i] = outs[i].max(here);
            outs[next] = outs[next].max(there);
        }
        for (arm, out) in arms.iter_mut().zip(outs) {
            arm.mouth_s = s_on(arm.road) + arm.sign * out;
        }
        let corners = (0..arms.len())
            .map(|i| corner(roads, &arms[i], &arms[(i + 1) % arms.len()]))
            .collect();
        let centre = roads[0].curve.at(s[0]);
        Self {
            centre: Point2::new(centre.x, centre.y),
            s,
            arms,
            corners,
        }
    }
}

/// How far from the centre the mouths of two neighbouring arms must lie so that a corner of the radius fits between.
fn corner_reach(roads: &[Road], arm: &Arm, next: &Arm, radius_m: f64) -> [f64; 2] {
    let angle = (next.heading - arm.heading).rem_euclid(TAU);
    if angle > 2.5 {
        return [0.0; 2];
    }
    let here = arm.edges_m(&roads[arm.road])[0].abs();
    let there = next.edges_m(&roads[next.road])[1].abs();
    let (sin, cos) = angle.sin_cos();
    let tangent = radius_m / (0.5 * angle).tan();
    [
        (there + here * cos) / sin + tangent,
        (here + there * cos) / sin + tangent,
    ]
}

/// Kerb from the left edge of an arm to the right edge of the next one.
fn corner(roads: &[Road], arm: &Arm, next: &Arm) -> Vec<Point2<f64>> {
    let (road, next_road) = (&roads[arm.road], &roads[next.road]);
    let [from_d, _] = arm.edges_m(road);
    let [_, to_d] = next.edges_m(next_road);
    if arm.road == next.road {
        let count = (next.mouth_s - arm.mouth_s).abs().ceil().max(2.0);
        let step = (next.mouth_s - arm.mouth_s) / count;
        return (0..=count as usize)
            .map(|i| road.curve.aside(arm.mouth_s + i as f64 * step, from_d))
            .collect();
    }
    let (from, to) = (
        road.curve.aside(arm.mouth_s, from_d),
        next_road.curve.aside(next.mouth_s, to_d),
    );
    // Handles along the edges, towards the junction.
    let towards = |arm: &Arm, road: &Road| {
        let heading = road.curve.at(arm.mouth_s).heading;
        nalgebra::Vector2::new(heading.cos(), heading.sin()) * -arm.sign
    };
    let (out, back) = (towards(arm, road), towards(next, next_road));
    let cross = out.x * back.y - out.y * back.x;
    let gap = to - from;
    let reach_from = ((gap.x * back.y - gap.y * back.x) / cross).max(0.5);
    let reach_to = ((gap.x * out.y - gap.y * out.x) / cross).max(0.5);
    let (handle_from, handle_to) = (from + out * reach_from * 0.56, to + back * reach_to * 0.56);
    let count = (gap.norm() * 1.1).ceil().max(4.0);
    (0..=count as usize)
        .map(|i| {
            let u = i as f64 / count;
            let v = 1.0 - u;
            let coords = from.coords * (v * v * v)
                + handle_from.coords * (3.0 * v * v * u)
                + handle_to.coords * (3.0 * v * u * u)
                + to.coords * (u * u * u);
            coords.into()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Layout;

    #[test]
    fn corners_are_short_arcs_that_do_not_cross_the_centre() {
        for seed in 0..60 {
            for junction in &Layout::generate(seed).junctions {
                for corner in &junction.corners {
                    let nearest = corner
                        .iter()
                        .map(|p| (p - junction.centre).norm())
                        .fold(f64::MAX, f64::min);
                    let farthest = corner
                        .iter()
                        .map(|p| (p - junction.centre).norm())
                        .fold(0.0, f64::max);
                    assert!(
                        nearest > 2.5 && farthest < 45.0,
                        "seed {seed}: {nearest} to {farthest}"
                    );
                }
            }
        }
    }
}
