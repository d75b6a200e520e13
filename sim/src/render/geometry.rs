//! Brings the instances of a scene before a camera: culling, order, vertices, triangles.

use super::lens::{Cone, RayTable};
use super::noise::{CLOUD, NoiseTexture, floor};
use super::raster::{Counting, NOBODY, SampleBox, Setup, Surface};
use super::{View, VisibilityCounts};
use crate::scene::{Instance, Material, Scene};
use nalgebra::{Isometry3, Matrix3, Point3, Vector3};

/// Period after which world coordinates of textures wrap around, metres: a multiple of every texture's period.
pub(super) const WRAP_M: f64 = 3072.0;

/// Where the camera is, for turning rays into wrapped world positions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Eye {
    /// `world_from_cam` rotation.
    pub(super) rotation: Matrix3<f32>,
    /// Camera position in the world, wrapped by [`WRAP_M`] horizontally.
    pub(super) origin: Vector3<f32>,
    /// What was taken off the position by wrapping.
    pub(super) wrapped_by: Vector3<f64>,
    cam_from_world: Isometry3<f64>,
}

impl Eye {
    pub(super) fn new(world_from_cam: &Isometry3<f64>) -> Self {
        let position = world_from_cam.translation.vector;
        let wrapped_by = Vector3::new(
            (position.x / WRAP_M).floor() * WRAP_M,
            (position.y / WRAP_M).floor() * WRAP_M,
            0.0,
        );
        Self {
            rotation: world_from_cam
                .rotation
                .to_rotation_matrix()
                .into_inner()
                .cast(),
            origin: (position - wrapped_by).cast(),
            wrapped_by,
            cam_from_world: world_from_cam.inverse(),
        }
    }

    /// Wrapped world position of a point in the camera frame.
    pub(super) fn world(&self, point_in_cam: Vector3<f32>) -> Vector3<f32> {
        self.rotation * point_in_cam + self.origin
    }

    /// A world position in the camera frame.
    pub(super) fn in_cam(&self, point: &Point3<f64>) -> Vector3<f32> {
        (self.cam_from_world * point).coords.cast()
    }

    /// Wrapped coordinates of a world position near the camera.
    pub(super) fn wrap(&self, point: &Point3<f64>) -> Vector3<f32> {
        (point.coords - self.wrapped_by).cast()
    }
}

/// A vertex before the camera.
#[derive(Clone, Copy, Debug)]
pub(super) struct ViewVertex {
    /// Normal in world axes, not of unit length if the instance is scaled.
    pub(super) normal: Vector3<f32>,
    pub(super) uv: [f32; 2],
}

/// What shading needs of a drawn triangle.
#[derive(Clone, Copy, Debug)]
pub(super) struct ViewTriangle {
    /// Products with a ray of length d give the barycentric weights over the distance; see [`Setup`].
    pub(super) weights: [Vector3<f32>; 3],
    pub(super) plane: Vector3<f32>,
    pub(super) vertices: [u32; 3],
    pub(super) material: u32,
    pub(super) id: u32,
}

/// Buffers of the geometry stage, reused from image to image.
#[derive(Default)]
pub(super) struct Geometry {
    pub(super) vertices: Vec<ViewVertex>,
    pub(super) triangles: Vec<ViewTriangle>,
    pub(super) materials: Vec<Material>,
    corners: Vec<Corner>,
    order: Vec<(u8, f32, u32, u32)>,
    group_distance: Vec<f32>,
}

#[derive(Clone, Copy)]
struct Corner {
    position: Vector3<f32>,
    /// Position in samples, `None` if the lens cannot see it.
    sample: Option<[f32; 2]>,
}

impl Geometry {
    /// Draws all instances into `surface`; `counts` receives the silhouettes in samples.
    pub(super) fn draw(
        &mut self,
        scene: &Scene,
        view: &View<'_>,
        table: &RayTable,
        eye: &Eye,
        surface: &mut Surface,
        counts: &mut VisibilityCounts,
    ) {
        self.vertices.clear();
        self.triangles.clear();
        self.materials.clear();
        self.sort(scene, table, eye);
        let order = std::mem::take(&mut self.order);
        let (mut counting, mut last_id) = (None, 0);
        for &(_, _, id, index) in &order {
            if id != last_id {
                counting = (id != 0).then(|| surface.next_mark());
                last_id = id;
            }
            let covered = self.draw_instance(
                &scene.instances[index as usize],
                view,
                table,
                eye,
                surface,
                counting,
            );
            if id != 0 {
                counts.add_silhouette(id, covered as f32);
            }
        }
        self.order = order;
    }

    /// Solids before decals, near before far, parts of one object together.
    fn sort(&mut self, scene: &Scene, table: &RayTable, eye: &Eye) {
        self.order.clear();
        let top = scene
            .instances
            .iter()
            .map(|instance| instance.id.0)
            .max()
            .unwrap_or(0) as usize;
        self.group_distance.clear();
        self.group_distance.resize(top + 1, f32::MAX);
        for (index, instance) in scene.instances.iter().enumerate() {
            let (centre, radius) = sphere_in_cam(instance, eye);
            let distance = centre.norm();
            let id = instance.id.0;
            let is_tiny = id == 0 && radius < 0.2 * table.pixel_angle() * distance;
            if is_tiny || !is_seen(table.culling_cones(), &centre, radius) {
                continue;
            }
            let near = (distance - radius).max(0.0);
            let group = &mut self.group_distance[id as usize];
            *group = group.min(near);
            self.order
                .push((instance.mesh.layer, near, id, index as u32));
        }
        for entry in &mut self.order {
            if entry.2 != 0 {
                entry.1 = self.group_distance[entry.2 as usize];
            }
        }
        self.order.sort_by(|a, b| {
            a.0.cmp(&b.0)
                .then(a.1.total_cmp(&b.1))
                .then(a.2.cmp(&b.2))
                .then(a.3.cmp(&b.3))
        });
    }

    fn draw_instance(
        &mut self,
        instance: &Instance,
        view: &View<'_>,
        table: &RayTable,
        eye: &Eye,
        surface: &mut Surface,
        counting: Option<Counting>,
    ) -> u32 {
        let mesh = &*instance.mesh;
        let first_vertex = self.vertices.len() as u32;
        let first_material = self.materials.len() as u32;
        self.materials.extend_from_slice(&mesh.materials);
        self.place_vertices(instance, view, table, eye);
        let noise = NoiseTexture::shared();
        let pixel_angle = table.pixel_angle();
        let keeps_leaf = |point: Vector3<f32>, graze: f32| {
            let footprint = point.norm() * pixel_angle / LEAF_TEXEL_M;
            leaf_density(noise, eye.world(point), footprint) > 0.30 + 0.34 * graze * graze
        };
        let mut covered = 0;
        for triangle in &mesh.triangles {
            let [a, b, c] = triangle.corners.map(|i| self.corners[i as usize]);
            let bounds = match sample_bounds(table, [&a, &b, &c]) {
                Bounds::Empty => continue,
                Bounds::Unknown => None,
                Bounds::Known(bounds) => Some(bounds),
            };
            let corners = [a.position, b.position, c.position];
            let Some((setup, per_volume)) = Setup::new(corners, mesh.is_double_sided, mesh.layer)
            else {
                continue;
            };
            let material = &mesh.materials[triangle.material as usize];
            let has_holes = matches!(material, Material::Foliage { .. });
            let keeps: Option<&dyn Fn(Vector3<f32>, f32) -> bool> =
                if has_holes { Some(&keeps_leaf) } else { None };
            let index = self.triangles.len() as u32;
            debug_assert!(index != NOBODY);
            covered += surface.fill(table, &setup, index, bounds, counting, keeps);
            self.triangles.push(ViewTriangle {
                weights: setup.edges.map(|edge| edge * per_volume),
                plane: setup.plane,
                vertices: triangle.corners.map(|i| i + first_vertex),
                material: first_material + u32::from(triangle.material),
                id: instance.id.0,
            });
        }
        covered
    }

    fn place_vertices(
        &mut self,
        instance: &Instance,
        view: &View<'_>,
        table: &RayTable,
        eye: &Eye,
    ) {
        let cam_from_mesh = eye.cam_from_world * instance.world_from_mesh;
        let rotation: Matrix3<f32> = cam_from_mesh
            .rotation
            .to_rotation_matrix()
            .into_inner()
            .cast();
        let translation: Vector3<f32> = cam_from_mesh.translation.vector.cast();
        let scale = instance.scale;
        let scaled = rotation * Matrix3::from_diagonal(&scale);
        let world_rotation: Matrix3<f32> = instance
            .world_from_mesh
            .rotation
            .to_rotation_matrix()
            .into_inner()
            .cast();
        let normals = world_rotation * Matrix3::from_diagonal(&scale.map(|s| 1.0 / s));
        let lens = SampleLens::new(view, table);
        self.corners.clear();
        for vertex in &instance.mesh.vertices {
            let position = scaled * vertex.position.coords + translation;
            self.corners.push(Corner {
                position,
                sample: lens.project(&position),
            });
            self.vertices.push(ViewVertex {
                normal: normals * vertex.normal,
                uv: vertex.uv,
            });
        }
    }
}

/// Side of a texel of the leaf noise, metres.
pub(super) const LEAF_TEXEL_M: f32 = 0.02;

/// Leaf density of a tree crown at a wrapped world position, in [0, 1].
#[inline(always)]
pub(super) fn leaf_density(noise: &NoiseTexture, position: Vector3<f32>, footprint: f32) -> f32 {
    let [x, y, z] = [position.x, position.y, position.z].map(|c| c * (1.0 / LEAF_TEXEL_M));
    let along = noise.sample(x + 0.31 * y, z, footprint)[CLOUD];
    let across = noise.sample(y - 0.31 * x, z + 97.0, footprint)[CLOUD];
    0.5 + 0.8 * (along + across - 1.0)
}

/// The camera model in sample coordinates and single precision.
pub(super) enum SampleLens<'a> {
    Rectilinear { fx: f32, fy: f32, cx: f32, cy: f32 },
    Curved { view: &'a View<'a>, sampling: f32 },
}

impl<'a> SampleLens<'a> {
    pub(super) fn of_pixels(view: &'a View<'a>, table: &RayTable) -> Self {
        Self::with_sampling(view, table, 1.0)
    }

    fn new(view: &'a View<'a>, table: &RayTable) -> Self {
        Self::with_sampling(view, table, table.sampling as f32)
    }

    fn with_sampling(view: &'a View<'a>, table: &RayTable, n: f32) -> Self {
        let lens = view.intrinsics;
        if table.is_rectilinear {
            let centre = |c: f64| (c as f32 + 0.5) * n - 0.5;
            return Self::Rectilinear {
                fx: lens.fx() as f32 * n,
                fy: lens.fy() as f32 * n,
                cx: centre(lens.cx()),
                cy: centre(lens.cy()),
            };
        }
        Self::Curved { view, sampling: n }
    }

    #[inline]
    pub(super) fn project(&self, point: &Vector3<f32>) -> Option<[f32; 2]> {
        match self {
            Self::Rectilinear { fx, fy, cx, cy } => {
                let inverse = 1.0 / point.z;
                (point.z > 0.05).then(|| [fx * point.x * inverse + cx, fy * point.y * inverse + cy])
            }
            Self::Curved { view, sampling } => {
                let pixel = view
                    .intrinsics
                    .project(&Point3::from(point.cast::<f64>()))?;
                Some([
                    (pixel.x as f32 + 0.5) * sampling - 0.5,
                    (pixel.y as f32 + 0.5) * sampling - 0.5,
                ])
            }
        }
    }
}

enum Bounds {
    Empty,
    Unknown,
    Known(SampleBox),
}

/// Samples that a triangle can cover. Edges bulge in curved images: by the square of their length over the focal
/// length at most, so that long triangles are left to the pyramid of cones.
fn sample_bounds(table: &RayTable, corners: [&Corner; 3]) -> Bounds {
    const LONGEST_CURVED: f32 = 40.0;
    let [Some(a), Some(b), Some(c)] = corners.map(|corner| corner.sample) else {
        let is_behind = corners.iter().all(|corner| corner.position.z <= 0.0);
        return if is_behind && table.is_rectilinear {
            Bounds::Empty
        } else {
            Bounds::Unknown
        };
    };
    let low = [a[0].min(b[0]).min(c[0]), a[1].min(b[1]).min(c[1])];
    let high = [a[0].max(b[0]).max(c[0]), a[1].max(b[1]).max(c[1])];
    let mut margin = 0.02;
    if !table.is_rectilinear {
        let length = (high[0] - low[0]).max(high[1] - low[1]);
        if length > LONGEST_CURVED {
            return Bounds::Unknown;
        }
        margin += 0.05 + length * length / (4.0 * table.focal);
    }
    let (width, height) = (
        (table.width_px * table.sampling) as f32,
        (table.height_px * table.sampling) as f32,
    );
    if high[0] + margin < 0.0
        || high[1] + margin < 0.0
        || low[0] - margin > width - 1.0
        || low[1] - margin > height - 1.0
    {
        return Bounds::Empty;
    }
    let ceil = |x: f32| -floor(-x.max(0.0));
    let first = [ceil(low[0] - margin), ceil(low[1] - margin)];
    let last = [
        floor((high[0] + margin).min(width - 1.0)),
        floor((high[1] + margin).min(height - 1.0)),
    ];
    if first[0] > last[0] || first[1] > last[1] {
        return Bounds::Empty;
    }
    Bounds::Known([
        first[0] as usize,
        first[1] as usize,
        last[0] as usize,
        last[1] as usize,
    ])
}

fn sphere_in_cam(instance: &Instance, eye: &Eye) -> (Vector3<f32>, f32) {
    let (centre, radius) = instance.bounds;
    let centre = centre.coords.component_mul(&instance.scale);
    let in_cam =
        eye.cam_from_world * (instance.world_from_mesh * Point3::from(centre.cast::<f64>()));
    (in_cam.coords.cast(), radius * instance.scale.amax())
}

/// Whether any ray of the cones can meet the sphere. Chords are a metric on the unit sphere, so they add up.
pub(super) fn is_seen(cones: &[Cone], centre: &Vector3<f32>, radius: f32) -> bool {
    let distance = centre.norm();
    if distance <= radius * 1.001 {
        return true;
    }
    let direction = centre / distance;
    let sine = radius / distance;
    let chord = (2.0 - 2.0 * (1.0 - sine * sine).sqrt()).max(0.0).sqrt();
    cones.iter().any(|cone| {
        cone.chord >= 0.0 && (direction - cone.axis).norm_squared() <= (chord + cone.chord).powi(2)
    })
}
