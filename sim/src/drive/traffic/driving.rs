//! How a driver chooses the acceleration.

use super::{Body, Traffic, Vehicle};
use nalgebra::Point2;

/// Lateral acceleration that drivers accept in bends, m/s².
const LATERAL_MPS2: f64 = 2.2;
/// Strongest comfortable braking, m/s².
const BRAKING_MPS2: f64 = 2.4;
/// Hardest braking for a signal or a crosswalk; a driver that would need more goes on.
const HARD_BRAKING_MPS2: f64 = 4.5;
/// Strongest acceleration, m/s².
const ACCELERATION_MPS2: f64 = 1.7;
/// Distance between looks ahead, metres.
const LOOK_STEP_M: f64 = 1.5;

/// The vehicle that has a junction for itself while it turns or crosses.
pub(super) type Locks = Vec<Option<usize>>;

impl Traffic<'_> {
    /// Which junctions are reserved by a vehicle inside.
    pub(super) fn junction_locks(&self) -> Locks {
        let mut locks = vec![None; self.world.layout.junctions.len()];
        for (index, vehicle) in self.vehicles.iter().enumerate() {
            for gate in &vehicle.path.gates {
                let is_inside = vehicle.s + vehicle.front_m > gate.stop_s + 0.1
                    && vehicle.s - vehicle.rear_m < gate.exit_s;
                let needs_it = gate.is_turn || self.signals.must_yield(gate.junction, gate.group);
                if is_inside && needs_it {
                    locks[gate.junction] = Some(index);
                }
            }
        }
        locks
    }

    /// Intelligent-driver model (Treiber, Hennecke and Helbing, 2000) over everything that a driver has to heed.
    pub(super) fn acceleration(
        &self,
        index: usize,
        t_s: f64,
        bodies: &[Body],
        walking: &[(usize, Body)],
        locks: &Locks,
    ) -> f64 {
        let vehicle = &self.vehicles[index];
        let free = self.free_acceleration(vehicle);
        let mut wanted = free;
        let mut heed = |gap_m: f64, v: f64| {
            let closing =
                vehicle.v * (vehicle.v - v) / (2.0 * (ACCELERATION_MPS2 * BRAKING_MPS2).sqrt());
            let room = 1.5 + (1.1 * vehicle.v + closing).max(0.0);
            let ratio = room / gap_m.max(0.3);
            wanted = wanted.min(free.min(ACCELERATION_MPS2) - ACCELERATION_MPS2 * ratio * ratio);
        };
        if let Some((gap_m, v)) = self.leader(index, bodies, walking) {
            heed(gap_m, v);
        }
        let nose = vehicle.s + vehicle.front_m;
        let can_stop = |distance: f64| {
            vehicle.v * vehicle.v < 2.0 * HARD_BRAKING_MPS2 * (distance - 0.1).max(0.0)
                || vehicle.v < 0.2
        };
        for gate in vehicle
            .path
            .gates
            .iter()
            .filter(|gate| gate.stop_s > nose - 0.05)
            .take(1)
        {
            let distance = gate.stop_s - nose;
            if distance < 60.0
                && can_stop(distance + 0.3)
                && !self.may_enter(index, gate, t_s, locks)
            {
                heed(distance + 1.5, 0.0);
            }
        }
        for crossing in vehicle
            .path
            .crossings
            .iter()
            .filter(|crossing| crossing.stop_s > nose - 0.3)
        {
            let distance = crossing.stop_s - nose;
            let is_taken = || {
                walking
                    .iter()
                    .any(|(crosswalk, _)| *crosswalk == crossing.crosswalk)
            };
            if distance < 35.0 && can_stop(distance + 0.5) && is_taken() {
                heed(distance + 1.2, 0.0);
            }
        }
        // The world ends: wait before it.
        heed(
            (vehicle.path.curve.length() - nose).max(0.3) + if index == 0 { -12.0 } else { 60.0 },
            0.0,
        );
        wanted.clamp(-7.0, 2.2)
    }

    fn free_acceleration(&self, vehicle: &Vehicle) -> f64 {
        let mut limit = vehicle.desired_mps;
        for ahead in [0.0, 4.0, 8.0, 13.0, 19.0, 26.0, 34.0] {
            let bend = vehicle
                .path
                .curve
                .at(vehicle.s + ahead)
                .curvature
                .abs()
                .max(1e-4);
            limit = limit.min((LATERAL_MPS2 / bend + 2.0 * 1.4 * ahead).sqrt());
        }
        let ratio = vehicle.v / limit.max(0.5);
        if ratio > 1.0 {
            (-2.5 * (ratio - 1.0) * vehicle.v).max(-3.0)
        } else {
            ACCELERATION_MPS2 * (1.0 - ratio.powi(4))
        }
    }

    /// Gap to and speed of the nearest thing on the path ahead.
    fn leader(
        &self,
        index: usize,
        bodies: &[Body],
        walking: &[(usize, Body)],
    ) -> Option<(f64, f64)> {
        let vehicle = &self.vehicles[index];
        let reach = 8.0 + 2.2 * vehicle.v + vehicle.v * vehicle.v / 7.0;
        let here = bodies[index].centre;
        let is_near = |body: &&Body| {
            let limit = reach + vehicle.front_m + body.half_length_m + 2.0;
            let offset = body.centre - here;
            // Behind does not matter.
            offset.norm_squared() < limit * limit
                && offset.dot(&bodies[index].axis) > -body.half_length_m
        };
        let others = bodies
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index)
            .map(|(_, body)| body);
        let near: Vec<(&Body, f64)> = others
            .filter(is_near)
            .map(|body| (body, 0.2))
            .chain(
                walking
                    .iter()
                    .map(|(_, body)| body)
                    .filter(is_near)
                    .map(|body| (body, 0.8)),
            )
            .chain(
                self.nearby[index]
                    .iter()
                    .map(|k| &self.standing[*k])
                    .filter(is_near)
                    .map(|body| (body, 0.05)),
            )
            .collect();
        if near.is_empty() {
            return None;
        }
        let mut ahead = 0.4;
        while ahead < reach {
            let at = vehicle.path.curve.at(vehicle.s + vehicle.front_m + ahead);
            let place = Point2::new(at.x, at.y);
            let mut found: Option<(f64, f64)> = None;
            for (body, margin_m) in &near {
                let offset = place - body.centre;
                let along = offset.dot(&body.axis);
                let across = offset.y * body.axis.x - offset.x * body.axis.y;
                let agreement = at.ahead.dot(&body.axis);
                // Seen from a path at an angle the widths trade places.
                let half_width =
                    body.half_width_m + vehicle.half_width_m * agreement.abs() + margin_m;
                let half_length = body.half_length_m
                    + vehicle.half_width_m * (1.0 - agreement * agreement).sqrt()
                    + 0.3;
                if along.abs() < half_length && across.abs() < half_width {
                    let overshoot = if agreement > 0.5 {
                        (along + half_length).min(LOOK_STEP_M)
                    } else {
                        0.0
                    };
                    let gap = (ahead - overshoot).max(0.1);
                    let v = (body.v * agreement).max(0.0);
                    if found.is_none_or(|(known, _)| gap < known) {
                        found = Some((gap, v));
                    }
                }
            }
            if found.is_some() {
                return found;
            }
            ahead += LOOK_STEP_M;
        }
        None
    }

    fn may_enter(
        &self,
        index: usize,
        gate: &super::super::path::Gate,
        t_s: f64,
        locks: &Locks,
    ) -> bool {
        if locks[gate.junction].is_some_and(|holder| holder != index) {
            return false;
        }
        let must_yield = self.signals.must_yield(gate.junction, gate.group);
        if !must_yield && !self.signals.is_green(gate.junction, gate.group, t_s) {
            return false;
        }
        if !must_yield && !gate.is_turn {
            return true;
        }
        // Turning and crossing without priority wait until the junction is empty and nobody comes. Of two who wait for
        // each other the one with the lower number goes first.
        self.vehicles
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index)
            .all(|(other, vehicle)| {
                vehicle
                    .path
                    .gates
                    .iter()
                    .filter(|theirs| theirs.junction == gate.junction)
                    .all(|theirs| {
                        let nose = vehicle.s + vehicle.front_m;
                        let is_past = vehicle.s - vehicle.rear_m > theirs.exit_s;
                        let distance = theirs.stop_s - nose;
                        if is_past {
                            return true;
                        }
                        if distance < -0.1 {
                            return false;
                        }
                        let is_follower = theirs.group == gate.group
                            && distance > gate.stop_s - self.vehicles[index].s
                            && std::sync::Arc::ptr_eq(&vehicle.path, &self.vehicles[index].path);
                        let theirs_yields =
                            theirs.is_turn || self.signals.must_yield(gate.junction, theirs.group);
                        let is_waiting = vehicle.v < 0.5 && distance < 4.0;
                        let stops = !self.signals.is_green(gate.junction, theirs.group, t_s)
                            && !self.signals.must_yield(gate.junction, theirs.group);
                        is_follower
                            || (stops && distance > vehicle.v * vehicle.v / 5.0)
                            || (theirs_yields
                                && (index < other || !is_waiting)
                                && distance > vehicle.v * vehicle.v / 5.0)
                            || distance > 12.0 + 4.5 * vehicle.v
                    })
            })
    }
}
