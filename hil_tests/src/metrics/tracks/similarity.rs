//! One class of one drive as HOTA, CLEAR and the identity scores see it: who is there, and how alike
//! each pair is.

use std::collections::BTreeMap;

use super::drive::{TrackBox, TrackFrame, distance};

/// Centre distance at which two boxes have nothing in common, metres.
pub const ZERO_SIMILARITY_M: f64 = 4.0;

/// How alike the boxes of one moment are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SimilarityFrame {
    /// Track of each box of the ground truth, counted from 0.
    pub truths: Vec<usize>,
    /// Track of each predicted box, counted from 0.
    pub predictions: Vec<usize>,
    /// In [0, 1]: a row for each truth, a column for each prediction.
    pub similarity: Vec<Vec<f64>>,
}

/// The moments of one drive.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SimilarityDrive {
    pub(super) frames: Vec<SimilarityFrame>,
    /// Boxes of each track of the ground truth.
    pub(super) truth_lengths: Vec<usize>,
    /// Boxes of each predicted track.
    pub(super) prediction_lengths: Vec<usize>,
}

impl SimilarityDrive {
    /// From frames by time.
    pub fn new(frames: Vec<SimilarityFrame>) -> Self {
        let lengths = |tracks: &dyn Fn(&SimilarityFrame) -> Vec<usize>| {
            let mut lengths = Vec::new();
            for track in frames.iter().flat_map(tracks) {
                lengths.resize(lengths.len().max(track + 1), 0);
                lengths[track] += 1;
            }
            lengths
        };
        Self {
            truth_lengths: lengths(&|frame| frame.truths.clone()),
            prediction_lengths: lengths(&|frame| frame.predictions.clone()),
            frames,
        }
    }

    /// Of boxes of one class: one minus the distance of the centres over [`ZERO_SIMILARITY_M`].
    pub(super) fn of_boxes(frames: &[TrackFrame]) -> Self {
        let (mut truths, mut predictions) = (BTreeMap::new(), BTreeMap::new());
        let mut numbered = |boxes: &[TrackBox], is_truth: bool| -> Vec<usize> {
            let known = if is_truth {
                &mut truths
            } else {
                &mut predictions
            };
            let mut number = |b: &TrackBox| {
                let next = known.len();
                *known.entry(b.id).or_insert(next)
            };
            boxes.iter().map(&mut number).collect()
        };
        let frames = frames.iter().map(|frame| SimilarityFrame {
            truths: numbered(&frame.truths, true),
            predictions: numbered(&frame.predictions, false),
            similarity: frame
                .truths
                .iter()
                .map(|truth| {
                    let row = frame.predictions.iter();
                    row.map(|b| similarity(truth, b)).collect()
                })
                .collect(),
        });
        Self::new(frames.collect())
    }
}

fn similarity(truth: &TrackBox, prediction: &TrackBox) -> f64 {
    (1.0 - distance(truth.position_m, prediction.position_m) / ZERO_SIMILARITY_M).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::ScoreClass;

    #[test]
    fn two_metres_are_half_alike() {
        let at = |id, x| TrackBox {
            id,
            class: ScoreClass::Car,
            position_m: [x, 0.0],
            confidence: 1.0,
            counts: true,
        };
        let frame = TrackFrame {
            truths: vec![at(70, 0.0), at(3, 9.0)],
            predictions: vec![at(8, 2.0)],
            ..TrackFrame::default()
        };
        let drive = SimilarityDrive::of_boxes(&[frame]);
        assert_eq!(drive.frames[0].similarity, [[0.5], [0.0]]);
        assert_eq!(drive.frames[0].truths, [0, 1]);
        assert_eq!(
            (drive.truth_lengths, drive.prediction_lengths),
            (vec![1, 1], vec![1])
        );
    }
}
