//! Outputs of a network as it gives them for a road: an ordinary one, and one that fills every list.

use bevrt_calibration::BevGrid;
use bevrt_runtime::{
    ARROW_CAPACITY, CROSSWALK_CAPACITY, HeadKind, LANE_CAPACITY, OBJECT_CAPACITY,
    STOP_LINE_CAPACITY,
};

/// Logit of a cell where there is nothing.
const QUIET: f32 = -9.0;

/// How much there is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Three lanes with traffic.
    Road,
    /// As many elements of every kind as a frame holds, and the objects found twice.
    Full,
    /// As full, with lines as long and as close to each other as they can be told apart.
    Packed,
}

/// A map of `[channels, rows, cols]` in the making.
struct Map {
    grid: BevGrid,
    values: Vec<f32>,
}

/// Channels of a head of centres: where the offsets begin, and constant values of others.
struct Centres {
    dx: usize,
    values: &'static [(usize, f32)],
    /// Confidence maps.
    classes: usize,
}

/// The output of a dense head.
pub fn output(kind: HeadKind, grid: &BevGrid, load: Load) -> Vec<f32> {
    let mut map = Map {
        grid: *grid,
        values: vec![0.0; kind.channels() * grid.cell_count()],
    };
    let confidences = match kind {
        HeadKind::Lanes => 1,
        _ => kind.class_count(),
    };
    map.values[..confidences * grid.cell_count()].fill(QUIET);
    match kind {
        HeadKind::Objects => objects(&mut map, load),
        HeadKind::Lanes => lanes(&mut map, load),
        HeadKind::Arrows => {
            // sin and cos of yaw, ln sigma.
            let centres = Centres {
                dx: 8,
                values: &[(11, 1.0), (13, -1.5)],
                classes: 8,
            };
            scatter(&mut map, &centres, count(load, 6, ARROW_CAPACITY), 3.1);
        }
        HeadKind::Crosswalks => {
            // cos 2θ, ln length, ln width, ln sigma.
            let values = &[(3, -1.0), (5, 1.5), (6, 1.0), (8, -1.5)];
            let centres = Centres {
                dx: 1,
                values,
                classes: 1,
            };
            scatter(&mut map, &centres, count(load, 2, CROSSWALK_CAPACITY), 8.0);
        }
        HeadKind::StopLines => {
            // cos 2θ, ln length, ln sigma.
            let values = &[(3, -1.0), (5, 1.2), (7, -1.5)];
            let centres = Centres {
                dx: 1,
                values,
                classes: 1,
            };
            scatter(&mut map, &centres, count(load, 2, STOP_LINE_CAPACITY), 6.0);
        }
    }
    map.values
}

fn count(load: Load, usual: usize, capacity: usize) -> usize {
    match load {
        Load::Road => usual,
        Load::Full | Load::Packed => capacity,
    }
}

/// Objects on a lattice; a full map holds a weaker second detection beside each.
fn objects(map: &mut Map, load: Load) {
    // z; ln of length, width, height; cos of yaw; velocity; ln of six deviations.
    const VALUES: &[(usize, f32)] = &[
        (10, 0.8),
        (11, 1.4),
        (12, 0.6),
        (13, 0.5),
        (15, 1.0),
        (16, 8.0),
        (19, -1.0),
        (20, -1.2),
        (21, -2.0),
        (22, -0.5),
        (23, -0.5),
        (24, -2.0),
    ];
    let centres = |classes| Centres {
        dx: 8,
        values: VALUES,
        classes,
    };
    match load {
        Load::Road => scatter(map, &centres(4), 24, 9.0),
        Load::Full | Load::Packed => {
            // One less than fits, so that decoding has to look at the doubles too.
            let places = lattice(&map.grid, OBJECT_CAPACITY - 1, 6.0);
            for &place in &places {
                map.centre(1, 0.4, [place[0] + 1.6, place[1]], &centres(4));
            }
            for &place in &places {
                map.centre(0, 0.8, place, &centres(4));
            }
        }
    }
}

/// Lines along the road; as many as a frame holds lie in columns, too far apart to be joined.
fn lanes(map: &mut Map, load: Load) {
    let length = map.grid.rows as f64 * map.grid.cell_m;
    match load {
        Load::Road => {
            for (k, y) in [-7.5, -3.5, 0.0, 3.5, 7.5].into_iter().enumerate() {
                let marking = [3, 0, 1, 0, 3][k];
                map.line([0.0, length], y, marking);
            }
        }
        Load::Full => columns(map, LANE_CAPACITY / 4, 4),
        Load::Packed => columns(map, LANE_CAPACITY / 2, 2),
    }
}

/// Pieces of lines, `abreast` side by side and `along` one after another.
fn columns(map: &mut Map, abreast: usize, along: usize) {
    const GAP_M: f64 = 8.0;
    let grid = map.grid;
    let spacing = grid.cols as f64 * grid.cell_m / abreast as f64;
    let period = (grid.rows as f64 * grid.cell_m + GAP_M) / along as f64;
    for column in 0..abreast {
        let y = grid.y_min_m + (column as f64 + 0.5) * spacing;
        for place in 0..along {
            let from = place as f64 * period;
            map.line([from, from + period - GAP_M], y, column % 2);
        }
    }
}

fn scatter(map: &mut Map, centres: &Centres, count: usize, spacing_m: f64) {
    for (k, place) in lattice(&map.grid, count, spacing_m).into_iter().enumerate() {
        map.centre(k % centres.classes, 0.8, place, centres);
    }
}

/// Places some way apart, off the cells' centres, closer together where the grid is too small.
fn lattice(grid: &BevGrid, count: usize, spacing_m: f64) -> Vec<[f64; 2]> {
    let (length, width) = (
        grid.rows as f64 * grid.cell_m - 2.0,
        grid.cols as f64 * grid.cell_m - 2.0,
    );
    let spacing = spacing_m.min((length * width / count as f64).sqrt() * 0.9);
    let abreast = ((width / spacing) as usize).max(1);
    (0..count)
        .map(|k| {
            [
                grid.x_min_m + 1.3 + (k / abreast) as f64 * spacing,
                grid.y_min_m + 1.1 + (k % abreast) as f64 * spacing,
            ]
        })
        .collect()
}

impl Map {
    fn set(&mut self, channel: usize, cell: usize, value: f32) {
        let cells = self.grid.cell_count();
        self.values[channel * cells + cell] = value;
    }

    /// A bump of confidence, and around it the offsets to the centre and the other values.
    fn centre(&mut self, class: usize, confidence: f32, [x, y]: [f64; 2], centres: &Centres) {
        let peak = (confidence / (1.0 - confidence)).ln();
        let grid = self.grid;
        let (middle_row, middle_col) = grid.continuous(x, y);
        for row in around(middle_row, grid.rows) {
            for col in around(middle_col, grid.cols) {
                let at = grid.centre(row, col);
                let (to_x, to_y) = (x - at.x, y - at.y);
                let distance = to_x.hypot(to_y) / grid.cell_m;
                let cell = grid.index(row, col);
                let logit = peak - 2.0 * (distance * distance) as f32;
                let before = self.values[class * grid.cell_count() + cell];
                self.set(class, cell, logit.max(before));
                self.set(centres.dx, cell, to_x as f32);
                self.set(centres.dx + 1, cell, to_y as f32);
                for &(channel, value) in centres.values {
                    self.set(channel, cell, value);
                }
            }
        }
    }

    /// A line along x, from and to distances from the grid's edge.
    fn line(&mut self, [from, to]: [f64; 2], y: f64, marking: usize) {
        let grid = self.grid;
        for row in 0..grid.rows {
            for col in 0..grid.cols {
                let at = grid.centre(row, col);
                let along = at.x - grid.x_min_m;
                let nearest = along.clamp(from, to);
                let (dx, dy) = (nearest - along, y - at.y);
                if dx.hypot(dy) > 0.45 {
                    continue;
                }
                let cell = grid.index(row, col);
                let values = [1.5, dx as f32, dy as f32, 1.0, 0.0, 0.02];
                for (channel, value) in values.into_iter().enumerate() {
                    self.set(channel, cell, value);
                }
                for k in 0..4 {
                    self.set(6 + k, cell, if k == marking { 4.0 } else { -4.0 });
                }
                self.set(10, cell, 4.0);
                self.set(11, cell, -4.0);
                self.set(12, cell, -2.3);
            }
        }
    }
}

/// The indices within three of a place.
fn around(middle: f64, len: usize) -> std::ops::Range<usize> {
    let first = (middle - 2.0).max(0.0) as usize;
    first..((middle + 4.0).max(0.0) as usize).min(len)
}
