//! What the network is told of its cameras (projection tables, rays, matrices), kept in step with
//! calibration, lost cameras and exposure skew.

use bevrt_calibration::{
    BevGrid, CalibrationError, Ego, LiftSpec, MAX_CAMERAS, NetworkCamera, Pose, ProjectionTable,
    RaySpec, Rig,
};
use nalgebra::{UnitQuaternion, Vector3};

use crate::coverage::{CoverageMap, SectorRanges};
use crate::engine::{Engine, EngineError, write_lift, write_matrices, write_rays};
use crate::manifest::{Manifest, PreprocessSection};
use crate::preprocess::crop_for;

/// Steps in which a camera's own motion is followed: far below a cell, far above the noise of
/// ego motion, so that even driving rarely costs a new table.
const STEP_M: f64 = 0.01;
const STEP_RAD: f64 = 0.0005;
/// Heights at which a network without a lift is taken to see: the ground and what stands on it.
const SEEN_HEIGHTS_M: [f64; 2] = [0.0, 1.0];

/// A set of cameras, by index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CameraMask(u16);

impl CameraMask {
    pub(super) fn insert(&mut self, camera: usize) {
        self.0 |= 1 << camera;
    }

    pub(super) fn contains(self, camera: usize) -> bool {
        self.0 >> camera & 1 == 1
    }
}

/// How the vehicle moved between a camera's exposure and the reference, in whole steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Correction {
    x: i32,
    y: i32,
    yaw: i32,
}

impl Correction {
    /// Rounds a motion; height, roll and pitch are left out, since they hardly change in a skew.
    pub(super) fn of(ego_at_reference_from_ego_at_camera: &Pose<Ego, Ego>) -> Self {
        let moved = ego_at_reference_from_ego_at_camera.translation();
        let (_, _, yaw_rad) = ego_at_reference_from_ego_at_camera
            .rotation()
            .euler_angles();
        // A cast from float saturates and takes NaN to 0.
        let steps = |value: f64, step: f64| (value / step).round() as i32;
        Self {
            x: steps(moved.x, STEP_M),
            y: steps(moved.y, STEP_M),
            yaw: steps(yaw_rad, STEP_RAD),
        }
    }

    fn pose(self) -> Pose<Ego, Ego> {
        let metres = |steps: i32| f64::from(steps) * STEP_M;
        let yaw = UnitQuaternion::from_euler_angles(0.0, 0.0, f64::from(self.yaw) * STEP_RAD);
        Pose::new(yaw, Vector3::new(metres(self.x), metres(self.y), 0.0))
    }
}

/// Everything that the contents of the tables follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Basis {
    calibration: u32,
    seeing: CameraMask,
    corrections: [Correction; MAX_CAMERAS],
}

#[derive(Debug)]
struct Lift {
    spec: LiftSpec,
    table: ProjectionTable,
    use_of: Use,
}

/// What a table is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// An input of the network.
    Network { takes_geometry: bool },
    /// To know what is seen, for a network that takes no table.
    CoverageOnly,
}

/// The projection tables of a network and what they were built from.
#[derive(Debug)]
pub(super) struct LiftTables {
    rays: Option<RaySpec>,
    has_matrices: bool,
    /// Those of the manifest in its order; one of our own where there are none.
    lifts: Vec<Lift>,
    cameras: Vec<NetworkCamera>,
    /// Counts calibrations.
    calibration: u32,
    built_from: Option<Basis>,
    coverage: CoverageMap,
    ranges: SectorRanges,
}

impl LiftTables {
    /// Takes all memory. Nothing is built before the first [`LiftTables::update`].
    ///
    /// # Errors
    /// The manifest has neither a lift nor a head.
    pub(super) fn new(manifest: &Manifest, rig: &Rig) -> Result<Self, CalibrationError> {
        let cameras = rig.cameras().len();
        let mut lifts: Vec<_> = manifest
            .lifts()
            .iter()
            .map(|section| Lift {
                spec: section.spec.clone(),
                table: ProjectionTable::new(&section.spec, cameras),
                use_of: Use::Network {
                    takes_geometry: section.geometry,
                },
            })
            .collect();
        if lifts.is_empty() {
            lifts.extend(lift_for_coverage(manifest, cameras));
        }
        let widest =
            widest(&lifts).ok_or_else(|| CalibrationError::new("lift", "at least one", "none"))?;
        Ok(Self {
            coverage: CoverageMap::new(&widest.spec.grid),
            rays: manifest.rays().copied(),
            has_matrices: manifest.matrices().is_some(),
            lifts,
            cameras: network_cameras(manifest.preprocess(), rig),
            calibration: 0,
            built_from: None,
            ranges: SectorRanges::UNSEEN,
        })
    }

    /// Takes a new calibration with the same number of cameras; the next update builds it in.
    pub(super) fn set_rig(&mut self, preprocess: &PreprocessSection, rig: &Rig) {
        self.cameras = network_cameras(preprocess, rig);
        self.calibration = self.calibration.wrapping_add(1);
    }

    /// Brings the engine's tables up to date; does nothing when nothing has changed.
    ///
    /// # Errors
    /// The network lacks an input that the manifest promises.
    ///
    /// # Real-time
    /// Allocates nothing. About 7 ns a voxel when something has changed.
    pub(super) fn update(
        &mut self,
        engine: &mut dyn Engine,
        seeing: CameraMask,
        corrections: &[Correction; MAX_CAMERAS],
    ) -> Result<(), EngineError> {
        let basis = Basis {
            calibration: self.calibration,
            seeing,
            corrections: *corrections,
        };
        if self.built_from == Some(basis) {
            return Ok(());
        }
        for (index, camera) in self.cameras.iter_mut().enumerate() {
            camera.is_enabled = seeing.contains(index);
            camera.ego_at_reference_from_ego_at_camera = corrections[index].pose();
        }
        let is_calibrated = self
            .built_from
            .take()
            .is_some_and(|built| built.calibration == self.calibration);
        if let (Some(spec), false) = (&self.rays, is_calibrated) {
            write_rays(engine, spec, &self.cameras)?;
        }
        if self.has_matrices {
            write_matrices(engine, &self.cameras)?;
        }
        for (place, lift) in self.lifts.iter_mut().enumerate() {
            lift.table.rebuild(&lift.spec, &self.cameras);
            lift.hand_over(engine, place)?;
        }
        self.measure_ranges();
        self.built_from = Some(basis);
        Ok(())
    }

    /// How far each sector is seen by the cameras of the last update.
    pub(super) fn ranges(&self) -> &SectorRanges {
        &self.ranges
    }

    fn measure_ranges(&mut self) {
        if let Some(Lift { spec, table, .. }) = widest(&self.lifts) {
            let taps_per_cell = spec.heights_m.len() * spec.taps as usize;
            let null = (self.cameras.len() * spec.rows_per_camera()) as i32;
            self.ranges = self.coverage.ranges(&table.index, taps_per_cell, null);
        }
    }
}

impl Lift {
    /// Copies the table into the network's inputs.
    fn hand_over(&self, engine: &mut dyn Engine, place: usize) -> Result<(), EngineError> {
        match self.use_of {
            Use::Network { takes_geometry } => {
                write_lift(engine, place, &self.table, takes_geometry)
            }
            Use::CoverageOnly => Ok(()),
        }
    }
}

/// The lift that reaches farthest: coverage is read off its table.
fn widest(lifts: &[Lift]) -> Option<&Lift> {
    let farther = |a: &&Lift, b: &&Lift| extent_m(&a.spec.grid).total_cmp(&extent_m(&b.spec.grid));
    lifts.iter().max_by(farther)
}

/// A lift that finds out what the cameras see of the ground where the farthest head looks.
///
/// Its features are the pixels of the network's image, so that a cell is seen exactly where the
/// image holds a point of it.
fn lift_for_coverage(manifest: &Manifest, cameras: usize) -> Option<Lift> {
    let areas = manifest.heads().iter().map(|head| head.form.area());
    let grid = areas.max_by(|a, b| extent_m(a).total_cmp(&extent_m(b)))?;
    let preprocess = manifest.preprocess();
    let spec = LiftSpec {
        grid,
        heights_m: SEEN_HEIGHTS_M.to_vec(),
        feature_width: preprocess.width,
        feature_height: preprocess.height,
        stride: 1,
        taps: 1,
        depth_bins: None,
    };
    Some(Lift {
        table: ProjectionTable::new(&spec, cameras),
        spec,
        use_of: Use::CoverageOnly,
    })
}

fn extent_m(grid: &BevGrid) -> f64 {
    grid.cell_m * (grid.rows + grid.cols) as f64
}

fn network_cameras(preprocess: &PreprocessSection, rig: &Rig) -> Vec<NetworkCamera> {
    let (width, height) = (preprocess.width, preprocess.height);
    rig.cameras()
        .iter()
        .map(|camera| {
            let source = &camera.intrinsics;
            let crop = crop_for(preprocess, source.width(), source.height());
            NetworkCamera::new(camera, crop, width, height)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_motions_are_rounded_to_steps() {
        let motion = |x, yaw| {
            Pose::new(
                UnitQuaternion::from_euler_angles(0.0, 0.0, yaw),
                Vector3::new(x, 0.0, 0.3),
            )
        };
        assert_eq!(
            Correction::of(&motion(0.004, 0.0002)),
            Correction::default()
        );
        let correction = Correction::of(&motion(-0.801, 0.0101));
        assert_eq!(
            correction,
            Correction {
                x: -80,
                y: 0,
                yaw: 20
            }
        );
        assert!((correction.pose().translation().x + 0.8).abs() < 1e-12);
        assert_eq!(
            Correction::of(&motion(f64::NAN, 0.0)),
            Correction::default()
        );
    }

    #[test]
    fn a_mask_holds_sixteen_cameras() {
        let mut mask = CameraMask::default();
        mask.insert(0);
        mask.insert(15);
        assert!(mask.contains(0) && mask.contains(15) && !mask.contains(7));
    }
}
