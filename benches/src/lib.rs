//! The benchmark of the whole step on the machine that will run it.
//!
//! ```no_run
//! use bevrt_benches::{BenchOptions, Machine, Recording, compare, measure, report, Report};
//! use bevrt_calibration::rigs;
//!
//! let machine = Machine::now();
//! let recording = Recording::read("out/frames".as_ref())?;
//! let options = BenchOptions::new("models/packages/tiny", &recording);
//! let measured = measure(&recording, &options, &|_| {})?;
//! let report = report(&measured, &recording, &options, machine)?;
//! print!("{}", report.to_table());
//! let comparison = compare(&Report::read("before.json".as_ref())?, &report)?;
//! assert_eq!(comparison.failure(), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants:
//! - Frames are in memory before the clock starts; what is timed are calls into the runtime.
//! - Modes are measured block by block in turn, the bare run of the network frame by frame in turn.
//! - A percentile that too few frames support is absent, never invented.
//! - Reports are compared only when machine, package, provider, precision, threads and frames agree.
//!
//! `README.md` says what each number means and documents the JSON form.

#![deny(unsafe_code)]

mod compare;
mod error;
mod machine;
mod objects;
mod picture;
mod process;
mod recording;
mod report;
mod run;
mod sample;
mod table;
mod trace;

pub use compare::{Change, Comparison, Incomparable, Row, compare};
pub use error::BenchError;
pub use machine::Machine;
pub use objects::{ObjectsCost, objects_cost};
pub use picture::{picture, write_picture};
pub use process::{CpuTime, Interference, Memory};
pub use recording::{Event, Feed, Motion, Recording, What, ring_rig};
pub use report::{
    Allocations, MemoryReport, ModeReport, REPORT_FORMAT, Ratio, Report, Settings, StartUpReport,
    Subject, Times, Versions, report,
};
pub use run::{
    AllocationCount, BenchOptions, Measured, MemoryReadings, ModeTotals, Modes, StartUp, measure,
    visit_frames,
};
pub use sample::{Interval, Mode, Quantity, Sample};
pub use trace::{trace, write_trace};
