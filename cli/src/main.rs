//! The `bevrt` command: render drives, replay logs, evaluate and inspect model packages.

mod allocations;
mod bench;
mod build_engine;
mod compare;
mod demo;
mod doctor;
mod dump;
mod eval;
mod failure;
mod gpu;
mod hil;
mod nuscenes;
mod osi;
mod package;
mod pictures;
mod player;
mod progress;
mod replay;
mod result_drive;
mod rig;
mod robustness;
mod scaling;
mod sign;
mod sim;
mod train_stream;
mod view;
mod worst;

use allocations::CountingAllocator;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Surround-camera frames to lanes, arrows, crosswalks, stop lines and 3D objects.
#[derive(Parser)]
#[command(name = "bevrt", version, about, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Render a drive, replay it through the network, and write a page to look at (out/demo/index.html)
    Demo(demo::DemoArguments),
    /// Render a simulated drive into a log that Foxglove opens, or drives into a nuScenes folder
    Sim(sim::SimArguments),
    /// Draw frames of a simulated drive with their ground truth, as PNG pictures
    Pictures(pictures::PicturesArguments),
    /// Run a recorded log or scenes of a nuScenes folder through a model package
    Replay(replay::ReplayArguments),
    /// Serve a drive or a result live: a page to look at, and a stream to Foxglove
    View(view::ViewArguments),
    /// Write a recorded log as a plain file that a C program reads without any library
    Dump(dump::DumpArguments),
    /// Measure a model package against the ground truth of simulated drives or of a nuScenes folder
    Eval(eval::EvalArguments),
    /// Compare model packages, or number formats of one, on the same clips
    Compare(compare::CompareArguments),
    /// Measure how a model package stands worse input: lost cameras, weather, blur, wrong calibration
    Robustness(robustness::RobustnessArguments),
    /// Find the clips that a model package does worst on, and write a page for each (out/worst/index.html)
    Worst(worst::WorstArguments),
    /// Check a model package on this machine: files, contract, golden cases, speed
    Doctor(doctor::DoctorArguments),
    /// Sign a model package, or make a key to sign with
    Sign(sign::SignArguments),
    /// Convert a result of `bevrt replay` to an ASAM OSI trace of SensorData (.osi or .mcap)
    Osi(osi::OsiArguments),
    /// Measure the whole step on this machine: percentiles, deadline misses, start-up, memory; compare with before
    Bench(bench::BenchArguments),
    /// Print tables of latency and memory against cameras, image size, threads, packages and objects in view
    Scaling(scaling::ScalingArguments),
    /// Build the TensorRT engines of a package ahead, on the machine that will run them
    BuildEngine(build_engine::BuildEngineArguments),
    /// The runtime in the loop of a test bench
    Hil(hil::HilArguments),
    /// Print a rig as TOML: a start for a rig file of your own
    Rig(rig::RigArguments),
    /// Stream training samples to standard output (used by `python -m bevrt_models train`)
    TrainStream(train_stream::TrainStreamArguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Sim(arguments) => sim::run(&arguments),
        Command::Pictures(arguments) => pictures::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::View(arguments) => view::run(&arguments),
        Command::Dump(arguments) => dump::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Robustness(arguments) => robustness::run(&arguments),
        Command::Worst(arguments) => worst::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Sign(arguments) => sign::run(&arguments),
        Command::Osi(arguments) => osi::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Scaling(arguments) => scaling::run(&arguments),
        Command::BuildEngine(arguments) => build_engine::run(&arguments),
        Command::Hil(arguments) => hil::run(&arguments),
        Command::Rig(arguments) => rig::run(&arguments),
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn no_command_has_an_option_twice() {
        Arguments::command().debug_assert();
    }
}
