//! The options that name scenes of a nuScenes folder.

use crate::failure::Failure;
use bevrt_hil::nuscenes::{NuscenesDataset, NuscenesScene};
use clap::Args;
use std::path::PathBuf;

/// The scene name that means every scene.
const ALL: &str = "all";

/// Which scenes of a nuScenes folder are meant.
#[derive(Args)]
pub struct NuscenesArguments {
    /// A nuScenes folder as it was unpacked, with samples, sweeps, v1.0-* and, if wanted, maps/expansion
    #[arg(long = "nuscenes", value_name = "ROOT")]
    root: Option<PathBuf>,
    /// Folder of the tables below ROOT, such as v1.0-mini; may be left out where there is only one
    #[arg(long = "version", value_name = "VERSION", requires = "root")]
    data_version: Option<String>,
    /// Name of a scene, such as scene-0061, several separated by commas, or `all`
    #[arg(
        long,
        value_name = "NAME",
        default_value = ALL,
        requires = "root"
    )]
    scene: String,
}

impl NuscenesArguments {
    /// The version of the data and its scenes; `None` where no folder is given.
    pub fn load(&self) -> Result<Option<(String, Vec<NuscenesScene>)>, Failure> {
        let Some(root) = &self.root else {
            return Ok(None);
        };
        let version = match (&self.data_version, &NuscenesDataset::versions(root)[..]) {
            (Some(version), _) | (None, [version]) => version.clone(),
            (None, []) => {
                return Err(Failure::new(format!(
                    "{}: expected a nuScenes folder with tables in v1.0-*, found no such folder in it",
                    root.display()
                )));
            }
            (None, versions) => {
                return Err(Failure::new(format!(
                    "{}: expected --version with one of {}, found none given",
                    root.display(),
                    versions.join(", ")
                )));
            }
        };
        let dataset = NuscenesDataset::open(root, &version)?;
        let scenes = if self.scene == ALL {
            dataset.load(&dataset.scene_names())?
        } else {
            dataset.load(&self.scene.split(',').collect::<Vec<_>>())?
        };
        Ok(Some((version, scenes)))
    }
}
