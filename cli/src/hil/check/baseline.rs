//! What is kept of drives to compare with later: a hash and a sketch of each frame, scores, times.

use crate::demo::elements::Elements;
use crate::failure::Failure;
use bevrt_runtime::OutputFrame;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Version of the file.
const FORMAT: u32 = 2;
/// Bytes of a frame's hash that are kept.
const HASH_BYTES: usize = 16;
/// Points of sketched lines lie this far apart, metres.
const SKETCH_STEP_M: f64 = 3.0;

/// Where a drive comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Origin {
    /// The simulated world.
    Simulated {
        /// Its seed.
        seed: u64,
        /// Its length.
        seconds: f64,
        /// Frame sets a second.
        rate_hz: f64,
        /// Name or file of its rig.
        rig: String,
    },
    /// A recorded log.
    Log {
        /// Where it lies.
        path: PathBuf,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simulated { seed, .. } => write!(f, "seed {seed}"),
            Self::Log { path } => write!(f, "{}", path.display()),
        }
    }
}

/// What the bytes of frames rest on, apart from the code and the network under test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Instruction set.
    pub architecture: String,
    /// Features of the processor that kernels use.
    pub features: Vec<String>,
    /// The build of ONNX Runtime.
    pub onnxruntime: String,
    /// Execution provider.
    pub provider: String,
    /// Threads of the network.
    pub threads: usize,
    /// Number format.
    pub precision: String,
    /// Version of the simulated world.
    pub world: String,
}

/// What times rest on beyond the setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineName {
    /// The processor.
    pub cpu: String,
    /// Cores that the process may use.
    pub cores: usize,
}

/// A frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameSketch {
    /// Seconds of the drive.
    pub time_s: f64,
    /// The first bytes of the SHA-256 of all its bytes.
    pub hash: String,
    /// What is drawn of it: lines with a point every three metres.
    pub elements: Value,
    /// State of each sector.
    pub coverage: Vec<u8>,
}

impl FrameSketch {
    /// Of a frame, `time_s` into its drive.
    pub fn of(frame: &OutputFrame, time_s: f64) -> Result<Self, Failure> {
        let hash = Sha256::digest(frame.as_frame_bytes());
        let mut elements = Elements::from(frame);
        for line in &mut elements.lines {
            let mut points = line.points.drain(..).peekable();
            let mut kept = Vec::new();
            while let Some(point) = points.next() {
                let is_far = kept
                    .last()
                    .is_none_or(|last| nalgebra::distance(last, &point) >= SKETCH_STEP_M);
                if is_far || line.closed || points.peek().is_none() {
                    kept.push(point);
                }
            }
            drop(points);
            line.points = kept;
        }
        Ok(Self {
            time_s: (1e3 * time_s).round() / 1e3,
            hash: hash[..HASH_BYTES]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            elements: serde_json::to_value(&elements)?,
            coverage: frame.coverage.iter().map(|sector| sector.state).collect(),
        })
    }
}

/// A drive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriveSketch {
    /// Where it comes from.
    pub origin: Origin,
    /// Its frames.
    pub frames: Vec<FrameSketch>,
}

/// The file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    format: u32,
    /// Name and version of the package, to tell.
    pub package: String,
    /// SHA-256 of the network that ran: another one gives other bytes.
    pub network_sha256: String,
    /// What bytes rest on.
    pub setting: Setting,
    /// What times rest on.
    pub machine: MachineName,
    /// The drives.
    pub drives: Vec<DriveSketch>,
    /// Scores over all drives, by name; more is better.
    pub scores: BTreeMap<String, f64>,
    /// Medians of blocks of frames by stage, ms.
    pub blocks_ms: BTreeMap<String, Vec<f64>>,
}

impl Baseline {
    /// What was observed.
    pub fn new(
        package: String,
        network_sha256: String,
        setting: Setting,
        machine: MachineName,
    ) -> Self {
        Self {
            format: FORMAT,
            package,
            network_sha256,
            setting,
            machine,
            drives: Vec::new(),
            scores: BTreeMap::new(),
            blocks_ms: BTreeMap::new(),
        }
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(Failure::while_doing(path.display()))?;
        let baseline: Self = serde_json::from_str(&text).map_err(|error| {
            let name = path.display();
            Failure::new(format!(
                "{name}: expected a baseline of `bevrt hil check --write`: {error}"
            ))
        })?;
        if baseline.format == FORMAT {
            return Ok(baseline);
        }
        Err(Failure::new(format!(
            "{}: expected format {FORMAT}, found {}",
            path.display(),
            baseline.format
        )))
    }

    /// Writes the file; how many bytes it has.
    pub fn write(&self, path: &Path) -> Result<usize, Failure> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Failure::while_doing(folder.display()))?;
        }
        let text = serde_json::to_string(self)? + "\n";
        std::fs::write(path, &text).map_err(Failure::while_doing(path.display()))?;
        Ok(text.len())
    }

    /// Where the drives come from.
    pub fn origins(&self) -> Vec<Origin> {
        let drives = self.drives.iter();
        drives.map(|drive| drive.origin.clone()).collect()
    }

    /// Frames of all drives.
    pub fn frame_count(&self) -> usize {
        self.drives.iter().map(|drive| drive.frames.len()).sum()
    }
}
