//! The measurement: start-up, warm-up, then blocks of paced and flat-out frames in turn.

mod driver;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bevrt_runtime::{EgoMotionSpec, Pipeline, PipelineOptions, PixelFormat, Span};

use crate::error::BenchError;
use crate::process::{self, CpuTime, Interference, MachineTicks, Memory};
use crate::recording::Recording;
use crate::sample::{Mode, Sample};
use driver::{Driver, Outcome, Pace};

/// A function that tells how often the calling thread has allocated.
pub type AllocationCount = fn() -> u64;

/// Which modes are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modes {
    /// Both, block by block in turn.
    Both,
    /// One of them.
    Only(Mode),
}

impl Modes {
    fn list(self) -> &'static [Mode] {
        match self {
            Self::Both => &[Mode::Paced, Mode::FlatOut],
            Self::Only(Mode::Paced) => &[Mode::Paced],
            Self::Only(Mode::FlatOut) => &[Mode::FlatOut],
        }
    }
}

/// How a benchmark is run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BenchOptions {
    /// The pipeline; its rig and ego motion are those of the recording.
    pub pipeline: PipelineOptions,
    /// How long each mode is measured, seconds.
    pub seconds: f64,
    /// Which modes are measured.
    pub modes: Modes,
    /// A frame that takes longer has missed its deadline; `None` takes the time between sets.
    pub deadline: Option<Span>,
    /// The network has a thread of its own, and flat out the next set's images are taken meanwhile.
    pub has_overlap: bool,
    /// Counts heap allocations.
    pub allocations: Option<AllocationCount>,
}

impl BenchOptions {
    /// Both modes for 20 s each, on the cameras and the ego motion of the recording, which is NV12.
    pub fn new(package: impl Into<PathBuf>, recording: &Recording) -> Self {
        let mut pipeline = PipelineOptions::new(package, recording.rig().clone());
        pipeline.ego_motion = EgoMotionSpec::new(recording.ego_motion());
        pipeline.image_formats = vec![PixelFormat::Nv12];
        Self {
            pipeline,
            seconds: 20.0,
            modes: Modes::Both,
            deadline: None,
            has_overlap: false,
            allocations: None,
        }
    }

    /// Repetitions of each mode: about one a second, 4 to 12.
    pub fn blocks(&self) -> usize {
        (self.seconds.round() as usize).clamp(4, 12)
    }
}

/// Fewest frames of a block; a machine that drops most sets is given longer for them …
const LEAST_FRAMES: u64 = 3;
/// … but not more than this many sets.
const MOST_SETS_FOR_THEM: usize = 200;
/// Frames after the queue is full that belong to the warm-up.
const SETTLING_FRAMES: usize = 5;

/// How starting went.
#[derive(Clone, Copy, Debug)]
pub struct StartUp {
    /// From nothing to a pipeline: library, package, network, warm-up of the engine, golden cases.
    pub open_ns: u64,
    /// The first frame.
    pub first: Sample,
    /// Frames that were left out after it, until the queue was full.
    pub warm_up_frames: usize,
}

/// What a mode did apart from its frames' times.
#[derive(Clone, Copy, Debug, Default)]
pub struct ModeTotals {
    /// Sets that were dropped because the pipeline was a whole period late.
    pub dropped_sets: u64,
    /// Images that the pipeline refused.
    pub refused_images: u64,
    /// Sets after which no frame came.
    pub missing_frames: u64,
    /// Frames that `cpu` stands for.
    pub cpu_frames: u64,
    /// Processor time: of whole blocks when paced, of calls into the pipeline when flat out.
    pub cpu: CpuTime,
}

/// Memory at four moments.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryReadings {
    /// With the frames, before the pipeline was opened.
    pub before: Memory,
    /// After warm-up.
    pub warm: Memory,
    /// After the last frame.
    pub end: Memory,
    /// Whether the peak leaves out what came before the pipeline was opened.
    pub is_peak_of_pipeline: bool,
}

/// Everything that was measured.
pub struct Measured {
    /// Start-up.
    pub start_up: StartUp,
    /// Warm frames in the order in which they were made.
    pub samples: Vec<Sample>,
    /// Totals of each mode that was measured.
    pub totals: Vec<(Mode, ModeTotals)>,
    /// Memory.
    pub memory: MemoryReadings,
    /// What others did while frames were measured.
    pub interference: Interference,
    /// The pipeline, for what it says about itself.
    pub pipeline: Pipeline,
}

/// Opens a pipeline and measures it on the recording. `progress` hears which share is done.
///
/// # Errors
/// The pipeline cannot be made, cannot take the frames, or gives no frame at all.
pub fn measure(
    recording: &Recording,
    options: &BenchOptions,
    progress: &dyn Fn(f64),
) -> Result<Measured, BenchError> {
    let before = Memory::now();
    let is_peak_of_pipeline = process::forget_peak();
    let began = Instant::now();
    let pipeline = Pipeline::new(options.pipeline.clone())?;
    let open_ns = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);

    let warm_up_frames = warm_up_frames(&pipeline, recording);
    let mut driver = Driver::new(recording, pipeline, options.allocations);
    if options.has_overlap {
        driver.overlap()?;
    }
    let start_up = StartUp {
        open_ns,
        first: driver
            .frame(Mode::FlatOut, 0, Pace::None)?
            .sample_or("a first frame")?,
        warm_up_frames,
    };
    for _ in 0..warm_up_frames {
        driver.frame(Mode::FlatOut, 0, Pace::None)?;
    }
    let warm = Memory::now();

    let mut run = Run {
        driver,
        options,
        samples: Vec::with_capacity(1 << 14),
        totals: Vec::new(),
    };
    let (ticks, cpu, began) = (
        MachineTicks::now(),
        CpuTime::of_this_process(),
        Instant::now(),
    );
    run.blocks(progress)?;
    let own = CpuTime::of_this_process().since(&cpu);
    let wall_s = began.elapsed().as_secs_f64();
    let interference = MachineTicks::now().interference_since(&ticks, own, wall_s);
    if run.samples.is_empty() {
        return Err(BenchError::frames("output frames", "none in any block"));
    }
    Ok(Measured {
        start_up,
        samples: run.samples,
        totals: run.totals,
        memory: MemoryReadings {
            before,
            warm,
            end: Memory::now(),
            is_peak_of_pipeline,
        },
        interference,
        pipeline: run.driver.into_pipeline(),
    })
}

/// Opens a pipeline and shows it after each of the first `frames` frames, without measuring.
///
/// # Errors
/// The pipeline cannot be made or gives no frame; `visit` fails.
pub fn visit_frames(
    recording: &Recording,
    options: &BenchOptions,
    frames: usize,
    visit: &mut dyn FnMut(&mut Pipeline) -> io::Result<()>,
) -> Result<(), BenchError> {
    let pipeline = Pipeline::new(options.pipeline.clone())?;
    let mut driver = Driver::new(recording, pipeline, None);
    for _ in 0..frames {
        driver
            .frame(Mode::FlatOut, 0, Pace::None)?
            .sample_or("a frame")?;
        visit(driver.pipeline_mut()).map_err(BenchError::file(Path::new("tensors")))?;
    }
    Ok(())
}

/// Frames until the queue of the model is full, and some more.
fn warm_up_frames(pipeline: &Pipeline, recording: &Recording) -> usize {
    let span_s = pipeline
        .manifest()
        .queue()
        .map_or(0.0, |queue| f64::from(queue.slots) * queue.stride_s);
    (span_s / recording.set_period().seconds()).ceil() as usize + SETTLING_FRAMES
}

struct Run<'a> {
    driver: Driver<'a>,
    options: &'a BenchOptions,
    samples: Vec<Sample>,
    totals: Vec<(Mode, ModeTotals)>,
}

impl Run<'_> {
    /// All blocks, the modes in turn, so that whatever disturbs the machine meets both.
    fn blocks(&mut self, progress: &dyn Fn(f64)) -> Result<(), BenchError> {
        let (blocks, modes) = (self.options.blocks(), self.options.modes.list());
        self.totals = modes
            .iter()
            .map(|mode| (*mode, ModeTotals::default()))
            .collect();
        let parts = (blocks * modes.len()) as f64;
        for block in 0..blocks {
            for (place, mode) in modes.iter().enumerate() {
                progress((block * modes.len() + place) as f64 / parts);
                let totals = self.block(*mode, block)?;
                self.totals[place].1.add(&totals);
            }
        }
        progress(1.0);
        Ok(())
    }

    /// One block; its first frame settles caches and clocks after the change of mode and is left
    /// out.
    fn block(&mut self, mode: Mode, block: usize) -> Result<ModeTotals, BenchError> {
        let block_s = self.options.seconds / self.options.blocks() as f64;
        let period_s = self.driver.set_period().seconds();
        let pace = match mode {
            Mode::Paced => self.driver.paced_from_now(),
            Mode::FlatOut => Pace::None,
        };
        self.driver.frame(mode, block, pace)?;
        let mut totals = ModeTotals::default();
        let (began, cpu) = (Instant::now(), CpuTime::of_this_process());
        let mut sets = 0;
        loop {
            let is_over = match mode {
                Mode::Paced => sets as f64 * period_s >= block_s,
                Mode::FlatOut => began.elapsed().as_secs_f64() >= block_s,
            };
            let has_enough = totals.cpu_frames >= LEAST_FRAMES || sets >= MOST_SETS_FOR_THEM;
            if is_over && has_enough {
                break;
            }
            let cpu = CpuTime::of_this_process();
            let outcome = self.driver.frame(mode, block, pace)?;
            if mode == Mode::FlatOut {
                totals.cpu += CpuTime::of_this_process().since(&cpu);
            }
            totals.refused_images += outcome.refused_images;
            sets += 1;
            match outcome.sample {
                Some(mut sample) => {
                    totals.cpu_frames += 1;
                    if mode == Mode::FlatOut {
                        self.driver.bare_run(&mut sample)?;
                    }
                    self.samples.push(sample);
                }
                None if outcome.is_dropped => totals.dropped_sets += 1,
                None => totals.missing_frames += 1,
            }
        }
        if mode == Mode::Paced {
            totals.cpu = CpuTime::of_this_process().since(&cpu);
        }
        Ok(totals)
    }
}

impl ModeTotals {
    fn add(&mut self, other: &Self) {
        self.dropped_sets += other.dropped_sets;
        self.refused_images += other.refused_images;
        self.missing_frames += other.missing_frames;
        self.cpu_frames += other.cpu_frames;
        self.cpu += other.cpu;
    }
}

impl Outcome {
    fn sample_or(self, expected: &str) -> Result<Sample, BenchError> {
        let refused = self.refused_images;
        self.sample
            .ok_or_else(|| BenchError::frames(expected, format!("none, {refused} images refused")))
    }
}
