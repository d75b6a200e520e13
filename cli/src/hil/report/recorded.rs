//! A drive as the report needs it: frames for the player, health, and quality frame by frame.

use crate::player::{FrameKeeper, RecordedFrame, stage_times};
use crate::progress::DriveBar;
use crate::result_drive::DriveWatcher;
use bevrt_calibration::Camera;
use bevrt_hil::eval::ScoredMoments;
use bevrt_hil::metrics::{ScoreTally, Task, Tasks};
use bevrt_hil::replay::{ReplayFrame, ReplayVisitor, VisitorError};
use bevrt_hil::source::DriveEvent;
use bevrt_hil::{FramePrediction, FrameTruth};
use bevrt_runtime::{OutputFrame, Stamp};

/// Seconds before quality is measured: the queue fills.
const WARM_UP_S: f64 = 2.0;
/// Scored frames a second.
const SCORED_HZ: f64 = 2.0;

/// Scores of a single frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FrameQuality {
    /// mAP of objects within 30 m; `None` where there are none.
    pub objects: Option<f64>,
    /// F1 of lanes at 0.5 m; `None` where there are none.
    pub lanes: Option<f64>,
}

impl FrameQuality {
    fn of(truth: &FrameTruth, prediction: &FramePrediction) -> Self {
        let tasks = [Task::Objects, Task::PaintedLanes, Task::RoadEdges];
        let mut tally = ScoreTally::for_tasks(Tasks::of(&tasks));
        tally.add(truth, prediction, 0.0);
        let scores = tally.scores();
        let near = &scores.near_objects;
        let has_objects = near.classes.iter().any(|class| class.truth_count > 0);
        let f1 = &scores.lanes.f1;
        Self {
            objects: has_objects.then_some(near.mean_average_precision),
            lanes: (f1.truth_count > 0).then_some(f1.f1),
        }
    }

    /// Mean of what there is; `None` where nothing was to be found.
    pub fn mean(&self) -> Option<f64> {
        let values: Vec<f64> = [self.objects, self.lanes].into_iter().flatten().collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}

/// What the report says of a frame apart from the player.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FrameNote {
    /// Why health is not ok.
    pub reasons: Vec<&'static str>,
    /// Against the ground truth, where there is some.
    pub quality: Option<FrameQuality>,
}

/// A drive that is over.
pub struct RecordedDrive {
    /// Its name.
    pub name: String,
    /// The cameras whose pictures there are.
    pub cameras: Vec<Camera>,
    /// Every frame.
    pub frames: Vec<RecordedFrame>,
    /// One for each frame.
    pub notes: Vec<FrameNote>,
    /// Verdicts on the scored frames.
    pub tally: ScoreTally,
}

/// Keeps a drive while it goes on.
pub struct DriveRecorder {
    name: String,
    cameras: Vec<Camera>,
    bar: DriveBar,
    keeper: FrameKeeper,
    notes: Vec<FrameNote>,
    moments: Option<ScoredMoments>,
    tally: ScoreTally,
}

impl DriveRecorder {
    /// For a drive with pictures of these cameras.
    pub fn new(name: String, cameras: Vec<Camera>, bar: DriveBar) -> Self {
        Self {
            keeper: FrameKeeper::new(cameras.clone()),
            name,
            cameras,
            bar,
            notes: Vec::new(),
            moments: None,
            tally: ScoreTally::default(),
        }
    }

    /// The drive is over.
    pub fn finish(mut self) -> RecordedDrive {
        self.bar.finish();
        self.tally.end_drive();
        RecordedDrive {
            name: self.name,
            cameras: self.cameras,
            frames: self.keeper.into_frames(),
            notes: self.notes,
            tally: self.tally,
        }
    }
}

impl DriveWatcher for DriveRecorder {
    fn take(&mut self, event: &DriveEvent<'_>) -> Result<(), VisitorError> {
        if let DriveEvent::Image(image) = event {
            self.keeper.picture(image)?;
        }
        Ok(())
    }

    fn keep(
        &mut self,
        frame: &OutputFrame,
        truth: Option<&FrameTruth>,
        latency_ms: Vec<(String, f64)>,
    ) -> Result<(), VisitorError> {
        let stamp = Stamp::from_nanoseconds(frame.stamp_ns);
        self.bar.frame(stamp);
        let moments = self
            .moments
            .get_or_insert_with(|| ScoredMoments::new(stamp, WARM_UP_S, SCORED_HZ));
        let is_scored = moments.take(stamp);
        let quality = truth.map(|truth| {
            let prediction = FramePrediction::from(frame);
            if is_scored {
                self.tally.add(truth, &prediction, 0.0);
            }
            FrameQuality::of(truth, &prediction)
        });
        self.notes.push(FrameNote {
            reasons: frame.health.reasons().names().collect(),
            quality,
        });
        self.keeper.frame(frame, truth, latency_ms);
        Ok(())
    }
}

impl ReplayVisitor for DriveRecorder {
    fn event(&mut self, event: &DriveEvent<'_>) -> Result<(), VisitorError> {
        self.take(event)
    }

    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError> {
        let times = stage_times(frame.pipeline);
        self.keep(frame.frame, frame.truth, times)
    }
}
