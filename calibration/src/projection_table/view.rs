//! One camera prepared for the voxels of one lift.

use std::sync::Arc;

use nalgebra::{Point3, Vector3};

use super::hit::{Block, Hit, LANES, RowHits};
use super::wedge::Wedge;
use super::{FisheyeGain, NetworkCamera};
use crate::lens::distort;
use crate::{Intrinsics, Lens, LiftSpec};

/// Nearest distance in front of a pinhole camera that is projected, metres.
const NEAREST_DEPTH_M: f32 = 1e-6;

/// A camera's pose and lens, with everything that does not depend on the voxel worked out.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// Feature row of this camera's cell (0, 0).
    first_row: i32,
    /// Logarithm of the mean focal length in feature cells.
    ln_focal: f32,
    /// What one metre of ego x, y, z is in the camera frame.
    axes_in_cam: [Vector3<f64>; 3],
    ego_origin_in_cam: Vector3<f64>,
    centre_in_ego: Vector3<f64>,
    wedge: Option<Wedge>,
    projection: Projection,
    /// Normalised image plane to feature cells, counted from the feature map's outer corner.
    focal: [f32; 2],
    principal: [f32; 2],
    /// Feature cells that lie both in the image and in the feature map.
    limit: [f32; 2],
    /// One over the image's size in feature cells.
    per_size: [f32; 2],
    per_stride: f32,
}

/// How a point in the camera frame comes to feature cells.
#[derive(Debug, Clone)]
enum Projection {
    Ideal,
    Distorted { k: [f32; 8], valid_radius2: f32 },
    Fisheye(Arc<FisheyeGain>),
    Exact(Intrinsics),
}

impl View {
    /// Prepares camera number `index` of the rig.
    pub(super) fn new(index: usize, camera: &NetworkCamera, spec: &LiftSpec) -> Self {
        let ego_from_cam = camera.ego_at_reference_from_ego_at_camera * camera.ego_from_cam;
        let cam_from_ego = ego_from_cam.inverse();
        let rotation = cam_from_ego.rotation().to_rotation_matrix();
        let intrinsics = camera.intrinsics();
        let wedge = camera.border_rays_in_cam().and_then(|rays| {
            let up_in_cam = Point3::from(cam_from_ego.rotate(&Vector3::z()));
            let sees_pole = |pole: Point3<f64>| intrinsics.project_within(&pole).is_some();
            if sees_pole(up_in_cam) || sees_pole(-up_in_cam) {
                return None;
            }
            let rays_in_ego = rays.iter().map(|ray| ego_from_cam.rotate(ray));
            Wedge::around(ego_from_cam.translation(), rays_in_ego)
        });
        let per_stride = 1.0 / f64::from(spec.stride);
        let size = [
            f64::from(intrinsics.width()) * per_stride,
            f64::from(intrinsics.height()) * per_stride,
        ];
        Self {
            first_row: (index * spec.rows_per_camera()) as i32,
            ln_focal: (intrinsics.mean_focal() * per_stride).ln() as f32,
            axes_in_cam: [0, 1, 2].map(|axis| rotation.matrix().column(axis).into_owned()),
            ego_origin_in_cam: *cam_from_ego.translation(),
            centre_in_ego: *ego_from_cam.translation(),
            wedge,
            projection: Projection::of(camera),
            focal: [intrinsics.fx(), intrinsics.fy()].map(|focal| (focal * per_stride) as f32),
            principal: [intrinsics.cx(), intrinsics.cy()]
                .map(|centre| ((centre + 0.5) * per_stride) as f32),
            limit: [
                size[0].min(f64::from(spec.feature_width)) as f32,
                size[1].min(f64::from(spec.feature_height)) as f32,
            ],
            per_size: size.map(|size| (1.0 / size) as f32),
            per_stride: per_stride as f32,
        }
    }

    /// Offers this camera's hits of one grid row.
    #[inline(always)]
    pub(super) fn collect_row(&self, spec: &LiftSpec, row: usize, hits: &mut RowHits) {
        // One loop per kind of lens, without branches, so that each becomes vector instructions.
        match &self.projection {
            Projection::Ideal => self.collect(spec, row, hits, |[x, y, z]| {
                let per_depth = 1.0 / z;
                let (u, v) = self.cells(x * per_depth, y * per_depth);
                (u, v, z > NEAREST_DEPTH_M)
            }),
            Projection::Distorted { k, valid_radius2 } => {
                self.collect(spec, row, hits, |[x, y, z]| {
                    let per_depth = 1.0 / z;
                    let (x, y) = (x * per_depth, y * per_depth);
                    let is_valid = (z > NEAREST_DEPTH_M) & (x * x + y * y <= *valid_radius2);
                    let (x, y) = distort(k, 1.0, x, y);
                    let (u, v) = self.cells(x, y);
                    (u, v, is_valid)
                });
            }
            Projection::Fisheye(gain) => self.collect(spec, row, hits, |[x, y, z]| {
                let per_distance = 1.0 / (x * x + y * y + z * z).sqrt();
                let (gain, is_valid) = gain.at(z * per_distance);
                let scale = gain * per_distance;
                let (u, v) = self.cells(x * scale, y * scale);
                (u, v, is_valid)
            }),
            Projection::Exact(intrinsics) => {
                self.collect(spec, row, hits, |point| {
                    match intrinsics.project(&Point3::from(point.map(f64::from))) {
                        Some(pixel) => (
                            (pixel.x + 0.5) as f32 * self.per_stride,
                            (pixel.y + 0.5) as f32 * self.per_stride,
                            true,
                        ),
                        None => (0.0, 0.0, false),
                    }
                })
            }
        }
    }

    /// From the normalised image plane to feature cells.
    #[inline(always)]
    fn cells(&self, x: f32, y: f32) -> (f32, f32) {
        (
            self.focal[0] * x + self.principal[0],
            self.focal[1] * y + self.principal[1],
        )
    }

    #[inline(always)]
    fn collect(
        &self,
        spec: &LiftSpec,
        row: usize,
        hits: &mut RowHits,
        cells_of: impl Fn([f32; 3]) -> (f32, f32, bool),
    ) {
        let columns = match &self.wedge {
            Some(wedge) => wedge.columns(&spec.grid, row),
            None => 0..spec.grid.cols,
        };
        let blocks = columns.start / LANES..columns.end.div_ceil(LANES);
        let x = spec.grid.row_x(row);
        let row_in_cam = self.ego_origin_in_cam + self.axes_in_cam[0] * x;
        let step = array(self.axes_in_cam[1] * spec.grid.cell_m);
        let side_step = spec.grid.cell_m as f32;
        let [limit_u, limit_v] = self.limit;
        let mut candidate = Block::EMPTY;
        for (height_index, &height) in spec.heights_m.iter().enumerate() {
            let above = height - self.centre_in_ego.z;
            let fixed2 = ((x - self.centre_in_ego.x).powi(2) + above * above) as f32;
            let height_in_cam = row_in_cam + self.axes_in_cam[2] * height;
            for block in blocks.clone() {
                let first_y = spec.grid.col_y(block * LANES);
                let first = array(height_in_cam + self.axes_in_cam[1] * first_y);
                let first_side = (first_y - self.centre_in_ego.y) as f32;
                candidate.fill(|lane| {
                    let along = lane as f32;
                    let point = [
                        first[0] + step[0] * along,
                        first[1] + step[1] * along,
                        first[2] + step[2] * along,
                    ];
                    let (u, v, is_valid) = cells_of(point);
                    let is_inside = (u >= 0.0) & (v >= 0.0) & (u < limit_u) & (v < limit_v);
                    let side = first_side + side_step * along;
                    let centrality = self.centrality(u, v);
                    Hit {
                        centrality: if is_valid & is_inside {
                            centrality
                        } else {
                            -1.0
                        },
                        u,
                        v,
                        distance2: fixed2 + side * side,
                        first_row: self.first_row,
                        ln_focal: self.ln_focal,
                    }
                });
                hits.offer(height_index, block, &mut candidate);
            }
        }
    }

    /// Distance to the nearest image border relative to the image's size, 0 to 0.5 within the image.
    #[inline(always)]
    fn centrality(&self, u: f32, v: f32) -> f32 {
        let across = (u * self.per_size[0] - 0.5).abs();
        let down = (v * self.per_size[1] - 0.5).abs();
        let off_centre = if across > down { across } else { down };
        let centrality = 0.5 - off_centre;
        // Rounding may leave a hit on the very border a little below zero.
        if centrality > 0.0 { centrality } else { 0.0 }
    }
}

impl Projection {
    fn of(camera: &NetworkCamera) -> Self {
        let intrinsics = camera.intrinsics();
        match (intrinsics.lens(), camera.fisheye_gain()) {
            (Lens::Pinhole { k }, _) if k.is_none() => Projection::Ideal,
            (Lens::Pinhole { k }, _) => Projection::Distorted {
                k: k.all().map(|value| value as f32),
                valid_radius2: (intrinsics.valid_radius() * intrinsics.valid_radius()) as f32,
            },
            (Lens::Fisheye { .. }, Some(gain)) => Projection::Fisheye(Arc::clone(gain)),
            (Lens::Fisheye { .. }, None) => Projection::Exact(*intrinsics),
        }
    }
}

fn array(vector: Vector3<f64>) -> [f32; 3] {
    [vector.x as f32, vector.y as f32, vector.z as f32]
}
