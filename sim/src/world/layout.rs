//! The road network: a main road, crossing roads and the junctions between them, in the plane.

use super::curve::Curve;
use super::random::Random;
use nalgebra::Point2;
use std::f64::consts::{FRAC_PI_2, TAU};

mod junction;
mod section;

pub(crate) use junction::{Arm, Junction};
pub(crate) use section::{CentreLine, Character, Section};

/// Length of the main road, metres.
pub(crate) const MAIN_LENGTH_M: f64 = 520.0;

/// A road: its centre line, which divides the directions of travel, and its cross section.
#[derive(Clone, Debug)]
pub(crate) struct Road {
    pub(crate) curve: Curve,
    pub(crate) section: Section,
    /// Stretches between junctions, in order.
    pub(crate) blocks: Vec<Block>,
}

/// A stretch of road between two junctions, or between a junction and the end of the road.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// Arc lengths of its ends on the road.
    pub(crate) s: [f64; 2],
    /// The junction arm at each end: (junction, arm), or `None` where the road just ends.
    pub(crate) arms: [Option<(usize, usize)>; 2],
}

/// All roads (the first is the main road) and all junctions.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) character: Character,
    pub(crate) roads: Vec<Road>,
    pub(crate) junctions: Vec<Junction>,
}

impl Layout {
    /// Lays out the roads of a seed.
    pub(crate) fn generate(seed: u64) -> Self {
        let mut random = Random::new(seed, 1);
        let character = Character::draw(&mut random);
        let main_section = Section::draw_main(character, &mut random);
        let profile = curvature_profile(character, &mut random);
        let heading = random.between(0.0, TAU);
        let main = Curve::from_curvature(Point2::origin(), heading, &profile);
        let mut layout = Self {
            character,
            roads: vec![Road {
                curve: main,
                section: main_section,
                blocks: Vec::new(),
            }],
            junctions: Vec::new(),
        };
        layout.add_crossings(&mut random);
        layout.cut_into_blocks();
        layout
    }

    fn add_crossings(&mut self, random: &mut Random) {
        let (low, high) = self.character.junction_spacing_m();
        let mut s = random.between(35.0, 90.0);
        while s < MAIN_LENGTH_M - 45.0 {
            if let Some(found) = gentle_place(&self.roads[0].curve, s) {
                self.add_crossing(found, random);
                s = found;
            }
            s += random.between(low, high);
        }
    }

    fn add_crossing(&mut self, main_s: f64, random: &mut Random) {
        let section = Section::draw_crossing(self.character, &self.roads[0].section, random);
        let centre = self.roads[0].curve.at(main_s);
        let angle = FRAC_PI_2 + random.between(-15.0_f64, 15.0).to_radians();
        let is_tee = random.chance(0.3);
        let missing = random.sign();
        let arms: Vec<Vec<Point2<f64>>> = [1.0, -1.0]
            .into_iter()
            .map(|side| {
                let heading = centre.heading
                    + if side > 0.0 {
                        angle
                    } else {
                        angle - std::f64::consts::PI
                    };
                let bend = random.normal() * 0.004;
                let length = random.between(120.0, 165.0);
                if is_tee && side == missing {
                    Vec::new()
                } else {
                    self.free_arm(main_s, heading, bend, length)
                }
            })
            .collect();
        let (left, right) = (&arms[0], &arms[1]);
        if left.is_empty() && right.is_empty() {
            return;
        }
        // The crossing road runs from its right end through the junction to its left end.
        let origin = Point2::new(centre.x, centre.y);
        let mut polyline: Vec<Point2<f64>> = right.iter().rev().copied().collect();
        polyline.push(origin);
        polyline.extend(left);
        let curve = Curve::through(&polyline);
        let crossing_s = if right.is_empty() {
            0.0
        } else if left.is_empty() {
            curve.length()
        } else {
            curve.nearest(&origin)
        };
        let road = self.roads.len();
        self.roads.push(Road {
            curve,
            section,
            blocks: Vec::new(),
        });
        let ends = [(0, 1.0), (0, -1.0), (road, 1.0), (road, -1.0)];
        let present = [true, true, !left.is_empty(), !right.is_empty()];
        let arms = ends
            .iter()
            .zip(present)
            .filter(|(_, is_there)| *is_there)
            .map(|(end, _)| *end)
            .collect();
        let radius = random.between(
            self.character.corner_radius_m().0,
            self.character.corner_radius_m().1,
        );
        let junction = Junction::new(&self.roads, arms, [main_s, crossing_s], radius);
        self.junctions.push(junction);
    }

    /// Points of an arm from the junction outwards, ended before it meets another road; empty when it would be too short.
    fn free_arm(&self, main_s: f64, heading: f64, bend: f64, length: f64) -> Vec<Point2<f64>> {
        let start = self.roads[0].curve.at(main_s);
        let curvatures: Vec<f64> = (0..length as usize)
            .map(|i| bend * ((i as f64 - 45.0) / 30.0).clamp(0.0, 1.0))
            .collect();
        let arm = Curve::from_curvature(Point2::new(start.x, start.y), heading, &curvatures);
        let margin = 0.5 * self.roads[0].section.paved_width_m() + 22.0;
        let mut points = Vec::new();
        for (i, point) in arm.points().iter().enumerate().skip(1) {
            let place = Point2::new(point.x, point.y);
            let is_blocked = self.roads.iter().enumerate().any(|(road, other)| {
                other
                    .curve
                    .points()
                    .iter()
                    .step_by(6)
                    .enumerate()
                    .any(|(k, at)| {
                        let is_own = road == 0 && ((k * 6) as f64 - main_s).abs() < 60.0 && i < 90;
                        !is_own && (at.x - place.x).hypot(at.y - place.y) < margin
                    })
            });
            if is_blocked {
                break;
            }
            points.push(place);
        }
        if points.len() < 45 {
            Vec::new()
        } else {
            points
        }
    }

    fn cut_into_blocks(&mut self) {
        for road in 0..self.roads.len() {
            // (arc length, arm, direction out of the junction)
            let mut cuts: Vec<(f64, (usize, usize), f64)> = Vec::new();
            for (j, junction) in self.junctions.iter().enumerate() {
                for (a, arm) in junction
                    .arms
                    .iter()
                    .enumerate()
                    .filter(|(_, arm)| arm.road == road)
                {
                    cuts.push((arm.mouth_s, (j, a), arm.sign));
                }
            }
            cuts.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut blocks = Vec::new();
            let mut start = Some((0.0, None));
            for (s, arm, sign) in cuts {
                if sign < 0.0 {
                    let (from, from_arm) = start.take().unwrap_or((s, None));
                    if s - from > 2.0 {
                        blocks.push(Block {
                            s: [from, s],
                            arms: [from_arm, Some(arm)],
                        });
                    }
                } else {
                    start = Some((s, Some(arm)));
                }
            }
            if let Some((from, from_arm)) = start {
                let length = self.roads[road].curve.length();
                if length - from > 2.0 {
                    blocks.push(Block {
                        s: [from, length],
                        arms: [from_arm, None],
                    });
                }
            }
            self.roads[road].blocks = blocks;
        }
    }
}

/// Curvature of the main road every metre: straights and arcs with linear transitions, never far from its first heading.
fn curvature_profile(character: Character, random: &mut Random) -> Vec<f64> {
    let count = MAIN_LENGTH_M as usize + 1;
    let (radius_low, radius_high) = character.curve_radius_m();
    let mut profile: Vec<f64> = Vec::with_capacity(count + 200);
    let mut net_turn: f64 = 0.0;
    let mut curvature: f64 = 0.0;
    while profile.len() < count {
        let is_straight = random.chance(0.45);
        let length = random.between(40.0, 130.0);
        let radius = (random.between(f64::ln(radius_low), f64::ln(radius_high))).exp();
        let away = if net_turn.abs() > 0.35 {
            -net_turn.signum()
        } else {
            random.sign()
        };
        let mut target = if is_straight { 0.0 } else { away / radius };
        let room = 1.0 - (net_turn * away).max(-0.6);
        if (target * length).abs() > room {
            target = away * room / length;
        }
        let transition = 25.0 + 400.0 * (target - curvature).abs();
        for i in 0..(transition as usize) {
            let k = curvature + (target - curvature) * (i as f64 / transition);
            net_turn += k;
            profile.push(k);
        }
        curvature = target;
        for _ in 0..(length as usize) {
            net_turn += curvature;
            profile.push(curvature);
        }
    }
    profile.truncate(count);
    profile
}

/// The next arc length within 45 m where the road is straight enough for a junction.
fn gentle_place(curve: &Curve, from: f64) -> Option<f64> {
    (0..46)
        .map(|i| from + f64::from(i))
        .filter(|s| *s < MAIN_LENGTH_M - 40.0)
        .find(|s| {
            let sharpest = [-15.0, 0.0, 15.0]
                .iter()
                .map(|ds| curve.at(s + ds).curvature.abs())
                .fold(0.0, f64::max);
            sharpest < 1.0 / 110.0
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_lie_between_junctions_and_do_not_overlap() {
        for seed in 0..60 {
            let layout = Layout::generate(seed);
            for road in &layout.roads {
                for pair in road.blocks.windows(2) {
                    assert!(pair[0].s[1] < pair[1].s[0], "seed {seed}");
                }
                for block in &road.blocks {
                    assert!(block.s[0] >= 0.0 && block.s[1] <= road.curve.length() + 1e-6);
                }
            }
        }
    }

    #[test]
    fn half_of_the_main_road_is_near_a_junction() {
        let (mut near, mut all) = (0, 0);
        for seed in 0..100 {
            let layout = Layout::generate(seed);
            for s in (130..400).step_by(5) {
                let is_near = layout
                    .junctions
                    .iter()
                    .any(|junction| (junction.s[0] - f64::from(s)).abs() < 40.0);
                near += usize::from(is_near);
                all += 1;
            }
        }
        let share = near as f64 / all as f64;
        assert!((0.45..0.95).contains(&share), "share {share}");
    }

    #[test]
    fn curves_stay_within_their_radii_and_change_smoothly() {
        for seed in 0..60 {
            let points = Layout::generate(seed).roads[0].curve.points().to_vec();
            for pair in points.windows(2) {
                assert!(pair[0].curvature.abs() <= 1.0 / 38.0, "seed {seed}");
                assert!(
                    (pair[1].curvature - pair[0].curvature).abs() < 0.003,
                    "seed {seed}"
                );
            }
        }
    }
}
