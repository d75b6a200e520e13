//! What was measured of one frame.

use bevrt_calibration::MAX_CAMERAS;
use bevrt_runtime::{Stage, StageTimes};

/// How frame sets are fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// As cameras give them: each image at its arrival.
    Paced,
    /// One after another without a pause, each followed by a bare run of the network.
    FlatOut,
}

impl Mode {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paced => "paced",
            Self::FlatOut => "flat_out",
        }
    }
}

/// A time that is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// A stage, as the pipeline measures it; `Total` and `FromLastImage` are measured from outside,
    /// calls included.
    Stage(Stage),
    /// From the moment at which the last image of the set was due to the output frame: waiting and
    /// waking up included. Only when paced.
    Response,
    /// The network alone, run again on the same inputs. Only when flat out.
    BareRun,
}

impl Quantity {
    /// All of them, in the order of reports.
    pub const ALL: [Self; Stage::ALL.len() + 2] = [
        Self::Stage(Stage::Preprocess),
        Self::Stage(Stage::Align),
        Self::Stage(Stage::Network),
        Self::Stage(Stage::Decode),
        Self::Stage(Stage::Track),
        Self::Stage(Stage::Publish),
        Self::Stage(Stage::Total),
        Self::Stage(Stage::FromLastImage),
        Self::Response,
        Self::BareRun,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stage(stage) => stage.name(),
            Self::Response => "response",
            Self::BareRun => "bare_run",
        }
    }
}

/// A piece of time, nanoseconds since the benchmark began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interval {
    /// When it began.
    pub start_ns: u64,
    /// How long it lasted.
    pub length_ns: u64,
}

impl Interval {
    /// From one moment to another.
    pub const fn new(start_ns: u64, end_ns: u64) -> Self {
        Self {
            start_ns,
            length_ns: end_ns.saturating_sub(start_ns),
        }
    }

    /// When it ended.
    pub const fn end_ns(&self) -> u64 {
        self.start_ns + self.length_ns
    }
}

/// One frame: where its time went.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// How it was fed.
    pub mode: Mode,
    /// Repetition that it belongs to.
    pub block: usize,
    /// Cameras of the rig.
    pub cameras: usize,
    /// Taking and preprocessing of each camera's image.
    pub pushes: [Interval; MAX_CAMERAS],
    /// The camera whose image came last.
    pub last_camera: usize,
    /// When the last image was due; when paced, not later than it was taken.
    pub due_ns: u64,
    /// The step; from its begin to its frame where the network had a thread of its own.
    pub step: Interval,
    /// Whether the images were taken while the network ran on the set before.
    pub is_overlapped: bool,
    /// What the pipeline measured of it.
    pub stages: StageTimes,
    /// The bare run that followed.
    pub bare: Option<Interval>,
    /// Heap allocations of the calling thread in all calls into the pipeline.
    pub allocations: u64,
    /// Those of the bare run.
    pub bare_allocations: u64,
}

impl Sample {
    /// An empty one.
    pub fn new(mode: Mode, block: usize, cameras: usize) -> Self {
        Self {
            mode,
            block,
            cameras,
            pushes: [Interval::default(); MAX_CAMERAS],
            last_camera: 0,
            due_ns: 0,
            step: Interval::default(),
            is_overlapped: false,
            stages: StageTimes::default(),
            bare: None,
            allocations: 0,
            bare_allocations: 0,
        }
    }

    /// A time of this frame, nanoseconds; `None` where its mode has none.
    pub fn time_ns(&self, quantity: Quantity) -> Option<u64> {
        let pushes = self.pushes[..self.cameras].iter();
        match quantity {
            // The step then holds the next set's images.
            Quantity::Stage(Stage::Total) if self.is_overlapped => Some(self.step.length_ns),
            Quantity::Stage(Stage::Total) => {
                let pushed: u64 = pushes.map(|push| push.length_ns).sum();
                Some(pushed + self.step.length_ns)
            }
            // The last image waited for the set before.
            Quantity::Stage(Stage::FromLastImage) if self.is_overlapped => None,
            Quantity::Stage(Stage::FromLastImage) => {
                let begin = self.pushes[self.last_camera].start_ns;
                Some(self.step.end_ns().saturating_sub(begin))
            }
            Quantity::Stage(stage) => {
                Some(u64::try_from(self.stages.get(stage).nanoseconds()).unwrap_or(0))
            }
            Quantity::Response => match self.mode {
                Mode::Paced => Some(self.step.end_ns().saturating_sub(self.due_ns)),
                Mode::FlatOut => None,
            },
            Quantity::BareRun => self.bare.map(|bare| bare.length_ns),
        }
    }

    /// What a deadline is held against: the response, or the step where nothing is due.
    pub fn answer_ns(&self) -> u64 {
        self.time_ns(Quantity::Response)
            .or_else(|| self.time_ns(Quantity::Stage(Stage::FromLastImage)))
            .unwrap_or(self.step.length_ns)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Two cameras pushed at 0 and 10 ms for 2 ms each, then a step of `step_ms` at once.
    pub(crate) fn sample(mode: Mode, block: usize, step_ms: f64) -> Sample {
        let ns = |ms: f64| (1e6 * ms) as u64;
        let mut sample = Sample::new(mode, block, 2);
        sample.pushes[0] = Interval::new(0, ns(2.0));
        sample.pushes[1] = Interval::new(ns(10.0), ns(12.0));
        sample.last_camera = 1;
        sample.due_ns = ns(9.0);
        sample.step = Interval::new(ns(12.0), ns(12.0 + step_ms));
        if mode == Mode::FlatOut {
            sample.bare = Some(Interval::new(ns(200.0), ns(200.0 + 0.9 * step_ms)));
        }
        sample
    }

    #[test]
    fn times_begin_where_they_should() {
        let sample = sample(Mode::Paced, 0, 80.0);
        let ms = |quantity| sample.time_ns(quantity).map(|ns| ns / 1_000_000);
        assert_eq!(ms(Quantity::Stage(Stage::Total)), Some(84));
        assert_eq!(ms(Quantity::Stage(Stage::FromLastImage)), Some(82));
        assert_eq!(ms(Quantity::Response), Some(83));
        assert_eq!(ms(Quantity::BareRun), None);
        assert_eq!(sample.answer_ns(), 83_000_000);
    }

    #[test]
    fn images_taken_beside_the_network_are_not_counted_twice() {
        let mut sample = sample(Mode::FlatOut, 0, 80.0);
        sample.is_overlapped = true;
        let ms = |quantity| sample.time_ns(quantity).map(|ns| ns / 1_000_000);
        assert_eq!(ms(Quantity::Stage(Stage::Total)), Some(80));
        assert_eq!(ms(Quantity::Stage(Stage::FromLastImage)), None);
        assert_eq!(sample.answer_ns(), 80_000_000);
    }

    #[test]
    fn flat_out_nothing_is_due() {
        let sample = sample(Mode::FlatOut, 0, 80.0);
        assert_eq!(sample.time_ns(Quantity::Response), None);
        assert_eq!(sample.time_ns(Quantity::BareRun), Some(72_000_000));
        assert_eq!(sample.answer_ns(), 82_000_000);
    }
}
