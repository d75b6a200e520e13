//! Light of one scene in the form that shading wants: sky, fog, lamps, shadow and occlusion maps.

use super::geometry::{Eye, is_seen};
use super::hash::mix;
use super::lens::RayTable;
use super::noise::{CLOUD, NoiseTexture};
use super::occlusion::OcclusionMap;
use super::shadow::ShadowMap;
use crate::scene::{Lighting, Scene, Weather};
use nalgebra::{Point3, Vector3};

/// Everything that shading needs besides the surfaces; shared by the cameras of a set.
#[derive(Default)]
pub(super) struct Environment {
    pub(super) light: Light,
    pub(super) shadow: ShadowMap,
    pub(super) occlusion: OcclusionMap,
}

impl Environment {
    /// Prepares maps around `centre`.
    pub(super) fn prepare(&mut self, scene: &Scene, centre: &Point3<f64>, shadow_texels: usize) {
        self.light = Light::new(&scene.lighting, &scene.weather, scene.seed);
        self.shadow.draw(scene, centre, shadow_texels);
        self.occlusion.draw(scene, centre);
    }
}

/// Colours and directions in single precision.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Light {
    pub(super) sun: Vector3<f32>,
    pub(super) sun_rgb: [f32; 3],
    pub(super) zenith: [f32; 3],
    pub(super) horizon: [f32; 3],
    pub(super) cloudiness: f32,
    pub(super) fog_rgb: [f32; 3],
    pub(super) extinction: f32,
    pub(super) wetness: f32,
    /// Radiance that the camera shows as mid grey to white: scales lit windows and other unphysical glow.
    pub(super) white: f32,
    /// 0 by day, 1 at night.
    pub(super) night: f32,
    pub(super) seed: u64,
    cloud_offset: [f32; 2],
}

impl Light {
    fn new(lighting: &Lighting, weather: &Weather, seed: u64) -> Self {
        let sky = luminance(lighting.sky_zenith_rgb)
            + luminance(lighting.sky_horizon_rgb)
            + luminance(lighting.sun_rgb);
        let hash = mix(seed);
        Self {
            sun: lighting.sun_direction.cast(),
            sun_rgb: lighting.sun_rgb,
            zenith: lighting.sky_zenith_rgb,
            horizon: lighting.sky_horizon_rgb,
            cloudiness: lighting.cloudiness,
            fog_rgb: weather.fog.rgb,
            extinction: weather.fog.extinction_per_m,
            wetness: weather.wetness,
            white: 1.0 / weather.exposure.max(1e-3),
            night: 1.0 - smoothstep(0.08, 0.45, sky),
            seed,
            cloud_offset: [(hash & 0xFF) as f32, (hash >> 8 & 0xFF) as f32],
        }
    }

    /// Clear gradient of the sky, without clouds and sun; what rough surfaces mirror.
    #[inline(always)]
    pub(super) fn gradient(&self, up: f32) -> [f32; 3] {
        let height = if up > 0.0 { up } else { 0.0 };
        let low = 1.0 - height;
        let haze = low * low * low;
        let ground = if up < 0.0 {
            (1.0 + up * 6.0).max(0.25)
        } else {
            1.0
        };
        std::array::from_fn(|c| {
            (self.zenith[c] + (self.horizon[c] - self.zenith[c]) * haze) * ground
        })
    }

    /// Radiance of the sky in a unit direction, with clouds, the sun's glow, and fog before the horizon.
    pub(super) fn sky(
        &self,
        direction: Vector3<f32>,
        noise: &NoiseTexture,
        pixel_angle: f32,
    ) -> [f32; 3] {
        let mut rgb = self.gradient(direction.z);
        let towards_sun = direction.dot(&self.sun).max(0.0);
        let brightness = luminance(self.sun_rgb);
        if direction.z > 0.015 {
            let reach = 1.0 / (direction.z + 0.06);
            let u = direction.x * reach * 26.0 + self.cloud_offset[0];
            let v = direction.y * reach * 26.0 + self.cloud_offset[1];
            let footprint = pixel_angle * reach * reach * 26.0;
            let coarse = noise.sample(u * 0.5, v * 0.5, footprint * 0.5)[CLOUD];
            let fine = noise.sample(u * 2.3, v * 2.3, footprint * 2.3)[CLOUD];
            let density = 0.72 * coarse + 0.28 * fine;
            let threshold = 0.78 - 0.62 * self.cloudiness;
            let cover =
                smoothstep(threshold, threshold + 0.25, density) * (direction.z * 9.0).min(1.0);
            let lit = 0.75 + 0.5 * (fine - 0.5) - 0.35 * self.cloudiness * (density - 0.4);
            for (c, value) in rgb.iter_mut().enumerate() {
                let base = 0.55 * self.horizon[c]
                    + 0.35 * luminance(self.zenith)
                    + 0.45 * self.sun_rgb[c] * (0.4 + 0.6 * towards_sun);
                *value += (base * lit - *value) * cover * 0.85;
            }
        }
        let clear = 1.0 - 0.9 * self.cloudiness;
        let wide = towards_sun.powi(8) * 0.22;
        let halo = towards_sun.powi(220) * 1.2;
        let disc = smoothstep(0.99988, 0.99996, towards_sun) * 60.0;
        if brightness > 0.0 && direction.z > -0.02 {
            for (value, sun) in rgb.iter_mut().zip(self.sun_rgb) {
                *value += sun * (wide * (0.3 + 0.7 * clear) + (halo + disc) * clear);
            }
        }
        let path = 160.0 / (direction.z.max(0.0) + 0.07);
        let veil = 1.0 - fade(self.extinction * path);
        for (value, fog) in rgb.iter_mut().zip(self.fog_rgb) {
            *value += (fog - *value) * veil;
        }
        rgb
    }
}

/// A lamp as seen by shading, in wrapped world coordinates.
#[derive(Clone, Copy, Debug)]
pub(super) struct ViewLamp {
    pub(super) position: Vector3<f32>,
    pub(super) direction: Option<Vector3<f32>>,
    pub(super) rgb: [f32; 3],
    /// Distance at which the lamp no longer matters, metres.
    pub(super) reach: f32,
}

/// Lamps whose light can be seen in the picture of one camera.
pub(super) fn lamps_before(
    eye: &Eye,
    table: &RayTable,
    lighting: &Lighting,
    white: f32,
    into: &mut Vec<ViewLamp>,
) {
    const LEAST_PART_OF_WHITE: f32 = 0.008;
    const LONGEST_REACH_M: f32 = 90.0;
    into.clear();
    for lamp in &lighting.lamps {
        let peak = lamp.rgb.into_iter().fold(0.0, f32::max);
        let reach = (peak / (LEAST_PART_OF_WHITE * white).max(1e-9))
            .sqrt()
            .min(LONGEST_REACH_M);
        if is_seen(table.culling_cones(), &eye.in_cam(&lamp.position), reach) {
            into.push(ViewLamp {
                position: eye.wrap(&lamp.position),
                direction: lamp.direction.map(|direction| direction.cast()),
                rgb: lamp.rgb,
                reach,
            });
        }
    }
}

impl ViewLamp {
    /// Whether the lamp lights anything inside of a sphere.
    pub(super) fn reaches(&self, centre: &Vector3<f32>, radius: f32) -> bool {
        let offset = centre - self.position;
        if offset.norm() > self.reach + radius {
            return false;
        }
        self.direction.is_none_or(|direction| {
            // The beam ends 37 degrees off its axis: tangent 0.75, and a sphere touches it 1.25 radii outside.
            let along = offset.dot(&direction);
            let aside = (offset - direction * along).norm();
            along > -radius && aside < 0.75 * along.max(0.0) + 1.25 * radius
        })
    }
}

/// `exp(-x)` for x ≥ 0, within a few percent up to x = 4.
#[inline(always)]
pub(super) fn fade(x: f32) -> f32 {
    let a = 1.0 + x * (1.0 / 32.0);
    let b = a * a;
    let c = b * b;
    let d = c * c;
    let e = d * d;
    1.0 / (e * e)
}

/// Photometric luminance of linear RGB.
pub(super) fn luminance(rgb: [f32; 3]) -> f32 {
    0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]
}

/// Hermite step from 0 at `low` to 1 at `high`.
#[inline(always)]
pub(super) fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    // The reciprocal of constants is computed when compiling.
    let t = ((x - low) * (1.0 / (high - low))).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
