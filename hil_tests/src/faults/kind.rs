//! What can be made to fail.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::damaged_package::DamagedPart;

/// Stands for every camera of the rig.
pub const ALL_CAMERAS: &str = "all";

/// A fault with its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What fails.
    pub kind: FaultKind,
    /// Beginning, seconds of the drive.
    pub from_s: f64,
    /// End, seconds of the drive.
    pub to_s: f64,
}

/// What fails. `camera` is a name of the rig, or `all`.
///
/// Kinds without fields have empty braces, so that unknown fields are refused for them as well.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// No image comes.
    CameraLost {
        /// The camera.
        camera: String,
    },
    /// The same picture comes again and again, with new stamps.
    CameraFrozen {
        /// The camera.
        camera: String,
    },
    /// Pictures are black but for the noise of the sensor, as with a cap on the lens.
    CameraBlack {
        /// The camera.
        camera: String,
    },
    /// Levels are multiplied by `factor` and cut off at white.
    CameraOverExposed {
        /// The camera.
        camera: String,
        /// How many times too bright.
        factor: f64,
    },
    /// White noise with this standard deviation is added.
    CameraNoisy {
        /// The camera.
        camera: String,
        /// Levels of 0 to 255.
        sigma_levels: f64,
    },
    /// Images come this much later.
    CameraDelayed {
        /// The camera.
        camera: String,
        /// Beyond their usual delay.
        delay_s: f64,
    },
    /// Of two images the later one comes first.
    CameraReordered {
        /// The camera.
        camera: String,
    },
    /// Each image comes twice.
    CameraDuplicated {
        /// The camera.
        camera: String,
    },
    /// Pictures have half the height.
    CameraWrongSize {
        /// The camera.
        camera: String,
    },
    /// Pictures pass through JPEG files that end after this share of their bytes.
    CameraJpegCut {
        /// The camera.
        camera: String,
        /// Share of the bytes that is left.
        kept: f64,
    },
    /// Two cameras' cables are exchanged.
    CamerasSwapped {
        /// One camera.
        camera: String,
        /// The other one.
        other: String,
    },
    /// Every second stamp is wrong by this much.
    StampsJump {
        /// The camera.
        camera: String,
        /// Into the future; negative: into the past.
        by_s: f64,
    },
    /// Stamps run backwards from the beginning of the fault.
    StampsBackwards {
        /// The camera.
        camera: String,
    },
    /// The camera's clock goes wrong, from nothing at the beginning of the fault on.
    StampsDrift {
        /// The camera.
        camera: String,
        /// Seconds a second; negative: it is slow.
        rate: f64,
    },
    /// No ego motion comes.
    EgoMotionLost {},
    /// The same speed and yaw rate come again and again, with new stamps.
    EgoMotionFrozen {},
    /// The speed is wrong at once by this much.
    EgoMotionJump {
        /// Added to the speed.
        speed_mps: f64,
    },
    /// Speed and yaw rate are wrong by a little.
    EgoMotionBias {
        /// The speed is multiplied by this.
        speed_factor: f64,
        /// Added to the yaw rate.
        yaw_rate_radps: f64,
    },
    /// Speed and yaw rate are not numbers.
    EgoMotionNan {},
    /// The calibration and the cameras part: each camera is off, in a direction of its own.
    CalibrationMoved {
        /// Metres.
        shift_m: f64,
        /// Degrees.
        turn_deg: f64,
    },
    /// A file of the model package is damaged; no drive is run.
    PackageDamaged {
        /// Which, and how.
        part: DamagedPart,
    },
    /// A run of the engine takes this long.
    EngineSlow {
        /// Seconds.
        run_s: f64,
    },
    /// Runs of the engine fail.
    EngineFails {},
    /// The engine gives numbers that are none.
    EngineNan {
        /// Where.
        place: NanPlace,
    },
    /// The caller's clock is wrong: arrivals and *now*, not the sensors' stamps.
    ClockStep {
        /// Ahead; negative: back.
        by_s: f64,
    },
    /// All clocks are wrong together: stamps, arrivals, *now*.
    TimeStep {
        /// Ahead; negative: back.
        by_s: f64,
    },
    /// Other programs take the processor. Only where the drive is paced.
    CpuLoad {
        /// Threads that never rest; 0: twice the cores.
        threads: usize,
    },
}

/// Where an engine puts numbers that are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NanPlace {
    /// Everywhere.
    All,
    /// One value of the last head.
    OneOfHeads,
    /// One value of the map for the queue.
    OneOfMap,
}

impl<'de> Deserialize<'de> for Fault {
    /// `from_s` and `to_s` beside the fields of the kind.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = toml::Table::deserialize(deserializer)?;
        let mut time = |key: &str| match table.remove(key) {
            Some(toml::Value::Float(value)) => Ok(Some(value)),
            Some(toml::Value::Integer(value)) => Ok(Some(value as f64)),
            Some(other) => Err(D::Error::custom(format!(
                "{key}: expected seconds, found {other}"
            ))),
            None => Ok(None),
        };
        let (from_s, to_s) = (time("from_s")?, time("to_s")?);
        let kind: FaultKind = table.try_into().map_err(D::Error::custom)?;
        let (from_s, to_s) = match (from_s, to_s, &kind) {
            (None, None, FaultKind::PackageDamaged { .. }) => (0.0, 0.0),
            (Some(from_s), Some(to_s), _) => (from_s, to_s),
            _ => return Err(D::Error::custom("expected from_s and to_s")),
        };
        Ok(Self { kind, from_s, to_s })
    }
}

impl Fault {
    /// Whether a moment of the drive lies in the fault.
    pub fn is_at(&self, time_s: f64) -> bool {
        // Stamps are whole nanoseconds.
        (self.from_s - 1e-8..self.to_s - 1e-8).contains(&time_s)
    }
}

impl FaultKind {
    /// The cameras that it names.
    pub fn cameras(&self) -> Vec<&str> {
        match self {
            Self::CameraLost { camera }
            | Self::CameraFrozen { camera }
            | Self::CameraBlack { camera }
            | Self::CameraOverExposed { camera, .. }
            | Self::CameraNoisy { camera, .. }
            | Self::CameraDelayed { camera, .. }
            | Self::CameraReordered { camera }
            | Self::CameraDuplicated { camera }
            | Self::CameraWrongSize { camera }
            | Self::CameraJpegCut { camera, .. }
            | Self::StampsJump { camera, .. }
            | Self::StampsBackwards { camera }
            | Self::StampsDrift { camera, .. } => vec![camera],
            Self::CamerasSwapped { camera, other } => vec![camera, other],
            Self::EgoMotionLost {}
            | Self::EgoMotionFrozen {}
            | Self::EgoMotionJump { .. }
            | Self::EgoMotionBias { .. }
            | Self::EgoMotionNan {}
            | Self::CalibrationMoved { .. }
            | Self::PackageDamaged { .. }
            | Self::EngineSlow { .. }
            | Self::EngineFails {}
            | Self::EngineNan { .. }
            | Self::ClockStep { .. }
            | Self::TimeStep { .. }
            | Self::CpuLoad { .. } => Vec::new(),
        }
    }

    /// Whether it strikes this camera.
    pub fn strikes(&self, camera: &str) -> bool {
        self.cameras()
            .iter()
            .any(|named| *named == camera || *named == ALL_CAMERAS)
    }

    /// Whether it shows only where the drive runs in real time.
    pub fn needs_real_time(&self) -> bool {
        matches!(self, Self::CpuLoad { .. })
    }
}
