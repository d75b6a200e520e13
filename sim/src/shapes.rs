//! Meshes of everything that stands or moves on the road, varied by seed.
//!
//! The origin of each mesh is the ground point under the centre of its bounding box; x points forward, z up.

mod builder;
mod people;
mod scenery;
mod vehicles;

use crate::scene::Mesh;
use crate::world::random::mix;
use nalgebra::Point3;
use std::sync::Arc;

pub use people::pedestrian;
pub use scenery::{building, bush, cone, guard_rail, sign, street_lamp, traffic_light, tree};
pub use vehicles::vehicle;

/// A mesh with its bounding box and sphere.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The triangles.
    pub mesh: Arc<Mesh>,
    /// Length, width and height of the bounding box, metres.
    pub size: [f32; 3],
    /// Centre and radius of a bounding sphere, mesh coordinates.
    pub bounds: (Point3<f32>, f32),
}

/// A small deterministic generator (SplitMix64) for the variety of shapes.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// Uniform in [low, high).
    pub(crate) fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.next() >> 40) as f32 / (1u64 << 24) as f32)
    }

    /// Uniform index below `count`.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        (self.next() >> 33) as usize % count
    }

    /// One of `choices`.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f32) -> bool {
        self.range(0.0, 1.0) < p
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ObjectClass;

    fn extent(shape: &Shape) -> ([f32; 3], [f32; 3]) {
        let mut low = [f32::MAX; 3];
        let mut high = [f32::MIN; 3];
        for vertex in &shape.mesh.vertices {
            for axis in 0..3 {
                low[axis] = low[axis].min(vertex.position[axis]);
                high[axis] = high[axis].max(vertex.position[axis]);
            }
        }
        (low, high)
    }

    #[test]
    fn every_shape_fills_its_box_and_stands_on_the_ground() {
        use ObjectClass::*;
        let mut shapes = Vec::new();
        for seed in 0..40 {
            for class in [Car, Van, Truck, Bus, Motorcycle, Cyclist] {
                shapes.push(vehicle(class, seed));
            }
            shapes.push(pedestrian(seed));
        }
        shapes.push(cone());
        for shape in shapes {
            let (low, high) = extent(&shape);
            assert!(low[2] > -0.01 && low[2] < 0.05, "stands at {}", low[2]);
            for axis in 0..3 {
                let size = high[axis] - low[axis];
                assert!(
                    (size - shape.size[axis]).abs() < 0.02,
                    "axis {axis}: mesh {size} box {}",
                    shape.size[axis]
                );
            }
            for axis in 0..2 {
                assert!(
                    (high[axis] + low[axis]).abs() < 0.03,
                    "not centred on axis {axis}"
                );
            }
        }
    }

    #[test]
    fn bounding_spheres_hold_every_vertex() {
        for seed in 0..10 {
            for shape in [
                tree(seed),
                bush(seed),
                building(12.0, 9.0, 15.0, seed),
                street_lamp(),
                sign(seed),
                guard_rail(20.0),
                traffic_light(),
                pedestrian(seed),
            ] {
                let (centre, radius) = shape.bounds;
                for vertex in &shape.mesh.vertices {
                    assert!((vertex.position - centre).norm() <= radius + 1e-3);
                }
            }
        }
    }
}
