//! `bevrt hil`: the runtime in the loop of a test bench.

mod faults;

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
}

/// Runs the part that was asked for.
pub fn run(arguments: &HilArguments) -> Result<(), Failure> {
    match &arguments.command {
        HilCommand::Faults(arguments) => faults::run(arguments),
    }
}
