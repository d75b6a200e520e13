//! A frame becomes a message.

mod area;
mod header;
mod lanes;
mod markings;
mod objects;

use bevrt_runtime::{ObjectClass, OutputFrame};

use crate::host_motion::HostMotion;
use crate::messages::{
    Identifier, InterfaceVersion, MountingPosition, Orientation3d, SensorData, Vector3d,
};
use crate::values::timestamp;

/// Version of OSI whose messages are written: major, minor, patch.
pub const OSI_VERSION: [u32; 3] = [3, 8, 0];

/// The whole perception as one sensor of the vehicle, in the words of OSI.
///
/// Its frame is the ego frame: x forward, y left, z up, origin on the ground under the rear axle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VirtualSensor {
    /// Its identifier among the sensors of the vehicle.
    pub id: u64,
    /// Height of the rear axle's middle above the ground, at neutral load: the middle is the
    /// origin of OSI's vehicle frame, so the sensor is mounted that far below it.
    pub rear_axle_height_m: f64,
}

impl VirtualSensor {
    fn mounting_position(&self) -> MountingPosition {
        MountingPosition {
            position: Some(Vector3d {
                x: Some(0.0),
                y: Some(0.0),
                z: Some(-self.rear_axle_height_m).filter(|z| z.is_finite()),
            }),
            orientation: Some(Orientation3d {
                roll: Some(0.0),
                pitch: Some(0.0),
                yaw: Some(0.0),
            }),
        }
    }
}

/// The message of a frame; `README.md` has the mapping.
///
/// `motion` is that of the vehicle at the stamp of the frame. Frames tell velocities over ground,
/// OSI wants them as the moving sensor sees them: without a motion they are left out. Kinds that
/// have no number in this version become `UNKNOWN`, numbers that are not finite are left out.
pub fn sensor_data(
    frame: &OutputFrame,
    sensor: &VirtualSensor,
    motion: Option<&HostMotion>,
) -> SensorData {
    let [major, minor, patch] = OSI_VERSION;
    let header = Some(header::of_frame(frame));
    let is_cone = |class: u8| class == u8::from(ObjectClass::Cone);
    let (cones, road_users): (Vec<_>, Vec<_>) = frame
        .objects()
        .iter()
        .partition(|object| is_cone(object.class));
    let arrows = frame.arrows().iter().map(markings::arrow);
    let crosswalks = frame.crosswalks().iter().map(markings::crosswalk);
    let stop_lines = frame.stop_lines().iter().map(markings::stop_line);
    SensorData {
        version: Some(InterfaceVersion {
            version_major: Some(major),
            version_minor: Some(minor),
            version_patch: Some(patch),
        }),
        timestamp: Some(timestamp(frame.now_ns)),
        sensor_id: Some(Identifier {
            value: Some(sensor.id),
        }),
        mounting_position: Some(sensor.mounting_position()),
        last_measurement_time: Some(timestamp(frame.stamp_ns)),
        stationary_object_header: header,
        stationary_object: cones.into_iter().map(objects::cone).collect(),
        moving_object_header: header,
        moving_object: road_users
            .into_iter()
            .map(|object| objects::road_user(object, motion))
            .collect(),
        road_marking_header: header,
        road_marking: arrows.chain(crosswalks).chain(stop_lines).collect(),
        lane_boundary_header: header,
        lane_boundary: frame.lanes().iter().map(lanes::boundary).collect(),
        virtual_detection_area: area::seen_now(frame),
    }
}

#[cfg(test)]
mod tests;
