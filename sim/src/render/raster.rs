//! Fills the visibility buffer: which triangle every sample sees, and at what distance.

use super::lens::{Cone, RayTable, TILE, TILE_AREA};
use super::simd::kernel;
use nalgebra::Vector3;

/// Owner of a sample that sees no triangle.
pub(super) const NOBODY: u32 = u32::MAX;

/// A triangle as planes through the camera; all in camera axes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    /// Edge planes: a ray is inside where all three products are not negative.
    pub(super) edges: [Vector3<f32>; 3],
    /// Product with a unit ray gives the inverse distance along it, 1/m.
    pub(super) plane: Vector3<f32>,
    /// Factor on the inverse distance for the comparison with what is already there; above 1 for decals.
    pub(super) bias: f32,
}

/// Inclusive bounds in samples: first column, first row, last column, last row.
pub(super) type SampleBox = [usize; 4];

/// Distance above its ground at which a decal is compared, metres.
const DECAL_LIFT_M: f32 = 0.03;

impl Setup {
    /// Planes of a triangle given in the camera frame; `None` if it is seen edge-on or from behind.
    pub(super) fn new(
        corners: [Vector3<f32>; 3],
        is_double_sided: bool,
        layer: u8,
    ) -> Option<(Self, f32)> {
        let [a, b, c] = corners;
        let normal = (b - a).cross(&(c - a));
        let volume = normal.dot(&a);
        if volume.abs() < 1e-12 || (volume > 0.0 && !is_double_sided) {
            return None;
        }
        let sign = if volume < 0.0 { -1.0 } else { 1.0 };
        let bias = if layer == 0 {
            1.0
        } else {
            let height = volume.abs() / normal.norm();
            1.002 * height / (height - DECAL_LIFT_M).max(0.3 * height)
        };
        let edges = [b.cross(&c) * sign, c.cross(&a) * sign, a.cross(&b) * sign];
        Some((
            Self {
                edges,
                plane: normal / volume,
                bias,
            },
            1.0 / volume.abs(),
        ))
    }

    fn relation(&self, cone: &Cone) -> Relation {
        let mut relation = Relation::Inside;
        for edge in &self.edges {
            let at_axis = edge.dot(&cone.axis);
            let reach = edge.norm() * cone.chord;
            if at_axis + reach < 0.0 {
                return Relation::Outside;
            }
            if at_axis - reach < 0.0 {
                relation = Relation::Partly;
            }
        }
        relation
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Relation {
    Outside,
    Partly,
    Inside,
}

/// Ground-truth counting of one instance while its triangles are drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counting {
    mark: u32,
}

/// Least inverse distance within a tile, or less while it is not up to date.
#[derive(Clone, Copy, Default)]
struct Farthest {
    inverse: f32,
    /// Triangles drawn since it was computed.
    age: u32,
}

/// Visibility buffer of one image, tile after tile like [`RayTable`].
#[derive(Default)]
pub(super) struct Surface {
    /// Inverse distance of the nearest surface, 0 = sky.
    pub(super) inverse: Vec<f32>,
    /// Index of the triangle seen, or [`NOBODY`].
    pub(super) owner: Vec<u32>,
    marks: Vec<u32>,
    last_mark: u32,
    farthest: Vec<Farthest>,
    stack: Vec<(u8, u32, u32)>,
}

impl Surface {
    pub(super) fn reset(&mut self, table: &RayTable) {
        let count = table.tiles_x * table.tiles_y * TILE_AREA;
        self.inverse.clear();
        self.inverse.resize(count, 0.0);
        self.owner.clear();
        self.owner.resize(count, NOBODY);
        if self.marks.len() != count {
            self.marks = vec![0; count];
            self.last_mark = 0;
        }
        self.farthest.clear();
        self.farthest
            .resize(table.tiles_x * table.tiles_y, Farthest::default());
    }

    /// A mark that no sample bears yet.
    pub(super) fn next_mark(&mut self) -> Counting {
        if self.last_mark == u32::MAX {
            self.marks.fill(0);
            self.last_mark = 0;
        }
        self.last_mark += 1;
        Counting {
            mark: self.last_mark,
        }
    }

    /// Draws a triangle inside of `bounds`, or wherever it is seen if they are unknown. Returns how many samples the
    /// counted instance newly covers, occluded or not. `keeps` is asked for samples of materials with holes, with the
    /// point in the camera frame and how grazing the view is (0 to 1).
    pub(super) fn fill(
        &mut self,
        table: &RayTable,
        setup: &Setup,
        index: u32,
        bounds: Option<SampleBox>,
        counting: Option<Counting>,
        keeps: Option<&dyn Fn(Vector3<f32>, f32) -> bool>,
    ) -> u32 {
        const MANY_TILES: usize = 48;
        let whole = [0, 0, table.tiles_x * TILE - 1, table.tiles_y * TILE - 1];
        let limits = bounds.unwrap_or(whole);
        let (first_x, first_y) = (limits[0] / TILE, limits[1] / TILE);
        let (last_x, last_y) = (limits[2] / TILE, limits[3] / TILE);
        let tiles = (last_x - first_x + 1) * (last_y - first_y + 1);
        let mut newly = 0;
        if tiles <= MANY_TILES {
            for ty in first_y..=last_y {
                for tx in first_x..=last_x {
                    newly += self.fill_tile(
                        table,
                        setup,
                        index,
                        (tx, ty),
                        &limits,
                        counting,
                        keeps,
                        tiles == 1,
                    );
                }
            }
            return newly;
        }
        let mut stack = std::mem::take(&mut self.stack);
        stack.push((table.levels.len() as u8 - 1, 0, 0));
        while let Some((level, column, row)) = stack.pop() {
            let shift = level as usize;
            let (low_x, low_y) = ((column as usize) << shift, (row as usize) << shift);
            let span = (1usize << shift) - 1;
            if low_x > last_x || low_y > last_y || low_x + span < first_x || low_y + span < first_y
            {
                continue;
            }
            if level == 0 {
                newly += self.fill_tile(
                    table,
                    setup,
                    index,
                    (low_x, low_y),
                    &limits,
                    counting,
                    keeps,
                    false,
                );
                continue;
            }
            let here = &table.levels[shift];
            let cone = &here.cones[row as usize * here.columns + column as usize];
            let nearest = setup.plane.dot(&cone.axis) + setup.plane.norm() * cone.chord;
            if cone.chord < 0.0 || nearest <= 0.0 || setup.relation(cone) == Relation::Outside {
                continue;
            }
            let finer = &table.levels[shift - 1];
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let (x, y) = (2 * column + dx, 2 * row + dy);
                if (x as usize) < finer.columns && (y as usize) < finer.rows {
                    stack.push((level - 1, x, y));
                }
            }
        }
        self.stack = stack;
        newly
    }

    #[allow(clippy::too_many_arguments)]
    fn fill_tile(
        &mut self,
        table: &RayTable,
        setup: &Setup,
        index: u32,
        (tx, ty): (usize, usize),
        limits: &SampleBox,
        counting: Option<Counting>,
        keeps: Option<&dyn Fn(Vector3<f32>, f32) -> bool>,
        is_only_tile: bool,
    ) -> u32 {
        let tile = ty * table.tiles_x + tx;
        let cone = &table.levels[0].cones[tile];
        if cone.chord < 0.0 {
            return 0;
        }
        let nearest = (setup.plane.dot(&cone.axis) + setup.plane.norm() * cone.chord) * setup.bias;
        let range = tile * TILE_AREA..(tile + 1) * TILE_AREA;
        if counting.is_none() && self.hides(tile, nearest) {
            return 0;
        }
        let relation = if is_only_tile {
            Relation::Partly
        } else {
            setup.relation(cone)
        };
        if relation == Relation::Outside {
            return 0;
        }
        self.farthest[tile].age += 1;
        let view = TileView {
            x: lanes(&table.x[range.clone()]),
            y: lanes(&table.y[range.clone()]),
            z: lanes(&table.z[range.clone()]),
        };
        let first = limits[1].max(ty * TILE) - ty * TILE;
        let last = limits[3].min(ty * TILE + TILE - 1) - ty * TILE;
        let samples = (first * TILE, (last + 1) * TILE);
        let inverse = lanes_mut(&mut self.inverse[range.clone()]);
        let owner = lanes_mut(&mut self.owner[range.clone()]);
        if let Some(keeps) = keeps {
            fill_with_holes(setup, &view, inverse, owner, index, keeps);
            return 0;
        }
        match counting {
            Some(Counting { mark }) => {
                let marks = lanes_mut(&mut self.marks[range]);
                fill_counted(setup, &view, samples, inverse, owner, index, marks, mark)
            }
            None if relation == Relation::Inside => {
                fill_whole(setup, &view, inverse, owner, index);
                0
            }
            None => {
                fill_partly(setup, &view, samples, inverse, owner, index);
                0
            }
        }
    }

    /// Whether all samples of a tile see something nearer than `nearest`.
    fn hides(&mut self, tile: usize, nearest: f32) -> bool {
        const TRIANGLES_BETWEEN: u32 = 3;
        let farthest = &mut self.farthest[tile];
        if farthest.age >= TRIANGLES_BETWEEN {
            let inverse = &self.inverse[tile * TILE_AREA..(tile + 1) * TILE_AREA];
            *farthest = Farthest {
                inverse: least(lanes(inverse)),
                age: 0,
            };
        }
        nearest <= farthest.inverse
    }
}

struct TileView<'a> {
    x: &'a [f32; TILE_AREA],
    y: &'a [f32; TILE_AREA],
    z: &'a [f32; TILE_AREA],
}

fn lanes<T>(slice: &[T]) -> &[T; TILE_AREA] {
    slice.first_chunk().expect("a tile has TILE_AREA samples")
}

fn lanes_mut<T>(slice: &mut [T]) -> &mut [T; TILE_AREA] {
    slice
        .first_chunk_mut()
        .expect("a tile has TILE_AREA samples")
}

kernel! {
    fn fill_partly(setup: &Setup, rays: &TileView<'_>, samples: (usize, usize), inverse: &mut [f32; TILE_AREA], owner: &mut [u32; TILE_AREA], index: u32) {
        let [e, f, g] = setup.edges;
        let (p, bias) = (setup.plane, setup.bias);
        for i in samples.0..samples.1.min(TILE_AREA) {
            let (x, y, z) = (rays.x[i], rays.y[i], rays.z[i]);
            let d = p.x * x + p.y * y + p.z * z;
            let wins = (e.x * x + e.y * y + e.z * z >= 0.0)
                & (f.x * x + f.y * y + f.z * z >= 0.0)
                & (g.x * x + g.y * y + g.z * z >= 0.0)
                & (d * bias > inverse[i]);
            inverse[i] = if wins { d } else { inverse[i] };
            owner[i] = if wins { index } else { owner[i] };
        }
    }
}

kernel! {
    fn fill_whole(setup: &Setup, rays: &TileView<'_>, inverse: &mut [f32; TILE_AREA], owner: &mut [u32; TILE_AREA], index: u32) {
        let (p, bias) = (setup.plane, setup.bias);
        for i in 0..TILE_AREA {
            let d = p.x * rays.x[i] + p.y * rays.y[i] + p.z * rays.z[i];
            let wins = d * bias > inverse[i];
            inverse[i] = if wins { d } else { inverse[i] };
            owner[i] = if wins { index } else { owner[i] };
        }
    }
}

kernel! {
    fn fill_counted(setup: &Setup, rays: &TileView<'_>, samples: (usize, usize), inverse: &mut [f32; TILE_AREA], owner: &mut [u32; TILE_AREA], index: u32, marks: &mut [u32; TILE_AREA], mark: u32) -> u32 {
        let [e, f, g] = setup.edges;
        let (p, bias) = (setup.plane, setup.bias);
        let mut newly = 0;
        for i in samples.0..samples.1.min(TILE_AREA) {
            let (x, y, z) = (rays.x[i], rays.y[i], rays.z[i]);
            let d = p.x * x + p.y * y + p.z * z;
            let covers = (e.x * x + e.y * y + e.z * z >= 0.0)
                & (f.x * x + f.y * y + f.z * z >= 0.0)
                & (g.x * x + g.y * y + g.z * z >= 0.0)
                & (d > 0.0);
            let wins = covers & (d * bias > inverse[i]);
            inverse[i] = if wins { d } else { inverse[i] };
            owner[i] = if wins { index } else { owner[i] };
            newly += u32::from(covers & (marks[i] != mark));
            marks[i] = if covers { mark } else { marks[i] };
        }
        newly
    }
}

kernel! {
    fn least(inverse: &[f32; TILE_AREA]) -> f32 {
        let mut low = [f32::MAX; TILE];
        for row in inverse.chunks_exact(TILE) {
            for i in 0..TILE {
                low[i] = if row[i] < low[i] { row[i] } else { low[i] };
            }
        }
        low.into_iter().fold(f32::MAX, f32::min)
    }
}

fn fill_with_holes(
    setup: &Setup,
    rays: &TileView<'_>,
    inverse: &mut [f32; TILE_AREA],
    owner: &mut [u32; TILE_AREA],
    index: u32,
    keeps: &dyn Fn(Vector3<f32>, f32) -> bool,
) {
    let normal = setup.plane.normalize();
    for i in 0..TILE_AREA {
        let ray = Vector3::new(rays.x[i], rays.y[i], rays.z[i]);
        let d = setup.plane.dot(&ray);
        let wins =
            d * setup.bias > inverse[i] && setup.edges.iter().all(|edge| edge.dot(&ray) >= 0.0);
        if wins && keeps(ray / d, 1.0 - normal.dot(&ray)) {
            inverse[i] = d;
            owner[i] = index;
        }
    }
}
