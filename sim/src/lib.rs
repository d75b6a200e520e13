//! A simulated world that renders surround-camera drives with ground truth.

mod scene;
// mod world; mod drive;
// mod render;

pub use scene::{Fog, Instance, InstanceId, Lighting, Material, Mesh, PointLight, Scene, Triangle, Vertex, Weather};
