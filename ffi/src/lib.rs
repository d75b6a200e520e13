//! The C ABI of bevrt: `libbevrt.so` and `libbevrt.a`.
//!
//! `include/bevrt/bevrt.h` is made from this crate by `cargo xtask header`; the contract stands in the
//! README. Nothing but plain data crosses: handles are keys, numbers are checked, structs are read
//! and written by the size that the caller states, and no panic gets out.
//!
//! Rooms: `constants` and `status` are the numbers; `settings`, `image`, `info` and `frame` the
//! structs; `plain` reads and writes structs of a caller; `handles` and `guard` stand around every
//! call; `instance` is the safe side, `pipeline`, `worker` and `library` are the C functions.

pub mod constants;
mod frame;
mod guard;
mod handles;
mod image;
mod info;
mod instance;
pub mod library;
pub mod pipeline;
mod plain;
mod settings;
mod status;
pub mod worker;

pub use image::{EgoPoseSample, EgoRatesSample, ImageBuffer, ImagePlane};
pub use info::{CameraInfo, PipelineInfo, StageStatistics, WorkerCounts};
pub use instance::Instance;
pub use settings::{CalibrationSource, PipelineSettings};
pub use status::{Failure, Status};
