//! Puts meshes together from boxes, extruded profiles, cylinders and ellipsoids.

use super::Shape;
use crate::scene::{Material, Mesh, Triangle, Vertex};
use nalgebra::{Point3, Vector3};
use std::sync::Arc;

/// A mesh under construction.
pub(super) struct Builder {
    mesh: Mesh,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            mesh: Mesh {
                casts_shadow: true,
                ..Mesh::default()
            },
        }
    }

    pub(super) fn double_sided(mut self) -> Self {
        self.mesh.is_double_sided = true;
        self
    }

    pub(super) fn without_shadow(mut self) -> Self {
        self.mesh.casts_shadow = false;
        self
    }

    /// Registers a material and gives its index.
    pub(super) fn material(&mut self, material: Material) -> u16 {
        self.mesh.materials.push(material);
        (self.mesh.materials.len() - 1) as u16
    }

    /// A flat polygon, counter-clockwise seen from outside; `uv` in metres along its first edge and across it.
    pub(super) fn polygon(&mut self, corners: &[Point3<f32>], material: u16) {
        let edge = (corners[1] - corners[0]).normalize();
        let normal = edge.cross(&(corners[2] - corners[0])).normalize();
        let across = normal.cross(&edge);
        let base = self.mesh.vertices.len() as u32;
        for corner in corners {
            let offset = corner - corners[0];
            self.mesh.vertices.push(Vertex {
                position: *corner,
                normal,
                uv: [offset.dot(&edge), offset.dot(&across)],
            });
        }
        for i in 1..corners.len() as u32 - 1 {
            self.mesh.triangles.push(Triangle {
                corners: [base, base + i, base + i + 1],
                material,
            });
        }
    }

    /// A box between two corners whose upper face may be narrower: `top_inset` metres on x and y.
    pub(super) fn tapered_box(
        &mut self,
        low: [f32; 3],
        high: [f32; 3],
        top_inset: [f32; 2],
        material: u16,
    ) {
        let bottom = ring(low[0], high[0], low[1], high[1], low[2]);
        let top = ring(
            low[0] + top_inset[0],
            high[0] - top_inset[0],
            low[1] + top_inset[1],
            high[1] - top_inset[1],
            high[2],
        );
        for i in 0..4 {
            let j = (i + 1) % 4;
            self.polygon(&[bottom[i], bottom[j], top[j], top[i]], material);
        }
        self.polygon(&top, material);
        self.polygon(&[bottom[3], bottom[2], bottom[1], bottom[0]], material);
    }

    /// An axis-aligned box.
    pub(super) fn cuboid(&mut self, low: [f32; 3], high: [f32; 3], material: u16) {
        self.tapered_box(low, high, [0.0, 0.0], material);
    }

    /// A profile in the x-z plane (counter-clockwise seen from the right, that is from −y), extruded from
    /// `-half_width` to `half_width`; faces may take materials of their own, one a profile edge.
    pub(super) fn extruded(
        &mut self,
        profile: &[[f32; 2]],
        half_width: &[f32],
        side: u16,
        edges: &[u16],
    ) {
        let at =
            |i: usize, sign: f32| Point3::new(profile[i][0], sign * half_width[i], profile[i][1]);
        for i in 0..profile.len() {
            let j = (i + 1) % profile.len();
            self.polygon(
                &[at(i, -1.0), at(i, 1.0), at(j, 1.0), at(j, -1.0)],
                edges[i % edges.len()],
            );
        }
        let right: Vec<_> = (0..profile.len()).map(|i| at(i, -1.0)).collect();
        let left: Vec<_> = (0..profile.len()).rev().map(|i| at(i, 1.0)).collect();
        self.polygon(&right, side);
        self.polygon(&left, side);
    }

    /// A cylinder or cone frustum between two points.
    pub(super) fn cylinder(
        &mut self,
        from: Point3<f32>,
        to: Point3<f32>,
        radii: [f32; 2],
        sides: usize,
        material: u16,
    ) {
        let axis = (to - from).normalize();
        let u = if axis.z.abs() < 0.9 {
            axis.cross(&Vector3::z())
        } else {
            axis.cross(&Vector3::x())
        }
        .normalize();
        let v = axis.cross(&u);
        let on = |base: Point3<f32>, radius: f32, i: usize| {
            let angle = i as f32 / sides as f32 * std::f32::consts::TAU;
            base + (u * angle.cos() + v * angle.sin()) * radius
        };
        for i in 0..sides {
            self.polygon(
                &[
                    on(from, radii[0], i),
                    on(from, radii[0], i + 1),
                    on(to, radii[1], i + 1),
                    on(to, radii[1], i),
                ],
                material,
            );
        }
        if radii[1] > 0.02 {
            let cap: Vec<_> = (0..sides).map(|i| on(to, radii[1], i)).collect();
            self.polygon(&cap, material);
        }
        if radii[0] > 0.02 {
            let cap: Vec<_> = (0..sides).rev().map(|i| on(from, radii[0], i)).collect();
            self.polygon(&cap, material);
        }
    }

    /// A low-polygon ellipsoid with smooth normals; `wobble` moves each vertex by that share of the radius.
    pub(super) fn ellipsoid(
        &mut self,
        centre: Point3<f32>,
        radii: [f32; 3],
        rings: usize,
        sides: usize,
        material: u16,
        mut wobble: impl FnMut() -> f32,
    ) {
        let base = self.mesh.vertices.len() as u32;
        for ring in 0..=rings {
            let polar = std::f32::consts::PI * ring as f32 / rings as f32;
            let stretch: Vec<f32> = (0..sides).map(|_| 1.0 + wobble()).collect();
            for side in 0..=sides {
                let angle = std::f32::consts::TAU * side as f32 / sides as f32;
                let unit = Vector3::new(
                    polar.sin() * angle.cos(),
                    polar.sin() * angle.sin(),
                    -polar.cos(),
                );
                let scale = if ring == 0 || ring == rings {
                    1.0
                } else {
                    stretch[side % sides]
                };
                let offset =
                    Vector3::new(unit.x * radii[0], unit.y * radii[1], unit.z * radii[2]) * scale;
                let normal = Vector3::new(unit.x / radii[0], unit.y / radii[1], unit.z / radii[2])
                    .normalize();
                self.mesh.vertices.push(Vertex {
                    position: centre + offset,
                    normal,
                    uv: [angle * radii[0], polar * radii[2]],
                });
            }
        }
        let row = sides as u32 + 1;
        for ring in 0..rings as u32 {
            for side in 0..sides as u32 {
                let a = base + ring * row + side;
                let (b, c, d) = (a + 1, a + row + 1, a + row);
                self.mesh.triangles.push(Triangle {
                    corners: [a, b, c],
                    material,
                });
                self.mesh.triangles.push(Triangle {
                    corners: [a, c, d],
                    material,
                });
            }
        }
    }

    /// Closes the mesh; stretches and shifts it so that it fills a box of `size` standing centred on the ground.
    pub(super) fn fitted(mut self, size: [f32; 3]) -> Shape {
        let (low, high) = self.extent();
        for vertex in &mut self.mesh.vertices {
            for axis in 0..3 {
                let share =
                    (vertex.position[axis] - low[axis]) / (high[axis] - low[axis]).max(1e-6);
                let start = if axis == 2 { 0.0 } else { -size[axis] / 2.0 };
                vertex.position[axis] = start + share * size[axis];
            }
        }
        self.finish()
    }

    /// Closes the mesh as it is.
    pub(super) fn finish(self) -> Shape {
        let (low, high) = self.extent();
        let centre = Point3::new(
            (low[0] + high[0]) / 2.0,
            (low[1] + high[1]) / 2.0,
            (low[2] + high[2]) / 2.0,
        );
        let radius = self
            .mesh
            .vertices
            .iter()
            .map(|vertex| (vertex.position - centre).norm())
            .fold(0.0, f32::max);
        Shape {
            mesh: Arc::new(self.mesh),
            size: [high[0] - low[0], high[1] - low[1], high[2] - low[2]],
            bounds: (centre, radius),
        }
    }

    fn extent(&self) -> ([f32; 3], [f32; 3]) {
        let mut low = [f32::MAX; 3];
        let mut high = [f32::MIN; 3];
        for vertex in &self.mesh.vertices {
            for axis in 0..3 {
                low[axis] = low[axis].min(vertex.position[axis]);
                high[axis] = high[axis].max(vertex.position[axis]);
            }
        }
        (low, high)
    }
}

/// Four corners of a horizontal rectangle, counter-clockwise from above.
fn ring(x0: f32, x1: f32, y0: f32, y1: f32, z: f32) -> [Point3<f32>; 4] {
    [
        Point3::new(x0, y0, z),
        Point3::new(x1, y0, z),
        Point3::new(x1, y1, z),
        Point3::new(x0, y1, z),
    ]
}
