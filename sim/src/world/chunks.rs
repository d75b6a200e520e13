//! Collects triangles of the ground into meshes of limited extent, so that the renderer can skip the distant ones.

use super::terrain::Terrain;
use crate::scene::{Instance, InstanceId, Material, Mesh, Triangle, Vertex};
use nalgebra::{Isometry3, Point2, Point3, Translation3, Vector3};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Extent of a chunk, metres; patches that stick out may add some 15 m.
const CHUNK_M: f64 = 40.0;

/// Bare ground.
pub(crate) const GRASS_LAYER: u8 = 0;
/// Pavement over it.
pub(crate) const ASPHALT_LAYER: u8 = 1;
/// Repairs, covers and traces on the pavement.
pub(crate) const STAIN_LAYER: u8 = 2;
/// Road paint.
pub(crate) const PAINT_LAYER: u8 = 3;

/// Meshes under construction by place and layer.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    drafts: BTreeMap<(i32, i32, u8), Mesh>,
}

impl Chunks {
    /// Adds a grid of vertices in world coordinates, row-major, rows going forward and columns going left.
    pub(crate) fn add_grid(
        &mut self,
        layer: u8,
        material: Material,
        columns: usize,
        vertices: &[Vertex],
    ) {
        debug_assert!(columns >= 2 && vertices.len().is_multiple_of(columns));
        let rows = vertices.len() / columns;
        let (mesh, material, first) =
            self.draft(layer, material, &vertices[vertices.len() / 2].position);
        mesh.vertices.extend_from_slice(vertices);
        for row in 0..rows - 1 {
            for column in 0..columns - 1 {
                let a = first + (row * columns + column) as u32;
                let (b, c, d) = (a + columns as u32, a + columns as u32 + 1, a + 1);
                mesh.triangles.push(Triangle {
                    corners: [a, b, c],
                    material,
                });
                mesh.triangles.push(Triangle {
                    corners: [a, c, d],
                    material,
                });
            }
        }
    }

    /// Adds a convex polygon in world coordinates, counter-clockwise from above.
    pub(crate) fn add_polygon(&mut self, layer: u8, material: Material, vertices: &[Vertex]) {
        let (mesh, material, first) = self.draft(layer, material, &vertices[0].position);
        mesh.vertices.extend_from_slice(vertices);
        for i in 1..vertices.len() as u32 - 1 {
            mesh.triangles.push(Triangle {
                corners: [first, first + i, first + i + 1],
                material,
            });
        }
    }

    fn draft(
        &mut self,
        layer: u8,
        material: Material,
        place: &Point3<f32>,
    ) -> (&mut Mesh, u16, u32) {
        let cell = |value: f32| (f64::from(value) / CHUNK_M).floor() as i32;
        let mesh = self
            .drafts
            .entry((cell(place.x), cell(place.y), layer))
            .or_insert_with(|| Mesh {
                layer,
                ..Mesh::default()
            });
        let material = mesh
            .materials
            .iter()
            .position(|known| *known == material)
            .unwrap_or_else(|| {
                mesh.materials.push(material);
                mesh.materials.len() - 1
            });
        let first = mesh.vertices.len() as u32;
        (mesh, material as u16, first)
    }

    /// The finished meshes as instances of the static world, each in a frame of its own at its middle.
    pub(crate) fn into_instances(self) -> Vec<Instance> {
        self.drafts
            .into_values()
            .map(|mesh| instance_of(mesh, InstanceId(0)))
            .collect()
    }
}

/// Moves a mesh given in world coordinates into a frame at its middle.
pub(crate) fn instance_of(mut mesh: Mesh, id: InstanceId) -> Instance {
    let mut low = Vector3::repeat(f32::MAX);
    let mut high = Vector3::repeat(f32::MIN);
    for vertex in &mesh.vertices {
        low = low.inf(&vertex.position.coords);
        high = high.sup(&vertex.position.coords);
    }
    let middle = (low + high) * 0.5;
    mesh.vertices
        .iter_mut()
        .for_each(|vertex| vertex.position -= middle);
    let radius = 0.5 * (high - low).norm();
    Instance {
        mesh: Arc::new(mesh),
        world_from_mesh: Isometry3::from_parts(
            Translation3::from(middle.cast::<f64>()),
            nalgebra::UnitQuaternion::identity(),
        ),
        scale: Vector3::repeat(1.0),
        id,
        bounds: (Point3::origin(), radius),
    }
}

/// A vertex on the ground, lifted by some metres; texture coordinates are those of the place.
pub(crate) fn ground_vertex(terrain: &Terrain, place: &Point2<f64>, lift_m: f64) -> Vertex {
    let ground = terrain.ground(place);
    Vertex {
        position: Point3::new(place.x as f32, place.y as f32, (ground.z + lift_m) as f32),
        normal: ground.normal.cast(),
        uv: [place.x as f32, place.y as f32],
    }
}
