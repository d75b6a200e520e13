//! Lanes: Chamfer average precision by family, and our F1.

mod cut;
mod found;

pub use cut::{CutLanes, LanePart};
pub use found::{F1Scores, LaneF1Tally};

use super::chamfer::{ChamferLine, Tally, distance_matrix, match_nearest};
use super::sigma::Ratios;
use crate::prediction::PredictedLane;
use crate::truth::LaneTruth;

/// Chamfer thresholds of lanes, metres.
pub const CHAMFER_THRESHOLDS_M: [f64; 3] = [0.5, 1.0, 1.5];
/// Number of the marking type of road edges.
const ROAD_EDGE: u8 = 3;

/// What a lane is a border of: the classes of its Chamfer average precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneFamily {
    /// Painted on the road.
    Painted,
    /// The end of the road surface.
    RoadEdge,
}

impl LaneFamily {
    /// Both families.
    pub const ALL: [Self; 2] = [Self::Painted, Self::RoadEdge];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Painted => "painted",
            Self::RoadEdge => "road_edge",
        }
    }

    /// The family of a marking type.
    pub fn of_marking(marking: u8) -> Self {
        if marking == ROAD_EDGE {
            Self::RoadEdge
        } else {
            Self::Painted
        }
    }
}

/// Verdicts on the lanes of any number of frames.
#[derive(Clone, Debug, Default)]
pub struct LaneTally {
    chamfer: [[Tally; CHAMFER_THRESHOLDS_M.len()]; LaneFamily::ALL.len()],
    f1: LaneF1Tally,
}

/// Scores of lanes.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneScores {
    /// Mean of `average_precision` over families with ground truth and thresholds.
    pub chamfer_map: f64,
    /// By family and threshold; `None` where the family has no ground truth.
    pub average_precision: [[Option<f64>; CHAMFER_THRESHOLDS_M.len()]; LaneFamily::ALL.len()],
    /// Ours.
    pub f1: F1Scores,
}

impl LaneTally {
    /// Compares the lanes of one frame; F1 takes predictions from `least_confidence` on.
    pub fn add(
        &mut self,
        truths: &[LaneTruth],
        predictions: &[PredictedLane],
        least_confidence: f64,
    ) {
        let cut = CutLanes::new(truths, predictions);
        for (family, tallies) in LaneFamily::ALL.into_iter().zip(&mut self.chamfer) {
            add_chamfer(&cut, family, tallies);
        }
        self.f1.add(&cut, least_confidence);
    }

    /// Adds the frames of another tally.
    pub fn merge(&mut self, other: &Self) {
        for (own, other) in self
            .chamfer
            .iter_mut()
            .flatten()
            .zip(other.chamfer.iter().flatten())
        {
            own.merge(other);
        }
        self.f1.merge(&other.f1);
    }

    /// Errors across the lines relative to what was predicted of them.
    pub fn lateral(&self) -> &Ratios {
        self.f1.lateral()
    }

    /// The scores over all frames.
    pub fn scores(&self) -> LaneScores {
        let average_precision = self
            .chamfer
            .each_ref()
            .map(|family| family.each_ref().map(Tally::average_precision));
        let known: Vec<f64> = average_precision
            .iter()
            .flatten()
            .flatten()
            .copied()
            .collect();
        LaneScores {
            chamfer_map: known.iter().sum::<f64>() / known.len().max(1) as f64,
            average_precision,
            f1: self.f1.scores(),
        }
    }
}

fn add_chamfer(cut: &CutLanes, family: LaneFamily, tallies: &mut [Tally]) {
    let of_family = |parts: &[LanePart]| -> Vec<ChamferLine> {
        parts
            .iter()
            .filter(|p| p.family() == family)
            .map(|p| ChamferLine::new(&p.points))
            .collect()
    };
    let mut truths = of_family(&cut.truths);
    let counting = truths.len();
    truths.extend(of_family(&cut.ignored));
    let counts: Vec<bool> = (0..truths.len()).map(|k| k < counting).collect();
    let predictions = of_family(&cut.predictions);
    let scores: Vec<f64> = cut
        .predictions
        .iter()
        .filter(|p| p.family() == family)
        .map(|p| p.confidence)
        .collect();
    let distances = distance_matrix(&predictions, &truths);
    for (tally, threshold_m) in tallies.iter_mut().zip(CHAMFER_THRESHOLDS_M) {
        let outcomes = match_nearest(&scores, &distances, &counts, threshold_m);
        tally.add(&scores, &outcomes, counting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(points: &[[f64; 3]], marking: u8) -> LaneTruth {
        LaneTruth {
            id: 0,
            marking,
            colour: 0,
            points_m: points.to_vec(),
            is_seen: vec![true; points.len()],
        }
    }

    fn predicted(points: &[[f64; 3]], marking: u8, confidence: f64) -> PredictedLane {
        PredictedLane {
            marking,
            colour: 0,
            confidence,
            sigma_lateral_m: 0.1,
            points_m: points.to_vec(),
        }
    }

    #[test]
    fn families_are_compared_apart() {
        let line = [[-40.0, 2.0, 0.0], [40.0, 2.0, 0.0]];
        let mut tally = LaneTally::default();
        tally.add(&[truth(&line, 0)], &[predicted(&line, 3, 0.9)], 0.0);
        let scores = tally.scores();
        assert_eq!(scores.average_precision, [[Some(0.0); 3], [None; 3]]);
        let mut tally = LaneTally::default();
        tally.add(&[truth(&line, 0)], &[predicted(&line, 1, 0.9)], 0.0);
        assert_eq!(tally.scores().chamfer_map, 1.0);
    }
}
