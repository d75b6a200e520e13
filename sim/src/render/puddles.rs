//! Mirror images on wet ground: what stands behind the water is looked up in the picture itself.

use super::environment::Light;
use super::geometry::SampleLens;
use super::hash::lattice;
use super::shade::Radiance;
use nalgebra::{Matrix3, Vector3};

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

    /// Replaces the mirrored sky by the mirrored scene wherever reflected rays meet something in the picture.
    ///
    /// At full size a pixel shares the ray of its left neighbour; in small pictures every pixel has two of its own.
    pub(super) fn mirror(&self, mirror: &Mirror<'_>, is_small: bool, radiance: &mut Radiance) {
        let mut shared: Option<(u32, [f32; 3])> = None;
        for spot in &self.spots {
            let gain = match shared.take() {
                Some((pixel, gain)) if pixel + 1 == spot.pixel && !is_small => gain,
                _ => {
                    let gain = if is_small {
                        let (a, b) = (
                            mirror.gain(spot, 71, radiance),
                            mirror.gain(spot, 73, radiance),
                        );
                        [
                            0.5 * (a[0] + b[0]),
                            0.5 * (a[1] + b[1]),
                            0.5 * (a[2] + b[2]),
                        ]
                    } else {
                        mirror.gain(spot, 71, radiance)
                    };
                    shared = Some((spot.pixel, gain));
                    gain
                }
            };
            if gain != [0.0; 3] {
                radiance.add(spot.pixel as usize, spot.strength * 0.9, gain);
            }
        }
    }
}

/// What reflected rays are traced in.
pub(super) struct Mirror<'a> {
    pub(super) lens: SampleLens<'a>,
    pub(super) cam_from_world: Matrix3<f32>,
    pub(super) light: &'a Light,
    pub(super) depth_m: &'a [f32],
}

impl Mirror<'_> {
    /// Radiance that one reflected ray meets, less that of the sky.
    fn gain(&self, spot: &WetSpot, salt: u32, radiance: &Radiance) -> [f32; 3] {
        let (column, row) = (
            spot.pixel as usize % radiance.width,
            spot.pixel as usize / radiance.width,
        );
        let random = |salt: u32| lattice(column as i32, row as i32, salt);
        // Ripples tilt the mirror along the line of sight, which draws lights out into streaks.
        let normal = spot.normal + spot.ray * ((random(salt) - 0.5) * 0.05);
        let mirrored = spot.ray - normal * (2.0 * spot.ray.dot(&normal));
        if mirrored.z <= 0.0 {
            return [0.0; 3];
        }
        let start = self.cam_from_world * (spot.ray * spot.distance);
        let stretch = 0.7 + 0.6 * random(salt + 1);
        match self.meet(&start, &(self.cam_from_world * mirrored), stretch, radiance) {
            Some(at) => {
                let sky = self.light.gradient(mirrored.z);
                let brightest = 4.0 * self.light.white;
                let [red, green, blue] = &radiance.planes;
                [
                    red[at].min(brightest) - sky[0],
                    green[at].min(brightest) - sky[1],
                    blue[at].min(brightest) - sky[2],
                ]
            }
            None => [0.0; 3],
        }
    }

    /// Pixel in which the ray from `start` along `direction` (camera axes) first goes behind a surface.
    fn meet(
        &self,
        start: &Vector3<f32>,
        direction: &Vector3<f32>,
        stretch: f32,
        radiance: &Radiance,
    ) -> Option<usize> {
        let (width, height) = (radiance.width as f32 - 0.5, radiance.height as f32 - 0.5);
        let mut length = stretch;
        for _ in 0..7 {
            let point = start + direction * length;
            let [x, y] = self.lens.project(&point)?;
            if x < 0.0 || y < 0.0 || x >= width || y >= height {
                return None;
            }
            let at = (y + 0.5) as usize * radiance.width + (x + 0.5) as usize;
            let depth = self.depth_m[at];
            let behind = point.norm() - depth;
            if depth > 0.0 && behind > 0.0 && behind < 0.8 * length + 0.3 {
                return Some(at);
            }
            length *= 1.8;
        }
        None
    }
}
