//! Objects that stand still: parked vehicles and the cones of road works.

use super::super::StandingObject;
use super::super::layout::{Block, Character, Road};
use super::super::pavement::KERB_M;
use super::{Builder, edge};
use crate::ground_truth::ObjectClass;
use crate::shapes::{self, Shape};
use nalgebra::Point2;
use std::f64::consts::{FRAC_PI_2, PI};

/// No parking within this distance of a junction's mouth.
const JUNCTION_M: f64 = 9.0;

impl Builder<'_> {
    /// Vehicles along the kerb, or on driveways where there is no room at the kerb.
    pub(super) fn park(
        &mut self,
        road: &Road,
        index: usize,
        block: &Block,
        side: f64,
        mouths: &[f64],
    ) {
        let direction = if side < 0.0 { 0 } else { 1 };
        if !road.section.has_parking[direction] {
            self.park_on_driveways(road, block, side);
            return;
        }
        let occupancy = self.random.between(0.35, 0.9);
        let aside = 0.5 * (road.section.lanes_end_m(direction) + edge(road, side));
        let mut s = block.s[0] + 1.0;
        while s < block.s[1] - 6.0 {
            let (class, shape) = self.draw_parked();
            let length = f64::from(shape.size[0]);
            let middle = s + 0.5 * length;
            s += length + self.random.between(0.7, 1.8);
            let near_mouth = mouths
                .iter()
                .any(|mouth| (mouth - middle).abs() < JUNCTION_M + 0.5 * length);
            let near_crosswalk = self.marks.crosswalks.iter().any(|crosswalk| {
                crosswalk.road == index
                    && (crosswalk.s - middle).abs() < 0.5 * crosswalk.width_m + 4.0 + 0.5 * length
            });
            if near_mouth
                || near_crosswalk
                || !self.random.chance(occupancy)
                || f64::from(shape.size[1]) > 2.35
            {
                continue;
            }
            let at = road.curve.at(middle);
            let is_reversed = self.random.chance(0.12);
            let with_traffic = if direction == 0 { 0.0 } else { PI };
            let yaw = at.heading
                + with_traffic
                + if is_reversed { PI } else { 0.0 }
                + 0.02 * self.random.normal();
            let place = at.aside(aside + side * 0.06 * self.random.normal());
            self.scenery.standing.push(StandingObject {
                class,
                shape,
                place,
                yaw,
                lift_m: 0.0,
            });
        }
    }

    fn draw_parked(&mut self) -> (ObjectClass, Shape) {
        self.stock.parked[self.random.below(self.stock.parked.len())].clone()
    }

    fn park_on_driveways(&mut self, road: &Road, block: &Block, side: f64) {
        if self.layout.character == Character::Rural {
            return;
        }
        let mut s = block.s[0] + self.random.between(12.0, 22.0);
        while s < block.s[1] - 12.0 {
            let (class, shape) = self.draw_parked();
            let at = road.curve.at(s);
            let beyond = road.section.sidewalk_m
                + 0.5 * f64::from(shape.size[0])
                + self.random.between(0.3, 1.0);
            let place = at.aside(edge(road, side) + side * beyond);
            let is_free = class == ObjectClass::Car
                && self.is_free(&place, 2.5)
                && self.is_clear_of_buildings(&place);
            if is_free && self.random.chance(0.4) {
                let yaw = at.heading + FRAC_PI_2 * self.random.sign() + 0.03 * self.random.normal();
                self.scenery.standing.push(StandingObject {
                    class,
                    shape,
                    place,
                    yaw,
                    lift_m: 0.0,
                });
            }
            s += self.random.between(9.0, 24.0);
        }
    }

    fn is_clear_of_buildings(&self, place: &Point2<f64>) -> bool {
        !self
            .buildings
            .iter()
            .any(|building| building.holds(place, 2.5))
    }

    /// A row of cones along the edge of a block, now and then.
    pub(super) fn road_works(&mut self, road: &Road, index: usize, block: &Block) {
        let likely = if index == 0 { 0.3 } else { 0.15 };
        if block.s[1] - block.s[0] < 30.0 || !self.random.chance(likely) {
            return;
        }
        let side = self.random.sign();
        let direction = if side < 0.0 { 0 } else { 1 };
        let inner = road.section.lanes_end_m(direction) + side * 0.35;
        let outer = edge(road, side) + side * 0.6;
        let count = 4 + self.random.below(6);
        let pitch = self.random.between(1.6, 4.0);
        let start = self.random.between(
            block.s[0] + 8.0,
            (block.s[1] - 10.0 - pitch * count as f64).max(block.s[0] + 9.0),
        );
        let shape = shapes::cone();
        for i in 0..count {
            // Both ends of the row taper towards the edge.
            let taper = (i.min(count - 1 - i) as f64 / 2.0).min(1.0);
            let aside = outer + (inner - outer) * taper;
            let place = road.curve.aside(start + pitch * i as f64, aside);
            let is_on_kerb =
                (aside - edge(road, side)) * side > 0.0 && road.section.sidewalk_m > 0.0;
            let is_taken = self.scenery.standing.iter().any(|other| {
                (other.place - place).norm() < 0.5 * f64::from(other.shape.size[0]) + 0.4
                    && other.class != ObjectClass::Cone
            });
            if !is_taken {
                let lift_m = if is_on_kerb { KERB_M } else { 0.0 };
                let yaw = self.random.between(0.0, FRAC_PI_2);
                let shape = shape.clone();
                self.scenery.standing.push(StandingObject {
                    class: ObjectClass::Cone,
                    shape,
                    place,
                    yaw,
                    lift_m,
                });
            }
        }
    }
}
