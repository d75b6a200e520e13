//! Procedural materials: what a point of a surface reflects.

use super::environment::{Light, smoothstep};
use super::geometry::{LEAF_TEXEL_M, leaf_density};
use super::hash::lattice;
use super::noise::{CLOUD, CRACK, GRAIN, NoiseTexture, PATCH, floor};
use crate::scene::Material;
use nalgebra::Vector3;

/// A point of a surface, as a material sees it.
pub(super) struct Spot {
    /// Wrapped world position, metres.
    pub(super) position: Vector3<f32>,
    /// Unit normal in world axes.
    pub(super) normal: Vector3<f32>,
    pub(super) uv: [f32; 2],
    /// Width that one pixel covers on the surface, metres.
    pub(super) footprint: f32,
}

/// What is reflected there.
#[derive(Clone, Copy)]
pub(super) struct Finish {
    pub(super) albedo: [f32; 3],
    pub(super) emission: [f32; 3],
    /// Strength of the mirrored sky, 0 to 1.
    pub(super) gloss: f32,
    /// Mirrored part at perpendicular incidence, before `gloss`.
    pub(super) mirror: f32,
    /// Ground that vehicles darken.
    pub(super) is_ground: bool,
}

impl Finish {
    fn matt(albedo: [f32; 3]) -> Self {
        Self {
            albedo,
            emission: [0.0; 3],
            gloss: 0.0,
            mirror: 0.04,
            is_ground: false,
        }
    }
}

/// Period of the fine noise is 7.68 m, of the coarse one 102.4 m; both divide the wrap of world coordinates.
const FINE_TEXEL_M: f32 = 0.03;
/// Texel of the grit that only close ground shows; period 1.92 m.
const GRIT_TEXEL_M: f32 = 0.0075;
const COARSE_TEXEL_M: f32 = 0.4;

#[inline(always)]
fn fine(noise: &NoiseTexture, u: f32, v: f32, footprint: f32) -> [f32; 4] {
    const SCALE: f32 = 1.0 / FINE_TEXEL_M;
    noise.sample(u * SCALE, v * SCALE, footprint * SCALE)
}

#[inline(always)]
fn coarse(noise: &NoiseTexture, u: f32, v: f32, footprint: f32) -> [f32; 4] {
    const SCALE: f32 = 1.0 / COARSE_TEXEL_M;
    noise.sample(u * SCALE, v * SCALE, footprint * SCALE)
}

/// Grain of a rough ground between 0 and 1: stones of two sizes, the smaller ones only where they can be seen.
#[inline(always)]
fn grain(noise: &NoiseTexture, spot: &Spot, near: &[f32; 4]) -> f32 {
    let share = smoothstep(0.028, 0.010, spot.footprint);
    if share <= 0.0 {
        return near[GRAIN];
    }
    let scale = 1.0 / GRIT_TEXEL_M;
    let grit = noise.sample(
        spot.position.x * scale,
        spot.position.y * scale,
        spot.footprint * scale,
    );
    let mixed = 0.75 * grit[GRAIN] + 0.25 * near[GRAIN];
    near[GRAIN] + (mixed - near[GRAIN]) * share
}

/// Evaluates a material at a spot.
#[inline(always)]
pub(super) fn finish(
    material: &Material,
    spot: &Spot,
    light: &Light,
    noise: &NoiseTexture,
) -> Finish {
    match *material {
        Material::Asphalt { tint } => asphalt(tint, spot, light, noise),
        Material::Paint { yellow, wear } => paint(yellow, wear, spot, light, noise),
        Material::Concrete => concrete(spot, light, noise),
        Material::Grass => grass(spot, noise),
        Material::Facade { rgb, style } => facade(rgb, style, spot, light, noise),
        Material::Plain { rgb, gloss } => Finish {
            gloss,
            ..Finish::matt(scaled(rgb, grime(spot, noise)))
        },
        Material::Glass => Finish {
            gloss: 1.0,
            mirror: 0.09,
            ..Finish::matt([0.012, 0.014, 0.016])
        },
        Material::Rubber => Finish {
            gloss: 0.15,
            ..Finish::matt([0.018, 0.018, 0.019])
        },
        Material::Lamp { rgb } => {
            let peak = rgb[0].max(rgb[1]).max(rgb[2]).max(0.05);
            let day = 0.3 + 0.7 * light.night;
            Finish {
                emission: rgb.map(|x| x * day),
                gloss: 0.5,
                ..Finish::matt(rgb.map(|x| 0.35 * x / peak))
            }
        }
        Material::Foliage { rgb } => foliage(rgb, spot, noise),
        Material::Bark => bark(spot, noise),
        Material::Metal => Finish {
            gloss: 0.45,
            mirror: 0.35,
            ..Finish::matt([0.32, 0.33, 0.34])
        },
    }
}

#[inline(always)]
fn scaled(rgb: [f32; 3], by: f32) -> [f32; 3] {
    rgb.map(|x| x * by)
}

#[inline(always)]
fn blend(a: [f32; 3], b: [f32; 3], t: f32) -> [f32; 3] {
    [
        a[0] + (b[0] - a[0]) * t,
        a[1] + (b[1] - a[1]) * t,
        a[2] + (b[2] - a[2]) * t,
    ]
}

/// Dust and unevenness of an even colour.
#[inline(always)]
fn grime(spot: &Spot, noise: &NoiseTexture) -> f32 {
    let stain = noise.sample(spot.uv[0] * 24.0, spot.uv[1] * 24.0, spot.footprint * 24.0);
    1.0 + 0.22 * (stain[CLOUD] - 0.5) + 0.05 * (stain[GRAIN] - 0.5)
}

/// Water on a level surface: darkens and mirrors, most where the coarse noise makes puddles.
#[inline(always)]
fn wet(mut finish: Finish, depth: f32, light: &Light) -> Finish {
    if light.wetness > 0.0 {
        let puddle = smoothstep(0.75, 0.35, depth);
        let water = light.wetness * (0.45 + 0.55 * puddle);
        finish.albedo = scaled(finish.albedo, 1.0 - 0.5 * water);
        finish.gloss = finish.gloss.max(water * (0.55 + 0.4 * puddle));
        finish.mirror = 0.03;
    }
    finish
}

/// Grey level of a road surface, without paint.
#[inline(always)]
fn road_level(
    tint: f32,
    spot: &Spot,
    light: &Light,
    noise: &NoiseTexture,
    near: &[f32; 4],
    far: &[f32; 4],
) -> f32 {
    let base = 0.05 + 0.12 * tint;
    let salt = (light.seed as u32 & 0xFF) as f32 / 255.0;
    let repaired = if far[PATCH] > 0.80 + 0.12 * salt {
        0.78
    } else {
        1.0
    };
    let grain = 1.0 + 0.55 * (grain(noise, spot, near) - 0.5) + 0.22 * (near[CLOUD] - 0.5);
    let clouds = 1.0 + 0.5 * (far[CLOUD] - 0.5);
    let age = tint * (0.4 + 0.6 * salt);
    let cracks =
        1.0 - 0.5 * age * smoothstep(0.35, 0.9, near[CRACK]) * smoothstep(0.5, 0.7, far[CLOUD]);
    let seams = 1.0
        - 0.55 * age * smoothstep(0.45, 0.95, far[CRACK]) * (1.0 - spot.footprint * 2.0).max(0.0);
    base * repaired * grain * clouds * cracks * seams
}

#[inline(always)]
fn asphalt(tint: f32, spot: &Spot, light: &Light, noise: &NoiseTexture) -> Finish {
    let near = fine(noise, spot.position.x, spot.position.y, spot.footprint);
    let far = coarse(noise, spot.position.x, spot.position.y, spot.footprint);
    let level = road_level(tint, spot, light, noise, &near, &far);
    let finish = Finish {
        is_ground: true,
        gloss: 0.12,
        ..Finish::matt([level * 1.02, level, level * 0.97])
    };
    wet(finish, 0.6 * far[CLOUD] + 0.4 * far[PATCH], light)
}

#[inline(always)]
fn paint(yellow: bool, wear: f32, spot: &Spot, light: &Light, noise: &NoiseTexture) -> Finish {
    let near = fine(noise, spot.position.x, spot.position.y, spot.footprint);
    let far = coarse(noise, spot.position.x, spot.position.y, spot.footprint);
    let fresh = if yellow {
        [0.72, 0.43, 0.05]
    } else {
        [0.72, 0.72, 0.70]
    };
    let grime = 0.92 - 0.25 * wear + 0.16 * (near[CLOUD] - 0.5);
    let thickness = 0.35 * near[GRAIN] + 0.45 * near[CLOUD] + 0.2 * far[CLOUD] - 0.45 * near[CRACK];
    let soft = 0.06 + 0.2 * (spot.footprint * 6.0).min(1.0);
    let level = wear * 0.72 - 0.06;
    let kept = smoothstep(level - soft, level + soft, thickness);
    let road = road_level(0.5, spot, light, noise, &near, &far);
    let albedo = blend([road; 3], scaled(fresh, grime), kept);
    let finish = Finish {
        is_ground: true,
        gloss: 0.15,
        ..Finish::matt(albedo)
    };
    wet(finish, 0.6 * far[CLOUD] + 0.4 * far[PATCH], light)
}

#[inline(always)]
fn concrete(spot: &Spot, light: &Light, noise: &NoiseTexture) -> Finish {
    let (u, v) = if spot.normal.z > 0.7 {
        (spot.position.x, spot.position.y)
    } else {
        (spot.position.x + spot.position.y, spot.position.z)
    };
    let near = fine(noise, u, v, spot.footprint);
    let far = coarse(noise, u, v, spot.footprint);
    let slab = 1.0
        - 0.35
            * joint(spot.uv[0], 0.6, 0.015, spot.footprint).max(joint(
                spot.uv[1],
                0.6,
                0.015,
                spot.footprint,
            ));
    let level = 0.27
        * (1.0 + 0.25 * (near[GRAIN] - 0.5) + 0.3 * (near[CLOUD] - 0.5))
        * (1.0 + 0.35 * (far[CLOUD] - 0.5))
        * slab;
    let finish = Finish {
        is_ground: spot.normal.z > 0.7,
        ..Finish::matt([level * 1.03, level, level * 0.94])
    };
    if spot.normal.z > 0.7 {
        wet(finish, far[CLOUD] + 0.2, light)
    } else {
        finish
    }
}

#[inline(always)]
fn grass(spot: &Spot, noise: &NoiseTexture) -> Finish {
    let near = fine(noise, spot.position.x, spot.position.y, spot.footprint);
    let far = coarse(noise, spot.position.x, spot.position.y, spot.footprint);
    let blades = 0.6 + 0.55 * grain(noise, spot, &near) + 0.5 * (near[CLOUD] - 0.5);
    let lush = [0.055, 0.095, 0.022];
    let dry = [0.15, 0.125, 0.055];
    let soil = [0.09, 0.065, 0.04];
    let base = blend(lush, dry, smoothstep(0.35, 0.8, far[CLOUD]));
    let bare = smoothstep(0.72, 0.9, far[PATCH]) * smoothstep(0.4, 0.6, near[CLOUD]);
    Finish {
        is_ground: true,
        ..Finish::matt(scaled(blend(base, soil, bare), blades))
    }
}

#[inline(always)]
fn bark(spot: &Spot, noise: &NoiseTexture) -> Finish {
    let around = spot.position.x * 1.7 - spot.position.y * 1.3;
    let near = fine(
        noise,
        around * 3.0,
        spot.position.z * 0.6,
        spot.footprint * 2.0,
    );
    let level = 0.07 * (0.5 + near[CLOUD] + 0.3 * (near[GRAIN] - 0.5));
    Finish::matt([level * 1.25, level, level * 0.75])
}

#[inline(always)]
fn foliage(rgb: [f32; 3], spot: &Spot, noise: &NoiseTexture) -> Finish {
    let density = leaf_density(noise, spot.position, spot.footprint / LEAF_TEXEL_M);
    let clumps = coarse(
        noise,
        spot.position.x * 1.9 + spot.position.z,
        spot.position.y * 1.9 - spot.position.z,
        spot.footprint * 1.9,
    );
    let level = (0.25 + 1.3 * density) * (0.65 + 0.7 * clumps[CLOUD]);
    Finish {
        gloss: 0.08,
        ..Finish::matt(scaled(rgb, level))
    }
}

/// Part of the footprint around `x` that lies in joints of a given width repeating every `period`.
#[inline(always)]
fn joint(x: f32, period: f32, width: f32, footprint: f32) -> f32 {
    let phase = (x / period - floor(x / period) as f32) * period;
    let distance = phase.min(period - phase);
    let spread = width + footprint;
    (1.0 - distance / spread).max(0.0) * (width / spread)
}

/// Part of the footprint around `x` inside [low, high], smoothly.
#[inline(always)]
fn inside(x: f32, low: f32, high: f32, footprint: f32) -> f32 {
    let blur = footprint.max(1e-3);
    ((x - low) / blur + 0.5).clamp(0.0, 1.0) * ((high - x) / blur + 0.5).clamp(0.0, 1.0)
}

#[inline(always)]
fn facade(rgb: [f32; 3], style: u32, spot: &Spot, light: &Light, noise: &NoiseTexture) -> Finish {
    let variant = |salt: u32| lattice(style as i32, 0, salt);
    let floor_m = 2.9 + 0.9 * variant(50);
    let bay_m = 1.7 + 2.4 * variant(51);
    let (u, v) = (spot.uv[0] / bay_m, (spot.uv[1] + 0.3) / floor_m);
    let (column, row) = (floor(u), floor(v));
    let (x, y) = ((u - column as f32) * bay_m, (v - row as f32) * floor_m);
    let width = bay_m * (0.36 + 0.4 * variant(52));
    let sill = 0.75 * variant(53) + 0.25;
    let height = (floor_m - sill - 0.45).max(0.8);
    let left = (bay_m - width) * 0.5;
    // Far away a window is smaller than a pixel and its even share of the wall takes over.
    let share = width * height / (bay_m * floor_m);
    let far = smoothstep(0.5, 1.3, spot.footprint);
    let near_glass = inside(x, left, left + width, spot.footprint)
        * inside(y, sill, sill + height, spot.footprint);
    let frame = 0.07;
    let near_frame = inside(x, left - frame, left + width + frame, spot.footprint)
        * inside(y, sill - frame, sill + height + frame, spot.footprint);
    let cross = joint(x - left - width * 0.5, 100.0, 0.03, spot.footprint) * near_glass;
    let glass = near_glass + (share - near_glass) * far;
    let framed = ((near_frame - near_glass).max(0.0) + cross).min(1.0) * (1.0 - far);

    let stain = coarse(
        noise,
        spot.uv[0] * 4.0,
        spot.uv[1] * 2.0,
        spot.footprint * 3.0,
    );
    let grain = fine(noise, spot.uv[0], spot.uv[1], spot.footprint);
    let brick = if style.is_multiple_of(3) {
        let course = floor(spot.uv[1] / 0.16);
        let shift = if course & 1 == 0 { 0.0 } else { 0.16 };
        let mortar = joint(spot.uv[1], 0.16, 0.012, spot.footprint).max(joint(
            spot.uv[0] + shift,
            0.32,
            0.012,
            spot.footprint,
        ));
        1.0 - 0.3 * mortar
    } else {
        1.0
    };
    let band = 1.0 - 0.18 * joint(spot.uv[1] + 0.3, floor_m, 0.08, spot.footprint);
    let wall = (0.9
        + 0.28 * (stain[CLOUD] - 0.5)
        + 0.14 * (grain[GRAIN] - 0.5)
        + 0.1 * (grain[CLOUD] - 0.5))
        * brick
        * band;
    let trim = if variant(54) > 0.5 {
        [0.55, 0.54, 0.52]
    } else {
        [0.10, 0.09, 0.09]
    };
    let mut albedo = blend(scaled(rgb, wall), trim, framed);
    let blind = lattice(column, row, style ^ 0x55);
    let pane = if blind > 0.72 {
        [0.22, 0.21, 0.19]
    } else {
        [0.025, 0.028, 0.032]
    };
    albedo = blend(albedo, pane, glass);

    let mut emission = [0.0; 3];
    if light.night > 0.0 {
        let is_lit = lattice(column, row, style ^ 0xA7) < 0.28;
        let warm = lattice(column, row, style ^ 0x33);
        let strength = light.night * light.white * (0.25 + 0.5 * warm);
        let lit = if is_lit { glass * (1.0 - far) } else { 0.0 } + 0.28 * glass * far;
        let curtain = 0.6 + 0.5 * (stain[CLOUD] - 0.2);
        emission =
            [1.0, 0.72 + 0.2 * warm, 0.38 + 0.4 * warm].map(|c| c * strength * lit * curtain);
    }
    Finish {
        albedo,
        emission,
        gloss: 0.75 * glass,
        mirror: 0.08,
        is_ground: false,
    }
}
