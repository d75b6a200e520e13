//! Runs scenarios.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bevrt_calibration::Rig;
use bevrt_runtime::{
    Engine, FrameError, Manifest, OutputFrame, Pipeline, PipelineOptions, SetupError, Span, Stamp,
    StepOutcome,
};

use super::damaged_package::DamagedPackage;
use super::engine::{EngineSwitch, EngineTrouble, FaultyEngine};
use super::faulty_drive::FaultyDrive;
use super::judge::{self, Row, Run};
use super::kind::{Fault, FaultKind};
use super::memory::{MemoryDrive, Playback};
use super::observed::ObservedFrame;
use super::scenario::{DriveSection, Scenario};
use crate::replay::WaitingImages;
use crate::source::{
    Corruption, DriveEvent, DriveSource, OwnedEvent, PictureSize, SimulatedDrive,
    SimulatedDriveOptions, SourceError,
};

/// Makes an engine for a rig, and tells what its network is.
pub type EngineFactory<'a> =
    dyn FnMut(&Rig) -> Result<(Manifest, Box<dyn Engine>), SetupError> + 'a;

/// How a drive goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As fast as it goes, the clock set by arrivals.
    Lockstep,
    /// In real time, and what comes while the engine runs waits.
    RealTime,
}

/// Why scenarios cannot be run. What a fault does to the pipeline is no error.
#[derive(Debug)]
pub enum FaultError {
    /// The scenario does not fit the rig.
    Scenario {
        /// Its name.
        name: String,
        /// What was expected and found.
        problem: String,
    },
    /// The pipeline or its engine cannot be made.
    Setup(SetupError),
    /// The drive cannot be drawn.
    Source(SourceError),
    /// The pipeline gave up, which no fault may bring it to.
    Frame {
        /// Name of the scenario.
        name: String,
        /// What it said.
        error: FrameError,
    },
    /// A package cannot be copied.
    Package(io::Error),
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scenario { name, problem } => write!(f, "scenario {name:?}: {problem}"),
            Self::Setup(error) => error.fmt(f),
            Self::Source(error) => error.fmt(f),
            Self::Frame { name, error } => {
                write!(f, "scenario {name:?}: the pipeline gave up: {error}")
            }
            Self::Package(error) => write!(f, "a copy of the package: {error}"),
        }
    }
}

impl Error for FaultError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Scenario { .. } => None,
            Self::Setup(error) => error.source(),
            Self::Source(error) => error.source(),
            Self::Frame { error, .. } => Some(error),
            Self::Package(error) => Some(error),
        }
    }
}

impl From<SetupError> for FaultError {
    fn from(error: SetupError) -> Self {
        Self::Setup(error)
    }
}

impl From<SourceError> for FaultError {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

/// Runs scenarios on simulated drives, each on a pipeline of its own.
pub struct FaultRunner<'a> {
    package: PathBuf,
    rig: Rig,
    factory: Box<EngineFactory<'a>>,
    pace: Pace,
    drives: Vec<(DriveSection, MemoryDrive)>,
}

impl<'a> FaultRunner<'a> {
    /// For cameras of `rig`; `package` is the one that is damaged where a scenario asks for it.
    pub fn new(
        package: impl Into<PathBuf>,
        rig: Rig,
        pace: Pace,
        factory: impl FnMut(&Rig) -> Result<(Manifest, Box<dyn Engine>), SetupError> + 'a,
    ) -> Self {
        Self {
            package: package.into(),
            rig,
            factory: Box::new(factory),
            pace,
            drives: Vec::new(),
        }
    }

    /// Runs scenarios one after another; `progress` sees each row as it is judged.
    ///
    /// Those that show only in real time are driven in real time whatever the pace.
    ///
    /// # Errors
    /// A scenario does not fit, the pipeline cannot be made, or gave up.
    pub fn run_all(
        &mut self,
        scenarios: &[Scenario],
        progress: &mut dyn FnMut(&Row),
    ) -> Result<Vec<Row>, FaultError> {
        for scenario in scenarios.iter().filter(|s| !s.is_about_package()) {
            // The longest of the same drive first: the others are its beginning.
            let same = |other: &&Scenario| is_same_drive(&other.drive, &scenario.drive);
            let durations = scenarios.iter().filter(same).map(|s| s.drive.duration_s);
            self.draw(&DriveSection {
                duration_s: durations.fold(0.0, f64::max),
                ..scenario.drive
            })?;
        }
        let mut rows = Vec::with_capacity(scenarios.len());
        for scenario in scenarios {
            let row = self.run(scenario)?;
            progress(&row);
            rows.push(row);
        }
        Ok(rows)
    }

    /// Runs one scenario and judges it.
    ///
    /// # Errors
    /// As [`Self::run_all`].
    pub fn run(&mut self, scenario: &Scenario) -> Result<Row, FaultError> {
        for fault in &scenario.faults {
            if let FaultKind::PackageDamaged { part } = fault.kind {
                let copy = DamagedPackage::of(&self.package, part).map_err(FaultError::Package)?;
                let options = PipelineOptions::new(copy.folder(), self.rig.clone());
                let outcome = Pipeline::new(options).map(|_| ());
                return Ok(judge::refusal(scenario, outcome));
            }
        }
        let run = self.drive_through(scenario, &scenario.faults)?;
        let clean = if scenario.expect.same_frames {
            Some(self.drive_through(scenario, &[])?)
        } else {
            None
        };
        Ok(judge::row(scenario, &self.rig, &run, clean.as_ref()))
    }

    fn draw(&mut self, section: &DriveSection) -> Result<usize, FaultError> {
        let is_it = |(drawn, _): &(DriveSection, MemoryDrive)| {
            is_same_drive(drawn, section) && drawn.duration_s >= section.duration_s
        };
        if let Some(place) = self.drives.iter().position(is_it) {
            return Ok(place);
        }
        let (manifest, _) = (self.factory)(&self.rig)?;
        let options = SimulatedDriveOptions {
            duration_s: section.duration_s,
            frame_rate_hz: section.rate_hz,
            size: PictureSize::TimesNetwork(1),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            ..SimulatedDriveOptions::default()
        };
        let mut drive =
            SimulatedDrive::new(section.seed, &self.rig, manifest.preprocess(), &options);
        self.drives.push((*section, MemoryDrive::of(&mut drive)?));
        Ok(self.drives.len() - 1)
    }

    fn drive_through(&mut self, scenario: &Scenario, faults: &[Fault]) -> Result<Run, FaultError> {
        let place = self.draw(&scenario.drive)?;
        let drive = &self.drives[place].1;
        scenario
            .check_cameras(drive.rig())
            .map_err(|problem| FaultError::Scenario {
                name: scenario.name.clone(),
                problem,
            })?;
        let (manifest, engine) = (self.factory)(drive.rig())?;
        let switch = EngineSwitch::default();
        let engine = FaultyEngine::new(engine, switch.clone());
        let mut options = PipelineOptions::new(&self.package, drive.rig().clone());
        options.ego_motion = bevrt_runtime::EgoMotionSpec::new(drive.ego_motion());
        let pipeline = Pipeline::with_engine(manifest, Box::new(engine), options)?;
        let end = SimulatedDrive::BEGIN + Span::from_seconds(scenario.drive.duration_s);
        let playback = drive.play_until(end);
        let driver = Driver {
            pipeline,
            source: FaultyDrive::new(playback, faults.to_vec(), SimulatedDrive::BEGIN),
            faults,
            rig: drive.rig(),
            switch,
            pace: if scenario.needs_real_time() {
                Pace::RealTime
            } else {
                self.pace
            },
            started: Instant::now(),
            is_moved: false,
            load: None,
            free_at: None,
            waiting: WaitingImages::new(drive.rig().cameras().len()),
            out: OutputFrame::boxed(),
            run: Run::default(),
        };
        driver.run().map_err(|error| match error {
            DriverError::Source(error) => FaultError::Source(error),
            DriverError::Setup(error) => FaultError::Setup(error),
            DriverError::Frame(error) => FaultError::Frame {
                name: scenario.name.clone(),
                error,
            },
        })
    }
}

fn is_same_drive(one: &DriveSection, other: &DriveSection) -> bool {
    one.seed == other.seed && one.rate_hz == other.rate_hz
}

enum DriverError {
    Source(SourceError),
    Setup(SetupError),
    Frame(FrameError),
}

impl From<SourceError> for DriverError {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl From<SetupError> for DriverError {
    fn from(error: SetupError) -> Self {
        Self::Setup(error)
    }
}

impl From<FrameError> for DriverError {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

/// Feeds one pipeline with one drive, as a caller with one thread would.
struct Driver<'a> {
    pipeline: Pipeline,
    source: FaultyDrive<Playback<'a>>,
    faults: &'a [Fault],
    rig: &'a Rig,
    switch: EngineSwitch,
    pace: Pace,
    started: Instant,
    is_moved: bool,
    load: Option<CpuLoad>,
    /// In lockstep: the caller is busy with the last frame until then, by its own clock.
    free_at: Option<Stamp>,
    /// What came while the caller was busy.
    waiting: WaitingImages<OwnedEvent>,
    out: Box<OutputFrame>,
    run: Run,
}

impl Driver<'_> {
    fn run(mut self) -> Result<Run, DriverError> {
        let mut last = None;
        while let Some(due_s) = self.source.next_time_s()? {
            self.wait_until(due_s);
            self.apply(due_s)?;
            let Some(now) = self.take()? else { continue };
            last = Some(now);
            // What came meanwhile is taken in first, as a caller does that was busy.
            while !self.is_busy(now)? {
                self.give_newest()?;
                self.step(self.by_the_clock(now))?;
                if self.waiting.is_empty() {
                    break;
                }
            }
        }
        if let Some(last) = last {
            while !self.waiting.is_empty() {
                self.give_newest()?;
                self.step(last)?;
            }
            self.step(last + Span::from_milliseconds(100))?;
        }
        Ok(self.run)
    }

    fn is_busy(&mut self, now: Stamp) -> Result<bool, SourceError> {
        match self.pace {
            Pace::Lockstep => Ok(self.free_at.is_some_and(|free_at| now < free_at)),
            Pace::RealTime => {
                let next = self.source.next_time_s()?;
                Ok(next.is_some_and(|next| next <= self.elapsed_s()))
            }
        }
    }

    fn elapsed_s(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    fn wait_until(&self, due_s: f64) {
        if self.pace == Pace::RealTime {
            let left_s = (due_s - self.elapsed_s()).max(0.0);
            std::thread::sleep(Duration::from_secs_f64(left_s));
        }
    }

    /// The caller's clock at an event that came at `arrival`.
    fn by_the_clock(&self, arrival: Stamp) -> Stamp {
        match self.pace {
            Pace::Lockstep => arrival,
            Pace::RealTime => {
                arrival + Span::from_seconds((self.elapsed_s() - self.source.time_s()).max(0.0))
            }
        }
    }

    /// Sets what fails outside of the drive at this moment of it.
    fn apply(&mut self, time_s: f64) -> Result<(), SetupError> {
        let mut trouble = EngineTrouble::None;
        let mut sleep = Duration::ZERO;
        let mut moved = None;
        let mut threads = None;
        for fault in self.faults.iter().filter(|fault| fault.is_at(time_s)) {
            match fault.kind {
                FaultKind::EngineFails {} => trouble = EngineTrouble::Fails,
                FaultKind::EngineNan { place } => trouble = EngineTrouble::Nan(place),
                FaultKind::EngineSlow { run_s } if self.pace == Pace::RealTime => {
                    sleep = Duration::from_secs_f64(run_s);
                }
                FaultKind::CalibrationMoved { shift_m, turn_deg } => {
                    let turn_rad = turn_deg.to_radians();
                    let moving = Corruption::Calibration { shift_m, turn_rad };
                    moved = Some(moving.believed_rig(self.rig));
                }
                FaultKind::CpuLoad { threads: count } => threads = Some(count),
                _ => {}
            }
        }
        self.switch.set(trouble);
        self.switch.set_sleep(sleep);
        if self.is_moved != moved.is_some() {
            self.is_moved = moved.is_some();
            let rig = moved.unwrap_or_else(|| self.rig.clone());
            self.pipeline.set_calibration(rig)?;
        }
        match threads {
            Some(threads) if self.load.is_none() => self.load = Some(CpuLoad::start(threads)),
            Some(_) => {}
            None => self.load = None,
        }
        Ok(())
    }

    /// Takes the next event: an image waits, motion goes to the pipeline at once. Its arrival, or `None`
    /// for ground truth.
    fn take(&mut self) -> Result<Option<Stamp>, DriverError> {
        let Some(event) = self.source.next_event()? else {
            return Ok(None);
        };
        match event {
            DriveEvent::Truth(_) => Ok(None),
            DriveEvent::Image(image) => {
                let owned = OwnedEvent::of(&event);
                self.waiting.add(image.camera, image.stamp, owned);
                Ok(Some(image.arrival))
            }
            DriveEvent::VehicleMotion {
                stamp,
                arrival,
                speed_mps,
                yaw_rate_radps,
            } => {
                let pushed = self.pipeline.push_rates(stamp, speed_mps, yaw_rate_radps);
                self.run.refused_motion += u64::from(pushed.is_err());
                Ok(Some(arrival))
            }
            DriveEvent::Pose {
                stamp,
                arrival,
                odom_from_ego,
            } => {
                let pushed = self.pipeline.push_pose(stamp, &odom_from_ego);
                self.run.refused_motion += u64::from(pushed.is_err());
                Ok(Some(arrival))
            }
        }
    }

    /// Gives the newest of the images that wait to the pipeline.
    fn give_newest(&mut self) -> Result<(), DriverError> {
        let taken = self.waiting.take_newest();
        self.run.dropped_sets += taken.dropped_sets;
        for event in &taken.images {
            let DriveEvent::Image(image) = event.view(self.rig)? else {
                continue;
            };
            let (stamp, arrival) = (image.stamp, image.arrival);
            let pushed = self
                .pipeline
                .push_image(image.camera, &image.image, stamp, arrival);
            match pushed {
                Ok(()) => {}
                Err(FrameError::Refused(_) | FrameError::ImageSize | FrameError::ImageFormat) => {
                    self.run.refused_images += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn step(&mut self, now: Stamp) -> Result<(), FrameError> {
        loop {
            match self.pipeline.step(now, &mut self.out)? {
                StepOutcome::Waiting => return Ok(()),
                StepOutcome::Frame => {
                    let time_s = match self.pace {
                        Pace::Lockstep => self.source.time_s(),
                        Pace::RealTime => self.elapsed_s().max(self.source.time_s()),
                    };
                    let frame = ObservedFrame::of(&self.out, time_s);
                    self.run.frames.push(frame);
                    let run_s = self.run_s(time_s);
                    if run_s > 0.0 {
                        self.free_at = Some(now + Span::from_seconds(run_s));
                        return Ok(());
                    }
                }
            }
        }
    }

    /// How long a run takes by the clock of a lockstep drive.
    fn run_s(&self, time_s: f64) -> f64 {
        let runs = self.faults.iter().filter(|fault| fault.is_at(time_s));
        let slow = runs.filter_map(|fault| match fault.kind {
            FaultKind::EngineSlow { run_s } if self.pace == Pace::Lockstep => Some(run_s),
            _ => None,
        });
        slow.fold(0.0, f64::max)
    }
}

/// Threads that never rest until they are dropped.
struct CpuLoad {
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl CpuLoad {
    fn start(threads: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = if threads == 0 { 2 * cores } else { threads };
        let is_over = Arc::new(AtomicBool::new(false));
        let busy = |_| {
            let is_over = Arc::clone(&is_over);
            std::thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        };
        Self {
            threads: (0..count).map(busy).collect(),
            is_over,
        }
    }
}

impl Drop for CpuLoad {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that only spins does not panic.
            let _ = thread.join();
        }
    }
}
