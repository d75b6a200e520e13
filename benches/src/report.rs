//! What a benchmark found, as it is written to JSON; `README.md` documents every field.

mod summary;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::BenchError;
use crate::machine::Machine;
use crate::process::Interference;

pub use summary::{Subject, quantile, report};

/// Version of the JSON form. It is raised when a field changes its meaning or goes.
pub const REPORT_FORMAT: u32 = 2;

/// A whole benchmark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`REPORT_FORMAT`].
    pub format: u32,
    /// What was measured: a comparison wants these equal.
    pub subject: Subject,
    /// Versions that may differ between compared reports.
    pub versions: Versions,
    /// Where it was measured.
    pub machine: Machine,
    /// What makes the figures doubtful; empty on a quiet machine.
    pub doubts: Vec<String>,
    /// What others did to the machine while frames were measured.
    pub interference: Interference,
    /// How it was measured.
    pub settings: Settings,
    /// From nothing to the first frame.
    pub start_up: StartUpReport,
    /// By mode: `paced`, `flat_out`.
    pub modes: BTreeMap<String, ModeReport>,
    /// The step against the bare run of the network, from the flat-out frames.
    pub step_per_bare: Option<Ratio>,
    /// Heap allocations of a warm frame.
    pub allocations: Option<Allocations>,
    /// Memory.
    pub memory: MemoryReport,
}

/// Versions of what was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Of bevrt.
    pub bevrt: String,
    /// Of ONNX Runtime, as the library's file or build tells.
    pub onnxruntime: String,
}

/// How it was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Measured time of each mode.
    pub seconds: f64,
    /// Interleaved repetitions of each mode.
    pub blocks: usize,
    /// Time between frame sets, ms.
    pub period_ms: f64,
    /// Deadline of a frame, ms.
    pub deadline_ms: f64,
    /// Frames between the first one and the measurement.
    pub warm_up_frames: usize,
}

/// From nothing to the first frame, ms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StartUpReport {
    /// Library, package, network, warm-up of the engine and golden cases.
    pub open_ms: f64,
    /// Whole work of the first set: projection tables are built in it.
    pub first_total_ms: f64,
    /// Of it, from the last image to the frame.
    pub first_from_last_image_ms: f64,
    /// From the beginning of opening to the first frame, with images at hand.
    pub until_first_frame_ms: f64,
}

/// Frames of one mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModeReport {
    /// Frames that were measured.
    pub frames: u64,
    /// Sets that were dropped because the pipeline was a whole period late.
    pub dropped_sets: u64,
    /// Images that the pipeline refused.
    pub refused_images: u64,
    /// Sets after which no frame came.
    pub missing_frames: u64,
    /// Frames beyond the deadline, dropped sets and missing frames among them.
    pub deadline_misses: u64,
    /// Processor time of a frame in the program, all threads, ms.
    pub cpu_user_ms: f64,
    /// Processor time of a frame in the kernel, ms.
    pub cpu_system_ms: f64,
    /// Times by name, in the order of the path.
    pub times: Vec<Times>,
}

/// The distribution of a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// The name.
    pub name: String,
    /// Median.
    pub p50_ms: f64,
    /// 9 of 10 are not longer; `None` when there are too few frames to know, as below.
    pub p90_ms: Option<f64>,
    /// 99 of 100 are not longer.
    pub p99_ms: Option<f64>,
    /// 999 of 1000 are not longer.
    pub p99_9_ms: Option<f64>,
    /// The longest.
    pub max_ms: f64,
    /// Median of each block, exact.
    pub block_medians_ms: Vec<f64>,
    /// 9 of 10 frames of each block are not longer, exact.
    pub block_p90s_ms: Vec<f64>,
    /// How many frames took about so long: the middle of a bucket, to within 1.6 %, and its count.
    pub histogram: Vec<(f64, u64)>,
}

/// A ratio of two times that were taken in turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// Median over all frames.
    pub median: f64,
    /// Lowest and highest median of a block.
    pub range: [f64; 2],
    /// Median of each block.
    pub block_medians: Vec<f64>,
}

/// Heap allocations of the thread that calls the pipeline, a frame; the engine's own library is
/// not counted where it does not allocate through Rust.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Allocations {
    /// In all calls of a frame.
    pub whole: f64,
    /// In a bare run of the network, where it was measured.
    pub bare_run: Option<f64>,
}

/// Memory, MiB.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryReport {
    /// Pixels of the recording, which belong to the benchmark.
    pub frames_mib: f64,
    /// Resident before the pipeline was opened.
    pub before_mib: f64,
    /// Resident after the warm-up.
    pub warm_mib: f64,
    /// Resident after the last frame.
    pub steady_mib: f64,
    /// Most that was resident.
    pub peak_mib: f64,
    /// Whether the peak leaves out what came before the pipeline was opened.
    pub is_peak_of_pipeline: bool,
}

impl Report {
    /// Writes the report as JSON.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), BenchError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| BenchError::file(path)(error.into()))?;
        std::fs::write(path, text + "\n").map_err(BenchError::file(path))
    }

    /// Reads a report.
    ///
    /// # Errors
    /// The file cannot be read, or is no report of this format.
    pub fn read(path: &Path) -> Result<Self, BenchError> {
        let text = std::fs::read_to_string(path).map_err(BenchError::file(path))?;
        let expected = format!("a report of `bevrt bench` of format {REPORT_FORMAT}");
        let wrong = |found: String| BenchError::content(path, expected.clone(), found);
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        match value["format"].as_u64() {
            Some(format) if format == u64::from(REPORT_FORMAT) => {
                serde_json::from_value(value).map_err(|error| wrong(error.to_string()))
            }
            Some(other) => Err(wrong(format!("format {other}"))),
            None => Err(wrong("no `format`".into())),
        }
    }

    /// A time by mode and name.
    pub fn times(&self, mode: &str, name: &str) -> Option<&Times> {
        let times = &self.modes.get(mode)?.times;
        times.iter().find(|times| times.name == name)
    }
}

#[cfg(test)]
pub(crate) mod tests;
