//! How many objects are found by how much of them is visible, and how many hidden ones are still
//! known: the score that a memory is for.

use super::bands::{VISIBILITY_LEVELS, band_of};
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
    /// For each object that counts, how visible it is and the score of the prediction that found it.
    truths: Vec<(Visibility, Option<f64>)>,
}

/// How much of an object is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Visibility {
    /// Share of the silhouette that is visible now.
    pub share: f64,
    /// Hidden now, seen shortly before.
    pub is_hidden: bool,
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
    /// By how much is visible now, in each of [`VISIBILITY_LEVELS`].
    pub by_visibility: [VisibleScores; VISIBILITY_LEVELS.len()],
}

/// Recall at one level of visibility.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VisibleScores {
    /// Share that was found, at the same score as of hidden objects; `None` where there were none.
    pub recall: Option<f64>,
    /// Objects.
    pub count: usize,
}

impl OcclusionTally {
    /// Matches the boxes of one frame at nuScenes ranges; `visibility` goes with `truths`.
    pub fn add(
        &mut self,
        truths: &[TruthBox],
        visibility: &[Visibility],
        predictions: &[PredictedBox],
    ) {
        let range = DetectionRange::NuScenes;
        for class in ScoreClass::ALL {
            let of_class = || {
                truths
                    .iter()
                    .zip(visibility)
                    .filter(|(truth, _)| truth.scored.class == class)
            };
            let (counting, visibility): (Vec<&ScoredBox>, Vec<Visibility>) = of_class()
                .filter(|(truth, _)| truth.counts && range.contains(&truth.scored))
                .map(|(truth, visibility)| (&truth.scored, *visibility))
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
            self.truths
                .extend(visibility.into_iter().zip(score_of_truth));
        }
    }

    /// Adds the frames of another tally.
    pub fn merge(&mut self, other: &Self) {
        self.verdicts.extend_from_slice(&other.verdicts);
        self.truths.extend_from_slice(&other.truths);
    }

    /// The scores over all frames.
    pub fn scores(&self) -> OcclusionScores {
        let mut ranked = self.verdicts.clone();
        rank(&mut ranked);
        let score = Curve::new(&ranked, 0).score_at_precision(PRECISION);
        let recall_of = |is_meant: &dyn Fn(&Visibility) -> bool| {
            let meant = || self.truths.iter().filter(|(seen, _)| is_meant(seen));
            let is_found = |found: &Option<f64>| score.is_some_and(|least| *found >= Some(least));
            let (count, found) = (
                meant().count(),
                meant().filter(|(_, found)| is_found(found)).count(),
            );
            VisibleScores {
                recall: (count > 0).then(|| found as f64 / count as f64),
                count,
            }
        };
        let hidden = recall_of(&|seen| seen.is_hidden);
        OcclusionScores {
            recall: hidden.recall,
            hidden_count: hidden.count,
            score,
            by_visibility: std::array::from_fn(|level| {
                recall_of(&|seen| band_of(seen.share, &VISIBILITY_LEVELS) == level)
            }),
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
        let visibility = [(0.9, false), (0.1, true), (0.0, true)]
            .map(|(share, is_hidden)| Visibility { share, is_hidden });
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
        tally.add(&truths, &visibility, &predictions);
        let scores = tally.scores();
        // Precision down the list: 1, 1/2, 2/3, 1/2, 2/5, 1/3, 3/7.
        assert_eq!(scores.score, Some(0.6));
        assert_eq!(scores.hidden_count, 2);
        assert_eq!(scores.recall, Some(0.5));
        let by_visibility = scores
            .by_visibility
            .map(|level| (level.recall, level.count));
        assert_eq!(
            by_visibility,
            [(Some(0.5), 2), (None, 0), (None, 0), (Some(1.0), 1)]
        );
    }

    #[test]
    fn without_hidden_objects_there_is_no_recall() {
        assert_eq!(OcclusionTally::default().scores().recall, None);
    }
}
