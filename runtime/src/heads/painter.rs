//! Paints maps as a perfect network would give them, for tests.

use bevrt_calibration::BevGrid;

/// Logit of a cell where there is nothing.
const QUIET: f32 = -9.0;

/// A map of `[channels, rows, cols]`.
pub(super) struct Painter {
    pub grid: BevGrid,
    pub values: Vec<f32>,
}

/// The grid of coarse heads.
pub(super) const COARSE: BevGrid = BevGrid {
    x_min_m: -51.2,
    y_min_m: -51.2,
    cell_m: 0.8,
    rows: 128,
    cols: 128,
};

/// The grid of fine heads.
pub(crate) const FINE: BevGrid = BevGrid {
    x_min_m: -33.6,
    y_min_m: -16.8,
    cell_m: 0.4,
    rows: 168,
    cols: 84,
};

impl Painter {
    /// A map with `logits` quiet confidence maps and zeros elsewhere.
    pub(super) fn new(grid: BevGrid, channels: usize, logits: usize) -> Self {
        let cells = grid.cell_count();
        let mut values = vec![0.0; channels * cells];
        values[..logits * cells].fill(QUIET);
        Self { grid, values }
    }

    pub(super) fn set(&mut self, channel: usize, cell: usize, value: f32) {
        let cells = self.grid.cell_count();
        self.values[channel * cells + cell] = value;
    }

    fn get(&self, channel: usize, cell: usize) -> f32 {
        self.values[channel * self.grid.cell_count() + cell]
    }

    /// Paints a centre: a bump in confidence map `class`, and around it the offsets to the centre
    /// (from channel `dx` on) and `values` in the given channels.
    pub(super) fn centre(
        &mut self,
        class: usize,
        confidence: f32,
        [x, y]: [f64; 2],
        dx: usize,
        values: &[(usize, f32)],
    ) {
        let peak = (confidence / (1.0 - confidence)).ln();
        let grid = self.grid;
        for row in 0..grid.rows {
            for col in 0..grid.cols {
                let centre = grid.centre(row, col);
                let (to_x, to_y) = (x - centre.x, y - centre.y);
                let distance = to_x.hypot(to_y) / grid.cell_m;
                if distance > 2.5 {
                    continue;
                }
                let cell = grid.index(row, col);
                let logit = peak - 2.0 * (distance * distance) as f32;
                let before = self.values[class * grid.cell_count() + cell];
                self.set(class, cell, logit.max(before));
                self.set(dx, cell, to_x as f32);
                self.set(dx + 1, cell, to_y as f32);
                for &(channel, value) in values {
                    self.set(channel, cell, value);
                }
            }
        }
    }

    /// Paints a line: every cell within `reach_m` of the polyline, and no nearer to a line painted
    /// before, gets its nearest point, its direction, height, type and colour, in the channels of a
    /// lane head.
    pub(super) fn line(
        &mut self,
        points: &[[f64; 3]],
        confidence: f32,
        marking: usize,
        colour: usize,
    ) {
        let reach_m = 0.45;
        let logit = (confidence / (1.0 - confidence)).ln();
        let grid = self.grid;
        for row in 0..grid.rows {
            for col in 0..grid.cols {
                let centre = grid.centre(row, col);
                let nearest = nearest_point(points, centre.x, centre.y);
                let (dx, dy) = (nearest.point[0] - centre.x, nearest.point[1] - centre.y);
                if dx.hypot(dy) > reach_m {
                    continue;
                }
                let cell = grid.index(row, col);
                let [painted, x, y] = [0, 1, 2].map(|channel| self.get(channel, cell));
                if painted > 0.0 && f64::from(x.hypot(y)) < dx.hypot(dy) - 1e-3 {
                    continue;
                }
                let theta = 2.0 * nearest.theta;
                let values = [
                    logit,
                    dx as f32,
                    dy as f32,
                    theta.cos() as f32,
                    theta.sin() as f32,
                ];
                for (channel, value) in values.into_iter().enumerate() {
                    self.set(channel, cell, value);
                }
                self.set(5, cell, nearest.point[2] as f32);
                for k in 0..4 {
                    self.set(6 + k, cell, if k == marking { 4.0 } else { -4.0 });
                }
                for k in 0..2 {
                    self.set(10 + k, cell, if k == colour { 4.0 } else { -4.0 });
                }
                self.set(12, cell, 0.1_f32.ln());
            }
        }
    }
}

struct Nearest {
    point: [f64; 3],
    theta: f64,
}

fn nearest_point(points: &[[f64; 3]], x: f64, y: f64) -> Nearest {
    let mut best = (
        f64::INFINITY,
        Nearest {
            point: points[0],
            theta: 0.0,
        },
    );
    for pair in points.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let share = ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy);
        let share = share.clamp(0.0, 1.0);
        let point = std::array::from_fn(|k| a[k] + share * (b[k] - a[k]));
        let distance = (point[0] - x).hypot(point[1] - y);
        if distance < best.0 {
            best = (
                distance,
                Nearest {
                    point,
                    theta: dy.atan2(dx),
                },
            );
        }
    }
    best.1
}

/// Largest distance of the points `of` from the polyline `to`.
pub(super) fn largest_distance(of: &[[f32; 3]], to: &[[f64; 3]]) -> f64 {
    of.iter()
        .map(|point| {
            let [x, y] = [f64::from(point[0]), f64::from(point[1])];
            let nearest = nearest_point(to, x, y).point;
            (nearest[0] - x).hypot(nearest[1] - y)
        })
        .fold(0.0, f64::max)
}
