//! For every voxel of a lift, the image features that show it.

mod fisheye_gain;
mod hit;
mod network_camera;
mod view;
mod wedge;
mod writer;

pub use network_camera::NetworkCamera;

use crate::LiftSpec;
use crate::simd::{Simd, simd_variants};
use fisheye_gain::FisheyeGain;
use hit::{LANES, RowHits};
use view::View;
use writer::{BILINEAR, Placed, Writer};

/// Numbers per voxel in [`ProjectionTable::geometry`].
const GEOMETRY: usize = 4;

/// The lift of a network as gather indices: an input of the network, rebuilt when the calibration
/// changes, a camera is lost, or in every frame.
///
/// Voxels are ordered cell-major, then by height: voxel `cell · Z + z`. Feature row
/// `camera · fh · fw + v · fw + u` is row `v`, column `u` of that camera's feature map; the null row
/// `cameras · fh · fw` stands for "seen by nobody", and the network appends zeros there.
///
/// A voxel is seen by a camera that is enabled, where its point falls into the image within the valid
/// radius of the lens. If several cameras see it, the one goes first in whose image it is most central:
/// where the smallest distance to an image border, relative to the image's width or height, is largest
/// (at equality the camera that comes first in the rig). By the number of taps K:
/// - **1**: the nearest feature cell in the most central camera.
/// - **2, 3**: the nearest feature cell in each of the two or three most central cameras, with equal
///   weights; taps beyond the number of cameras that see the voxel are null with weight 0.
/// - **4**: the bilinear neighbours in the most central camera. Tap 0 is the nearest cell, then its
///   neighbour along u, along v, and across; at the border of the feature map the border cell stands
///   for the missing one.
///
/// The weights of a voxel that is seen sum to 1.
#[derive(Debug, Clone, Default)]
pub struct ProjectionTable {
    /// Feature rows, `[cells · Z · K]`, taps innermost.
    pub index: Vec<i32>,
    /// Weights, `[cells · Z · K]`; empty for one tap, whose weight is 1.
    pub weight: Vec<f32>,
    /// `feature row · D + bin` of tap 0, `[cells · Z]`, null `cameras · fh · fw · D`; empty without
    /// depth bins.
    pub depth_index: Vec<i32>,
    /// `[cells · Z · 4]`: per voxel `(du, dv, s, 1)`, or zeros where it is not seen. `du`, `dv`: from
    /// the centre of the cell of tap 0 to the point, in feature cells, −0.5 to 0.5.
    /// `s = ln(mean focal length / stride / distance)`: feature cells per metre there.
    pub geometry: Vec<f32>,
    views: Vec<View>,
    hits: RowHits,
    simd: Simd,
}

impl ProjectionTable {
    /// Takes the memory for a lift and a number of cameras. Nothing is seen until it is rebuilt.
    pub fn new(spec: &LiftSpec, cameras: usize) -> Self {
        let mut table = Self {
            simd: Simd::detect(),
            ..Self::default()
        };
        table.views.reserve(cameras);
        table.resize(spec);
        table.clear_all(spec, cameras);
        table
    }

    /// Fills the table for these cameras; their number sets the null index.
    ///
    /// `spec` must be sound, see [`LiftSpec::validate`].
    ///
    /// # Real-time
    /// Allocates nothing as long as `spec` has the shape, and the number of cameras is not above that,
    /// for which the table was made.
    pub fn rebuild(&mut self, spec: &LiftSpec, network_cameras: &[NetworkCamera]) {
        self.resize(spec);
        self.views.clear();
        self.views.extend(
            network_cameras
                .iter()
                .enumerate()
                .filter(|(_, camera)| camera.is_enabled)
                .map(|(index, camera)| View::new(index, camera, spec)),
        );
        let null_row = (network_cameras.len() * spec.rows_per_camera()) as i32;
        fill(self.simd, self, spec, null_row);
    }

    fn resize(&mut self, spec: &LiftSpec) {
        let voxels = spec.voxel_count();
        let taps = spec.taps as usize;
        self.index.resize(voxels * taps, 0);
        self.weight
            .resize(if taps > 1 { voxels * taps } else { 0 }, 0.0);
        self.depth_index
            .resize(if spec.depth_bins.is_some() { voxels } else { 0 }, 0);
        self.geometry.resize(voxels * GEOMETRY, 0.0);
        self.hits
            .resize(kept(spec), spec.heights_m.len(), spec.grid.cols);
    }

    fn clear_all(&mut self, spec: &LiftSpec, cameras: usize) {
        let null_row = (cameras * spec.rows_per_camera()) as i32;
        let bins = spec.depth_bins.map_or(0, |bins| bins.count as i32);
        self.index.fill(null_row);
        self.weight.fill(0.0);
        self.depth_index.fill(null_row * bins);
        self.geometry.fill(0.0);
    }

    /// Turns the hits of one grid row into table entries.
    #[inline(always)]
    fn write_row(&mut self, spec: &LiftSpec, row: usize, writer: &Writer) {
        let (taps, heights) = (spec.taps as usize, spec.heights_m.len());
        for first_col in (0..spec.grid.cols).step_by(LANES) {
            let lanes = LANES.min(spec.grid.cols - first_col);
            let first_cell = spec.grid.index(row, first_col);
            let voxels = first_cell * heights..(first_cell + lanes) * heights;
            for height in 0..heights {
                let nearest = self.hits.block(0, height, first_col / LANES);
                let placed = writer.place(nearest);
                let measured = writer.measure(nearest, &placed);
                let index = &mut self.index[voxels.start * taps..voxels.end * taps];
                let geometry = &mut self.geometry[voxels.start * GEOMETRY..voxels.end * GEOMETRY];
                let (geometry, _) = geometry.as_chunks_mut::<GEOMETRY>();
                let cells = index.chunks_exact_mut(heights * taps);
                let cells = cells.zip(geometry.chunks_exact_mut(heights));
                for (lane, (index, geometry)) in cells.enumerate() {
                    index[height * taps] = placed.row[lane];
                    geometry[height] = measured.geometry[lane];
                }
                if !self.depth_index.is_empty() {
                    let depth_index = &mut self.depth_index[voxels.clone()];
                    for (lane, cell) in depth_index.chunks_exact_mut(heights).enumerate() {
                        cell[height] = measured.depth_row[lane];
                    }
                }
                if taps > 1 {
                    self.write_more_taps(spec, writer, placed, [row, first_col, height]);
                }
            }
        }
    }

    /// Writes indices and weights of a block of voxels with more than one tap.
    #[inline(always)]
    fn write_more_taps(
        &mut self,
        spec: &LiftSpec,
        writer: &Writer,
        placed: Placed,
        [row, first_col, height]: [usize; 3],
    ) {
        let (taps, heights) = (spec.taps as usize, spec.heights_m.len());
        let mut ranks = [placed; BILINEAR];
        for (rank, further) in ranks.iter_mut().enumerate().take(kept(spec)).skip(1) {
            *further = writer.place(self.hits.block(rank, height, first_col / LANES));
        }
        for lane in 0..LANES.min(spec.grid.cols - first_col) {
            let voxel = spec.grid.index(row, first_col + lane) * heights + height;
            let index = &mut self.index[voxel * taps..][..taps];
            let weight = &mut self.weight[voxel * taps..][..taps];
            if taps == BILINEAR {
                writer.write_bilinear(&placed, lane, index, weight);
            } else {
                writer.write_ranks(&ranks, lane, index, weight);
            }
        }
    }
}

simd_variants! {
    /// Fills a table whose views are prepared.
    fn fill(table: &mut ProjectionTable, spec: &LiftSpec, null_row: i32) = fill_rows;
}

#[inline(always)]
fn fill_rows(table: &mut ProjectionTable, spec: &LiftSpec, null_row: i32) {
    let writer = Writer::new(spec, null_row);
    for row in 0..spec.grid.rows {
        table.hits.clear();
        for view in &table.views {
            view.collect_row(spec, row, &mut table.hits);
        }
        table.write_row(spec, row, &writer);
    }
}

/// Hits that are kept per voxel: one per camera to be gathered from.
fn kept(spec: &LiftSpec) -> usize {
    match spec.taps as usize {
        BILINEAR => 1,
        taps => taps,
    }
}

#[cfg(test)]
mod tests;
