//! Boxes with identities over one drive, made ready for the scores.

use std::collections::BTreeMap;

use crate::metrics::ScoreClass;

/// Distance at which a prediction lies on ground truth that does not count, metres.
const LEFT_OUT_M: f64 = 2.0;

/// A box with an identity, of the ground truth or predicted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackBox {
    /// Identity within the drive.
    pub id: u32,
    /// Merged class.
    pub class: ScoreClass,
    /// Centre in a frame that rests: x, y.
    pub position_m: [f64; 2],
    /// In [0, 1]; nobody asks for that of ground truth.
    pub confidence: f64,
    /// Whether it is to be found; predictions count always.
    pub counts: bool,
}

/// Everything with an identity at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrackFrame {
    /// The moment.
    pub stamp_ns: i64,
    /// Where ranges are measured from, in the frame that rests: x, y.
    pub origin_m: [f64; 2],
    /// Ground truth.
    pub truths: Vec<TrackBox>,
    /// Predictions.
    pub predictions: Vec<TrackBox>,
}

/// The scored frames of one drive, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrackDrive {
    frames: Vec<TrackFrame>,
}

/// Whether the frames that a track skips are filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gaps {
    /// As the nuScenes devkit does, between the boxes before and after.
    Filled,
    /// Nothing is there.
    Left,
}

impl TrackDrive {
    /// Frames by time.
    pub fn new(frames: Vec<TrackFrame>) -> Self {
        Self { frames }
    }

    /// Adds the next frame.
    pub fn push(&mut self, frame: TrackFrame) {
        self.frames.push(frame);
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The frames as they are compared: boxes in the range of their class, each prediction with the
    /// mean confidence of its track, without predictions on ground truth that does not count.
    pub(super) fn prepared(&self, gaps: Gaps) -> Vec<TrackFrame> {
        let mut frames = self.frames.clone();
        for frame in &mut frames {
            let origin_m = frame.origin_m;
            let is_near = |b: &TrackBox| distance(b.position_m, origin_m) < b.class.range_m();
            frame.truths.retain(|b| !b.counts || is_near(b));
            frame.predictions.retain(is_near);
        }
        average_confidences(&mut frames);
        if gaps == Gaps::Filled {
            fill_gaps(&mut frames, |frame| &mut frame.truths);
            fill_gaps(&mut frames, |frame| &mut frame.predictions);
        }
        for frame in &mut frames {
            let truths = &frame.truths;
            frame
                .predictions
                .retain(|b| nearest(truths, b).is_none_or(|truth| truth.counts));
            frame.truths.retain(|truth| truth.counts);
        }
        frames
    }
}

pub(super) fn distance(a_m: [f64; 2], b_m: [f64; 2]) -> f64 {
    (a_m[0] - b_m[0]).hypot(a_m[1] - b_m[1])
}

/// The ground truth of its class that is nearest to a prediction and not too far to be meant.
fn nearest<'a>(truths: &'a [TrackBox], prediction: &TrackBox) -> Option<&'a TrackBox> {
    truths
        .iter()
        .filter(|truth| truth.class == prediction.class)
        .map(|truth| (truth, distance(truth.position_m, prediction.position_m)))
        .filter(|(_, distance_m)| *distance_m < LEFT_OUT_M)
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(truth, _)| truth)
}

fn average_confidences(frames: &mut [TrackFrame]) {
    let mut of_track: BTreeMap<u32, (f64, usize)> = BTreeMap::new();
    for b in frames.iter().flat_map(|frame| &frame.predictions) {
        let (sum, count) = of_track.entry(b.id).or_default();
        *sum += b.confidence;
        *count += 1;
    }
    for b in frames.iter_mut().flat_map(|frame| &mut frame.predictions) {
        let (sum, count) = of_track[&b.id];
        b.confidence = sum / count as f64;
    }
}

/// Puts a box into every frame between two boxes of a track.
///
/// The devkit takes the weights of the two boxes the wrong way round: a box shortly after the one
/// on the left lies near the one on the right. Scores are to equal the devkit's, so it is done here
/// too; it makes no difference to gaps of one frame.
fn fill_gaps(frames: &mut [TrackFrame], side: fn(&mut TrackFrame) -> &mut Vec<TrackBox>) {
    let mut order = Vec::new();
    let mut tracks: BTreeMap<u32, Vec<(usize, TrackBox)>> = BTreeMap::new();
    for (place, frame) in frames.iter_mut().enumerate() {
        for b in side(frame) {
            let track = tracks.entry(b.id).or_default();
            if track.is_empty() {
                order.push(b.id);
            }
            track.push((place, *b));
        }
    }
    // Tracks in the order in which they begin: it decides which of two claims is heard first.
    for pair in order.iter().flat_map(|id| tracks[id].windows(2)) {
        let [(before, left), (after, right)] = pair else {
            continue;
        };
        let (begin_ns, end_ns) = (frames[*before].stamp_ns, frames[*after].stamp_ns);
        for frame in &mut frames[before + 1..*after] {
            let share = (end_ns - frame.stamp_ns) as f64 / (end_ns - begin_ns) as f64;
            let between = |left: f64, right: f64| (1.0 - share) * left + share * right;
            side(frame).push(TrackBox {
                position_m: std::array::from_fn(|k| {
                    between(left.position_m[k], right.position_m[k])
                }),
                confidence: between(left.confidence, right.confidence),
                counts: left.counts && right.counts,
                ..*right
            });
        }
    }
}

/// A car that counts, at (x, 0).
#[cfg(test)]
pub(super) fn car_at(id: u32, x: f64, confidence: f64) -> TrackBox {
    TrackBox {
        id,
        class: ScoreClass::Car,
        position_m: [x, 0.0],
        confidence,
        counts: true,
    }
}

#[cfg(test)]
mod tests {
    use super::car_at as at;
    use super::*;

    fn frame(stamp_ns: i64, truths: &[TrackBox], predictions: &[TrackBox]) -> TrackFrame {
        TrackFrame {
            stamp_ns,
            truths: truths.to_vec(),
            predictions: predictions.to_vec(),
            ..TrackFrame::default()
        }
    }

    #[test]
    fn a_track_has_one_confidence_and_no_gaps() {
        let drive = TrackDrive::new(vec![
            frame(0, &[], &[at(1, 0.0, 0.4)]),
            frame(10, &[], &[]),
            frame(20, &[], &[at(1, 4.0, 0.8)]),
        ]);
        let frames = drive.prepared(Gaps::Filled);
        let filled = frames[1].predictions[0];
        assert_eq!((filled.id, filled.position_m), (1, [2.0, 0.0]));
        for b in frames.iter().flat_map(|frame| &frame.predictions) {
            assert!((b.confidence - 0.6).abs() < 1e-12);
        }
        assert!(drive.prepared(Gaps::Left)[1].predictions.is_empty());
    }

    #[test]
    fn predictions_on_ground_truth_that_does_not_count_are_left_out() {
        let hidden = TrackBox {
            counts: false,
            ..at(2, 10.0, 1.0)
        };
        let truths = [at(1, 11.5, 1.0), hidden];
        let predictions = [at(5, 10.4, 0.5), at(6, 11.0, 0.5), at(7, 20.0, 0.5)];
        let drive = TrackDrive::new(vec![frame(0, &truths, &predictions)]);
        let frames = drive.prepared(Gaps::Left);
        let ids = |boxes: &[TrackBox]| boxes.iter().map(|b| b.id).collect::<Vec<u32>>();
        assert_eq!(ids(&frames[0].truths), [1]);
        assert_eq!(ids(&frames[0].predictions), [6, 7]);
    }

    #[test]
    fn ranges_are_measured_from_the_vehicle() {
        let mut far = frame(0, &[at(1, 149.0, 1.0), at(2, 151.0, 1.0)], &[]);
        far.origin_m = [100.0, 0.0];
        let frames = TrackDrive::new(vec![far]).prepared(Gaps::Filled);
        assert_eq!(frames[0].truths.len(), 1);
    }
}
