//! One class at every confidence: AMOTA and AMOTP of the nuScenes tracking benchmark, and the
//! confidence that the other scores are given at.

use super::clear::ClearTally;
use super::drive::{Gaps, TrackDrive, TrackFrame};
use super::events::TrackEvents;
use super::hota::HotaTally;
use super::identity::IdentityTally;
use super::similarity::SimilarityDrive;
use crate::metrics::ScoreClass;
use crate::metrics::curve::interpolate;

/// Recalls that AMOTA and AMOTP are averaged over.
pub const RECALLS: usize = 40;
const LEAST_RECALL: f64 = 0.1;
/// MOTP where a recall is not reached, metres.
const WORST_DISTANCE_M: f64 = 2.0;

/// What the scores of one class are made of, at one least confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrackCounts {
    /// As the devkit counts, with gaps filled.
    pub events: TrackEvents,
    /// Of the boxes as they are.
    pub hota: HotaTally,
    /// Of the boxes as they are.
    pub clear: ClearTally,
    /// Of the boxes as they are.
    pub identity: IdentityTally,
}

impl TrackCounts {
    fn of(filled: &[TrackFrame], left: &[TrackFrame]) -> Self {
        let similarity = SimilarityDrive::of_boxes(left);
        Self {
            events: TrackEvents::of(filled).0,
            hota: HotaTally::of(&similarity),
            clear: ClearTally::of(&similarity),
            identity: IdentityTally::of(&similarity),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.events.merge(&other.events);
        self.hota.merge(&other.hota);
        self.clear.merge(&other.clear);
        self.identity.merge(&other.identity);
    }
}

/// One class of one drive: its counts change only at the confidences of its tracks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ClassDrive {
    truth_boxes: usize,
    truth_tracks: usize,
    /// Confidence of each match when every prediction is taken.
    matches: Vec<f64>,
    /// Without any prediction.
    nothing: TrackCounts,
    /// Counts from a confidence on, by falling confidence.
    steps: Vec<(f64, TrackCounts)>,
}

impl ClassDrive {
    pub fn new(drive: &TrackDrive, class: ScoreClass) -> Self {
        let of_class = |gaps: Gaps| {
            let mut frames = drive.prepared(gaps);
            for frame in &mut frames {
                frame.truths.retain(|b| b.class == class);
                frame.predictions.retain(|b| b.class == class);
            }
            frames
        };
        let (filled, left) = (of_class(Gaps::Filled), of_class(Gaps::Left));
        let predictions = filled.iter().flat_map(|frame| &frame.predictions);
        let mut confidences: Vec<f64> = predictions.map(|b| b.confidence).collect();
        confidences.sort_by(|a, b| b.total_cmp(a));
        confidences.dedup();
        let at = |least: f64| {
            let taken = |frames: &[TrackFrame]| {
                let mut frames = frames.to_vec();
                for frame in &mut frames {
                    frame.predictions.retain(|b| b.confidence >= least);
                }
                frames
            };
            TrackCounts::of(&taken(&filled), &taken(&left))
        };
        let truths = || filled.iter().flat_map(|frame| &frame.truths);
        let mut tracks: Vec<u32> = truths().map(|b| b.id).collect();
        tracks.sort_unstable();
        tracks.dedup();
        Self {
            truth_boxes: truths().count(),
            truth_tracks: tracks.len(),
            matches: TrackEvents::of(&filled).1,
            nothing: at(f64::INFINITY),
            steps: confidences
                .iter()
                .map(|&least| (least, at(least)))
                .collect(),
        }
    }

    fn counts_from(&self, least: f64) -> &TrackCounts {
        let taken = self.steps.partition_point(|(step, _)| *step >= least);
        taken
            .checked_sub(1)
            .map_or(&self.nothing, |last| &self.steps[last].1)
    }
}

/// Scores of the tracks of one class.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackClassScores {
    /// The class.
    pub class: ScoreClass,
    /// Boxes of the ground truth, gaps filled.
    pub truth_boxes: usize,
    /// Tracks of the ground truth.
    pub truth_tracks: usize,
    /// AMOTA: mean of MOTAR over the recalls, 0 where one is not reached.
    pub average_accuracy: f64,
    /// AMOTP: mean of MOTP over the recalls, 2 m where one is not reached.
    pub average_distance_m: f64,
    /// The least confidences by falling recall from 1 to 0.1; `None` where one is not reached.
    pub thresholds: Vec<Option<f64>>,
    /// The confidence of the highest MOTA; `None` where no recall is reached.
    pub confidence: Option<f64>,
    /// Counts at that confidence, or of every prediction.
    pub counts: TrackCounts,
    /// Counts of every prediction.
    pub published: TrackCounts,
}

impl TrackClassScores {
    /// Of any number of drives.
    pub(super) fn new<'a>(
        class: ScoreClass,
        drives: impl Iterator<Item = &'a ClassDrive> + Clone,
    ) -> Self {
        let counts_from = |least: f64| {
            let mut counts = TrackCounts::default();
            for drive in drives.clone() {
                counts.merge(drive.counts_from(least));
            }
            counts
        };
        let truth_boxes = drives.clone().map(|drive| drive.truth_boxes).sum();
        let matches = drives
            .clone()
            .flat_map(|drive| drive.matches.iter().copied());
        let thresholds = thresholds(matches.collect(), truth_boxes);
        let events_at = |least: f64| {
            let mut events = TrackEvents::default();
            for drive in drives.clone() {
                events.merge(&drive.counts_from(least).events);
            }
            events
        };
        let (mut accuracy, mut distance_m) = (0.0, 0.0);
        let mut best: Option<(f64, f64)> = None;
        for threshold in &thresholds {
            let events = threshold.map(events_at);
            accuracy += events
                .and_then(|events| events.accuracy_at_recall())
                .unwrap_or(0.0);
            distance_m += events
                .and_then(|events| events.mean_distance_m())
                .unwrap_or(WORST_DISTANCE_M);
            if let Some((threshold, events)) = threshold.zip(events)
                && best.is_none_or(|(_, highest)| events.accuracy() > highest)
            {
                best = Some((threshold, events.accuracy()));
            }
        }
        let confidence = best.map(|(threshold, _)| threshold);
        Self {
            class,
            truth_boxes,
            truth_tracks: drives.clone().map(|drive| drive.truth_tracks).sum(),
            average_accuracy: accuracy / RECALLS as f64,
            average_distance_m: distance_m / RECALLS as f64,
            thresholds,
            confidence,
            counts: counts_from(confidence.unwrap_or(f64::NEG_INFINITY)),
            published: counts_from(f64::NEG_INFINITY),
        }
    }
}

/// The least confidence for each recall, from 1 down to [`LEAST_RECALL`].
fn thresholds(mut matches: Vec<f64>, truth_boxes: usize) -> Vec<Option<f64>> {
    matches.sort_by(|a, b| b.total_cmp(a));
    let reached: Vec<f64> = (1..=matches.len())
        .map(|count| count as f64 / truth_boxes as f64)
        .collect();
    let step = (1.0 - LEAST_RECALL) / (RECALLS - 1) as f64;
    (0..RECALLS)
        .rev()
        .map(|place| {
            let recall = LEAST_RECALL + place as f64 * step;
            // Rounded to twelve digits, as the devkit does.
            let recall = (recall * 1e12).round_ties_even() / 1e12;
            let highest = reached.last().filter(|highest| recall <= **highest);
            highest.map(|_| interpolate(recall, &reached, &matches, matches[0], 0.0))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::TrackBox;
    use crate::metrics::tracks::drive::car_at as at;

    fn scores(predictions: &[TrackBox]) -> TrackClassScores {
        let frames = (0..10).map(|k| TrackFrame {
            stamp_ns: k,
            truths: vec![at(1, 5.0, 1.0), at(2, 15.0, 1.0)],
            predictions: predictions.to_vec(),
            ..TrackFrame::default()
        });
        let drive = ClassDrive::new(&TrackDrive::new(frames.collect()), ScoreClass::Car);
        TrackClassScores::new(ScoreClass::Car, [drive].iter())
    }

    #[test]
    fn perfect_tracks_score_one() {
        let scores = scores(&[at(7, 5.0, 0.9), at(8, 15.0, 0.25)]);
        assert!((scores.average_accuracy - 1.0).abs() < 1e-12);
        assert_eq!(scores.average_distance_m, 0.0);
        assert_eq!(scores.confidence, Some(0.25));
        assert!((scores.counts.hota.scores().hota - 1.0).abs() < 1e-12);
    }

    #[test]
    fn false_tracks_of_low_confidence_are_below_the_best_one() {
        let scores = scores(&[at(7, 5.0, 0.75), at(8, 15.0, 0.5), at(9, 30.0, 0.25)]);
        assert_eq!(scores.confidence, Some(0.5));
        assert_eq!(scores.counts.clear.accuracy(), 1.0);
        assert_eq!(scores.published.clear.accuracy(), 0.5);
    }

    #[test]
    fn recalls_that_are_not_reached_count_as_the_worst() {
        let scores = scores(&[at(7, 5.0, 0.9)]);
        let reached = scores.thresholds.iter().flatten().count() as f64;
        assert!((scores.average_accuracy - reached / 40.0).abs() < 1e-12);
        assert!((scores.average_distance_m - 2.0 * (1.0 - reached / 40.0)).abs() < 1e-12);
        assert_eq!(scores.counts.events.recall(), 0.5);
    }
}
