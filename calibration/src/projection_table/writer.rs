//! From hits to the numbers of the table.

use super::hit::{Block, LANES};
use crate::LiftSpec;

/// Taps with which the four neighbours in the best camera are gathered.
pub(super) const BILINEAR: usize = 4;

/// What stays the same over all voxels of a table while entries are written.
pub(super) struct Writer {
    null_row: i32,
    width: i32,
    height: i32,
    bins: i32,
    bins_per_ln: f32,
    ln_min: f32,
}

/// The feature cells of a block of hits.
#[derive(Clone, Copy)]
pub(super) struct Placed {
    /// 1 where the voxel is seen, else 0.
    seen: [f32; LANES],
    /// Feature row of the nearest cell, or the null row.
    pub(super) row: [i32; LANES],
    cell_u: [i32; LANES],
    cell_v: [i32; LANES],
    /// From the cell's centre to the point, in cells.
    du: [f32; LANES],
    dv: [f32; LANES],
}

/// What a network is told of a block of hits beside the cells.
pub(super) struct Measured {
    /// From the cell's centre to the point, in cells, logarithm of the feature cells per metre there,
    /// and 1; zeros where nothing is seen.
    pub(super) geometry: [[f32; 4]; LANES],
    /// Feature row times bins, plus the depth bin.
    pub(super) depth_row: [i32; LANES],
}

impl Placed {
    #[inline(always)]
    fn is_seen(&self, lane: usize) -> bool {
        self.seen[lane] != 0.0
    }
}

impl Writer {
    pub(super) fn new(spec: &LiftSpec, null_row: i32) -> Self {
        let (bins, bins_per_ln, ln_min) = spec.depth_bins.map_or((0, 0.0, 0.0), |bins| {
            let ln_min = bins.min_m.ln();
            (
                bins.count as i32,
                f64::from(bins.count) / (bins.max_m.ln() - ln_min),
                ln_min,
            )
        });
        Self {
            null_row,
            width: spec.feature_width as i32,
            height: spec.feature_height as i32,
            bins,
            bins_per_ln: bins_per_ln as f32,
            ln_min: ln_min as f32,
        }
    }

    /// Finds the nearest feature cells of a block of hits.
    #[inline(always)]
    pub(super) fn place(&self, hits: &Block) -> Placed {
        let mut placed = Placed {
            seen: [0.0; LANES],
            row: [0; LANES],
            cell_u: [0; LANES],
            cell_v: [0; LANES],
            du: [0.0; LANES],
            dv: [0.0; LANES],
        };
        for lane in 0..LANES {
            // A hit that is not seen may hold anything; clamping also keeps a hit that rounding to
            // `f32` put onto the far border in the last cell.
            let cell_u = held(nearest(hits.u[lane] - 0.5), self.width - 1);
            let cell_v = held(nearest(hits.v[lane] - 0.5), self.height - 1);
            let row = hits.first_row[lane] + cell_v * self.width + cell_u;
            let is_seen = hits.centrality[lane] >= 0.0;
            placed.seen[lane] = if is_seen { 1.0 } else { 0.0 };
            placed.row[lane] = if is_seen { row } else { self.null_row };
            placed.cell_u[lane] = cell_u;
            placed.cell_v[lane] = cell_v;
            placed.du[lane] = hits.u[lane] - 0.5 - cell_u as f32;
            placed.dv[lane] = hits.v[lane] - 0.5 - cell_v as f32;
        }
        placed
    }

    /// Works out geometry and depth bins of a block of hits.
    #[inline(always)]
    pub(super) fn measure(&self, hits: &Block, placed: &Placed) -> Measured {
        let mut measured = Measured {
            geometry: [[0.0; 4]; LANES],
            depth_row: [0; LANES],
        };
        for lane in 0..LANES {
            let ln_distance = 0.5 * ln(hits.distance2[lane]);
            let bin = nearest((ln_distance - self.ln_min) * self.bins_per_ln - 0.5);
            let bin = held(bin, self.bins - 1);
            let scale = hits.ln_focal[lane] - ln_distance;
            let is_seen = hits.centrality[lane] >= 0.0;
            let seen = |value: f32| if is_seen { value } else { 0.0 };
            let [du, dv] = [placed.du[lane], placed.dv[lane]];
            measured.geometry[lane] = [seen(du), seen(dv), seen(scale), placed.seen[lane]];
            measured.depth_row[lane] = placed.row[lane] * self.bins + if is_seen { bin } else { 0 };
        }
        measured
    }

    /// Writes one tap per camera, with equal weights for those that see the voxel.
    pub(super) fn write_ranks(
        &self,
        ranks: &[Placed; BILINEAR],
        lane: usize,
        index: &mut [i32],
        weight: &mut [f32],
    ) {
        let ranks = &ranks[..index.len()];
        let seen = ranks.iter().filter(|placed| placed.is_seen(lane)).count();
        for (placed, (index, weight)) in ranks.iter().zip(index.iter_mut().zip(weight)) {
            *index = placed.row[lane];
            *weight = if placed.is_seen(lane) {
                1.0 / seen as f32
            } else {
                0.0
            };
        }
    }

    /// Writes the four neighbours in one camera.
    pub(super) fn write_bilinear(
        &self,
        placed: &Placed,
        lane: usize,
        index: &mut [i32],
        weight: &mut [f32],
    ) {
        if !placed.is_seen(lane) {
            index.fill(self.null_row);
            weight.fill(0.0);
            return;
        }
        let (u, v) = (placed.cell_u[lane], placed.cell_v[lane]);
        let (du, dv) = (placed.du[lane], placed.dv[lane]);
        let next_u = (u + if du < 0.0 { -1 } else { 1 }).clamp(0, self.width - 1);
        let next_v = (v + if dv < 0.0 { -1 } else { 1 }).clamp(0, self.height - 1);
        let row = placed.row[lane];
        let (along, across) = (next_u - u, (next_v - v) * self.width);
        let rows = [row, row + along, row + across, row + across + along];
        let (far_u, far_v) = (du.abs(), dv.abs());
        let shares = [
            (1.0 - far_u) * (1.0 - far_v),
            far_u * (1.0 - far_v),
            (1.0 - far_u) * far_v,
            far_u * far_v,
        ];
        index.copy_from_slice(&rows);
        weight.copy_from_slice(&shares);
    }
}

/// `value` between 0 and `most`, 0 where `most` is below.
#[inline(always)]
fn held(value: i32, most: i32) -> i32 {
    let value = if value < most { value } else { most };
    if value > 0 { value } else { 0 }
}

/// The nearest whole number of a value well within ±2²², without the checks of a cast; for any other
/// value, some number.
#[inline(always)]
pub(super) fn nearest(value: f32) -> i32 {
    // Added to 1.5 · 2²³, a value's whole part comes to stand in the lowest bits.
    const SHIFT: f32 = 12_582_912.0;
    ((value + SHIFT).to_bits() as i32).wrapping_sub(SHIFT.to_bits() as i32)
}

/// Natural logarithm of a positive normal number, within 2e-7 of the exact value plus its rounding;
/// unlike the library's it becomes vector instructions.
#[inline(always)]
fn ln(value: f32) -> f32 {
    /// Bits of √½: mantissas are taken from √½ to √2.
    const ROOT_HALF: i32 = 0x3f35_04f3;
    let bits = value.to_bits() as i32;
    let exponent = bits.wrapping_sub(ROOT_HALF) >> 23;
    let mantissa = f32::from_bits(bits.wrapping_sub(exponent << 23) as u32);
    // ln m = 2 artanh((m - 1) / (m + 1)), |argument| ≤ 0.172.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let s2 = s * s;
    let artanh = s * (1.0 + s2 * (1.0 / 3.0 + s2 * (0.2 + s2 * (1.0 / 7.0))));
    exponent as f32 * std::f32::consts::LN_2 + 2.0 * artanh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_found_without_a_cast() {
        for (value, whole) in [
            (0.0, 0),
            (-0.4, 0),
            (0.6, 1),
            (87.49, 87),
            (8191.6, 8192),
            (-3.2, -3),
        ] {
            assert_eq!(nearest(value), whole, "{value}");
        }
        // Garbage in hits that are not seen must not panic.
        nearest(f32::NAN);
        nearest(f32::INFINITY);
    }

    #[test]
    fn logarithms_equal_the_library_to_the_last_digits() {
        for step in 0..20_000 {
            let value = 1e-4f32 * 1.001f32.powi(step);
            let exact = f64::from(value).ln();
            assert!(
                (f64::from(ln(value)) - exact).abs() < 2e-7 * (2.0 + exact.abs()),
                "{value}"
            );
        }
    }
}
