//! Surface points of one triangle, placed in the world many at a time.

use super::geometry::{Eye, Geometry, ViewTriangle};
use super::lighting::{BATCH, Batch};
use super::shadow::ShadowView;
use super::simd::kernel;
use nalgebra::{Matrix3, Vector3};

/// What the points of one triangle share while they are placed.
pub(super) struct Facet<'a> {
    triangle: &'a ViewTriangle,
    normals: [Vector3<f32>; 3],
    uvs: [[f32; 2]; 3],
    rotation: Matrix3<f32>,
    origin: Vector3<f32>,
    pixel_angle: f32,
    shadow: ShadowView,
}

impl<'a> Facet<'a> {
    pub(super) fn new(
        geometry: &'a Geometry,
        owner: u32,
        eye: &Eye,
        pixel_angle: f32,
        shadow: ShadowView,
    ) -> Self {
        let triangle = &geometry.triangles[owner as usize];
        let corners = triangle.vertices.map(|i| &geometry.vertices[i as usize]);
        // `plane` points away from the camera whatever the winding: a normal along it is seen from its back.
        let away = eye.rotation * triangle.plane;
        let sign = if away.dot(&(corners[0].normal + corners[1].normal + corners[2].normal)) > 0.0 {
            -1.0
        } else {
            1.0
        };
        Self {
            triangle,
            normals: corners.map(|corner| corner.normal * sign),
            uvs: corners.map(|corner| corner.uv),
            rotation: eye.rotation,
            origin: eye.origin,
            pixel_angle,
            shadow,
        }
    }
}

kernel! {
    /// Fills position, normal, texture coordinates, footprint and shadow coordinates of the points `first..end` from their
    /// rays in the camera frame; `ray` is turned into the world.
    pub(super) fn place(batch: &mut Batch, facet: &Facet<'_>, first: usize, end: usize) {
        let end = if (end + 7) & !7 < BATCH { (end + 7) & !7 } else { BATCH };
        let [a, b, c] = facet.triangle.weights;
        let p = facet.triangle.plane;
        let [na, nb, nc] = facet.normals;
        let [ta, tb, tc] = facet.uvs;
        let m = facet.rotation;
        let s = facet.shadow.rotation;
        let before = facet.shadow.normal_offset_m;
        for i in first..end {
            let (x, y, z) = (batch.ray[0][i], batch.ray[1][i], batch.ray[2][i]);
            let inverse = p.x * x + p.y * y + p.z * z;
            let distance = 1.0 / if inverse > 1e-4 { inverse } else { 1e-4 };
            let wa = (a.x * x + a.y * y + a.z * z) * distance;
            let wb = (b.x * x + b.y * y + b.z * z) * distance;
            let wc = (c.x * x + c.y * y + c.z * z) * distance;
            let nx = na.x * wa + nb.x * wb + nc.x * wc;
            let ny = na.y * wa + nb.y * wb + nc.y * wc;
            let nz = na.z * wa + nb.z * wb + nc.z * wc;
            let scale = 1.0 / ((nx * nx + ny * ny + nz * nz).sqrt() + 1e-9);
            let (nx, ny, nz) = (nx * scale, ny * scale, nz * scale);
            let dx = m[(0, 0)] * x + m[(0, 1)] * y + m[(0, 2)] * z;
            let dy = m[(1, 0)] * x + m[(1, 1)] * y + m[(1, 2)] * z;
            let dz = m[(2, 0)] * x + m[(2, 1)] * y + m[(2, 2)] * z;
            let facing = dx * nx + dy * ny + dz * nz;
            let cosine = if facing < 0.0 { -facing } else { facing };
            let cosine = if cosine > 0.02 { cosine } else { 0.02 };
            let (ox, oy, oz) = (dx * distance, dy * distance, dz * distance);
            batch.distance[i] = distance;
            batch.footprint[i] = distance * facet.pixel_angle / cosine.sqrt();
            batch.ray[0][i] = dx;
            batch.ray[1][i] = dy;
            batch.ray[2][i] = dz;
            batch.normal[0][i] = nx;
            batch.normal[1][i] = ny;
            batch.normal[2][i] = nz;
            batch.uv[0][i] = ta[0] * wa + tb[0] * wb + tc[0] * wc;
            batch.uv[1][i] = ta[1] * wa + tb[1] * wb + tc[1] * wc;
            batch.offset[0][i] = ox;
            batch.offset[1][i] = oy;
            batch.position[0][i] = ox + facet.origin.x;
            batch.position[1][i] = oy + facet.origin.y;
            batch.position[2][i] = oz + facet.origin.z;
            // The shadow map is asked a little before the surface: across its texels a slanted surface rises.
            let (px, py, pz) = (ox + nx * before, oy + ny * before, oz + nz * before);
            batch.shadow[0][i] = s[(0, 0)] * px + s[(0, 1)] * py + s[(0, 2)] * pz + facet.shadow.offset.x;
            batch.shadow[1][i] = s[(1, 0)] * px + s[(1, 1)] * py + s[(1, 2)] * pz + facet.shadow.offset.y;
            batch.shadow[2][i] = s[(2, 0)] * px + s[(2, 1)] * py + s[(2, 2)] * pz + facet.shadow.offset.z;
        }
    }
}
