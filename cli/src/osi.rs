//! `bevrt osi`: a result of `bevrt replay` as an ASAM OSI trace.

use crate::failure::Failure;
use crate::progress;
use bevrt_hil::logs::{ResultEvent, ResultLog};
use bevrt_osi::{
    HostMotion, TraceFormat, TraceInfo, TraceWriter, UtcTime, VirtualSensor, sensor_data,
    trace_file_name,
};
use bevrt_runtime::{EgoMotion, EgoMotionSource, EgoMotionSpec, Stamp};
use clap::Args;
use std::path::PathBuf;
use std::time::SystemTime;

/// Options of `bevrt osi`.
#[derive(Args)]
#[command(disable_version_flag = true)]
pub struct OsiArguments {
    /// The result log (result.mcap of `bevrt replay`)
    result: PathBuf,
    /// The trace: a file ending in .osi or .mcap, or a folder, where an MCAP trace is named as OSI recommends
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Height of the rear axle's middle above the ground, the origin of OSI's vehicle frame
    #[arg(long, value_name = "METRES", default_value_t = 0.33, value_parser = height)]
    axle_height: f64,
    /// Identifier of the perception among the sensors of the vehicle
    #[arg(long, value_name = "N", default_value_t = 1)]
    sensor_id: u64,
}

fn height(text: &str) -> Result<f64, String> {
    let height_m: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if (0.0..=3.0).contains(&height_m) {
        Ok(height_m)
    } else {
        Err(format!("expected 0 to 3 metres, found {height_m}"))
    }
}

/// Converts the log.
pub fn run(arguments: &OsiArguments) -> Result<(), Failure> {
    let mut log = ResultLog::open(&arguments.result)?;
    let info = TraceInfo {
        description: "objects, lanes and road markings of bevrt as OSI SensorData".to_owned(),
        data_sources: arguments.result.display().to_string(),
        creation_time: UtcTime::from_system(SystemTime::now()),
    };
    let out = trace_file(arguments, &log, &info);
    let mut writer = TraceWriter::create(&out, &info)?;
    let sensor = VirtualSensor {
        id: arguments.sensor_id,
        rear_axle_height_m: arguments.axle_height,
    };
    let bar = progress::bar("converting", log.frames());
    let converted = convert(&mut log, &sensor, &mut writer, || bar.inc(1))?;
    bar.finish_and_clear();
    writer.finish()?;
    println!(
        "{} frames, {} of them with velocities; {} samples of ego motion refused",
        converted.frames, converted.with_motion, converted.refused_motion
    );
    println!("trace: {}", out.display());
    Ok(())
}

/// The file to write: the one that was asked for, or one in that folder.
fn trace_file(arguments: &OsiArguments, log: &ResultLog, info: &TraceInfo) -> PathBuf {
    if !arguments.out.is_dir() {
        return arguments.out.clone();
    }
    let title = arguments.result.file_stem().unwrap_or_default();
    let title = title.to_string_lossy();
    let format = TraceFormat::Mcap;
    let name = trace_file_name(info.creation_time, log.frames(), &title, format);
    arguments.out.join(name)
}

/// What was done.
#[derive(Default)]
struct Converted {
    frames: u64,
    with_motion: u64,
    refused_motion: u64,
}

fn convert(
    log: &mut ResultLog,
    sensor: &VirtualSensor,
    writer: &mut TraceWriter,
    progress: impl Fn(),
) -> Result<Converted, Failure> {
    let source = log.ego_motion().unwrap_or(EgoMotionSource::Rates);
    let mut ego_motion = EgoMotion::new(EgoMotionSpec::new(source))?;
    let mut converted = Converted::default();
    while let Some(event) = log.next_event()? {
        let pushed = match event {
            ResultEvent::Frame(frame) => {
                let motion = HostMotion::at(&ego_motion, Stamp::from_nanoseconds(frame.stamp_ns));
                writer.write(&sensor_data(&frame, sensor, motion.as_ref()))?;
                converted.frames += 1;
                converted.with_motion += u64::from(motion.is_some());
                progress();
                continue;
            }
            ResultEvent::Statistics(_) => continue,
            ResultEvent::VehicleMotion(record) => {
                let stamp = Stamp::from_nanoseconds(record.stamp_ns);
                ego_motion.push_rates(stamp, record.speed_mps, record.yaw_rate_radps)
            }
            ResultEvent::Pose {
                stamp,
                odom_from_ego,
            } => ego_motion.push_pose(stamp, &odom_from_ego),
        };
        converted.refused_motion += u64::from(pushed.is_err());
    }
    Ok(converted)
}
