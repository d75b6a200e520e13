//! What is painted where a road meets a junction: crosswalk, stop line, arrows.

use super::super::layout::{Block, Layout, Road};
use super::super::random::Random;
use super::{CrosswalkMark, Marks, StopLineMark};
use nalgebra::Point2;
use std::f64::consts::FRAC_PI_2;

/// What stands at an arm of a junction, as distances out from its mouth.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct End {
    /// Where vehicles that come in wait.
    pub(crate) stop_m: f64,
    /// Where the lines of the arm begin.
    pub(crate) setback_m: f64,
    /// Index of the crosswalk.
    pub(crate) crosswalk: Option<usize>,
}

impl Marks {
    pub(super) fn paint_junction_ends(
        &mut self,
        layout: &Layout,
        junction: usize,
        random: &mut Random,
    ) -> Vec<End> {
        let likes_crosswalks = random.chance(0.75);
        let likes_stop_lines = random.chance(0.85);
        let bars = bar_style(random);
        let arms = &layout.junctions[junction].arms;
        let mut ends = Vec::with_capacity(arms.len());
        for (index, arm) in arms.iter().enumerate() {
            let road = &layout.roads[arm.road];
            let wear = (road.section.wear + 0.1 * random.normal()).clamp(0.0, 0.75);
            let mut end = End {
                stop_m: 0.6,
                setback_m: 0.0,
                crosswalk: None,
            };
            let mut reach = random.between(0.2, 0.8);
            if likes_crosswalks && random.chance(0.8) {
                let width_m = random.between(2.8, 4.8);
                let gap = random.between(0.3, 1.4);
                end.crosswalk = Some(self.crosswalks.len());
                let s = arm.s_at(gap + 0.5 * width_m);
                self.crosswalks
                    .push(crosswalk(road, arm.road, s, width_m, bars, wear));
                reach = gap + width_m + random.between(0.8, 1.8);
                end.setback_m = gap + width_m;
            }
            end.stop_m = reach;
            if likes_stop_lines && random.chance(0.85) {
                let thickness_m = random.between(0.3, 0.45);
                let s = arm.s_at(reach + 0.5 * thickness_m);
                self.stop_lines
                    .push(stop_line(road, arm.incoming(), s, thickness_m, wear));
                end.setback_m = reach + thickness_m;
                end.stop_m = reach + thickness_m;
            }
            self.paint_arrows(layout, junction, index, end.stop_m, wear, random);
            ends.push(end);
        }
        ends
    }

    /// A crosswalk within a block, now and then: returns where the lines of the road stop before and go on after it.
    pub(super) fn crosswalk_between_junctions(
        &mut self,
        layout: &Layout,
        index: usize,
        block: &Block,
        random: &mut Random,
    ) -> Option<[f64; 2]> {
        let road = &layout.roads[index];
        let is_long = block.s[1] - block.s[0] > 75.0;
        if !is_long || road.section.sidewalk_m == 0.0 || !random.chance(0.25) {
            return None;
        }
        let s = 0.5 * (block.s[0] + block.s[1]) + random.between(-8.0, 8.0);
        let width_m = random.between(3.0, 4.5);
        let wear = (road.section.wear + 0.1 * random.normal()).clamp(0.0, 0.75);
        self.crosswalks
            .push(crosswalk(road, index, s, width_m, bar_style(random), wear));
        let gap = random.between(0.8, 1.6);
        let mut reach = 0.5 * width_m;
        if random.chance(0.5) {
            let thickness_m = random.between(0.3, 0.4);
            for direction in 0..2 {
                let sign = if direction == 0 { -1.0 } else { 1.0 };
                let at = s + sign * (0.5 * width_m + gap + 0.5 * thickness_m);
                self.stop_lines
                    .push(stop_line(road, direction, at, thickness_m, wear));
            }
            reach += gap + thickness_m;
        }
        Some([s - reach, s + reach])
    }
}

/// Width and spacing of crosswalk bars, and whether they are yellow.
fn bar_style(random: &mut Random) -> ([f64; 2], bool) {
    let bar = random.between(0.4, 0.6);
    ([bar, bar + random.between(0.4, 0.7)], random.chance(0.08))
}

fn crosswalk(
    road: &Road,
    index: usize,
    s: f64,
    width_m: f64,
    bars: ([f64; 2], bool),
    wear: f64,
) -> CrosswalkMark {
    let at = road.curve.at(s);
    let [right, left] = road.section.edges_m();
    CrosswalkMark {
        road: index,
        s,
        centre: at.aside(0.5 * (left + right)),
        theta: at.heading + FRAC_PI_2,
        length_m: left - right - 0.3,
        width_m,
        bar_m: bars.0,
        is_yellow: bars.1,
        wear,
    }
}

fn stop_line(road: &Road, direction: usize, s: f64, thickness_m: f64, wear: f64) -> StopLineMark {
    let at = road.curve.at(s);
    let sign = if direction == 0 { -1.0 } else { 1.0 };
    let inner = sign * (0.5 * road.section.median_m + 0.1);
    let outer = road.section.lanes_end_m(direction) - sign * 0.05;
    let centre: Point2<f64> = at.aside(0.5 * (inner + outer));
    StopLineMark {
        centre,
        theta: at.heading + FRAC_PI_2,
        length_m: (outer - inner).abs(),
        thickness_m,
        wear,
    }
}
