//! What the renderer draws: meshes with materials, placed instances, light and weather.
//!
//! The world builds a [`Scene`]; the renderer reads it and knows nothing of roads or traffic.

use nalgebra::{Isometry3, Point3, Vector3};
use std::sync::Arc;

/// What a surface is made of; the renderer holds the procedural texture of each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Material {
    /// Road surface; `tint` in [0, 1] goes from fresh (dark) to old (light), with patches and cracks.
    Asphalt {
        /// 0 fresh and dark, 1 old and light.
        tint: f32,
    },
    /// Road paint, white or yellow; `wear` in [0, 1] lets the asphalt through in patches.
    Paint {
        /// Yellow instead of white.
        yellow: bool,
        /// 0 fresh, 1 nearly gone.
        wear: f32,
    },
    /// Kerb stones and sidewalk slabs.
    Concrete,
    /// Grass and soil with patches.
    Grass,
    /// Building wall with a grid of windows; `uv` in metres along the wall and up.
    Facade {
        /// Wall colour, linear RGB.
        rgb: [f32; 3],
        /// Texture variant: window size and spacing, lit windows at night.
        style: u32,
    },
    /// Plain painted or plastic surface (car body, sign, clothes) with a given gloss.
    Plain {
        /// Colour, linear RGB.
        rgb: [f32; 3],
        /// 0 matt, 1 glossy (reflects the sky).
        gloss: f32,
    },
    /// Vehicle glass: dark, reflects the sky.
    Glass,
    /// Tyre rubber.
    Rubber,
    /// A lamp; its radiance is added whatever the light (tail lamps, head lamps, street lamps).
    Lamp {
        /// Radiance at night relative to white paint in daylight.
        rgb: [f32; 3],
    },
    /// Tree crown and hedges: noisy, with holes.
    Foliage {
        /// Leaf colour, linear RGB.
        rgb: [f32; 3],
    },
    /// Tree trunk and wooden poles.
    Bark,
    /// Galvanised metal: guard rails, poles.
    Metal,
}

/// A corner of a triangle, in the frame of its mesh.
#[derive(Clone, Copy, Debug)]
pub struct Vertex {
    /// Position, metres.
    pub position: Point3<f32>,
    /// Unit normal.
    pub normal: Vector3<f32>,
    /// Texture coordinates in metres.
    pub uv: [f32; 2],
}

/// Three vertex indices, counter-clockwise seen from outside, and the material.
#[derive(Clone, Copy, Debug)]
pub struct Triangle {
    /// Indices into [`Mesh::vertices`].
    pub corners: [u32; 3],
    /// Index into [`Mesh::materials`].
    pub material: u16,
}

/// Triangles with their own frame. Chunks of static ground are meshes too, at most some 60 m across, so that culling works.
#[derive(Clone, Debug, Default)]
pub struct Mesh {
    /// Corners.
    pub vertices: Vec<Vertex>,
    /// Faces.
    pub triangles: Vec<Triangle>,
    /// Materials that the faces refer to.
    pub materials: Vec<Material>,
    /// Draw order among coplanar ground layers: 0 solid geometry; n > 0 is a decal drawn over layers below it, at its own geometry lifted by nothing, winning depth ties within 3 cm + 0.2 % of the distance.
    pub layer: u8,
    /// Draws both sides of each face (foliage cards, signs).
    pub is_double_sided: bool,
    /// Throws a shadow on the ground under a sun or a full moon.
    pub casts_shadow: bool,
}

/// Which ground-truth object a pixel belongs to; 0 is the static world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct InstanceId(pub u32);

/// A mesh placed in the world.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The shape; shared between instances.
    pub mesh: Arc<Mesh>,
    /// `world_from_mesh`.
    pub world_from_mesh: Isometry3<f64>,
    /// Scale applied to the mesh before its pose, per axis.
    pub scale: Vector3<f32>,
    /// Ground-truth identity, 0 for the static world.
    pub id: InstanceId,
    /// Centre of a bounding sphere in mesh coordinates before scale, and its radius: for culling.
    pub bounds: (Point3<f32>, f32),
}

/// A light with a position: head lamps and street lamps.
#[derive(Clone, Copy, Debug)]
pub struct PointLight {
    /// World position.
    pub position: Point3<f64>,
    /// Unit direction of the beam in the world; `None` shines all around.
    pub direction: Option<Vector3<f64>>,
    /// Irradiance at one metre relative to full daylight, linear RGB.
    pub rgb: [f32; 3],
}

/// Sun, sky and lamps.
#[derive(Clone, Debug)]
pub struct Lighting {
    /// Unit direction towards the sun (or moon) in the world.
    pub sun_direction: Vector3<f64>,
    /// Irradiance of the sun, linear RGB; zero under an overcast sky.
    pub sun_rgb: [f32; 3],
    /// Irradiance of the sky at zenith and horizon, linear RGB.
    pub sky_zenith_rgb: [f32; 3],
    /// See `sky_zenith_rgb`.
    pub sky_horizon_rgb: [f32; 3],
    /// 0 clear to 1 overcast: clouds drawn, shadows softened.
    pub cloudiness: f32,
    /// Lamps near the ego vehicle.
    pub lamps: Vec<PointLight>,
}

/// Fog that hides the distance.
#[derive(Clone, Copy, Debug)]
pub struct Fog {
    /// Extinction per metre (0.02 leaves 37 % at 50 m).
    pub extinction_per_m: f32,
    /// Colour of the fog, linear RGB.
    pub rgb: [f32; 3],
}

/// What the air and the ground do to the picture.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Fog; haze in clear weather.
    pub fog: Fog,
    /// Rain from 0 to 1: streaks, drops on the lens.
    pub rain: f32,
    /// Wet road from 0 to 1: darker asphalt that mirrors lights and sky.
    pub wetness: f32,
    /// Sensor gain relative to daylight: noise grows with it.
    pub sensor_gain: f32,
    /// Exposure multiplier that maps scene radiance to [0, 1] before the tone curve.
    pub exposure: f32,
}

/// Everything that the cameras may see at one instant.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Placed meshes, static and moving.
    pub instances: Vec<Instance>,
    /// Light.
    pub lighting: Lighting,
    /// Weather.
    pub weather: Weather,
    /// Seed of the texture and of the sensor noise; changes with the world, not with the frame.
    pub seed: u64,
    /// Index of the frame, for noise that changes from frame to frame.
    pub frame: u64,
}
