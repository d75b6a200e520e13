use bevrt_calibration::{Ego, Odom, Pose};
use bevrt_runtime::Stamp;

/// What arrives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Middle of the exposure, or when the motion was measured.
    pub stamp: Stamp,
    /// When it comes.
    pub arrival: Stamp,
    /// What comes.
    pub what: What,
}

/// The content of an [`Event`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// An image.
    Image {
        /// Set in the recording.
        set: usize,
        /// Camera of the rig.
        camera: usize,
        /// Whether the set is complete with it.
        completes_set: bool,
    },
    /// Ego motion.
    Motion(Motion),
}

/// A sample of ego motion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Motion {
    /// Speed, m/s, and yaw rate, rad/s.
    Rates {
        /// Speed along the vehicle, m/s.
        speed_mps: f64,
        /// Turning rate, rad/s.
        yaw_rate_radps: f64,
    },
    /// A pose in an odometry frame.
    Pose(Pose<Odom, Ego>),
}
