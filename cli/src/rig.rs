//! The `--rig` option: a built-in rig by name or a rig file.

use crate::failure::Failure;
use bevrt_calibration::{Rig, rigs};
use clap::Args;
use std::path::Path;

/// Options of `bevrt rig`.
#[derive(Args)]
pub struct RigArguments {
    #[arg(help = RIG_HELP)]
    rig: String,
}

/// Prints the rig file.
pub fn run(arguments: &RigArguments) -> Result<(), Failure> {
    print!("{}", resolve(&arguments.rig)?.to_toml());
    Ok(())
}

/// What `--rig` says in the help.
pub const RIG_HELP: &str = "`six-pinhole`, `four-fisheye` or a rig file (TOML)";

/// Resolves `--rig`.
pub fn resolve(name: &str) -> Result<Rig, Failure> {
    match name {
        "six-pinhole" => Ok(rigs::six_pinhole()),
        "four-fisheye" => Ok(rigs::four_fisheye()),
        file => Ok(Rig::from_toml_file(Path::new(file))?),
    }
}
