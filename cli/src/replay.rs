//! `bevrt replay`: a recorded log through a package.

use crate::failure::Failure;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::{allocations, progress};
use bevrt_calibration::Rig;
use bevrt_hil::eval::latency_table;
use bevrt_hil::logs::LogWriter;
use bevrt_hil::replay::{
    LatencyReport, ReplayFrame, ReplayVisitor, TensorDump, VisitorError, replay,
};
use bevrt_hil::source::{DriveSource, LogDrive, LogDriveOptions};
use bevrt_runtime::{EgoMotionSpec, Pipeline, PipelineOptions, Stage, Stamp};
use clap::Args;
use indicatif::ProgressBar;
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

/// Options of `bevrt replay`.
#[derive(Args)]
pub struct ReplayArguments {
    /// The log (MCAP with Foxglove schemas)
    log: PathBuf,
    /// Folder of the model package
    #[arg(long, default_value = SHIPPED_PACKAGE)]
    package: PathBuf,
    /// Folder of the results
    #[arg(long, default_value = "out/replay")]
    out: PathBuf,
    /// Rig file to use instead of the log's calibration
    #[arg(long)]
    rig: Option<PathBuf>,
    /// Write the network's inputs and raw outputs of the first N frames as .npy
    #[arg(long, default_value_t = 0, value_name = "N")]
    dump_tensors: usize,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Replays the log.
pub fn run(arguments: &ReplayArguments) -> Result<(), Failure> {
    let rig = arguments
        .rig
        .as_ref()
        .map(Rig::from_toml_file)
        .transpose()?;
    let mut drive = LogDrive::open(
        &arguments.log,
        LogDriveOptions {
            rig,
            ego_motion: None,
        },
    )?;
    let mut options = PipelineOptions::new(&arguments.package, drive.rig().clone());
    options.engine = arguments.engine.options()?;
    options.precision = arguments.engine.precision();
    options.ego_motion = EgoMotionSpec::new(drive.ego_motion());
    let pipeline = Pipeline::new(options)?;
    let mut writer = LogWriter::create(arguments.out.join("result.mcap"))?;
    writer.write_rig(drive.rig(), Stamp::ZERO)?;
    let mut visitor = Recorder {
        writer,
        dump: TensorDump::new(arguments.out.join("tensors"), arguments.dump_tensors),
        bar: progress::spinner("replaying"),
    };
    let mut pipelines = [pipeline];
    let summary = replay(
        &mut drive,
        &mut pipelines,
        &mut visitor,
        Some(allocations::of_this_thread),
    )?;
    visitor.bar.finish_and_clear();
    visitor.writer.finish()?;
    let latency = LatencyReport::new(pipelines[0].stats());
    if arguments.json {
        let stages: serde_json::Map<_, _> = latency
            .stages
            .iter()
            .map(|stage| (stage.stage.to_owned(), serde_json::json!({"p50": stage.p50_ms, "p99": stage.p99_ms, "max": stage.max_ms})))
            .collect();
        let report = serde_json::json!({
            "frames": summary.frames,
            "refused_images": summary.refused_images,
            "refused_motion": summary.refused_motion,
            "alloc_per_frame": summary.allocations_per_frame(),
            "latency_ms": stages,
        });
        println!("{report:#}");
    } else {
        println!(
            "{} frames, {} images refused",
            summary.frames, summary.refused_images
        );
        print!("{}", latency_table(&latency));
        println!("results: {}", arguments.out.join("result.mcap").display());
    }
    if summary.frames == 0 {
        return Err(Failure::new(format!(
            "{}: expected frame sets, found none that is complete",
            arguments.log.display()
        )));
    }
    Ok(())
}

struct Recorder {
    writer: LogWriter<BufWriter<File>>,
    dump: TensorDump,
    bar: ProgressBar,
}

impl ReplayVisitor for Recorder {
    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError> {
        self.bar.inc(1);
        self.writer.write_frame(frame.frame)?;
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
