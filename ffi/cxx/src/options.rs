//! Options from C++, as the C ABI checks them.

use std::ffi::{CString, c_char};

use bevrt::{Failure, PipelineSettings, Status};
use bevrt_runtime::PipelineOptions as RuntimeOptions;

use crate::bridge::PipelineOptions;

/// The defaults of the C ABI.
pub fn default_options() -> PipelineOptions {
    let settings = PipelineSettings::defaults();
    let is_on = |number: i32| number != 0;
    PipelineOptions {
        package_path: String::new(),
        rig_path: String::new(),
        rig_text: String::new(),
        onnxruntime_path: String::new(),
        precision: String::new(),
        engine_cache_path: String::new(),
        trusted_keys: Vec::new(),
        providers: settings.providers[..settings.provider_count as usize].to_vec(),
        device: settings.device,
        tensorrt_fp16: is_on(settings.tensorrt_fp16),
        has_fallback: is_on(settings.has_fallback),
        intra_op_threads: settings.intra_op_threads,
        has_spinning: is_on(settings.has_spinning),
        warm_up_runs: settings.warm_up_runs,
        ego_motion: settings.ego_motion,
        has_frozen_check: is_on(settings.has_frozen_check),
        has_golden_check: is_on(settings.has_golden_check),
        has_stamp_correction: is_on(settings.has_stamp_correction),
        stamp_correction_from_ns: settings.stamp_correction_from_ns,
        set_tolerance_ns: settings.set_tolerance_ns,
        set_deadline_ns: settings.set_deadline_ns,
        frame_deadline_ns: settings.frame_deadline_ns,
        pool_cores: String::new(),
        pool_priority: settings.pool_priority,
        timing_cache_path: String::new(),
        plugin_path: String::new(),
        plugin_name: String::new(),
        plugin_options: String::new(),
        cuda_memory_limit_bytes: settings.cuda_memory_limit_bytes,
        tensorrt_workspace_bytes: settings.tensorrt_workspace_bytes,
        tensorrt_int8: is_on(settings.tensorrt_int8),
        has_dla: is_on(settings.has_dla),
        dla_core: settings.dla_core,
        has_cuda_graphs: is_on(settings.has_cuda_graphs),
        has_tf32: is_on(settings.has_tf32),
    }
}

/// What the runtime makes of them.
///
/// # Errors
/// As `PipelineSettings::options`.
pub fn runtime_options(options: &PipelineOptions) -> Result<RuntimeOptions, Failure> {
    let package_path = c_text("package_path", &options.package_path)?;
    let rig_path = c_text("rig_path", &options.rig_path)?;
    let rig_text = c_text("rig_text", &options.rig_text)?;
    let onnxruntime_path = c_text("onnxruntime_path", &options.onnxruntime_path)?;
    let precision = c_text("precision", &options.precision)?;
    let engine_cache_path = c_text("engine_cache_path", &options.engine_cache_path)?;
    let pool_cores = c_text("pool_cores", &options.pool_cores)?;
    let timing_cache_path = c_text("timing_cache_path", &options.timing_cache_path)?;
    let plugin_path = c_text("plugin_path", &options.plugin_path)?;
    let plugin_name = c_text("plugin_name", &options.plugin_name)?;
    let plugin_options = c_text("plugin_options", &options.plugin_options)?;
    // A list with empty keys asks for a signature, too, and is refused as such.
    let trusted_keys = match options.trusted_keys.is_empty() {
        true => None,
        false => Some(
            CString::new(options.trusted_keys.join(" ")).map_err(|_| zero_byte("trusted_keys"))?,
        ),
    };

    let mut providers = PipelineSettings::defaults().providers;
    let room = providers.len();
    if options.providers.len() > room {
        let (field, found) = ("providers", options.providers.len());
        let text = format!("{field}: expected 1 to {room}, found {found}");
        return Err(Failure::new(Status::InvalidArgument, text));
    }
    providers[..options.providers.len()].copy_from_slice(&options.providers);
    // Every field is named, so that none of a later version is forgotten here.
    let settings = PipelineSettings {
        struct_size: size_of::<PipelineSettings>() as u32,
        providers,
        provider_count: options.providers.len() as u32,
        package_path: address(package_path.as_ref()),
        rig_path: address(rig_path.as_ref()),
        rig_text: address(rig_text.as_ref()),
        onnxruntime_path: address(onnxruntime_path.as_ref()),
        precision: address(precision.as_ref()),
        engine_cache_path: address(engine_cache_path.as_ref()),
        trusted_keys: address(trusted_keys.as_ref()),
        device: options.device,
        tensorrt_fp16: options.tensorrt_fp16.into(),
        has_fallback: options.has_fallback.into(),
        intra_op_threads: options.intra_op_threads,
        has_spinning: options.has_spinning.into(),
        warm_up_runs: options.warm_up_runs,
        ego_motion: options.ego_motion,
        has_frozen_check: options.has_frozen_check.into(),
        has_golden_check: options.has_golden_check.into(),
        has_stamp_correction: options.has_stamp_correction.into(),
        stamp_correction_from_ns: options.stamp_correction_from_ns,
        set_tolerance_ns: options.set_tolerance_ns,
        set_deadline_ns: options.set_deadline_ns,
        frame_deadline_ns: options.frame_deadline_ns,
        pool_cores: address(pool_cores.as_ref()),
        pool_priority: options.pool_priority,
        timing_cache_path: address(timing_cache_path.as_ref()),
        plugin_path: address(plugin_path.as_ref()),
        plugin_name: address(plugin_name.as_ref()),
        plugin_options: address(plugin_options.as_ref()),
        cuda_memory_limit_bytes: options.cuda_memory_limit_bytes,
        tensorrt_workspace_bytes: options.tensorrt_workspace_bytes,
        tensorrt_int8: options.tensorrt_int8.into(),
        has_dla: options.has_dla.into(),
        dla_core: options.dla_core,
        has_cuda_graphs: options.has_cuda_graphs.into(),
        has_tf32: options.has_tf32.into(),
    };
    // SAFETY: the texts above end with zero and live until the end of this function.
    unsafe { settings.options() }
}

/// A text with its zero; an empty one is none.
fn c_text(field: &str, text: &str) -> Result<Option<CString>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    CString::new(text).map(Some).map_err(|_| zero_byte(field))
}

fn zero_byte(field: &str) -> Failure {
    let text = format!("{field}: expected text without a zero byte, found one");
    Failure::new(Status::InvalidArgument, text)
}

fn address(text: Option<&CString>) -> *const c_char {
    text.map_or(std::ptr::null(), |text| text.as_ptr())
}
