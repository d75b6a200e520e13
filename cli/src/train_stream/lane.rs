//! One drive of the stream: rendered step by step, preprocessed as the runtime does it, with its projection tables.

use super::jitter::{ColourCast, Random, jittered};
use super::message::Message;
use super::sample::push_truth;
use crate::failure::Failure;
use bevrt_calibration::{NetworkCamera, ProjectionTable, Rig};
use bevrt_hil::source::scaled_rig;
use bevrt_runtime::{
    ImageView, LiftSection, Manifest, PixelFormat, PreprocessSection, Preprocessor, crop_for,
};
use bevrt_sim::{
    Drive, DriveOptions, GroundTruth, Observer, RenderConfig, Renderer, VisibilityMemory,
    YuvMatrix, depth_at_feature_cells, nv12_len, rgb_to_nv12,
};
use nalgebra::{Isometry3, UnitQuaternion, Vector3};
use std::io::{self, Write};

/// Pictures are drawn this many times larger than the network's input and reduced by the runtime's own kernel.
const DRAWN_LARGER: u32 = 2;
/// Seconds between the steps of a drive: the stride of the queue.
const STEP_S: f64 = 0.5;
/// Largest deviation of a step, as the queue allows (stride / 10).
const STEP_JITTER_S: f64 = 0.05;
/// Share of the samples in which one camera is lost.
const CAMERA_LOSS: f64 = 0.04;
/// Share of the drives whose pictures pass through 4:2:0 chroma.
const CHROMA_SUBSAMPLING: f64 = 0.5;

/// One of the drives that advance in step.
pub struct DriveLane {
    slot: usize,
    preprocess: PreprocessSection,
    lifts: Vec<LiftSection>,
    nominal_rig: Rig,
    seconds: f64,
    is_augmented: bool,
    tables: Vec<ProjectionTable>,
    preprocessors: [Preprocessor; 2],
    levels: Vec<u8>,
    yuv: Vec<u8>,
    depth_m: Vec<f32>,
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
    odom_from_ego_noisy: Isometry3<f64>,
}

impl DriveLane {
    /// A lane without a drive yet.
    pub fn new(
        slot: usize,
        manifest: &Manifest,
        rig: &Rig,
        seconds: f64,
        is_augmented: bool,
    ) -> Result<Self, Failure> {
        let preprocess = *manifest.preprocess();
        let (width, height) = (
            preprocess.width * DRAWN_LARGER,
            preprocess.height * DRAWN_LARGER,
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
            tables: lifts
                .iter()
                .map(|lift| ProjectionTable::new(&lift.spec, cameras))
                .collect(),
            lifts,
            nominal_rig: rig.clone(),
            seconds,
            is_augmented,
            preprocessors,
            levels: vec![0; cameras * 3 * pixels],
            yuv: vec![0; nv12_len(width, height)],
            depth_m: vec![0.0; cameras * features.unwrap_or(0)],
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
    pub fn start(&mut self, seed: u64) {
        let mut random = Random::new(seed);
        let rig = if self.is_augmented {
            jittered(&self.nominal_rig, &mut random)
        } else {
            self.nominal_rig.clone()
        };
        let drawn = scaled_rig(&rig, &self.preprocess, DRAWN_LARGER);
        let binning = rig.cameras()[0].intrinsics.width() as f32
            / drawn.cameras()[0].intrinsics.width() as f32;
        let config = RenderConfig {
            binning,
            shadow_texels: 512,
            ..RenderConfig::FULL_SIZE
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
            odom_from_ego_noisy: Isometry3::identity(),
        });
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
        self.push_images(&mut current, lost)?;
        self.push_tables(&mut current, lost);
        self.push_poses(&truth, &current);
        push_truth(&truth, &mut self.message);
        let header = serde_json::json!({
            "drive": self.slot, "seed": current.seed, "step": current.step, "new_drive": current.step == 0,
            "stamp_ns": (current.t_s * 1e9).round() as i64,
        });
        self.message.write(header, out)?;
        current.advance();
        self.current = Some(current);
        Ok(())
    }

    fn push_images(&mut self, current: &mut Current, lost: Option<usize>) -> io::Result<()> {
        let cameras = current.cameras.len();
        let (width, height) = (
            self.preprocess.width as usize,
            self.preprocess.height as usize,
        );
        let feature_stride = self.preprocess.width * DRAWN_LARGER / self.coarsest_features();
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
        }
        self.message
            .push("images", &[cameras, 3, height, width], &self.levels);
        let columns = self.coarsest_features() as usize;
        self.message
            .push("depth", &[cameras, cells / columns, columns], &self.depth_m);
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

    fn push_poses(&mut self, truth: &GroundTruth, current: &Current) {
        for (name, pose) in [
            ("odom_from_ego", &truth.world_from_ego),
            ("odom_from_ego_noisy", &current.odom_from_ego_noisy),
        ] {
            let matrix = pose.to_homogeneous().transpose();
            self.message.push(name, &[4, 4], matrix.as_slice());
        }
    }
}

impl Current {
    /// Moves on by a step; the noisy pose follows from the vehicle's signals alone.
    fn advance(&mut self) {
        let next_s = self.t_s + STEP_S + STEP_JITTER_S * self.random.signed();
        let mut at_s = self.t_s;
        for sample in self.drive.can(self.t_s, next_s) {
            let span_s = (sample.t_s.min(next_s) - at_s).max(0.0);
            self.odom_from_ego_noisy *= arc(sample.speed_mps, sample.yaw_rate_radps, span_s);
            at_s = sample.t_s.max(at_s);
        }
        self.t_s = next_s;
        self.step += 1;
    }
}

/// The way driven in `span_s` at constant speed and yaw rate.
fn arc(speed_mps: f64, yaw_rate_radps: f64, span_s: f64) -> Isometry3<f64> {
    let turn_rad = yaw_rate_radps * span_s;
    let chord_m = speed_mps
        * span_s
        * if turn_rad.abs() < 1e-6 {
            1.0
        } else {
            (turn_rad / 2.0).sin() / (turn_rad / 2.0)
        };
    let way = Vector3::new(
        chord_m * (turn_rad / 2.0).cos(),
        chord_m * (turn_rad / 2.0).sin(),
        0.0,
    );
    Isometry3::from_parts(
        way.into(),
        UnitQuaternion::from_euler_angles(0.0, 0.0, turn_rad),
    )
}
