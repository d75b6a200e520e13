//! Height of the ground everywhere, and how far a place is from the nearest road.

use super::layout::{Layout, MAIN_LENGTH_M};
use super::random::{Random, mix};
use nalgebra::{Point2, Vector3};

/// Spacing of the height samples, metres.
const CELL_M: f64 = 4.0;
/// How far the terrain reaches beyond the roads, metres.
const MARGIN_M: f64 = 80.0;
/// Distance from pavement at which [`Terrain::clearance_m`] saturates.
const FAR_M: f64 = 24.0;

/// A smooth height field over all roads and their surroundings.
#[derive(Clone, Debug)]
pub(crate) struct Terrain {
    low: Point2<f64>,
    columns: usize,
    rows: usize,
    heights: Vec<f32>,
    clearance: Vec<f32>,
}

/// Height and slope at a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground {
    pub(crate) z: f64,
    /// Upward unit normal.
    pub(crate) normal: Vector3<f64>,
}

impl Terrain {
    /// The terrain of a layout.
    pub(crate) fn generate(layout: &Layout, seed: u64) -> Self {
        let mut random = Random::new(seed, 2);
        let points = || layout.roads.iter().flat_map(|road| road.curve.points());
        let bound =
            |value: fn(&super::curve::CurvePoint) -> f64, start: f64, pick: fn(f64, f64) -> f64| {
                points().map(value).fold(start, pick)
            };
        let low = Point2::new(
            bound(|p| p.x, f64::MAX, f64::min) - MARGIN_M,
            bound(|p| p.y, f64::MAX, f64::min) - MARGIN_M,
        );
        let high = Point2::new(
            bound(|p| p.x, f64::MIN, f64::max) + MARGIN_M,
            bound(|p| p.y, f64::MIN, f64::max) + MARGIN_M,
        );
        let columns = ((high.x - low.x) / CELL_M).ceil() as usize + 1;
        let rows = ((high.y - low.y) / CELL_M).ceil() as usize + 1;
        let clearance = clearance_field(layout, low, columns, rows);
        let heights = height_field(layout, low, columns, rows, &mut random);
        Self {
            low,
            columns,
            rows,
            heights,
            clearance,
        }
    }

    /// Height and normal, by cubic convolution over the samples; beyond the field its border goes on.
    pub(crate) fn ground(&self, place: &Point2<f64>) -> Ground {
        let (column, fx) = self.cell(place.x - self.low.x, self.columns);
        let (row, fy) = self.cell(place.y - self.low.y, self.rows);
        let (wx, dx) = cubic(fx);
        let (wy, dy) = cubic(fy);
        let (mut z, mut zx, mut zy) = (0.0, 0.0, 0.0);
        for j in 0..4 {
            let y = (row + j).saturating_sub(1).min(self.rows - 1) * self.columns;
            let (mut value, mut slope) = (0.0, 0.0);
            for i in 0..4 {
                let height = f64::from(
                    self.heights[y + (column + i).saturating_sub(1).min(self.columns - 1)],
                );
                value += wx[i] * height;
                slope += dx[i] * height;
            }
            z += wy[j] * value;
            zx += wy[j] * slope;
            zy += dy[j] * value;
        }
        let normal = Vector3::new(-zx / CELL_M, -zy / CELL_M, 1.0).normalize();
        Ground { z, normal }
    }

    /// Height alone.
    pub(crate) fn z(&self, place: &Point2<f64>) -> f64 {
        self.ground(place).z
    }

    /// Distance to the nearest road edge (negative on the road), within about half a metre, at most 24 m.
    pub(crate) fn clearance_m(&self, place: &Point2<f64>) -> f64 {
        let (column, fx) = self.cell(place.x - self.low.x, self.columns);
        let (row, fy) = self.cell(place.y - self.low.y, self.rows);
        let at = |i: usize, j: usize| {
            f64::from(
                self.clearance[(row + j).min(self.rows - 1) * self.columns
                    + (column + i).min(self.columns - 1)],
            )
        };
        (at(0, 0) * (1.0 - fx) + at(1, 0) * fx) * (1.0 - fy)
            + (at(0, 1) * (1.0 - fx) + at(1, 1) * fx) * fy
    }

    /// The samples of the field as (column, row) counts, for the ground mesh.
    pub(crate) fn size(&self) -> [usize; 2] {
        [self.columns, self.rows]
    }

    /// Height of the lowest sample.
    pub(crate) fn lowest(&self) -> f64 {
        f64::from(self.heights.iter().copied().fold(f32::MAX, f32::min))
    }

    /// Place of a sample.
    pub(crate) fn node(&self, column: usize, row: usize) -> Point2<f64> {
        Point2::new(
            self.low.x + column as f64 * CELL_M,
            self.low.y + row as f64 * CELL_M,
        )
    }

    /// Clearance of a sample.
    pub(crate) fn node_clearance_m(&self, column: usize, row: usize) -> f64 {
        f64::from(self.clearance[row * self.columns + column])
    }

    fn cell(&self, offset: f64, count: usize) -> (usize, f64) {
        let cells = (offset / CELL_M).clamp(0.0, (count - 1) as f64 - 1e-6);
        (cells as usize, cells.fract())
    }
}

/// Catmull–Rom weights and their derivatives.
fn cubic(u: f64) -> ([f64; 4], [f64; 4]) {
    let (u2, u3) = (u * u, u * u * u);
    let weights = [
        0.5 * (-u3 + 2.0 * u2 - u),
        0.5 * (3.0 * u3 - 5.0 * u2 + 2.0),
        0.5 * (-3.0 * u3 + 4.0 * u2 + u),
        0.5 * (u3 - u2),
    ];
    let slopes = [
        0.5 * (-3.0 * u2 + 4.0 * u - 1.0),
        0.5 * (9.0 * u2 - 10.0 * u),
        0.5 * (-9.0 * u2 + 8.0 * u + 1.0),
        0.5 * (3.0 * u2 - 2.0 * u),
    ];
    (weights, slopes)
}

/// Height along the main road every 8 m: a smooth profile of grades within ±5 %.
fn vertical_profile(random: &mut Random) -> Vec<f64> {
    let steepest = random.pick(&[0.01, 0.02, 0.035, 0.05, 0.05]);
    let waves: Vec<(f64, f64, f64)> = (0..3)
        .map(|_| {
            (
                random.between(180.0, 420.0),
                random.between(0.0, std::f64::consts::TAU),
                random.between(0.3, 1.0),
            )
        })
        .collect();
    let sum: f64 = waves.iter().map(|wave| wave.2).sum();
    (0..=(MAIN_LENGTH_M / 8.0) as usize)
        .map(|i| {
            let s = i as f64 * 8.0;
            // The grade of a·sin(k·s) is at most a·k.
            let height = |(length, phase, weight): &(f64, f64, f64)| {
                let k = std::f64::consts::TAU / length;
                steepest * weight / sum / k * (k * s + phase).sin()
            };
            waves.iter().map(height).sum()
        })
        .collect()
}

fn height_field(
    layout: &Layout,
    low: Point2<f64>,
    columns: usize,
    rows: usize,
    random: &mut Random,
) -> Vec<f32> {
    let profile = vertical_profile(random);
    let main = &layout.roads[0];
    let at: Vec<_> = (0..profile.len())
        .map(|i| main.curve.at(i as f64 * 8.0))
        .collect();
    // Single precision, apart by coordinate, so that the loop over samples is vectorised.
    let xs: Vec<f32> = at.iter().map(|at| (at.x - low.x) as f32).collect();
    let ys: Vec<f32> = at.iter().map(|at| (at.y - low.y) as f32).collect();
    let zs: Vec<f32> = profile.iter().map(|z| *z as f32).collect();
    let mut distances = vec![0.0_f32; at.len()];
    let half = 0.5 * main.section.paved_width_m();
    let crossfall = random.between(0.012, 0.025);
    let swing = random.between(0.3, 1.6);
    let noise_seed = random.bits();
    let mut heights = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        for column in 0..columns {
            let (x, y) = (low.x + column as f64 * CELL_M, low.y + row as f64 * CELL_M);
            let (px, py) = (
                (column as f64 * CELL_M) as f32,
                (row as f64 * CELL_M) as f32,
            );
            for ((distance, sx), sy) in distances.iter_mut().zip(&xs).zip(&ys) {
                let (dx, dy) = (px - sx, py - sy);
                *distance = dx * dx + dy * dy;
            }
            let smooth = weighted_mean(&distances, &zs);
            let mut nearest = (0, f32::MAX);
            for (index, distance) in distances.iter().enumerate() {
                if *distance < nearest.1 {
                    nearest = (index, *distance);
                }
            }
            let at = &at[nearest.0];
            let (dx, dy) = (x - at.x, y - at.y);
            let along = dx * at.ahead.x + dy * at.ahead.y;
            let aside = dy * at.ahead.x - dx * at.ahead.y - 0.5 * at.curvature * along * along;
            let aside = aside.abs();
            let crown = -crossfall * ((aside.min(half + 6.0)).powi(2) + 1.0).sqrt();
            let u = ((aside - half - 6.0) / 55.0).clamp(0.0, 1.0);
            let wild = swing * u * u * (3.0 - 2.0 * u) * noise(noise_seed, x / 45.0, y / 45.0);
            heights.push((f64::from(smooth) + crown + wild) as f32);
        }
    }
    heights
}

/// Mean of `values`, those at small squared distances counting most; summed in eight lanes.
fn weighted_mean(distances: &[f32], values: &[f32]) -> f32 {
    const LANES: usize = 8;
    let (mut weights, mut sums) = ([0.0_f32; LANES], [0.0_f32; LANES]);
    for (distances, values) in distances.chunks(LANES).zip(values.chunks(LANES)) {
        for (lane, (distance, value)) in distances.iter().zip(values).enumerate() {
            let weight = 1.0 / (distance + 100.0);
            let weight = weight * weight * weight;
            weights[lane] += weight;
            sums[lane] += weight * value;
        }
    }
    sums.iter().sum::<f32>() / weights.iter().sum::<f32>()
}

/// Smooth value noise in [−1, 1].
fn noise(seed: u64, x: f64, y: f64) -> f64 {
    let corner = |i: f64, j: f64| {
        let hash = mix(
            seed ^ mix((i as i64 as u64).wrapping_mul(0x9E37_79B9) ^ ((j as i64 as u64) << 32))
        );
        (hash >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    let (i, j) = (x.floor(), y.floor());
    let ease = |u: f64| u * u * u * (u * (6.0 * u - 15.0) + 10.0);
    let (u, v) = (ease(x - i), ease(y - j));
    let low = corner(i, j) * (1.0 - u) + corner(i + 1.0, j) * u;
    let high = corner(i, j + 1.0) * (1.0 - u) + corner(i + 1.0, j + 1.0) * u;
    low * (1.0 - v) + high * v
}

/// Distance to pavement at every sample: roads are splatted around their centre lines, junctions around their corners.
fn clearance_field(layout: &Layout, low: Point2<f64>, columns: usize, rows: usize) -> Vec<f32> {
    let mut field = vec![FAR_M as f32; columns * rows];
    let mut splat = |x: f64, y: f64, reach: f64, distance: &dyn Fn(f64, f64) -> f64| {
        let range = |centre: f64, count: usize| {
            let from = ((centre - reach) / CELL_M).ceil().max(0.0) as usize;
            let to = ((centre + reach) / CELL_M).floor().max(-1.0) + 1.0;
            from..(to as usize).min(count)
        };
        for row in range(y - low.y, rows) {
            for column in range(x - low.x, columns) {
                let (px, py) = (low.x + column as f64 * CELL_M, low.y + row as f64 * CELL_M);
                let cell = &mut field[row * columns + column];
                *cell = cell.min(distance(px - x, py - y) as f32);
            }
        }
    };
    for road in &layout.roads {
        let [right, left] = road.section.edges_m();
        let reach = left.max(-right) + FAR_M;
        for at in road.curve.points().iter().step_by(3) {
            let (sin, cos) = (at.ahead.y, at.ahead.x);
            splat(at.x, at.y, reach, &|dx, dy| {
                let (along, aside) = (dx * cos + dy * sin, dy * cos - dx * sin);
                let beyond = (aside - left).max(right - aside);
                let past = along.abs() - 2.0;
                if past > 0.0 {
                    beyond.max(0.0).hypot(past).max(beyond)
                } else {
                    beyond
                }
            });
        }
    }
    for junction in &layout.junctions {
        for corner in &junction.corners {
            for pair in corner.windows(2).step_by(2) {
                let along = (pair[1] - pair[0]).normalize();
                splat(pair[0].x, pair[0].y, 12.0, &|dx, dy| {
                    // The pavement of the junction is on the left of its corners.
                    let left = along.x * dy - along.y * dx;
                    let distance = dx.hypot(dy);
                    match left < 0.0 {
                        true => distance,
                        false if distance < 3.0 => -distance,
                        false => FAR_M,
                    }
                });
            }
        }
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_on_the_main_road_stay_within_five_percent_and_a_bit() {
        for seed in 0..40 {
            let layout = Layout::generate(seed);
            let terrain = Terrain::generate(&layout, seed);
            let heights: Vec<f64> = (20..500)
                .map(|s| terrain.z(&layout.roads[0].curve.aside(f64::from(s), 0.0)))
                .collect();
            for pair in heights.windows(2) {
                assert!((pair[1] - pair[0]).abs() < 0.06, "seed {seed}");
            }
        }
    }

    #[test]
    fn ground_is_continuous_and_its_normal_is_its_slope() {
        let layout = Layout::generate(3);
        let terrain = Terrain::generate(&layout, 3);
        for s in 0..200 {
            let place = layout.roads[0]
                .curve
                .aside(100.0 + 0.37 * f64::from(s), f64::from(s % 40) - 20.0);
            let ground = terrain.ground(&place);
            let h = 1e-3;
            let slope = (terrain.z(&Point2::new(place.x + h, place.y))
                - terrain.z(&Point2::new(place.x - h, place.y)))
                / (2.0 * h);
            assert!((slope + ground.normal.x / ground.normal.z).abs() < 1e-3);
        }
    }

    #[test]
    fn clearance_tells_road_from_field() {
        let layout = Layout::generate(4);
        let terrain = Terrain::generate(&layout, 4);
        let main = &layout.roads[0];
        let block = main.blocks[1];
        let s = 0.5 * (block.s[0] + block.s[1]);
        assert!(terrain.clearance_m(&main.curve.aside(s, 0.0)) < -1.5);
        let edge = main.section.edges_m()[1];
        let beyond = terrain.clearance_m(&main.curve.aside(s, edge + 6.0));
        assert!((beyond - 6.0).abs() < 1.5, "{beyond}");
    }
}
