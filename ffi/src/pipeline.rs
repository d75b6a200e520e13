//! Pipelines: made, fed, stepped and asked by hand.
//!
//! Every function may be called from any thread. Calls on one pipeline follow each other; one that
//! comes while another runs waits for it.

use bevrt_runtime::{FrameHealth, OutputFrame, Pipeline, Stamp};

use crate::frame;
use crate::guard::{self, guarded};
use crate::handles::Table;
use crate::image::{EgoPoseSample, EgoRatesSample, ImageBuffer};
use crate::info::{CameraInfo, PipelineInfo, StageStatistics};
use crate::instance::Instance;
use crate::plain;
use crate::settings::{CalibrationSource, PipelineSettings, is_on};
use crate::status::Failure;

/// A pipeline. The pointer is a key, not an address: a wrong one is refused.
#[derive(Debug)]
pub struct PipelineHandle {
    _opaque: [u8; 0],
}

static PIPELINES: Table<Instance> = Table::new(0x50);

/// The table entry behind a handle.
///
/// # Errors
/// [`Status::NullPointer`](crate::Status), [`Status::InvalidHandle`](crate::Status).
pub(crate) fn entry(
    pipeline: *const PipelineHandle,
) -> Result<std::sync::Arc<crate::handles::Entry<Instance>>, Failure> {
    PIPELINES.get(pipeline.addr())
}

/// Gives a pipeline out as a handle.
///
/// # Errors
/// [`Status::TooManyHandles`](crate::Status).
pub(crate) fn register(instance: Instance) -> Result<*mut PipelineHandle, Failure> {
    let key = PIPELINES.insert(instance)?;
    Ok(std::ptr::without_provenance_mut(key))
}

/// Runs a call on the pipeline behind a handle.
fn on(
    pipeline: *const PipelineHandle,
    call: impl FnOnce(&mut Instance) -> Result<(), Failure>,
) -> i32 {
    guarded(|| entry(pipeline)?.with(call))
}

/// Fills `options` with the defaults; writes no more than `options_size` bytes.
///
/// Status: OK, NULL_POINTER, MISALIGNED, STRUCT_SIZE.
///
/// # Safety
/// `options` is NULL or points to `options_size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_pipeline_options_default(
    options: *mut PipelineSettings,
    options_size: usize,
) -> i32 {
    // SAFETY: by the contract of this function.
    guarded(|| unsafe { plain::write(options, options_size, &PipelineSettings::defaults()) })
}

/// Opens a model package and makes a pipeline: loads the network, checks all of it, runs the golden
/// cases, warms up. Takes seconds. Destroy it with `bevrt_pipeline_destroy`.
///
/// Status: OK, PACKAGE, SIGNATURE_MISSING, SIGNATURE_WRONG, SIGNATURE_UNKNOWN_KEY, CALIBRATION,
/// ENGINE_LOAD, GOLDEN, OPTION, INVALID_ARGUMENT, NULL_POINTER, STRUCT_SIZE, MISALIGNED,
/// TOO_MANY_HANDLES, IN_CALLBACK. `bevrt_error_text` names file, field,
/// what was expected and what was found. On failure `pipeline` is untouched.
///
/// # Safety
/// `options` is NULL or points to `struct_size` readable bytes whose texts end with zero;
/// `pipeline` is NULL or points to a writable pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_pipeline_create(
    options: *const PipelineSettings,
    pipeline: *mut *mut PipelineHandle,
) -> i32 {
    guarded(|| {
        guard::not_in_callback()?;
        plain::check(pipeline)?;
        // SAFETY: by the contract of this function.
        let options = unsafe { plain::read(options)?.options()? };
        let handle = register(Instance::new(Pipeline::new(options)?))?;
        // SAFETY: by the contract of this function.
        unsafe { plain::put(pipeline, handle) }
    })
}

/// Destroys a pipeline. NULL is nothing to do. Waits for a call on it that is under way.
///
/// Status: OK; INVALID_HANDLE when it is destroyed already; WORKER_ATTACHED, FRAME_BORROWED,
/// IN_CALLBACK: then it lives on.
#[unsafe(no_mangle)]
pub extern "C" fn bevrt_pipeline_destroy(pipeline: *mut PipelineHandle) -> i32 {
    guarded(|| {
        if pipeline.is_null() {
            return Ok(());
        }
        guard::not_in_callback()?;
        PIPELINES
            .remove(pipeline.addr(), Instance::may_be_destroyed)
            .map(drop)
    })
}

/// Takes an image. It is converted, cropped and scaled into the network's input at once: the caller
/// has its memory back when this returns.
///
/// Status: OK; IMAGE_… and UNKNOWN_CAMERA, CAMERA_DISABLED: the image is in no frame, the next
/// frame's health tells it, too; UNSUPPORTED (memory type), INVALID_ARGUMENT, NULL_POINTER,
/// STRUCT_SIZE, MISALIGNED; WORKER_ATTACHED, IN_CALLBACK, INVALID_HANDLE, POISONED.
///
/// # Safety
/// `image` is NULL or points to `struct_size` readable bytes; its planes are readable for their
/// sizes and are not written during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_pipeline_push_image(
    pipeline: *mut PipelineHandle,
    image: *const ImageBuffer,
) -> i32 {
    on(pipeline, |instance| {
        // SAFETY: by the contract of this function.
        let image = unsafe { plain::read(image) }?;
        // SAFETY: by the contract of this function.
        let view = unsafe { image.view() }?;
        instance.driven_by_hand()?.push_image(
            image.camera_index(),
            &view,
            image.stamp(),
            image.arrival(),
        )
    })
}

/// Takes a pose of the vehicle, for a pipeline made for `BEVRT_EGO_MOTION_POSES`.
///
/// Status: OK; MOTION_…: what is known stays as it was; INVALID_ARGUMENT (no unit quaternion),
/// NULL_POINTER, STRUCT_SIZE, MISALIGNED; WORKER_ATTACHED, IN_CALLBACK, INVALID_HANDLE, POISONED.
///
/// # Safety
/// `pose` is NULL or points to `struct_size` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_pipeline_push_pose(
    pipeline: *mut PipelineHandle,
    pose: *const EgoPoseSample,
) -> i32 {
    on(pipeline, |instance| {
        // SAFETY: by the contract of this function.
        let pose = unsafe { plain::read(pose) }?;
        instance.driven_by_hand()?.push_pose(
            Stamp::from_nanoseconds(pose.stamp_ns),
            &pose.odom_from_ego()?,
        )
    })
}

/// Takes speed and yaw rate, for a pipeline made for `BEVRT_EGO_MOTION_RATES`.
///
/// Status: as `bevrt_pipeline_push_pose`.
///
/// # Safety
/// `rates` is NULL or points to `struct_size` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_pipeline_push_rates(
    pipeline: *mut PipelineHandle,
    rates: *const EgoRatesSample,
) -> i32 {
    on(pipeline, |instance| {
        // SAFETY: by the contract of this function.
        let rates = unsafe { plain::read(rates) }?;
        instance.driven_by_hand()?.push_rates(
            Stamp::from_nanoseconds(rates.stamp_ns),
            rates.speed_mps,
            rates.yaw_rate_radps,
        )
    })
}

/// Makes the next frame if one is due at `now_ns`, and copies it into `frame`. Call it until it
/// says WAITING: more than one can be due.
///
/// Writes no more than `frame_size` bytes; the frame states its own size, that of the caller's
/// header or of the library's, whichever is smaller.
///
/// Status: OK; WAITING: `frame` is untouched; STRUCT_SIZE, NULL_POINTER, MISALIGNED;
/// FRAME_BORROWED, WORKER_ATTACHED, IN_CALLBACK, INVALID_HANDLE, POISONED; ENGINE.
///
/// # Safety
/// `frame` is NULL or points to `frame_size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_pipeline_step(
    pipeline: *mut PipelineHandle,
    now_ns: i64,
    frame: *mut OutputFrame,
    frame_size: usize,
) -> i32 {
    on(pipeline, |instance| {
        frame::check(frame, frame_size)?;
        let made = instance
            .driven_by_hand()?
            .step(Stamp::from_nanoseconds(now_ns))?;
        // SAFETY: by the contract of this function.
        unsafe { frame::write(frame, frame_size, made) }
    })
}

/// As `bevrt_pipeline_step`, without a copy: `frame` points into the pipeline until it is given back
/// by `bevrt_pipeline_return_frame`. Until then the pipeline takes images and motion, but neither
/// steps nor can be destroyed.
///
/// Status: as `bevrt_pipeline_step`.
///
/// # Safety
/// `frame` is NULL or points to a writable pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_pipeline_step_borrow(
    pipeline: *mut PipelineHandle,
    now_ns: i64,
    frame: *mut *const OutputFrame,
) -> i32 {
    on(pipeline, |instance| {
        plain::check(frame)?;
        let lent = instance
            .driven_by_hand()?
            .step_and_lend(Stamp::from_nanoseconds(now_ns))?;
        // SAFETY: by the contract of this function.
        unsafe { plain::put(frame, lent) }
    })
}

/// Gives a borrowed frame back; it must not be read any more.
///
/// Status: OK, NOT_BORROWED, IN_CALLBACK, INVALID_HANDLE, POISONED.
#[unsafe(no_mangle)]
pub extern "C" fn bevrt_pipeline_return_frame(
    pipeline: *mut PipelineHandle,
    frame: *const OutputFrame,
) -> i32 {
    on(pipeline, |instance| instance.take_back(frame))
}

/// Takes a new calibration of the same cameras, in force from the next frame on. History stays.
/// Works beside a worker, too. Allocates: not for every frame.
///
/// Status: OK, CALIBRATION, OPTION: the old one stays in force; NULL_POINTER, INVALID_ARGUMENT,
/// STRUCT_SIZE, MISALIGNED; IN_CALLBACK, INVALID_HANDLE, POISONED.
///
/// # Safety
/// `calibration` is NULL or points to `struct_size` readable bytes whose texts end with zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_pipeline_set_calibration(
    pipeline: *mut PipelineHandle,
    calibration: *const CalibrationSource,
) -> i32 {
    on(pipeline, |instance| {
        // SAFETY: by the contract of this function.
        let rig = unsafe { plain::read(calibration)?.rig() }?;
        instance.set_calibration(rig)
    })
}

/// Leaves a camera out (0) or takes it in again (1), from the next frame on.
///
/// Status: OK, UNKNOWN_CAMERA, INVALID_ARGUMENT, IN_CALLBACK, INVALID_HANDLE, POISONED.
#[unsafe(no_mangle)]
pub extern "C" fn bevrt_pipeline_set_camera_enabled(
    pipeline: *mut PipelineHandle,
    camera: u32,
    is_enabled: i32,
) -> i32 {
    on(pipeline, |instance| {
        instance.set_camera_enabled(camera as usize, is_on("is_enabled", is_enabled)?)
    })
}

/// Forgets images, motion, history, tracks and counts, as before a seek in a log. Disabled cameras
/// and measured times stay.
///
/// Status: OK, IN_CALLBACK, INVALID_HANDLE, POISONED.
#[unsafe(no_mangle)]
pub extern "C" fn bevrt_pipeline_reset(pipeline: *mut PipelineHandle) -> i32 {
    on(pipeline, |instance| {
        instance.reset();
        Ok(())
    })
}

/// Copies the health of the last frame; all zero before the first.
///
/// Status: OK, STRUCT_SIZE, NULL_POINTER, MISALIGNED, IN_CALLBACK, INVALID_HANDLE, POISONED.
///
/// # Safety
/// `health` is NULL or points to `health_size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_pipeline_health(
    pipeline: *mut PipelineHandle,
    health: *mut FrameHealth,
    health_size: usize,
) -> i32 {
    on(pipeline, |instance| {
        // SAFETY: by the contract of this function.
        unsafe { frame::write_health(health, health_size, &instance.last_frame().health) }
    })
}

/// Measured times of a stage, `BEVRT_STAGE_`….
///
/// Status: OK, INVALID_ARGUMENT, STRUCT_SIZE, NULL_POINTER, MISALIGNED, IN_CALLBACK,
/// INVALID_HANDLE, POISONED.
///
/// # Safety
/// `statistics` is NULL or points to `statistics_size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_pipeline_statistics(
    pipeline: *mut PipelineHandle,
    stage: i32,
    statistics: *mut StageStatistics,
    statistics_size: usize,
) -> i32 {
    on(pipeline, |instance| {
        // SAFETY: by the contract of this function.
        unsafe { plain::write(statistics, statistics_size, &instance.statistics(stage)?) }
    })
}

/// Forgets the measured times, so that a measurement can leave out what came before.
///
/// Status: OK, IN_CALLBACK, INVALID_HANDLE, POISONED.
#[unsafe(no_mangle)]
pub extern "C" fn bevrt_pipeline_reset_statistics(pipeline: *mut PipelineHandle) -> i32 {
    on(pipeline, |instance| {
        instance.reset_statistics();
        Ok(())
    })
}

/// What the pipeline is made of.
///
/// Status: OK, STRUCT_SIZE, NULL_POINTER, MISALIGNED, IN_CALLBACK, INVALID_HANDLE, POISONED.
///
/// # Safety
/// `info` is NULL or points to `info_size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_pipeline_info(
    pipeline: *mut PipelineHandle,
    info: *mut PipelineInfo,
    info_size: usize,
) -> i32 {
    on(pipeline, |instance| {
        // SAFETY: by the contract of this function.
        unsafe { plain::write(info, info_size, &instance.info()) }
    })
}

/// A camera of the rig, by its index.
///
/// Status: OK, UNKNOWN_CAMERA, STRUCT_SIZE, NULL_POINTER, MISALIGNED, IN_CALLBACK, INVALID_HANDLE,
/// POISONED.
///
/// # Safety
/// `info` is NULL or points to `info_size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_pipeline_camera_info(
    pipeline: *mut PipelineHandle,
    camera: u32,
    info: *mut CameraInfo,
    info_size: usize,
) -> i32 {
    on(pipeline, |instance| {
        // SAFETY: by the contract of this function.
        unsafe { plain::write(info, info_size, &instance.camera_info(camera as usize)?) }
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bevrt_runtime::{
        Engine, EngineError, EngineOptions, GoldenCheck, ImageSet, InputRole, MapRing,
        NetworkInterface, OnnxRuntime, OnnxRuntimeLibrary, OutputRole, Package, PipelineOptions,
        PixelFormat, Provider,
    };

    use super::*;
    use crate::status::Status;

    /// An engine that does not run as it should.
    struct Broken {
        engine: OnnxRuntime,
        run: fn() -> Result<(), EngineError>,
    }

    impl Engine for Broken {
        fn interface(&self) -> &NetworkInterface {
            self.engine.interface()
        }

        fn provider(&self) -> &Provider {
            self.engine.provider()
        }

        fn images_mut(&mut self, set: ImageSet) -> &mut [f32] {
            self.engine.images_mut(set)
        }

        fn input_mut(&mut self, role: InputRole) -> Result<&mut [f32], EngineError> {
            self.engine.input_mut(role)
        }

        fn index_mut(&mut self, role: InputRole) -> Result<&mut [i32], EngineError> {
            self.engine.index_mut(role)
        }

        fn map_ring(&mut self) -> Option<&mut dyn MapRing> {
            self.engine.map_ring()
        }

        fn run(&mut self, _images: ImageSet) -> Result<(), EngineError> {
            (self.run)()
        }

        fn output(&self, role: OutputRole) -> Result<&[f32], EngineError> {
            self.engine.output(role)
        }

        fn last_failure(&self) -> Option<&str> {
            self.engine.last_failure()
        }
    }

    /// A pipeline of the small package that takes RGB alone, with an engine that runs like this;
    /// `None` without ONNX Runtime.
    fn pipeline(run: fn() -> Result<(), EngineError>) -> Option<*mut PipelineHandle> {
        if let Err(error) = OnnxRuntimeLibrary::load(None) {
            let is_required = std::env::var_os("BEVRT_REQUIRE_TOOLS").is_some();
            assert!(!is_required, "BEVRT_REQUIRE_TOOLS: {error}");
            println!("SKIPPED: {error}");
            return None;
        }
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/tests/fixtures/reduced");
        let rig = bevrt_calibration::Rig::from_toml_file(folder.join("golden/case0/rig.toml"))
            .expect("the fixture is sound");
        let package = Package::open(&folder).expect("the fixture is sound");
        let manifest = package.manifest();
        let network = package
            .read_network(&manifest.networks()[0])
            .expect("the fixture is sound");
        let interface = NetworkInterface::new(manifest, rig.cameras().len());
        let engine = OnnxRuntime::load(&network, interface, &EngineOptions::default())
            .expect("the fixture loads");
        let mut options = PipelineOptions::new(&folder, rig);
        options.golden = GoldenCheck::Skip;
        options.image_formats = vec![PixelFormat::Rgb];
        let engine = Box::new(Broken { engine, run });
        let pipeline = Pipeline::with_engine(manifest.clone(), engine, options)
            .expect("the engine offers what the manifest demands");
        Some(register(Instance::new(pipeline)).expect("there is room"))
    }

    /// An RGB picture of the front camera.
    const WIDTH: u32 = 32;
    const HEIGHT: u32 = 16;

    fn picture() -> Vec<u8> {
        (0..WIDTH * HEIGHT * 3).map(|at| (at % 251) as u8).collect()
    }

    fn image(pixels: &[u8], stamp_ns: i64) -> ImageBuffer {
        ImageBuffer {
            struct_size: size_of::<ImageBuffer>() as u32,
            camera: 0,
            pixel_format: crate::constants::BEVRT_PIXEL_FORMAT_RGB,
            colour_matrix: 0,
            colour_range: 0,
            memory_type: 0,
            width_px: WIDTH,
            height_px: HEIGHT,
            plane_count: 1,
            reserved: 0,
            planes: [crate::image::ImagePlane {
                data: pixels.as_ptr(),
                size_bytes: pixels.len() as u64,
                stride_bytes: u64::from(WIDTH) * 3,
            }; 2],
            stamp_ns,
            arrival_ns: stamp_ns + 20_000_000,
        }
    }

    fn push(handle: *mut PipelineHandle, image: &ImageBuffer) -> i32 {
        // SAFETY: the planes are as large as they are said to be.
        unsafe { bevrt_pipeline_push_image(handle, std::ptr::from_ref(image)) }
    }

    fn step(handle: *mut PipelineHandle, now_ns: i64) -> i32 {
        let mut frame = OutputFrame::boxed();
        // SAFETY: the frame is as large as it is said to be.
        unsafe { bevrt_pipeline_step(handle, now_ns, &raw mut *frame, size_of::<OutputFrame>()) }
    }

    #[test]
    fn a_panic_stays_inside_and_leaves_a_handle_that_can_only_be_destroyed() {
        let Some(handle) = pipeline(|| panic!("the engine has a bug")) else {
            return;
        };
        let pixels = picture();
        assert_eq!(push(handle, &image(&pixels, 1_000_000_000)), 0);
        assert_eq!(step(handle, 2_000_000_000), Status::Panic.number());
        crate::guard::with_error_text(|text| assert!(text.contains("has a bug"), "{text}"));
        assert_eq!(step(handle, 3_000_000_000), Status::Poisoned.number());
        let pushed = push(handle, &image(&pixels, 1_000_000_001));
        assert_eq!(pushed, Status::Poisoned.number());
        assert_eq!(bevrt_pipeline_destroy(handle), 0);
        assert_eq!(
            bevrt_pipeline_destroy(handle),
            Status::InvalidHandle.number()
        );
    }

    #[test]
    fn an_engine_that_lacks_a_tensor_gives_its_status() {
        let Some(handle) = pipeline(|| Err(EngineError::NoSuchTensor)) else {
            return;
        };
        let pixels = picture();
        assert_eq!(push(handle, &image(&pixels, 1_000_000_000)), 0);
        assert_eq!(step(handle, 2_000_000_000), Status::Engine.number());
        crate::guard::with_error_text(|text| assert!(text.contains("tensor"), "{text}"));
        // It is no panic: the handle is as good as before.
        assert_eq!(bevrt_pipeline_reset(handle), 0);
        assert_eq!(bevrt_pipeline_destroy(handle), 0);
    }

    #[test]
    fn an_image_of_a_format_that_was_not_provided_for_is_refused() {
        let Some(handle) = pipeline(|| Ok(())) else {
            return;
        };
        let pixels = picture();
        let mut grey = image(&pixels, 1_000_000_000);
        grey.pixel_format = crate::constants::BEVRT_PIXEL_FORMAT_GREY;
        assert_eq!(push(handle, &grey), Status::ImageFormat.number());
        assert_eq!(push(handle, &image(&pixels, 1_000_000_000)), 0);
        assert_eq!(bevrt_pipeline_destroy(handle), 0);
    }
}
