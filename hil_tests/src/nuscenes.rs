//! nuScenes v1.0 folders: reading them as drives with ground truth, and writing simulated drives in
//! their form.
//!
//! ```no_run
//! use bevrt_hil::nuscenes::{NuscenesDataset, NuscenesDrive};
//! use bevrt_hil::source::DriveSource;
//!
//! let dataset = NuscenesDataset::open("/data/nuscenes", "v1.0-mini")?;
//! for scene in dataset.load(&dataset.scene_names())? {
//!     let mut drive = NuscenesDrive::new(scene);
//!     while let Some(event) = drive.next_event()? {
//!         println!("{event:?}");
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The ego frame of nuScenes is ours: origin on the ground under the middle of the rear axle, x
//! forward, y left, z up. Its global frame is our world and, since it never jumps, our odometry frame.
//!
//! **Invariant**: tables are read record by record; what stays in memory is what the chosen scenes
//! need, however large the files are.

mod annotations;
mod classes;
mod dataset;
mod drive;
mod error;
mod export;
mod level;
mod map_expansion;
mod map_truth;
mod picture_reader;
mod results;
mod scene;
mod table;
mod tables;

pub use classes::DETECTION_NAMES;
pub use dataset::NuscenesDataset;
pub use drive::NuscenesDrive;
pub use error::NuscenesError;
pub use export::{EXPORT_VERSION, ExportOptions, NuscenesExport};
pub use picture_reader::PictureReader;
pub use results::NuscenesResults;
pub use scene::{KeyFrame, NuscenesScene};
