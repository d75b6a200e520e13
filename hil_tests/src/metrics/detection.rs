//! Object detection as nuScenes scores it, without attributes.

use super::bands::{DISTANCE_BANDS_M, band_of};
use super::curve::interpolate;
use super::score_classes::ScoreClass;

/// Centre distances at which average precision is taken, metres.
pub const THRESHOLDS_M: [f64; 4] = [0.5, 1.0, 2.0, 4.0];
/// Which of [`THRESHOLDS_M`] the true-positive errors are taken at.
pub const ERROR_THRESHOLD: usize = 2;
const LEAST_RECALL: f64 = 0.1;
const LEAST_PRECISION: f64 = 0.1;
const RECALL_STEPS: usize = 100;
/// First recall point that counts.
const FIRST: usize = 11;

/// A box in the ego frame, with what the scores look at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredBox {
    /// Merged class.
    pub class: ScoreClass,
    /// Centre: x, y.
    pub centre_m: [f64; 2],
    /// Length, width, height.
    pub size_m: [f64; 3],
    /// Heading.
    pub yaw_rad: f64,
    /// Velocity over ground: x, y; NaN in ground truth that does not tell it.
    pub velocity_mps: [f64; 2],
}

impl ScoredBox {
    fn distance_m(&self) -> f64 {
        self.centre_m[0].hypot(self.centre_m[1])
    }

    fn distance_band(&self) -> usize {
        band_of(self.distance_m(), &DISTANCE_BANDS_M)
    }
}

/// A box of the ground truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TruthBox {
    /// Where and what it is.
    pub scored: ScoredBox,
    /// Whether it counts; a prediction on one that does not is neither right nor wrong.
    pub counts: bool,
}

/// A predicted box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictedBox {
    /// Where and what it is.
    pub scored: ScoredBox,
    /// In [0, 1].
    pub confidence: f64,
}

/// The range in which boxes are scored, by distance of the centre from the ego origin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DetectionRange {
    /// 50 m for vehicles, 40 m for motorcycles, bicycles and pedestrians, 30 m for cones.
    NuScenes,
    /// The same limit for every class.
    Within(f64),
}

impl DetectionRange {
    /// Whether a box is scored.
    pub fn contains(self, scored: &ScoredBox) -> bool {
        let limit_m = match self {
            Self::NuScenes => scored.class.range_m(),
            Self::Within(limit_m) => limit_m,
        };
        scored.distance_m() < limit_m
    }
}

/// Errors of a true positive.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PairErrors {
    /// Centre distance in x and y, metres.
    pub translation_m: f64,
    /// One minus the overlap of the sizes, centres and headings aligned.
    pub scale: f64,
    /// Smallest difference of headings, radians.
    pub orientation_rad: f64,
    /// Length of the difference of velocities, m/s; NaN where the ground truth does not tell it.
    pub velocity_mps: f64,
}

impl PairErrors {
    /// Errors of a pair of boxes.
    pub fn new(truth: &ScoredBox, predicted: &ScoredBox) -> Self {
        Self {
            translation_m: centre_distance(truth, predicted),
            scale: 1.0 - aligned_overlap(&truth.size_m, &predicted.size_m),
            orientation_rad: heading_difference(truth.yaw_rad, predicted.yaw_rad),
            velocity_mps: (truth.velocity_mps[0] - predicted.velocity_mps[0])
                .hypot(truth.velocity_mps[1] - predicted.velocity_mps[1]),
        }
    }

    fn as_array(&self) -> [f64; 4] {
        [
            self.translation_m,
            self.scale,
            self.orientation_rad,
            self.velocity_mps,
        ]
    }
}

/// Distance of two centres in x and y, metres.
pub fn centre_distance(a: &ScoredBox, b: &ScoredBox) -> f64 {
    (a.centre_m[0] - b.centre_m[0]).hypot(a.centre_m[1] - b.centre_m[1])
}

fn aligned_overlap(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    let volume = |size: &[f64; 3]| size.iter().product::<f64>();
    let shared: f64 = a.iter().zip(b).map(|(a, b)| a.min(*b)).product();
    shared / (volume(a) + volume(b) - shared)
}

/// Smallest difference of two headings, in [0, π].
pub fn heading_difference(a_rad: f64, b_rad: f64) -> f64 {
    let turn = std::f64::consts::TAU;
    let difference = (a_rad - b_rad).rem_euclid(turn);
    difference.min(turn - difference)
}

/// A prediction after matching at one threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Match {
    score: f64,
    errors: Option<PairErrors>,
    /// Of the ground truth, or of a prediction on nothing.
    distance_band: usize,
}

/// Verdicts on the boxes of any number of frames, by class and threshold.
#[derive(Clone, Debug, Default)]
pub struct DetectionTally {
    classes: [ClassTally; ScoreClass::COUNT],
}

#[derive(Clone, Debug, Default)]
struct ClassTally {
    truth_count: usize,
    /// The same by distance.
    truths_in_band: [usize; DISTANCE_BANDS_M.len()],
    matches: [Vec<Match>; THRESHOLDS_M.len()],
}

impl DetectionTally {
    /// Matches the boxes of one frame, limited to `range`.
    pub fn add(
        &mut self,
        truths: &[TruthBox],
        predictions: &[PredictedBox],
        range: DetectionRange,
    ) {
        for class in ScoreClass::ALL {
            let (counting, ignored): (Vec<&TruthBox>, Vec<&TruthBox>) = truths
                .iter()
                .filter(|truth| truth.scored.class == class)
                .partition(|truth| truth.counts);
            let counting: Vec<&ScoredBox> = counting
                .iter()
                .map(|truth| &truth.scored)
                .filter(|scored| range.contains(scored))
                .collect();
            let ignored: Vec<&ScoredBox> = ignored.iter().map(|truth| &truth.scored).collect();
            let mut predictions: Vec<&PredictedBox> = predictions
                .iter()
                .filter(|p| p.scored.class == class && range.contains(&p.scored))
                .collect();
            predictions.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
            let tally = &mut self.classes[class as usize];
            tally.truth_count += counting.len();
            for truth in &counting {
                tally.truths_in_band[truth.distance_band()] += 1;
            }
            for (matches, threshold_m) in tally.matches.iter_mut().zip(THRESHOLDS_M) {
                match_frame(&counting, &ignored, &predictions, threshold_m, matches);
            }
        }
    }

    /// Adds the frames of another tally.
    pub fn merge(&mut self, other: &Self) {
        for (own, other) in self.classes.iter_mut().zip(&other.classes) {
            own.truth_count += other.truth_count;
            for (own, other) in own.truths_in_band.iter_mut().zip(other.truths_in_band) {
                *own += other;
            }
            for (own, other) in own.matches.iter_mut().zip(&other.matches) {
                own.extend_from_slice(other);
            }
        }
    }

    /// The scores over all frames.
    pub fn scores(&self) -> DetectionScores {
        let classes: Vec<ClassScores> = ScoreClass::ALL
            .into_iter()
            .zip(&self.classes)
            .map(|(class, tally)| tally.scores(class))
            .collect();
        DetectionScores::new(classes)
    }
}

/// Greedy by score: each prediction takes the nearest ground truth of its frame that is still free.
fn match_frame(
    counting: &[&ScoredBox],
    ignored: &[&ScoredBox],
    ranked: &[&PredictedBox],
    threshold_m: f64,
    matches: &mut Vec<Match>,
) {
    for (prediction, found) in ranked
        .iter()
        .zip(nearest_free(counting, ranked, threshold_m))
    {
        let is_on_ignored = || {
            ignored
                .iter()
                .any(|truth| centre_distance(truth, &prediction.scored) < threshold_m)
        };
        let truth = found.map(|place| counting[place]);
        if truth.is_some() || !is_on_ignored() {
            matches.push(Match {
                score: prediction.confidence,
                errors: truth.map(|truth| PairErrors::new(truth, &prediction.scored)),
                distance_band: truth.unwrap_or(&prediction.scored).distance_band(),
            });
        }
    }
}

/// For each prediction, by falling score, the nearest free ground truth nearer than `threshold_m`.
pub fn nearest_free(
    truths: &[&ScoredBox],
    ranked: &[&PredictedBox],
    threshold_m: f64,
) -> Vec<Option<usize>> {
    let mut is_taken = vec![false; truths.len()];
    ranked
        .iter()
        .map(|prediction| {
            let nearest = (0..truths.len())
                .filter(|&truth| !is_taken[truth])
                .map(|truth| (truth, centre_distance(truths[truth], &prediction.scored)))
                .min_by(|a, b| a.1.total_cmp(&b.1))
                .filter(|&(_, distance)| distance < threshold_m)
                .map(|(truth, _)| truth);
            if let Some(truth) = nearest {
                is_taken[truth] = true;
            }
            nearest
        })
        .collect()
}

impl ClassTally {
    fn scores(&self, class: ScoreClass) -> ClassScores {
        let curves: Vec<RecallCurve> = self
            .matches
            .iter()
            .map(|matches| RecallCurve::new(matches, self.truth_count))
            .collect();
        let errors = curves[ERROR_THRESHOLD].mean_errors(&self.matches[ERROR_THRESHOLD]);
        ClassScores {
            class,
            truth_count: self.truth_count,
            average_precision: std::array::from_fn(|k| curves[k].average_precision()),
            by_distance: std::array::from_fn(|band| self.average_precision_in(band)),
            translation_error_m: errors[0],
            scale_error: errors[1],
            orientation_error_rad: class.has_heading().then_some(errors[2]),
            velocity_error_mps: class.moves().then_some(errors[3]),
        }
    }
}

impl ClassTally {
    /// Mean over the thresholds of the average precision in a band of distance.
    fn average_precision_in(&self, band: usize) -> Option<f64> {
        let truth_count = self.truths_in_band[band];
        let curves = self.matches.iter().map(|matches| {
            let of_band = matches.iter().filter(|m| m.distance_band == band);
            RecallCurve::new(&of_band.copied().collect::<Vec<Match>>(), truth_count)
        });
        let sum: f64 = curves.map(|curve| curve.average_precision()).sum();
        (truth_count > 0).then(|| sum / self.matches.len() as f64)
    }
}

/// Precision and score at 101 recalls from 0 to 1.
struct RecallCurve {
    precision: Vec<f64>,
    score: Vec<f64>,
}

impl RecallCurve {
    fn new(matches: &[Match], truth_count: usize) -> Self {
        let mut ranked: Vec<(f64, bool)> = matches
            .iter()
            .map(|m| (m.score, m.errors.is_some()))
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut curve = Self {
            precision: vec![0.0; RECALL_STEPS + 1],
            score: vec![0.0; RECALL_STEPS + 1],
        };
        if truth_count == 0 || !ranked.iter().any(|(_, is_true)| *is_true) {
            return curve;
        }
        let (mut recalls, mut precisions, mut scores) = (Vec::new(), Vec::new(), Vec::new());
        let mut true_count = 0_usize;
        for (place, &(score, is_true)) in ranked.iter().enumerate() {
            true_count += usize::from(is_true);
            recalls.push(true_count as f64 / truth_count as f64);
            precisions.push(true_count as f64 / (place + 1) as f64);
            scores.push(score);
        }
        for step in 0..=RECALL_STEPS {
            // As numpy's linspace has them: multiples of the rounded step.
            let recall = if step == RECALL_STEPS {
                1.0
            } else {
                step as f64 * 0.01
            };
            curve.precision[step] = interpolate(recall, &recalls, &precisions, precisions[0], 0.0);
            curve.score[step] = interpolate(recall, &recalls, &scores, scores[0], 0.0);
        }
        curve
    }

    fn average_precision(&self) -> f64 {
        let rest = &self.precision[FIRST..];
        let above: f64 = rest.iter().map(|p| (p - LEAST_PRECISION).max(0.0)).sum();
        above / rest.len() as f64 / (1.0 - LEAST_PRECISION)
    }

    /// Means over recall of the running means of the known errors; all one below the least recall,
    /// and for a kind of error that is never known.
    fn mean_errors(&self, matches: &[Match]) -> [f64; 4] {
        let last = self
            .score
            .iter()
            .rposition(|&score| score != 0.0)
            .unwrap_or(0);
        if last < FIRST {
            return [1.0; 4];
        }
        debug_assert!(RECALL_STEPS as f64 * LEAST_RECALL < FIRST as f64);
        let mut found: Vec<(f64, [f64; 4])> = matches
            .iter()
            .filter_map(|m| Some((m.score, m.errors?.as_array())))
            .collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        std::array::from_fn(|kind| {
            if found.iter().all(|(_, errors)| errors[kind].is_nan()) {
                return 1.0;
            }
            let (mut sum, mut known) = (0.0, 0_usize);
            let mut running: Vec<(f64, f64)> = found
                .iter()
                .map(|(score, errors)| {
                    if !errors[kind].is_nan() {
                        sum += errors[kind];
                        known += 1;
                    }
                    (*score, sum / known.max(1) as f64)
                })
                .collect();
            running.reverse();
            let (scores, means): (Vec<f64>, Vec<f64>) = running.into_iter().unzip();
            let at =
                |score: f64| interpolate(score, &scores, &means, means[0], means[means.len() - 1]);
            let steps = &self.score[FIRST..=last];
            steps.iter().map(|&score| at(score)).sum::<f64>() / steps.len() as f64
        })
    }
}

/// Scores of one class.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassScores {
    /// The class.
    pub class: ScoreClass,
    /// Ground truth that counted.
    pub truth_count: usize,
    /// At each of [`THRESHOLDS_M`].
    pub average_precision: [f64; THRESHOLDS_M.len()],
    /// Mean over the thresholds in each band of [`DISTANCE_BANDS_M`]; `None` without ground truth
    /// there.
    pub by_distance: [Option<f64>; DISTANCE_BANDS_M.len()],
    /// ATE; 1 where recall stays at or below one tenth.
    pub translation_error_m: f64,
    /// ASE.
    pub scale_error: f64,
    /// AOE; `None` for cones, which have no heading.
    pub orientation_error_rad: Option<f64>,
    /// AVE; `None` for cones, which do not move.
    pub velocity_error_mps: Option<f64>,
}

impl ClassScores {
    /// Average precision over the thresholds.
    pub fn mean_average_precision(&self) -> f64 {
        self.average_precision.iter().sum::<f64>() / self.average_precision.len() as f64
    }
}

/// Scores over all classes.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectionScores {
    /// Each class, in the order of [`ScoreClass::ALL`].
    pub classes: Vec<ClassScores>,
    /// Mean over the classes that have ground truth; 0 where none has.
    pub mean_average_precision: f64,
    /// The same in each band of [`DISTANCE_BANDS_M`]; `None` where no class has ground truth.
    pub by_distance: [Option<f64>; DISTANCE_BANDS_M.len()],
    /// mATE, over the same classes.
    pub translation_error_m: f64,
    /// mASE.
    pub scale_error: f64,
    /// mAOE.
    pub orientation_error_rad: f64,
    /// mAVE.
    pub velocity_error_mps: f64,
    /// (5 mAP + Σ max(0, 1 − error) over the four errors) / 9.
    pub detection_score: f64,
}

impl DetectionScores {
    fn new(classes: Vec<ClassScores>) -> Self {
        let scored = || classes.iter().filter(|scores| scores.truth_count > 0);
        let mean = |value: &dyn Fn(&ClassScores) -> Option<f64>, empty: f64| {
            let values: Vec<f64> = scored().filter_map(value).collect();
            if values.is_empty() {
                empty
            } else {
                values.iter().sum::<f64>() / values.len() as f64
            }
        };
        let mean_average_precision = mean(&|scores| Some(scores.mean_average_precision()), 0.0);
        let errors = [
            mean(&|scores| Some(scores.translation_error_m), 1.0),
            mean(&|scores| Some(scores.scale_error), 1.0),
            mean(&|scores| scores.orientation_error_rad, 1.0),
            mean(&|scores| scores.velocity_error_mps, 1.0),
        ];
        let kept: f64 = errors.iter().map(|error| (1.0 - error).max(0.0)).sum();
        Self {
            detection_score: (5.0 * mean_average_precision + kept) / 9.0,
            mean_average_precision,
            by_distance: std::array::from_fn(|band| {
                let values: Vec<f64> = classes.iter().filter_map(|c| c.by_distance[band]).collect();
                (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
            }),
            translation_error_m: errors[0],
            scale_error: errors[1],
            orientation_error_rad: errors[2],
            velocity_error_mps: errors[3],
            classes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    fn car(x: f64, y: f64) -> ScoredBox {
        ScoredBox {
            class: ScoreClass::Car,
            centre_m: [x, y],
            size_m: [4.0, 2.0, 1.5],
            yaw_rad: 0.0,
            velocity_mps: [3.0, 0.0],
        }
    }

    fn truth(scored: ScoredBox) -> TruthBox {
        TruthBox {
            scored,
            counts: true,
        }
    }

    fn predicted(scored: ScoredBox, confidence: f64) -> PredictedBox {
        PredictedBox { scored, confidence }
    }

    #[test]
    fn perfect_boxes_score_one() {
        let mut tally = DetectionTally::default();
        let boxes = [car(10.0, 0.0), car(-20.0, 5.0)];
        tally.add(
            &boxes.map(truth),
            &boxes.map(|b| predicted(b, 0.8)),
            DetectionRange::NuScenes,
        );
        let scores = tally.scores();
        assert!((scores.mean_average_precision - 1.0).abs() < 1e-12);
        assert!((scores.detection_score - 1.0).abs() < 1e-12);
    }

    #[test]
    fn thresholds_are_strict_and_ranges_cut_both_sides() {
        let mut tally = DetectionTally::default();
        tally.add(
            &[truth(car(10.0, 0.0)), truth(car(50.0, 0.0))],
            &[
                predicted(car(12.0, 0.0), 0.9),
                predicted(car(50.1, 0.0), 0.9),
            ],
            DetectionRange::NuScenes,
        );
        let car = &tally.scores().classes[0];
        assert_eq!(car.truth_count, 1);
        assert_eq!(car.average_precision[2], 0.0);
        assert!((car.average_precision[3] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_match_belongs_to_the_distance_of_its_ground_truth() {
        let by_distance = |truths: &[TruthBox], predictions: &[PredictedBox]| {
            let mut tally = DetectionTally::default();
            tally.add(truths, predictions, DetectionRange::NuScenes);
            tally.scores().by_distance
        };
        let truths = [truth(car(14.8, 0.0)), truth(car(20.0, 0.0))];
        let predictions = [
            predicted(car(15.1, 0.0), 0.9),
            predicted(car(25.0, 9.0), 0.8),
            predicted(car(20.0, 0.1), 0.7),
        ];
        let [near, middle, far] = by_distance(&truths, &predictions);
        assert!((near.expect("a car") - 1.0).abs() < 1e-12);
        // The match from beyond the border is not of the middle band; the wrong one is.
        assert!(middle.is_some_and(|score| score < 0.5));
        assert_eq!(middle, by_distance(&truths[1..], &predictions[1..])[1]);
        assert_eq!(far, None);
    }

    #[test]
    fn a_prediction_on_ground_truth_that_does_not_count_is_left_out() {
        let mut tally = DetectionTally::default();
        let hidden = TruthBox {
            scored: car(20.0, 0.0),
            counts: false,
        };
        tally.add(
            &[truth(car(10.0, 0.0)), hidden],
            &[
                predicted(car(20.0, 0.1), 0.9),
                predicted(car(10.0, 0.1), 0.5),
            ],
            DetectionRange::NuScenes,
        );
        let scores = tally.scores();
        assert_eq!(scores.classes[0].truth_count, 1);
        assert!((scores.mean_average_precision - 1.0).abs() < 1e-12);
    }

    #[test]
    fn headings_differ_by_at_most_half_a_turn() {
        assert!((heading_difference(PI - 0.1, -PI + 0.1) - 0.2).abs() < 1e-12);
        assert!((heading_difference(0.0, 3.0 * PI) - PI).abs() < 1e-12);
        assert!((heading_difference(-0.3, 0.2) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn an_unknown_velocity_is_left_out_of_the_mean() {
        let unknown = ScoredBox {
            velocity_mps: [f64::NAN; 2],
            ..car(-20.0, 0.0)
        };
        let mut tally = DetectionTally::default();
        tally.add(
            &[truth(car(10.0, 0.0)), truth(unknown)],
            &[
                predicted(car(10.0, 0.0), 0.9),
                predicted(car(-20.0, 0.0), 0.8),
            ],
            DetectionRange::NuScenes,
        );
        assert_eq!(tally.scores().velocity_error_mps, 0.0);
        let mut tally = DetectionTally::default();
        tally.add(
            &[truth(unknown)],
            &[predicted(car(-20.0, 0.0), 0.8)],
            DetectionRange::NuScenes,
        );
        assert_eq!(tally.scores().velocity_error_mps, 1.0);
    }

    #[test]
    fn without_predictions_errors_are_one() {
        let mut tally = DetectionTally::default();
        tally.add(&[truth(car(10.0, 0.0))], &[], DetectionRange::NuScenes);
        let scores = tally.scores();
        assert_eq!(scores.detection_score, 0.0);
        assert_eq!(scores.velocity_error_mps, 1.0);
    }
}
