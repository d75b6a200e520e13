//! Turns the visibility buffer into radiance, depth and identity.

use super::environment::{Environment, Light, ViewLamp, lamps_before};
use super::fragments::{Facet, place};
use super::geometry::{Eye, Geometry};
use super::image::RenderedImage;
use super::lens::{RayTable, TILE, TILE_AREA};
use super::lighting::{BATCH, Batch, illuminate};
use super::noise::NoiseTexture;
use super::puddles::{Puddles, WetSpot};
use super::raster::{NOBODY, Surface};
use super::shadow::ShadowView;
use super::simd::kernel;
use super::spans::{Point, Spans};
use super::surface::{Spot, finish};
use crate::scene::{Material, Scene};
use nalgebra::Vector3;

/// Linear radiance of an image in three planes, row-major.
#[derive(Default)]
pub(super) struct Radiance {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) planes: [Vec<f32>; 3],
}

impl Radiance {
    fn reset(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        for plane in &mut self.planes {
            plane.clear();
            plane.resize(width * height, 0.0);
        }
    }

    pub(super) fn add(&mut self, pixel: usize, weight: f32, rgb: [f32; 3]) {
        for (plane, value) in self.planes.iter_mut().zip(rgb) {
            plane[pixel] += weight * value;
        }
    }
}

/// Shading stage with its buffers.
#[derive(Default)]
pub(super) struct Shader {
    batch: Batch,
    spans: Spans,
    lamps: Vec<ViewLamp>,
    /// Wet ground of the image, for the mirror images of what stands on it.
    pub(super) puddles: Puddles,
}

/// What all points of one image share.
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
    pub(super) fn run(
        &mut self,
        scene: &Scene,
        seen: &Seen<'_>,
        camera: &Vector3<f64>,
        environment: &Environment,
        radiance: &mut Radiance,
        out: &mut RenderedImage,
    ) {
        let Seen {
            table,
            eye,
            geometry,
            surface,
        } = *seen;
        radiance.reset(table.width_px, table.height_px);
        self.puddles.clear();
        lamps_before(
            eye,
            table,
            &scene.lighting,
            environment.light.white,
            &mut self.lamps,
        );
        let frame = Frame {
            table,
            eye,
            geometry,
            environment,
            noise: NoiseTexture::shared(),
            shadow: environment.shadow.view(camera),
            occlusion_offset: environment.occlusion.offset(camera),
        };
        let mut spans = std::mem::take(&mut self.spans);
        for tile in 0..table.tiles_x * table.tiles_y {
            spans.collect(table, geometry, surface, tile, out);
            let mut first = 0;
            for &(owner, count) in &spans.owners {
                let points = spans.points(first, count as usize);
                first += count as usize;
                if owner == NOBODY {
                    shade_sky(&frame, points, radiance);
                } else {
                    points
                        .chunks(BATCH)
                        .for_each(|part| self.shade_span(&frame, owner, part, radiance));
                }
            }
        }
        self.spans = spans;
        self.flush(&frame, radiance);
    }

    fn shade_span(
        &mut self,
        frame: &Frame<'_>,
        owner: u32,
        points: &[Point],
        radiance: &mut Radiance,
    ) {
        if self.batch.len + points.len() > BATCH {
            self.flush(frame, radiance);
        }
        let first = self.batch.len;
        let end = first + points.len();
        let batch = &mut self.batch;
        for (i, point) in (first..end).zip(points) {
            (batch.pixel[i], batch.weight[i]) = (point.pixel, point.weight);
            [batch.ray[0][i], batch.ray[1][i], batch.ray[2][i]] = point.ray;
        }
        let facet = Facet::new(
            frame.geometry,
            owner,
            frame.eye,
            frame.table.pixel_angle(),
            frame.shadow,
        );
        place(batch, &facet, first, end);
        batch.len = end;
        let light = &frame.environment.light;
        let material =
            &frame.geometry.materials[frame.geometry.triangles[owner as usize].material as usize];
        finish_span(batch, first, end, material, light, frame.noise);
        self.shelter(frame, first, end);
    }

    /// How much sun and open sky reach the points.
    fn shelter(&mut self, frame: &Frame<'_>, first: usize, end: usize) {
        let batch = &mut self.batch;
        let sun = &frame.environment.light.sun;
        let shadow = &frame.environment.shadow;
        for i in first..end {
            let facing = batch.normal[0][i] * sun.x
                + batch.normal[1][i] * sun.y
                + batch.normal[2][i] * sun.z;
            batch.sunlight[i] = if shadow.is_empty() || facing <= 0.0 {
                1.0
            } else {
                shadow.sunlight(Vector3::new(
                    batch.shadow[0][i],
                    batch.shadow[1][i],
                    batch.shadow[2][i],
                ))
            };
            batch.open[i] = if batch.is_ground[i] {
                1.0 - frame.environment.occlusion.darkness(
                    batch.offset[0][i],
                    batch.offset[1][i],
                    frame.occlusion_offset,
                )
            } else {
                1.0
            };
        }
    }

    fn flush(&mut self, frame: &Frame<'_>, radiance: &mut Radiance) {
        let light = &frame.environment.light;
        illuminate(&mut self.batch, light, &self.lamps);
        let batch = &mut self.batch;
        for i in 0..batch.len {
            radiance.add(
                batch.pixel[i] as usize,
                batch.weight[i],
                [batch.out[0][i], batch.out[1][i], batch.out[2][i]],
            );
        }
        if light.wetness > 0.0 {
            for i in (0..batch.len).filter(|&i| batch.is_ground[i] && batch.weight[i] == 1.0) {
                let at =
                    |lanes: &[[f32; BATCH]; 3]| Vector3::new(lanes[0][i], lanes[1][i], lanes[2][i]);
                self.puddles.push(WetSpot {
                    pixel: batch.pixel[i],
                    strength: batch.fresnel[i],
                    ray: at(&batch.ray),
                    distance: batch.distance[i],
                    normal: at(&batch.normal),
                });
            }
        }
        batch.len = 0;
    }
}

kernel! {
    /// Evaluates the material of the points `first..end`.
    fn finish_span(batch: &mut Batch, first: usize, end: usize, material: &Material, light: &Light, noise: &NoiseTexture) {
        for i in first..end {
            let spot = Spot {
                position: Vector3::new(batch.position[0][i], batch.position[1][i], batch.position[2][i]),
                normal: Vector3::new(batch.normal[0][i], batch.normal[1][i], batch.normal[2][i]),
                uv: [batch.uv[0][i], batch.uv[1][i]],
                footprint: batch.footprint[i],
            };
            let finish = finish(material, &spot, light, noise);
            batch.finish(i, &finish);
        }
    }
}

fn shade_sky(frame: &Frame<'_>, points: &[Point], radiance: &mut Radiance) {
    let light = &frame.environment.light;
    let angle = frame.table.pixel_angle();
    let direction = |point: &Point| frame.eye.rotation * Vector3::from(point.ray);
    let is_smooth = frame.table.sampling == 1
        && points.len() == TILE_AREA
        && direction(&points[0]).dot(&light.sun) < 0.99;
    if !is_smooth {
        for point in points {
            radiance.add(
                point.pixel as usize,
                point.weight,
                light.sky(direction(point), frame.noise, angle),
            );
        }
        return;
    }
    // A whole tile of sky: its corners say enough about the pixels between them.
    let corners = [0, TILE - 1, TILE_AREA - TILE, TILE_AREA - 1]
        .map(|i| light.sky(direction(&points[i]), frame.noise, angle * 4.0));
    for (y, row) in points.chunks_exact(TILE).enumerate() {
        let v = y as f32 / (TILE - 1) as f32;
        let ends = |c: usize| {
            (
                corners[0][c] + (corners[2][c] - corners[0][c]) * v,
                corners[1][c] + (corners[3][c] - corners[1][c]) * v,
            )
        };
        let first = row[0].pixel as usize;
        for (c, plane) in radiance.planes.iter_mut().enumerate() {
            let (left, right) = ends(c);
            for (x, value) in plane[first..first + TILE].iter_mut().enumerate() {
                *value = left + (right - left) * (x as f32 / (TILE - 1) as f32);
            }
        }
    }
}
