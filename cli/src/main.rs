//! The `bevrt` command: render drives, replay logs, evaluate and inspect model packages.

mod demo;
mod failure;
mod pictures;
mod rig;
mod train_stream;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Surround-camera frames to lanes, arrows, crosswalks, stop lines and 3D objects.
#[derive(Parser)]
#[command(name = "bevrt", version, about, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Draw frames of a simulated drive with their ground truth, as PNG pictures
    Pictures(pictures::PicturesArguments),
    /// Stream training samples to standard output (used by `python -m bevrt_models train`)
    TrainStream(train_stream::TrainStreamArguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Pictures(arguments) => pictures::run(&arguments),
        Command::TrainStream(arguments) => train_stream::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bevrt: {failure}");
            ExitCode::FAILURE
        }
    }
}
