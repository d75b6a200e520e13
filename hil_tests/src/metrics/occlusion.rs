//! How many hidden objects are still known: the score that a memory is for.

use super::curve::{Curve, Verdict, rank};
use super::detection::{
    DetectionRange, PredictedBox, ScoredBox, TruthBox, centre_distance, nearest_free,
};
use super::score_classes::ScoreClass;

/// Centre distance within which an object is found, metres.
const THRESHOLD_M: f64 = 2.0;
/// Precision that sets the score from which predictions are taken.
const PRECISION: f64 = 0.5;

/// Verdicts over any number of frames.
#[derive(Clone, Debug, Default)]
pub struct OcclusionTally {
    verdicts: Vec<Verdict>,
    /// For each hidden object, the score of the prediction that found it.
    hidden: Vec<Option<f64>>,
}

/// Recall of hidden objects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OcclusionScores {
    /// Share of hidden objects that were found, at `score`; `None` where there were none.
    pub recall: Option<f64>,
    /// Hidden objects.
    pub hidden_count: usize,
    /// The lowest score down to which precision over all classes is at least one half.
    pub score: Option<f64>,
}

impl OcclusionTally {
    /// Matches the boxes of one frame at nuScenes ranges; `is_hidden` goes with `truths`.
    pub fn add(&mut self, truths: &[TruthBox], is_hidden: &[bool], predictions: &[PredictedBox]) {
        let range = DetectionRange::NuScenes;
        for class in ScoreClass::ALL {
            let of_class = || {
                truths
                    .iter()
                    .zip(is_hidden)
                    .filter(|(truth, _)| truth.scored.class == class)
            };
            let (counting, hidden): (Vec<&ScoredBox>, Vec<bool>) = of_class()
                .filter(|(truth, _)| truth.counts && range.contains(&truth.scored))
                .map(|(truth, hidden)| (&truth.scored, *hidden))
                .unzip();
            let mut ranked: Vec<&PredictedBox> = predictions
                .iter()
                .filter(|p| p.scored.class == class && range.contains(&p.scored))
                .collect();
            ranked.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
            let mut score_of_truth = vec![None; counting.len()];
            for (prediction, found) in
                ranked
                    .iter()
                    .zip(nearest_free(&counting, &ranked, THRESHOLD_M))
            {
                let score = prediction.confidence;
                if let Some(truth) = found {
                    score_of_truth[truth] = Some(score);
                } else if of_class().any(|(truth, _)| {
                    !truth.counts
                        && centre_distance(&truth.scored, &prediction.scored) < THRESHOLD_M
                }) {
                    continue;
                }
                self.verdicts.push(Verdict {
                    score,
                    is_true: found.is_some(),
                });
            }
            self.hidden.extend(
                score_of_truth
                    .into_iter()
                    .zip(hidden)
                    .filter_map(|(score, h)| h.then_some(score)),
            );
        }
    }

    /// Adds the frames of another tally.
    pub fn merge(&mut self, other: &Self) {
        self.verdicts.extend_from_slice(&other.verdicts);
        self.hidden.extend_from_slice(&other.hidden);
    }

    /// The scores over all frames.
    pub fn scores(&self) -> OcclusionScores {
        let mut ranked = self.verdicts.clone();
        rank(&mut ranked);
        let score = Curve::new(&ranked, 0).score_at_precision(PRECISION);
        let found = score.map_or(0, |least| {
            self.hidden
                .iter()
                .flatten()
                .filter(|&&score| score >= least)
                .count()
        });
        OcclusionScores {
            recall: (!self.hidden.is_empty()).then(|| found as f64 / self.hidden.len() as f64),
            hidden_count: self.hidden.len(),
            score,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f64) -> ScoredBox {
        ScoredBox {
            class: ScoreClass::Pedestrian,
            centre_m: [x, 0.0],
            size_m: [0.6, 0.6, 1.7],
            yaw_rad: 0.0,
            velocity_mps: [0.0, 0.0],
        }
    }

    #[test]
    fn hidden_objects_are_found_from_the_score_of_half_precision_on() {
        let truths = [0.0, 10.0, 20.0].map(|x| TruthBox {
            scored: at(x),
            counts: true,
        });
        let is_hidden = [false, true, true];
        let confidences = [
            (0.0, 0.9),
            (30.0, 0.8),
            (10.0, 0.7),
            (35.0, 0.6),
            (36.0, 0.5),
            (37.0, 0.4),
            (20.0, 0.3),
        ];
        let predictions = confidences.map(|(x, confidence)| PredictedBox {
            scored: at(x),
            confidence,
        });
        let mut tally = OcclusionTally::default();
        tally.add(&truths, &is_hidden, &predictions);
        let scores = tally.scores();
        // Precision down the list: 1, 1/2, 2/3, 1/2, 2/5, 1/3, 3/7.
        assert_eq!(scores.score, Some(0.6));
        assert_eq!(scores.hidden_count, 2);
        assert_eq!(scores.recall, Some(0.5));
    }

    #[test]
    fn without_hidden_objects_there_is_no_recall() {
        assert_eq!(OcclusionTally::default().scores().recall, None);
    }
}
