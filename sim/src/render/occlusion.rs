//! A map from above of how much sky the ground loses under and beside vehicles.

use crate::scene::{Instance, Scene};
use nalgebra::{Point3, Vector3};

const SIDE: usize = 512;
const TEXEL_M: f64 = 0.25;
/// Width of the dark rim around an object, metres.
const RIM_M: f32 = 0.7;

/// Darkness of the ground, 0 open to 1 covered.
#[derive(Default)]
pub(super) struct OcclusionMap {
    texels: Vec<f32>,
    corner: Vector3<f64>,
}

impl OcclusionMap {
    /// Splats the footprints of all objects around `centre`.
    pub(super) fn draw(&mut self, scene: &Scene, centre: &Point3<f64>) {
        self.texels.clear();
        self.texels.resize(SIDE * SIDE, 0.0);
        let half = SIDE as f64 * TEXEL_M / 2.0;
        let snap = |x: f64| ((x - half) / TEXEL_M).floor() * TEXEL_M;
        self.corner = Vector3::new(snap(centre.x), snap(centre.y), 0.0);
        for instance in scene.instances.iter().filter(|instance| instance.id.0 != 0) {
            self.splat(instance);
        }
    }

    fn splat(&mut self, instance: &Instance) {
        let mut low = Vector3::repeat(f32::MAX);
        let mut high = Vector3::repeat(f32::MIN);
        for vertex in &instance.mesh.vertices {
            let position = vertex.position.coords.component_mul(&instance.scale);
            low = low.inf(&position);
            high = high.sup(&position);
        }
        if low.x > high.x {
            return;
        }
        let mid = (low + high) * 0.5;
        let half = (high - low) * 0.5;
        let in_world = instance.world_from_mesh
            * Point3::new(f64::from(mid.x), f64::from(mid.y), f64::from(mid.z));
        let axis = instance.world_from_mesh.rotation * Vector3::x();
        let norm = axis.xy().norm().max(1e-6);
        let (cos, sin) = ((axis.x / norm) as f32, (axis.y / norm) as f32);
        let at = (in_world.coords - self.corner) / TEXEL_M;
        let texel = TEXEL_M as f32;
        let reach = f64::from((half.xy().norm() + RIM_M) / texel);
        let clamp = |x: f64| x.clamp(0.0, SIDE as f64) as usize;
        // Thin things, such as a person, darken the ground less than a car does.
        let weight = (half.x.min(half.y) / 0.8).clamp(0.25, 1.0);
        for row in clamp(at.y - reach)..clamp(at.y + reach + 1.0) {
            for column in clamp(at.x - reach)..clamp(at.x + reach + 1.0) {
                let dx = (column as f32 - at.x as f32) * texel;
                let dy = (row as f32 - at.y as f32) * texel;
                let outside_x = (dx * cos + dy * sin).abs() - half.x;
                let outside_y = (dy * cos - dx * sin).abs() - half.y;
                let distance = if outside_x.max(outside_y) < 0.0 {
                    outside_x.max(outside_y)
                } else {
                    outside_x.max(0.0).hypot(outside_y.max(0.0))
                };
                let open = ((distance + 0.45) / (RIM_M + 0.45)).clamp(0.0, 1.0);
                let dark = weight * (1.0 - open) * (1.0 - open) * 0.95;
                let cell = &mut self.texels[row * SIDE + column];
                *cell = cell.max(dark);
            }
        }
    }

    /// Offset that turns positions relative to `camera` into texels.
    pub(super) fn offset(&self, camera: &Vector3<f64>) -> [f32; 2] {
        let at = (camera - self.corner) / TEXEL_M;
        [at.x as f32, at.y as f32]
    }

    /// Darkness at a position relative to the camera, metres, in world axes.
    #[inline]
    pub(super) fn darkness(&self, x: f32, y: f32, offset: [f32; 2]) -> f32 {
        let (u, v) = (
            x / TEXEL_M as f32 + offset[0],
            y / TEXEL_M as f32 + offset[1],
        );
        if !(u >= 0.0 && v >= 0.0 && u < (SIDE - 1) as f32 && v < (SIDE - 1) as f32) {
            return 0.0;
        }
        let (column, row) = (u as usize, v as usize);
        let (fu, fv) = (u - column as f32, v - row as f32);
        let at = row * SIDE + column;
        let top = self.texels[at] + (self.texels[at + 1] - self.texels[at]) * fu;
        let bottom =
            self.texels[at + SIDE] + (self.texels[at + SIDE + 1] - self.texels[at + SIDE]) * fu;
        top + (bottom - top) * fv
    }
}
