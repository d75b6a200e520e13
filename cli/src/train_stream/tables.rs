//! What the network is told about the cameras: rays and projection tables of its manifest.

use super::message::Message;
use bevrt_calibration::{NetworkCamera, ProjectionTable, RaySpec};
use bevrt_runtime::{LiftSection, Manifest};

/// Rays and tables of one rig, built anew for every sample in the same memory.
pub struct NetworkTables {
    rays: Option<RaySpec>,
    ray_planes: Vec<f32>,
    lifts: Vec<LiftSection>,
    tables: Vec<ProjectionTable>,
}

impl NetworkTables {
    /// For so many cameras.
    pub fn new(manifest: &Manifest, cameras: usize) -> Self {
        let lifts = manifest.lifts().to_vec();
        let rays = manifest.rays().copied();
        let planes = rays.map_or(0, |rays| cameras * rays.len_per_camera());
        let table = |lift: &LiftSection| ProjectionTable::new(&lift.spec, cameras);
        Self {
            ray_planes: vec![0.0; planes],
            rays,
            tables: lifts.iter().map(table).collect(),
            lifts,
        }
    }

    /// Rows and columns of the coarsest features, at which distances and classes are given.
    pub fn coarsest_features(&self) -> [usize; 2] {
        let sizes = self.lifts.iter().map(|lift| {
            [lift.spec.feature_height, lift.spec.feature_width].map(|size| size as usize)
        });
        sizes.min_by_key(|[_, columns]| *columns).unwrap_or([1; 2])
    }

    /// Appends what these cameras see; disabled ones are lost.
    pub fn push(&mut self, cameras: &[NetworkCamera], message: &mut Message) {
        if let Some(rays) = &self.rays {
            rays.write_into(cameras, &mut self.ray_planes);
            let shape = [
                cameras.len(),
                RaySpec::CHANNELS,
                rays.feature_height as usize,
                rays.feature_width as usize,
            ];
            message.push("rays", &shape, &self.ray_planes);
        }
        for (lift, table) in self.lifts.iter().zip(&mut self.tables) {
            table.rebuild(&lift.spec, cameras);
            let named = |part: &str| format!("{}_{part}", lift.name);
            message.push(&named("index"), &[table.index.len()], &table.index);
            if lift.spec.depth_bins.is_some() {
                let bins = &table.depth_index;
                message.push(&named("depth_index"), &[bins.len()], bins);
            }
            if lift.geometry {
                let per_cell = lift.spec.heights_m.len() * 4;
                let shape = [table.geometry.len() / per_cell, per_cell];
                message.push(&named("geometry"), &shape, &table.geometry);
            }
        }
    }
}
