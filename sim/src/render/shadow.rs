//! A depth map seen from the sun.

use crate::scene::{Instance, Scene};
use nalgebra::{Matrix3, Point3, Vector3};

/// Half of the side of the mapped square, metres.
const REACH_M: f64 = 72.0;

/// Edges up to this softness, in texels, take the cheaper filter.
const SHARP: f32 = 2.2;

/// Sums of the sun's channels, after exposure, below which nobody would see its shadows.
const LEAST_SUN: f32 = 0.15;

/// Height towards the sun of the first surface that blocks it, over a square across the sun's direction.
#[derive(Default)]
pub(super) struct ShadowMap {
    side: usize,
    texels: Vec<f32>,
    /// Rows: right, up and towards the sun, in texels, texels and metres.
    rotation: Matrix3<f64>,
    offset: Vector3<f64>,
    /// How dark shadows are, 0 = there are none.
    strength: f32,
    /// Half width of the soft edge, texels.
    softness: f32,
    corners: Vec<Vector3<f32>>,
}

/// Turns points relative to a camera into texels of a [`ShadowMap`].
#[derive(Clone, Copy)]
pub(super) struct ShadowView {
    pub(super) rotation: Matrix3<f32>,
    pub(super) offset: Vector3<f32>,
    /// How far off a surface, along its normal, the map is to be asked, metres.
    pub(super) normal_offset_m: f32,
}

impl ShadowMap {
    /// Draws the shadow casters around `centre`.
    pub(super) fn draw(&mut self, scene: &Scene, centre: &Point3<f64>, side: usize) {
        let sun = scene.lighting.sun_direction;
        let brightness = scene.lighting.sun_rgb.iter().sum::<f32>();
        self.strength = if brightness * scene.weather.exposure > LEAST_SUN && sun.z > 0.03 {
            1.0
        } else {
            0.0
        };
        if self.strength == 0.0 || side == 0 {
            self.strength = 0.0;
            return;
        }
        self.side = side;
        self.softness = 1.0 + 4.0 * scene.lighting.cloudiness * side as f32 / 1024.0;
        self.texels.clear();
        self.texels.resize(side * side, f32::MIN);
        let right = Vector3::z()
            .cross(&sun)
            .try_normalize(1e-6)
            .unwrap_or(Vector3::x());
        let up = sun.cross(&right);
        let texel = 2.0 * REACH_M / side as f64;
        // A flat ground is foreshortened along `up` under a low sun: texels shrink with it.
        let up_texel = texel * sun.z.max(0.25);
        self.rotation = Matrix3::from_rows(&[
            (right / texel).transpose(),
            (up / up_texel).transpose(),
            sun.transpose(),
        ]);
        let middle = (self.rotation * centre.coords).map(f64::floor);
        let half = side as f64 / 2.0;
        self.offset = Vector3::new(half - middle.x, half - middle.y, -middle.z);
        for instance in scene
            .instances
            .iter()
            .filter(|instance| instance.mesh.casts_shadow)
        {
            self.draw_instance(instance);
        }
    }

    fn draw_instance(&mut self, instance: &Instance) {
        let scale = instance.scale;
        let (centre, radius) = instance.bounds;
        let centre = instance.world_from_mesh
            * Point3::from(centre.coords.component_mul(&scale).cast::<f64>());
        let at = self.rotation * centre.coords + self.offset;
        let reach = f64::from(radius * scale.amax()) * self.rotation.row(1).norm();
        let range = -reach..self.side as f64 + reach;
        if !range.contains(&at.x) || !range.contains(&at.y) {
            return;
        }
        let pose = instance.world_from_mesh;
        let rotation = self.rotation * pose.rotation.to_rotation_matrix().into_inner();
        let matrix: Matrix3<f32> = rotation.cast::<f32>() * Matrix3::from_diagonal(&scale);
        let offset: Vector3<f32> = (self.rotation * pose.translation.vector + self.offset).cast();
        let mut corners = std::mem::take(&mut self.corners);
        corners.clear();
        corners.extend(
            instance
                .mesh
                .vertices
                .iter()
                .map(|vertex| matrix * vertex.position.coords + offset),
        );
        for triangle in &instance.mesh.triangles {
            let [a, b, c] = triangle.corners.map(|i| corners[i as usize]);
            self.draw_triangle(a, b, c, instance.mesh.is_double_sided);
        }
        self.corners = corners;
    }

    /// Faces turned away from the sun are drawn: their depth never fights with the lit faces before them.
    fn draw_triangle(
        &mut self,
        a: Vector3<f32>,
        b: Vector3<f32>,
        c: Vector3<f32>,
        is_double_sided: bool,
    ) {
        let area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
        if area.abs() < 1e-6 || (area > 0.0 && !is_double_sided) {
            return;
        }
        let last = (self.side - 1) as f32;
        let low_y = a.y.min(b.y).min(c.y).max(0.0).ceil();
        let high_y = a.y.max(b.y).max(c.y).min(last).floor();
        let slope_x = ((b.z - a.z) * (c.y - a.y) - (c.z - a.z) * (b.y - a.y)) / area;
        let slope_y = ((c.z - a.z) * (b.x - a.x) - (b.z - a.z) * (c.x - a.x)) / area;
        // Half a texel beyond an edge the slope of a steep face would leave the face by metres.
        let (lowest, highest) = (a.z.min(b.z).min(c.z), a.z.max(b.z).max(c.z));
        let mut y = low_y;
        while y <= high_y {
            let (mut left, mut right) = (f32::MAX, f32::MIN);
            for (p, q) in [(&a, &b), (&b, &c), (&c, &a)] {
                if (p.y <= y) != (q.y <= y) {
                    let x = p.x + (q.x - p.x) * (y - p.y) / (q.y - p.y);
                    left = left.min(x);
                    right = right.max(x);
                }
            }
            // Half a texel wider, so that poles do not fall through.
            let first = (left - 0.5).max(0.0).ceil();
            let end = (right + 0.5).min(last).floor();
            if first <= end {
                let row = y as usize * self.side;
                let z = a.z + slope_x * (first - a.x) + slope_y * (y - a.y);
                let span = &mut self.texels[row + first as usize..=row + end as usize];
                for (i, texel) in span.iter_mut().enumerate() {
                    let here = (z + slope_x * i as f32).clamp(lowest, highest);
                    *texel = if here > *texel { here } else { *texel };
                }
            }
            y += 1.0;
        }
    }

    /// The map as seen from a camera at `camera`, with `world_from_cam` rotation left to the caller.
    pub(super) fn view(&self, camera: &Vector3<f64>) -> ShadowView {
        let texel_m = 2.0 * REACH_M as f32 / self.side.max(1) as f32;
        ShadowView {
            rotation: self.rotation.cast(),
            offset: (self.rotation * camera + self.offset).cast(),
            normal_offset_m: texel_m * (1.0 + 0.7 * self.softness),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.strength == 0.0
    }

    /// Part of the sun that reaches a point in texels and height, 0 to 1.
    #[inline]
    pub(super) fn sunlight(&self, at: Vector3<f32>) -> f32 {
        let reach = 1.0 + self.softness;
        let last = self.side as f32 - 1.0 - reach;
        if !(at.x > reach && at.y > reach && at.x < last && at.y < last) {
            return 1.0;
        }
        const BIAS_M: f32 = 0.06;
        let height = at.z + BIAS_M;
        if self.softness <= SHARP {
            return self.filtered_wide(at.x, at.y, height);
        }
        let soft = self.softness;
        let taps = [(-0.7, -0.3), (0.3, -0.7), (0.7, 0.3), (-0.3, 0.7)];
        taps.into_iter()
            .map(|(x, y)| self.filtered(at.x + x * soft, at.y + y * soft, height))
            .sum::<f32>()
            * 0.25
    }

    /// Mean of lit texels under a square two texels wide.
    #[inline(always)]
    fn filtered_wide(&self, x: f32, y: f32, height: f32) -> f32 {
        let (x, y) = (x - 0.5, y - 0.5);
        let (column, row) = (x as usize, y as usize);
        let (fx, fy) = (x - column as f32, y - row as f32);
        let first = row * self.side + column;
        let line = |row: usize| {
            let at = first + row * self.side;
            let texels = &self.texels[at..at + 3];
            let lit = |i: usize| if texels[i] > height { 0.0 } else { 1.0 };
            lit(0) * (1.0 - fx) + lit(1) + lit(2) * fx
        };
        (line(0) * (1.0 - fy) + line(1) + line(2) * fy) * 0.25
    }

    #[inline(always)]
    fn filtered(&self, x: f32, y: f32, height: f32) -> f32 {
        let (column, row) = (x as usize, y as usize);
        let (fx, fy) = (x - column as f32, y - row as f32);
        let at = row * self.side + column;
        let lit = |i: usize| if self.texels[i] > height { 0.0 } else { 1.0 };
        let top = lit(at) * (1.0 - fx) + lit(at + 1) * fx;
        let bottom = lit(at + self.side) * (1.0 - fx) + lit(at + self.side + 1) * fx;
        top * (1.0 - fy) + bottom * fy
    }
}
