//! Following elements over time in the odometry frame: stable ids, smoothing, coasting.

mod tracks;

pub use tracks::{TrackedElement, TrackedLane, TrackedObject, Tracks};
