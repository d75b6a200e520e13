//! Measured times of a replay.

use bevrt_runtime::{LatencyHistogram, PipelineStats, Stage};

/// Times of one stage, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StageLatency {
    /// The stage's name.
    pub stage: &'static str,
    /// Median.
    pub p50_ms: f64,
    /// 99 of 100 are not longer.
    pub p99_ms: f64,
    /// Mean.
    pub mean_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// Times of all stages, in the order of the path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LatencyReport {
    /// Frames that were measured.
    pub frames: u64,
    /// One entry for each stage.
    pub stages: Vec<StageLatency>,
}

impl LatencyReport {
    /// The times of a pipeline.
    pub fn new(stats: &PipelineStats) -> Self {
        let stages = Stage::ALL
            .into_iter()
            .map(|stage| {
                let times: &LatencyHistogram = stats.stage(stage);
                let milliseconds = |span: bevrt_runtime::Span| 1e3 * span.seconds();
                StageLatency {
                    stage: stage.name(),
                    p50_ms: milliseconds(times.percentile(0.5)),
                    p99_ms: milliseconds(times.percentile(0.99)),
                    mean_ms: milliseconds(times.mean()),
                    max_ms: milliseconds(times.max()),
                }
            })
            .collect();
        Self {
            frames: stats.frames(),
            stages,
        }
    }

    /// The times of a stage.
    pub fn stage(&self, stage: Stage) -> Option<&StageLatency> {
        self.stages
            .iter()
            .find(|latency| latency.stage == stage.name())
    }
}
