//! Identity scores (Ristani et al., 2016): the best one-to-one pairing of whole tracks.

use super::similarity::SimilarityDrive;
use crate::metrics::min_cost_assignment;

/// Similarity from which two boxes agree: a centre distance of 2 m.
const LEAST_SIMILARITY: f64 = 0.5;

/// Boxes over any number of drives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdentityTally {
    /// IDTP: boxes in which paired tracks agree.
    pub agreed: usize,
    /// IDFN: the other boxes of the ground truth.
    pub missed: usize,
    /// IDFP: the other predictions.
    pub wrong: usize,
}

impl IdentityTally {
    /// Pairs the tracks of one drive.
    pub fn of(drive: &SimilarityDrive) -> Self {
        let size = (drive.truth_lengths.len(), drive.prediction_lengths.len());
        let mut agreed = vec![vec![0_usize; size.1]; size.0];
        for frame in &drive.frames {
            for (&truth, row) in frame.truths.iter().zip(&frame.similarity) {
                for (&prediction, &alike) in frame.predictions.iter().zip(row) {
                    agreed[truth][prediction] += usize::from(alike >= LEAST_SIMILARITY);
                }
            }
        }
        let cost: Vec<Vec<f64>> = agreed
            .iter()
            .map(|row| row.iter().map(|&count| -(count as f64)).collect())
            .collect();
        let pairs = min_cost_assignment(&cost).into_iter().zip(&agreed);
        let agreed: usize = pairs.filter_map(|(column, row)| Some(row[column?])).sum();
        Self {
            agreed,
            missed: drive.truth_lengths.iter().sum::<usize>() - agreed,
            wrong: drive.prediction_lengths.iter().sum::<usize>() - agreed,
        }
    }

    /// Adds the drives of another tally.
    pub fn merge(&mut self, other: &Self) {
        self.agreed += other.agreed;
        self.missed += other.missed;
        self.wrong += other.wrong;
    }

    /// IDR: share of the ground truth that agrees.
    pub fn recall(&self) -> f64 {
        self.agreed as f64 / ((self.agreed + self.missed) as f64).max(1.0)
    }

    /// IDP: share of the predictions that agree.
    pub fn precision(&self) -> f64 {
        self.agreed as f64 / ((self.agreed + self.wrong) as f64).max(1.0)
    }

    /// IDF1 of the two.
    pub fn f1(&self) -> f64 {
        let others = 0.5 * (self.missed + self.wrong) as f64;
        self.agreed as f64 / (self.agreed as f64 + others).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::tracks::similarity::SimilarityFrame;

    #[test]
    fn only_the_longest_of_several_pieces_counts_for_a_track() {
        let frames = [0, 0, 0, 1, 1].map(|prediction| SimilarityFrame {
            truths: vec![0],
            predictions: vec![prediction],
            similarity: vec![vec![0.9]],
        });
        let tally = IdentityTally::of(&SimilarityDrive::new(frames.to_vec()));
        assert_eq!((tally.agreed, tally.missed, tally.wrong), (3, 2, 2));
        assert!((tally.f1() - 0.6).abs() < 1e-12);
    }
}
