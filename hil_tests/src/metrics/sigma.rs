//! Are the predicted standard deviations true? Shares of errors within one of them.

mod ratios;

pub use ratios::Ratios;

use super::detection::{DetectionRange, PredictedBox, ScoredBox, TruthBox, nearest_free};
use super::score_classes::ScoreClass;
use crate::prediction::PredictedObject;
use crate::truth::ObjectTruth;

/// Names of the quantities that are checked, in the order of [`SigmaTally`].
pub const QUANTITIES: [&str; 10] = [
    "object_x",
    "object_y",
    "object_yaw",
    "object_vx",
    "object_vy",
    "object_size",
    "arrow_position",
    "crosswalk_position",
    "stop_line_position",
    "lane_lateral",
];
/// Places of the velocity along x, of the size, and of the first quantity that is no object's.
const VELOCITY: usize = 3;
const SIZE: usize = 5;
const ARROW: usize = 6;
/// Centre distance of pairs whose errors are taken, metres.
const THRESHOLD_M: f64 = 2.0;

/// A kind of element with one standard deviation for its centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Centred {
    /// Arrows.
    Arrow,
    /// Crosswalks.
    Crosswalk,
    /// Stop lines.
    StopLine,
}

/// Errors relative to their standard deviations, by quantity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SigmaTally {
    quantities: [Ratios; QUANTITIES.len()],
}

/// How true the standard deviations of a quantity are.
#[derive(Clone, Debug, PartialEq)]
pub struct SigmaScore {
    /// Its name.
    pub name: &'static str,
    /// Share of the errors within one standard deviation.
    pub share: f64,
    /// What the standard deviations would have to be multiplied by for 68.27 %.
    pub factor: f64,
    /// Number of errors.
    pub errors: usize,
}

impl SigmaTally {
    fn add(&mut self, quantity: usize, error: f64, sigma: f64) {
        self.quantities[quantity].add(error, sigma);
    }

    /// Adds lateral errors of lanes.
    pub fn add_lanes(&mut self, lateral: &Ratios) {
        self.quantities[QUANTITIES.len() - 1].merge(lateral);
    }

    /// Adds the error of the centre of a found element: one sample each for x and y.
    pub fn add_centre(
        &mut self,
        kind: Centred,
        truth: [f64; 2],
        predicted: [f64; 2],
        sigma_m: f64,
    ) {
        for axis in 0..2 {
            self.add(
                ARROW + kind as usize,
                predicted[axis] - truth[axis],
                sigma_m,
            );
        }
    }

    /// Adds the errors of objects found within 2 m at nuScenes ranges; coasting ones are left out.
    pub fn add_objects(&mut self, truths: &[ObjectTruth], predictions: &[PredictedObject]) {
        let range = DetectionRange::NuScenes;
        for class in ScoreClass::ALL {
            let truths: Vec<(ScoredBox, &ObjectTruth)> = truths
                .iter()
                .filter(|truth| truth.counts)
                .filter_map(|truth| Some((TruthBox::try_from(truth).ok()?.scored, truth)))
                .filter(|(scored, _)| scored.class == class && range.contains(scored))
                .collect();
            let mut predictions: Vec<(PredictedBox, &PredictedObject)> = predictions
                .iter()
                .filter(|object| !object.is_coasting)
                .filter_map(|object| Some((PredictedBox::try_from(object).ok()?, object)))
                .filter(|(p, _)| p.scored.class == class && range.contains(&p.scored))
                .collect();
            predictions.sort_by(|a, b| b.0.confidence.total_cmp(&a.0.confidence));
            let boxes: Vec<&ScoredBox> = truths.iter().map(|(scored, _)| scored).collect();
            let ranked: Vec<&PredictedBox> = predictions.iter().map(|(p, _)| p).collect();
            for (found, (_, predicted)) in nearest_free(&boxes, &ranked, THRESHOLD_M)
                .into_iter()
                .zip(&predictions)
            {
                if let Some(found) = found {
                    self.add_pair(truths[found].1, predicted);
                }
            }
        }
    }

    fn add_pair(&mut self, truth: &ObjectTruth, predicted: &PredictedObject) {
        let yaw = predicted.yaw_rad - truth.yaw_rad;
        let errors = [
            predicted.position_m[0] - truth.position_m[0],
            predicted.position_m[1] - truth.position_m[1],
            yaw.sin().atan2(yaw.cos()),
        ];
        for (quantity, error) in errors.into_iter().enumerate() {
            self.add(quantity, error, predicted.sigmas[quantity]);
        }
        if let Some(velocity_mps) = truth.velocity_mps {
            let pairs = predicted.velocity_mps.into_iter().zip(velocity_mps);
            for (quantity, (found, known)) in (VELOCITY..).zip(pairs) {
                self.add(quantity, found - known, predicted.sigmas[quantity]);
            }
        }
        for side in 0..3 {
            let error = (predicted.size_m[side] / truth.size_m[side]).ln();
            self.add(SIZE, error, predicted.sigmas[SIZE]);
        }
    }

    /// Adds the frames of another tally.
    pub fn merge(&mut self, other: &Self) {
        for (own, other) in self.quantities.iter_mut().zip(&other.quantities) {
            own.merge(other);
        }
    }

    /// The quantities that have errors.
    pub fn scores(&self) -> Vec<SigmaScore> {
        QUANTITIES
            .into_iter()
            .zip(&self.quantities)
            .filter(|(_, ratios)| ratios.count() > 0)
            .map(|(name, ratios)| SigmaScore {
                name,
                share: ratios.share(),
                factor: ratios.factor(),
                errors: ratios.count(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_found_objects_are_held_against_their_deviations() {
        let truth = ObjectTruth {
            class: 0,
            track_id: 1,
            position_m: [10.0, 0.0, 0.8],
            size_m: [4.0, 2.0, 1.5],
            yaw_rad: std::f64::consts::PI - 0.05,
            velocity_mps: Some([5.0, 0.0]),
            yaw_rate_radps: 0.0,
            visible_fraction: 1.0,
            visible_pixels: 500.0,
            counts: true,
            is_occluded: false,
        };
        let predicted = PredictedObject {
            class: 1,
            track_id: None,
            confidence: 0.9,
            position_m: [10.3, -0.3, 0.8],
            size_m: [4.4, 2.0, 1.5],
            yaw_rad: -std::f64::consts::PI + 0.05,
            velocity_mps: [6.0, 0.0],
            sigmas: [0.5, 0.2, 0.2, 0.5, 0.5, 0.05],
            is_coasting: false,
        };
        let mut tally = SigmaTally::default();
        tally.add_objects(&[truth], &[predicted]);
        let shares: Vec<f64> = tally.scores().iter().map(|score| score.share).collect();
        assert_eq!(shares[..5], [1.0, 0.0, 1.0, 0.0, 1.0]);
        assert!((shares[5] - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn centres_give_one_sample_for_each_axis() {
        let mut tally = SigmaTally::default();
        tally.add_centre(Centred::StopLine, [1.0, 1.0], [1.1, 1.5], 0.2);
        let scores = tally.scores();
        assert_eq!(scores.len(), 1);
        assert_eq!(scores[0].name, "stop_line_position");
        assert_eq!((scores[0].share, scores[0].errors), (0.5, 2));
    }
}
