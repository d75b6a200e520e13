//! The CLEAR scores (Bernardin and Stiefelhagen, 2008), as TrackEval counts them.

use super::similarity::SimilarityDrive;
use crate::metrics::min_cost_assignment;

/// Similarity from which a pair is one: a centre distance of 2 m.
const LEAST_SIMILARITY: f64 = 0.5;
/// What keeping the partner of the frame before is worth, against a similarity of at most 1.
const CONTINUITY: f64 = 1000.0;

/// Counts over any number of drives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClearTally {
    /// Boxes of the ground truth that were found.
    pub found: usize,
    /// Boxes of the ground truth that were not.
    pub missed: usize,
    /// Predictions on nothing.
    pub wrong: usize,
    /// Times that a true track was found under another identity than before.
    pub identity_switches: usize,
    /// Tracks of which more than four fifths were found.
    pub mostly_tracked: usize,
    /// Tracks of which less than one fifth was found.
    pub mostly_lost: usize,
    /// Tracks between the two.
    pub partly_tracked: usize,
    /// Times that a track was found again after a break.
    pub fragmentations: usize,
    similarity: f64,
}

impl ClearTally {
    /// Matches one drive.
    pub fn of(drive: &SimilarityDrive) -> Self {
        let mut tally = Self::default();
        let tracks = drive.truth_lengths.len();
        let mut found_boxes = vec![0_usize; tracks];
        let mut beginnings = vec![0_usize; tracks];
        let mut last_partner: Vec<Option<usize>> = vec![None; tracks];
        let mut partner_before: Vec<Option<usize>> = vec![None; tracks];
        for frame in &drive.frames {
            tally.missed += frame.truths.len();
            tally.wrong += frame.predictions.len();
            if frame.truths.is_empty() || frame.predictions.is_empty() {
                continue;
            }
            let gain = |row: usize, column: usize| {
                let alike = frame.similarity[row][column];
                let is_kept = partner_before[frame.truths[row]] == Some(frame.predictions[column]);
                let is_pair = alike >= LEAST_SIMILARITY - f64::EPSILON;
                let continuity = if is_kept { CONTINUITY } else { 0.0 };
                if is_pair { continuity + alike } else { 0.0 }
            };
            let cost: Vec<Vec<f64>> = (0..frame.truths.len())
                .map(|row| {
                    let columns = 0..frame.predictions.len();
                    columns.map(|column| -gain(row, column)).collect()
                })
                .collect();
            let mut partner_now = vec![None; tracks];
            let pairs = min_cost_assignment(&cost).into_iter().enumerate();
            for (row, column) in pairs.filter_map(|(row, column)| Some((row, column?))) {
                if gain(row, column) <= f64::EPSILON {
                    continue;
                }
                let (truth, prediction) = (frame.truths[row], frame.predictions[column]);
                tally.found += 1;
                tally.missed -= 1;
                tally.wrong -= 1;
                tally.similarity += frame.similarity[row][column];
                let is_other = last_partner[truth].is_some_and(|last| last != prediction);
                tally.identity_switches += usize::from(is_other);
                beginnings[truth] += usize::from(partner_before[truth].is_none());
                found_boxes[truth] += 1;
                last_partner[truth] = Some(prediction);
                partner_now[truth] = Some(prediction);
            }
            partner_before = partner_now;
        }
        for (found, length) in found_boxes.iter().zip(&drive.truth_lengths) {
            let share = *found as f64 / *length as f64;
            let kind = if share > 0.8 {
                &mut tally.mostly_tracked
            } else if share >= 0.2 {
                &mut tally.partly_tracked
            } else {
                &mut tally.mostly_lost
            };
            *kind += 1;
        }
        tally.fragmentations = beginnings.iter().map(|count| count.saturating_sub(1)).sum();
        tally
    }

    /// Adds the drives of another tally.
    pub fn merge(&mut self, other: &Self) {
        self.found += other.found;
        self.missed += other.missed;
        self.wrong += other.wrong;
        self.identity_switches += other.identity_switches;
        self.mostly_tracked += other.mostly_tracked;
        self.mostly_lost += other.mostly_lost;
        self.partly_tracked += other.partly_tracked;
        self.fragmentations += other.fragmentations;
        self.similarity += other.similarity;
    }

    /// MOTA: found less wrong less switches, over the ground truth; it can be below zero.
    pub fn accuracy(&self) -> f64 {
        let gained = self.found as f64 - self.wrong as f64 - self.identity_switches as f64;
        gained / ((self.found + self.missed) as f64).max(1.0)
    }

    /// MOTP: mean similarity of found pairs.
    pub fn precision(&self) -> f64 {
        self.similarity / (self.found as f64).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::tracks::similarity::SimilarityFrame;

    #[test]
    fn a_partner_is_kept_while_it_fits_and_a_change_is_a_switch() {
        let frame = |to_first: f64, to_second: f64| SimilarityFrame {
            truths: vec![0],
            predictions: vec![0, 1],
            similarity: vec![vec![to_first, to_second]],
        };
        // The second one is nearer in the middle, and the only one left at the end.
        let frames = vec![frame(0.9, 0.1), frame(0.6, 0.8), frame(0.2, 0.7)];
        let tally = ClearTally::of(&SimilarityDrive::new(frames));
        assert_eq!((tally.found, tally.wrong, tally.missed), (3, 3, 0));
        assert_eq!((tally.identity_switches, tally.mostly_tracked), (1, 1));
        assert!((tally.precision() - (0.9 + 0.6 + 0.7) / 3.0).abs() < 1e-12);
        assert!((tally.accuracy() + 1.0 / 3.0).abs() < 1e-12);
    }
}
