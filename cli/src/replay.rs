//! `bevrt replay`: a recorded log or scenes of a nuScenes folder through a package.

use crate::failure::Failure;
use crate::nuscenes::NuscenesArguments;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::{allocations, progress};
use bevrt_calibration::Rig;
use bevrt_hil::eval::latency_table;
use bevrt_hil::logs::LogWriter;
use bevrt_hil::nuscenes::NuscenesDrive;
use bevrt_hil::replay::{
    LatencyReport, ReplayFrame, ReplayVisitor, TensorDump, VisitorError, replay,
};
use bevrt_hil::source::{DriveEvent, DriveSource, LogDrive, LogDriveOptions, record_event};
use bevrt_runtime::{EgoMotionSpec, Pipeline, PipelineOptions, Stage, Stamp};
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
    /// The log (MCAP with Foxglove schemas); left out with --nuscenes
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
        (Some(log), None) => {
            let ego_motion = None;
            let mut drive = LogDrive::open(log, LogDriveOptions { rig, ego_motion })?;
            vec![one(arguments, &mut drive, &log.display(), &arguments.out)?]
        }
        (None, Some(scenes)) => scenes
            .into_iter()
            .map(|scene| {
                let name = scene.name().to_owned();
                let out = arguments.out.join(&name);
                one(arguments, &mut NuscenesDrive::new(scene), &name, &out)
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

/// Replays one drive called `name` into the folder `out`, and tells what was measured.
fn one(
    arguments: &ReplayArguments,
    drive: &mut dyn DriveSource,
    name: &dyn Display,
    out: &Path,
) -> Result<serde_json::Value, Failure> {
    let mut options = PipelineOptions::new(&arguments.package, drive.rig().clone());
    options.engine = arguments.engine.options()?;
    options.precision = arguments.engine.precision();
    options.ego_motion = EgoMotionSpec::new(drive.ego_motion());
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
        bar: progress::spinner("replaying"),
    };
    let mut pipelines = [pipeline];
    let summary = replay(
        drive,
        &mut pipelines,
        &mut visitor,
        Some(allocations::of_this_thread),
    )?;
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
            "{name}: {} frames, {} images refused",
            summary.frames, summary.refused_images
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
}

impl ReplayVisitor for Recorder {
    /// Results go with the ego motion that they rest on.
    fn event(&mut self, event: &DriveEvent<'_>) -> Result<(), VisitorError> {
        match event {
            DriveEvent::VehicleMotion { .. } | DriveEvent::Pose { .. } => {
                Ok(record_event(&mut self.writer, &self.rig, event)?)
            }
            DriveEvent::Image(_) | DriveEvent::Truth(_) => Ok(()),
        }
    }

    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError> {
        self.bar.inc(1);
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
