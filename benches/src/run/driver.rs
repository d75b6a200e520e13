//! Feeds a pipeline set by set and takes the times of each frame.

use std::time::{Duration, Instant};

use bevrt_runtime::{
    BesideThread, FrameError, OutputFrame, Pipeline, Span, Stamp, StepBegin, StepOutcome,
};

use super::AllocationCount;
use crate::error::BenchError;
use crate::recording::{Event, Feed, Motion, Recording, What};
use crate::sample::{Interval, Mode, Sample};

/// When events are given.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// At once.
    None,
    /// At their arrival, which is tied to the clock here.
    Clock {
        /// A moment of the recording …
        stamp: Stamp,
        /// … and the same moment since the benchmark began.
        at_ns: u64,
    },
}

impl Pace {
    /// When an arrival is due, since the benchmark began.
    fn due_ns(self, arrival: Stamp) -> Option<u64> {
        match self {
            Self::None => None,
            Self::Clock { stamp, at_ns } => {
                let later = u64::try_from(arrival.since(stamp).nanoseconds()).unwrap_or(0);
                Some(at_ns + later)
            }
        }
    }

    /// The recording's time at a moment; that of the arrival where nothing is paced.
    fn now(self, arrival: Stamp, since_begin_ns: u64) -> Stamp {
        match self {
            Self::None => arrival,
            Self::Clock { stamp, at_ns } => {
                let later = i64::try_from(since_begin_ns.saturating_sub(at_ns)).unwrap_or(i64::MAX);
                (stamp + Span::from_nanoseconds(later)).max(arrival)
            }
        }
    }
}

/// What became of a set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    /// Its frame, if one came.
    pub sample: Option<Sample>,
    /// It was dropped as a whole.
    pub is_dropped: bool,
    /// Images that were refused.
    pub refused_images: u64,
}

pub(super) struct Driver<'a> {
    recording: &'a Recording,
    feed: Feed<'a>,
    pipeline: Pipeline,
    out: Box<OutputFrame>,
    began: Instant,
    allocations: Option<AllocationCount>,
    /// Arrival of the last event: a paced block goes on from here.
    last_arrival: Option<Stamp>,
    /// Time of the last step: a pipeline's clock never goes back, also when pacing ends.
    last_now: Stamp,
    /// The network has a thread of its own.
    has_overlap: bool,
    /// Flat out with overlap: a set whose images are all in, with its arrival; its step begins with
    /// the next call.
    complete: Option<(Sample, Stamp)>,
}

impl<'a> Driver<'a> {
    pub(super) fn new(
        recording: &'a Recording,
        pipeline: Pipeline,
        allocations: Option<AllocationCount>,
    ) -> Self {
        Self {
            has_overlap: false,
            complete: None,
            recording,
            feed: recording.feed(),
            pipeline,
            out: OutputFrame::boxed(),
            began: Instant::now(),
            allocations,
            last_arrival: None,
            last_now: Stamp::ZERO,
        }
    }

    /// Gives the network a thread of its own.
    pub(super) fn overlap(&mut self) -> Result<(), BenchError> {
        self.pipeline.overlap(Some(BesideThread::new(|| {})))?;
        self.has_overlap = true;
        Ok(())
    }

    pub(super) fn set_period(&self) -> Span {
        self.recording.set_period()
    }

    /// The recording goes on from now at the speed of the clock.
    pub(super) fn paced_from_now(&self) -> Pace {
        match self.last_arrival {
            Some(stamp) => Pace::Clock {
                stamp,
                at_ns: self.now_ns(),
            },
            None => Pace::None,
        }
    }

    /// Gives one set to the pipeline, with the ego motion that comes before its last image, and takes
    /// its frame.
    ///
    /// Flat out with overlap, the frame is that of the set before, on which the network runs
    /// meanwhile.
    pub(super) fn frame(
        &mut self,
        mode: Mode,
        block: usize,
        pace: Pace,
    ) -> Result<Outcome, BenchError> {
        if !self.has_overlap {
            return self.set(mode, block, pace, None);
        }
        if mode == Mode::Paced {
            // The last set that was fed flat out still waits for its step.
            if let Some((sample, arrival)) = self.complete.take()
                && let Some(begun) = self.begin(arrival, sample)?
            {
                self.finish(begun)?;
            }
            return self.set(mode, block, pace, None);
        }
        if self.complete.is_none() {
            self.set(mode, block, pace, None)?;
        }
        let running = match self.complete.take() {
            Some((sample, arrival)) => self.begin(arrival, sample)?,
            None => None,
        };
        self.set(mode, block, pace, running)
    }

    /// Gives one set to the pipeline. `running` is the step that was begun before.
    fn set(
        &mut self,
        mode: Mode,
        block: usize,
        pace: Pace,
        mut running: Option<Sample>,
    ) -> Result<Outcome, BenchError> {
        let cameras = self.recording.rig().cameras().len();
        let mut sample = Sample::new(mode, block, cameras);
        let mut outcome = Outcome {
            sample: None,
            is_dropped: false,
            refused_images: 0,
        };
        let mut is_first_image = true;
        loop {
            let event = self.feed.next_event();
            self.last_arrival = Some(event.arrival);
            let due_ns = pace.due_ns(event.arrival);
            self.wait_until(due_ns);
            let (set, camera, completes_set) = match event.what {
                What::Motion(motion) => {
                    self.push_motion(&event, motion, &mut sample);
                    continue;
                }
                What::Image {
                    set,
                    camera,
                    completes_set,
                } => (set, camera, completes_set),
            };
            if std::mem::take(&mut is_first_image) {
                outcome.is_dropped = self.is_period_late(due_ns);
            }
            if !outcome.is_dropped {
                let is_taken = self.push_image(&event, set, camera, &mut sample)?;
                outcome.refused_images += u64::from(!is_taken);
                if completes_set {
                    sample.last_camera = camera;
                    sample.due_ns = due_ns.unwrap_or(sample.pushes[camera].start_ns);
                    outcome.sample = if !self.has_overlap {
                        self.step(pace, event.arrival, sample)?
                    } else if mode == Mode::Paced {
                        match self.begin(pace.now(event.arrival, self.now_ns()), sample)? {
                            Some(begun) => Some(self.finish(begun)?),
                            None => None,
                        }
                    } else {
                        sample.is_overlapped = running.is_some();
                        self.complete = Some((sample, event.arrival));
                        running.take().map(|begun| self.finish(begun)).transpose()?
                    };
                }
            }
            if completes_set {
                return Ok(outcome);
            }
        }
    }

    /// Runs the network alone on the inputs of the last frame.
    pub(super) fn bare_run(&mut self, sample: &mut Sample) -> Result<(), BenchError> {
        let allocations = self.count();
        let start_ns = self.now_ns();
        self.pipeline.run_network_again()?;
        sample.bare = Some(Interval::new(start_ns, self.now_ns()));
        sample.bare_allocations = self.count() - allocations;
        Ok(())
    }

    pub(super) fn pipeline_mut(&mut self) -> &mut Pipeline {
        &mut self.pipeline
    }

    pub(super) fn into_pipeline(self) -> Pipeline {
        self.pipeline
    }

    fn push_motion(&mut self, event: &Event, motion: Motion, sample: &mut Sample) {
        let allocations = self.count();
        // A refused sample changes nothing, and its frame's health tells.
        let _ = match motion {
            Motion::Rates {
                speed_mps,
                yaw_rate_radps,
            } => self
                .pipeline
                .push_rates(event.stamp, speed_mps, yaw_rate_radps),
            Motion::Pose(odom_from_ego) => self.pipeline.push_pose(event.stamp, &odom_from_ego),
        };
        sample.allocations += self.count() - allocations;
    }

    /// Returns whether the image came into a set.
    fn push_image(
        &mut self,
        event: &Event,
        set: usize,
        camera: usize,
        sample: &mut Sample,
    ) -> Result<bool, BenchError> {
        let image = self.recording.image(set, camera);
        let allocations = self.count();
        let start_ns = self.now_ns();
        let pushed = self
            .pipeline
            .push_image(camera, &image, event.stamp, event.arrival);
        sample.pushes[camera] = Interval::new(start_ns, self.now_ns());
        sample.allocations += self.count() - allocations;
        match pushed {
            Ok(()) => Ok(true),
            Err(FrameError::Refused(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn step(
        &mut self,
        pace: Pace,
        arrival: Stamp,
        mut sample: Sample,
    ) -> Result<Option<Sample>, BenchError> {
        let allocations = self.count();
        let start_ns = self.now_ns();
        self.last_now = self.last_now.max(pace.now(arrival, start_ns));
        let outcome = self.pipeline.step(self.last_now, &mut self.out)?;
        sample.step = Interval::new(start_ns, self.now_ns());
        sample.allocations += self.count() - allocations;
        sample.stages = *self.pipeline.stats().last();
        Ok(match outcome {
            StepOutcome::Frame => Some(sample),
            StepOutcome::Waiting => None,
        })
    }

    /// Starts the network on the set that is complete.
    fn begin(&mut self, now: Stamp, mut sample: Sample) -> Result<Option<Sample>, BenchError> {
        let allocations = self.count();
        let start_ns = self.now_ns();
        self.last_now = self.last_now.max(now);
        let begun = self.pipeline.begin_step(self.last_now)?;
        sample.step = Interval::new(start_ns, start_ns);
        sample.allocations += self.count() - allocations;
        Ok(match begun {
            StepBegin::Begun | StepBegin::Ready => Some(sample),
            StepBegin::Waiting => None,
        })
    }

    /// Waits for the network and takes the frame.
    fn finish(&mut self, mut sample: Sample) -> Result<Sample, BenchError> {
        let allocations = self.count();
        self.pipeline.finish_step(&mut self.out)?;
        sample.step = Interval::new(sample.step.start_ns, self.now_ns());
        sample.allocations += self.count() - allocations;
        sample.stages = *self.pipeline.stats().last();
        Ok(sample)
    }

    /// Whether the pipeline is a whole period behind: the next set is here already, and this one is
    /// dropped, as a camera's driver does that keeps the newest images.
    fn is_period_late(&self, due_ns: Option<u64>) -> bool {
        let period_ns = u64::try_from(self.set_period().nanoseconds()).unwrap_or(u64::MAX);
        due_ns.is_some_and(|due_ns| self.now_ns() >= due_ns + period_ns)
    }

    fn wait_until(&self, due_ns: Option<u64>) {
        if let Some(due_ns) = due_ns {
            let left_ns = due_ns.saturating_sub(self.now_ns());
            if left_ns > 0 {
                std::thread::sleep(Duration::from_nanos(left_ns));
            }
        }
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn count(&self) -> u64 {
        self.allocations.map_or(0, |count| count())
    }
}
