//! Leaves out who would touch another, whatever the drivers did.

use super::{Body, Traffic};

/// Longest body on the road, metres.
const LONGEST_M: f64 = 16.0;

impl Traffic<'_> {
    /// Which of the vehicles, walkers and standing objects remain when those that would touch another are left out.
    ///
    /// The ego vehicle always remains; of two others the one listed later goes.
    pub(in super::super) fn without_overlaps(&self) -> Vec<bool> {
        let (vehicles, walkers) = (self.vehicles.len(), self.walkers.len());
        let moving = vehicles + walkers;
        let steps = self.vehicles[0].history.len();
        let mut is_kept = vec![true; moving + self.standing.len()];
        let body_at = |index: usize, step: usize| -> Body {
            if index < vehicles {
                let [s, v] = self.vehicles[index].history[step];
                self.vehicles[index].body_at(s, v)
            } else {
                let [s, v] = self.walkers[index - vehicles].history[step];
                self.walkers[index - vehicles].body_at(s, v)
            }
        };
        for step in (0..steps).step_by(2) {
            let mut bodies: Vec<(usize, Body)> = (0..moving)
                .map(|index| (index, body_at(index, step)))
                .collect();
            bodies.extend(
                self.standing
                    .iter()
                    .enumerate()
                    .map(|(k, body)| (moving + k, *body)),
            );
            bodies.retain(|(index, _)| is_kept[*index]);
            // Sweep along x: only neighbours can touch.
            bodies.sort_by(|a, b| a.1.centre.x.total_cmp(&b.1.centre.x));
            let mut touching = Vec::new();
            for (k, (i, body)) in bodies.iter().enumerate() {
                for (j, other) in bodies[k + 1..]
                    .iter()
                    .take_while(|(_, other)| other.centre.x - body.centre.x < LONGEST_M)
                {
                    if i.min(j) < &moving && body.overlaps(other) {
                        touching.push((*i.min(j), *i.max(j)));
                    }
                }
            }
            touching.sort_unstable();
            for (first, second) in touching {
                is_kept[second] &= !is_kept[first];
            }
        }
        is_kept
    }
}
