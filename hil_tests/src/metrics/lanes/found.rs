//! Our lane F1: which lanes are found, all around.

use super::cut::{CutLanes, LanePart};
use crate::metrics::assignment::min_cost_assignment;
use crate::metrics::polyline::{Point, distance_to, resample_every};
use crate::metrics::sigma::Ratios;
use crate::truth::LaneTruth;

/// Distances within which points lie on a lane, metres: the published one, and a lenient one.
const THRESHOLDS_M: [f64; 2] = [0.5, 1.5];
/// Share of its points that must lie within.
const SHARE: f64 = 0.75;
/// Arc length between compared points.
const SPACING_M: f64 = 1.0;
/// Least confidences at which F1 is reported besides the published one.
const SWEEP: usize = 20;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counts {
    truths: usize,
    truths_found: usize,
    predictions: usize,
    predictions_right: usize,
}

impl Counts {
    fn merge(&mut self, other: &Self) {
        self.truths += other.truths;
        self.truths_found += other.truths_found;
        self.predictions += other.predictions;
        self.predictions_right += other.predictions_right;
    }

    fn recall(&self) -> f64 {
        self.truths_found as f64 / self.truths.max(1) as f64
    }

    fn precision(&self) -> f64 {
        self.predictions_right as f64 / self.predictions.max(1) as f64
    }

    fn f1(&self) -> f64 {
        let (recall, precision) = (self.recall(), self.precision());
        if recall + precision > 0.0 {
            2.0 * recall * precision / (recall + precision)
        } else {
            0.0
        }
    }
}

/// How often a found lane was given what is true of it, where that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Agreement {
    right: usize,
    known: usize,
}

impl Agreement {
    fn add(&mut self, known: u8, found: u8) {
        if known != LaneTruth::UNKNOWN {
            self.right += usize::from(known == found);
            self.known += 1;
        }
    }

    fn merge(&mut self, other: Self) {
        self.right += other.right;
        self.known += other.known;
    }

    fn share(self) -> Option<f64> {
        (self.known > 0).then(|| self.right as f64 / self.known as f64)
    }
}

/// Counts over any number of frames.
#[derive(Clone, Debug, Default)]
pub struct LaneF1Tally {
    published: [Counts; THRESHOLDS_M.len()],
    sweep: [Counts; SWEEP],
    pairs: usize,
    marking: Agreement,
    colour: Agreement,
    lateral_error_sum_m: f64,
    lateral: Ratios,
}

/// F1 and what goes with it.
#[derive(Clone, Debug, PartialEq)]
pub struct F1Scores {
    /// At 0.5 m.
    pub f1: f64,
    /// Lanes found over lanes, at 0.5 m.
    pub recall: f64,
    /// Right predictions over predictions, at 0.5 m.
    pub precision: f64,
    /// At 1.5 m.
    pub f1_lenient: f64,
    /// The best F1 at 0.5 m over least confidences in steps of 0.05, and that confidence.
    pub best: (f64, f64),
    /// Lanes that counted.
    pub truth_count: usize,
    /// Share of found lanes of known marking type with the right one; `None` without such lanes.
    pub marking_accuracy: Option<f64>,
    /// Share of found lanes of known colour with the right one; `None` without such lanes.
    pub colour_accuracy: Option<f64>,
    /// Mean distance of the points of found lanes from the prediction.
    pub lateral_error_m: Option<f64>,
}

/// One way of a comparison: how far the points of one line are from another line.
struct Fit {
    shares: [f64; THRESHOLDS_M.len()],
    mean_m: f64,
    distances_m: Vec<f64>,
}

impl Fit {
    fn new(points: &[Point], line: &[Point]) -> Self {
        let distances_m: Vec<f64> = points
            .iter()
            .map(|point| distance_to(line, point))
            .collect();
        let count = distances_m.len().max(1) as f64;
        Self {
            shares: THRESHOLDS_M
                .map(|limit| distances_m.iter().filter(|&&d| d <= limit).count() as f64 / count),
            mean_m: distances_m.iter().sum::<f64>() / count,
            distances_m,
        }
    }

    /// Mean distance, each held at `limit_m`, as a share of it.
    fn cost(&self, limit_m: f64) -> f64 {
        let sum: f64 = self.distances_m.iter().map(|d| d.min(limit_m)).sum();
        sum / (limit_m * self.distances_m.len().max(1) as f64)
    }
}

/// Both ways of every pair, `[truth][prediction]`.
struct Fits {
    of_truth: Vec<Vec<Fit>>,
    of_prediction: Vec<Vec<Fit>>,
}

impl Fits {
    fn new(truths: &[LanePart], predictions: &[LanePart]) -> Self {
        let resample = |parts: &[LanePart]| -> Vec<Vec<Point>> {
            parts
                .iter()
                .map(|part| resample_every(&part.points, SPACING_M))
                .collect()
        };
        let (truth_points, predicted_points) = (resample(truths), resample(predictions));
        let fits = |flip: bool| {
            (0..truths.len())
                .map(|t| {
                    (0..predictions.len())
                        .map(|p| {
                            if flip {
                                Fit::new(&predicted_points[p], &truths[t].points)
                            } else {
                                Fit::new(&truth_points[t], &predictions[p].points)
                            }
                        })
                        .collect()
                })
                .collect()
        };
        Self {
            of_truth: fits(false),
            of_prediction: fits(true),
        }
    }

    /// Pairs of least cost between all truths and the predictions of `places`.
    fn pairs(&self, places: &[usize], limit_m: f64) -> Vec<(usize, usize)> {
        let cost: Vec<Vec<f64>> = (0..self.of_truth.len())
            .map(|t| {
                places
                    .iter()
                    .map(|&p| {
                        self.of_truth[t][p].cost(limit_m) + self.of_prediction[t][p].cost(limit_m)
                    })
                    .collect()
            })
            .collect();
        min_cost_assignment(&cost)
            .into_iter()
            .enumerate()
            .filter_map(|(truth, column)| Some((truth, places[column?])))
            .collect()
    }

    fn count(&self, places: &[usize], threshold: usize) -> Counts {
        let pairs = self.pairs(places, THRESHOLDS_M[threshold]);
        let reached = |fits: &[Vec<Fit>]| {
            pairs
                .iter()
                .filter(|(t, p)| fits[*t][*p].shares[threshold] >= SHARE)
                .count()
        };
        Counts {
            truths: self.of_truth.len(),
            truths_found: reached(&self.of_truth),
            predictions: places.len(),
            predictions_right: reached(&self.of_prediction),
        }
    }
}

impl LaneF1Tally {
    /// Compares the lanes of one frame; predictions count from `least_confidence` on.
    pub fn add(&mut self, cut: &CutLanes, least_confidence: f64) {
        let fits = Fits::new(&cut.truths, &cut.predictions);
        let from = |least: f64| -> Vec<usize> {
            (0..cut.predictions.len())
                .filter(|&p| cut.predictions[p].confidence >= least)
                .collect()
        };
        let places = from(least_confidence);
        for (threshold, counts) in self.published.iter_mut().enumerate() {
            counts.merge(&fits.count(&places, threshold));
        }
        for (step, counts) in self.sweep.iter_mut().enumerate() {
            counts.merge(&fits.count(&from(sweep_confidence(step)), 0));
        }
        self.add_pairs(cut, &fits, &places);
    }

    fn add_pairs(&mut self, cut: &CutLanes, fits: &Fits, places: &[usize]) {
        for (truth, prediction) in fits.pairs(places, THRESHOLDS_M[0]) {
            let of_truth = &fits.of_truth[truth][prediction];
            if of_truth.shares[0] < SHARE {
                continue;
            }
            let (known, found) = (&cut.truths[truth], &cut.predictions[prediction]);
            self.pairs += 1;
            self.marking.add(known.marking, found.marking);
            self.colour.add(known.colour, found.colour);
            self.lateral_error_sum_m += of_truth.mean_m;
            let distances_m = &fits.of_prediction[truth][prediction].distances_m;
            // Points beyond the end of the truth have no distance across the line.
            for distance_m in distances_m.iter().filter(|&&d| d <= THRESHOLDS_M[1]) {
                self.lateral.add(*distance_m, found.sigma_lateral_m);
            }
        }
    }

    /// Adds the frames of another tally.
    pub fn merge(&mut self, other: &Self) {
        let own = self.published.iter_mut().chain(&mut self.sweep);
        for (own, other) in own.zip(other.published.iter().chain(&other.sweep)) {
            own.merge(other);
        }
        self.pairs += other.pairs;
        self.marking.merge(other.marking);
        self.colour.merge(other.colour);
        self.lateral_error_sum_m += other.lateral_error_sum_m;
        self.lateral.merge(&other.lateral);
    }

    /// Distances of the points of right predictions from the lanes that they found.
    pub fn lateral(&self) -> &Ratios {
        &self.lateral
    }

    /// The scores over all frames.
    pub fn scores(&self) -> F1Scores {
        let [strict, lenient] = &self.published;
        let best = self
            .sweep
            .iter()
            .enumerate()
            .map(|(step, counts)| (counts.f1(), sweep_confidence(step)))
            .fold(
                (0.0, 0.0),
                |best, found| if found.0 > best.0 { found } else { best },
            );
        let share = |part: f64| (self.pairs > 0).then(|| part / self.pairs as f64);
        F1Scores {
            f1: strict.f1(),
            recall: strict.recall(),
            precision: strict.precision(),
            f1_lenient: lenient.f1(),
            best,
            truth_count: strict.truths,
            marking_accuracy: self.marking.share(),
            colour_accuracy: self.colour.share(),
            lateral_error_m: share(self.lateral_error_sum_m),
        }
    }
}

fn sweep_confidence(step: usize) -> f64 {
    step as f64 / SWEEP as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prediction::PredictedLane;
    use crate::truth::LaneTruth;

    fn truth(y: f64, from: f64, to: f64) -> LaneTruth {
        LaneTruth {
            id: 0,
            marking: 1,
            colour: 0,
            points_m: vec![[from, y, 0.0], [to, y, 0.0]],
            is_seen: vec![true, true],
        }
    }

    fn predicted(y: f64, from: f64, to: f64, confidence: f64) -> PredictedLane {
        PredictedLane {
            marking: 1,
            colour: 1,
            confidence,
            sigma_lateral_m: 0.2,
            points_m: vec![[to, y, 0.0], [from, y, 0.0]],
        }
    }

    fn scores(truths: &[LaneTruth], predictions: &[PredictedLane], least: f64) -> F1Scores {
        let mut tally = LaneF1Tally::default();
        tally.add(&CutLanes::new(truths, predictions), least);
        tally.scores()
    }

    #[test]
    fn a_lane_is_found_when_three_quarters_of_its_points_are_near() {
        let found = scores(
            &[truth(0.0, 0.0, 20.0)],
            &[predicted(0.3, 0.0, 15.0, 0.9)],
            0.0,
        );
        assert_eq!((found.recall, found.precision, found.f1), (1.0, 1.0, 1.0));
        let missed = scores(
            &[truth(0.0, 0.0, 20.0)],
            &[predicted(0.3, 0.0, 14.0, 0.9)],
            0.0,
        );
        assert_eq!(
            (missed.recall, missed.precision, missed.f1),
            (0.0, 1.0, 0.0)
        );
    }

    #[test]
    fn each_lane_is_found_once() {
        let twice = [
            predicted(0.1, 0.0, 20.0, 0.9),
            predicted(-0.1, 0.0, 20.0, 0.8),
        ];
        let found = scores(&[truth(0.0, 0.0, 20.0)], &twice, 0.0);
        assert_eq!((found.recall, found.precision), (1.0, 0.5));
        assert!((found.f1 - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(found.best, (1.0, 0.85));
        assert_eq!(scores(&[truth(0.0, 0.0, 20.0)], &twice, 0.85).f1, 1.0);
    }

    #[test]
    fn half_a_metre_is_strict_and_one_and_a_half_lenient() {
        let found = scores(
            &[truth(0.0, 0.0, 20.0)],
            &[predicted(0.9, 0.0, 20.0, 0.9)],
            0.0,
        );
        assert_eq!((found.f1, found.f1_lenient), (0.0, 1.0));
    }

    #[test]
    fn found_lanes_tell_their_type_colour_distance_and_spread() {
        let found = scores(
            &[truth(0.0, 0.0, 20.0)],
            &[predicted(0.25, 0.0, 20.0, 0.9)],
            0.0,
        );
        assert_eq!(found.marking_accuracy, Some(1.0));
        assert_eq!(found.colour_accuracy, Some(0.0));
        assert!((found.lateral_error_m.expect("one was found") - 0.25).abs() < 1e-12);
        let mut tally = LaneF1Tally::default();
        let lanes = (truth(0.0, 0.0, 20.0), predicted(0.25, 0.0, 20.0, 0.9));
        tally.add(&CutLanes::new(&[lanes.0], &[lanes.1]), 0.0);
        assert_eq!(
            (tally.lateral().share(), tally.lateral().count()),
            (0.0, 21)
        );
    }

    #[test]
    fn the_matching_is_the_cheapest_over_all() {
        let truths = [truth(0.0, 0.0, 20.0), truth(0.4, 0.0, 20.0)];
        let predictions = [
            predicted(0.2, 0.0, 20.0, 0.9),
            predicted(0.0, 0.0, 20.0, 0.5),
        ];
        assert_eq!(scores(&truths, &predictions, 0.0).f1, 1.0);
    }
}
