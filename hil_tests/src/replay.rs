//! Drives go through pipelines in lockstep: each event is pushed at its arrival, then the clock is
//! set to the arrival and the pipeline is stepped. Nothing depends on how fast the machine is. Or
//! they go in real time, see [`replay_paced`].

mod latency;
mod paced;
mod tensors;
mod waiting_images;

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;

use bevrt_runtime::{FrameError, OutputFrame, Pipeline, Span, Stamp, StepOutcome};

use crate::source::{DriveEvent, DriveSource, ImageEvent, SourceError};
use crate::truth::FrameTruth;

pub use latency::{LatencyReport, StageLatency};
pub use paced::{PaceClock, replay_by_clock, replay_paced};
pub use tensors::{TensorDump, write_npy};
pub use waiting_images::{Taken, WaitingImages};

/// Ground truths that are kept until the frame of their stamp comes out.
const TRUTHS_KEPT: usize = 8;
/// A frame without its reference camera has the stamp of another one. What is true so shortly before
/// or after it is taken: at 15 m/s the vehicle goes 30 cm in it, and cameras are mostly closer.
const TRUTH_WITHIN: Span = Span::from_milliseconds(20);
/// After the last event the clock goes on for this long, so that open sets are closed, yet no
/// camera counts as silent.
const FLUSH: Span = Span::from_milliseconds(100);

/// An output frame as it comes out of a replay.
pub struct ReplayFrame<'a> {
    /// Which of the pipelines made it.
    pub pipeline_index: usize,
    /// The frame.
    pub frame: &'a OutputFrame,
    /// What is true at its stamp, where the drive tells; not more than 20 ms before or after it.
    pub truth: Option<&'a FrameTruth>,
    /// The pipeline, for its detections, tensors and times of this frame.
    pub pipeline: &'a mut Pipeline,
}

/// An error of a visitor.
pub type VisitorError = Box<dyn Error + Send + Sync>;

/// What is done with a replay as it runs.
pub trait ReplayVisitor {
    /// Sees each event before the pipelines do.
    ///
    /// # Errors
    /// Ends the replay.
    fn event(&mut self, event: &DriveEvent<'_>) -> Result<(), VisitorError> {
        let _ = event;
        Ok(())
    }

    /// Whether a pipeline is given an image; it is, unless a visitor says otherwise.
    fn wants(&self, pipeline_index: usize, image: &ImageEvent<'_>) -> bool {
        let _ = (pipeline_index, image);
        true
    }

    /// Sees each frame of each pipeline.
    ///
    /// # Errors
    /// Ends the replay.
    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError>;
}

/// What a replay did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplaySummary {
    /// Frames of each pipeline.
    pub frames: u64,
    /// Images that came into no set.
    pub refused_images: u64,
    /// In real time: sets that gave way to a newer one, since they came while the pipelines worked.
    pub dropped_sets: u64,
    /// Samples of ego motion that were refused.
    pub refused_motion: u64,
    /// Heap allocations of the calling thread in the pipelines after the first frames, and the
    /// frames in which they were made; zero unless they are counted.
    pub allocations: u64,
    /// See `allocations`.
    pub allocation_frames: u64,
}

/// Why a replay ended early.
#[derive(Debug)]
pub enum ReplayError {
    /// The drive cannot be read.
    Source(SourceError),
    /// A pipeline cannot take an image at all, or lacks a tensor.
    Frame(FrameError),
    /// The visitor gave up.
    Visitor(VisitorError),
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::Frame(error) => error.fmt(f),
            Self::Visitor(error) => error.fmt(f),
        }
    }
}

impl ReplaySummary {
    /// Heap allocations for each counted frame; `None` where they are not counted.
    pub fn allocations_per_frame(&self) -> Option<f64> {
        (self.allocation_frames > 0)
            .then(|| self.allocations as f64 / self.allocation_frames as f64)
    }
}

impl Error for ReplayError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Source(error) => error.source(),
            Self::Frame(error) => error.source(),
            Self::Visitor(error) => error.source(),
        }
    }
}

impl From<SourceError> for ReplayError {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

/// A function that tells how often the calling thread has allocated.
pub type AllocationCount = fn() -> u64;

/// Runs a drive through `pipelines`, all fed with the same events.
///
/// The pipelines are not reset before: a replay continues what they know.
///
/// # Errors
/// The drive cannot be read, its images do not fit the pipelines, or the visitor gives up.
pub fn replay(
    source: &mut dyn DriveSource,
    pipelines: &mut [Pipeline],
    visitor: &mut dyn ReplayVisitor,
    allocations: Option<AllocationCount>,
) -> Result<ReplaySummary, ReplayError> {
    let mut run = Run::new(pipelines, visitor, allocations);
    let mut last = None;
    while let Some(event) = source.next_event()? {
        run.visitor.event(&event).map_err(ReplayError::Visitor)?;
        if let Some(now) = run.push(&event)? {
            run.step(now)?;
            last = Some(now);
        }
    }
    if let Some(last) = last {
        run.step(last + FLUSH)?;
    }
    Ok(run.summary)
}

/// Frames before allocations are counted: buffers grow to their size in them.
const UNCOUNTED_FRAMES: u64 = 3;

struct Run<'a> {
    pipelines: &'a mut [Pipeline],
    visitor: &'a mut dyn ReplayVisitor,
    allocations: Option<AllocationCount>,
    truths: VecDeque<FrameTruth>,
    out: Box<OutputFrame>,
    summary: ReplaySummary,
}

impl<'a> Run<'a> {
    fn new(
        pipelines: &'a mut [Pipeline],
        visitor: &'a mut dyn ReplayVisitor,
        allocations: Option<AllocationCount>,
    ) -> Self {
        Self {
            pipelines,
            visitor,
            allocations,
            truths: VecDeque::with_capacity(TRUTHS_KEPT),
            out: OutputFrame::boxed(),
            summary: ReplaySummary::default(),
        }
    }

    /// Gives an event to the pipelines; the time at which they are to be stepped.
    fn push(&mut self, event: &DriveEvent<'_>) -> Result<Option<Stamp>, ReplayError> {
        match event {
            DriveEvent::Truth(truth) => {
                if self.truths.len() == TRUTHS_KEPT {
                    self.truths.pop_front();
                }
                self.truths.push_back((*truth).clone());
                Ok(None)
            }
            DriveEvent::Image(image) => {
                let mut is_wanted = false;
                for index in 0..self.pipelines.len() {
                    if !self.visitor.wants(index, image) {
                        continue;
                    }
                    is_wanted = true;
                    let (stamp, arrival) = (image.stamp, image.arrival);
                    let pushed = self.counted(|run| {
                        run.pipelines[index].push_image(image.camera, &image.image, stamp, arrival)
                    });
                    match pushed {
                        Ok(()) => {}
                        Err(FrameError::Refused(_)) => self.summary.refused_images += 1,
                        Err(error) => return Err(ReplayError::Frame(error)),
                    }
                }
                // What reaches nobody is no event: a step between it and the images of other cameras that
                // arrive at the same moment would find that none of them has come.
                Ok(is_wanted.then_some(image.arrival))
            }
            DriveEvent::VehicleMotion {
                stamp,
                arrival,
                speed_mps,
                yaw_rate_radps,
            } => {
                for index in 0..self.pipelines.len() {
                    let pushed = self.counted(|run| {
                        run.pipelines[index].push_rates(*stamp, *speed_mps, *yaw_rate_radps)
                    });
                    self.summary.refused_motion += u64::from(pushed.is_err());
                }
                Ok(Some(*arrival))
            }
            DriveEvent::Pose {
                stamp,
                arrival,
                odom_from_ego,
            } => {
                for index in 0..self.pipelines.len() {
                    let pushed =
                        self.counted(|run| run.pipelines[index].push_pose(*stamp, odom_from_ego));
                    self.summary.refused_motion += u64::from(pushed.is_err());
                }
                Ok(Some(*arrival))
            }
        }
    }

    fn step(&mut self, now: Stamp) -> Result<(), ReplayError> {
        for index in 0..self.pipelines.len() {
            loop {
                let outcome = self
                    .counted(|run| run.pipelines[index].step(now, &mut run.out))
                    .map_err(ReplayError::Frame)?;
                if outcome == StepOutcome::Waiting {
                    break;
                }
                if index == 0 {
                    self.summary.frames += 1;
                }
                if self.summary.frames > UNCOUNTED_FRAMES && self.allocations.is_some() {
                    self.summary.allocation_frames += 1;
                }
                let frame = ReplayFrame {
                    pipeline_index: index,
                    frame: &self.out,
                    truth: truth_at(&self.truths, self.out.stamp_ns),
                    pipeline: &mut self.pipelines[index],
                };
                self.visitor.frame(frame).map_err(ReplayError::Visitor)?;
            }
        }
        Ok(())
    }

    /// Runs a call into a pipeline and counts what it allocates.
    fn counted<T>(&mut self, call: impl FnOnce(&mut Self) -> T) -> T {
        let Some(count) = self
            .allocations
            .filter(|_| self.summary.frames >= UNCOUNTED_FRAMES)
        else {
            return call(self);
        };
        let before = count();
        let result = call(self);
        self.summary.allocations += count() - before;
        result
    }
}

/// The truth that is nearest to a stamp and near enough.
fn truth_at(truths: &VecDeque<FrameTruth>, stamp_ns: i64) -> Option<&FrameTruth> {
    let distance = |truth: &&FrameTruth| truth.stamp_ns.abs_diff(stamp_ns);
    let nearest = truths.iter().min_by_key(distance)?;
    (distance(&nearest) <= TRUTH_WITHIN.nanoseconds().unsigned_abs()).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_truth_is_taken_if_it_is_near() {
        let truths: VecDeque<_> = [0, 100, 200]
            .map(|ms| FrameTruth {
                stamp_ns: ms * 1_000_000,
                ..FrameTruth::default()
            })
            .into();
        let at =
            |ms: i64| truth_at(&truths, ms * 1_000_000).map(|truth| truth.stamp_ns / 1_000_000);
        assert_eq!(at(100), Some(100));
        assert_eq!(at(92), Some(100));
        assert_eq!(at(213), Some(200));
        assert_eq!(at(150), None);
        assert_eq!(truth_at(&VecDeque::new(), 0), None);
    }
}
