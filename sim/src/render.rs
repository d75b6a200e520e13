//! Draws scenes as cameras see them, with depth, identity and visibility.
//!
//! Every image goes through four stages: rays of the lens ([`lens`], cached), visibility by ray against edge planes
//! ([`raster`], exact for every lens), shading of what is seen ([`surface`], [`lighting`]), and the sensor ([`develop`]).
//! The picture depends on scene, view and configuration alone, never on threads or on what was drawn before.

mod depth;
mod develop;
mod effects;
mod environment;
mod feature_cells;
mod fragments;
mod geometry;
mod hash;
mod image;
mod lens;
mod lighting;
mod motion;
mod noise;
mod nv12;
mod occlusion;
mod puddles;
mod raster;
mod shade;
mod shadow;
mod simd;
mod spans;
mod surface;
#[cfg(test)]
mod tests;

pub use depth::is_point_visible;
pub use feature_cells::{NO_CLASS, class_at_feature_cells, depth_at_feature_cells};
pub use image::{RenderedImage, VisibilityCounts};
pub use motion::Motion;
pub use nv12::{YuvMatrix, nv12_len, rgb_to_nv12};

use crate::scene::Scene;
use bevrt_calibration::Intrinsics;
use develop::{Sensor, develop};
use effects::{Effects, RainSeeds};
use environment::Environment;
use geometry::{Eye, Geometry, SampleLens};
use hash::mix2;
use lens::RayTable;
use nalgebra::{Isometry3, Point3, Vector3};
use puddles::Mirror;
use raster::Surface;
use rayon::prelude::*;
use shade::{Radiance, Seen, Shader};
use std::sync::Mutex;

/// Visibility samples of a pixel; surfaces are shaded once a pixel all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sampling {
    /// One at the centre: for full-size pictures.
    #[default]
    One,
    /// Two by two: for pictures drawn at the size of the network.
    Four,
    /// Four by four.
    Sixteen,
}

impl Sampling {
    fn side(self) -> usize {
        match self {
            Self::One => 1,
            Self::Four => 2,
            Self::Sixteen => 4,
        }
    }
}

/// What is the same for all pictures of a renderer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RenderConfig {
    /// Edge quality.
    pub sampling: Sampling,
    /// Sensor pixels along one side of a picture's pixel: 1 at full size, source width / network width for training. Sensor
    /// noise, rain and blur scale with it, so that small pictures look like reduced large ones.
    pub binning: f32,
    /// Lens blur of the sensor's pixels: the part that each of four neighbours takes, 0 to 0.2.
    pub softness: f32,
    /// Side of the shadow map; 0 draws no shadows.
    pub shadow_texels: u32,
}

impl RenderConfig {
    /// For pictures at the sensor's own size.
    pub const FULL_SIZE: Self = Self {
        sampling: Sampling::One,
        binning: 1.0,
        softness: 0.07,
        shadow_texels: 1024,
    };

    /// For pictures drawn directly at the network's size, `binning` times smaller than the sensor's.
    pub const fn network_size(binning: f32) -> Self {
        Self {
            sampling: Sampling::Four,
            binning,
            softness: 0.0,
            shadow_texels: 1024,
        }
    }
}

impl Default for RenderConfig {
    fn default() -> Self {
        Self::FULL_SIZE
    }
}

/// A camera in the world at one instant.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Lens and size of the picture.
    pub intrinsics: &'a Intrinsics,
    /// Pose of the camera.
    pub world_from_cam: Isometry3<f64>,
    /// Index of the camera in its rig: noise, drops and the cached rays belong to it.
    pub camera: u32,
    /// Movement during the exposure, for motion blur.
    pub motion: Option<Motion>,
}

/// Renders scenes on the CPU; all buffers are kept from picture to picture.
///
/// Rays are cached by camera index: keep one renderer for each rig that is in use.
pub struct Renderer {
    config: RenderConfig,
    environment: Environment,
    tables: Vec<Option<RayTable>>,
    canvases: Vec<Mutex<Canvas>>,
    pool: Option<rayon::ThreadPool>,
}

/// Buffers of the stages of one picture.
#[derive(Default)]
struct Canvas {
    surface: Surface,
    geometry: Geometry,
    shader: Shader,
    radiance: Radiance,
    effects: Effects,
    row: Vec<f32>,
}

impl Renderer {
    /// A renderer that works on the calling thread.
    pub fn new(config: RenderConfig) -> Self {
        Self {
            config,
            environment: Environment::default(),
            tables: Vec::new(),
            canvases: vec![Mutex::default()],
            pool: None,
        }
    }

    /// Draws the cameras of a set on `threads` threads of its own (0 or 1: on the calling thread).
    ///
    /// # Panics
    /// If the system refuses to start threads.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.pool = (threads > 1).then(|| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("the system starts a few threads")
        });
        self.canvases = (0..threads.max(1)).map(|_| Mutex::default()).collect();
        self
    }

    /// The configuration given at construction.
    pub fn config(&self) -> &RenderConfig {
        &self.config
    }

    /// Draws one picture.
    pub fn render(&mut self, scene: &Scene, view: &View<'_>, out: &mut RenderedImage) {
        self.render_set(scene, std::slice::from_ref(view), std::slice::from_mut(out));
    }

    /// Draws the pictures of several cameras at one instant; shadows are computed once for all.
    ///
    /// # Panics
    /// If `views` and `out` differ in length.
    pub fn render_set(&mut self, scene: &Scene, views: &[View<'_>], out: &mut [RenderedImage]) {
        assert_eq!(views.len(), out.len(), "one picture a view");
        let Some(first) = views.first() else { return };
        self.environment.prepare(
            scene,
            &map_centre(first),
            self.config.shadow_texels as usize,
        );
        for view in views {
            self.cache_rays(view);
        }
        let (config, environment, tables, canvases) = (
            &self.config,
            &self.environment,
            &self.tables,
            &self.canvases,
        );
        let draw = |view: &View<'_>, image: &mut RenderedImage| {
            let thread = rayon::current_thread_index().unwrap_or(0) % canvases.len();
            let table = tables[view.camera as usize]
                .as_ref()
                .expect("rays of all views are cached above");
            let mut canvas = canvases[thread]
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            canvas.draw(config, scene, view, table, environment, image);
        };
        match &self.pool {
            Some(pool) => pool.install(|| {
                views
                    .par_iter()
                    .zip(out)
                    .with_max_len(1)
                    .for_each(|(view, image)| draw(view, image))
            }),
            None => views
                .iter()
                .zip(out)
                .for_each(|(view, image)| draw(view, image)),
        }
    }

    fn cache_rays(&mut self, view: &View<'_>) {
        let slot = view.camera as usize;
        if self.tables.len() <= slot {
            self.tables.resize_with(slot + 1, || None);
        }
        if self.tables[slot]
            .as_ref()
            .is_none_or(|table| !table.is_for(view.intrinsics))
        {
            self.tables[slot] = Some(RayTable::new(view.intrinsics, self.config.sampling.side()));
        }
    }
}

/// Middle of the shadow and occlusion maps: in steps of 8 m, so that the cameras of one rig mostly share it.
fn map_centre(view: &View<'_>) -> Point3<f64> {
    Point3::from(
        view.world_from_cam
            .translation
            .vector
            .map(|x| (x / 8.0).round() * 8.0),
    )
}

impl Canvas {
    fn draw(
        &mut self,
        config: &RenderConfig,
        scene: &Scene,
        view: &View<'_>,
        table: &RayTable,
        environment: &Environment,
        out: &mut RenderedImage,
    ) {
        let eye = Eye::new(&view.world_from_cam);
        let camera: Vector3<f64> = view.world_from_cam.translation.vector;
        let top_id = scene
            .instances
            .iter()
            .map(|instance| instance.id.0)
            .max()
            .unwrap_or(0);
        out.resize(table.width_px as u32, table.height_px as u32);
        out.visibility.reset(top_id);
        self.surface.reset(table);
        self.geometry.draw(
            scene,
            view,
            table,
            &eye,
            &mut self.surface,
            &mut out.visibility,
        );
        let seen = Seen {
            table,
            eye: &eye,
            geometry: &self.geometry,
            surface: &self.surface,
        };
        self.shader
            .run(scene, &seen, &camera, environment, &mut self.radiance, out);
        out.visibility
            .samples_to_pixels((table.sampling * table.sampling) as f32);
        self.add_effects(config, scene, view, (table, &eye), environment, out);
        let sensor = Sensor {
            exposure: scene.weather.exposure,
            gain: scene.weather.sensor_gain,
            binning: config.binning,
            softness: config.softness,
            seed: mix2(mix2(scene.seed, scene.frame), u64::from(view.camera)),
        };
        develop(
            &self.radiance,
            &sensor,
            &table.blind,
            &mut self.row,
            &mut out.rgb,
        );
    }

    fn add_effects(
        &mut self,
        config: &RenderConfig,
        scene: &Scene,
        view: &View<'_>,
        (table, eye): (&RayTable, &Eye),
        environment: &Environment,
        out: &RenderedImage,
    ) {
        let weather = &scene.weather;
        let light = &environment.light;
        if light.wetness > 0.0 {
            let mirror = Mirror {
                lens: SampleLens::of_pixels(view, table),
                cam_from_world: eye.rotation.transpose(),
                light,
                depth_m: &out.depth_m,
            };
            self.shader
                .puddles
                .mirror(&mirror, config.binning > 2.0, &mut self.radiance);
        }
        if let Some(motion) = &view.motion {
            let flow = motion.flow(view.intrinsics, &out.depth_m);
            self.effects.blur_motion(&mut self.radiance, flow);
        }
        let haze = (light.extinction * 12.0).min(0.5);
        self.effects.add_glow(
            &mut self.radiance,
            light.white,
            0.10 + 0.2 * weather.rain + 0.3 * haze,
            1.0 / config.binning,
        );
        if weather.rain > 0.0 {
            let drops = mix2(scene.seed, u64::from(view.camera));
            let seeds = RainSeeds {
                drops,
                streaks: mix2(drops, scene.frame),
            };
            let brightness = light.horizon[1].max(0.1 * light.white);
            self.effects.add_rain(
                &mut self.radiance,
                weather.rain,
                brightness,
                1.0 / config.binning,
                seeds,
            );
        }
    }
}
