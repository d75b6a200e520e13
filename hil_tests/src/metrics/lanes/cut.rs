//! Both sides of a lane comparison, cut to what is scored.

use super::LaneFamily;
use crate::metrics::polyline::{Point, Range, clip, distance, distance_to, length, resample_every};
use crate::prediction::PredictedLane;
use crate::truth::LaneTruth;

/// An unseen stretch up to this length between seen ones counts as seen.
const BRIDGED_GAP_M: f64 = 5.0;
/// Shorter parts, left over from cutting, are not scored.
const LEAST_LENGTH_M: f64 = 2.0;
/// A predicted point this near to an unseen stretch, and nearer to it than to a seen one, is cut.
const UNSEEN_REACH_M: f64 = 1.5;
const CUT_SPACING_M: f64 = 0.5;

/// A part of a lane inside the range.
#[derive(Clone, Debug, PartialEq)]
pub struct LanePart {
    /// Points along it.
    pub points: Vec<Point>,
    /// Number of the marking type.
    pub marking: u8,
    /// Number of the colour.
    pub colour: u8,
    /// Confidence; 1 for ground truth.
    pub confidence: f64,
    /// Predicted standard deviation across the line; 0 for ground truth.
    pub sigma_lateral_m: f64,
}

impl LanePart {
    /// What it is a border of.
    pub fn family(&self) -> LaneFamily {
        LaneFamily::of_marking(self.marking)
    }
}

/// The lanes of one frame, cut to the range and to what cameras have seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CutLanes {
    /// Ground truth that counts.
    pub truths: Vec<LanePart>,
    /// Ground truth that does not: unseen stretches, scraps.
    pub ignored: Vec<LanePart>,
    /// Predictions.
    pub predictions: Vec<LanePart>,
}

impl CutLanes {
    /// Cuts both sides to [`Range::MAP`] and to the seen stretches of the ground truth.
    pub fn new(truths: &[LaneTruth], predictions: &[PredictedLane]) -> Self {
        let mut cut = Self::default();
        for truth in truths {
            for (is_seen, points) in stretches(truth) {
                for points in clip(&points, &Range::MAP) {
                    let counts = is_seen && length(&points) >= LEAST_LENGTH_M;
                    let side = if counts {
                        &mut cut.truths
                    } else {
                        &mut cut.ignored
                    };
                    side.push(LanePart {
                        points,
                        marking: truth.marking,
                        colour: truth.colour,
                        confidence: 1.0,
                        sigma_lateral_m: 0.0,
                    });
                }
            }
        }
        for lane in predictions {
            let whole_m = length(&lane.points_m);
            for inside in clip(&lane.points_m, &Range::MAP) {
                for points in cut.without_unseen(inside) {
                    let length_m = length(&points);
                    if length_m < LEAST_LENGTH_M && length_m < whole_m - 1e-6 {
                        continue;
                    }
                    cut.predictions.push(LanePart {
                        points,
                        marking: lane.marking,
                        colour: lane.colour,
                        confidence: lane.confidence,
                        sigma_lateral_m: lane.sigma_lateral_m,
                    });
                }
            }
        }
        cut
    }

    /// The parts of a predicted line that do not run along an unseen stretch.
    fn without_unseen(&self, points: Vec<Point>) -> Vec<Vec<Point>> {
        let nearest = |parts: &[LanePart], point: &Point| {
            parts
                .iter()
                .map(|p| distance_to(&p.points, point))
                .fold(f64::INFINITY, f64::min)
        };
        let is_cut = |point: &Point| {
            let to_unseen = nearest(&self.ignored, point);
            to_unseen <= UNSEEN_REACH_M && to_unseen < nearest(&self.truths, point)
        };
        let fine = resample_every(&points, CUT_SPACING_M);
        let kept: Vec<bool> = fine.iter().map(|point| !is_cut(point)).collect();
        if kept.iter().all(|&kept| kept) {
            return vec![points];
        }
        let mut parts: Vec<Vec<Point>> = Vec::new();
        let mut was_kept = false;
        for (point, kept) in fine.into_iter().zip(kept) {
            match parts.last_mut() {
                Some(part) if kept && was_kept => part.push(point),
                _ if kept => parts.push(vec![point]),
                _ => {}
            }
            was_kept = kept;
        }
        parts
    }
}

/// The seen and unseen stretches of a lane, in order; short gaps are bridged.
fn stretches(lane: &LaneTruth) -> Vec<(bool, Vec<Point>)> {
    let points = &lane.points_m;
    let pieces = points.len().saturating_sub(1);
    let is_seen_at = |k: usize| lane.is_seen.get(k).copied().unwrap_or(false);
    let mut is_seen: Vec<bool> = (0..pieces)
        .map(|k| is_seen_at(k) && is_seen_at(k + 1))
        .collect();
    bridge_gaps(points, &mut is_seen);
    let mut parts: Vec<(bool, Vec<Point>)> = Vec::new();
    for (piece, seen) in is_seen.into_iter().enumerate() {
        match parts.last_mut() {
            Some((was_seen, part)) if *was_seen == seen => part.push(points[piece + 1]),
            _ => parts.push((seen, vec![points[piece], points[piece + 1]])),
        }
    }
    parts
}

fn bridge_gaps(points: &[Point], is_seen: &mut [bool]) {
    let mut gap_start = None;
    let mut gap_m = 0.0;
    for piece in 0..is_seen.len() {
        if !is_seen[piece] {
            gap_m += distance(&points[piece], &points[piece + 1]);
            continue;
        }
        if let Some(start) = gap_start
            && gap_m <= BRIDGED_GAP_M
        {
            is_seen[start..piece].fill(true);
        }
        gap_start = Some(piece + 1);
        gap_m = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(count: usize, unseen: std::ops::Range<usize>) -> LaneTruth {
        LaneTruth {
            id: 1,
            marking: 0,
            colour: 0,
            points_m: (0..count).map(|k| [k as f64, 1.0, 0.0]).collect(),
            is_seen: (0..count).map(|k| !unseen.contains(&k)).collect(),
        }
    }

    fn predicted(from: f64, to: f64) -> PredictedLane {
        PredictedLane {
            marking: 0,
            colour: 0,
            confidence: 0.5,
            sigma_lateral_m: 0.1,
            points_m: vec![[from, 1.1, 0.0], [to, 1.1, 0.0]],
        }
    }

    #[test]
    fn short_unseen_gaps_are_bridged_and_long_ones_split() {
        assert_eq!(CutLanes::new(&[lane(21, 8..12)], &[]).truths.len(), 1);
        let cut = CutLanes::new(&[lane(21, 6..14)], &[]);
        assert_eq!(cut.truths.len(), 2);
        assert_eq!(cut.ignored.len(), 1);
        assert_eq!(length(&cut.truths[0].points), 5.0);
    }

    #[test]
    fn an_unseen_end_is_not_bridged() {
        let cut = CutLanes::new(&[lane(21, 18..21)], &[]);
        assert_eq!(length(&cut.truths[0].points), 17.0);
        assert_eq!(length(&cut.ignored[0].points), 3.0);
    }

    #[test]
    fn a_prediction_along_an_unseen_stretch_is_cut_there() {
        let cut = CutLanes::new(&[lane(21, 10..21)], &[predicted(0.0, 20.0)]);
        assert_eq!(cut.predictions.len(), 1);
        let found_m = length(&cut.predictions[0].points);
        assert!((found_m - 9.0).abs() <= 0.5, "{found_m}");
        assert!(
            CutLanes::new(&[lane(21, 10..21)], &[predicted(11.0, 20.0)])
                .predictions
                .is_empty()
        );
    }

    #[test]
    fn both_sides_are_cut_to_the_range() {
        let cut = CutLanes::new(&[lane(60, 0..0)], &[predicted(-50.0, 50.0)]);
        assert_eq!(length(&cut.truths[0].points), 30.0);
        assert_eq!(length(&cut.predictions[0].points), 60.0);
    }

    #[test]
    fn a_prediction_far_from_any_lane_stays() {
        let cut = CutLanes::new(
            &[lane(21, 0..21)],
            &[PredictedLane {
                points_m: vec![[0.0, 8.0, 0.0], [20.0, 8.0, 0.0]],
                ..predicted(0.0, 1.0)
            }],
        );
        assert_eq!(cut.predictions.len(), 1);
    }
}
