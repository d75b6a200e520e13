//! bevrt for C++ code that builds with Cargo: a [cxx](https://cxx.rs) bridge.
//!
//! A crate that depends on this one includes `bevrt-cxx/src/lib.rs.h` in its C++ and finds there
//! `bevrt::bridge::open`, `Pipeline`, `PipelineOptions` and `Image`; frames and statistics are the structs
//! of `bevrt/bevrt.h`, numbers its constants. `program/` is a whole example.
//!
//! Invariants:
//! - No function throws or aborts: each returns a status of `bevrt.h`, and none returns `Result`. A
//!   panic, which would be a bug of ours, ends in `BEVRT_STATUS_PANIC` and leaves a pipeline that can
//!   only be dropped.
//! - It stands on the safe side of the C ABI, not on the C functions, and nothing of it is in
//!   `libbevrt.so`.
//!
//! A pipeline may move between threads; one thread at a time uses it. For a worker thread of the
//! library, and for C++ that does not build with Cargo, there is `bevrt/bevrt.hpp`.

mod options;
mod pipeline;
mod plain;

pub use pipeline::Pipeline;
pub use plain::{Frame, StageStatistics};

use options::default_options;
use pipeline::open;

/// What C++ sees.
#[cxx::bridge(namespace = "bevrt::bridge")]
pub mod bridge {
    /// Options of a pipeline; take them from `default_options`, then change what differs. The fields
    /// are those of `bevrt_pipeline_options_t`. An empty text is none.
    #[derive(Clone, Debug)]
    pub struct PipelineOptions {
        /// Folder of the model package. Must be given.
        pub package_path: String,
        /// Rig file, or empty when `rig_text` is given.
        pub rig_path: String,
        /// Rig as TOML text, or empty when `rig_path` is given.
        pub rig_text: String,
        /// ONNX Runtime library; empty looks for it.
        pub onnxruntime_path: String,
        /// Number format; empty takes the first network that fits.
        pub precision: String,
        /// Folder of TensorRT engines that were built ahead.
        pub engine_cache_path: String,
        /// Public keys of which one must have signed the package; none takes any package.
        pub trusted_keys: Vec<String>,
        /// `BEVRT_PROVIDER_`…, in the order in which they are tried, 1 to 4.
        pub providers: Vec<i32>,
        /// Number of the GPU.
        pub device: i32,
        /// Whether TensorRT may use 16 bit.
        pub tensorrt_fp16: bool,
        /// Whether the next provider is tried when one does not work.
        pub has_fallback: bool,
        /// Threads within an operator; 0 takes all cores.
        pub intra_op_threads: u32,
        /// Whether waiting threads of the engine spin.
        pub has_spinning: bool,
        /// Runs of the network before `open` returns.
        pub warm_up_runs: u32,
        /// `BEVRT_EGO_MOTION_`….
        pub ego_motion: i32,
        /// Whether a picture with the same content as the one before is refused.
        pub has_frozen_check: bool,
        /// Whether the golden cases of the package run.
        pub has_golden_check: bool,
        /// Whether projections follow the exposure skew between cameras.
        pub has_stamp_correction: bool,
        /// Least skew that is corrected.
        pub stamp_correction_from_ns: i64,
        /// Exposures further than this from the reference camera's are not in its frame.
        pub set_tolerance_ns: i64,
        /// A set is closed at the latest this long after the arrival of its first image.
        pub set_deadline_ns: i64,
        /// A frame older than this at its step has missed its deadline.
        pub frame_deadline_ns: i64,
        /// Cores of the engine's pool, such as "2,4-5"; empty leaves its threads where they are.
        pub pool_cores: String,
        /// Real-time priority of the pool's threads, 1 to 99; 0 for that of the opening thread.
        pub pool_priority: u32,
        /// Folder of TensorRT's timing cache.
        pub timing_cache_path: String,
        /// Library of the provider `BEVRT_PROVIDER_PLUGIN`.
        pub plugin_path: String,
        /// Name of that provider.
        pub plugin_name: String,
        /// Its options as "key=value;key=value".
        pub plugin_options: String,
        /// Most memory of the CUDA provider's arena; 0 for no limit.
        pub cuda_memory_limit_bytes: u64,
        /// Most scratch memory of a layer in TensorRT; 0 for its default.
        pub tensorrt_workspace_bytes: u64,
        /// Whether TensorRT may use 8 bit, as the network's quantisation says.
        pub tensorrt_int8: bool,
        /// Whether TensorRT gives what it can to the deep-learning accelerator `dla_core`.
        pub has_dla: bool,
        /// Number of the deep-learning accelerator.
        pub dla_core: u32,
        /// Whether CUDA and TensorRT replay a captured graph.
        pub has_cuda_graphs: bool,
        /// Whether CUDA may compute products of 32-bit numbers in TF32.
        pub has_tf32: bool,
    }

    /// One plane of an image.
    #[derive(Clone, Copy, Debug)]
    pub struct Plane<'a> {
        /// Its bytes, from the first row on.
        pub bytes: &'a [u8],
        /// Bytes from the start of a row to the start of the next.
        pub stride_bytes: u64,
    }

    /// An image of a camera; its planes are borrowed during the call that takes it.
    #[derive(Clone, Debug)]
    pub struct Image<'a> {
        /// Index of the camera in the rig.
        pub camera: u32,
        /// `BEVRT_PIXEL_FORMAT_`….
        pub pixel_format: i32,
        /// `BEVRT_COLOUR_MATRIX_`….
        pub colour_matrix: i32,
        /// `BEVRT_COLOUR_RANGE_`….
        pub colour_range: i32,
        /// Width, that of the camera in the rig.
        pub width_px: u32,
        /// Height, that of the camera in the rig.
        pub height_px: u32,
        /// 2 for NV12, else 1.
        pub planes: Vec<Plane<'a>>,
        /// Middle of the exposure.
        pub stamp_ns: i64,
        /// When the image reached the caller, by the same clock.
        pub arrival_ns: i64,
    }

    unsafe extern "C++" {
        include!("bevrt/bevrt.h");

        /// The output frame, `bevrt_frame_t`.
        #[namespace = ""]
        #[cxx_name = "bevrt_frame_t"]
        type Frame = crate::Frame;

        /// Measured times of a stage, `bevrt_stage_statistics_t`.
        #[namespace = ""]
        #[cxx_name = "bevrt_stage_statistics_t"]
        type StageStatistics = crate::StageStatistics;
    }

    extern "Rust" {
        type Pipeline;

        /// The defaults, without package and rig.
        fn default_options() -> PipelineOptions;

        /// Opens a model package and makes a pipeline. Look at `status` of what is returned: with
        /// another than OK it can only be asked for `error_text` and dropped.
        fn open(options: &PipelineOptions) -> Box<Pipeline>;

        /// Status of the last call.
        fn status(self: &Pipeline) -> i32;
        /// Text of the last failure; empty before the first.
        fn error_text(self: &Pipeline) -> &str;
        /// As `bevrt_pipeline_push_image`.
        fn push_image(self: &mut Pipeline, image: &Image) -> i32;
        /// As `bevrt_pipeline_push_pose`.
        fn push_pose(
            self: &mut Pipeline,
            stamp_ns: i64,
            translation_m: [f64; 3],
            quaternion_wxyz: [f64; 4],
        ) -> i32;
        /// As `bevrt_pipeline_push_rates`.
        fn push_rates(
            self: &mut Pipeline,
            stamp_ns: i64,
            speed_mps: f64,
            yaw_rate_radps: f64,
        ) -> i32;
        /// As `bevrt_pipeline_step`.
        fn step(self: &mut Pipeline, now_ns: i64, frame: &mut Frame) -> i32;
        /// As `bevrt_pipeline_set_calibration`, from TOML text.
        fn set_calibration(self: &mut Pipeline, rig_text: &str) -> i32;
        /// As `bevrt_pipeline_set_camera_enabled`.
        fn set_camera_enabled(self: &mut Pipeline, camera: u32, is_enabled: bool) -> i32;
        /// As `bevrt_pipeline_reset`.
        fn reset(self: &mut Pipeline) -> i32;
        /// As `bevrt_pipeline_statistics`.
        fn statistics(self: &mut Pipeline, stage: i32, statistics: &mut StageStatistics) -> i32;
    }
}
