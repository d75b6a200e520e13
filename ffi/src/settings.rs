//! Options of a pipeline as plain numbers and text, and what the runtime makes of them.

use std::ffi::{CStr, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use bevrt_calibration::Rig;
use bevrt_runtime::{
    CudaOptions, EgoMotionSource, EgoMotionSpec, Fallback, FrozenCheck, GoldenCheck, PackageKey,
    PipelineOptions, PluginOptions, Precision, Provider, SignatureCheck, Span, Spinning,
    StampCorrection, TensorRtOptions, ThreadPriority, ThreadSettings,
};

use crate::constants::{
    BEVRT_EGO_MOTION_POSES, BEVRT_EGO_MOTION_RATES, BEVRT_MAX_PROVIDERS, BEVRT_OFF, BEVRT_ON,
    BEVRT_PROVIDER_CPU, BEVRT_PROVIDER_CUDA, BEVRT_PROVIDER_PLUGIN, BEVRT_PROVIDER_TENSORRT,
};
use crate::plain::{self, Plain};
use crate::status::{Failure, Status};

/// Options of a pipeline. Fill it by `bevrt_pipeline_options_default`, then change what differs.
///
/// Texts are read during the call alone and end with a zero byte. Paths are bytes, as the system
/// takes them.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct PipelineSettings {
    /// Size of this struct at the caller, in bytes.
    pub struct_size: u32,
    /// Valid entries of `providers`, at least 1.
    pub provider_count: u32,
    /// Folder of the model package. Must be given.
    pub package_path: *const c_char,
    /// Rig file (TOML), or NULL when `rig_text` is given.
    pub rig_path: *const c_char,
    /// Rig as TOML text, or NULL when `rig_path` is given.
    pub rig_text: *const c_char,
    /// ONNX Runtime library, or NULL: then it is looked for, see README.
    pub onnxruntime_path: *const c_char,
    /// Number format, such as "fp32" or "int8-cpu"; NULL takes the first network that fits.
    pub precision: *const c_char,
    /// Folder of TensorRT engines that were built ahead; NULL without TensorRT.
    pub engine_cache_path: *const c_char,
    /// `BEVRT_PROVIDER_`…, in the order in which they are tried.
    pub providers: [i32; BEVRT_MAX_PROVIDERS],
    /// Number of the GPU for CUDA and TensorRT.
    pub device: i32,
    /// Whether TensorRT may use 16 bit.
    pub tensorrt_fp16: i32,
    /// Whether the next provider is tried when one does not work; if not, creation fails.
    pub has_fallback: i32,
    /// Threads within an operator, the stepping thread included, 1 to 256; 0 takes all cores.
    pub intra_op_threads: u32,
    /// Whether waiting threads of the engine spin: faster, for fully used cores.
    pub has_spinning: i32,
    /// Runs of the network before creation returns, at most 1000.
    pub warm_up_runs: u32,
    /// `BEVRT_EGO_MOTION_POSES` or `BEVRT_EGO_MOTION_RATES`: what will be pushed.
    pub ego_motion: i32,
    /// Whether a picture with the same content as the one before is refused. Off for pictures
    /// without noise, such as drawn ones.
    pub has_frozen_check: i32,
    /// Whether the golden cases of the package run at creation.
    pub has_golden_check: i32,
    /// Whether projections follow the exposure skew between cameras, from
    /// `stamp_correction_from_ns` on.
    pub has_stamp_correction: i32,
    /// Least skew that is corrected.
    pub stamp_correction_from_ns: i64,
    /// Exposures further than this from the reference camera's are not in its frame.
    pub set_tolerance_ns: i64,
    /// A set is closed at the latest this long after the arrival of its first image.
    pub set_deadline_ns: i64,
    /// A frame older than this at its step has missed its deadline.
    pub frame_deadline_ns: i64,
    /// Public keys, as `bevrt sign` prints them, with spaces or line ends between: the package must
    /// be signed by one of them. NULL takes any package. It and what
    /// follows: since ABI 0.2.
    pub trusted_keys: *const c_char,
    /// Cores of the engine's pool, such as "2,4-5": each of its threads is kept on one of them, in
    /// turn. NULL leaves them where the creating thread may run.
    pub pool_cores: *const c_char,
    /// Folder of TensorRT's timing cache, or NULL.
    pub timing_cache_path: *const c_char,
    /// Library of the provider `BEVRT_PROVIDER_PLUGIN`; NULL without one.
    pub plugin_path: *const c_char,
    /// Name of that provider, such as "QNNExecutionProvider".
    pub plugin_name: *const c_char,
    /// Its options as "key=value;key=value", or NULL.
    pub plugin_options: *const c_char,
    /// Most memory of the CUDA provider's arena; 0 for no limit.
    pub cuda_memory_limit_bytes: u64,
    /// Most scratch memory of a layer in TensorRT; 0 for its default.
    pub tensorrt_workspace_bytes: u64,
    /// Real-time priority (SCHED_FIFO) of the pool's threads, 1 to 99; 0 for that of the creating
    /// thread.
    pub pool_priority: u32,
    /// Whether TensorRT may use 8 bit, as the network's quantisation says.
    pub tensorrt_int8: i32,
    /// Whether TensorRT gives what it can to the deep-learning accelerator `dla_core`.
    pub has_dla: i32,
    /// Number of the deep-learning accelerator.
    pub dla_core: u32,
    /// Whether CUDA and TensorRT replay a captured graph.
    pub has_cuda_graphs: i32,
    /// Whether CUDA may compute products of 32-bit numbers in TF32.
    pub has_tf32: i32,
}

// SAFETY: repr(C), begins with `struct_size`, sizes add up to the size (asserted), addresses and
// integers take every pattern of bits.
unsafe impl Plain for PipelineSettings {
    const FIRST_SIZE: usize = 144;
    const SIZES: &'static [usize] = &[144, 232];
}

/// A calibration: exactly one of both fields.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct CalibrationSource {
    /// Size of this struct at the caller, in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Rig file (TOML), or NULL.
    pub rig_path: *const c_char,
    /// Rig as TOML text, or NULL.
    pub rig_text: *const c_char,
}

// SAFETY: as above.
unsafe impl Plain for CalibrationSource {
    const FIRST_SIZE: usize = 24;
}

const _: () = {
    assert!(size_of::<PipelineSettings>() == 8 + 6 * 8 + 4 * 4 + 10 * 4 + 4 * 8 + 8 * 8 + 6 * 4);
    assert!(size_of::<PipelineSettings>() == PipelineSettings::SIZES[1]);
    assert!(size_of::<CalibrationSource>() == 24);
};

impl PipelineSettings {
    /// The defaults of the runtime, without package and rig.
    pub fn defaults() -> Self {
        let none = std::ptr::null();
        let ms = |milliseconds| Span::from_milliseconds(milliseconds).nanoseconds();
        Self {
            struct_size: size_of::<Self>() as u32,
            provider_count: 1,
            package_path: none,
            rig_path: none,
            rig_text: none,
            onnxruntime_path: none,
            precision: none,
            engine_cache_path: none,
            providers: [BEVRT_PROVIDER_CPU; BEVRT_MAX_PROVIDERS],
            device: 0,
            tensorrt_fp16: BEVRT_OFF,
            has_fallback: BEVRT_OFF,
            intra_op_threads: 0,
            has_spinning: BEVRT_ON,
            warm_up_runs: 2,
            ego_motion: BEVRT_EGO_MOTION_POSES,
            has_frozen_check: BEVRT_ON,
            has_golden_check: BEVRT_ON,
            has_stamp_correction: BEVRT_ON,
            stamp_correction_from_ns: ms(1),
            set_tolerance_ns: ms(60),
            set_deadline_ns: ms(80),
            frame_deadline_ns: ms(250),
            trusted_keys: none,
            pool_cores: none,
            timing_cache_path: none,
            plugin_path: none,
            plugin_name: none,
            plugin_options: none,
            cuda_memory_limit_bytes: 0,
            tensorrt_workspace_bytes: 0,
            pool_priority: 0,
            tensorrt_int8: BEVRT_OFF,
            has_dla: BEVRT_OFF,
            dla_core: 0,
            has_cuda_graphs: BEVRT_OFF,
            has_tf32: BEVRT_OFF,
        }
    }

    /// What the runtime makes of them.
    ///
    /// # Errors
    /// Names the field, what was expected and what was found.
    ///
    /// # Safety
    /// The texts are NULL or end with a zero byte.
    pub unsafe fn options(&self) -> Result<PipelineOptions, Failure> {
        // SAFETY: by the contract of this function, for all texts below.
        let text = |field, from| unsafe { plain::text(field, from) };
        let package = text("package_path", self.package_path)?
            .ok_or_else(|| Failure::new(Status::NullPointer, "package_path: is NULL"))?;
        let calibration = CalibrationSource {
            struct_size: size_of::<CalibrationSource>() as u32,
            reserved: 0,
            rig_path: self.rig_path,
            rig_text: self.rig_text,
        };
        // SAFETY: as above.
        let rig = unsafe { calibration.rig() }?;
        let mut options = PipelineOptions::new(path(package), rig);
        options.signature = match text("trusted_keys", self.trusted_keys)? {
            Some(keys) => SignatureCheck::Require(trusted_keys(keys)?),
            None => SignatureCheck::Off,
        };
        let engine = &mut options.engine;
        engine.library = text("onnxruntime_path", self.onnxruntime_path)?.map(path);
        // SAFETY: as above.
        engine.providers = unsafe { self.providers() }?;
        // SAFETY: as above.
        engine.pool = unsafe {
            thread_settings(
                ("pool_cores", self.pool_cores),
                ("pool_priority", self.pool_priority),
            )
        }?;
        engine.fallback = match is_on("has_fallback", self.has_fallback)? {
            true => Fallback::NextProvider,
            false => Fallback::Refuse,
        };
        if self.intra_op_threads != 0 {
            engine.intra_op_threads = self.intra_op_threads as usize;
        }
        engine.spinning = match is_on("has_spinning", self.has_spinning)? {
            true => Spinning::On,
            false => Spinning::Off,
        };
        engine.warm_up_runs = match self.warm_up_runs {
            runs @ 0..=1000 => runs as usize,
            runs => return Err(out_of_range("warm_up_runs", "0 to 1000", runs)),
        };
        options.precision = text("precision", self.precision)?
            .map(precision)
            .transpose()?;
        options.ego_motion = EgoMotionSpec::new(ego_motion_source(self.ego_motion)?);
        options.frozen_check = match is_on("has_frozen_check", self.has_frozen_check)? {
            true => FrozenCheck::On,
            false => FrozenCheck::Off,
        };
        options.golden = match is_on("has_golden_check", self.has_golden_check)? {
            true => GoldenCheck::Run,
            false => GoldenCheck::Skip,
        };
        let from = span("stamp_correction_from_ns", self.stamp_correction_from_ns)?;
        options.stamp_correction = match is_on("has_stamp_correction", self.has_stamp_correction)? {
            true => StampCorrection::From(from),
            false => StampCorrection::Off,
        };
        options.set_tolerance = span("set_tolerance_ns", self.set_tolerance_ns)?;
        options.set_deadline = span("set_deadline_ns", self.set_deadline_ns)?;
        options.frame_deadline = span("frame_deadline_ns", self.frame_deadline_ns)?;
        Ok(options)
    }

    /// # Safety
    /// The texts are NULL or end with a zero byte.
    unsafe fn providers(&self) -> Result<Vec<Provider>, Failure> {
        let count = self.provider_count as usize;
        if !(1..=BEVRT_MAX_PROVIDERS).contains(&count) {
            return Err(out_of_range("provider_count", "1 to 4", count));
        }
        if self.device < 0 {
            return Err(out_of_range("device", "0 or more", self.device));
        }
        self.providers[..count]
            .iter()
            .map(|&provider| match provider {
                BEVRT_PROVIDER_CPU => Ok(Provider::Cpu),
                BEVRT_PROVIDER_CUDA => Ok(Provider::Cuda(CudaOptions {
                    device: self.device,
                    memory_limit: limit(self.cuda_memory_limit_bytes),
                    has_graphs: is_on("has_cuda_graphs", self.has_cuda_graphs)?,
                    has_tf32: is_on("has_tf32", self.has_tf32)?,
                })),
                // SAFETY: by the contract of this function.
                BEVRT_PROVIDER_TENSORRT => unsafe { self.tensorrt() }.map(Provider::TensorRt),
                // SAFETY: by the contract of this function.
                BEVRT_PROVIDER_PLUGIN => unsafe { self.plugin() }.map(Provider::Plugin),
                other => Err(out_of_range("providers", "a BEVRT_PROVIDER number", other)),
            })
            .collect()
    }

    /// # Safety
    /// The texts are NULL or end with a zero byte.
    unsafe fn tensorrt(&self) -> Result<TensorRtOptions, Failure> {
        // SAFETY: by the contract of this function.
        let engine_cache = unsafe { plain::text("engine_cache_path", self.engine_cache_path) }?;
        let engine_cache = engine_cache.map(path).ok_or_else(|| {
            Failure::new(
                Status::NullPointer,
                "engine_cache_path: expected the folder of built engines for TensorRT, found NULL",
            )
        })?;
        // SAFETY: as above.
        let timing_cache = unsafe { plain::text("timing_cache_path", self.timing_cache_path) }?;
        Ok(TensorRtOptions {
            device: self.device,
            has_fp16: is_on("tensorrt_fp16", self.tensorrt_fp16)?,
            has_int8: is_on("tensorrt_int8", self.tensorrt_int8)?,
            timing_cache: timing_cache.map(path),
            dla_core: is_on("has_dla", self.has_dla)?.then_some(self.dla_core),
            has_graphs: is_on("has_cuda_graphs", self.has_cuda_graphs)?,
            workspace_limit: limit(self.tensorrt_workspace_bytes),
            ..TensorRtOptions::new(engine_cache)
        })
    }

    /// # Safety
    /// The texts are NULL or end with a zero byte.
    unsafe fn plugin(&self) -> Result<PluginOptions, Failure> {
        let required = |field: &'static str, from| {
            // SAFETY: by the contract of this function.
            let text = unsafe { plain::text(field, from) }?;
            text.ok_or_else(|| {
                let message =
                    format!("{field}: expected it with BEVRT_PROVIDER_PLUGIN, found NULL");
                Failure::new(Status::NullPointer, message)
            })
        };
        let library = path(required("plugin_path", self.plugin_path)?);
        let name = required("plugin_name", self.plugin_name)?.to_string_lossy();
        // SAFETY: as above.
        let options = unsafe { plain::text("plugin_options", self.plugin_options) }?;
        let options = options.unwrap_or_default().to_string_lossy();
        PluginOptions::from_text(library, name, &options)
            .map_err(|error| Failure::new(Status::InvalidArgument, error.to_string()))
    }
}

fn limit(bytes: u64) -> Option<u64> {
    (bytes != 0).then_some(bytes)
}

/// Cores as text and a real-time priority, each with the name of its field.
///
/// # Errors
/// [`Status::InvalidArgument`].
///
/// # Safety
/// The text is NULL or ends with a zero byte.
pub unsafe fn thread_settings(
    (cores_field, cores): (&str, *const c_char),
    (priority_field, priority): (&str, u32),
) -> Result<ThreadSettings, Failure> {
    // SAFETY: by the contract of this function.
    let text = unsafe { plain::text(cores_field, cores) }?;
    let text = text.unwrap_or_default().to_string_lossy();
    let cores = ThreadSettings::cores_from_text(&text).map_err(|error| {
        Failure::new(Status::InvalidArgument, format!("{cores_field}: {error}"))
    })?;
    let priority = match u8::try_from(priority) {
        Ok(0) => ThreadPriority::Inherited,
        Ok(priority @ 1..=99) => ThreadPriority::RealTime(priority),
        Ok(_) | Err(_) => return Err(out_of_range(priority_field, "0 to 99", priority)),
    };
    Ok(ThreadSettings { cores, priority })
}

impl CalibrationSource {
    /// The rig.
    ///
    /// # Errors
    /// Names file, camera and field.
    ///
    /// # Safety
    /// The texts are NULL or end with a zero byte.
    pub unsafe fn rig(&self) -> Result<Rig, Failure> {
        // SAFETY: by the contract of this function.
        let (file, toml) = unsafe {
            (
                plain::text("rig_path", self.rig_path)?,
                plain::text("rig_text", self.rig_text)?,
            )
        };
        match (file, toml) {
            (Some(file), None) => Ok(Rig::from_toml_file(path(file))?),
            (None, Some(toml)) => {
                let toml = toml.to_str().map_err(|error| {
                    let message = format!("rig_text: expected UTF-8, found: {error}");
                    Failure::new(Status::Calibration, message)
                })?;
                Ok(Rig::from_toml_str(toml)?)
            }
            (None, None) => Err(Failure::new(
                Status::NullPointer,
                "rig_path, rig_text: expected one of both, found none",
            )),
            (Some(_), Some(_)) => Err(Failure::new(
                Status::InvalidArgument,
                "rig_path, rig_text: expected one of both, found both",
            )),
        }
    }
}

fn path(text: &CStr) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(text.to_bytes()))
}

fn precision(name: &CStr) -> Result<Precision, Failure> {
    let name = name.to_string_lossy();
    Precision::from_name(&name).ok_or_else(|| {
        let expected = Precision::ALL.map(Precision::as_str).join(", ");
        out_of_range("precision", &format!("one of {expected}"), name)
    })
}

fn trusted_keys(text: &CStr) -> Result<Vec<PackageKey>, Failure> {
    let text = text.to_string_lossy();
    let keys: Vec<PackageKey> = text
        .split_ascii_whitespace()
        .map(|key| key.parse())
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::new(Status::InvalidArgument, format!("trusted_keys: {error}")))?;
    if keys.is_empty() {
        return Err(out_of_range("trusted_keys", "at least one key", "none"));
    }
    Ok(keys)
}

fn ego_motion_source(number: i32) -> Result<EgoMotionSource, Failure> {
    match number {
        BEVRT_EGO_MOTION_POSES => Ok(EgoMotionSource::Poses),
        BEVRT_EGO_MOTION_RATES => Ok(EgoMotionSource::Rates),
        other => Err(out_of_range("ego_motion", "0 (poses) or 1 (rates)", other)),
    }
}

/// A field that is yes or no.
///
/// # Errors
/// [`Status::InvalidArgument`] for anything but 0 and 1.
pub fn is_on(field: &str, number: i32) -> Result<bool, Failure> {
    match number {
        BEVRT_OFF => Ok(false),
        BEVRT_ON => Ok(true),
        other => Err(out_of_range(field, "0 or 1", other)),
    }
}

fn span(field: &str, nanoseconds: i64) -> Result<Span, Failure> {
    /// A day: whoever waits longer has mistaken the unit.
    const LONGEST_NS: i64 = 86_400_000_000_000;
    match nanoseconds {
        0..=LONGEST_NS => Ok(Span::from_nanoseconds(nanoseconds)),
        other => Err(out_of_range(field, "0 ns to a day", other)),
    }
}

/// A number that is none of those that are allowed.
pub fn out_of_range(field: &str, expected: &str, found: impl std::fmt::Display) -> Failure {
    let text = format!("{field}: expected {expected}, found {found}");
    Failure::new(Status::InvalidArgument, text)
}
