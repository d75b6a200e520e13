//! Drives on their way into logs.

use bevrt_calibration::Rig;
use bevrt_runtime::Stamp;

use super::{DriveEvent, DriveSource, SimulatedDrive, SourceError};
use crate::logs::{LogError, MessageSink, MessageWriter, VehicleMotionRecord};

/// Writes an event as it is: images as JPEG, those that were recorded so untouched, ego motion, ground truth.
///
/// A pose is written as an exact one.
///
/// # Errors
/// The log cannot be written.
pub fn record_event<S: MessageSink>(
    writer: &mut MessageWriter<S>,
    rig: &Rig,
    event: &DriveEvent<'_>,
) -> Result<(), LogError> {
    match event {
        DriveEvent::Image(image) => {
            let size = [image.image.width(), image.image.height()];
            let name = &rig.cameras()[image.camera].name;
            match image.jpeg {
                Some(jpeg) => writer.write_jpeg(name, image.stamp, image.arrival, jpeg),
                None => writer.write_image(name, image.stamp, image.arrival, image.rgb, size),
            }
        }
        DriveEvent::VehicleMotion {
            stamp,
            arrival,
            speed_mps,
            yaw_rate_radps,
        } => {
            let record = VehicleMotionRecord {
                stamp_ns: stamp.nanoseconds(),
                speed_mps: *speed_mps,
                yaw_rate_radps: *yaw_rate_radps,
            };
            writer.write_vehicle_motion(*arrival, &record)
        }
        DriveEvent::Pose {
            stamp,
            odom_from_ego,
            ..
        } => {
            let pose = bevrt_calibration::Pose::from_isometry(*odom_from_ego.as_isometry());
            writer.write_pose(*stamp, &pose)
        }
        DriveEvent::Truth(truth) => writer.write_truth(truth),
    }
}

/// Records a simulated drive: rig, images, CAN signals, exact poses at the stamps of CAN signals
/// and frames, ground truth. `progress` is called with the number of each finished frame set.
///
/// # Errors
/// The log cannot be written.
pub fn record<S: MessageSink>(
    drive: &mut SimulatedDrive,
    writer: &mut MessageWriter<S>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), SourceError> {
    let rig = drive.rig().clone();
    writer.write_rig(&rig, SimulatedDrive::BEGIN)?;
    let mut frames = 0;
    loop {
        let moment: Option<Stamp> = {
            let Some(event) = drive.next_event()? else {
                return Ok(());
            };
            record_event(writer, &rig, &event)?;
            match event {
                DriveEvent::VehicleMotion { stamp, .. } => Some(stamp),
                DriveEvent::Truth(truth) => {
                    frames += 1;
                    progress(frames);
                    Some(Stamp::from_nanoseconds(truth.stamp_ns))
                }
                DriveEvent::Image(_) | DriveEvent::Pose { .. } => None,
            }
        };
        if let Some(stamp) = moment {
            writer.write_pose(stamp, &drive.world_from_ego(stamp))?;
        }
    }
}
