//! Mirror images on wet ground: what stands behind the water is looked up in the picture itself.

use super::environment::Light;
use super::geometry::{Eye, SampleLens};
use super::hash::lattice;
use super::shade::Radiance;
use nalgebra::Vector3;

/// A pixel of wet ground.
#[derive(Clone, Copy)]
pub(super) struct WetSpot {
    pub(super) pixel: u32,
    /// Mirrored part of the light, 0 to 1, fog included.
    pub(super) strength: f32,
    /// Unit ray in world axes.
    pub(super) ray: Vector3<f32>,
    pub(super) distance: f32,
    pub(super) normal: Vector3<f32>,
}

/// The wet ground of one image.
#[derive(Default)]
pub(super) struct Puddles {
    spots: Vec<WetSpot>,
}

impl Puddles {
    pub(super) fn clear(&mut self) {
        self.spots.clear();
    }

    pub(super) fn push(&mut self, spot: WetSpot) {
        if spot.strength > 0.03 {
            self.spots.push(spot);
        }
    }

    /// Replaces the mirrored sky by the mirrored scene wherever reflected rays, `rays` of them a pixel, meet something in
    /// the picture.
    pub(super) fn mirror(
        &self,
        lens: &SampleLens<'_>,
        eye: &Eye,
        light: &Light,
        rays: u32,
        depth_m: &[f32],
        radiance: &mut Radiance,
    ) {
        let cam_from_world = eye.rotation.transpose();
        let share = 0.9 / rays as f32;
        for spot in &self.spots {
            let (column, row) = (
                spot.pixel as usize % radiance.width,
                spot.pixel as usize / radiance.width,
            );
            let start = cam_from_world * (spot.ray * spot.distance);
            for ray in 0..rays {
                let random = |salt: u32| lattice(column as i32, row as i32, salt + 2 * ray);
                // Ripples tilt the mirror along the line of sight, which draws lights out into streaks.
                let normal = spot.normal + spot.ray * ((random(71) - 0.5) * 0.05);
                let mirrored = spot.ray - normal * (2.0 * spot.ray.dot(&normal));
                if mirrored.z <= 0.0 {
                    continue;
                }
                let stretch = 0.8 + 0.5 * random(72);
                if let Some(at) = meet(
                    lens,
                    &start,
                    &(cam_from_world * mirrored),
                    stretch,
                    depth_m,
                    radiance,
                ) {
                    let sky = light.gradient(mirrored.z);
                    let seen =
                        [0, 1, 2].map(|c| radiance.planes[c][at].min(4.0 * light.white) - sky[c]);
                    radiance.add(spot.pixel as usize, spot.strength * share, seen);
                }
            }
        }
    }
}

/// Pixel in which the ray from `start` along `direction` (camera axes) first goes behind a surface.
fn meet(
    lens: &SampleLens<'_>,
    start: &Vector3<f32>,
    direction: &Vector3<f32>,
    stretch: f32,
    depth_m: &[f32],
    radiance: &Radiance,
) -> Option<usize> {
    let mut length = 0.9 * stretch;
    for _ in 0..9 {
        let point = start + direction * length;
        let [x, y] = lens.project(&point)?;
        if x < 0.0
            || y < 0.0
            || x >= radiance.width as f32 - 0.5
            || y >= radiance.height as f32 - 0.5
        {
            return None;
        }
        let at = (y + 0.5) as usize * radiance.width + (x + 0.5) as usize;
        let behind = point.norm() - depth_m[at];
        if depth_m[at] > 0.0 && behind > 0.0 && behind < 0.7 * length + 0.3 {
            return Some(at);
        }
        length *= 1.6;
    }
    None
}
