//! Light on batches of surface points: sun, sky, lamps, mirrored sky and fog, written to be vectorised.

use super::environment::{Light, ViewLamp};
use super::simd::kernel;
use super::surface::Finish;
use nalgebra::Vector3;

/// Points of a batch.
pub(super) const BATCH: usize = 64;
type Lanes = [f32; BATCH];

/// Surface points that wait for light, one array a quantity.
pub(super) struct Batch {
    pub(super) len: usize,
    pub(super) pixel: [u32; BATCH],
    pub(super) weight: Lanes,
    pub(super) distance: Lanes,
    /// Unit ray, in camera axes until the point is placed, in world axes then.
    pub(super) ray: [Lanes; 3],
    /// Wrapped world position.
    pub(super) position: [Lanes; 3],
    /// Horizontal position relative to the camera, world axes.
    pub(super) offset: [Lanes; 2],
    pub(super) normal: [Lanes; 3],
    pub(super) uv: [Lanes; 2],
    pub(super) footprint: Lanes,
    /// Texel and height in the shadow map.
    pub(super) shadow: [Lanes; 3],
    pub(super) is_ground: [bool; BATCH],
    /// Part of the sun that is not in shadow.
    pub(super) sunlight: Lanes,
    /// Part of the sky that is not hidden by a vehicle.
    pub(super) open: Lanes,
    /// Mirrored part of the light after [`illuminate`], fog included.
    pub(super) fresnel: Lanes,
    albedo: [Lanes; 3],
    gloss: Lanes,
    mirror: Lanes,
    /// Emission on entry, radiance towards the camera after [`illuminate`].
    pub(super) out: [Lanes; 3],
    irradiance: [Lanes; 3],
    sparkle: [Lanes; 3],
}

impl Default for Batch {
    fn default() -> Self {
        let zero = [0.0; BATCH];
        let three = [zero; 3];
        Self {
            len: 0,
            pixel: [0; BATCH],
            weight: zero,
            distance: zero,
            ray: three,
            position: three,
            offset: [zero; 2],
            normal: three,
            uv: [zero; 2],
            footprint: zero,
            shadow: three,
            is_ground: [false; BATCH],
            sunlight: zero,
            open: zero,
            fresnel: zero,
            albedo: three,
            gloss: zero,
            mirror: zero,
            out: three,
            irradiance: three,
            sparkle: three,
        }
    }
}

impl Batch {
    /// Sets what the surface reflects at point `i`.
    pub(super) fn finish(&mut self, i: usize, finish: &Finish) {
        for c in 0..3 {
            self.albedo[c][i] = finish.albedo[c];
            self.out[c][i] = finish.emission[c];
        }
        (self.gloss[i], self.mirror[i], self.is_ground[i]) =
            (finish.gloss, finish.mirror, finish.is_ground);
    }

    /// Number of points, rounded up to whole vectors.
    #[inline(always)]
    fn lanes(&self) -> usize {
        ((self.len + 7) & !7).min(BATCH)
    }
}

/// Computes the radiance of all points of the batch.
pub(super) fn illuminate(batch: &mut Batch, light: &Light, lamps: &[ViewLamp]) {
    if batch.len == 0 {
        return;
    }
    daylight(batch, light);
    if !lamps.is_empty() {
        let (centre, radius) = bounding_sphere(batch);
        for lamp in lamps.iter().filter(|lamp| lamp.reaches(&centre, radius)) {
            lamplight(batch, lamp);
        }
    }
    compose(batch, light);
}

/// Sphere around the points of the batch.
fn bounding_sphere(batch: &Batch) -> (Vector3<f32>, f32) {
    let mut low = Vector3::repeat(f32::MAX);
    let mut high = Vector3::repeat(f32::MIN);
    for c in 0..3 {
        for &x in &batch.position[c][..batch.len] {
            low[c] = low[c].min(x);
            high[c] = high[c].max(x);
        }
    }
    ((low + high) * 0.5, (high - low).norm() * 0.5)
}

kernel! {
    /// Sun, sky and light bounced from the ground; resets the sums of the lamps.
    fn daylight(batch: &mut Batch, light: &Light) {
        let sun = light.sun;
        for i in 0..batch.lanes() {
            let (nx, ny, nz) = (batch.normal[0][i], batch.normal[1][i], batch.normal[2][i]);
            let facing = nx * sun.x + ny * sun.y + nz * sun.z;
            let direct = if facing > 0.0 { facing * batch.sunlight[i] } else { 0.0 };
            let up = 0.5 + 0.5 * nz;
            let open = batch.open[i];
            // Half vector between the ray back to the camera and the sun: a broad and a narrow glint.
            let (hx, hy, hz) = (sun.x - batch.ray[0][i], sun.y - batch.ray[1][i], sun.z - batch.ray[2][i]);
            let length = (hx * hx + hy * hy + hz * hz).sqrt() + 1e-6;
            let half = (hx * nx + hy * ny + hz * nz) / length;
            let base = if half > 0.0 { half } else { 0.0 };
            let p2 = base * base;
            let p4 = p2 * p2;
            let p8 = p4 * p4;
            let p16 = p8 * p8;
            let p64 = p16 * p16 * p16 * p16;
            let glint = batch.gloss[i] * (0.12 * p16 + 1.6 * p64 * p64) * if direct > 0.0 { batch.sunlight[i] } else { 0.0 };
            for c in 0..3 {
                let sky = light.horizon[c] + (light.zenith[c] - light.horizon[c]) * up;
                let ground = 0.16 * (light.sun_rgb[c] * if sun.z > 0.0 { sun.z } else { 0.0 } + light.horizon[c]);
                batch.irradiance[c][i] = light.sun_rgb[c] * direct + (ground + (sky - ground) * up) * open;
                batch.sparkle[c][i] = light.sun_rgb[c] * glint;
            }
        }
    }
}

kernel! {
    /// Adds one lamp: a bare bulb, or a low beam with its cut-off above the horizontal of the beam.
    fn lamplight(batch: &mut Batch, lamp: &ViewLamp) {
        let (px, py, pz) = (lamp.position.x, lamp.position.y, lamp.position.z);
        let (is_beam, dx, dy, dz) = match lamp.direction {
            Some(d) => (1.0, d.x, d.y, d.z),
            None => (0.0, 0.0, 0.0, 0.0),
        };
        let near = 0.2 + is_beam * 24.0;
        let per_reach = 1.0 / (lamp.reach * lamp.reach);
        for i in 0..batch.lanes() {
            let (lx, ly, lz) = (px - batch.position[0][i], py - batch.position[1][i], pz - batch.position[2][i]);
            let square = lx * lx + ly * ly + lz * lz + 0.04;
            let inverse = 1.0 / square.sqrt();
            // A head lamp is made to light near and far evenly.
            let strength = 1.0 / (square + near);
            let window = 1.0 - square * per_reach;
            let window = if window > 0.0 { window } else { 0.0 };
            let (lx, ly, lz) = (lx * inverse, ly * inverse, lz * inverse);
            let along = -(lx * dx + ly * dy + lz * dz);
            let t = ((along - 0.80) * (1.0 / 0.19)).clamp(0.0, 1.0);
            let cone = t * t * (3.0 - 2.0 * t);
            // Above the beam's axis a dipped head lamp throws little.
            let rise = -lz - dz;
            let cut = (1.0 - (rise + 0.01) * 14.0).clamp(0.12, 1.0);
            let beam = 1.0 + is_beam * (cone * cut - 1.0);
            let (nx, ny, nz) = (batch.normal[0][i], batch.normal[1][i], batch.normal[2][i]);
            let facing = lx * nx + ly * ny + lz * nz;
            let facing = if facing > 0.0 { facing } else { 0.0 };
            let strength = beam * strength * window * window;
            let (hx, hy, hz) = (lx - batch.ray[0][i], ly - batch.ray[1][i], lz - batch.ray[2][i]);
            let length = (hx * hx + hy * hy + hz * hz).sqrt() + 1e-6;
            let half = (hx * nx + hy * ny + hz * nz) / length;
            let base = if half > 0.0 { half } else { 0.0 };
            let p2 = base * base;
            let p4 = p2 * p2;
            let p8 = p4 * p4;
            let p32 = p8 * p8 * p8 * p8;
            let mirrored = if facing > 0.0 { batch.gloss[i] * batch.gloss[i] * (p32 * p32 * 2.0 + p8 * 0.1) } else { 0.0 };
            for c in 0..3 {
                batch.irradiance[c][i] += lamp.rgb[c] * strength * facing;
                batch.sparkle[c][i] += lamp.rgb[c] * strength * mirrored;
            }
        }
    }
}

kernel! {
    /// Reflection of all that light, the mirrored sky, emission, and fog before it.
    fn compose(batch: &mut Batch, light: &Light) {
        for i in 0..batch.lanes() {
            let (nx, ny, nz) = (batch.normal[0][i], batch.normal[1][i], batch.normal[2][i]);
            let (rx, ry, rz) = (batch.ray[0][i], batch.ray[1][i], batch.ray[2][i]);
            let into = rx * nx + ry * ny + rz * nz;
            let cosine = if into < 0.0 { -into } else { 0.0 };
            let graze = 1.0 - if cosine < 1.0 { cosine } else { 1.0 };
            let g2 = graze * graze;
            let mirror = batch.mirror[i];
            let fresnel = batch.gloss[i] * (mirror + (1.0 - mirror) * g2 * g2 * graze) * batch.open[i];
            let up = rz - 2.0 * into * nz;
            let height = if up > 0.0 { up } else { 0.0 };
            let low = 1.0 - height;
            let haze = low * low * low;
            let below = 1.0 + up * 6.0;
            let dim = if up < 0.0 { if below > 0.25 { below } else { 0.25 } } else { 1.0 };
            let depth = light.extinction * batch.distance[i];
            let clear = super::environment::fade(depth);
            for c in 0..3 {
                let sky = (light.zenith[c] + (light.horizon[c] - light.zenith[c]) * haze) * dim;
                let seen = batch.albedo[c][i] * batch.irradiance[c][i] * (1.0 - fresnel) + sky * fresnel + batch.sparkle[c][i] + batch.out[c][i];
                batch.out[c][i] = light.fog_rgb[c] + (seen - light.fog_rgb[c]) * clear;
            }
            batch.fresnel[i] = fresnel * clear;
        }
    }
}
