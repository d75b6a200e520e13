//! Measured times of the stages, apart from the frame: a replay never repeats them.
//!
//! This module holds the only clock that the crate reads. Nothing that it measures enters an
//! output frame. Recording neither allocates nor takes a lock.

mod histogram;

use std::time::Instant;

use crate::time::Span;

pub use histogram::LatencyHistogram;

/// A measured part of the path from images to frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Conversion, crop and resize of all images of a set.
    Preprocess,
    /// Projection tables (when they change) and alignment of the feature queue.
    Align,
    /// The engine's run.
    Network,
    /// Storing the new map and decoding the heads.
    Decode,
    /// Tracking.
    Track,
    /// Health, coverage and filling the frame.
    Publish,
    /// All of the above: the work that one frame costs.
    Total,
    /// The part of the work that begins with the last image of the set: the reaction time.
    FromLastImage,
}

impl Stage {
    /// Every stage, in the order of the path.
    pub const ALL: [Self; 8] = [
        Self::Preprocess,
        Self::Align,
        Self::Network,
        Self::Decode,
        Self::Track,
        Self::Publish,
        Self::Total,
        Self::FromLastImage,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preprocess => "preprocess",
            Self::Align => "align",
            Self::Network => "network",
            Self::Decode => "decode",
            Self::Track => "track",
            Self::Publish => "publish",
            Self::Total => "total",
            Self::FromLastImage => "from_last_image",
        }
    }
}

/// Times of one frame by stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTimes {
    nanoseconds: [u64; Stage::ALL.len()],
}

impl StageTimes {
    /// The time of a stage.
    pub fn get(&self, stage: Stage) -> Span {
        Span::from_nanoseconds(i64::try_from(self.nanoseconds[stage as usize]).unwrap_or(i64::MAX))
    }

    pub(crate) fn add(&mut self, stage: Stage, nanoseconds: u64) {
        let total = &mut self.nanoseconds[stage as usize];
        *total = total.saturating_add(nanoseconds);
    }

    pub(crate) fn nanoseconds(&self, stage: Stage) -> u64 {
        self.nanoseconds[stage as usize]
    }
}

/// Measured times of all frames since the creation of the pipeline or [`PipelineStats::reset`].
#[derive(Clone, Debug)]
pub struct PipelineStats {
    histograms: [LatencyHistogram; Stage::ALL.len()],
    last: StageTimes,
}

impl Default for PipelineStats {
    fn default() -> Self {
        Self {
            histograms: std::array::from_fn(|_| LatencyHistogram::new()),
            last: StageTimes::default(),
        }
    }
}

impl PipelineStats {
    /// Frames that were recorded.
    pub fn frames(&self) -> u64 {
        self.stage(Stage::Total).count()
    }

    /// The distribution of a stage.
    pub fn stage(&self, stage: Stage) -> &LatencyHistogram {
        &self.histograms[stage as usize]
    }

    /// Times of the last frame.
    pub fn last(&self) -> &StageTimes {
        &self.last
    }

    /// Forgets every time, so that warm-up can be left out of a measurement.
    pub fn reset(&mut self) {
        self.histograms.iter_mut().for_each(LatencyHistogram::clear);
        self.last = StageTimes::default();
    }

    pub(crate) fn record(&mut self, times: &StageTimes) {
        for stage in Stage::ALL {
            self.histograms[stage as usize].record(times.nanoseconds(stage));
        }
        self.last = *times;
    }
}

/// Measures consecutive pieces of work.
pub(crate) struct Stopwatch {
    lap_start: Instant,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self {
            lap_start: Instant::now(),
        }
    }

    /// Nanoseconds since the start or the last lap.
    pub(crate) fn lap(&mut self) -> u64 {
        let now = Instant::now();
        let lap = now.duration_since(self.lap_start);
        self.lap_start = now;
        u64::try_from(lap.as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_kept_by_stage() {
        let mut stats = PipelineStats::default();
        let mut times = StageTimes::default();
        times.add(Stage::Network, 80_000_000);
        times.add(Stage::Total, 81_000_000);
        times.add(Stage::Total, 1_000_000);
        stats.record(&times);
        assert_eq!(stats.frames(), 1);
        assert_eq!(stats.last().get(Stage::Total), Span::from_milliseconds(82));
        assert_eq!(stats.stage(Stage::Align).max(), Span::ZERO);
        stats.reset();
        assert_eq!(stats.frames(), 0);
    }

    #[test]
    fn every_stage_has_its_own_place() {
        for (index, stage) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(stage as usize, index, "{}", stage.name());
        }
    }
}
