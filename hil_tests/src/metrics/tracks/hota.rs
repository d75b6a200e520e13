//! HOTA: how well boxes are found, and how well the found ones keep together (Luiten et al., 2021).

use super::similarity::SimilarityDrive;
use crate::metrics::min_cost_assignment;

/// Similarities that a pair has to reach: 0.05, 0.10, …, 0.95.
pub const HOTA_LEVELS: usize = 19;

fn level(index: usize) -> f64 {
    0.05 + index as f64 * 0.05
}

/// Sums over any number of drives, at one least similarity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Level {
    found: f64,
    missed: f64,
    wrong: f64,
    similarity: f64,
    /// Over the found pairs, how well their two tracks fit: as sets, of the truth, of the prediction.
    association: [f64; 3],
}

/// Sums over any number of drives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HotaTally {
    levels: [Level; HOTA_LEVELS],
}

/// The scores at one least similarity, or their means over all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HotaScores {
    /// Geometric mean of `detection` and `association`; of the means over similarities, their mean.
    pub hota: f64,
    /// DetA: found pairs over found, missed and wrong boxes.
    pub detection: f64,
    /// DetRe: share of the ground truth that is found.
    pub detection_recall: f64,
    /// DetPr: share of the predictions that are right.
    pub detection_precision: f64,
    /// AssA: over found pairs, the moments that their tracks share over those of either.
    pub association: f64,
    /// AssRe: the same over the moments of the true track.
    pub association_recall: f64,
    /// AssPr: the same over the moments of the predicted track.
    pub association_precision: f64,
    /// LocA: mean similarity of found pairs.
    pub localisation: f64,
}

impl HotaTally {
    /// Matches one drive.
    pub fn of(drive: &SimilarityDrive) -> Self {
        let truth_length = |track: usize| drive.truth_lengths[track] as f64;
        let prediction_length = |track: usize| drive.prediction_lengths[track] as f64;
        let alignment = alignment(drive);
        let size = (drive.truth_lengths.len(), drive.prediction_lengths.len());
        let mut tally = Self::default();
        let mut found = vec![vec![vec![0.0; size.1]; size.0]; HOTA_LEVELS];
        for frame in &drive.frames {
            let cost: Vec<Vec<f64>> = frame
                .truths
                .iter()
                .zip(&frame.similarity)
                .map(|(&truth, row)| {
                    let row = row.iter().zip(&frame.predictions);
                    row.map(|(alike, &prediction)| -alignment[truth][prediction] * alike)
                        .collect()
                })
                .collect();
            for level in &mut tally.levels {
                level.missed += frame.truths.len() as f64;
                level.wrong += frame.predictions.len() as f64;
            }
            let pairs = min_cost_assignment(&cost).into_iter().enumerate();
            for (row, column) in pairs.filter_map(|(row, column)| Some((row, column?))) {
                let alike = frame.similarity[row][column];
                let reached = |index: &usize| alike >= level(*index) - f64::EPSILON;
                for index in (0..HOTA_LEVELS).filter(reached) {
                    let sums = &mut tally.levels[index];
                    sums.found += 1.0;
                    sums.missed -= 1.0;
                    sums.wrong -= 1.0;
                    sums.similarity += alike;
                    found[index][frame.truths[row]][frame.predictions[column]] += 1.0;
                }
            }
        }
        for (level, found) in tally.levels.iter_mut().zip(&found) {
            for (truth, row) in found.iter().enumerate() {
                for (prediction, &shared) in row.iter().enumerate() {
                    let of_either = truth_length(truth) + prediction_length(prediction) - shared;
                    let lengths = [
                        of_either,
                        truth_length(truth),
                        prediction_length(prediction),
                    ];
                    for (sum, length) in level.association.iter_mut().zip(lengths) {
                        *sum += shared * shared / length.max(1.0);
                    }
                }
            }
        }
        tally
    }

    /// Adds the drives of another tally.
    pub fn merge(&mut self, other: &Self) {
        for (own, other) in self.levels.iter_mut().zip(&other.levels) {
            own.found += other.found;
            own.missed += other.missed;
            own.wrong += other.wrong;
            own.similarity += other.similarity;
            for (own, other) in own.association.iter_mut().zip(other.association) {
                *own += other;
            }
        }
    }

    /// The scores at each least similarity.
    pub fn levels(&self) -> [HotaScores; HOTA_LEVELS] {
        self.levels.map(|level| level.scores())
    }

    /// Means over the least similarities.
    pub fn scores(&self) -> HotaScores {
        HotaScores::mean(&self.levels())
    }
}

impl HotaScores {
    /// Mean of each score.
    pub(super) fn mean(all: &[Self]) -> Self {
        let mean = |value: fn(&Self) -> f64| all.iter().map(value).sum::<f64>() / all.len() as f64;
        Self {
            hota: mean(|s| s.hota),
            detection: mean(|s| s.detection),
            detection_recall: mean(|s| s.detection_recall),
            detection_precision: mean(|s| s.detection_precision),
            association: mean(|s| s.association),
            association_recall: mean(|s| s.association_recall),
            association_precision: mean(|s| s.association_precision),
            localisation: mean(|s| s.localisation),
        }
    }
}

impl Level {
    fn scores(&self) -> HotaScores {
        let share = |of: f64| self.found / of.max(1.0);
        let [association, association_recall, association_precision] =
            self.association.map(|sum| sum / self.found.max(1.0));
        let detection = share(self.found + self.missed + self.wrong);
        HotaScores {
            hota: (detection * association).sqrt(),
            detection,
            detection_recall: share(self.found + self.missed),
            detection_precision: share(self.found + self.wrong),
            association,
            association_recall,
            association_precision,
            // Nothing found is found where it is.
            localisation: self.similarity.max(1e-10) / self.found.max(1e-10),
        }
    }
}

/// How well each pair of tracks fits over the whole drive, before any is matched.
fn alignment(drive: &SimilarityDrive) -> Vec<Vec<f64>> {
    let size = (drive.truth_lengths.len(), drive.prediction_lengths.len());
    let mut together = vec![vec![0.0; size.1]; size.0];
    for frame in &drive.frames {
        let of_truth: Vec<f64> = frame
            .similarity
            .iter()
            .map(|row| row.iter().sum())
            .collect();
        let of_prediction: Vec<f64> = (0..frame.predictions.len())
            .map(|column| frame.similarity.iter().map(|row| row[column]).sum())
            .collect();
        for (row, &truth) in frame.truths.iter().enumerate() {
            for (column, &prediction) in frame.predictions.iter().enumerate() {
                let alike = frame.similarity[row][column];
                let of_either = of_truth[row] + of_prediction[column] - alike;
                if of_either > f64::EPSILON {
                    together[truth][prediction] += alike / of_either;
                }
            }
        }
    }
    for (truth, row) in together.iter_mut().enumerate() {
        for (prediction, together) in row.iter_mut().enumerate() {
            let lengths = drive.truth_lengths[truth] + drive.prediction_lengths[prediction];
            *together /= lengths as f64 - *together;
        }
    }
    together
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::tracks::similarity::SimilarityFrame;

    #[test]
    fn a_track_that_breaks_in_the_middle_keeps_half_of_its_association() {
        let frames = (0..4).map(|k| SimilarityFrame {
            truths: vec![0],
            predictions: vec![k / 2],
            similarity: vec![vec![1.0]],
        });
        let scores = HotaTally::of(&SimilarityDrive::new(frames.collect())).scores();
        assert!((scores.detection - 1.0).abs() < 1e-12);
        assert!((scores.association - 0.5).abs() < 1e-12);
        assert!((scores.hota - 0.5_f64.sqrt()).abs() < 1e-12);
        assert!((scores.localisation - 1.0).abs() < 1e-12);
    }
}
