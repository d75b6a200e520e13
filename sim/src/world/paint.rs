//! Meshes of road paint and of what looks like it: repairs, covers, traces, parking bays, hatching.

use super::chunks::{Chunks, PAINT_LAYER, STAIN_LAYER, ground_vertex};
use super::layout::{Layout, Road};
use super::marks::{ArrowMark, CrosswalkMark, LineMark, Marks, StopLineMark, along};
use super::random::Random;
use super::terrain::Terrain;
use crate::ground_truth::{MarkingColour, MarkingType};
use crate::scene::Material;
use nalgebra::{Point2, Vector2};

mod arrow_shapes;

/// Longest piece of paint without a bend, metres.
const PIECE_M: f64 = 2.0;

/// Adds the meshes of all marks and of the clutter around them.
pub(crate) fn paint(
    layout: &Layout,
    marks: &Marks,
    terrain: &Terrain,
    seed: u64,
    chunks: &mut Chunks,
) {
    let mut random = Random::new(seed, 4);
    let mut painter = Painter { terrain, chunks };
    for line in &marks.lines {
        painter.line(line, &mut random);
    }
    for crosswalk in &marks.crosswalks {
        painter.crosswalk(crosswalk);
    }
    for stop_line in &marks.stop_lines {
        painter.stop_line(stop_line);
    }
    for arrow in &marks.arrows {
        painter.arrow(arrow);
    }
    for road in &layout.roads {
        painter.clutter(road, &mut random);
    }
}

struct Painter<'a> {
    terrain: &'a Terrain,
    chunks: &'a mut Chunks,
}

fn paint_of(colour: MarkingColour, wear: f64) -> Material {
    Material::Paint {
        yellow: colour == MarkingColour::Yellow,
        wear: (wear * 10.0).round() as f32 / 10.0,
    }
}

impl Painter<'_> {
    fn line(&mut self, line: &LineMark, random: &mut Random) {
        let material = paint_of(line.colour, line.wear);
        match line.marking {
            MarkingType::RoadEdge => {}
            MarkingType::Solid => self.ribbon(
                &line.points,
                [0.0, f64::MAX],
                0.0,
                line.width_m,
                PAINT_LAYER,
                material,
            ),
            MarkingType::Double => {
                for d in [-line.width_m, line.width_m] {
                    self.ribbon(
                        &line.points,
                        [0.0, f64::MAX],
                        d,
                        line.width_m,
                        PAINT_LAYER,
                        material,
                    );
                }
            }
            MarkingType::Dashed => {
                let length = (line.points.len() - 1) as f64;
                let [dash, gap] = line.dash_m;
                let mut from = -random.between(0.0, dash + gap);
                while from < length {
                    let (first, last) = (from.max(0.0), (from + dash).min(length));
                    if last - first > 0.3 {
                        self.ribbon(
                            &line.points,
                            [first, last],
                            0.0,
                            line.width_m,
                            PAINT_LAYER,
                            material,
                        );
                    }
                    from += dash + gap;
                }
            }
        }
    }

    /// A stripe along a polyline between two arc lengths (taking one metre per point), `d` to its left.
    fn ribbon(
        &mut self,
        points: &[Point2<f64>],
        [from, to]: [f64; 2],
        d: f64,
        width: f64,
        layer: u8,
        material: Material,
    ) {
        let last = points.len() - 1;
        let (from, to) = (from.max(0.0), to.min(last as f64));
        let count = ((to - from) / PIECE_M).ceil().max(1.0) as usize;
        let place = |s: f64, aside: f64| {
            let i = (s as usize).min(last - 1);
            let before = points[i.saturating_sub(1)];
            let along = (points[(i + 2).min(last)] - before).normalize();
            points[i]
                + (points[i + 1] - points[i]) * (s - i as f64)
                + Vector2::new(-along.y, along.x) * aside
        };
        let station = |i: usize| from + (to - from) * i as f64 / count as f64;
        for first in (0..count).step_by(6) {
            let end = (first + 6).min(count);
            let vertices: Vec<_> = (first..=end)
                .flat_map(|i| {
                    [d - 0.5 * width, d + 0.5 * width].map(|aside| place(station(i), aside))
                })
                .map(|place| ground_vertex(self.terrain, &place, 0.0))
                .collect();
            self.chunks.add_grid(layer, material, 2, &vertices);
        }
    }

    /// A rectangle of paint: centre, direction and extent along and across it.
    fn bar(
        &mut self,
        centre: Point2<f64>,
        theta: f64,
        length: f64,
        width: f64,
        layer: u8,
        material: Material,
    ) {
        let (sin, cos) = theta.sin_cos();
        let (ahead, left) = (
            Vector2::new(cos, sin) * 0.5 * length,
            Vector2::new(-sin, cos) * 0.5 * width,
        );
        let count = (length / PIECE_M).ceil().max(1.0) as usize;
        let vertices: Vec<_> = (0..=count)
            .flat_map(|i| {
                let along = centre + ahead * (2.0 * i as f64 / count as f64 - 1.0);
                [along - left, along + left]
            })
            .map(|place| ground_vertex(self.terrain, &place, 0.0))
            .collect();
        self.chunks.add_grid(layer, material, 2, &vertices);
    }

    fn crosswalk(&mut self, crosswalk: &CrosswalkMark) {
        let colour = if crosswalk.is_yellow {
            MarkingColour::Yellow
        } else {
            MarkingColour::White
        };
        let material = paint_of(colour, crosswalk.wear);
        let [bar, pitch] = crosswalk.bar_m;
        let (sin, cos) = crosswalk.theta.sin_cos();
        let count = ((crosswalk.length_m - bar) / pitch).floor().max(1.0) as usize;
        let pitch = (crosswalk.length_m - bar) / count as f64;
        for i in 0..=count {
            let aside = i as f64 * pitch - 0.5 * (crosswalk.length_m - bar);
            let centre = crosswalk.centre + Vector2::new(cos, sin) * aside;
            let across = crosswalk.theta - std::f64::consts::FRAC_PI_2;
            self.bar(
                centre,
                across,
                crosswalk.width_m,
                bar,
                PAINT_LAYER,
                material,
            );
        }
    }

    fn stop_line(&mut self, line: &StopLineMark) {
        let material = paint_of(MarkingColour::White, line.wear);
        self.bar(
            line.centre,
            line.theta,
            line.length_m,
            line.thickness_m,
            PAINT_LAYER,
            material,
        );
    }

    fn arrow(&mut self, arrow: &ArrowMark) {
        let material = paint_of(MarkingColour::White, arrow.wear);
        let (sin, cos) = arrow.yaw.sin_cos();
        for polygon in arrow_shapes::polygons(arrow.kind, arrow.length_m) {
            let vertices: Vec<_> = polygon
                .iter()
                .map(|[u, v]| {
                    let place = arrow.centre + Vector2::new(u * cos - v * sin, u * sin + v * cos);
                    ground_vertex(self.terrain, &place, 0.0)
                })
                .collect();
            self.chunks.add_polygon(PAINT_LAYER, material, &vertices);
        }
    }

    /// What a camera may mistake for marks.
    fn clutter(&mut self, road: &Road, random: &mut Random) {
        for block in &road.blocks {
            let length = block.s[1] - block.s[0];
            for _ in 0..(length / 14.0) as usize {
                self.stain(road, block.s, random);
            }
            self.parking_bays(road, block.s, random);
            self.hatching(road, block.s, random);
        }
    }

    fn stain(&mut self, road: &Road, [from, to]: [f64; 2], random: &mut Random) {
        let [right, left] = road.section.edges_m();
        let d = random.between(right + 0.8, left - 0.8);
        let s = random.between(from + 3.0, (to - 3.0).max(from + 3.1));
        let at = road.curve.at(s);
        let centre = at.aside(d);
        match random.below(10) {
            0..=3 => {
                let tint =
                    (road.section.tint + random.sign() * random.between(0.2, 0.5)).clamp(0.0, 1.0);
                let (length, width) = (random.between(0.8, 5.0), random.between(0.5, 2.2));
                let width = width.min(2.0 * (d - right).min(left - d));
                self.bar(
                    centre,
                    at.heading,
                    length,
                    width,
                    STAIN_LAYER,
                    Material::Asphalt { tint: tint as f32 },
                );
            }
            4..=6 => self.cover(centre, random.between(0.3, 0.42), random),
            7 | 8 => {
                // Skid marks of two wheels, or tar along a seam.
                let length = random.between(4.0, 16.0).min(to - s);
                let dark = Material::Plain {
                    rgb: [0.018, 0.018, 0.02],
                    gloss: 0.2,
                };
                let line = along(road, s, s + length.max(2.0), d);
                let offsets: &[f64] = if random.chance(0.5) {
                    &[0.0, 1.5]
                } else {
                    &[0.0]
                };
                for offset in offsets.iter().filter(|offset| d + **offset < left - 0.3) {
                    self.ribbon(
                        &line,
                        [0.0, f64::MAX],
                        *offset,
                        random.between(0.06, 0.2),
                        STAIN_LAYER,
                        dark,
                    );
                }
            }
            _ => {
                // Strokes that resemble letters.
                let material = paint_of(MarkingColour::White, road.section.wear);
                if d.abs() > 1.0 && road.section.has_lines {
                    for k in 0..random.below(5) {
                        let stroke = centre
                            + Vector2::new(at.heading.cos(), at.heading.sin()) * (0.55 * k as f64);
                        let theta =
                            at.heading + random.pick(&[0.0, 1.2, std::f64::consts::FRAC_PI_2]);
                        self.bar(
                            stroke,
                            theta,
                            random.between(0.5, 1.4),
                            0.12,
                            PAINT_LAYER,
                            material,
                        );
                    }
                }
            }
        }
    }

    fn cover(&mut self, centre: Point2<f64>, radius: f64, random: &mut Random) {
        let grey = random.between(0.03, 0.12) as f32;
        let vertices: Vec<_> = (0..10)
            .map(|i| {
                let angle = f64::from(i) * std::f64::consts::TAU / 10.0;
                ground_vertex(
                    self.terrain,
                    &(centre + Vector2::new(angle.cos(), angle.sin()) * radius),
                    0.0,
                )
            })
            .collect();
        self.chunks.add_polygon(
            STAIN_LAYER,
            Material::Plain {
                rgb: [grey; 3],
                gloss: 0.4,
            },
            &vertices,
        );
    }

    fn parking_bays(&mut self, road: &Road, [from, to]: [f64; 2], random: &mut Random) {
        for direction in 0..2 {
            if !road.section.has_parking[direction] || !random.chance(0.4) {
                continue;
            }
            let inner = road.section.lanes_end_m(direction);
            let outer = road.section.edges_m()[direction];
            let material = paint_of(MarkingColour::White, road.section.wear);
            let mut s = from + 4.0;
            while s < to - 4.0 {
                let at = road.curve.at(s);
                let theta = at.heading + std::f64::consts::FRAC_PI_2;
                self.bar(
                    at.aside(0.5 * (inner + outer)),
                    theta,
                    (outer - inner).abs() - 0.2,
                    0.1,
                    PAINT_LAYER,
                    material,
                );
                s += 6.0;
            }
        }
    }

    /// Diagonal bars in a wide painted median.
    fn hatching(&mut self, road: &Road, [from, to]: [f64; 2], random: &mut Random) {
        let median = road.section.median_m;
        if median < 0.9 || !random.chance(0.6) || to - from < 30.0 {
            return;
        }
        let colour = if road.section.has_yellow_centre {
            MarkingColour::Yellow
        } else {
            MarkingColour::White
        };
        let material = paint_of(colour, road.section.wear);
        let mut s = from + 12.0;
        while s < to - 12.0 {
            let at = road.curve.at(s);
            let length = (median - 0.3) * std::f64::consts::SQRT_2;
            self.bar(
                at.aside(0.0),
                at.heading + std::f64::consts::FRAC_PI_4,
                length,
                0.18,
                PAINT_LAYER,
                material,
            );
            s += 3.0;
        }
    }
}
