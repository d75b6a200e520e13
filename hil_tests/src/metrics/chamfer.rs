//! Chamfer distance between lines and the average precision built on it, as MapTR computes them.

use super::curve::{Verdict, envelope_average_precision, rank};
use super::gate::{HALF_WIDTH_M, Strip};
use super::polyline::{Point, resample};

/// Points to which lines are resampled.
pub const SAMPLES: usize = 100;

/// A line prepared for comparison.
#[derive(Clone, Debug)]
pub struct ChamferLine {
    points: Vec<Point>,
    strip: Strip,
}

impl ChamferLine {
    /// Resamples a line to [`SAMPLES`] points; a ring repeats its first point at the end.
    pub fn new(points: &[Point]) -> Self {
        Self::from_samples(resample(points, SAMPLES))
    }

    /// Takes the points as they are.
    pub fn from_samples(points: Vec<Point>) -> Self {
        let strip = Strip::new(&points, HALF_WIDTH_M);
        Self { points, strip }
    }

    /// The points that stand for the line.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Chamfer distance in x and y, or `None` where the strips of the two lines do not meet.
    pub fn gated_distance(&self, other: &Self) -> Option<f64> {
        self.strip
            .meets(&other.strip)
            .then(|| chamfer(&self.points, &other.points))
    }
}

/// Half the sum of the mean distances from the points of each line to the nearest of the other.
pub fn chamfer(a: &[Point], b: &[Point]) -> f64 {
    let mut nearest_of_b = vec![f64::INFINITY; b.len()];
    let mut sum_a = 0.0;
    for point in a {
        let mut nearest = f64::INFINITY;
        for (other, of_b) in b.iter().zip(&mut nearest_of_b) {
            let squared = (point[0] - other[0]).powi(2) + (point[1] - other[1]).powi(2);
            nearest = nearest.min(squared);
            *of_b = of_b.min(squared);
        }
        sum_a += nearest.sqrt();
    }
    let sum_b: f64 = nearest_of_b.iter().map(|squared| squared.sqrt()).sum();
    0.5 * (sum_a / a.len() as f64 + sum_b / b.len() as f64)
}

/// What became of one prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Found this element of the ground truth.
    Found(usize),
    /// Found nothing.
    Nothing,
    /// Lies on ground truth that does not count: neither right nor wrong.
    Ignored,
}

/// Matches predictions to ground truth at one threshold, in MapTR's way.
///
/// Each prediction looks at its nearest ground truth alone, whether taken or not (the lower index
/// on a tie); it finds it when the distance is at most `threshold_m` and no prediction of a higher
/// score has it. `distances[prediction][truth]` is `None` where the gate refused. Ground truth with
/// `counts[truth]` false is left out; a prediction that found nothing but lies within the threshold
/// of such is ignored. Gives an outcome for each prediction, in the order given.
pub fn match_nearest(
    scores: &[f64],
    distances: &[Vec<Option<f64>>],
    counts: &[bool],
    threshold_m: f64,
) -> Vec<Outcome> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut is_taken = vec![false; counts.len()];
    let mut outcomes = vec![Outcome::Nothing; scores.len()];
    for prediction in order {
        let nearest = |wanted: bool| {
            (0..counts.len())
                .filter(|&truth| counts[truth] == wanted)
                .filter_map(|truth| distances[prediction][truth].map(|d| (truth, d)))
                .fold(None, |best: Option<(usize, f64)>, found| match best {
                    Some(best) if best.1 <= found.1 => Some(best),
                    _ => Some(found),
                })
                .filter(|&(_, d)| d <= threshold_m)
        };
        outcomes[prediction] = match nearest(true) {
            Some((truth, _)) if !is_taken[truth] => {
                is_taken[truth] = true;
                Outcome::Found(truth)
            }
            _ if nearest(false).is_some() => Outcome::Ignored,
            _ => Outcome::Nothing,
        };
    }
    outcomes
}

/// Verdicts of one threshold over any number of frames.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    verdicts: Vec<Verdict>,
    truth_count: usize,
}

impl Tally {
    /// Adds one frame: what became of its predictions, and how much ground truth counted.
    pub fn add(&mut self, scores: &[f64], outcomes: &[Outcome], truth_count: usize) {
        self.truth_count += truth_count;
        self.verdicts
            .extend(scores.iter().zip(outcomes).filter_map(|(&score, outcome)| {
                let is_true = match outcome {
                    Outcome::Found(_) => true,
                    Outcome::Nothing => false,
                    Outcome::Ignored => return None,
                };
                Some(Verdict { score, is_true })
            }));
    }

    /// Adds the frames of another tally.
    pub fn merge(&mut self, other: &Self) {
        self.truth_count += other.truth_count;
        self.verdicts.extend_from_slice(&other.verdicts);
    }

    /// Ground truth that counted.
    pub fn truth_count(&self) -> usize {
        self.truth_count
    }

    /// Predictions that were right or wrong.
    pub fn prediction_count(&self) -> usize {
        self.verdicts.len()
    }

    /// Area under the envelope over all frames; `None` where no ground truth counted.
    pub fn average_precision(&self) -> Option<f64> {
        (self.truth_count > 0).then(|| envelope_average_precision(&self.ranked(), self.truth_count))
    }

    /// The verdicts by falling score; equal scores in the order of the frames.
    pub fn ranked(&self) -> Vec<Verdict> {
        let mut ranked = self.verdicts.clone();
        rank(&mut ranked);
        ranked
    }
}

/// Distances of all pairs, `[prediction][truth]`; `None` where the gate refused.
pub fn distance_matrix(
    predictions: &[ChamferLine],
    truths: &[ChamferLine],
) -> Vec<Vec<Option<f64>>> {
    predictions
        .iter()
        .map(|prediction| {
            truths
                .iter()
                .map(|truth| prediction.gated_distance(truth))
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chamfer_of_parallel_lines_is_their_distance() {
        let a = ChamferLine::new(&[[0.0, 0.0, 0.0], [9.9, 0.0, 0.0]]);
        let b = ChamferLine::new(&[[9.9, 0.7, 5.0], [0.0, 0.7, 5.0]]);
        assert!((a.gated_distance(&b).expect("they are near") - 0.7).abs() < 1e-12);
        assert_eq!(a.points().len(), SAMPLES);
    }

    #[test]
    fn a_prediction_has_no_second_choice() {
        let distances = vec![vec![Some(0.2), Some(0.9)], vec![Some(0.3), Some(0.4)]];
        let outcomes = match_nearest(&[0.9, 0.8], &distances, &[true, true], 1.0);
        assert_eq!(outcomes, vec![Outcome::Found(0), Outcome::Nothing]);
    }

    #[test]
    fn ground_truth_that_does_not_count_is_neither_right_nor_wrong() {
        let distances = vec![
            vec![None, Some(0.9)],
            vec![Some(0.3), Some(0.4)],
            vec![None, None],
        ];
        let outcomes = match_nearest(&[0.9, 0.8, 0.7], &distances, &[true, false], 1.0);
        assert_eq!(
            outcomes,
            vec![Outcome::Ignored, Outcome::Found(0), Outcome::Nothing]
        );
        let mut tally = Tally::default();
        tally.add(&[0.9, 0.8, 0.7], &outcomes, 1);
        assert_eq!(tally.prediction_count(), 2);
        assert_eq!(tally.average_precision(), Some(1.0));
    }
}
