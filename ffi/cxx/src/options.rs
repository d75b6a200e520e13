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
    }
}

/// What the runtime makes of them.
///
/// # Errors
/// As `PipelineSettings::options`.
pub fn runtime_options(options: &PipelineOptions) -> Result<RuntimeOptions, Failure> {
    let trusted_keys = options.trusted_keys.join(" ");
    let texts = [
        ("package_path", &options.package_path),
        ("rig_path", &options.rig_path),
        ("rig_text", &options.rig_text),
        ("onnxruntime_path", &options.onnxruntime_path),
        ("precision", &options.precision),
        ("engine_cache_path", &options.engine_cache_path),
    ];
    let texts = texts.map(|(field, text)| c_text(field, text));
    let [
        package_path,
        rig_path,
        rig_text,
        onnxruntime_path,
        precision,
        engine_cache_path,
    ] = texts;
    let (package_path, rig_path, rig_text) = (package_path?, rig_path?, rig_text?);
    let (onnxruntime_path, precision) = (onnxruntime_path?, precision?);
    let engine_cache_path = engine_cache_path?;
    // A list with empty keys asks for a signature, too, and is refused as such.
    let trusted_keys = match options.trusted_keys.is_empty() {
        true => None,
        false => Some(CString::new(trusted_keys).map_err(|_| zero_byte("trusted_keys"))?),
    };

    let mut settings = PipelineSettings::defaults();
    let room = settings.providers.len();
    if options.providers.len() > room {
        let (field, found) = ("providers", options.providers.len());
        let text = format!("{field}: expected 1 to {room}, found {found}");
        return Err(Failure::new(Status::InvalidArgument, text));
    }
    settings.providers[..options.providers.len()].copy_from_slice(&options.providers);
    let settings = PipelineSettings {
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
        ..settings
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
