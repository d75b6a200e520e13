//! `bevrt hil drive`: the bench.

use super::{UNIT, parse_seconds};
use crate::failure::Failure;
use crate::package::SHIPPED_PACKAGE;
use crate::replay::{length_of_log_s, parse_speed};
use crate::{progress, rig};
use bevrt_calibration::Rig;
use bevrt_hil::logs::LogWriter;
use bevrt_hil::source::{
    DriveEvent, DriveSource, LogDrive, LogDriveOptions, PictureSize, SimulatedDrive,
    SimulatedDriveOptions, record_event,
};
use bevrt_hil_link::{
    BenchOptions, BenchSummary, BenchVisitor, E2eCounts, Endpoints, LatencySummary, LinkError,
    Mode, Side, StageNanoseconds, ZenohWire, drive,
};
use bevrt_runtime::{MANIFEST_FILE, Manifest, OutputFrame, Stamp};
use clap::Args;
use indicatif::ProgressBar;
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

/// A drive in lockstep begins anew so often when the unit was started anew.
const BEGINNINGS: usize = 3;

/// Options of `bevrt hil drive`.
#[derive(Args)]
#[command(disable_version_flag = true)]
pub struct DriveArguments {
    /// The log (MCAP with Foxglove or ROS 2 schemas); left out with --seed
    #[arg(required_unless_present = "seed", conflicts_with = "seed")]
    log: Option<PathBuf>,
    /// Send the simulated drive of this seed, drawn as it is needed
    #[arg(long)]
    seed: Option<u64>,
    /// With --seed: length of the drive
    #[arg(long, default_value_t = 10.0, requires = "seed")]
    seconds: f64,
    #[arg(long, default_value = "six-pinhole", requires = "seed", help = rig::RIG_HELP)]
    rig: String,
    /// With --seed: draw what a network sees at this many times its input's size
    #[arg(long, default_value_t = 2, requires = "seed")]
    times_network: u32,
    /// With --seed: package whose preprocessing is meant by --times-network
    #[arg(long, default_value = SHIPPED_PACKAGE, requires = "seed")]
    package: PathBuf,
    /// Where the unit listens, or the relay before it
    #[arg(long, default_value = UNIT)]
    connect: String,
    /// Send each event when the last one was answered, and again when it was lost: as fast as it
    /// goes, the frames of `bevrt replay` byte by byte
    #[arg(long, conflicts_with = "speed")]
    lockstep: bool,
    /// So many times as fast as real time
    #[arg(long, default_value_t = 1.0, value_parser = parse_speed)]
    speed: f64,
    /// Fail when a frame is here later than so many milliseconds after its last image was due (in
    /// lockstep: was sent)
    #[arg(long, value_name = "MS")]
    deadline_ms: Option<f64>,
    /// From one frame to the next, for the E2E checks' notion of silence
    #[arg(long, value_name = "MS", default_value_t = 100.0)]
    cycle_ms: f64,
    /// Give up when the unit has been silent for so long
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = parse_seconds)]
    silence_s: Duration,
    /// Folder of the results
    #[arg(long, default_value = "out/hil")]
    out: PathBuf,
    /// Also write the output frames, one after another, as the bytes of `bevrt_frame_t`
    #[arg(long)]
    frames: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// Sends the drive and judges the unit; fails when something is wrong.
pub fn run(arguments: &DriveArguments) -> Result<(), Failure> {
    let endpoints = Endpoints {
        listen: Vec::new(),
        connect: vec![arguments.connect.clone()],
    };
    let wire = ZenohWire::open(Side::Bench, &endpoints)?;
    let options = options(arguments)?;
    let mut beginnings = 0;
    let summary = loop {
        beginnings += 1;
        match once(arguments, &wire, &options)? {
            Err(LinkError::Restarted) if beginnings < BEGINNINGS => {
                eprintln!("{}: the drive begins anew", LinkError::Restarted);
            }
            outcome => break outcome?,
        }
    };
    let json = serde_json::to_string_pretty(&summary)?;
    let path = arguments.out.join("summary.json");
    std::fs::write(&path, format!("{json}\n")).map_err(Failure::while_doing(path.display()))?;
    if arguments.json {
        println!("{json}");
    } else {
        print_summary(&summary);
        println!("results: {}", arguments.out.join("result.mcap").display());
    }
    match &summary.problems()[..] {
        [] => Ok(()),
        problems => Err(Failure::new(problems.join("; "))),
    }
}

fn options(arguments: &DriveArguments) -> Result<BenchOptions, Failure> {
    let milliseconds = |name: &str, ms: f64| {
        Duration::try_from_secs_f64(ms * 1e-3)
            .ok()
            .filter(|span| !span.is_zero())
            .ok_or_else(|| Failure::new(format!("{name}: expected milliseconds, found {ms}")))
    };
    Ok(BenchOptions {
        mode: if arguments.lockstep {
            Mode::Lockstep
        } else {
            Mode::Paced(arguments.speed)
        },
        silence: arguments.silence_s,
        cycle: milliseconds("--cycle-ms", arguments.cycle_ms)?,
        deadline: arguments
            .deadline_ms
            .map(|ms| milliseconds("--deadline-ms", ms))
            .transpose()?,
        ..BenchOptions::default()
    })
}

/// Sends the drive once, into new files. The inner error is one of the link.
fn once(
    arguments: &DriveArguments,
    wire: &ZenohWire,
    options: &BenchOptions,
) -> Result<Result<BenchSummary, LinkError>, Failure> {
    let (mut source, length_s) = source(arguments)?;
    let mut writer = LogWriter::create(arguments.out.join("result.mcap"))?;
    writer.write_rig(source.rig(), Stamp::ZERO)?;
    let frames = match &arguments.frames {
        Some(path) => {
            let file = File::create(path).map_err(Failure::while_doing(path.display()))?;
            Some(BufWriter::new(file))
        }
        None => None,
    };
    let mut recorder = Recorder {
        writer,
        frames,
        rig: source.rig().clone(),
        bar: match length_s {
            Some(seconds) => progress::time_bar("driving", seconds),
            None => progress::spinner("driving"),
        },
        is_timed: length_s.is_some(),
        begin: None,
        last_frame: Stamp::ZERO,
    };
    let outcome = drive(wire, &mut *source, options, &mut recorder);
    recorder.bar.finish_and_clear();
    recorder.writer.finish()?;
    if let Some(mut frames) = recorder.frames {
        frames
            .flush()
            .map_err(Failure::while_doing("output frames"))?;
    }
    Ok(outcome)
}

/// The drive, and its length where that is known.
fn source(
    arguments: &DriveArguments,
) -> Result<(Box<dyn DriveSource + Send>, Option<f64>), Failure> {
    if let Some(log) = &arguments.log {
        let drive = LogDrive::open(log, LogDriveOptions::default())?;
        return Ok((Box::new(drive), length_of_log_s(log)));
    }
    let seed = arguments
        .seed
        .ok_or_else(|| Failure::new("expected a log or --seed N, found neither"))?;
    let manifest = Manifest::from_toml_file(&arguments.package.join(MANIFEST_FILE))?;
    let options = SimulatedDriveOptions {
        duration_s: arguments.seconds,
        size: PictureSize::TimesNetwork(arguments.times_network),
        ..SimulatedDriveOptions::default()
    };
    let rig = rig::resolve(&arguments.rig)?;
    let drive = SimulatedDrive::new(seed, &rig, manifest.preprocess(), &options);
    Ok((Box::new(drive), Some(arguments.seconds)))
}

fn print_summary(summary: &BenchSummary) {
    let told = |number: Option<u64>| number.map_or_else(|| "?".to_owned(), |n| n.to_string());
    println!(
        "{} frames ({} usable) of {} made; {} events sent, {} taken, {} images refused, {} sets \
         given up for newer ones",
        summary.frames,
        summary.frames_usable,
        told(summary.frames_made),
        summary.events_sent,
        told(summary.events_taken),
        told(summary.refused_images),
        told(summary.dropped_sets),
    );
    if summary.unit_restarts > 0 {
        println!(
            "the unit was started anew {} times, {} events were not sent",
            summary.unit_restarts, summary.events_unsent
        );
    }
    let e2e = |name: &str, counts: &E2eCounts| {
        println!(
            "E2E {name}: {} ok, {} after a loss, {} repeated, {} out of order, {} errors, \
             {} silent, {} times invalid",
            counts.ok,
            counts.some_lost,
            counts.repeated,
            counts.wrong_sequence,
            counts.error,
            counts.silent,
            counts.became_invalid
        );
    };
    e2e("frames", &summary.frame_e2e);
    e2e("health", &summary.health_e2e);
    println!("latency, ms              p50      p90      p99      max");
    let row = |name: &str, times: &LatencySummary| {
        if times.count > 0 {
            println!(
                "{name:<20} {:>8.2} {:>8.2} {:>8.2} {:>8.2}",
                times.p50_ms, times.p90_ms, times.p99_ms, times.max_ms
            );
        }
    };
    row("last image due", &summary.from_due);
    row("last image sent", &summary.from_sent);
    row("  way there", &summary.way_there);
    row("  in the unit", &summary.in_unit);
    row("  way back", &summary.way_back);
    println!(
        "clocks synchronised to {:.3} ms",
        summary.clock_error_ns as f64 * 1e-6
    );
}

struct Recorder {
    writer: LogWriter<BufWriter<File>>,
    frames: Option<BufWriter<File>>,
    rig: Rig,
    bar: ProgressBar,
    /// Whether the bar goes by the time of the drive, else by frames.
    is_timed: bool,
    begin: Option<Stamp>,
    /// The unit's clock of the drive at the last frame.
    last_frame: Stamp,
}

type VisitorError = Box<dyn Error + Send + Sync>;

impl BenchVisitor for Recorder {
    fn motion(&mut self, event: &DriveEvent<'_>) -> Result<(), VisitorError> {
        Ok(record_event(&mut self.writer, &self.rig, event)?)
    }

    fn frame(&mut self, frame: &OutputFrame) -> Result<(), VisitorError> {
        if !self.is_timed {
            self.bar.inc(1);
        }
        self.last_frame = Stamp::from_nanoseconds(frame.now_ns);
        self.writer.write_frame(frame)?;
        if let Some(frames) = &mut self.frames {
            frames.write_all(frame.as_frame_bytes())?;
        }
        Ok(())
    }

    fn times(&mut self, times: &StageNanoseconds) -> Result<(), VisitorError> {
        let record: serde_json::Map<_, _> = times
            .map(|(stage, nanoseconds)| {
                let name = format!("{}_ms", stage.name());
                (name, serde_json::Value::from(1e-6 * nanoseconds as f64))
            })
            .into_iter()
            .collect();
        Ok(self.writer.write_statistics(self.last_frame, &record)?)
    }

    fn progress(&mut self, arrival: Stamp) {
        if self.is_timed {
            let begin = *self.begin.get_or_insert(arrival);
            let done_s = arrival.since(begin).seconds();
            self.bar.set_position((1e3 * done_s.max(0.0)) as u64);
        }
    }
}
