//! `bevrt replay`: a recorded log or scenes of a nuScenes folder through a package.

use crate::failure::Failure;
use crate::nuscenes::NuscenesArguments;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::{allocations, progress};
use bevrt_calibration::Rig;
use bevrt_hil::eval::latency_table;
use bevrt_hil::logs::{LogReader, LogWriter};
use bevrt_hil::nuscenes::NuscenesDrive;
use bevrt_hil::replay::{
    LatencyReport, ReplayFrame, ReplayVisitor, TensorDump, VisitorError, replay, replay_paced,
};
use bevrt_hil::source::{
    DriveEvent, DriveSource, LogDrive, LogDriveOptions, LoopedDrive, record_event,
};
use bevrt_runtime::{Pipeline, Stage, Stamp};
use clap::Args;
use indicatif::ProgressBar;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Options of `bevrt replay`.
#[derive(Args)]
#[command(disable_version_flag = true)]
pub struct ReplayArguments {
    /// The log (MCAP with Foxglove or ROS 2 schemas), `-` for standard input; left out with --nuscenes
    #[arg(required_unless_present = "root", conflicts_with = "root")]
    log: Option<PathBuf>,
    #[command(flatten)]
    nuscenes: NuscenesArguments,
    /// Folder of the model package
    #[arg(long, default_value = SHIPPED_PACKAGE)]
    package: PathBuf,
    /// Folder of the results; scenes of nuScenes get a folder each in it
    #[arg(long, default_value = "out/replay")]
    out: PathBuf,
    /// Rig file to use instead of the log's calibration
    #[arg(long, conflicts_with = "root")]
    rig: Option<PathBuf>,
    /// Begin so many seconds after the beginning of the log
    #[arg(long, value_name = "SECONDS", conflicts_with = "root")]
    from: Option<f64>,
    /// End so many seconds after the beginning of the log
    #[arg(long, value_name = "SECONDS", conflicts_with = "root")]
    to: Option<f64>,
    /// Replay the log so many times over, with stamps carried on
    #[arg(
        long = "loop",
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..),
        conflicts_with = "root"
    )]
    rounds: u64,
    /// In real time, with drops as they happen, instead of as fast as it goes
    #[arg(long)]
    paced: bool,
    /// With --paced: so many times as fast as real time
    #[arg(long, default_value_t = 1.0, requires = "paced", value_parser = parse_speed)]
    speed: f64,
    /// Also write the output frames, one after another, as the bytes of `bevrt_frame_t`
    #[arg(long, conflicts_with = "root")]
    frames: Option<PathBuf>,
    /// Write the network's inputs and raw outputs of the first N frames as .npy
    #[arg(long, default_value_t = 0, value_name = "N")]
    dump_tensors: usize,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Replays the log, or the scenes one after another.
pub fn run(arguments: &ReplayArguments) -> Result<(), Failure> {
    let rig = arguments
        .rig
        .as_ref()
        .map(Rig::from_toml_file)
        .transpose()?;
    let scenes = arguments.nuscenes.load()?.map(|(_, scenes)| scenes);
    let reports = match (&arguments.log, scenes) {
        (Some(log), None) => vec![log_drive(arguments, log, rig)?],
        (None, Some(scenes)) => scenes
            .into_iter()
            .map(|scene| {
                let name = scene.name().to_owned();
                let out = arguments.out.join(&name);
                one(arguments, &mut NuscenesDrive::new(scene), &name, &out, None)
            })
            .collect::<Result<_, _>>()?,
        _ => {
            return Err(Failure::new(
                "expected a log or --nuscenes ROOT, and not both",
            ));
        }
    };
    if arguments.json {
        match &reports[..] {
            [report] => println!("{report:#}"),
            reports => println!("{:#}", serde_json::Value::from(reports.to_vec())),
        }
    }
    Ok(())
}

/// Replays a log, or what of it is wanted, and says what is wrong with it.
fn log_drive(
    arguments: &ReplayArguments,
    log: &Path,
    rig: Option<Rig>,
) -> Result<serde_json::Value, Failure> {
    let options = LogDriveOptions {
        rig,
        from_s: arguments.from,
        to_s: arguments.to,
        ..LogDriveOptions::default()
    };
    let name = log.display();
    let (report, remarks) = if log == Path::new("-") {
        if arguments.rounds > 1 {
            return Err(Failure::new(
                "--loop: expected a log that can be opened again, found standard input",
            ));
        }
        let input = Box::new(std::io::stdin());
        let mut drive = LogDrive::from_stream("standard input", input, options)?;
        let report = one(arguments, &mut drive, &name, &arguments.out, None)?;
        (report, drive.remarks())
    } else {
        let length_s = length_s(arguments, log);
        let open = || LogDrive::open(log, options.clone());
        if arguments.rounds > 1 {
            let mut drive = LoopedDrive::new(arguments.rounds, open)?;
            let report = one(arguments, &mut drive, &name, &arguments.out, length_s)?;
            (report, drive.round().remarks())
        } else {
            let mut drive = open()?;
            let report = one(arguments, &mut drive, &name, &arguments.out, length_s)?;
            (report, drive.remarks())
        }
    };
    for remark in remarks {
        eprintln!("{name}: {remark}");
    }
    Ok(report)
}

/// Seconds that will be replayed, for the bar; `None` where the log has no index.
fn length_s(arguments: &ReplayArguments, log: &Path) -> Option<f64> {
    let whole_s = length_of_log_s(log)?;
    let to_s = arguments.to.unwrap_or(whole_s).min(whole_s);
    Some((to_s - arguments.from.unwrap_or(0.0)).max(0.0) * arguments.rounds as f64)
}

/// Seconds of a whole log; `None` where it has no index.
pub fn length_of_log_s(log: &Path) -> Option<f64> {
    let (first_ns, last_ns) = LogReader::open(log).ok()?.log_times_ns()?;
    Some((last_ns - first_ns) as f64 * 1e-9)
}

/// Reads how many times as fast as real time.
pub fn parse_speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (0.01..=1000.0).contains(&speed) => Ok(speed),
        _ => Err(format!("expected 0.01 to 1000, found `{text}`")),
    }
}

/// Replays one drive called `name` into the folder `out`, and tells what was measured.
fn one(
    arguments: &ReplayArguments,
    drive: &mut (dyn DriveSource + Send),
    name: &dyn Display,
    out: &Path,
    length_s: Option<f64>,
) -> Result<serde_json::Value, Failure> {
    let options = arguments.engine.pipeline(&arguments.package, drive)?;
    let pipeline = Pipeline::new(options)?;
    let mut writer = LogWriter::create(out.join("result.mcap"))?;
    writer.write_rig(drive.rig(), Stamp::ZERO)?;
    let frames = match &arguments.frames {
        Some(path) => {
            let file = File::create(path).map_err(Failure::while_doing(path.display()))?;
            Some(BufWriter::new(file))
        }
        None => None,
    };
    let mut visitor = Recorder {
        writer,
        frames,
        rig: drive.rig().clone(),
        dump: TensorDump::new(out.join("tensors"), arguments.dump_tensors),
        bar: match length_s {
            Some(seconds) => progress::time_bar("replaying", seconds),
            None => progress::spinner("replaying"),
        },
        is_timed: length_s.is_some(),
        begin: None,
    };
    let mut pipelines = [pipeline];
    let allocations = Some(allocations::of_this_thread as fn() -> u64);
    let summary = if arguments.paced {
        replay_paced(
            drive,
            &mut pipelines,
            &mut visitor,
            allocations,
            arguments.speed,
        )?
    } else {
        replay(drive, &mut pipelines, &mut visitor, allocations)?
    };
    visitor.bar.finish_and_clear();
    visitor.writer.finish()?;
    if let Some(mut frames) = visitor.frames {
        frames
            .flush()
            .map_err(Failure::while_doing("output frames"))?;
    }
    let latency = LatencyReport::new(pipelines[0].stats());
    if !arguments.json {
        println!(
            "{name}: {} frames, {} sets dropped, {} images refused",
            summary.frames, summary.dropped_sets, summary.refused_images
        );
        print!("{}", latency_table(&latency));
        println!("results: {}", out.join("result.mcap").display());
    }
    if summary.frames == 0 {
        return Err(Failure::new(format!(
            "{name}: expected frame sets, found none that is complete"
        )));
    }
    let stages: serde_json::Map<_, _> = latency
        .stages
        .iter()
        .map(|stage| {
            (
                stage.stage.to_owned(),
                serde_json::json!({"p50": stage.p50_ms, "p99": stage.p99_ms, "max": stage.max_ms}),
            )
        })
        .collect();
    Ok(serde_json::json!({
        "drive": name.to_string(),
        "frames": summary.frames,
        "dropped_sets": summary.dropped_sets,
        "refused_images": summary.refused_images,
        "refused_motion": summary.refused_motion,
        "alloc_per_frame": summary.allocations_per_frame(),
        "latency_ms": stages,
    }))
}

struct Recorder {
    writer: LogWriter<BufWriter<File>>,
    frames: Option<BufWriter<File>>,
    rig: Rig,
    dump: TensorDump,
    bar: ProgressBar,
    /// Whether the bar goes by the time of the drive, else by frames.
    is_timed: bool,
    begin: Option<Stamp>,
}

impl ReplayVisitor for Recorder {
    /// Results go with the ego motion that they rest on.
    fn event(&mut self, event: &DriveEvent<'_>) -> Result<(), VisitorError> {
        if let (true, DriveEvent::Image(image)) = (self.is_timed, event) {
            let begin = *self.begin.get_or_insert(image.arrival);
            let done_s = image.arrival.since(begin).seconds();
            self.bar.set_position((1e3 * done_s.max(0.0)) as u64);
        }
        match event {
            DriveEvent::VehicleMotion { .. } | DriveEvent::Pose { .. } => {
                Ok(record_event(&mut self.writer, &self.rig, event)?)
            }
            DriveEvent::Image(_) | DriveEvent::Truth(_) => Ok(()),
        }
    }

    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError> {
        if !self.is_timed {
            self.bar.inc(1);
        }
        self.writer.write_frame(frame.frame)?;
        if let Some(frames) = &mut self.frames {
            frames.write_all(frame.frame.as_frame_bytes())?;
        }
        self.writer.write_statistics(
            Stamp::from_nanoseconds(frame.frame.now_ns),
            &stage_record(frame.pipeline),
        )?;
        self.dump.write(frame.pipeline)?;
        Ok(())
    }
}

/// Times of the last frame by stage, milliseconds.
pub fn stage_record(pipeline: &Pipeline) -> serde_json::Map<String, serde_json::Value> {
    let last = pipeline.stats().last();
    Stage::ALL
        .map(|stage| {
            (
                format!("{}_ms", stage.name()),
                (1e3 * last.get(stage).seconds()).into(),
            )
        })
        .into_iter()
        .collect()
}
