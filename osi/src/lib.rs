//! Output frames as ASAM OSI 3.8 `SensorData`, and OSI traces of them.
//!
//! ```
//! use bevrt_osi::{HostMotion, VirtualSensor, sensor_data};
//! use bevrt_runtime::OutputFrame;
//!
//! let sensor = VirtualSensor { id: 1, rear_axle_height_m: 0.33 };
//! let motion = HostMotion { velocity_mps: [13.9, 0.0], yaw_rate_radps: 0.0 };
//! let message = sensor_data(&OutputFrame::boxed(), &sensor, Some(&motion));
//! assert_eq!(message.version.and_then(|version| version.version_minor), Some(8));
//! ```
//!
//! - [`sensor_data`] converts; `README.md` has the whole mapping and what OSI cannot carry.
//! - [`TraceWriter`] writes single-channel binary traces (`.osi`) and MCAP traces (`.mcap`);
//!   [`trace_file_name`] names them as OSI wants it.
//!
//! **Invariant**: a message depends on the frame, the sensor and the motion alone, and every number
//! in it is finite.

#![forbid(unsafe_code)]

mod convert;
mod host_motion;
pub mod messages;
mod schema;
mod trace;
mod values;

pub use convert::{OSI_VERSION, VirtualSensor, sensor_data};
pub use host_motion::HostMotion;
pub use messages::SensorData;
pub use schema::{SCHEMA_NAME, schema_bytes};
pub use trace::{
    PROTOBUF_VERSION, TOPIC_SENSOR_DATA, TraceError, TraceFormat, TraceInfo, TraceWriter, UtcTime,
    trace_file_name,
};
