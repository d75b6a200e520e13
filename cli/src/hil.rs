//! `bevrt hil`: the runtime in the loop of a test bench.

mod check;
#[cfg(feature = "link")]
mod drive;
mod faults;
#[cfg(feature = "link")]
mod relay;
mod report;
#[cfg(feature = "link")]
mod serve;
mod soak;

use crate::failure::Failure;
use clap::{Args, Subcommand};

/// Options of `bevrt hil`.
#[derive(Args)]
#[command(disable_version_flag = true)]
pub struct HilArguments {
    #[command(subcommand)]
    command: HilCommand,
}

#[derive(Subcommand)]
enum HilCommand {
    /// Let cameras, ego motion, package, engine and clocks fail on purpose, and judge what the runtime says
    Faults(faults::FaultsArguments),
    /// The gate: are the frames of some drives what they were before?
    Check(check::CheckArguments),
    /// Drive for hours: memory, handles and threads stay the same, ids stay sound
    Soak(soak::SoakArguments),
    /// Write one page about drives: quality, latency, health, faults, and every frame (out/report.html)
    Report(report::ReportArguments),
    /// Be the unit under test: run the drives that a bench sends, answer with protected frames
    #[cfg(feature = "link")]
    Serve(serve::ServeArguments),
    /// Be the bench: send a drive to a unit, check and time what comes back
    #[cfg(feature = "link")]
    Drive(drive::DriveArguments),
    /// Stand between bench and unit: lose, delay and reorder messages by a seed
    #[cfg(feature = "link")]
    Relay(relay::RelayArguments),
}

/// Runs the part that was asked for.
pub fn run(arguments: &HilArguments) -> Result<(), Failure> {
    match &arguments.command {
        HilCommand::Faults(arguments) => faults::run(arguments),
        HilCommand::Report(arguments) => report::run(arguments),
        HilCommand::Check(arguments) => check::run(arguments),
        HilCommand::Soak(arguments) => soak::run(arguments),
        #[cfg(feature = "link")]
        HilCommand::Serve(arguments) => serve::run(arguments),
        #[cfg(feature = "link")]
        HilCommand::Drive(arguments) => drive::run(arguments),
        #[cfg(feature = "link")]
        HilCommand::Relay(arguments) => relay::run(arguments),
    }
}

/// Where a unit listens, and where a bench looks for it, unless something else is said.
#[cfg(feature = "link")]
const UNIT: &str = "tcp/127.0.0.1:7448";

/// Reads a length of time in seconds.
#[cfg(feature = "link")]
fn parse_seconds(text: &str) -> Result<std::time::Duration, String> {
    match text.parse() {
        Ok(seconds) if (0.001..=86_400.0).contains(&seconds) => {
            Ok(std::time::Duration::from_secs_f64(seconds))
        }
        _ => Err(format!("expected 0.001 to 86400 seconds, found `{text}`")),
    }
}
