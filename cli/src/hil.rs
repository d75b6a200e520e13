//! `bevrt hil`: the runtime in the loop of a test bench.

mod check;
mod faults;
mod report;
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
}

/// Runs the part that was asked for.
pub fn run(arguments: &HilArguments) -> Result<(), Failure> {
    match &arguments.command {
        HilCommand::Faults(arguments) => faults::run(arguments),
        HilCommand::Report(arguments) => report::run(arguments),
        HilCommand::Check(arguments) => check::run(arguments),
        HilCommand::Soak(arguments) => soak::run(arguments),
    }
}
