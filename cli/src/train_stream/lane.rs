//! One drive of the stream: rendered step by step, preprocessed as the runtime does it, with its projection tables.

use super::jitter::{ColourCast, jittered};
use super::message::Message;
use super::sample::push_truth;
use crate::failure::Failure;
use bevrt_calibration::{NetworkCamera, Pose, ProjectionTable, RaySpec, Rig};
use bevrt_hil::source::scaled_rig;
use bevrt_runtime::{
    EgoMotion, EgoMotionSource, EgoMotionSpec, ImageView, LiftSection, Manifest, PixelFormat,
    PreprocessSection, Preprocessor, Stamp, crop_for,
};
use bevrt_sim::{
    Drive, DriveOptions, GroundTruth, Observer, Random, RenderConfig, Renderer, VisibilityMemory,
    YuvMatrix, class_at_feature_cells, depth_at_feature_cells, nv12_len, rgb_to_nv12,
};
use std::collections::HashMap;
use std::io::{self, Write};

/// Seconds between the steps of a drive: the stride of the queue.
const STEP_S: f64 = 0.5;
/// Largest deviation of a step, as the queue allows (stride / 10).
const STEP_JITTER_S: f64 = 0.05;
/// What the random numbers of a lane are for, among those of its seed.
const AUGMENTATION: u64 = 100;
/// Share of the samples in which one camera is lost.
const CAMERA_LOSS: f64 = 0.04;
/// Share of the drives with many trucks and buses.
const MANY_LARGE_VEHICLES: f64 = 0.5;
/// Share of the drives whose pictures pass through 4:2:0 chroma.
const CHROMA_SUBSAMPLING: f64 = 0.5;

/// One of the drives that advance in step.
pub struct DriveLane {
    slot: usize,
    preprocess: PreprocessSection,
    rays: Option<RaySpec>,
    lifts: Vec<LiftSection>,
    nominal_rig: Rig,
    seconds: f64,
    /// Pictures are drawn this many times larger than the network's input and reduced by the runtime's own kernel.
    drawn_larger: u32,
    is_augmented: bool,
    ray_planes: Vec<f32>,
    tables: Vec<ProjectionTable>,
    preprocessors: [Preprocessor; 2],
    levels: Vec<u8>,
    yuv: Vec<u8>,
    depth_m: Vec<f32>,
    class_codes: Vec<u8>,
    message: Message,
    current: Option<Current>,
}

/// The drive that is under way.
struct Current {
    drive: Drive,
    seed: u64,
    observer: Observer,
    cameras: Vec<NetworkCamera>,
    memory: VisibilityMemory,
    random: Random,
    cast: ColourCast,
    has_chroma_loss: bool,
    t_s: f64,
    step: u64,
    motion: EgoMotion,
}

impl DriveLane {
    /// A lane without a drive yet.
    pub fn new(
        slot: usize,
        manifest: &Manifest,
        rig: &Rig,
        seconds: f64,
        drawn_larger: u32,
        is_augmented: bool,
    ) -> Result<Self, Failure> {
        let preprocess = *manifest.preprocess();
        let (width, height) = (
            preprocess.width * drawn_larger,
            preprocess.height * drawn_larger,
        );
        let cameras = rig.cameras().len();
        let preprocessor = |format| Preprocessor::new(&preprocess, width, height, format);
        let preprocessors = [
            preprocessor(PixelFormat::Rgb)?,
            preprocessor(PixelFormat::Nv12)?,
        ];
        let lifts = manifest.lifts().to_vec();
        let pixels = (preprocess.width * preprocess.height) as usize;
        let features = lifts
            .iter()
            .map(|lift| (lift.spec.feature_width * lift.spec.feature_height) as usize)
            .min();
        Ok(Self {
            slot,
            ray_planes: vec![
                0.0;
                manifest
                    .rays()
                    .map_or(0, |rays| cameras * rays.len_per_camera())
            ],
            rays: manifest.rays().copied(),
            tables: lifts
                .iter()
                .map(|lift| ProjectionTable::new(&lift.spec, cameras))
                .collect(),
            lifts,
            nominal_rig: rig.clone(),
            seconds,
            drawn_larger,
            is_augmented,
            preprocessors,
            levels: vec![0; cameras * 3 * pixels],
            yuv: vec![0; nv12_len(width, height)],
            depth_m: vec![0.0; cameras * features.unwrap_or(0)],
            class_codes: vec![0; cameras * features.unwrap_or(0)],
            message: Message::default(),
            preprocess,
            current: None,
        })
    }

    /// Whether a new drive is due.
    pub fn is_over(&self) -> bool {
        self.current
            .as_ref()
            .is_none_or(|current| current.t_s > self.seconds)
    }

    /// Starts the drive of `seed`.
    ///
    /// # Errors
    /// Ego motion cannot be set up.
    pub fn start(&mut self, seed: u64) -> Result<(), Failure> {
        let mut random = Random::new(seed, AUGMENTATION);
        let rig = if self.is_augmented {
            jittered(&self.nominal_rig, &mut random)
        } else {
            self.nominal_rig.clone()
        };
        let drawn = scaled_rig(&rig, &self.preprocess, self.drawn_larger);
        let binning = rig.cameras()[0].intrinsics.width() as f32
            / drawn.cameras()[0].intrinsics.width() as f32;
        let quality = if self.drawn_larger == 1 {
            RenderConfig::network_size(binning)
        } else {
            RenderConfig::FULL_SIZE
        };
        let config = RenderConfig {
            binning,
            shadow_texels: 512,
            ..quality
        };
        let cameras = drawn.cameras().iter().map(|camera| {
            let crop = crop_for(
                &self.preprocess,
                camera.intrinsics.width(),
                camera.intrinsics.height(),
            );
            NetworkCamera::new(camera, crop, self.preprocess.width, self.preprocess.height)
        });
        let options = DriveOptions {
            duration_s: self.seconds + 2.0 * STEP_S,
            has_many_large_vehicles: self.is_augmented && random.chance(MANY_LARGE_VEHICLES),
            ..DriveOptions::default()
        };
        self.current = Some(Current {
            drive: Drive::new(seed, &drawn, options),
            seed,
            cameras: cameras.collect(),
            observer: Observer::new(drawn, self.preprocess.width, Renderer::new(config)),
            memory: VisibilityMemory::new(),
            cast: if self.is_augmented {
                ColourCast::random(&mut random)
            } else {
                ColourCast::NONE
            },
            has_chroma_loss: !self.is_augmented || random.chance(CHROMA_SUBSAMPLING),
            random,
            t_s: 0.0,
            step: 0,
            motion: EgoMotion::new(EgoMotionSpec::new(EgoMotionSource::Rates))?,
        });
        Ok(())
    }

    /// Renders the next step and writes its message.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_sample(&mut self, out: &mut impl Write) -> io::Result<()> {
        let Some(mut current) = self.current.take() else {
            return Err(io::Error::other("no drive was started"));
        };
        let mut truth = current.observer.observe(&current.drive, current.t_s);
        current.memory.observe(&mut truth);
        self.message.clear();
        let lost = (self.is_augmented && current.random.chance(CAMERA_LOSS))
            .then(|| (current.random.unit() * current.cameras.len() as f64) as usize);
        self.push_images(&truth, &mut current, lost)?;
        self.push_tables(&mut current, lost);
        self.push_poses(&truth, &current)?;
        push_truth(&truth, &mut self.message);
        let header = serde_json::json!({
            "drive": self.slot, "seed": current.seed, "step": current.step, "new_drive": current.step == 0,
            "stamp_ns": (current.t_s * 1e9).round() as i64,
        });
        self.message.write(header, out)?;
        current.advance()?;
        self.current = Some(current);
        Ok(())
    }

    fn push_images(
        &mut self,
        truth: &GroundTruth,
        current: &mut Current,
        lost: Option<usize>,
    ) -> io::Result<()> {
        let classes: HashMap<_, _> = truth
            .objects
            .iter()
            .map(|object| (object.id, object.class.code()))
            .collect();
        let cameras = current.cameras.len();
        let (width, height) = (
            self.preprocess.width as usize,
            self.preprocess.height as usize,
        );
        let feature_stride = self.preprocess.width * self.drawn_larger / self.coarsest_features();
        let cells = self.depth_m.len() / cameras;
        for (camera, image) in current.observer.images().iter().enumerate() {
            let levels = &mut self.levels[camera * 3 * width * height..][..3 * width * height];
            let view = if current.has_chroma_loss {
                rgb_to_nv12(
                    &image.rgb,
                    image.width,
                    image.height,
                    YuvMatrix::Bt601Limited,
                    &mut self.yuv,
                );
                ImageView::packed(PixelFormat::Nv12, image.width, image.height, &self.yuv)
            } else {
                ImageView::packed(PixelFormat::Rgb, image.width, image.height, &image.rgb)
            };
            let preprocessor = &mut self.preprocessors[usize::from(current.has_chroma_loss)];
            let view = view.map_err(io::Error::other)?;
            preprocessor
                .run_levels_into(&view, levels)
                .map_err(io::Error::other)?;
            current.cast.apply(levels);
            if lost == Some(camera) {
                levels.fill(128);
            }
            depth_at_feature_cells(
                image,
                feature_stride,
                &mut self.depth_m[camera * cells..][..cells],
            );
            class_at_feature_cells(
                image,
                feature_stride,
                |instance| classes.get(&instance).copied(),
                &mut self.class_codes[camera * cells..][..cells],
            );
        }
        self.message
            .push("images", &[cameras, 3, height, width], &self.levels);
        let columns = self.coarsest_features() as usize;
        self.message
            .push("depth", &[cameras, cells / columns, columns], &self.depth_m);
        self.message.push(
            "classes",
            &[cameras, cells / columns, columns],
            &self.class_codes,
        );
        Ok(())
    }

    fn coarsest_features(&self) -> u32 {
        self.lifts
            .iter()
            .map(|lift| lift.spec.feature_width)
            .min()
            .unwrap_or(1)
    }

    fn push_tables(&mut self, current: &mut Current, lost: Option<usize>) {
        for (index, camera) in current.cameras.iter_mut().enumerate() {
            camera.is_enabled = lost != Some(index);
        }
        if let Some(rays) = &self.rays {
            rays.write_into(&current.cameras, &mut self.ray_planes);
            let shape = [
                current.cameras.len(),
                RaySpec::CHANNELS,
                rays.feature_height as usize,
                rays.feature_width as usize,
            ];
            self.message.push("rays", &shape, &self.ray_planes);
        }
        for (lift, table) in self.lifts.iter().zip(&mut self.tables) {
            table.rebuild(&lift.spec, &current.cameras);
            let name = &lift.name;
            self.message
                .push(&format!("{name}_index"), &[table.index.len()], &table.index);
            if lift.spec.depth_bins.is_some() {
                self.message.push(
                    &format!("{name}_depth_index"),
                    &[table.depth_index.len()],
                    &table.depth_index,
                );
            }
            if lift.geometry {
                let per_cell = lift.spec.heights_m.len() * 4;
                let shape = [table.geometry.len() / per_cell, per_cell];
                self.message
                    .push(&format!("{name}_geometry"), &shape, &table.geometry);
            }
        }
    }

    fn push_poses(&mut self, truth: &GroundTruth, current: &Current) -> io::Result<()> {
        // Before the first signals the vehicle stands at the origin of its odometry.
        let noisy = if current.step == 0 {
            Pose::identity()
        } else {
            let stamp = Stamp::from_seconds(current.t_s);
            current
                .motion
                .odom_from_ego(stamp)
                .map_err(|fault| io::Error::other(format!("ego motion: {fault:?}")))?
        };
        for (name, pose) in [
            ("odom_from_ego", &truth.world_from_ego),
            ("odom_from_ego_noisy", noisy.as_isometry()),
        ] {
            let matrix = pose.to_homogeneous().transpose();
            self.message.push(name, &[4, 4], matrix.as_slice());
        }
        Ok(())
    }
}

impl Current {
    /// Moves on by a step; ego motion is known from the vehicle's signals alone.
    fn advance(&mut self) -> io::Result<()> {
        let next_s = self.t_s + STEP_S + STEP_JITTER_S * self.random.signed();
        for sample in self.drive.can(self.t_s, next_s) {
            let stamp = Stamp::from_seconds(sample.t_s);
            self.motion
                .push_rates(stamp, sample.speed_mps, sample.yaw_rate_radps)
                .map_err(|fault| io::Error::other(format!("ego motion: {fault:?}")))?;
        }
        self.t_s = next_s;
        self.step += 1;
        Ok(())
    }
}
