//! Arrows in the lanes before a junction.

use super::super::layout::Layout;
use super::super::random::Random;
use super::{ArrowMark, Marks};
use crate::ground_truth::ArrowKind;
use std::f64::consts::{PI, TAU};

const STRAIGHT: u8 = 1;
const LEFT: u8 = 2;
const RIGHT: u8 = 4;

impl Marks {
    /// Paints the arrows of the lanes that come in through an arm, behind its stop position.
    pub(super) fn paint_arrows(
        &mut self,
        layout: &Layout,
        junction: usize,
        index: usize,
        stop_m: f64,
        wear: f64,
        random: &mut Random,
    ) {
        let arm = &layout.junctions[junction].arms[index];
        let road = &layout.roads[arm.road];
        let direction = arm.incoming();
        let lanes = road.section.lanes[direction];
        let likely = if lanes > 1 { 0.9 } else { 0.55 };
        if !road.section.has_lines || !random.chance(likely) {
            return;
        }
        let room = layout.roads[arm.road]
            .blocks
            .iter()
            .find(|block| block.arms.contains(&Some((junction, index))))
            .map_or(0.0, |block| block.s[1] - block.s[0]);
        let length_m = random.between(4.0, 6.0);
        let first = stop_m + random.between(1.5, 8.0) + 0.5 * length_m;
        let second = first + random.between(15.0, 26.0);
        let has_second = random.chance(0.5);
        let open = open_directions(layout, junction, index);
        for lane in 0..lanes {
            let kind = lane_kind(open, lane, lanes, random);
            let d = road.section.lane_centre_m(direction, lane);
            for (out, is_painted) in [(first, true), (second, has_second)] {
                if !is_painted || out + length_m > 0.5 * room {
                    continue;
                }
                let at = road.curve.at(arm.s_at(out));
                let yaw = if direction == 0 {
                    at.heading
                } else {
                    at.heading + PI
                };
                let centre = at.aside(d + 0.05 * random.normal());
                self.arrows.push(ArrowMark {
                    kind,
                    centre,
                    yaw,
                    length_m,
                    wear,
                });
            }
        }
    }
}

/// Directions in which one may leave a junction that was entered through an arm.
fn open_directions(layout: &Layout, junction: usize, index: usize) -> u8 {
    let arms = &layout.junctions[junction].arms;
    let inward = arms[index].heading + PI;
    let mut open = 0;
    for (other, arm) in arms.iter().enumerate() {
        if other == index {
            continue;
        }
        let turn = (arm.heading - inward).rem_euclid(TAU);
        open |= match turn {
            t if !(0.7..=TAU - 0.7).contains(&t) => STRAIGHT,
            t if t < PI => LEFT,
            _ => RIGHT,
        };
    }
    open
}

/// A plausible arrow for a lane (0 is the leftmost).
fn lane_kind(open: u8, lane: usize, lanes: usize, random: &mut Random) -> ArrowKind {
    let is_leftmost = lane == 0;
    let is_rightmost = lane + 1 == lanes;
    if is_leftmost && lanes > 1 && random.chance(0.18) {
        return ArrowKind::U_TURN;
    }
    let mut wishes: Vec<ArrowKind> = Vec::new();
    if lanes == 1 {
        wishes.extend([
            ArrowKind::STRAIGHT,
            ArrowKind::STRAIGHT_LEFT,
            ArrowKind::STRAIGHT_RIGHT,
            ArrowKind::STRAIGHT_LEFT_RIGHT,
            ArrowKind::STRAIGHT_LEFT_RIGHT,
            ArrowKind::LEFT_RIGHT,
            ArrowKind::LEFT,
            ArrowKind::RIGHT,
        ]);
    } else if is_leftmost {
        wishes.extend([
            ArrowKind::LEFT,
            ArrowKind::LEFT,
            ArrowKind::STRAIGHT_LEFT,
            ArrowKind::STRAIGHT,
        ]);
        if open & STRAIGHT == 0 {
            wishes.push(ArrowKind::LEFT_RIGHT);
        }
    } else if is_rightmost {
        wishes.extend([
            ArrowKind::RIGHT,
            ArrowKind::STRAIGHT_RIGHT,
            ArrowKind::STRAIGHT_RIGHT,
            ArrowKind::STRAIGHT,
        ]);
    } else {
        wishes.extend([ArrowKind::STRAIGHT]);
    }
    wishes.retain(|kind| kind.bits() & !open == 0);
    match wishes.is_empty() {
        true if open & STRAIGHT != 0 => ArrowKind::STRAIGHT,
        true if open & RIGHT != 0 => ArrowKind::RIGHT,
        true => ArrowKind::LEFT,
        false => random.pick(&wishes),
    }
}
