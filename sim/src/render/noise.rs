//! A small tiling texture of four kinds of noise with its mip levels.

use super::hash::lattice;
use std::sync::OnceLock;

/// Side of the finest level, texels.
pub(super) const SIZE: usize = 256;
const LEVELS: usize = 9;

/// Channel of [`NoiseTexture`]: independent grains.
pub(super) const GRAIN: usize = 0;
/// Channel: smooth clouds of several octaves.
pub(super) const CLOUD: usize = 1;
/// Channel: 1 on thin cell borders (cracks, veins), 0 elsewhere.
pub(super) const CRACK: usize = 2;
/// Channel: one value a cell, for patches.
pub(super) const PATCH: usize = 3;

/// Tiling noise; every channel lies in [0, 1].
pub(super) struct NoiseTexture {
    levels: Vec<Vec<[f32; 4]>>,
}

/// Largest integer not above `x`, for |x| < 2^22; cheaper than the saturating conversion.
#[inline(always)]
pub(super) fn floor(x: f32) -> i32 {
    // Adding 1.5 · 2^23 leaves the nearest integer in the lowest bits of the mantissa.
    const SHIFT: f32 = 12_582_912.0;
    let shifted = x + SHIFT;
    let nearest = (shifted.to_bits() as i32).wrapping_sub(SHIFT.to_bits() as i32);
    nearest - i32::from(shifted - SHIFT > x)
}

impl NoiseTexture {
    /// The one table of the process; it is the same everywhere.
    pub(super) fn shared() -> &'static Self {
        static TABLE: OnceLock<NoiseTexture> = OnceLock::new();
        TABLE.get_or_init(Self::new)
    }

    fn new() -> Self {
        let mut finest = Vec::with_capacity(SIZE * SIZE);
        for y in 0..SIZE as i32 {
            for x in 0..SIZE as i32 {
                let (crack, patch) = cells(x as f32, y as f32, 8);
                finest.push([lattice(x, y, 1), cloud(x as f32, y as f32), crack, patch]);
            }
        }
        let mut levels = vec![finest];
        for level in 1..LEVELS {
            let side = SIZE >> level;
            let finer = &levels[level - 1];
            let mut coarser = Vec::with_capacity(side * side);
            for y in 0..side {
                for x in 0..side {
                    let mut mean = [0.0; 4];
                    for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                        let texel = finer[(2 * y + dy) * side * 2 + 2 * x + dx];
                        for (sum, value) in mean.iter_mut().zip(texel) {
                            *sum += value * 0.25;
                        }
                    }
                    coarser.push(mean);
                }
            }
            levels.push(coarser);
        }
        Self { levels }
    }

    /// Bilinear sample at a position in texels of the finest level; `footprint` is the width, in such texels, over which
    /// the sample averages.
    #[inline(always)]
    pub(super) fn sample(&self, u: f32, v: f32, footprint: f32) -> [f32; 4] {
        let level = (footprint.max(1.0).to_bits() >> 23)
            .saturating_sub(127)
            .min(LEVELS as u32 - 1) as usize;
        let side = SIZE >> level;
        let scale = 1.0 / (1u32 << level) as f32;
        let (u, v) = (u * scale, v * scale);
        let (x, y) = (floor(u), floor(v));
        let (fx, fy) = (u - x as f32, v - y as f32);
        let mask = side as i32 - 1;
        let (x0, y0) = ((x & mask) as usize, (y & mask) as usize);
        let (x1, y1) = (((x + 1) & mask) as usize, ((y + 1) & mask) as usize);
        let texels = &self.levels[level];
        let (a, b) = (texels[y0 * side + x0], texels[y0 * side + x1]);
        let (c, d) = (texels[y1 * side + x0], texels[y1 * side + x1]);
        let mut result = [0.0; 4];
        for i in 0..4 {
            let top = a[i] + (b[i] - a[i]) * fx;
            let bottom = c[i] + (d[i] - c[i]) * fx;
            result[i] = top + (bottom - top) * fy;
        }
        result
    }
}

/// Five octaves of tiling value noise, stretched to use [0, 1].
fn cloud(x: f32, y: f32) -> f32 {
    let (mut sum, mut weight) = (0.0, 0.0);
    for octave in 0..5 {
        let cells = 8 << octave;
        let amplitude = 0.6f32.powi(octave);
        sum += amplitude * value_noise(x, y, cells, 10 + octave as u32);
        weight += amplitude;
    }
    ((sum / weight - 0.5) * 1.9 + 0.5).clamp(0.0, 1.0)
}

/// Smooth tiling noise with `cells` lattice cells a side.
fn value_noise(x: f32, y: f32, cells: i32, salt: u32) -> f32 {
    let scale = cells as f32 / SIZE as f32;
    let (u, v) = (x * scale, y * scale);
    let (i, j) = (floor(u), floor(v));
    let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
    let (fu, fv) = (smooth(u - i as f32), smooth(v - j as f32));
    let at =
        |di: i32, dj: i32| lattice((i + di).rem_euclid(cells), (j + dj).rem_euclid(cells), salt);
    let top = at(0, 0) + (at(1, 0) - at(0, 0)) * fu;
    let bottom = at(0, 1) + (at(1, 1) - at(0, 1)) * fu;
    top + (bottom - top) * fv
}

/// Cellular noise: how near the border of two cells is, and a value of the cell.
fn cells(x: f32, y: f32, count: i32) -> (f32, f32) {
    let bend = (
        value_noise(x, y, 32, 20) - 0.5,
        value_noise(x, y, 32, 21) - 0.5,
    );
    let size = SIZE as f32 / count as f32;
    let (u, v) = (x / size + bend.0 * 0.5, y / size + bend.1 * 0.5);
    let (i, j) = (floor(u), floor(v));
    let (mut nearest, mut second, mut value) = (f32::MAX, f32::MAX, 0.0);
    for dj in -1..=1 {
        for di in -1..=1 {
            let (ci, cj) = (i + di, j + dj);
            let (wi, wj) = (ci.rem_euclid(count), cj.rem_euclid(count));
            let du = ci as f32 + lattice(wi, wj, 30) - u;
            let dv = cj as f32 + lattice(wi, wj, 31) - v;
            let distance = (du * du + dv * dv).sqrt();
            if distance < nearest {
                second = nearest;
                nearest = distance;
                value = lattice(wi, wj, 32);
            } else if distance < second {
                second = distance;
            }
        }
    }
    let border = (second - nearest) * size;
    ((1.0 - border / 2.5).clamp(0.0, 1.0), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floor_rounds_down_everywhere() {
        for (x, expected) in [
            (0.0, 0),
            (0.99, 0),
            (1.0, 1),
            (-0.01, -1),
            (-1.0, -1),
            (-2.5, -3),
            (409_599.5, 409_599),
            (2.5, 2),
            (3.5, 3),
        ] {
            assert_eq!(floor(x), expected, "{x}");
        }
    }

    #[test]
    fn the_texture_tiles_and_fades_to_its_mean() {
        let noise = NoiseTexture::shared();
        let here = noise.sample(17.3, 200.8, 1.0);
        let there = noise.sample(17.3 - 256.0, 200.8 + 512.0, 1.0);
        for (a, b) in here.into_iter().zip(there) {
            assert!((a - b).abs() < 1e-3);
        }
        let far = noise.sample(99.0, 3.0, 1e6);
        assert!((far[GRAIN] - 0.5).abs() < 0.02 && (0.3..0.7).contains(&far[CLOUD]));
    }
}
