//! A simulated drive, drawn frame by frame as it is asked for.

use std::collections::VecDeque;

use bevrt_calibration::{Camera, Ego, PixelRect, Pose, Rig, World};
use bevrt_runtime::{
    EgoMotionSource, ImageView, PixelFormat, PreprocessSection, Span, Stamp, crop_for,
};
use bevrt_sim::{
    CanSample, Condition, Drive, DriveOptions, GroundTruth, Observer, RenderConfig, RenderedImage,
    Renderer, VisibilityMemory, YuvMatrix, nv12_len, rgb_to_nv12,
};

use super::{DriveEvent, DriveSource, ImageEvent, SourceError};
use crate::truth::FrameTruth;

/// The drive begins here on the log's clock, so that no stamp lies before the origin.
const BEGIN: Stamp = Stamp::from_nanoseconds(1_000_000_000);
/// From the middle of the exposure to the arrival of the image.
const IMAGE_DELAY: Span = Span::from_milliseconds(30);
/// From measurement to arrival of CAN signals.
const CAN_DELAY: Span = Span::from_milliseconds(2);

/// How large pictures are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureSize {
    /// At the cameras' own size.
    Full,
    /// What the network sees of them, at so many times its input's size: the preprocessing then
    /// reduces by that factor alone. Two serves antialiasing as the full size does.
    TimesNetwork(u32),
}

/// What a simulated drive is like, apart from its seed.
#[derive(Clone, Copy, Debug)]
pub struct SimulatedDriveOptions {
    /// Length, seconds.
    pub duration_s: f64,
    /// Frame sets a second.
    pub frame_rate_hz: f64,
    /// How large pictures are drawn.
    pub size: PictureSize,
    /// Largest offset of a camera's exposure from the nominal time, seconds.
    pub camera_skew_s: f64,
    /// Light and weather instead of those of the seed.
    pub condition: Option<Condition>,
    /// Threads that draw.
    pub threads: usize,
}

impl Default for SimulatedDriveOptions {
    /// Ten seconds at 10 Hz, at twice the network's size, drawn on one thread.
    fn default() -> Self {
        Self {
            duration_s: 10.0,
            frame_rate_hz: 10.0,
            size: PictureSize::TimesNetwork(2),
            camera_skew_s: 0.0,
            condition: None,
            threads: 1,
        }
    }
}

/// What comes next, in the order of arrival.
#[derive(Clone, Copy, Debug)]
enum Pending {
    Truth,
    Can(CanSample),
    Image(usize),
}

/// A drive of the simulated world.
pub struct SimulatedDrive {
    rig: Rig,
    drive: Drive,
    observer: Observer,
    memory: VisibilityMemory,
    frames: u64,
    next_frame: u64,
    frame_period_s: f64,
    /// CAN signals before this time have been given out.
    can_until_s: f64,
    /// Longest time from the nominal time of a frame to the arrival of its last image.
    horizon_s: f64,
    pending: VecDeque<(Stamp, Pending)>,
    time_s: f64,
    truth: FrameTruth,
    nv12: Vec<Vec<u8>>,
}

/// The rig whose cameras show what the network sees, at `times` its input's size.
///
/// Cameras whose network crop has another aspect keep it: only the size changes.
pub fn scaled_rig(rig: &Rig, preprocess: &PreprocessSection, times: u32) -> Rig {
    let (width_px, height_px) = (times * preprocess.width, times * preprocess.height);
    let cameras = rig
        .cameras()
        .iter()
        .map(|camera| {
            let intrinsics = &camera.intrinsics;
            let crop: PixelRect = crop_for(preprocess, intrinsics.width(), intrinsics.height());
            Camera {
                intrinsics: intrinsics.cropped_and_scaled(crop, width_px, height_px),
                ..camera.clone()
            }
        })
        .collect();
    Rig::new(cameras, rig.reference()).expect("names, poses and reference are those of a rig")
}

impl SimulatedDrive {
    /// The drive of a seed, seen by `rig` and meant for a network with this preprocessing.
    pub fn new(
        seed: u64,
        rig: &Rig,
        preprocess: &PreprocessSection,
        options: &SimulatedDriveOptions,
    ) -> Self {
        let drive_options = DriveOptions {
            duration_s: options.duration_s,
            camera_skew_s: options.camera_skew_s,
            condition: options.condition,
            ..DriveOptions::default()
        };
        let (rig, config) = match options.size {
            PictureSize::Full => (rig.clone(), RenderConfig::FULL_SIZE),
            PictureSize::TimesNetwork(times) => {
                let binning = rig.reference_camera().intrinsics.width() as f32
                    / (times * preprocess.width) as f32;
                let config = if times == 1 {
                    RenderConfig::network_size(binning)
                } else {
                    // The preprocessing averages pixels: edges need no samples of their own.
                    RenderConfig {
                        binning,
                        ..RenderConfig::FULL_SIZE
                    }
                };
                (scaled_rig(rig, preprocess, times), config)
            }
        };
        let drive = Drive::new(seed, &rig, drive_options);
        let renderer = Renderer::new(config).with_threads(options.threads);
        let observer = Observer::new(rig.clone(), preprocess.width, renderer);
        let nv12 = rig
            .cameras()
            .iter()
            .map(|camera| vec![0; nv12_len(camera.intrinsics.width(), camera.intrinsics.height())])
            .collect();
        Self {
            drive,
            observer,
            memory: VisibilityMemory::new(),
            frames: (options.duration_s * options.frame_rate_hz + 1e-9).floor() as u64 + 1,
            next_frame: 0,
            frame_period_s: 1.0 / options.frame_rate_hz,
            can_until_s: 0.0,
            horizon_s: IMAGE_DELAY.seconds() + options.camera_skew_s,
            pending: VecDeque::new(),
            time_s: 0.0,
            truth: FrameTruth::default(),
            nv12,
            rig,
        }
    }

    /// The moment on the log's clock at which the drive begins, with its first frame.
    pub const BEGIN: Stamp = BEGIN;

    /// Frame sets in all, at both ends of the drive and in between.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Light and weather.
    pub fn condition(&self) -> Condition {
        self.drive.condition()
    }

    /// True pose of the vehicle at a stamp.
    pub fn world_from_ego(&self, stamp: Stamp) -> Pose<World, Ego> {
        self.drive.ego_pose(stamp.since(BEGIN).seconds())
    }

    /// What is really there at a stamp, without what the cameras see of it.
    pub fn ground_truth(&self, stamp: Stamp) -> GroundTruth {
        self.drive.ground_truth(stamp.since(BEGIN).seconds())
    }

    /// Draws the next set and lines up what comes with it.
    fn prepare(&mut self) {
        self.time_s = self.next_frame as f64 * self.frame_period_s;
        self.next_frame += 1;
        let mut observed = self.observer.observe(&self.drive, self.time_s);
        let reference_s = self.drive.camera_time(self.time_s, self.rig.reference());
        if reference_s != self.time_s {
            observed = moved_to(&self.drive, reference_s, &observed);
        }
        self.memory.observe(&mut observed);
        let stamp = at(reference_s);
        self.truth = FrameTruth::from_simulated(stamp, &observed);
        for (image, nv12) in self.observer.images().iter().zip(&mut self.nv12) {
            let RenderedImage {
                rgb, width, height, ..
            } = image;
            rgb_to_nv12(rgb, *width, *height, YuvMatrix::Bt601Limited, nv12);
        }
        let can_until_s = self.time_s + self.horizon_s;
        let can = self.drive.can(self.can_until_s, can_until_s);
        self.can_until_s = can_until_s;
        let images = (0..self.rig.cameras().len()).map(|camera| {
            (
                self.image_stamp(camera) + IMAGE_DELAY,
                Pending::Image(camera),
            )
        });
        let mut events: Vec<(Stamp, Pending)> = can
            .into_iter()
            .map(|sample| (at(sample.t_s) + CAN_DELAY, Pending::Can(sample)))
            .chain([(stamp, Pending::Truth)])
            .chain(images)
            .collect();
        events.sort_by_key(|(arrival, _)| *arrival);
        self.pending.extend(events);
    }

    fn image_stamp(&self, camera: usize) -> Stamp {
        at(self.drive.camera_time(self.time_s, camera))
    }
}

impl DriveSource for SimulatedDrive {
    fn rig(&self) -> &Rig {
        &self.rig
    }

    fn ego_motion(&self) -> EgoMotionSource {
        EgoMotionSource::Rates
    }

    fn next_event(&mut self) -> Result<Option<DriveEvent<'_>>, SourceError> {
        if self.pending.is_empty() && self.next_frame < self.frames {
            self.prepare();
        }
        let Some((arrival, pending)) = self.pending.pop_front() else {
            return Ok(None);
        };
        Ok(Some(match pending {
            Pending::Truth => DriveEvent::Truth(&self.truth),
            Pending::Can(sample) => DriveEvent::VehicleMotion {
                stamp: at(sample.t_s),
                arrival,
                speed_mps: sample.speed_mps,
                yaw_rate_radps: sample.yaw_rate_radps,
            },
            Pending::Image(camera) => {
                let picture = &self.observer.images()[camera];
                let nv12 = &self.nv12[camera];
                let image =
                    ImageView::packed(PixelFormat::Nv12, picture.width, picture.height, nv12)
                        .map_err(|problem| SourceError::Image {
                            camera: self.rig.cameras()[camera].name.clone(),
                            problem,
                        })?;
                DriveEvent::Image(ImageEvent {
                    camera,
                    stamp: self.image_stamp(camera),
                    arrival,
                    image,
                    rgb: &picture.rgb,
                    jpeg: None,
                })
            }
        }))
    }
}

/// A time of the drive on the log's clock.
fn at(time_s: f64) -> Stamp {
    BEGIN + Span::from_seconds(time_s)
}

/// Geometry of another moment with the visibility that was judged at `seen`.
fn moved_to(drive: &Drive, time_s: f64, seen: &GroundTruth) -> GroundTruth {
    let mut truth = drive.ground_truth(time_s);
    for object in &mut truth.objects {
        if let Some(known) = seen.objects.iter().find(|known| known.id == object.id) {
            object.visible_fraction = known.visible_fraction;
            object.visible_px = known.visible_px;
            object.silhouette_px = known.silhouette_px;
        }
    }
    for lane in &mut truth.lanes {
        let known = || seen.lanes.iter().filter(|known| known.id == lane.id);
        for point in &mut lane.points {
            point.is_visible = known()
                .flat_map(|lane| &lane.points)
                .any(|known| known.station == point.station && known.is_visible);
        }
    }
    for arrow in &mut truth.arrows {
        let known = seen.arrows.iter().find(|known| known.id == arrow.id);
        arrow.visible_fraction = known.map_or(0.0, |known| known.visible_fraction);
    }
    for crosswalk in &mut truth.crosswalks {
        let known = seen
            .crosswalks
            .iter()
            .find(|known| known.id == crosswalk.id);
        crosswalk.visible_fraction = known.map_or(0.0, |known| known.visible_fraction);
    }
    for line in &mut truth.stop_lines {
        let known = seen.stop_lines.iter().find(|known| known.id == line.id);
        line.visible_fraction = known.map_or(0.0, |known| known.visible_fraction);
    }
    truth
}
