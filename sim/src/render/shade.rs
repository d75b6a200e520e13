//! Turns the visibility buffer into radiance, depth and identity.

use super::environment::{Environment, ViewLamp, lamps_before};
use super::geometry::{Eye, Geometry, ViewTriangle};
use super::image::RenderedImage;
use super::lens::{RayTable, TILE, TILE_AREA};
use super::lighting::{BATCH, Batch, illuminate};
use super::noise::NoiseTexture;
use super::raster::{NOBODY, Surface};
use super::shadow::ShadowView;
use super::surface::{Spot, finish};
use crate::scene::Scene;
use nalgebra::Vector3;

/// Linear radiance of an image in three planes, row-major.
#[derive(Default)]
pub(super) struct Radiance {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) planes: [Vec<f32>; 3],
}

impl Radiance {
    pub(super) fn reset(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        for plane in &mut self.planes {
            plane.clear();
            plane.resize(width * height, 0.0);
        }
    }

    fn add(&mut self, pixel: usize, weight: f32, rgb: [f32; 3]) {
        for (plane, value) in self.planes.iter_mut().zip(rgb) {
            plane[pixel] += weight * value;
        }
    }
}

/// Shading stage with its buffers.
#[derive(Default)]
pub(super) struct Shader {
    batch: Batch,
    lamps: Vec<ViewLamp>,
}

/// What all fragments of one image share.
struct Frame<'a> {
    table: &'a RayTable,
    eye: &'a Eye,
    geometry: &'a Geometry,
    environment: &'a Environment,
    noise: &'static NoiseTexture,
    shadow: ShadowView,
    occlusion_offset: [f32; 2],
}

/// Inputs of the shading stage.
pub(super) struct Seen<'a> {
    pub(super) table: &'a RayTable,
    pub(super) eye: &'a Eye,
    pub(super) geometry: &'a Geometry,
    pub(super) surface: &'a Surface,
}

impl Shader {
    /// Shades every pixel of the image.
    pub(super) fn run(&mut self, scene: &Scene, seen: &Seen<'_>, camera: &Vector3<f64>, environment: &Environment, radiance: &mut Radiance, out: &mut RenderedImage) {
        let Seen { table, eye, geometry, surface } = *seen;
        radiance.reset(table.width_px, table.height_px);
        lamps_before(eye, &scene.lighting, environment.light.white, &mut self.lamps);
        let frame = Frame {
            table,
            eye,
            geometry,
            environment,
            noise: NoiseTexture::shared(),
            shadow: environment.shadow.view(camera),
            occlusion_offset: environment.occlusion.offset(camera),
        };
        for tile in 0..table.tiles_x * table.tiles_y {
            self.shade_tile(&frame, surface, tile, radiance, out);
        }
        self.flush(&frame, radiance);
    }

    fn shade_tile(&mut self, frame: &Frame<'_>, surface: &Surface, tile: usize, radiance: &mut Radiance, out: &mut RenderedImage) {
        let table = frame.table;
        let sampling = table.sampling;
        let side = TILE / sampling;
        let (tile_x, tile_y) = (tile % table.tiles_x * side, tile / table.tiles_x * side);
        let owners = &surface.owner[tile * TILE_AREA..(tile + 1) * TILE_AREA];
        for y in 0..side.min(table.height_px.saturating_sub(tile_y)) {
            for x in 0..side.min(table.width_px.saturating_sub(tile_x)) {
                let pixel = (tile_y + y) * table.width_px + tile_x + x;
                let centre = Vector3::from(table.centres[tile * side * side + y * side + x]);
                if centre == Vector3::zeros() {
                    (out.depth_m[pixel], out.instance[pixel]) = (0.0, 0);
                    continue;
                }
                let first = y * sampling * TILE + x * sampling;
                let groups = Groups::of(owners, first, sampling, frame.geometry, &mut out.visibility);
                let mut main = (0, NOBODY);
                let per_sample = 1.0 / (sampling * sampling) as f32;
                for &(owner, count, sample) in groups.as_slice() {
                    if count > main.0 {
                        main = (count, owner);
                    }
                    let weight = count as f32 * per_sample;
                    let at = tile * TILE_AREA + sample as usize;
                    let whole = count as usize == sampling * sampling;
                    let ray = if whole { centre } else { Vector3::new(table.x[at], table.y[at], table.z[at]) };
                    if owner == NOBODY {
                        let direction = frame.eye.rotation * ray;
                        radiance.add(pixel, weight, frame.environment.light.sky(direction, frame.noise, table.pixel_angle()));
                    } else {
                        self.push(frame, owner, ray, pixel as u32, weight, radiance);
                    }
                }
                (out.depth_m[pixel], out.instance[pixel]) = truth(frame.geometry, main.1, centre);
            }
        }
    }

    fn push(&mut self, frame: &Frame<'_>, owner: u32, ray: Vector3<f32>, pixel: u32, weight: f32, radiance: &mut Radiance) {
        let triangle = &frame.geometry.triangles[owner as usize];
        let inverse = triangle.plane.dot(&ray).max(1e-4);
        let distance = 1.0 / inverse;
        let corners = triangle.vertices.map(|i| &frame.geometry.vertices[i as usize]);
        let w = triangle.weights.map(|plane| plane.dot(&ray) * distance);
        let smooth = corners[0].normal * w[0] + corners[1].normal * w[1] + corners[2].normal * w[2];
        let direction = frame.eye.rotation * ray;
        let mut normal = smooth / smooth.norm().max(1e-9);
        if normal.dot(&direction) > 0.0 && is_seen_from_behind(frame.eye, triangle, &normal) {
            normal = -normal;
        }
        let uv = [0, 1].map(|k| corners[0].uv[k] * w[0] + corners[1].uv[k] * w[1] + corners[2].uv[k] * w[2]);
        let offset = direction * distance;
        let facing = direction.dot(&normal).abs();
        let footprint = distance * frame.table.pixel_angle() / facing.max(0.02).sqrt();
        let spot = Spot { position: offset + frame.eye.origin, normal, uv, footprint };
        let light = &frame.environment.light;
        let finish = finish(&frame.geometry.materials[triangle.material as usize], &spot, light, frame.noise);
        let shadow = &frame.environment.shadow;
        let sunlight = if shadow.is_empty() || normal.dot(&light.sun) <= 0.0 { 1.0 } else { shadow.sunlight(frame.shadow.rotation * offset + frame.shadow.offset) };
        let open = if finish.is_ground { 1.0 - frame.environment.occlusion.darkness(offset.x, offset.y, frame.occlusion_offset) } else { 1.0 };
        self.batch.push(pixel, weight, distance, direction, spot.position, normal, &finish, sunlight, open);
        if self.batch.len == BATCH {
            self.flush(frame, radiance);
        }
    }

    fn flush(&mut self, frame: &Frame<'_>, radiance: &mut Radiance) {
        illuminate(&mut self.batch, &frame.environment.light, &self.lamps);
        let batch = &mut self.batch;
        for i in 0..batch.len {
            radiance.add(batch.pixel[i] as usize, batch.weight[i], [batch.out[0][i], batch.out[1][i], batch.out[2][i]]);
        }
        batch.len = 0;
    }
}

/// The geometric face points away from the camera (a double-sided mesh seen from its back), rather than a smooth normal
/// that only bends over the rim.
fn is_seen_from_behind(eye: &Eye, triangle: &ViewTriangle, normal: &Vector3<f32>) -> bool {
    // `plane` points away from the camera whatever the winding.
    (eye.rotation * triangle.plane).dot(normal) > 0.0
}

/// Distance and identity at the centre of a pixel.
fn truth(geometry: &Geometry, owner: u32, centre: Vector3<f32>) -> (f32, u32) {
    if owner == NOBODY {
        return (0.0, 0);
    }
    let triangle = &geometry.triangles[owner as usize];
    (1.0 / triangle.plane.dot(&centre).max(1e-4), triangle.id)
}

/// Samples of one pixel that see the same thing: triangle, number of samples, first sample of the tile.
struct Groups {
    items: [(u32, u8, u8); 16],
    len: usize,
}

impl Groups {
    fn of(owners: &[u32], first: usize, sampling: usize, geometry: &Geometry, visibility: &mut super::VisibilityCounts) -> Self {
        let mut groups = Self { items: [(NOBODY, 0, 0); 16], len: 0 };
        for row in 0..sampling {
            for column in 0..sampling {
                let sample = first + row * TILE + column;
                groups.insert(owners[sample], sample as u8, geometry);
            }
        }
        for &(owner, count, _) in groups.as_slice() {
            if owner != NOBODY {
                let id = geometry.triangles[owner as usize].id;
                if id != 0 {
                    visibility.add_visible(id, f32::from(count));
                }
            }
        }
        groups
    }

    fn insert(&mut self, owner: u32, sample: u8, geometry: &Geometry) {
        let is_alike = |other: u32| {
            if other == owner {
                return true;
            }
            if other == NOBODY || owner == NOBODY {
                return false;
            }
            let (a, b) = (&geometry.triangles[owner as usize], &geometry.triangles[other as usize]);
            a.material == b.material && a.id == b.id
        };
        for item in &mut self.items[..self.len] {
            if is_alike(item.0) {
                item.1 += 1;
                return;
            }
        }
        self.items[self.len] = (owner, 1, sample);
        self.len += 1;
    }

    fn as_slice(&self) -> &[(u32, u8, u8)] {
        &self.items[..self.len]
    }
}
