//! The static world of a drive: roads, ground, marks, scenery, and what stands still.

mod chunks;
pub(crate) mod curve;
pub(crate) mod layout;
pub(crate) mod marks;
mod paint;
mod pavement;
pub(crate) mod random;
mod scenery;
mod split;
pub(crate) mod terrain;

pub use split::{Condition, Split};

pub(crate) use pavement::KERB_M;

use crate::ground_truth::ObjectClass;
use crate::scene::{Instance, InstanceId};
use crate::shapes::Shape;
use chunks::Chunks;
use layout::Layout;
use marks::Marks;
use nalgebra::{
    Isometry3, Matrix3, Point2, Point3, Rotation3, Translation3, UnitQuaternion, Vector3,
};
use terrain::Terrain;

/// Version of the simulated world: scores of different versions do not compare.
pub const WORLD_VERSION: &str = "1";

/// Everything of a seed that does not move.
#[derive(Clone, Debug)]
pub struct World {
    seed: u64,
    pub(crate) layout: Layout,
    pub(crate) terrain: Terrain,
    pub(crate) marks: Marks,
    pub(crate) instances: Vec<Instance>,
    pub(crate) standing: Vec<StandingObject>,
    /// Lamps of the streets.
    pub(crate) lamps: Vec<Point3<f64>>,
}

/// An object that stands still: a parked vehicle or a cone.
#[derive(Clone, Debug)]
pub(crate) struct StandingObject {
    pub(crate) class: ObjectClass,
    pub(crate) shape: Shape,
    pub(crate) place: Point2<f64>,
    pub(crate) yaw: f64,
    pub(crate) lift_m: f64,
}

impl World {
    /// The world of a seed; the same seed gives the same world on every machine.
    pub fn generate(seed: u64) -> Self {
        let layout = Layout::generate(seed);
        let terrain = Terrain::generate(&layout, seed);
        let marks = Marks::generate(&layout, seed);
        let mut chunks = Chunks::default();
        pavement::pave(&layout, &terrain, &mut chunks);
        paint::paint(&layout, &marks, &terrain, seed, &mut chunks);
        let scenery = scenery::generate(&layout, &marks, &terrain, seed);
        let mut instances = chunks.into_instances();
        instances.push(pavement::meadow(&terrain));
        instances.extend(scenery.instances);
        Self {
            seed,
            layout,
            terrain,
            marks,
            instances,
            standing: scenery.standing,
            lamps: scenery.lamps,
        }
    }

    /// The seed that it was made from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Height of the ground at a place, metres; sidewalks lie 12 cm higher.
    pub fn ground_height(&self, place: &Point2<f64>) -> f64 {
        self.terrain.z(place)
    }

    /// Pose of a body that rests on the ground: origin on the ground, x along `yaw`, tilted with the slope under its footprint.
    pub(crate) fn resting_pose(
        &self,
        place: Point2<f64>,
        yaw: f64,
        size: [f32; 3],
        lift_m: f64,
    ) -> Isometry3<f64> {
        let (sin, cos) = yaw.sin_cos();
        let ahead = nalgebra::Vector2::new(cos, sin) * (0.35 * f64::from(size[0]));
        let left = nalgebra::Vector2::new(-sin, cos) * (0.4 * f64::from(size[1]));
        let z = |offset| self.terrain.z(&(place + offset));
        let [front, back, left_z, right_z] = [z(ahead), z(-ahead), z(left), z(-left)];
        let forward = Vector3::new(2.0 * ahead.x, 2.0 * ahead.y, front - back);
        let leftward = Vector3::new(2.0 * left.x, 2.0 * left.y, left_z - right_z);
        let up = forward.cross(&leftward).normalize();
        let x = forward.normalize();
        let rotation =
            Rotation3::from_matrix_unchecked(Matrix3::from_columns(&[x, up.cross(&x), up]));
        let height = 0.25 * (front + back + left_z + right_z) + lift_m;
        Isometry3::from_parts(
            Translation3::new(place.x, place.y, height),
            UnitQuaternion::from_rotation_matrix(&rotation),
        )
    }
}

/// An upright instance of the static world.
pub(crate) fn placed(shape: &Shape, place: Point2<f64>, z: f64, yaw: f64, scale: f32) -> Instance {
    Instance {
        mesh: shape.mesh.clone(),
        world_from_mesh: Isometry3::from_parts(
            Translation3::new(place.x, place.y, z),
            UnitQuaternion::from_axis_angle(&Vector3::z_axis(), yaw),
        ),
        scale: Vector3::repeat(scale),
        id: InstanceId(0),
        bounds: shape.bounds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_gives_the_same_world() {
        let (a, b) = (World::generate(11), World::generate(11));
        assert_eq!(a.instances.len(), b.instances.len());
        for (left, right) in a.instances.iter().zip(&b.instances) {
            assert_eq!(left.world_from_mesh, right.world_from_mesh);
            assert_eq!(left.mesh.triangles.len(), right.mesh.triangles.len());
            let same = left
                .mesh
                .vertices
                .iter()
                .zip(&right.mesh.vertices)
                .all(|(p, q)| p.position == q.position);
            assert!(same);
        }
    }

    #[test]
    fn surroundings_stay_within_the_triangle_budget() {
        for seed in 0..12 {
            let world = World::generate(seed);
            let here = world.layout.roads[0].curve.aside(260.0, 0.0);
            let triangles: usize = world
                .instances
                .iter()
                .filter(|instance| {
                    let place = instance.world_from_mesh * instance.bounds.0.cast::<f64>();
                    (place.xy() - here).norm() < 120.0 + f64::from(instance.bounds.1)
                })
                .map(|instance| instance.mesh.triangles.len())
                .sum();
            assert!(triangles < 60_000, "seed {seed}: {triangles}");
        }
    }

    #[test]
    fn ground_triangles_face_up() {
        let world = World::generate(2);
        for instance in world
            .instances
            .iter()
            .filter(|instance| instance.mesh.layer > 0)
        {
            for triangle in &instance.mesh.triangles {
                let [a, b, c] = triangle
                    .corners
                    .map(|corner| instance.mesh.vertices[corner as usize].position);
                assert!((b - a).cross(&(c - a)).z > -1e-4);
            }
        }
    }

    #[test]
    fn buildings_and_parked_vehicles_keep_off_the_lanes() {
        for seed in 0..20 {
            let world = World::generate(seed);
            let main = &world.layout.roads[0];
            for object in world
                .standing
                .iter()
                .filter(|object| object.class != ObjectClass::Cone)
            {
                for at in main.curve.points() {
                    let offset = object.place - Point2::new(at.x, at.y);
                    let (sin, cos) = at.heading.sin_cos();
                    let (along, aside) = (
                        offset.x * cos + offset.y * sin,
                        offset.y * cos - offset.x * sin,
                    );
                    let section = &main.section;
                    let is_in_lane = along.abs() < 0.6
                        && aside > section.lanes_end_m(0) + 0.1
                        && aside < section.lanes_end_m(1) - 0.1;
                    assert!(!is_in_lane, "seed {seed}");
                }
            }
        }
    }
}
