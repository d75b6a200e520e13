//! What a pipeline tells about itself, in structs of plain data.

use std::ffi::c_char;

use bevrt_calibration::Camera;
use bevrt_runtime::{Pipeline, PipelineStats, Stage};

use crate::plain::{self, Plain};

/// What a pipeline is made of.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct PipelineInfo {
    /// Size of this struct as it was written, in bytes.
    pub struct_size: u32,
    /// Cameras of the rig.
    pub camera_count: u32,
    /// Index of the camera whose stamp is that of the frames.
    pub reference_camera: u32,
    /// Slots of the feature queue.
    pub slot_count: u32,
    /// Name of the model package.
    pub package_name: [c_char; 64],
    /// Version of the model package.
    pub package_version: [c_char; 32],
    /// What it was trained on.
    pub world: [c_char; 32],
    /// Execution provider that runs the network, such as "cpu" or "cuda:0".
    pub provider: [c_char; 32],
}

// SAFETY: repr(C), begins with `struct_size`, sizes add up to the size (asserted), integers take
// every pattern of bits.
unsafe impl Plain for PipelineInfo {
    const FIRST_SIZE: usize = 176;
}

/// A camera of the rig.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct CameraInfo {
    /// Size of this struct as it was written, in bytes.
    pub struct_size: u32,
    /// Index in the rig.
    pub camera: u32,
    /// Width of the images that it must deliver.
    pub width_px: u32,
    /// Height of the images that it must deliver.
    pub height_px: u32,
    /// Name in the rig.
    pub name: [c_char; 64],
}

// SAFETY: as above.
unsafe impl Plain for CameraInfo {
    const FIRST_SIZE: usize = 80;
}

/// Measured times of a stage since creation or `bevrt_pipeline_reset_statistics`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct StageStatistics {
    /// Size of this struct as it was written, in bytes.
    pub struct_size: u32,
    /// `BEVRT_STAGE_`….
    pub stage: i32,
    /// Frames that were measured.
    pub count: u64,
    /// Time of the last frame.
    pub last_ns: i64,
    /// Shortest time.
    pub min_ns: i64,
    /// Mean time.
    pub mean_ns: i64,
    /// Median; percentiles are exact to 1/64.
    pub p50_ns: i64,
    /// 90th percentile.
    pub p90_ns: i64,
    /// 99th percentile.
    pub p99_ns: i64,
    /// 99.9th percentile; means little below 1000 frames.
    pub p999_ns: i64,
    /// Longest time.
    pub max_ns: i64,
}

// SAFETY: as above.
unsafe impl Plain for StageStatistics {
    const FIRST_SIZE: usize = 80;
}

/// What came to a worker and what became of it.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct WorkerCounts {
    /// Size of this struct as it was written, in bytes.
    pub struct_size: u32,
    /// Items in the queue now.
    pub queued: u32,
    /// Frames that were made.
    pub frames: u64,
    /// Frames that were replaced by a newer one before anybody polled them.
    pub frames_replaced: u64,
    /// Images that were queued and then refused; their release callbacks told why.
    pub images_refused: u64,
    /// Samples of ego motion that were queued and then refused.
    pub motion_refused: u64,
    /// Items that found the queue full.
    pub queue_full: u64,
}

// SAFETY: as above.
unsafe impl Plain for WorkerCounts {
    const FIRST_SIZE: usize = 48;
}

const _: () = {
    assert!(size_of::<PipelineInfo>() == 4 * 4 + 64 + 3 * 32);
    assert!(size_of::<CameraInfo>() == 4 * 4 + 64);
    assert!(size_of::<StageStatistics>() == 2 * 4 + 9 * 8);
    assert!(size_of::<WorkerCounts>() == 2 * 4 + 5 * 8);
};

impl PipelineInfo {
    pub(crate) fn new(pipeline: &Pipeline) -> Self {
        let manifest = pipeline.manifest();
        let rig = pipeline.rig();
        let mut info = Self {
            struct_size: size_of::<Self>() as u32,
            camera_count: rig.cameras().len() as u32,
            reference_camera: rig.reference() as u32,
            slot_count: manifest.queue().map_or(0, |queue| queue.slots),
            package_name: [0; 64],
            package_version: [0; 32],
            world: [0; 32],
            provider: [0; 32],
        };
        plain::fill(&mut info.package_name, manifest.name());
        plain::fill(&mut info.package_version, manifest.version());
        plain::fill(&mut info.world, manifest.world());
        plain::fill(
            &mut info.provider,
            &pipeline.engine().provider().to_string(),
        );
        info
    }
}

impl CameraInfo {
    pub(crate) fn new(index: usize, camera: &Camera) -> Self {
        let [width_px, height_px] = [camera.intrinsics.width(), camera.intrinsics.height()];
        let mut info = Self {
            struct_size: size_of::<Self>() as u32,
            camera: index as u32,
            width_px,
            height_px,
            name: [0; 64],
        };
        plain::fill(&mut info.name, &camera.name);
        info
    }
}

impl StageStatistics {
    pub(crate) fn new(stats: &PipelineStats, stage: Stage) -> Self {
        let histogram = stats.stage(stage);
        let percentile = |fraction| histogram.percentile(fraction).nanoseconds();
        Self {
            struct_size: size_of::<Self>() as u32,
            stage: stage as i32,
            count: histogram.count(),
            last_ns: stats.last().get(stage).nanoseconds(),
            min_ns: histogram.min().nanoseconds(),
            mean_ns: histogram.mean().nanoseconds(),
            p50_ns: percentile(0.5),
            p90_ns: percentile(0.9),
            p99_ns: percentile(0.99),
            p999_ns: percentile(0.999),
            max_ns: histogram.max().nanoseconds(),
        }
    }
}
