//! A simulated world that renders surround-camera drives with ground truth.

mod drive;
mod ground_truth;
mod observer;
mod render;
mod scene;
mod shapes;
mod world;

pub use drive::{CanSample, Drive, DriveOptions};
pub use ground_truth::{
    Arrow, ArrowKind, Crosswalk, GroundTruth, Lane, LanePoint, MarkingColour, MarkingType, Object,
    ObjectClass, StopLine, VisibilityMemory,
};
pub use observer::Observer;
pub use render::{
    Motion, NO_CLASS, RenderConfig, RenderedImage, Renderer, Sampling, View, VisibilityCounts,
    YuvMatrix, class_at_feature_cells, depth_at_feature_cells, is_point_visible, nv12_len,
    rgb_to_nv12,
};
pub use scene::{
    Fog, Instance, InstanceId, Lighting, Material, Mesh, PointLight, Scene, Triangle, Vertex,
    Weather,
};
pub use world::random::Random;
pub use world::{Condition, Split, WORLD_VERSION, World};
