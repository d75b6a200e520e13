//! Following elements over time in the odometry frame: stable ids, smoothing, coasting.
//!
//! [`Tracker`] holds one tracker for each kind. All memory is taken at set-up, and the same
//! detections, stamps and poses give the same tracks, bit by bit.

mod elements;
mod identity;
mod lanes;
mod memory;
mod objects;
mod planar;
mod tracks;

use bevrt_calibration::{BevGrid, Ego, Odom, Pose};

pub use elements::{ElementTracker, TrackableElement};
pub use lanes::LaneTracker;
pub use objects::ObjectTracker;
pub use tracks::{TrackedElement, TrackedLane, TrackedObject, Tracks};

use crate::heads::{
    ARROW_CAPACITY, ArrowDetection, CROSSWALK_CAPACITY, CrosswalkDetection, Detections,
    STOP_LINE_CAPACITY, StopLineDetection,
};
use crate::manifest::{HeadKind, Manifest};
use crate::time::{Span, Stamp};
use memory::View;
use planar::PlanarPose;

/// After a longer silence nothing is followed any more.
const LONGEST_SILENCE: Span = Span::from_nanoseconds(2_000_000_000);

/// The range of what a network does not find.
const NOWHERE: BevGrid = BevGrid {
    x_min_m: 0.0,
    y_min_m: 0.0,
    cell_m: 1.0,
    rows: 1,
    cols: 1,
};

/// Follows all kinds of elements.
#[derive(Debug)]
pub struct Tracker {
    objects: ObjectTracker,
    lanes: LaneTracker,
    arrows: ElementTracker<ArrowDetection, ARROW_CAPACITY>,
    crosswalks: ElementTracker<CrosswalkDetection, CROSSWALK_CAPACITY>,
    stop_lines: ElementTracker<StopLineDetection, STOP_LINE_CAPACITY>,
    last: Option<LastStep>,
    tracks: Box<Tracks>,
}

#[derive(Clone, Copy, Debug)]
struct LastStep {
    stamp: Stamp,
    has_motion: bool,
}

impl Tracker {
    /// A tracker for what the heads of the manifest find, each kind inside the grid or range of its
    /// head.
    pub fn new(manifest: &Manifest) -> Self {
        let area = |kind| {
            let mut heads = manifest.heads().iter();
            heads
                .find(|head| head.form.finds().contains(&kind))
                .map_or(NOWHERE, |head| head.form.area())
        };
        Self {
            objects: ObjectTracker::new(&area(HeadKind::Objects)),
            lanes: LaneTracker::new(&area(HeadKind::Lanes)),
            arrows: ElementTracker::new(&area(HeadKind::Arrows)),
            crosswalks: ElementTracker::new(&area(HeadKind::Crosswalks)),
            stop_lines: ElementTracker::new(&area(HeadKind::StopLines)),
            last: None,
            tracks: Box::default(),
        }
    }

    /// All tracks at the last update, in the ego frame of its stamp.
    pub fn tracks(&self) -> &Tracks {
        &self.tracks
    }

    /// Forgets all tracks. Ids go on, so a new track never has an old id.
    pub fn reset(&mut self) {
        self.objects.reset();
        self.lanes.reset();
        self.arrows.reset();
        self.crosswalks.reset();
        self.stop_lines.reset();
        self.last = None;
        self.tracks.clear();
    }

    /// Joins the detections of one frame to the tracks; [`Tracker::tracks`] then has all of them.
    ///
    /// Without a pose the vehicle is taken to stand still. Tracks are dropped when the pose comes
    /// or goes, when time goes back, and after two seconds of silence.
    ///
    /// # Real-time
    /// Allocates nothing.
    pub fn update(
        &mut self,
        stamp: Stamp,
        odom_from_ego: Option<&Pose<Odom, Ego>>,
        detections: &Detections,
    ) {
        let step = LastStep {
            stamp,
            has_motion: odom_from_ego.is_some(),
        };
        if self.last.is_some_and(|last| !step.continues(last)) {
            self.reset();
        }
        let dt_s = self
            .last
            .map_or(0.0, |last| stamp.since(last.stamp).seconds());
        self.last = Some(step);
        let pose = odom_from_ego.map_or(PlanarPose::IDENTITY, PlanarPose::of);
        let out = self.tracks.as_mut();
        self.objects
            .step(stamp, dt_s, &pose, &detections.objects, &mut out.objects);
        let view = View {
            stamp,
            pose: &pose,
            has_motion: step.has_motion,
        };
        self.lanes.step(&view, &detections.lanes, &mut out.lanes);
        self.arrows
            .step(&view, dt_s, &detections.arrows, &mut out.arrows);
        self.crosswalks
            .step(&view, dt_s, &detections.crosswalks, &mut out.crosswalks);
        self.stop_lines
            .step(&view, dt_s, &detections.stop_lines, &mut out.stop_lines);
    }
}

impl LastStep {
    fn continues(&self, last: Self) -> bool {
        let silence = self.stamp.since(last.stamp);
        self.has_motion == last.has_motion && silence >= Span::ZERO && silence <= LONGEST_SILENCE
    }
}

#[cfg(test)]
mod tests;
