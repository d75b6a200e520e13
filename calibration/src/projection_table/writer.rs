//! From hits to the numbers of the table.

use super::hit::Hit;
use super::view::View;
use crate::LiftSpec;

/// Taps with which the four neighbours in the best camera are gathered.
pub(super) const BILINEAR: usize = 4;

/// What stays the same over all voxels of a table while entries are written.
pub(super) struct Writer<'a> {
    views: &'a [View],
    null_row: i32,
    width: i32,
    height: i32,
    is_bilinear: bool,
    bins: i32,
    bins_per_ln: f32,
    ln_min: f32,
}

impl<'a> Writer<'a> {
    pub(super) fn new(spec: &LiftSpec, null_row: i32, views: &'a [View]) -> Self {
        let (bins, bins_per_ln, ln_min) = spec.depth_bins.map_or((0, 0.0, 0.0), |bins| {
            let ln_min = bins.min_m.ln();
            (
                bins.count as i32,
                f64::from(bins.count) / (bins.max_m.ln() - ln_min),
                ln_min,
            )
        });
        Self {
            views,
            null_row,
            width: spec.feature_width as i32,
            height: spec.feature_height as i32,
            is_bilinear: spec.taps as usize == BILINEAR,
            bins,
            bins_per_ln: bins_per_ln as f32,
            ln_min: ln_min as f32,
        }
    }

    /// Number of depth bins; 0 without.
    pub(super) fn bins(&self) -> i32 {
        self.bins
    }

    /// Writes feature rows, and weights if there is more than one tap.
    #[inline]
    pub(super) fn write_taps(&self, hits: &[Hit], index: &mut [i32], weight: &mut [f32]) {
        if let ([hit], [index]) = (hits, &mut *index) {
            *index = self.nearest_row(hit);
        } else if self.is_bilinear {
            self.write_bilinear(&hits[0], index, weight);
        } else {
            let seen = hits.iter().filter(|hit| hit.is_some()).count();
            for ((hit, index), weight) in hits.iter().zip(index).zip(weight) {
                *index = self.nearest_row(hit);
                *weight = if hit.is_some() {
                    1.0 / seen as f32
                } else {
                    0.0
                };
            }
        }
    }

    /// Writes the geometry of a voxel and gives its depth bin (0 where it is not seen).
    #[inline]
    pub(super) fn write_geometry(&self, hit: &Hit, out: &mut [f32]) -> i32 {
        if !hit.is_some() {
            out.fill(0.0);
            return 0;
        }
        let (_, _, du, dv) = self.cell(hit);
        let ln_distance = 0.5 * hit.distance2.ln();
        let scale = self.views[hit.view as usize].ln_focal() - ln_distance;
        out.copy_from_slice(&[du, dv, scale, 1.0]);
        let bin = ((ln_distance - self.ln_min) * self.bins_per_ln) as i32;
        bin.min(self.bins - 1).max(0)
    }

    fn write_bilinear(&self, hit: &Hit, index: &mut [i32], weight: &mut [f32]) {
        if !hit.is_some() {
            index.fill(self.null_row);
            weight.fill(0.0);
            return;
        }
        let (u, v, du, dv) = self.cell(hit);
        let next_u = (u + if du < 0.0 { -1 } else { 1 }).clamp(0, self.width - 1);
        let next_v = (v + if dv < 0.0 { -1 } else { 1 }).clamp(0, self.height - 1);
        let (far_u, far_v) = (du.abs(), dv.abs());
        let cells = [(u, v), (next_u, v), (u, next_v), (next_u, next_v)];
        let shares = [
            (1.0 - far_u) * (1.0 - far_v),
            far_u * (1.0 - far_v),
            (1.0 - far_u) * far_v,
            far_u * far_v,
        ];
        for (((u, v), share), (index, weight)) in cells
            .into_iter()
            .zip(shares)
            .zip(index.iter_mut().zip(weight))
        {
            *index = self.feature_row(hit, u, v);
            *weight = share;
        }
    }

    #[inline]
    fn nearest_row(&self, hit: &Hit) -> i32 {
        if !hit.is_some() {
            return self.null_row;
        }
        let (u, v, _, _) = self.cell(hit);
        self.feature_row(hit, u, v)
    }

    #[inline]
    fn feature_row(&self, hit: &Hit, u: i32, v: i32) -> i32 {
        self.views[hit.view as usize].first_feature_row() + v * self.width + u
    }

    /// The cell that holds a hit, and the way from its centre to the hit in cells. Rounding to `f32`
    /// may have put a hit onto the far border: it still belongs to the last cell.
    #[inline]
    fn cell(&self, hit: &Hit) -> (i32, i32, f32, f32) {
        let u = (hit.u as i32).min(self.width - 1);
        let v = (hit.v as i32).min(self.height - 1);
        (u, v, hit.u - u as f32 - 0.5, hit.v - v as f32 - 0.5)
    }
}
