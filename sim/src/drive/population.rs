//! Who takes part in a drive, and where each begins.

use super::DriveOptions;
use super::path::{LaneOf, Path};
use super::traffic::{Body, Traffic, Vehicle, WARM_UP_S, Walker};
use crate::ground_truth::ObjectClass;
use crate::shapes::{self, Shape};
use crate::world::World;
use crate::world::curve::Curve;
use crate::world::layout::{Character, Road};
use crate::world::marks::along;
use crate::world::random::Random;
use nalgebra::{Point2, Vector2};
use std::f64::consts::PI;
use std::sync::Arc;

/// Reach of the ego vehicle's body before and behind its rear axle, and half its width.
const EGO_FRONT_M: f64 = 3.75;
const EGO_REAR_M: f64 = 0.95;
const EGO_HALF_WIDTH_M: f64 = 0.93;
/// Different people in a drive.
const PEOPLE: usize = 24;
/// Most vehicles under simulation.
const MOST_VEHICLES: usize = 44;

/// Path of the ego vehicle: along a lane of the main road, now and then turning off.
pub(super) fn ego_vehicle(world: &World, random: &mut Random) -> Vehicle {
    let (layout, marks) = (&world.layout, &world.marks);
    let section = &layout.roads[0].section;
    let direction = if random.chance(0.5) { 0 } else { 1 };
    let lanes = section.lanes[direction];
    let start = random.between(85.0, 130.0);
    let straight = LaneOf {
        road: 0,
        direction,
        lane: random.below(lanes),
    };
    let path = match turn_ahead(world, direction, start, random) {
        Some((junction, arms, lanes)) if random.chance(0.3) => {
            Path::turning(layout, marks, junction, arms, lanes)
        }
        _ => Path::straight(layout, marks, straight, 0.0),
    };
    let desired = path.limit_mps * random.between(0.8, 1.05);
    let mut s = start;
    // Not inside a junction.
    for gate in &path.gates {
        if s + EGO_FRONT_M > gate.stop_s - 2.0 && s - EGO_REAR_M < gate.exit_s {
            s = gate.exit_s + EGO_REAR_M + 1.0;
        }
    }
    Vehicle {
        class: ObjectClass::Car,
        shape: None,
        v: desired * random.between(0.3, 0.9),
        path: Arc::new(path),
        s,
        a: 0.0,
        front_m: EGO_FRONT_M,
        rear_m: EGO_REAR_M,
        half_width_m: EGO_HALF_WIDTH_M,
        desired_mps: desired,
        history: Vec::new(),
    }
}

/// A junction some way ahead with a long arm to turn into: junction, arms in and out, lanes in and out.
fn turn_ahead(
    world: &World,
    direction: usize,
    start: f64,
    random: &mut Random,
) -> Option<(usize, [usize; 2], [usize; 2])> {
    let layout = &world.layout;
    let length = layout.roads[0].curve.length();
    let mut choices = Vec::new();
    for (index, junction) in layout.junctions.iter().enumerate() {
        let ahead = if direction == 0 {
            junction.s[0]
        } else {
            length - junction.s[0]
        } - start;
        if !(70.0..170.0).contains(&ahead) {
            continue;
        }
        let entry = junction
            .arms
            .iter()
            .position(|arm| arm.road == 0 && arm.incoming() == direction)?;
        for (exit, arm) in junction
            .arms
            .iter()
            .enumerate()
            .filter(|(_, arm)| arm.road != 0)
        {
            let road = &layout.roads[arm.road];
            let free = if arm.sign > 0.0 {
                road.curve.length() - arm.mouth_s
            } else {
                arm.mouth_s
            };
            if free > 95.0 {
                let turn = (arm.heading - junction.arms[entry].heading - PI).rem_euclid(2.0 * PI);
                let is_left = turn < PI;
                let lanes_in = layout.roads[0].section.lanes[direction];
                let lanes_out = road.section.lanes[arm.outgoing()];
                let lanes = if is_left {
                    [0, 0]
                } else {
                    [lanes_in - 1, lanes_out - 1]
                };
                choices.push((index, [entry, exit], lanes));
            }
        }
    }
    if choices.is_empty() {
        None
    } else {
        Some(choices[random.below(choices.len())])
    }
}

/// Fills the roads with vehicles and the sidewalks with people.
pub(super) fn populate(traffic: &mut Traffic<'_>, options: &DriveOptions, random: &mut Random) {
    let world = traffic.world;
    let layout = &world.layout;
    let density = random.pick(&[0.5, 0.8, 1.0, 1.3, 1.8]);
    add_turning_vehicles(traffic, random);
    for (road, on) in layout.roads.iter().enumerate() {
        for direction in 0..2 {
            for lane in 0..on.section.lanes[direction] {
                let of = LaneOf {
                    road,
                    direction,
                    lane,
                };
                let path = Arc::new(Path::straight(layout, &world.marks, of, 0.0));
                // A crossing road without an arm on this side has no way through the junction.
                if road != 0 && path.gates.is_empty() {
                    continue;
                }
                let mean_gap = if road == 0 { 34.0 } else { 42.0 } / density;
                fill_lane(
                    traffic,
                    &path,
                    mean_gap,
                    options.has_many_large_vehicles,
                    random,
                );
                let is_outer = lane + 1 == on.section.lanes[direction];
                if is_outer && random.chance(0.6) {
                    let aside = 0.5 * on.section.lane_width_m - random.between(0.35, 0.6);
                    let path = Arc::new(Path::straight(layout, &world.marks, of, aside));
                    fill_lane_with_cyclists(traffic, &path, random);
                }
            }
        }
    }
    add_pedestrians(traffic, options.duration_s, random);
}

/// Class of a vehicle on the road.
fn moving_class(random: &mut Random) -> ObjectClass {
    match random.below(100) {
        0..=61 => ObjectClass::Car,
        62..=74 => ObjectClass::Van,
        75..=83 => ObjectClass::Truck,
        84..=90 => ObjectClass::Bus,
        _ => ObjectClass::Motorcycle,
    }
}

fn vehicle(class: ObjectClass, path: &Arc<Path>, s: f64, random: &mut Random) -> Vehicle {
    let shape = shapes::vehicle(class, random.bits());
    let half = 0.5 * f64::from(shape.size[0]);
    let (low, high) = match class {
        ObjectClass::Cyclist => (3.0, 6.5),
        ObjectClass::Truck | ObjectClass::Bus => (7.0, 12.5),
        _ => (path.limit_mps * 0.75, path.limit_mps * 1.1),
    };
    let desired_mps = random.between(low, high).min(16.0);
    Vehicle {
        class,
        path: path.clone(),
        s,
        v: desired_mps * random.between(0.5, 0.9),
        a: 0.0,
        front_m: half,
        rear_m: half,
        half_width_m: 0.5 * f64::from(shape.size[1]),
        desired_mps,
        history: Vec::new(),
        shape: Some(shape),
    }
}

fn fill_lane(
    traffic: &mut Traffic<'_>,
    path: &Arc<Path>,
    mean_gap: f64,
    has_many_large: bool,
    random: &mut Random,
) {
    let mut s = random.between(2.0, mean_gap);
    while s < path.curve.length() - 8.0 && traffic.vehicles.len() < MOST_VEHICLES {
        let mut class = moving_class(random);
        if has_many_large
            && matches!(class, ObjectClass::Car | ObjectClass::Van)
            && random.chance(0.5)
        {
            class = random.pick(&[ObjectClass::Truck, ObjectClass::Bus]);
        }
        let new = vehicle(class, path, s, random);
        let step = new.front_m + new.rear_m + 5.0 - mean_gap * 0.8 * (1.0 - random.unit()).ln();
        try_add(traffic, new);
        s += step;
    }
}

fn fill_lane_with_cyclists(traffic: &mut Traffic<'_>, path: &Arc<Path>, random: &mut Random) {
    let mut s = random.between(5.0, 90.0);
    while s < path.curve.length() - 20.0 {
        let new = vehicle(ObjectClass::Cyclist, path, s, random);
        try_add(traffic, new);
        s += random.between(25.0, 140.0);
    }
}

/// Adds a vehicle unless it would stand in a junction or too near to another.
fn try_add(traffic: &mut Traffic<'_>, new: Vehicle) {
    let in_junction =
        new.path.gates.iter().any(|gate| {
            new.s + new.front_m > gate.stop_s - 1.0 && new.s - new.rear_m < gate.exit_s
        });
    let mut room = new.body_at(new.s, 0.0);
    room.half_length_m += 2.5;
    let is_taken = traffic
        .vehicles
        .iter()
        .any(|other| other.body_at(other.s, 0.0).overlaps(&room))
        || traffic
            .standing
            .iter()
            .any(|other| other.overlaps(&new.body_at(new.s, 0.0)));
    if !in_junction && !is_taken {
        traffic.vehicles.push(new);
    }
}

/// A few vehicles that turn at junctions.
fn add_turning_vehicles(traffic: &mut Traffic<'_>, random: &mut Random) {
    let world = traffic.world;
    for (index, junction) in world.layout.junctions.iter().enumerate() {
        if !random.chance(0.7) {
            continue;
        }
        let entry = random.below(junction.arms.len());
        let exit = (entry + 1 + random.below(junction.arms.len() - 1)) % junction.arms.len();
        let (from, to) = (junction.arms[entry], junction.arms[exit]);
        if from.road == to.road {
            continue;
        }
        let turn = (to.heading - from.heading - PI).rem_euclid(2.0 * PI);
        let lanes_of =
            |road: usize, direction: usize| world.layout.roads[road].section.lanes[direction];
        let lanes = if turn < PI {
            [0, 0]
        } else {
            [
                lanes_of(from.road, from.incoming()) - 1,
                lanes_of(to.road, to.outgoing()) - 1,
            ]
        };
        let path = Arc::new(Path::turning(
            &world.layout,
            &world.marks,
            index,
            [entry, exit],
            lanes,
        ));
        let Some(gate) = path.gates.iter().find(|gate| gate.junction == index) else {
            continue;
        };
        let s = gate.stop_s - random.between(12.0, 70.0);
        if s > 5.0 {
            let class = if random.chance(0.85) {
                ObjectClass::Car
            } else {
                ObjectClass::Van
            };
            let new = vehicle(class, &path, s, random);
            try_add(traffic, new);
        }
    }
}

fn add_pedestrians(traffic: &mut Traffic<'_>, duration_s: f64, random: &mut Random) {
    let world = traffic.world;
    let people: Vec<Shape> = (0..PEOPLE)
        .map(|_| shapes::pedestrian(random.bits()))
        .collect();
    let bustle = match world.layout.character {
        Character::Urban => random.between(0.5, 1.6),
        Character::Suburban => random.between(0.2, 0.8),
        Character::Rural => random.between(0.0, 0.25),
    };
    for crosswalk in 0..world.marks.crosswalks.len() {
        let mark = &world.marks.crosswalks[crosswalk];
        let road = &world.layout.roads[mark.road];
        if road.section.sidewalk_m > 0.0 && random.chance(0.4 + 0.3 * bustle.min(1.0)) {
            for _ in 0..1 + random.below(3) {
                let walker = crossing_walker(world, crosswalk, duration_s, &people, random);
                add_walker(traffic, walker);
            }
        }
    }
    for (index, road) in world.layout.roads.iter().enumerate() {
        for block in &road.blocks {
            // On crossing roads only near the main road.
            let [from, to] = if index == 0 {
                block.s
            } else {
                near_end(block.s, block.arms[0].is_some())
            };
            for side in [1.0, -1.0] {
                let count = ((to - from) / 26.0 * bustle * random.unit() * 2.0).round() as usize;
                for _ in 0..count.min(9) {
                    if let Some(walker) =
                        strolling_walker(road, [from, to], side, duration_s, &people, random)
                    {
                        add_walker(traffic, walker);
                    }
                }
            }
        }
    }
}

/// The 45 m of a block that are next to its junction.
fn near_end([from, to]: [f64; 2], is_junction_low: bool) -> [f64; 2] {
    if is_junction_low {
        [from, to.min(from + 45.0)]
    } else {
        [from.max(to - 45.0), to]
    }
}

fn add_walker(traffic: &mut Traffic<'_>, walker: Walker) {
    let body = walker.body_at(walker.s, 0.0);
    if !traffic
        .walkers
        .iter()
        .any(|other| other.body_at(other.s, 0.0).overlaps(&body))
    {
        traffic.walkers.push(walker);
    }
}

fn crossing_walker(
    world: &World,
    crosswalk: usize,
    duration_s: f64,
    people: &[Shape],
    random: &mut Random,
) -> Walker {
    let mark = &world.marks.crosswalks[crosswalk];
    let (sin, cos) = mark.theta.sin_cos();
    let sign = random.sign();
    let across = Vector2::new(cos, sin) * sign;
    let along = Vector2::new(-sin, cos) * random.between(-0.4, 0.4) * mark.width_m;
    let half = 0.5 * mark.length_m + 0.15;
    let beyond = random.between(1.0, 1.9);
    let (start, end) = (
        mark.centre + along - across * (half + beyond),
        mark.centre + along + across * (half + 1.8),
    );
    let count = 8;
    let points: Vec<Point2<f64>> = (0..=count)
        .map(|i| start + (end - start) * (f64::from(i) / f64::from(count)))
        .collect();
    Walker {
        shape: people[random.below(people.len())].clone(),
        curve: Arc::new(Curve::through(&points)),
        s: 0.0,
        speed_mps: random.between(0.9, 1.8),
        crossing: Some((crosswalk, [beyond, beyond + 2.0 * half])),
        from_s: random.between(-WARM_UP_S, 0.8 * duration_s),
        history: Vec::new(),
    }
}

/// Someone who walks along a sidewalk, or just stands there.
fn strolling_walker(
    road: &Road,
    [from, to]: [f64; 2],
    side: f64,
    duration_s: f64,
    people: &[Shape],
    random: &mut Random,
) -> Option<Walker> {
    let [right, left] = road.section.edges_m();
    let walk = road.section.sidewalk_m;
    // Without a sidewalk people keep to the verge.
    let beyond = if walk > 0.0 {
        random.between(0.6, (walk - 0.4).max(0.7))
    } else {
        random.between(0.5, 1.2)
    };
    let aside = if side > 0.0 {
        left + beyond
    } else {
        right - beyond
    };
    let speed_mps = if random.chance(0.2) {
        0.0
    } else {
        random.between(0.7, 1.8)
    };
    let way = speed_mps * (duration_s + WARM_UP_S) + 1.0;
    if to - from < way + 2.0 {
        return None;
    }
    let start = random.between(from + 0.5, to - way - 0.5);
    let mut points = along(road, start, start + way, aside);
    if random.chance(0.5) {
        points.reverse();
    }
    Some(Walker {
        shape: people[random.below(people.len())].clone(),
        curve: Arc::new(Curve::through(&points)),
        s: 0.0,
        speed_mps,
        crossing: None,
        from_s: f64::NEG_INFINITY,
        history: Vec::new(),
    })
}

/// The rectangles of what stands on the roads.
pub(super) fn standing_bodies(world: &World) -> Vec<Body> {
    world
        .standing
        .iter()
        .map(|object| Body {
            centre: object.place,
            axis: Vector2::new(object.yaw.cos(), object.yaw.sin()),
            half_length_m: 0.5 * f64::from(object.shape.size[0]),
            half_width_m: 0.5 * f64::from(object.shape.size[1]),
            v: 0.0,
        })
        .collect()
}
