//! What is painted on the roads and where roads end: lines, edges, arrows, crosswalks, stop lines.

use super::layout::{Block, CentreLine, Layout, Road};
use super::random::Random;
use crate::ground_truth::{ArrowKind, MarkingColour, MarkingType};
use nalgebra::Point2;

mod arrows;
mod junction_ends;

pub(crate) use junction_ends::End;

/// A painted line or a road edge.
#[derive(Clone, Debug)]
pub(crate) struct LineMark {
    pub(crate) marking: MarkingType,
    pub(crate) colour: MarkingColour,
    /// Width of each painted stripe; 0 for edges that are not painted.
    pub(crate) width_m: f64,
    /// Dash and gap of a broken line.
    pub(crate) dash_m: [f64; 2],
    pub(crate) wear: f64,
    /// Along the middle of the line, about every metre.
    pub(crate) points: Vec<Point2<f64>>,
}

/// An arrow on the road.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArrowMark {
    pub(crate) kind: ArrowKind,
    pub(crate) centre: Point2<f64>,
    pub(crate) yaw: f64,
    pub(crate) length_m: f64,
    pub(crate) wear: f64,
}

/// A crosswalk across one arm of a junction, or between junctions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CrosswalkMark {
    pub(crate) road: usize,
    /// Arc length of its centre on the road.
    pub(crate) s: f64,
    pub(crate) centre: Point2<f64>,
    /// Walking direction.
    pub(crate) theta: f64,
    /// Extent along the walking direction, kerb to kerb.
    pub(crate) length_m: f64,
    /// Extent along the road.
    pub(crate) width_m: f64,
    pub(crate) bar_m: [f64; 2],
    pub(crate) is_yellow: bool,
    pub(crate) wear: f64,
}

/// A stop line across the incoming lanes of an arm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StopLineMark {
    pub(crate) centre: Point2<f64>,
    pub(crate) theta: f64,
    pub(crate) length_m: f64,
    pub(crate) thickness_m: f64,
    pub(crate) wear: f64,
}

/// All marks of a world.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    pub(crate) lines: Vec<LineMark>,
    pub(crate) arrows: Vec<ArrowMark>,
    pub(crate) crosswalks: Vec<CrosswalkMark>,
    pub(crate) stop_lines: Vec<StopLineMark>,
    /// What stands at each arm of each junction.
    pub(crate) ends: Vec<Vec<End>>,
}

impl Marks {
    /// Paints the roads of a layout.
    pub(crate) fn generate(layout: &Layout, seed: u64) -> Self {
        let mut random = Random::new(seed, 3);
        let mut marks = Self::default();
        for junction in 0..layout.junctions.len() {
            let ends = marks.paint_junction_ends(layout, junction, &mut random);
            marks.ends.push(ends);
        }
        for index in 0..layout.roads.len() {
            for block in &layout.roads[index].blocks {
                marks.paint_block(layout, index, block, &mut random);
            }
        }
        for junction in &layout.junctions {
            for corner in &junction.corners {
                marks.lines.push(edge(corner.clone()));
            }
        }
        marks
    }

    fn paint_block(&mut self, layout: &Layout, index: usize, block: &Block, random: &mut Random) {
        let road = &layout.roads[index];
        let section = &road.section;
        for d in section.edges_m() {
            self.lines
                .push(edge(along(road, block.s[0], block.s[1], d)));
        }
        if !section.has_lines {
            return;
        }
        let crosswalk = self.crosswalk_between_junctions(layout, index, block, random);
        let setback =
            |end: usize| block.arms[end].map_or(0.0, |arm| self.ends[arm.0][arm.1].setback_m);
        let (from, to) = (block.s[0] + setback(0), block.s[1] - setback(1));
        let stretches = match crosswalk {
            Some([first, last]) => vec![
                ([from, first], [block.arms[0].is_some(), true]),
                ([last, to], [true, block.arms[1].is_some()]),
            ],
            None => vec![([from, to], block.arms.map(|arm| arm.is_some()))],
        };
        for ([from, to], is_approach) in stretches {
            if to - from > 4.0 {
                self.paint_stretch(road, [from, to], is_approach, random);
            }
        }
    }

    /// Lines of a stretch of road; `is_approach` tells at which ends (low, high arc length) traffic has to stop.
    fn paint_stretch(
        &mut self,
        road: &Road,
        [from, to]: [f64; 2],
        is_approach: [bool; 2],
        random: &mut Random,
    ) {
        let section = &road.section;
        let wear = (section.wear + 0.15 * random.normal()).clamp(0.0, 0.8);
        let colour = if section.has_yellow_centre {
            MarkingColour::Yellow
        } else {
            MarkingColour::White
        };
        let line = |marking, colour, d: f64, s: [f64; 2]| LineMark {
            marking,
            colour,
            width_m: section.line_m,
            dash_m: section.dash_m,
            wear,
            points: along(road, s[0], s[1], d),
        };
        let length = to - from;
        if section.median_m > 0.0 {
            // A painted median: each direction has its own solid line.
            for d in [-0.5 * section.median_m, 0.5 * section.median_m] {
                self.lines
                    .push(line(MarkingType::Solid, colour, d, [from, to]));
            }
        } else {
            match section.centre {
                CentreLine::Double => {
                    self.lines
                        .push(line(MarkingType::Double, colour, 0.0, [from, to]))
                }
                CentreLine::Solid => {
                    self.lines
                        .push(line(MarkingType::Solid, colour, 0.0, [from, to]))
                }
                CentreLine::Dashed => {
                    // No overtaking just before a junction, sometimes.
                    let solid = |is_near: bool, random: &mut Random| {
                        if is_near && length > 60.0 && random.chance(0.4) {
                            random.between(12.0, 22.0)
                        } else {
                            0.0
                        }
                    };
                    let (first, last) =
                        (solid(is_approach[0], random), solid(is_approach[1], random));
                    self.lines.push(line(
                        MarkingType::Dashed,
                        colour,
                        0.0,
                        [from + first, to - last],
                    ));
                    if first > 0.0 {
                        self.lines.push(line(
                            MarkingType::Solid,
                            colour,
                            0.0,
                            [from, from + first],
                        ));
                    }
                    if last > 0.0 {
                        self.lines
                            .push(line(MarkingType::Solid, colour, 0.0, [to - last, to]));
                    }
                }
            }
        }
        for direction in 0..2 {
            let sign = if direction == 0 { -1.0 } else { 1.0 };
            // Traffic of direction 0 comes to the high end, of direction 1 to the low end.
            let has_solid = is_approach[1 - direction] && length > 45.0 && random.chance(0.7);
            let solid = if has_solid {
                random.between(15.0, 28.0)
            } else {
                0.0
            };
            for lane in 1..section.lanes[direction] {
                let d = sign * (0.5 * section.median_m + lane as f64 * section.lane_width_m);
                let (dashed, unbroken) = if direction == 0 {
                    ([from, to - solid], [to - solid, to])
                } else {
                    ([from + solid, to], [from, from + solid])
                };
                self.lines
                    .push(line(MarkingType::Dashed, MarkingColour::White, d, dashed));
                if solid > 0.0 {
                    self.lines
                        .push(line(MarkingType::Solid, MarkingColour::White, d, unbroken));
                }
            }
            if section.has_edge_lines {
                let d = section.lanes_end_m(direction);
                let d = if section.has_parking[direction] {
                    d
                } else {
                    d + sign * 0.05
                };
                self.lines.push(line(
                    MarkingType::Solid,
                    MarkingColour::White,
                    d,
                    [from, to],
                ));
            }
        }
    }
}

/// A road edge.
fn edge(points: Vec<Point2<f64>>) -> LineMark {
    LineMark {
        marking: MarkingType::RoadEdge,
        colour: MarkingColour::White,
        width_m: 0.0,
        dash_m: [0.0; 2],
        wear: 0.0,
        points,
    }
}

/// Points about every metre along a road at a lateral position.
pub(crate) fn along(road: &Road, from: f64, to: f64, d: f64) -> Vec<Point2<f64>> {
    let count = (to - from).round().max(1.0);
    (0..=count as usize)
        .map(|i| road.curve.aside(from + (to - from) * i as f64 / count, d))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn painted_lines_stay_out_of_junctions() {
        for seed in 0..40 {
            let layout = Layout::generate(seed);
            let marks = Marks::generate(&layout, seed);
            for line in marks
                .lines
                .iter()
                .filter(|line| line.marking != MarkingType::RoadEdge)
            {
                for junction in &layout.junctions {
                    let border: Vec<_> = junction.corners.iter().flatten().copied().collect();
                    let is_inside = line.points.iter().any(|p| {
                        let towards = junction.centre + (p - junction.centre) * 1.1;
                        contains(&border, &towards)
                    });
                    assert!(!is_inside, "seed {seed}");
                }
            }
        }
    }

    fn contains(polygon: &[Point2<f64>], p: &Point2<f64>) -> bool {
        let mut is_inside = false;
        for i in 0..polygon.len() {
            let (a, b) = (polygon[i], polygon[(i + 1) % polygon.len()]);
            if (a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x {
                is_inside = !is_inside;
            }
        }
        is_inside
    }

    #[test]
    fn every_kind_of_mark_and_arrow_is_there() {
        let (mut kinds, mut types) = ([0; 8], [0; 4]);
        let (mut crosswalks, mut stop_lines) = (0, 0);
        for seed in 0..200 {
            let marks = Marks::generate(&Layout::generate(seed), seed);
            marks
                .arrows
                .iter()
                .for_each(|arrow| kinds[arrow.kind.index()] += 1);
            marks
                .lines
                .iter()
                .for_each(|line| types[line.marking as usize] += 1);
            crosswalks += marks.crosswalks.len();
            stop_lines += marks.stop_lines.len();
        }
        assert!(kinds.iter().all(|count| *count > 60), "{kinds:?}");
        assert!(types.iter().all(|count| *count > 400), "{types:?}");
        assert!(
            crosswalks > 800 && stop_lines > 800,
            "{crosswalks} {stop_lines}"
        );
    }

    #[test]
    fn stop_line_comes_before_its_crosswalk() {
        let mut checked = 0;
        for seed in 0..60 {
            let layout = Layout::generate(seed);
            let marks = Marks::generate(&layout, seed);
            for (junction, ends) in layout.junctions.iter().zip(&marks.ends) {
                for (arm, end) in junction.arms.iter().zip(ends) {
                    let Some(crosswalk) = end.crosswalk.map(|index| &marks.crosswalks[index])
                    else {
                        continue;
                    };
                    let reach = (crosswalk.s - arm.mouth_s) * arm.sign + 0.5 * crosswalk.width_m;
                    assert!(
                        end.stop_m >= reach + 0.7,
                        "seed {seed}: {} {reach}",
                        end.stop_m
                    );
                    checked += 1;
                }
            }
        }
        assert!(checked > 300);
    }
}
