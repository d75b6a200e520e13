//! The runtime in the loop of a test bench: the *unit* runs the pipeline behind a network, the
//! *bench* sends it a drive and judges what comes back.
//!
//! - [`serve`] is the unit: it takes drives one after another and answers with protected frames.
//! - [`drive`] is the bench: lockstep or real time, E2E checks, latencies on synchronised clocks.
//! - [`relay()`] stands between them and loses, delays and reorders messages by a seed.
//! - [`Wire`] is what they send over; with the feature `zenoh`, `ZenohWire` is one.
//!
//! ```no_run
//! use bevrt_hil::source::{LogDrive, LogDriveOptions};
//! use bevrt_hil_link::{BenchOptions, Wire, drive};
//!
//! fn judge(wire: &dyn Wire) -> Result<(), Box<dyn std::error::Error>> {
//!     let mut log = LogDrive::open("drive.mcap", LogDriveOptions::default())?;
//!     let summary = drive(wire, &mut log, &BenchOptions::default(), &mut ())?;
//!     assert!(summary.problems().is_empty(), "{:?}", summary.problems());
//!     Ok(())
//! }
//! ```
//!
//! Invariants:
//! - In lockstep, frames are those of `bevrt_hil::replay` byte by byte, whatever the wire loses.
//! - Nothing waits for ever: every wait has a time-out.
//! - A message that cannot be read is counted and left out; it never ends a side.
#![forbid(unsafe_code)]

mod bench;
mod clock;
mod error;
mod image_times;
mod message;
mod relay;
mod unit;
mod wire;
#[cfg(feature = "zenoh")]
mod zenoh_wire;

pub use bench::{
    BenchOptions, BenchSummary, BenchVisitor, E2eCounts, LatencySummary, Mode, StageNanoseconds,
    drive,
};
pub use clock::{ClockOffset, ClockSync, LinkClock};
pub use error::LinkError;
pub use relay::{Impairment, RelaySummary, relay};
pub use unit::{LoadPipeline, UnitOptions, UnitSummary, serve};
pub use wire::{Received, Wire, WireError};
#[cfg(feature = "zenoh")]
pub use zenoh_wire::{Endpoints, Side, ZenohWire};
