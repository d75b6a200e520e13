//! Meshes of the ground: asphalt, kerbs, sidewalks and grass.

use super::chunks::{ASPHALT_LAYER, Chunks, GRASS_LAYER, ground_vertex};
use super::layout::{Block, Layout, Road};
use super::terrain::Terrain;
use crate::scene::{Instance, InstanceId, Material, Mesh, Triangle, Vertex};
use nalgebra::{Point2, Point3, Vector2, Vector3};

/// Height of kerbs and sidewalks over the road, metres.
pub(crate) const KERB_M: f64 = 0.12;
/// Length of a mesh row along the road, metres.
const ROW_M: f64 = 2.5;
/// Rows that go into one patch.
const PATCH_ROWS: usize = 5;
/// How deep the grass dives below pavement, so that it never shows through.
const DIVE_M: f64 = 0.3;

/// Adds all ground to the chunks.
pub(crate) fn pave(layout: &Layout, terrain: &Terrain, chunks: &mut Chunks) {
    for road in &layout.roads {
        for block in &road.blocks {
            pave_block(road, block, terrain, chunks);
        }
    }
    for index in 0..layout.junctions.len() {
        pave_junction(layout, index, terrain, chunks);
    }
    grow_grass(terrain, chunks);
}

/// Stations every [`ROW_M`] or less from one arc length to another.
fn stations(from: f64, to: f64) -> Vec<f64> {
    let count = ((to - from) / ROW_M).ceil().max(1.0);
    (0..=count as usize)
        .map(|i| from + (to - from) * i as f64 / count)
        .collect()
}

/// Lateral stations from the right to the left edge.
fn columns(road: &Road) -> Vec<f64> {
    let [right, left] = road.section.edges_m();
    let count = ((left - right) / 3.4).ceil().max(2.0);
    (0..=count as usize)
        .map(|i| right + (left - right) * i as f64 / count)
        .collect()
}

fn pave_block(road: &Road, block: &Block, terrain: &Terrain, chunks: &mut Chunks) {
    let material = Material::Asphalt {
        tint: road.section.tint as f32,
    };
    let columns = columns(road);
    let [right, left] = road.section.edges_m();
    let walk = road.section.sidewalk_m;
    let stations = stations(block.s[0], block.s[1]);
    for patch in stations.chunks(PATCH_ROWS).enumerate().map(|(i, patch)| {
        let end = (i * PATCH_ROWS + patch.len() + 1).min(stations.len());
        &stations[i * PATCH_ROWS..end]
    }) {
        if patch.len() < 2 {
            continue;
        }
        let rows: Vec<_> = patch.iter().map(|s| road.curve.at(*s)).collect();
        let vertices: Vec<Vertex> = rows
            .iter()
            .flat_map(|row| {
                columns
                    .iter()
                    .map(|d| ground_vertex(terrain, &row.aside(*d), 0.0))
            })
            .collect();
        chunks.add_grid(ASPHALT_LAYER, material, columns.len(), &vertices);
        if walk > 0.0 {
            let side = |inner: f64, outer: f64| -> Vec<[Point2<f64>; 2]> {
                rows.iter()
                    .map(|row| [row.aside(inner), row.aside(outer)])
                    .collect()
            };
            add_sidewalk(&side(left, left + walk), true, terrain, chunks);
            add_sidewalk(&side(right, right - walk), false, terrain, chunks);
        }
    }
}

/// A kerb and the sidewalk behind it, from rows of (kerb, outer border); the road is on the right if `road_is_right`.
fn add_sidewalk(
    rows: &[[Point2<f64>; 2]],
    road_is_right: bool,
    terrain: &Terrain,
    chunks: &mut Chunks,
) {
    let mut top = Vec::with_capacity(rows.len() * 2);
    let mut face = Vec::with_capacity(rows.len() * 2);
    for [kerb, outer] in rows {
        let inner = ground_vertex(terrain, kerb, KERB_M);
        let outside = ground_vertex(terrain, outer, KERB_M);
        let towards_road: Vector2<f64> = (kerb - outer).normalize();
        let normal = Vector3::new(towards_road.x as f32, towards_road.y as f32, 0.0);
        let upper = Vertex { normal, ..inner };
        let mut lower = upper;
        lower.position.z -= KERB_M as f32;
        if road_is_right {
            top.extend([inner, outside]);
            face.extend([lower, upper]);
        } else {
            top.extend([outside, inner]);
            face.extend([upper, lower]);
        }
    }
    chunks.add_grid(GRASS_LAYER, Material::Concrete, 2, &top);
    chunks.add_grid(GRASS_LAYER, Material::Concrete, 2, &face);
}

fn pave_junction(layout: &Layout, index: usize, terrain: &Terrain, chunks: &mut Chunks) {
    let junction = &layout.junctions[index];
    let tint = layout.roads[0].section.tint as f32;
    let mut border: Vec<Point2<f64>> = Vec::new();
    for (i, corner) in junction.corners.iter().enumerate() {
        border.extend_from_slice(corner);
        // The mouth of the next arm, divided like the road beyond it.
        let arm = &junction.arms[(i + 1) % junction.arms.len()];
        let road = &layout.roads[arm.road];
        let mut across = columns(road);
        if arm.sign < 0.0 {
            across.reverse();
        }
        let at = road.curve.at(arm.mouth_s);
        border.extend(across[1..across.len() - 1].iter().map(|d| at.aside(*d)));
    }
    let rings = [1.0, 0.75, 0.5, 0.25, 0.0];
    let mut vertices = Vec::with_capacity((border.len() + 1) * rings.len());
    for place in border.iter().chain(border.first()) {
        for ring in rings.iter() {
            let place = junction.centre + (place - junction.centre) * *ring;
            vertices.push(ground_vertex(terrain, &place, 0.0));
        }
    }
    chunks.add_grid(
        ASPHALT_LAYER,
        Material::Asphalt { tint },
        rings.len(),
        &vertices,
    );
    pave_corners(layout, index, terrain, chunks);
}

/// Sidewalks around the corners of a junction.
fn pave_corners(layout: &Layout, index: usize, terrain: &Terrain, chunks: &mut Chunks) {
    let junction = &layout.junctions[index];
    for (i, corner) in junction.corners.iter().enumerate() {
        let next = &junction.arms[(i + 1) % junction.arms.len()];
        let from = layout.roads[junction.arms[i].road].section.sidewalk_m;
        let to = layout.roads[next.road].section.sidewalk_m;
        if from == 0.0 || to == 0.0 {
            continue;
        }
        let last = corner.len() - 1;
        let rows: Vec<[Point2<f64>; 2]> = (0..=last)
            .map(|k| {
                let along = (corner[(k + 1).min(last)] - corner[k.saturating_sub(1)]).normalize();
                let width = from + (to - from) * k as f64 / last as f64;
                // The pavement of the junction is on the left.
                [
                    corner[k],
                    corner[k] + Vector2::new(along.y, -along.x) * width,
                ]
            })
            .collect();
        add_sidewalk(&rows, false, terrain, chunks);
    }
}

/// Grass everywhere, sunk below pavement.
fn grow_grass(terrain: &Terrain, chunks: &mut Chunks) {
    const CELLS: usize = 10;
    let [columns, rows] = terrain.size();
    for first_row in (0..rows - 1).step_by(CELLS) {
        for first_column in (0..columns - 1).step_by(CELLS) {
            let last_row = (first_row + CELLS).min(rows - 1);
            let last_column = (first_column + CELLS).min(columns - 1);
            let mut vertices = Vec::with_capacity((CELLS + 1) * (CELLS + 1));
            // Rows of the patch go along x, columns along y.
            for column in first_column..=last_column {
                for row in first_row..=last_row {
                    let depth = (-terrain.node_clearance_m(column, row) / 2.5).clamp(0.0, 1.0);
                    let place = terrain.node(column, row);
                    vertices.push(ground_vertex(terrain, &place, -DIVE_M * depth));
                }
            }
            chunks.add_grid(
                GRASS_LAYER,
                Material::Grass,
                last_row - first_row + 1,
                &vertices,
            );
        }
    }
}

/// A wide meadow below the terrain, up to the horizon: closes the view where the terrain is not drawn.
pub(crate) fn meadow(terrain: &Terrain) -> Instance {
    const REACH_M: f64 = 700.0;
    const DEPTH_M: f64 = 1.5;
    let [columns, rows] = terrain.size();
    let z = terrain.lowest() - DEPTH_M;
    let (low, high) = (terrain.node(0, 0), terrain.node(columns - 1, rows - 1));
    let (low, high) = (
        low - Vector2::repeat(REACH_M),
        high + Vector2::repeat(REACH_M),
    );
    let vertices = [
        [low.x, low.y],
        [high.x, low.y],
        [high.x, high.y],
        [low.x, high.y],
    ]
    .map(|[x, y]| Vertex {
        position: Point3::new(x as f32, y as f32, z as f32),
        normal: Vector3::z(),
        uv: [x as f32, y as f32],
    });
    let triangles = [[0, 1, 2], [0, 2, 3]].map(|corners| Triangle {
        corners,
        material: 0,
    });
    let mesh = Mesh {
        vertices: vertices.to_vec(),
        triangles: triangles.to_vec(),
        materials: vec![Material::Grass],
        ..Mesh::default()
    };
    super::chunks::instance_of(mesh, InstanceId(0))
}
