//! All scores together.

use super::detection::{
    DetectionRange, DetectionScores, DetectionTally, PredictedBox, ScoredBox, TruthBox,
};
use super::lanes::{LaneScores, LaneTally};
use super::markings::{
    ArrowScores, ArrowTally, CrosswalkScores, CrosswalkTally, StopLineScores, StopLineTally,
};
use super::occlusion::{OcclusionScores, OcclusionTally, Visibility};
use super::score_classes::ScoreClass;
use super::sigma::{SigmaScore, SigmaTally};
use super::tasks::{Task, Tasks};
use super::tracks::{TrackBox, TrackFrame, TrackScores, TrackTally};
use crate::prediction::{FramePrediction, PredictedLane, PredictedObject};
use crate::truth::{FrameTruth, LaneTruth, ObjectTruth};

/// The near range that object detection is scored in as well, metres.
const NEAR_M: f64 = 30.0;

/// An object class number that the frame format does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownClass(pub u8);

impl TryFrom<&ObjectTruth> for TruthBox {
    type Error = UnknownClass;

    fn try_from(truth: &ObjectTruth) -> Result<Self, UnknownClass> {
        let class = ScoreClass::of_object_class(truth.class).ok_or(UnknownClass(truth.class))?;
        Ok(Self {
            scored: ScoredBox {
                class,
                centre_m: [truth.position_m[0], truth.position_m[1]],
                size_m: truth.size_m,
                yaw_rad: truth.yaw_rad,
                velocity_mps: truth.velocity_mps.unwrap_or([f64::NAN; 2]),
            },
            counts: truth.counts,
        })
    }
}

impl TryFrom<&PredictedObject> for PredictedBox {
    type Error = UnknownClass;

    fn try_from(object: &PredictedObject) -> Result<Self, UnknownClass> {
        let class = ScoreClass::of_object_class(object.class).ok_or(UnknownClass(object.class))?;
        Ok(Self {
            scored: ScoredBox {
                class,
                centre_m: [object.position_m[0], object.position_m[1]],
                size_m: object.size_m,
                yaw_rad: object.yaw_rad,
                velocity_mps: object.velocity_mps,
            },
            confidence: object.confidence,
        })
    }
}

/// Verdicts on any number of frames. Frames are compared one by one; tallies can be merged.
///
/// The default scores every task.
#[derive(Clone, Debug, Default)]
pub struct ScoreTally {
    tasks: Tasks,
    frames: usize,
    objects: DetectionTally,
    near_objects: DetectionTally,
    occlusion: OcclusionTally,
    lanes: LaneTally,
    arrows: ArrowTally,
    crosswalks: CrosswalkTally,
    stop_lines: StopLineTally,
    sigma: SigmaTally,
    tracks: TrackTally,
}

/// All scores over a set of frames.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// What was scored; the scores of other tasks are those of empty frames and stand in no report.
    pub tasks: Tasks,
    /// Frames compared.
    pub frames: usize,
    /// At nuScenes ranges.
    pub objects: DetectionScores,
    /// Within 30 m.
    pub near_objects: DetectionScores,
    /// By how much of them is visible, and of hidden ones.
    pub occlusion: OcclusionScores,
    /// Painted lines and road edges.
    pub lanes: LaneScores,
    /// Arrows.
    pub arrows: ArrowScores,
    /// Crosswalks.
    pub crosswalks: CrosswalkScores,
    /// Stop lines.
    pub stop_lines: StopLineScores,
    /// How true the standard deviations are, by quantity.
    pub sigma: Vec<SigmaScore>,
    /// Whether objects keep their identities.
    pub tracks: TrackScores,
}

impl ScoreTally {
    /// Scores these tasks alone, for ground truth that has no labels for the others.
    pub fn for_tasks(tasks: Tasks) -> Self {
        Self {
            tasks,
            ..Self::default()
        }
    }

    /// The frames that come next belong to another drive, with other identities.
    pub fn end_drive(&mut self) {
        self.tracks.end_drive();
    }

    /// Compares one frame, the next of its drive; lane F1 takes lanes from `least_lane_confidence` on.
    ///
    /// Elements with class numbers that the frame format does not have are left out.
    pub fn add(
        &mut self,
        truth: &FrameTruth,
        prediction: &FramePrediction,
        least_lane_confidence: f64,
    ) {
        let (truths, visibility): (Vec<TruthBox>, Vec<Visibility>) = truth
            .objects
            .iter()
            .filter_map(|object| {
                let visibility = Visibility {
                    share: object.visible_fraction,
                    is_hidden: object.is_occluded,
                };
                Some((TruthBox::try_from(object).ok()?, visibility))
            })
            .unzip();
        let predictions: Vec<PredictedBox> = prediction
            .objects
            .iter()
            .filter_map(|object| PredictedBox::try_from(object).ok())
            .collect();
        self.frames += 1;
        if self.tasks.contains(Task::Objects) {
            self.objects
                .add(&truths, &predictions, DetectionRange::NuScenes);
            self.near_objects
                .add(&truths, &predictions, DetectionRange::Within(NEAR_M));
            self.sigma.add_objects(&truth.objects, &prediction.objects);
            self.occlusion.add(&truths, &visibility, &predictions);
        }
        if self.tasks.contains(Task::Tracks) {
            self.tracks.add(track_frame(truth, prediction));
        }
        self.add_lanes(truth, prediction, least_lane_confidence);
        if self.tasks.contains(Task::Arrows) {
            self.arrows
                .add(&truth.arrows, &prediction.arrows, &mut self.sigma);
        }
        if self.tasks.contains(Task::Crosswalks) {
            self.crosswalks
                .add(&truth.crosswalks, &prediction.crosswalks, &mut self.sigma);
        }
        if self.tasks.contains(Task::StopLines) {
            self.stop_lines
                .add(&truth.stop_lines, &prediction.stop_lines, &mut self.sigma);
        }
    }

    /// Compares the lines of the families that are scored.
    fn add_lanes(
        &mut self,
        truth: &FrameTruth,
        prediction: &FramePrediction,
        least_confidence: f64,
    ) {
        let is_scored = |marking| self.tasks.contains(Task::of_marking(marking));
        let truths: Vec<LaneTruth> = truth
            .lanes
            .iter()
            .filter(|lane| is_scored(lane.marking))
            .cloned()
            .collect();
        let predictions: Vec<PredictedLane> = prediction
            .lanes
            .iter()
            .filter(|lane| is_scored(lane.marking))
            .cloned()
            .collect();
        self.lanes.add(&truths, &predictions, least_confidence);
    }

    /// Adds the frames of another tally, which are of other drives; a task is scored where one of the two scores it.
    pub fn merge(&mut self, other: &Self) {
        self.tasks = self.tasks.union(other.tasks);
        self.frames += other.frames;
        self.objects.merge(&other.objects);
        self.near_objects.merge(&other.near_objects);
        self.occlusion.merge(&other.occlusion);
        self.lanes.merge(&other.lanes);
        self.arrows.merge(&other.arrows);
        self.crosswalks.merge(&other.crosswalks);
        self.stop_lines.merge(&other.stop_lines);
        self.sigma.merge(&other.sigma);
        self.tracks.merge(&other.tracks);
    }

    /// Frames compared so far.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// The scores over all frames.
    pub fn scores(&self) -> Scores {
        let mut sigma = self.sigma.clone();
        sigma.add_lanes(self.lanes.lateral());
        Scores {
            tasks: self.tasks,
            frames: self.frames,
            objects: self.objects.scores(),
            near_objects: self.near_objects.scores(),
            occlusion: self.occlusion.scores(),
            arrows: self.arrows.scores(),
            crosswalks: self.crosswalks.scores(),
            stop_lines: self.stop_lines.scores(),
            sigma: sigma.scores(),
            tracks: self.tracks.scores(),
            lanes: self.lanes.scores(),
        }
    }
}

/// What has an identity, in a frame that rests where the truth tells one.
fn track_frame(truth: &FrameTruth, prediction: &FramePrediction) -> TrackFrame {
    let [x, y, heading_rad] = truth.ego_in_world.unwrap_or_default();
    let (sin, cos) = heading_rad.sin_cos();
    let place = |p: [f64; 2]| [x + cos * p[0] - sin * p[1], y + sin * p[0] + cos * p[1]];
    let truths = truth.objects.iter().filter_map(|object| {
        let TruthBox { scored, counts } = TruthBox::try_from(object).ok()?;
        Some(TrackBox {
            id: object.track_id,
            class: scored.class,
            position_m: place(scored.centre_m),
            confidence: 1.0,
            counts,
        })
    });
    let predictions = prediction.objects.iter().filter_map(|object| {
        let PredictedBox { scored, confidence } = PredictedBox::try_from(object).ok()?;
        Some(TrackBox {
            id: object.track_id?,
            class: scored.class,
            position_m: place(scored.centre_m),
            confidence,
            counts: true,
        })
    });
    TrackFrame {
        stamp_ns: truth.stamp_ns,
        origin_m: [x, y],
        truths: truths.collect(),
        predictions: predictions.collect(),
    }
}
