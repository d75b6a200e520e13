//! Camera models, rigs, BEV grids and projection tables.
//!
//! This crate turns a vehicle's calibration into what a bird's-eye-view network needs: for every voxel
//! of its grid, which feature of which camera shows it.
//!
//! ```
//! use bevrt_calibration::{rigs, BevGrid, LiftSpec, NetworkCamera, PixelRect, ProjectionTable};
//!
//! let rig = rigs::six_pinhole();
//! let crop = PixelRect { x: 0.0, y: 318.0, width: 1600.0, height: 582.0 };
//! let cameras: Vec<NetworkCamera> =
//!     rig.cameras().iter().map(|camera| NetworkCamera::new(camera, crop, 352, 128)).collect();
//! let spec = LiftSpec {
//!     grid: BevGrid { x_min_m: -51.2, y_min_m: -51.2, cell_m: 0.8, rows: 128, cols: 128 },
//!     heights_m: vec![0.0, 0.6, 1.4, 2.6],
//!     feature_width: 44,
//!     feature_height: 16,
//!     stride: 8,
//!     taps: 1,
//!     depth_bins: None,
//! };
//! let mut table = ProjectionTable::new(&spec, cameras.len());
//! table.rebuild(&spec, &cameras);
//! assert_eq!(table.index.len(), 128 * 128 * 4);
//! ```
//!
//! Invariants:
//! - Frames and units are those of `docs/FRAMES.md`: SI, ego = ISO 8855, whole pixel = pixel centre.
//! - An [`Intrinsics`], a [`Rig`] that exists is sound: bad calibration is refused where it is read,
//!   with file, camera, field, expected and found value.
//! - A lens polynomial that folds over gives no ghost pixels: beyond the valid radius nothing is seen.
//! - [`ProjectionTable::rebuild`] does not allocate, so it may run in every frame.
#![deny(unsafe_code)]

mod camera;
mod camera_rays;
mod error;
mod grid;
mod intrinsics;
mod lens;
mod lift;
mod pose;
mod projection_table;
#[cfg(feature = "readers")]
pub mod readers;
mod rig;
pub mod rigs;
#[doc(hidden)]
pub mod simd;

pub use camera::Camera;
pub use camera_rays::RaySpec;
pub use error::CalibrationError;
pub use grid::BevGrid;
pub use intrinsics::{Intrinsics, PixelRect};
pub use lens::{BrownConrady, Lens};
pub use lift::{DepthBins, LiftSpec};
pub use pose::{Cam, Ego, Odom, Pose, Sensor, World};
pub use projection_table::{NetworkCamera, ProjectionTable};
pub use rig::{MAX_CAMERAS, Rig};
