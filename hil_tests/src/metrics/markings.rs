//! Arrows, crosswalks and stop lines: elements with a centre.
//!
//! An element is scored when its centre lies in [`Range::MAP`]; its shape is not cut. Ground truth
//! outside of it, or that no camera has seen, does not count: a prediction on it is neither right
//! nor wrong, and neither is an unmatched prediction with its centre outside.

use super::chamfer::{ChamferLine, Outcome, Tally, distance_matrix, match_nearest};
use super::detection::heading_difference;
use super::polygon::{Corner, intersection_over_union};
use super::polyline::{Point, Range, distance};
use super::sigma::{Centred, SigmaTally};
use crate::prediction::{PredictedArrow, PredictedCrosswalk, PredictedStopLine};
use crate::truth::{ArrowTruth, CrosswalkTruth, StopLineTruth};

/// Chamfer thresholds of crosswalks and stop lines, metres; the first is the published one.
pub const CHAMFER_THRESHOLDS_M: [f64; 2] = [1.0, 1.5];
/// Sets of directions that arrows are scored by.
pub const ARROW_KINDS: [u8; 8] = [1, 2, 4, 3, 5, 6, 7, 8];
const ARROW_DISTANCE_M: f64 = 1.0;
const LEAST_OVERLAP: f64 = 0.5;

/// Verdicts on arrows, by set of directions.
#[derive(Clone, Debug, Default)]
pub struct ArrowTally {
    kinds: [Tally; ARROW_KINDS.len()],
    heading_error_sum_rad: f64,
    found: usize,
}

/// Scores of arrows.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrowScores {
    /// Average precision of all arrows in one ranking, right kind within 1 m.
    pub average_precision: Option<f64>,
    /// Mean of the average precisions of the kinds that have ground truth.
    pub mean_over_kinds: Option<f64>,
    /// Mean heading error of found arrows.
    pub heading_error_rad: Option<f64>,
    /// Arrows that counted.
    pub truth_count: usize,
}

impl ArrowTally {
    /// Compares the arrows of one frame.
    pub fn add(
        &mut self,
        truths: &[ArrowTruth],
        predictions: &[PredictedArrow],
        sigma: &mut SigmaTally,
    ) {
        for (kind, tally) in ARROW_KINDS.into_iter().zip(&mut self.kinds) {
            let truths: Vec<&ArrowTruth> = truths.iter().filter(|t| t.directions == kind).collect();
            let predictions: Vec<&PredictedArrow> = predictions
                .iter()
                .filter(|p| p.directions == kind)
                .collect();
            let counts: Vec<bool> = truths
                .iter()
                .map(|t| t.is_seen && Range::MAP.contains(&t.position_m))
                .collect();
            let scores: Vec<f64> = predictions.iter().map(|p| p.confidence).collect();
            let closeness: Vec<Vec<f64>> = predictions
                .iter()
                .map(|p| {
                    truths
                        .iter()
                        .map(|t| -distance(&p.position_m, &t.position_m))
                        .collect()
                })
                .collect();
            let mut outcomes = match_free(&scores, &closeness, &counts, -ARROW_DISTANCE_M);
            ignore_outside(&mut outcomes, predictions.iter().map(|p| p.position_m));
            tally.add(
                &scores,
                &outcomes,
                counts.iter().filter(|&&counts| counts).count(),
            );
            for (outcome, predicted) in outcomes.iter().zip(&predictions) {
                if let Outcome::Found(truth) = outcome {
                    let truth = truths[*truth];
                    self.heading_error_sum_rad +=
                        heading_difference(truth.yaw_rad, predicted.yaw_rad);
                    self.found += 1;
                    let centres = (flat(&truth.position_m), flat(&predicted.position_m));
                    sigma.add_centre(
                        Centred::Arrow,
                        centres.0,
                        centres.1,
                        predicted.sigma_position_m,
                    );
                }
            }
        }
    }

    /// Adds the frames of another tally.
    pub fn merge(&mut self, other: &Self) {
        for (own, other) in self.kinds.iter_mut().zip(&other.kinds) {
            own.merge(other);
        }
        self.heading_error_sum_rad += other.heading_error_sum_rad;
        self.found += other.found;
    }

    /// The scores over all frames.
    pub fn scores(&self) -> ArrowScores {
        let mut all = Tally::default();
        for kind in &self.kinds {
            all.merge(kind);
        }
        let known: Vec<f64> = self
            .kinds
            .iter()
            .filter_map(Tally::average_precision)
            .collect();
        let mean = |sum: f64, count: usize| (count > 0).then(|| sum / count as f64);
        ArrowScores {
            average_precision: all.average_precision(),
            mean_over_kinds: mean(known.iter().sum(), known.len()),
            heading_error_rad: mean(self.heading_error_sum_rad, self.found),
            truth_count: all.truth_count(),
        }
    }
}

/// Verdicts on crosswalks.
#[derive(Clone, Debug, Default)]
pub struct CrosswalkTally {
    chamfer: [Tally; CHAMFER_THRESHOLDS_M.len()],
    overlap: Tally,
}

/// Scores of crosswalks.
#[derive(Clone, Debug, PartialEq)]
pub struct CrosswalkScores {
    /// By Chamfer distance of the outlines, at 1 and 1.5 m.
    pub average_precision: [Option<f64>; CHAMFER_THRESHOLDS_M.len()],
    /// By overlap of at least one half.
    pub overlap_average_precision: Option<f64>,
    /// Crosswalks that counted.
    pub truth_count: usize,
}

impl CrosswalkTally {
    /// Compares the crosswalks of one frame.
    pub fn add(
        &mut self,
        truths: &[CrosswalkTruth],
        predictions: &[PredictedCrosswalk],
        sigma: &mut SigmaTally,
    ) {
        let predictions: Vec<&PredictedCrosswalk> = predictions
            .iter()
            .filter(|p| p.corners_m.len() >= 3)
            .collect();
        let counts: Vec<bool> = truths
            .iter()
            .map(|t| t.is_seen && Range::MAP.contains(&t.position_m))
            .collect();
        let count = counts.iter().filter(|&&counts| counts).count();
        let scores: Vec<f64> = predictions.iter().map(|p| p.confidence).collect();
        let centres = || predictions.iter().map(|p| mean_point(&p.corners_m));

        let outlines: Vec<ChamferLine> =
            predictions.iter().map(|p| outline(&p.corners_m)).collect();
        let known: Vec<ChamferLine> = truths.iter().map(|t| outline(&t.corners_m())).collect();
        let distances = distance_matrix(&outlines, &known);
        for (place, (tally, threshold_m)) in self
            .chamfer
            .iter_mut()
            .zip(CHAMFER_THRESHOLDS_M)
            .enumerate()
        {
            let mut outcomes = match_nearest(&scores, &distances, &counts, threshold_m);
            ignore_outside(&mut outcomes, centres());
            tally.add(&scores, &outcomes, count);
            if place == 0 {
                for ((outcome, predicted), centre) in
                    outcomes.iter().zip(&predictions).zip(centres())
                {
                    if let Outcome::Found(truth) = outcome {
                        let known = flat(&truths[*truth].position_m);
                        sigma.add_centre(
                            Centred::Crosswalk,
                            known,
                            flat(&centre),
                            predicted.sigma_position_m,
                        );
                    }
                }
            }
        }

        let overlaps: Vec<Vec<f64>> = predictions
            .iter()
            .map(|p| {
                let found: Vec<Corner> = p.corners_m.iter().map(flat).collect();
                truths
                    .iter()
                    .map(|t| intersection_over_union(&found, &t.corners_m().map(|c| flat(&c))))
                    .collect()
            })
            .collect();
        let mut outcomes = match_free(&scores, &overlaps, &counts, LEAST_OVERLAP);
        ignore_outside(&mut outcomes, centres());
        self.overlap.add(&scores, &outcomes, count);
    }

    /// Adds the frames of another tally.
    pub fn merge(&mut self, other: &Self) {
        for (own, other) in self.chamfer.iter_mut().zip(&other.chamfer) {
            own.merge(other);
        }
        self.overlap.merge(&other.overlap);
    }

    /// The scores over all frames.
    pub fn scores(&self) -> CrosswalkScores {
        CrosswalkScores {
            average_precision: self.chamfer.each_ref().map(Tally::average_precision),
            overlap_average_precision: self.overlap.average_precision(),
            truth_count: self.overlap.truth_count(),
        }
    }
}

/// Verdicts on stop lines.
#[derive(Clone, Debug, Default)]
pub struct StopLineTally {
    chamfer: [Tally; CHAMFER_THRESHOLDS_M.len()],
}

/// Scores of stop lines.
#[derive(Clone, Debug, PartialEq)]
pub struct StopLineScores {
    /// By Chamfer distance, at 1 and 1.5 m.
    pub average_precision: [Option<f64>; CHAMFER_THRESHOLDS_M.len()],
    /// Stop lines that counted.
    pub truth_count: usize,
}

impl StopLineTally {
    /// Compares the stop lines of one frame.
    pub fn add(
        &mut self,
        truths: &[StopLineTruth],
        predictions: &[PredictedStopLine],
        sigma: &mut SigmaTally,
    ) {
        let predictions: Vec<&PredictedStopLine> = predictions
            .iter()
            .filter(|p| p.points_m.len() >= 2)
            .collect();
        let counts: Vec<bool> = truths
            .iter()
            .map(|t| t.is_seen && Range::MAP.contains(&t.position_m))
            .collect();
        let count = counts.iter().filter(|&&counts| counts).count();
        let scores: Vec<f64> = predictions.iter().map(|p| p.confidence).collect();
        let lines: Vec<ChamferLine> = predictions
            .iter()
            .map(|p| ChamferLine::new(&p.points_m))
            .collect();
        let known: Vec<ChamferLine> = truths
            .iter()
            .map(|t| ChamferLine::new(&t.ends_m()))
            .collect();
        let distances = distance_matrix(&lines, &known);
        for (place, (tally, threshold_m)) in self
            .chamfer
            .iter_mut()
            .zip(CHAMFER_THRESHOLDS_M)
            .enumerate()
        {
            let mut outcomes = match_nearest(&scores, &distances, &counts, threshold_m);
            ignore_outside(
                &mut outcomes,
                predictions.iter().map(|p| mean_point(&p.points_m)),
            );
            tally.add(&scores, &outcomes, count);
            if place == 0 {
                for (outcome, predicted) in outcomes.iter().zip(&predictions) {
                    if let Outcome::Found(truth) = outcome {
                        let centre = mean_point(&predicted.points_m);
                        let known = flat(&truths[*truth].position_m);
                        let sigma_m = predicted.sigma_position_m;
                        sigma.add_centre(Centred::StopLine, known, flat(&centre), sigma_m);
                    }
                }
            }
        }
    }

    /// Adds the frames of another tally.
    pub fn merge(&mut self, other: &Self) {
        for (own, other) in self.chamfer.iter_mut().zip(&other.chamfer) {
            own.merge(other);
        }
    }

    /// The scores over all frames.
    pub fn scores(&self) -> StopLineScores {
        StopLineScores {
            average_precision: self.chamfer.each_ref().map(Tally::average_precision),
            truth_count: self.chamfer[0].truth_count(),
        }
    }
}

/// Matches by falling score: each prediction takes the closest ground truth that is still free.
///
/// `closeness[prediction][truth]` grows with agreement and must reach `least`. Ground truth that
/// does not count is never taken; a prediction that finds nothing else but reaches it is ignored.
fn match_free(scores: &[f64], closeness: &[Vec<f64>], counts: &[bool], least: f64) -> Vec<Outcome> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut is_free = counts.to_vec();
    let mut outcomes = vec![Outcome::Nothing; scores.len()];
    for prediction in order {
        let row = &closeness[prediction];
        let closest = (0..row.len())
            .filter(|&truth| is_free[truth] && row[truth] >= least)
            .max_by(|&a, &b| row[a].total_cmp(&row[b]));
        outcomes[prediction] = match closest {
            Some(truth) => {
                is_free[truth] = false;
                Outcome::Found(truth)
            }
            None if (0..row.len()).any(|truth| !counts[truth] && row[truth] >= least) => {
                Outcome::Ignored
            }
            None => Outcome::Nothing,
        };
    }
    outcomes
}

/// Ignores predictions that found nothing and have their centre outside of the range.
fn ignore_outside(outcomes: &mut [Outcome], centres: impl Iterator<Item = Point>) {
    for (outcome, centre) in outcomes.iter_mut().zip(centres) {
        if *outcome == Outcome::Nothing && !Range::MAP.contains(&centre) {
            *outcome = Outcome::Ignored;
        }
    }
}

fn outline(corners: &[Point]) -> ChamferLine {
    let mut ring = corners.to_vec();
    ring.extend(corners.first());
    ChamferLine::new(&ring)
}

fn mean_point(points: &[Point]) -> Point {
    std::array::from_fn(|k| points.iter().map(|p| p[k]).sum::<f64>() / points.len() as f64)
}

fn flat(point: &Point) -> [f64; 2] {
    [point[0], point[1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrow(x: f64, directions: u8, is_seen: bool) -> ArrowTruth {
        ArrowTruth {
            id: 1,
            directions,
            position_m: [x, 0.0, 0.0],
            yaw_rad: 0.0,
            is_seen,
        }
    }

    fn predicted_arrow(x: f64, directions: u8, confidence: f64) -> PredictedArrow {
        PredictedArrow {
            directions,
            confidence,
            position_m: [x, 0.0, 0.0],
            yaw_rad: 0.1,
            sigma_position_m: 0.2,
        }
    }

    fn arrow_scores(truths: &[ArrowTruth], predictions: &[PredictedArrow]) -> ArrowScores {
        let mut tally = ArrowTally::default();
        tally.add(truths, predictions, &mut SigmaTally::default());
        tally.scores()
    }

    #[test]
    fn an_arrow_needs_the_right_kind_within_a_metre() {
        let truths = [arrow(5.0, 1, true), arrow(10.0, 3, true)];
        let right = [predicted_arrow(5.9, 1, 0.9), predicted_arrow(10.0, 3, 0.8)];
        assert_eq!(arrow_scores(&truths, &right).average_precision, Some(1.0));
        let wrong = [predicted_arrow(5.9, 2, 0.9), predicted_arrow(11.1, 3, 0.8)];
        assert_eq!(arrow_scores(&truths, &wrong).average_precision, Some(0.0));
        let scores = arrow_scores(&truths, &right[..1]);
        assert_eq!(
            (scores.average_precision, scores.mean_over_kinds),
            (Some(0.5), Some(0.5))
        );
        assert!((scores.heading_error_rad.expect("one was found") - 0.1).abs() < 1e-12);
    }

    #[test]
    fn unseen_and_outside_arrows_are_neither_right_nor_wrong() {
        let truths = [
            arrow(5.0, 1, true),
            arrow(12.0, 1, false),
            arrow(30.4, 1, true),
        ];
        let predictions = [
            predicted_arrow(12.2, 1, 0.9),
            predicted_arrow(30.0, 1, 0.8),
            predicted_arrow(40.0, 1, 0.7),
            predicted_arrow(5.0, 1, 0.6),
        ];
        let scores = arrow_scores(&truths, &predictions);
        assert_eq!(
            (scores.truth_count, scores.average_precision),
            (1, Some(1.0))
        );
    }

    fn crosswalk(x: f64, width_m: f64) -> CrosswalkTruth {
        CrosswalkTruth {
            id: 1,
            position_m: [x, 0.0, 0.0],
            theta_rad: std::f64::consts::FRAC_PI_2,
            length_m: 10.0,
            width_m,
            is_seen: true,
        }
    }

    fn predicted_crosswalk(x: f64, width_m: f64) -> PredictedCrosswalk {
        PredictedCrosswalk {
            confidence: 0.8,
            corners_m: crosswalk(x, width_m).corners_m().to_vec(),
            sigma_position_m: 0.3,
        }
    }

    #[test]
    fn crosswalks_are_found_by_outline_and_by_overlap() {
        let score = |predicted: PredictedCrosswalk| {
            let mut tally = CrosswalkTally::default();
            tally.add(
                &[crosswalk(10.0, 4.0)],
                &[predicted],
                &mut SigmaTally::default(),
            );
            let scores = tally.scores();
            (scores.average_precision, scores.overlap_average_precision)
        };
        assert_eq!(
            score(predicted_crosswalk(10.5, 4.0)),
            ([Some(1.0); 2], Some(1.0))
        );
        // Shifted by half its width: overlap 2 / 6.
        assert_eq!(score(predicted_crosswalk(12.0, 4.0)).1, Some(0.0));
        assert_eq!(score(predicted_crosswalk(18.0, 4.0)).0, [Some(0.0); 2]);
    }

    #[test]
    fn stop_lines_are_found_by_chamfer_distance() {
        let truth = StopLineTruth {
            id: 1,
            position_m: [10.0, 0.0, 0.0],
            theta_rad: std::f64::consts::FRAC_PI_2,
            length_m: 6.0,
            is_seen: true,
        };
        let mut sigma = SigmaTally::default();
        let mut tally = StopLineTally::default();
        let predicted = PredictedStopLine {
            confidence: 0.8,
            points_m: vec![[11.2, 3.0, 0.0], [11.2, -3.0, 0.0]],
            sigma_position_m: 0.3,
        };
        tally.add(std::slice::from_ref(&truth), &[predicted], &mut sigma);
        assert_eq!(tally.scores().average_precision, [Some(0.0), Some(1.0)]);
        assert!(sigma.scores().is_empty());
    }
}
