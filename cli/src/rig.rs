//! The `--rig` option: a built-in rig by name or a rig file.

use crate::failure::Failure;
use crate::nuscenes::NuscenesArguments;
use bevrt_calibration::readers::assembly;
use bevrt_calibration::{Rig, rigs};
use bevrt_hil::nuscenes::NuscenesScene;
use clap::Args;
use std::path::{Path, PathBuf};

/// Options of `bevrt rig`.
#[derive(Args)]
#[command(disable_version_flag = true)]
pub struct RigArguments {
    #[arg(help = RIG_HELP)]
    #[arg(required_unless_present_any = ["assemble", "root"])]
    rig: Option<String>,
    /// A list of cameras (TOML) with ROS, OpenCV or Kalibr files and poses, as `docs/FRAMES.md` shows it
    #[arg(long, value_name = "LIST", conflicts_with_all = ["rig", "root"])]
    assemble: Option<PathBuf>,
    #[command(flatten)]
    nuscenes: NuscenesArguments,
}

/// Prints the rig file.
pub fn run(arguments: &RigArguments) -> Result<(), Failure> {
    let rig = if let Some(list) = &arguments.assemble {
        assembly::from_toml_file(list)?
    } else if let Some((_, scenes)) = arguments.nuscenes.load()? {
        of_one_scene(&scenes)?
    } else {
        resolve(arguments.rig.as_deref().unwrap_or_default())?
    };
    print!("{}", rig.to_toml());
    Ok(())
}

/// The rig of the only scene.
fn of_one_scene(scenes: &[NuscenesScene]) -> Result<Rig, Failure> {
    match scenes {
        [scene] => Ok(scene.rig().clone()),
        many => Err(Failure::new(format!(
            "expected --scene with the name of one scene, found {} scenes",
            many.len()
        ))),
    }
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
