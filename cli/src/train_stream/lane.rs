//! One drive of the stream: rendered step by step, preprocessed as the runtime does it, with its projection tables.

use super::Lane;
use super::jitter::{ColourCast, jittered};
use super::message::{Header, Message};
use super::sample::push_truth;
use super::tables::NetworkTables;
use crate::failure::Failure;
use bevrt_calibration::{Ego, NetworkCamera, Pose, Rig, World};
use bevrt_hil::FrameTruth;
use bevrt_hil::source::scaled_rig;
use bevrt_runtime::{
    EgoMotion, EgoMotionSource, EgoMotionSpec, ImageView, Manifest, PixelFormat, PreprocessSection,
    Preprocessor, Stamp, crop_for,
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
pub(super) const AUGMENTATION: u64 = 100;
/// Share of the samples in which one camera is lost.
pub(super) const CAMERA_LOSS: f64 = 0.04;
/// Share of the drives with many trucks and buses.
const MANY_LARGE_VEHICLES: f64 = 0.5;
/// Share of the drives whose pictures pass through 4:2:0 chroma.
const CHROMA_SUBSAMPLING: f64 = 0.5;

/// One of the drives that advance in step.
pub struct DriveLane {
    slot: usize,
    preprocess: PreprocessSection,
    nominal_rig: Rig,
    seconds: f64,
    /// Pictures are drawn this many times larger than the network's input and reduced by the runtime's own kernel.
    drawn_larger: u32,
    is_augmented: bool,
    /// Largest deviation of a step, seconds.
    pub(super) step_jitter_s: f64,
    tables: NetworkTables,
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
        let pixels = (preprocess.width * preprocess.height) as usize;
        let tables = NetworkTables::new(manifest, cameras);
        let [rows, columns] = tables.coarsest_features();
        Ok(Self {
            slot,
            tables,
            step_jitter_s: STEP_JITTER_S,
            nominal_rig: rig.clone(),
            seconds,
            drawn_larger,
            is_augmented,
            preprocessors,
            levels: vec![0; cameras * 3 * pixels],
            yuv: vec![0; nv12_len(width, height)],
            depth_m: vec![0.0; cameras * rows * columns],
            class_codes: vec![0; cameras * rows * columns],
            message: Message::default(),
            preprocess,
            current: None,
        })
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
        let [rows, columns] = self.tables.coarsest_features();
        let feature_stride = self.preprocess.width * self.drawn_larger / columns as u32;
        let cells = rows * columns;
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
        let shape = [cameras, rows, columns];
        self.message.push("depth", &shape, &self.depth_m);
        self.message.push("classes", &shape, &self.class_codes);
        Ok(())
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
        let exact: Pose<World, Ego> = Pose::from_isometry(truth.world_from_ego);
        self.message.push_pose("odom_from_ego", &exact);
        self.message.push_pose("odom_from_ego_noisy", &noisy);
        Ok(())
    }
}

impl Lane for DriveLane {
    fn is_over(&self) -> bool {
        self.current
            .as_ref()
            .is_none_or(|current| current.t_s > self.seconds)
    }

    fn start(&mut self, seed: u64) -> Result<(), Failure> {
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

    fn write_sample(&mut self, out: &mut impl Write) -> io::Result<()> {
        let Some(mut current) = self.current.take() else {
            return Err(io::Error::other("no drive was started"));
        };
        let mut truth = current.observer.observe(&current.drive, current.t_s);
        current.memory.observe(&mut truth);
        self.message.clear();
        let lost = (self.is_augmented && current.random.chance(CAMERA_LOSS))
            .then(|| (current.random.unit() * current.cameras.len() as f64) as usize);
        self.push_images(&truth, &mut current, lost)?;
        for (index, camera) in current.cameras.iter_mut().enumerate() {
            camera.is_enabled = lost != Some(index);
        }
        self.tables.push(&current.cameras, &mut self.message);
        self.push_poses(&truth, &current)?;
        let stamp = Stamp::from_seconds(current.t_s);
        push_truth(
            &FrameTruth::from_simulated(stamp, &truth),
            &mut self.message,
        );
        let header = Header {
            drive: self.slot,
            seed: current.seed,
            step: current.step,
            stamp_ns: stamp.nanoseconds(),
            masked: &[],
        };
        self.message.write(&header, out)?;
        current.advance(self.step_jitter_s)?;
        self.current = Some(current);
        Ok(())
    }
}

impl Current {
    /// Moves on by a step; ego motion is known from the vehicle's signals alone.
    fn advance(&mut self, jitter_s: f64) -> io::Result<()> {
        let next_s = self.t_s + STEP_S + jitter_s * self.random.signed();
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
