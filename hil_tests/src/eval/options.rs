//! What is evaluated, and how.

use std::ops::Range;
use std::path::PathBuf;

use bevrt_calibration::Rig;
use bevrt_runtime::{EngineOptions, Precision};

use crate::replay::AllocationCount;
use crate::source::{Corruption, SimulatedDriveOptions};

/// A network to compare with another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contender {
    /// Folder of its package.
    pub package: PathBuf,
    /// Number format; `None` takes the first network of the package that fits.
    pub precision: Option<Precision>,
}

/// Which pipelines the clips go through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ablation {
    /// The package as it is.
    #[default]
    Off,
    /// Also with a queue that is not aligned, with an empty one, and, with an empty one as well,
    /// through the package of a network trained without a queue where one is given.
    Queue {
        /// Folder of that package.
        without_queue: Option<PathBuf>,
    },
    /// Other networks too, each as it is published.
    Contenders(Vec<Contender>),
}

/// What is evaluated, and how.
#[derive(Clone, Debug)]
pub struct EvalOptions {
    /// Folder of the model package.
    pub package: PathBuf,
    /// Seeds of the clips; test seeds are 950,000 and above.
    pub seeds: Range<u64>,
    /// The cameras.
    pub rig: Rig,
    /// Clips: length, frame rate, picture size.
    pub drive: SimulatedDriveOptions,
    /// What is wrong with the input.
    pub corruption: Corruption,
    /// For each of these cameras the output frames are scored once more, without what this camera
    /// alone could see.
    pub without_cameras: Vec<usize>,
    /// How the network is run; threads count for each worker.
    pub engine: EngineOptions,
    /// Number format; `None` takes the first network of the package that fits.
    pub precision: Option<Precision>,
    /// Clips that are worked on at the same time. With more than one the latencies are those of a
    /// machine under load.
    pub workers: usize,
    /// Which comparisons are made.
    pub ablation: Ablation,
    /// Seconds of each clip before scoring begins.
    pub warm_up_s: f64,
    /// Scored frames a second.
    pub scored_rate_hz: f64,
    /// Confidence from which lanes are taken for F1.
    pub lane_confidence: f64,
    /// Counts heap allocations of the calling thread.
    pub allocations: Option<AllocationCount>,
}

impl EvalOptions {
    /// The published protocol: clips of 10 s at 10 Hz, scored at 2 Hz after the first 2 s, drawn at
    /// twice the network's size; one clip on each core, each with one thread.
    pub fn new(package: impl Into<PathBuf>, seeds: Range<u64>, rig: Rig) -> Self {
        Self {
            package: package.into(),
            seeds,
            rig,
            drive: SimulatedDriveOptions::default(),
            corruption: Corruption::None,
            without_cameras: Vec::new(),
            engine: EngineOptions {
                intra_op_threads: 1,
                ..EngineOptions::default()
            },
            precision: None,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            ablation: Ablation::default(),
            warm_up_s: 2.0,
            scored_rate_hz: 2.0,
            lane_confidence: 0.0,
            allocations: None,
        }
    }
}
