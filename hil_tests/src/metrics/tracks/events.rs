//! What happens to the tracks of one class and drive at one confidence, counted as the nuScenes devkit
//! does with py-motmetrics.

use std::collections::BTreeMap;

use super::drive::{TrackBox, TrackFrame, distance};
use crate::metrics::min_cost_assignment;

/// Centre distance below which a pair can be one, metres.
const THRESHOLD_M: f64 = 2.0;

/// Counts over any number of drives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrackEvents {
    /// Found under the identity of before, or for the first time.
    pub matches: usize,
    /// Found under another identity than before.
    pub switches: usize,
    /// Boxes of the ground truth that were not found.
    pub misses: usize,
    /// Predictions on nothing.
    pub wrong: usize,
    /// Times that a track was lost and found again later.
    pub fragmentations: usize,
    /// Tracks of which at least four fifths were found.
    pub mostly_tracked: usize,
    /// Tracks of which less than one fifth was found.
    pub mostly_lost: usize,
    /// Sum of the distances of found pairs.
    pub distance_m: f64,
}

impl TrackEvents {
    /// Follows the tracks through the frames of one drive; also the confidences of the predictions
    /// that matched without a switch.
    pub(super) fn of(frames: &[TrackFrame]) -> (Self, Vec<f64>) {
        let mut events = Self::default();
        let mut confidences = Vec::new();
        let mut partner_of: BTreeMap<u32, u32> = BTreeMap::new();
        let mut is_found: BTreeMap<u32, Vec<bool>> = BTreeMap::new();
        for frame in frames {
            let pairs = pairs(frame, &partner_of);
            for (truth, prediction) in frame.truths.iter().zip(&pairs) {
                is_found
                    .entry(truth.id)
                    .or_default()
                    .push(prediction.is_some());
                let Some(prediction) = prediction.map(|place| &frame.predictions[place]) else {
                    events.misses += 1;
                    continue;
                };
                events.distance_m += distance(truth.position_m, prediction.position_m);
                let before = partner_of.insert(truth.id, prediction.id);
                if before.is_some_and(|before| before != prediction.id) {
                    events.switches += 1;
                } else {
                    events.matches += 1;
                    confidences.push(prediction.confidence);
                }
            }
            events.wrong += frame.predictions.len() - pairs.iter().flatten().count();
        }
        for found in is_found.values() {
            events.add_track(found);
        }
        (events, confidences)
    }

    fn add_track(&mut self, is_found: &[bool]) {
        let found = is_found.iter().filter(|found| **found).count();
        let share = found as f64 / is_found.len() as f64;
        self.mostly_tracked += usize::from(share >= 0.8);
        self.mostly_lost += usize::from(share < 0.2);
        // Each loss before the last time that it was found.
        let last = is_found.iter().rposition(|found| *found).unwrap_or(0);
        let pairs = is_found[..=last].windows(2);
        self.fragmentations += pairs.filter(|pair| pair[0] && !pair[1]).count();
    }

    /// Adds the drives of others.
    pub fn merge(&mut self, other: &Self) {
        self.matches += other.matches;
        self.switches += other.switches;
        self.misses += other.misses;
        self.wrong += other.wrong;
        self.fragmentations += other.fragmentations;
        self.mostly_tracked += other.mostly_tracked;
        self.mostly_lost += other.mostly_lost;
        self.distance_m += other.distance_m;
    }

    fn truths(&self) -> f64 {
        (self.matches + self.switches + self.misses) as f64
    }

    /// Share of the ground truth that is found.
    pub fn recall(&self) -> f64 {
        (self.matches + self.switches) as f64 / self.truths()
    }

    /// MOTA, at least 0.
    pub fn accuracy(&self) -> f64 {
        let errors = (self.misses + self.switches + self.wrong) as f64;
        (1.0 - errors / self.truths()).max(0.0)
    }

    /// MOTAR: MOTA for a tracker that finds no more than this recall, at least 0; `None` where
    /// nothing matched.
    pub fn accuracy_at_recall(&self) -> Option<f64> {
        let recall = self.matches as f64 / self.truths();
        let errors = (self.misses + self.switches + self.wrong) as f64;
        let avoidable = errors - (1.0 - recall) * self.truths();
        (self.matches > 0).then(|| (1.0 - avoidable / (recall * self.truths())).max(0.0))
    }

    /// MOTP: mean distance of found pairs, metres; `None` where there are none.
    pub fn mean_distance_m(&self) -> Option<f64> {
        let found = self.matches + self.switches;
        (found > 0).then(|| self.distance_m / found as f64)
    }
}

/// For each truth the place of its prediction: the partner of before while that is near, then as
/// many of the others as can be, at the least sum of distances.
fn pairs(frame: &TrackFrame, partner_of: &BTreeMap<u32, u32>) -> Vec<Option<usize>> {
    let near = |truth: &TrackBox, prediction: &TrackBox| {
        let distance_m = distance(truth.position_m, prediction.position_m);
        (distance_m < THRESHOLD_M).then_some(distance_m)
    };
    let mut pairs = vec![None; frame.truths.len()];
    let mut is_taken = vec![false; frame.predictions.len()];
    for (truth, pair) in frame.truths.iter().zip(&mut pairs) {
        let partner = partner_of.get(&truth.id);
        let place = frame
            .predictions
            .iter()
            .zip(&is_taken)
            .position(|(prediction, is_taken)| Some(&prediction.id) == partner && !is_taken);
        *pair = place.filter(|&place| near(truth, &frame.predictions[place]).is_some());
        if let Some(place) = *pair {
            is_taken[place] = true;
        }
    }
    let rows: Vec<usize> = (0..pairs.len())
        .filter(|&row| pairs[row].is_none())
        .collect();
    let columns: Vec<usize> = (0..is_taken.len()).filter(|&k| !is_taken[k]).collect();
    // So much that no number of near pairs is worth one fewer.
    let apart = 2.0 * (rows.len() + 1) as f64 * THRESHOLD_M;
    let cost: Vec<Vec<f64>> = rows
        .iter()
        .map(|&row| {
            let predictions = columns.iter().map(|&column| &frame.predictions[column]);
            let truth = &frame.truths[row];
            predictions
                .map(|prediction| near(truth, prediction).unwrap_or(apart))
                .collect()
        })
        .collect();
    for (place, column) in min_cost_assignment(&cost).into_iter().enumerate() {
        let is_near = |column: &usize| cost[place][*column] < apart;
        pairs[rows[place]] = column.filter(is_near).map(|column| columns[column]);
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::ScoreClass;

    fn frame(truths: &[(u32, f64)], predictions: &[(u32, f64)]) -> TrackFrame {
        let boxes = |side: &[(u32, f64)]| {
            let at = side.iter().map(|&(id, x)| TrackBox {
                id,
                class: ScoreClass::Car,
                position_m: [x, 0.0],
                confidence: 0.5,
                counts: true,
            });
            at.collect()
        };
        TrackFrame {
            truths: boxes(truths),
            predictions: boxes(predictions),
            ..TrackFrame::default()
        }
    }

    #[test]
    fn switches_breaks_and_misses_are_told_apart() {
        let frames = [
            frame(&[(1, 0.0)], &[(8, 0.5)]),
            frame(&[(1, 1.0)], &[]),
            frame(&[(1, 2.0)], &[(8, 3.0), (9, 2.1)]),
            frame(&[(1, 3.0)], &[(9, 3.0)]),
            frame(&[(1, 4.0)], &[]),
        ];
        let (events, confidences) = TrackEvents::of(&frames);
        assert_eq!((events.matches, events.switches), (2, 1));
        assert_eq!((events.misses, events.wrong), (2, 1));
        assert_eq!((events.fragmentations, confidences.len()), (1, 2));
        assert_eq!((events.mostly_tracked, events.mostly_lost), (0, 0));
        assert!((events.recall() - 0.6).abs() < 1e-12);
        assert!((events.accuracy() - 0.2).abs() < 1e-12);
        // At a recall of 2 in 5, three misses cannot be avoided: of four errors one could, against
        // two matches.
        let at_recall = events.accuracy_at_recall().expect("two matched");
        assert!((at_recall - 0.5).abs() < 1e-12);
    }

    #[test]
    fn as_many_pairs_as_can_be_are_made() {
        // The nearest pair alone would leave the other two without a partner.
        let frames = [frame(&[(1, 0.0), (2, 1.9)], &[(8, 1.8), (9, 3.7)])];
        assert_eq!(TrackEvents::of(&frames).0.matches, 2);
    }
}
