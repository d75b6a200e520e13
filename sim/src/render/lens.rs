//! The ray of every sample of an image, whatever the lens, and bounds over blocks of rays.
//!
//! Triangles are drawn by testing rays against their edge planes, which is exact for every camera model: no triangle
//! has to be subdivided to follow the curvature of a fisheye.

use bevrt_calibration::{Intrinsics, Lens};
use nalgebra::{Point2, Vector3};

/// Side of a tile, samples.
pub(super) const TILE: usize = 8;
/// Samples of a tile.
pub(super) const TILE_AREA: usize = TILE * TILE;

/// All unit vectors of a block of samples lie within `chord` of `axis`; a negative chord marks a block that sees nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cone {
    pub(super) axis: Vector3<f32>,
    pub(super) chord: f32,
}

const BLIND: Cone = Cone {
    axis: Vector3::new(0.0, 0.0, 0.0),
    chord: -1.0,
};

/// A level of the pyramid of cones.
pub(super) struct Level {
    pub(super) columns: usize,
    pub(super) rows: usize,
    pub(super) cones: Vec<Cone>,
}

/// Rays of one camera, stored tile after tile, [`TILE_AREA`] samples each; a blind sample has the ray zero.
pub(super) struct RayTable {
    key: Intrinsics,
    /// Samples along one side of a pixel.
    pub(super) sampling: usize,
    pub(super) width_px: usize,
    pub(super) height_px: usize,
    pub(super) tiles_x: usize,
    pub(super) tiles_y: usize,
    pub(super) x: Vec<f32>,
    pub(super) y: Vec<f32>,
    pub(super) z: Vec<f32>,
    /// Rays of pixel centres, tile after tile, `(TILE / sampling)²` each.
    pub(super) centres: Vec<[f32; 3]>,
    /// Pixels that the lens cannot see, row-major; empty if it sees everywhere.
    pub(super) blind: Vec<bool>,
    /// Cones from single tiles (first) to the whole image (last).
    pub(super) levels: Vec<Level>,
    /// Straight lines stay straight in the image.
    pub(super) is_rectilinear: bool,
    /// Mean focal length, samples.
    pub(super) focal: f32,
}

impl RayTable {
    /// Rays of `intrinsics` with `sampling`² samples a pixel.
    pub(super) fn new(intrinsics: &Intrinsics, sampling: usize) -> Self {
        let (width_px, height_px) = (intrinsics.width() as usize, intrinsics.height() as usize);
        let (width, height) = (width_px * sampling, height_px * sampling);
        let (tiles_x, tiles_y) = (width.div_ceil(TILE), height.div_ceil(TILE));
        let is_rectilinear = matches!(intrinsics.lens(), Lens::Pinhole { k } if k.is_none());
        let ray = |u: f64, v: f64| -> [f32; 3] {
            if is_rectilinear {
                let direction = Vector3::new(
                    (u - intrinsics.cx()) / intrinsics.fx(),
                    (v - intrinsics.cy()) / intrinsics.fy(),
                    1.0,
                );
                return direction.normalize().cast::<f32>().into();
            }
            intrinsics
                .unproject(&Point2::new(u, v))
                .map_or([0.0; 3], |ray| ray.normalize().cast::<f32>().into())
        };
        let count = tiles_x * tiles_y * TILE_AREA;
        let (mut x, mut y, mut z) = (vec![0.0; count], vec![0.0; count], vec![0.0; count]);
        let step = 1.0 / sampling as f64;
        for row in 0..height {
            for column in 0..width {
                let at = (row / TILE * tiles_x + column / TILE) * TILE_AREA
                    + row % TILE * TILE
                    + column % TILE;
                let r = ray(
                    (column as f64 + 0.5) * step - 0.5,
                    (row as f64 + 0.5) * step - 0.5,
                );
                (x[at], y[at], z[at]) = (r[0], r[1], r[2]);
            }
        }
        let side = TILE / sampling;
        let mut centres = vec![[0.0; 3]; tiles_x * tiles_y * side * side];
        for row in 0..height_px {
            for column in 0..width_px {
                let at = (row / side * tiles_x + column / side) * side * side
                    + row % side * side
                    + column % side;
                centres[at] = ray(column as f64, row as f64);
            }
        }
        let blind = if is_rectilinear {
            Vec::new()
        } else {
            let at = |pixel: usize| {
                let (row, column) = (pixel / width_px, pixel % width_px);
                (row / side * tiles_x + column / side) * side * side
                    + row % side * side
                    + column % side
            };
            (0..width_px * height_px)
                .map(|pixel| centres[at(pixel)] == [0.0; 3])
                .collect()
        };
        let levels = pyramid(&x, &y, &z, tiles_x, tiles_y);
        let focal = ((intrinsics.fx() + intrinsics.fy()) * 0.5) as f32 * sampling as f32;
        Self {
            key: *intrinsics,
            sampling,
            width_px,
            height_px,
            tiles_x,
            tiles_y,
            x,
            y,
            z,
            centres,
            blind,
            levels,
            is_rectilinear,
            focal,
        }
    }

    /// Whether the table was made for these intrinsics.
    pub(super) fn is_for(&self, intrinsics: &Intrinsics) -> bool {
        self.key == *intrinsics
    }

    /// Angle of one pixel, radians.
    pub(super) fn pixel_angle(&self) -> f32 {
        self.sampling as f32 / self.focal
    }

    /// A level of at most some 64 blocks, for culling spheres.
    pub(super) fn culling_cones(&self) -> &[Cone] {
        let level = self.levels.iter().find(|level| level.cones.len() <= 64);
        level.map_or(&[], |level| &level.cones)
    }
}

fn pyramid(x: &[f32], y: &[f32], z: &[f32], tiles_x: usize, tiles_y: usize) -> Vec<Level> {
    let cones = (0..tiles_x * tiles_y)
        .map(|tile| {
            let range = tile * TILE_AREA..(tile + 1) * TILE_AREA;
            cone_of(
                range
                    .map(|i| Vector3::new(x[i], y[i], z[i]))
                    .filter(|ray| ray.norm_squared() > 0.0),
            )
        })
        .collect();
    let mut levels = vec![Level {
        columns: tiles_x,
        rows: tiles_y,
        cones,
    }];
    while let Some(finer) = levels.last().filter(|level| level.cones.len() > 1) {
        let (columns, rows) = (finer.columns.div_ceil(2), finer.rows.div_ceil(2));
        let mut cones = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                let children = [(0, 0), (1, 0), (0, 1), (1, 1)]
                    .into_iter()
                    .map(|(dx, dy)| (2 * column + dx, 2 * row + dy))
                    .filter(|(cx, cy)| *cx < finer.columns && *cy < finer.rows)
                    .map(|(cx, cy)| finer.cones[cy * finer.columns + cx])
                    .filter(|cone| cone.chord >= 0.0);
                cones.push(merge(children.collect()));
            }
        }
        levels.push(Level {
            columns,
            rows,
            cones,
        });
    }
    levels
}

fn cone_of(rays: impl Iterator<Item = Vector3<f32>> + Clone) -> Cone {
    let sum: Vector3<f32> = rays.clone().sum();
    if sum == Vector3::zeros() {
        return BLIND;
    }
    let axis = sum.try_normalize(1e-6).unwrap_or(Vector3::z());
    let chord = rays.map(|ray| (ray - axis).norm()).fold(0.0, f32::max);
    Cone {
        axis,
        chord: chord * 1.001 + 1e-6,
    }
}

fn merge(children: Vec<Cone>) -> Cone {
    let sum: Vector3<f32> = children.iter().map(|cone| cone.axis).sum();
    if children.is_empty() {
        return BLIND;
    }
    let axis = sum.try_normalize(1e-6).unwrap_or(Vector3::z());
    let chord = children
        .iter()
        .map(|cone| (cone.axis - axis).norm() + cone.chord)
        .fold(0.0, f32::max);
    Cone {
        axis,
        chord: chord.min(2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevrt_calibration::rigs;

    #[test]
    fn every_ray_lies_in_the_cones_above_it() {
        let rig = rigs::four_fisheye();
        let intrinsics = &rig.cameras()[0].intrinsics;
        let table = RayTable::new(intrinsics, 1);
        for level in &table.levels {
            let scale = table.tiles_x.div_ceil(level.columns).next_power_of_two();
            for tile in (0..table.tiles_x * table.tiles_y).step_by(37) {
                let (column, row) = (tile % table.tiles_x / scale, tile / table.tiles_x / scale);
                let cone = level.cones[row * level.columns + column];
                let i = tile * TILE_AREA + 13;
                let ray = Vector3::new(table.x[i], table.y[i], table.z[i]);
                assert!(ray == Vector3::zeros() || (ray - cone.axis).norm() <= cone.chord + 1e-4);
            }
        }
    }
}
