//! Faults on purpose: what the runtime says, and how soon, when cameras, ego motion, calibration,
//! package, engine or clock fail in the middle of a drive.
//!
//! A [`Scenario`] is a short TOML file: a drive, the faults with their times in seconds of it, and
//! what is expected. [`FaultyDrive`] puts the faults of the input into any drive, [`FaultyEngine`]
//! those of the engine into any engine; [`FaultRunner`] runs a scenario and judges every frame, and
//! [`FaultTable`] is the outcome of many.
//!
//! Whatever a scenario expects, these hold for every frame, or its row fails:
//! - sequence numbers rise by one, and stamps rise unless the frame says that time was set back;
//! - a camera that counts as seen has a newer image than the last time it did;
//! - a sector that only cameras without an image look at is not "seen now";
//! - without known motion no slot is valid and no sector is known from history;
//! - a fault carries no elements and claims no coverage; state and reasons agree;
//! - no number is infinite or not a number;
//! - frames keep coming: never more than [`LONGEST_SILENCE_S`] without one.

mod damaged_package;
mod engine;
mod faulty_drive;
mod judge;
mod kind;
mod memory;
mod observed;
mod pictures;
mod runner;
mod scenario;
mod table;

pub use damaged_package::DamagedPart;
pub use engine::FaultyEngine;
pub use faulty_drive::FaultyDrive;
pub use judge::{LONGEST_SILENCE_S, Row, Verdict};
pub use kind::{Fault, FaultKind};
pub use memory::{MemoryDrive, Playback};
pub use observed::ObservedFrame;
pub use runner::{EngineFactory, FaultError, FaultRunner, Pace};
pub use scenario::{DriveSection, Expectation, Scenario, ScenarioError};
pub use table::FaultTable;
