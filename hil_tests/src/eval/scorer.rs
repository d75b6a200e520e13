//! Scoring a replay as it runs.

use bevrt_runtime::Stamp;

use super::ScoredMoments;
use crate::metrics::{ScoreTally, Task, Tasks};
use crate::prediction::FramePrediction;
use crate::replay::ReplayFrame;

/// Scores the frames of one pipeline that are due and have ground truth.
#[derive(Clone, Debug)]
pub struct ReplayScorer {
    moments: ScoredMoments,
    lane_confidence: f64,
    published: ScoreTally,
    raw: ScoreTally,
    /// Cameras, and verdicts on output frames without what each of them alone could see.
    without_cameras: Vec<(usize, ScoreTally)>,
}

impl ReplayScorer {
    /// Scores at `moments`; F1 takes lanes from `lane_confidence` on.
    /// For each of `without_cameras` it also scores what the other cameras can see.
    pub fn new(moments: ScoredMoments, lane_confidence: f64, without_cameras: &[usize]) -> Self {
        Self {
            moments,
            lane_confidence,
            published: ScoreTally::default(),
            // The heads know no identities.
            raw: ScoreTally::for_tasks(Tasks::default().without(Task::Tracks)),
            without_cameras: without_cameras
                .iter()
                .map(|&camera| (camera, ScoreTally::default()))
                .collect(),
        }
    }

    /// Looks at a frame; whether it was scored.
    pub fn frame(&mut self, frame: &ReplayFrame<'_>) -> bool {
        let stamp = Stamp::from_nanoseconds(frame.frame.stamp_ns);
        let Some(truth) = frame.truth else {
            return false;
        };
        if !self.moments.take(stamp) {
            return false;
        }
        let published = FramePrediction::from(frame.frame);
        let raw = FramePrediction::from_detections(stamp, frame.pipeline.raw_detections());
        self.published.add(truth, &published, self.lane_confidence);
        for (camera, tally) in &mut self.without_cameras {
            let seen = truth.without_camera(frame.pipeline.rig(), *camera);
            tally.add(&seen, &published, self.lane_confidence);
        }
        self.raw.add(truth, &raw, self.lane_confidence);
        true
    }

    /// The drive is over.
    pub fn end_drive(&mut self) {
        self.published.end_drive();
        for (_, tally) in &mut self.without_cameras {
            tally.end_drive();
        }
    }

    /// Verdicts on output frames.
    pub fn published(&self) -> &ScoreTally {
        &self.published
    }

    /// Verdicts on what the heads found, before tracking.
    pub fn raw(&self) -> &ScoreTally {
        &self.raw
    }

    /// Verdicts on output frames without what one camera alone could see, in the order that was
    /// asked for.
    pub fn without_cameras(&self) -> impl Iterator<Item = &ScoreTally> {
        self.without_cameras.iter().map(|(_, tally)| tally)
    }
}
