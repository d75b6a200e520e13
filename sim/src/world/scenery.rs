//! What stands beside the roads: buildings, trees, poles, rails, parked vehicles, road works.

use super::layout::{Block, Character, Layout, Road};
use super::marks::Marks;
use super::pavement::KERB_M;
use super::random::Random;
use super::terrain::Terrain;
use super::{StandingObject, placed};
use crate::ground_truth::ObjectClass;
use crate::scene::Instance;
use crate::shapes::{self, Shape};
use nalgebra::{Point2, Point3, Vector2};
use std::f64::consts::{FRAC_PI_2, PI};

mod standing;

/// Everything that stands.
#[derive(Debug, Default)]
pub(super) struct Scenery {
    pub(super) instances: Vec<Instance>,
    pub(super) standing: Vec<StandingObject>,
    /// Light sources of street lamps.
    pub(super) lamps: Vec<Point3<f64>>,
}

/// Different parked vehicles in a world.
const PARKED_KINDS: usize = 40;

/// Shapes that are used many times over.
struct Stock {
    trees: Vec<Shape>,
    bushes: Vec<Shape>,
    signs: Vec<Shape>,
    lamp: Shape,
    rail: Shape,
    light: Shape,
    /// What is parked, with its class.
    parked: Vec<(ObjectClass, Shape)>,
}

impl Stock {
    fn draw(random: &mut Random) -> Self {
        let parked = (0..PARKED_KINDS)
            .map(|_| {
                let class = parked_class(random);
                (class, shapes::vehicle(class, random.bits()))
            })
            .collect();
        let mut several = |count: usize, make: fn(u64) -> Shape| {
            (0..count).map(|_| make(random.bits())).collect()
        };
        Self {
            trees: several(6, shapes::tree),
            bushes: several(4, shapes::bush),
            signs: several(5, shapes::sign),
            lamp: shapes::street_lamp(),
            rail: shapes::guard_rail(8.0),
            light: shapes::traffic_light(),
            parked,
        }
    }
}

/// A rectangle that is taken: centre, axis along its length, half length, half width.
struct Footprint {
    centre: Point2<f64>,
    axis: Vector2<f64>,
    half: [f64; 2],
}

impl Footprint {
    fn holds(&self, place: &Point2<f64>, margin: f64) -> bool {
        let offset = place - self.centre;
        let across = offset.y * self.axis.x - offset.x * self.axis.y;
        offset.dot(&self.axis).abs() < self.half[0] + margin && across.abs() < self.half[1] + margin
    }
}

/// Places the scenery of a world.
pub(super) fn generate(layout: &Layout, marks: &Marks, terrain: &Terrain, seed: u64) -> Scenery {
    let mut builder = Builder {
        layout,
        marks,
        terrain,
        random: Random::new(seed, 5),
        stock: Stock::draw(&mut Random::new(seed, 6)),
        buildings: Vec::new(),
        scenery: Scenery::default(),
    };
    for road in &layout.roads {
        for block in &road.blocks {
            for side in [1.0, -1.0] {
                builder.line_with_buildings(road, block, side);
            }
        }
    }
    for index in 0..layout.roads.len() {
        let road = &layout.roads[index];
        let junctions: Vec<f64> = layout
            .junctions
            .iter()
            .flat_map(|j| &j.arms)
            .filter(|a| a.road == index)
            .map(|a| a.mouth_s)
            .collect();
        for block in &road.blocks {
            for side in [1.0, -1.0] {
                builder.line_with_greenery(road, block, side);
                builder.line_with_poles(road, block, side);
                builder.park(road, index, block, side, &junctions);
            }
            builder.road_works(road, index, block);
        }
    }
    for junction in 0..layout.junctions.len() {
        builder.traffic_lights(junction);
    }
    builder.woods();
    builder.scenery
}

struct Builder<'a> {
    layout: &'a Layout,
    marks: &'a Marks,
    terrain: &'a Terrain,
    random: Random,
    stock: Stock,
    buildings: Vec<Footprint>,
    scenery: Scenery,
}

impl Builder<'_> {
    fn line_with_buildings(&mut self, road: &Road, block: &Block, side: f64) {
        let character = self.layout.character;
        let (density, setback, height, width) = match character {
            Character::Urban => (0.93, (0.3, 5.0), (7.0, 26.0), (10.0, 26.0)),
            Character::Suburban => (0.75, (4.0, 11.0), (4.0, 9.0), (8.0, 15.0)),
            Character::Rural => (0.12, (6.0, 20.0), (4.0, 8.0), (9.0, 16.0)),
        };
        let mut s = block.s[0];
        while s < block.s[1] {
            let length = self.random.between(width.0, width.1);
            let depth = self.random.between(8.0, 14.0);
            let gap = if character == Character::Urban {
                self.random.between(0.0, 6.0)
            } else {
                self.random.between(3.0, 12.0)
            };
            let at = road.curve.at(s + 0.5 * length);
            let axis = Vector2::new(at.heading.cos(), at.heading.sin());
            let tall = self.random.between(height.0, height.1);
            let mut beyond =
                road.section.sidewalk_m + self.random.between(setback.0, setback.1) + 0.5 * depth;
            let wish = self.random.unit();
            // In bends a house stands farther back; some stand in the second row.
            beyond += if wish > 0.9 { 16.0 } else { 0.0 };
            for _ in 0..if wish < density { 4 } else { 0 } {
                let centre = at.aside(edge(road, side) + side * beyond);
                if self.build(
                    Footprint {
                        centre,
                        axis,
                        half: [0.5 * length, 0.5 * depth],
                    },
                    at.heading,
                    tall,
                ) {
                    break;
                }
                beyond += 2.5;
            }
            s += length + gap;
        }
    }

    /// Builds a house unless it would stand on a road or in another house.
    fn build(&mut self, footprint: Footprint, heading: f64, height: f64) -> bool {
        let left = Vector2::new(-footprint.axis.y, footprint.axis.x);
        let need = if self.layout.character == Character::Rural {
            4.0
        } else {
            self.layout.roads[0].section.sidewalk_m + 0.2
        };
        let [length, width] = footprint.half;
        for u in [-1.0, -0.5, 0.0, 0.5, 1.0] {
            for v in [-1.0, 0.0, 1.0] {
                let place = footprint.centre + footprint.axis * (u * length) + left * (v * width);
                if self.terrain.clearance_m(&place) < need
                    || self.buildings.iter().any(|other| other.holds(&place, 0.5))
                {
                    return false;
                }
            }
        }
        let shape = shapes::building(
            2.0 * length as f32,
            2.0 * width as f32,
            height as f32,
            self.random.bits(),
        );
        self.stand(&shape, footprint.centre, heading, 1.0, -0.2);
        self.buildings.push(footprint);
        true
    }

    /// Puts a shape on the ground, upright.
    fn stand(&mut self, shape: &Shape, place: Point2<f64>, yaw: f64, scale: f64, lift_m: f64) {
        let z = self.terrain.z(&place) + lift_m;
        self.scenery
            .instances
            .push(placed(shape, place, z, yaw, scale as f32));
    }

    fn is_free(&self, place: &Point2<f64>, clearance_m: f64) -> bool {
        self.terrain.clearance_m(place) > clearance_m
            && !self
                .buildings
                .iter()
                .any(|building| building.holds(place, 1.0))
    }

    fn line_with_greenery(&mut self, road: &Road, block: &Block, side: f64) {
        let character = self.layout.character;
        let (pitch, likely) = match character {
            Character::Urban => (11.0, 0.45),
            Character::Suburban => (10.0, 0.6),
            Character::Rural => (13.0, 0.5),
        };
        let has_alley = self.random.chance(0.5);
        let mut s = block.s[0] + self.random.between(3.0, 9.0);
        while s < block.s[1] - 3.0 {
            let beyond = match (has_alley, character) {
                (true, Character::Urban) => 0.7,
                (true, _) => road.section.sidewalk_m + 1.2,
                (false, _) => road.section.sidewalk_m + self.random.between(1.5, 9.0),
            };
            let place = road.curve.aside(s, edge(road, side) + side * beyond);
            let is_on_sidewalk = beyond < road.section.sidewalk_m;
            if self.random.chance(likely) && self.is_free(&place, beyond.min(1.5) - 0.6) {
                let lift = if is_on_sidewalk { KERB_M } else { 0.0 };
                let is_bush = !is_on_sidewalk && self.random.chance(0.4);
                let index = self.random.below(if is_bush {
                    self.stock.bushes.len()
                } else {
                    self.stock.trees.len()
                });
                let shape = if is_bush {
                    self.stock.bushes[index].clone()
                } else {
                    self.stock.trees[index].clone()
                };
                let (yaw, scale) = (
                    self.random.between(0.0, 2.0 * PI),
                    self.random.between(0.7, 1.2),
                );
                self.stand(&shape, place, yaw, scale, lift);
            }
            s += pitch * self.random.between(0.7, 1.6);
        }
    }

    fn line_with_poles(&mut self, road: &Road, block: &Block, side: f64) {
        let is_rural = self.layout.character == Character::Rural;
        let lift = if road.section.sidewalk_m > 0.0 {
            KERB_M
        } else {
            0.0
        };
        let beyond = if is_rural { 1.2 } else { 0.5 };
        let aside = edge(road, side) + side * beyond;
        let towards_road = -side * FRAC_PI_2;
        let has_lamps = !is_rural || self.random.chance(0.2);
        let mut s = block.s[0] + if side > 0.0 { 6.0 } else { 20.0 };
        while has_lamps && s < block.s[1] - 4.0 {
            let at = road.curve.at(s);
            let place = at.aside(aside);
            if self.terrain.clearance_m(&place) > beyond - 1.0 {
                let yaw = at.heading + towards_road;
                let shape = self.stock.lamp.clone();
                self.stand(&shape, place, yaw, 1.0, lift);
                let head = place + Vector2::new(yaw.cos(), yaw.sin()) * 1.6;
                self.scenery.lamps.push(Point3::new(
                    head.x,
                    head.y,
                    self.terrain.z(&place) + lift + 7.35,
                ));
            }
            s += 32.0;
        }
        for _ in 0..((block.s[1] - block.s[0]) / 35.0) as usize {
            let at = road.curve.at(self.random.between(block.s[0], block.s[1]));
            let yaw = if side < 0.0 {
                at.heading
            } else {
                at.heading + PI
            };
            let shape = self.stock.signs[self.random.below(self.stock.signs.len())].clone();
            let turn = self.random.between(-0.15, 0.15);
            self.stand(&shape, at.aside(aside + 0.15 * side), yaw + turn, 1.0, lift);
        }
        if is_rural && self.random.chance(0.45) {
            self.guard_rail(road, block, edge(road, side) + side * 0.9);
        }
    }

    fn guard_rail(&mut self, road: &Road, block: &Block, aside: f64) {
        let mut s = block.s[0] + 10.0;
        while s < block.s[1] - 12.0 {
            let (from, to) = (road.curve.aside(s, aside), road.curve.aside(s + 8.0, aside));
            let along = to - from;
            let shape = self.stock.rail.clone();
            let mut instance = placed(&shape, from + along * 0.5, 0.0, along.y.atan2(along.x), 1.0);
            let (low, high) = (self.terrain.z(&from), self.terrain.z(&to));
            instance.world_from_mesh.translation.z = 0.5 * (low + high);
            let pitch = nalgebra::UnitQuaternion::from_axis_angle(
                &nalgebra::Vector3::y_axis(),
                -((high - low) / along.norm()).atan(),
            );
            instance.world_from_mesh.rotation *= pitch;
            instance.scale.x = (along.norm() / 8.0) as f32;
            self.scenery.instances.push(instance);
            s += 8.0;
        }
    }

    fn traffic_lights(&mut self, index: usize) {
        let junction = &self.layout.junctions[index];
        if self.layout.character == Character::Rural || !self.random.chance(0.6) {
            return;
        }
        for (a, arm) in junction.arms.iter().enumerate() {
            let road = &self.layout.roads[arm.road];
            let end = &self.marks.ends[index][a];
            let at = road.curve.at(arm.s_at(end.stop_m - 0.4));
            // Beside the outer incoming lane.
            let [left, _] = arm.edges_m(road);
            let place = at.aside(left + left.signum() * 0.4);
            let yaw = if arm.sign > 0.0 {
                at.heading + PI
            } else {
                at.heading
            };
            let shape = self.stock.light.clone();
            self.stand(&shape, place, yaw, 1.0, KERB_M);
        }
    }

    /// Groups of trees and bushes in the open country, which close the view.
    fn woods(&mut self) {
        let main = &self.layout.roads[0];
        let (count, near) = match self.layout.character {
            Character::Urban => (30, 18.0),
            Character::Suburban => (60, 18.0),
            Character::Rural => (110, 14.0),
        };
        for _ in 0..count {
            let s = self.random.between(0.0, main.curve.length());
            let aside = self.random.sign() * (near + 60.0 * self.random.unit().powf(1.3));
            let place = main.curve.aside(s, aside);
            if self.is_free(&place, 4.0) {
                let shape = self.stock.trees[self.random.below(self.stock.trees.len())].clone();
                let (yaw, scale) = (
                    self.random.between(0.0, 2.0 * PI),
                    self.random.between(0.9, 1.6),
                );
                self.stand(&shape, place, yaw, scale, -0.1);
            }
        }
    }
}

/// Lateral position of the road's edge on a side (+1 left, −1 right).
fn edge(road: &Road, side: f64) -> f64 {
    let [right, left] = road.section.edges_m();
    if side > 0.0 { left } else { right }
}

/// Class of a vehicle at the kerb.
fn parked_class(random: &mut Random) -> ObjectClass {
    match random.below(40) {
        0..=30 => ObjectClass::Car,
        31..=35 => ObjectClass::Van,
        36 => ObjectClass::Truck,
        _ => ObjectClass::Motorcycle,
    }
}
