//! One camera prepared for the voxels of one lift.

use std::sync::Arc;

use nalgebra::{Point3, Vector3};

use super::hit::{Hit, insert};
use super::wedge::Wedge;
use super::{FisheyeGain, NetworkCamera};
use crate::lens::BrownConrady;
use crate::{Intrinsics, Lens, LiftSpec};

/// Nearest distance in front of a pinhole camera that is projected, metres.
const NEAREST_DEPTH_M: f64 = 1e-9;

/// A camera's pose and lens, with everything that does not depend on the voxel worked out.
#[derive(Debug, Clone)]
pub(super) struct View {
    view: u32,
    first_feature_row: i32,
    /// Logarithm of the mean focal length in feature cells.
    ln_focal: f32,
    /// Columns of `cam_from_ego`'s rotation: what one metre of ego x, y, z is in the camera frame.
    axis_in_cam: [Vector3<f64>; 3],
    ego_origin_in_cam: Vector3<f64>,
    wedge: Option<Wedge>,
    projection: Projection,
    /// Normalised image plane to feature cells, counted from the feature map's outer corner.
    focal: [f64; 2],
    principal: [f64; 2],
    /// Feature cells that lie both in the image and in the feature map.
    limit: [f64; 2],
    /// One over the image's size in feature cells.
    per_size: [f64; 2],
}

/// How a point in the camera frame comes to the normalised image plane.
#[derive(Debug, Clone)]
enum Projection {
    Ideal,
    Distorted { k: BrownConrady, valid_radius2: f64 },
    Fisheye(Arc<FisheyeGain>),
    Exact(Intrinsics),
}

impl View {
    /// Prepares camera number `index` of the rig as view number `view` of the table.
    pub(super) fn new(view: usize, index: usize, camera: &NetworkCamera, spec: &LiftSpec) -> Self {
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
            view: view as u32,
            first_feature_row: (index * spec.rows_per_camera()) as i32,
            ln_focal: (intrinsics.mean_focal() * per_stride).ln() as f32,
            axis_in_cam: [0, 1, 2].map(|axis| rotation.matrix().column(axis).into_owned()),
            ego_origin_in_cam: *cam_from_ego.translation(),
            wedge,
            projection: Projection::of(camera),
            focal: [intrinsics.fx() * per_stride, intrinsics.fy() * per_stride],
            principal: [
                (intrinsics.cx() + 0.5) * per_stride,
                (intrinsics.cy() + 0.5) * per_stride,
            ],
            limit: [
                size[0].min(f64::from(spec.feature_width)),
                size[1].min(f64::from(spec.feature_height)),
            ],
            per_size: [1.0 / size[0], 1.0 / size[1]],
        }
    }

    /// Feature row of this camera's cell (0, 0).
    #[inline]
    pub(super) fn first_feature_row(&self) -> i32 {
        self.first_feature_row
    }

    /// Logarithm of the mean focal length in feature cells.
    #[inline]
    pub(super) fn ln_focal(&self) -> f32 {
        self.ln_focal
    }

    /// Adds this camera's hits of one grid row to `hits`, `[cols, heights, keep]`, most central first.
    pub(super) fn collect_row(&self, spec: &LiftSpec, row: usize, keep: usize, hits: &mut [Hit]) {
        // One loop per kind of lens, so that nothing is decided again for every voxel.
        match &self.projection {
            Projection::Ideal => self.collect(spec, row, keep, hits, ideal),
            Projection::Distorted { k, valid_radius2 } => {
                self.collect(spec, row, keep, hits, |point| {
                    let (x, y) = ideal(point)?;
                    let is_valid = x * x + y * y <= *valid_radius2;
                    is_valid.then(|| k.distort(x, y))
                })
            }
            Projection::Fisheye(gain) => self.collect(spec, row, keep, hits, |point| {
                let per_distance = 1.0 / point.norm();
                let scale = gain.at(point.z * per_distance)? * per_distance;
                Some((point.x * scale, point.y * scale))
            }),
            Projection::Exact(intrinsics) => self.collect(spec, row, keep, hits, |point| {
                let pixel = intrinsics.project(&Point3::from(*point))?;
                Some((
                    (pixel.x - intrinsics.cx()) / intrinsics.fx(),
                    (pixel.y - intrinsics.cy()) / intrinsics.fy(),
                ))
            }),
        }
    }

    #[inline(always)]
    fn collect(
        &self,
        spec: &LiftSpec,
        row: usize,
        keep: usize,
        hits: &mut [Hit],
        normalised: impl Fn(&Vector3<f64>) -> Option<(f64, f64)>,
    ) {
        let columns = match &self.wedge {
            Some(wedge) => wedge.columns(&spec.grid, row),
            None => 0..spec.grid.cols,
        };
        let heights = spec.heights_m.as_slice();
        let per_column = heights.len() * keep;
        let row_in_cam = self.ego_origin_in_cam + self.axis_in_cam[0] * spec.grid.row_x(row);
        let first = columns.start;
        let seen = &mut hits[first * per_column..columns.end * per_column];
        for (offset, cell) in seen.chunks_exact_mut(per_column).enumerate() {
            let foot_in_cam = row_in_cam + self.axis_in_cam[1] * spec.grid.col_y(first + offset);
            for (&height, best) in heights.iter().zip(cell.chunks_exact_mut(keep)) {
                let point_in_cam = foot_in_cam + self.axis_in_cam[2] * height;
                let Some((x, y)) = normalised(&point_in_cam) else {
                    continue;
                };
                if let Some(hit) = self.hit(x, y, point_in_cam.norm_squared()) {
                    insert(best, hit);
                }
            }
        }
    }

    #[inline(always)]
    fn hit(&self, x: f64, y: f64, distance2: f64) -> Option<Hit> {
        let u = self.focal[0] * x + self.principal[0];
        let v = self.focal[1] * y + self.principal[1];
        let is_inside = u >= 0.0 && v >= 0.0 && u < self.limit[0] && v < self.limit[1];
        if !is_inside {
            return None;
        }
        let (across, down) = ((u * self.per_size[0]) as f32, (v * self.per_size[1]) as f32);
        // Distance to the nearer border is half the size less the distance to the middle.
        let off_centre = (across - 0.5).abs().max((down - 0.5).abs());
        Some(Hit {
            centrality: (0.5 - off_centre).max(0.0),
            u: u as f32,
            v: v as f32,
            distance2: distance2 as f32,
            view: self.view,
        })
    }
}

impl Projection {
    fn of(camera: &NetworkCamera) -> Self {
        let intrinsics = camera.intrinsics();
        match (intrinsics.lens(), camera.fisheye_gain()) {
            (Lens::Pinhole { k }, _) if k.is_none() => Projection::Ideal,
            (Lens::Pinhole { k }, _) => Projection::Distorted {
                k: *k,
                valid_radius2: intrinsics.valid_radius() * intrinsics.valid_radius(),
            },
            (Lens::Fisheye { .. }, Some(gain)) => Projection::Fisheye(Arc::clone(gain)),
            (Lens::Fisheye { .. }, None) => Projection::Exact(*intrinsics),
        }
    }
}

#[inline(always)]
fn ideal(point_in_cam: &Vector3<f64>) -> Option<(f64, f64)> {
    let is_in_front = point_in_cam.z > NEAREST_DEPTH_M;
    if !is_in_front {
        return None;
    }
    let per_depth = 1.0 / point_in_cam.z;
    Some((point_in_cam.x * per_depth, point_in_cam.y * per_depth))
}
