//! A worker whose network runs on a thread of its own does what one without does.

#[path = "tools/required.rs"]
mod required;

use std::ffi::{CString, c_void};
use std::path::Path;
use std::sync::Mutex;

use bevrt::pipeline::{
    PipelineHandle, bevrt_pipeline_create, bevrt_pipeline_destroy, bevrt_pipeline_options_default,
    bevrt_pipeline_reset,
};
use bevrt::worker::{
    WorkerHandle, WorkerSettings, bevrt_worker_create, bevrt_worker_destroy, bevrt_worker_flush,
    bevrt_worker_options_default, bevrt_worker_push_image, bevrt_worker_push_rates,
    bevrt_worker_tick,
};
use bevrt::{EgoRatesSample, ImageBuffer, ImagePlane, PipelineSettings, Status};
use bevrt_runtime::OutputFrame;

const MINUTE_NS: i64 = 60_000_000_000;
const OK: i32 = Status::Ok as i32;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/tests/fixtures/reduced")
}

fn text(path: &Path) -> CString {
    CString::new(path.to_str().expect("a plain path")).expect("no zero in it")
}

fn pipeline() -> *mut PipelineHandle {
    let package = text(&folder());
    let rig = text(&folder().join("golden/case0/rig.toml"));
    // SAFETY: zeros are a value of plain numbers and addresses.
    let mut options: PipelineSettings = unsafe { std::mem::zeroed() };
    let mut pipeline = std::ptr::null_mut();
    // SAFETY: the struct is as large as it is said to be.
    let filled = unsafe { bevrt_pipeline_options_default(&raw mut options, size_of_val(&options)) };
    assert_eq!(filled, OK);
    options.package_path = package.as_ptr();
    options.rig_path = rig.as_ptr();
    options.ego_motion = 1;
    options.has_golden_check = 0;
    // SAFETY: the texts live, and the place for the handle does.
    let created = unsafe { bevrt_pipeline_create(&raw const options, &raw mut pipeline) };
    assert_eq!(created, OK);
    pipeline
}

/// What the callbacks saw.
#[derive(Default)]
struct Seen {
    frames: Mutex<Vec<u8>>,
    released: Mutex<Vec<i32>>,
}

unsafe extern "C" fn on_frame(user_data: *mut c_void, status: i32, frame: *const OutputFrame) {
    assert_eq!(status, OK);
    // SAFETY: it is the `Seen` of the test, which outlives the worker.
    let seen = unsafe { &*user_data.cast::<Seen>() };
    // SAFETY: with OK there is a frame, valid during the call.
    let frame = unsafe { &*frame };
    let mut frames = seen.frames.lock().expect("nobody panicked");
    frames.extend_from_slice(frame.as_frame_bytes());
}

unsafe extern "C" fn on_release(user_data: *mut c_void, status: i32) {
    // SAFETY: it is the `Seen` of the test, which outlives the worker.
    let seen = unsafe { &*user_data.cast::<Seen>() };
    seen.released.lock().expect("nobody panicked").push(status);
}

fn options(seen: &Seen) -> WorkerSettings {
    // SAFETY: zeros are a value of plain numbers and addresses, no callbacks.
    let mut options: WorkerSettings = unsafe { std::mem::zeroed() };
    // SAFETY: the struct is as large as it is said to be.
    let filled = unsafe { bevrt_worker_options_default(&raw mut options, size_of_val(&options)) };
    assert_eq!(filled, OK);
    options.queue_capacity = 4096;
    options.frame_callback = Some(on_frame);
    options.frame_user_data = std::ptr::from_ref(seen).cast_mut().cast();
    options
}

fn start(pipeline: *mut PipelineHandle, options: &WorkerSettings) -> *mut WorkerHandle {
    let mut worker = std::ptr::null_mut();
    // SAFETY: the options and the place for the handle live.
    let created =
        unsafe { bevrt_worker_create(pipeline, std::ptr::from_ref(options), &raw mut worker) };
    assert_eq!(created, OK);
    worker
}

const SETS: i64 = 25;

/// Sets of two cameras at 10 Hz with rates between them; each sixth lacks the back camera.
fn drive(worker: *mut WorkerHandle, seen: &Seen, pictures: &[Vec<u8>]) -> usize {
    let mut images = 0;
    for set in 0..SETS {
        for camera in 0..2 {
            let rates = EgoRatesSample {
                struct_size: size_of::<EgoRatesSample>() as u32,
                reserved: 0,
                stamp_ns: set * 100_000_000 + i64::from(camera) * 30_000_000,
                arrival_ns: set * 100_000_000 + i64::from(camera) * 30_000_000 + 5_000_000,
                speed_mps: 8.0,
                yaw_rate_radps: 0.1,
            };
            // SAFETY: the struct is as large as it says.
            let pushed = unsafe { bevrt_worker_push_rates(worker, &raw const rates) };
            assert_eq!(pushed, OK);
            if camera == 1 && set % 6 == 5 {
                continue;
            }
            let bytes = &pictures[(2 * set as usize + camera as usize) % pictures.len()];
            let image = ImageBuffer {
                struct_size: size_of::<ImageBuffer>() as u32,
                camera: camera as u32,
                pixel_format: bevrt::constants::BEVRT_PIXEL_FORMAT_RGB,
                colour_matrix: 0,
                colour_range: 0,
                memory_type: 0,
                width_px: 32,
                height_px: 16,
                plane_count: 1,
                reserved: 0,
                planes: [ImagePlane {
                    data: bytes.as_ptr(),
                    size_bytes: bytes.len() as u64,
                    stride_bytes: 96,
                }; 2],
                stamp_ns: set * 100_000_000 + i64::from(camera) * 10_000_000,
                arrival_ns: set * 100_000_000 + i64::from(camera) * 30_000_000 + 10_000_000,
            };
            let user_data = std::ptr::from_ref(seen).cast_mut().cast();
            // SAFETY: the planes outlive the worker, and so does what the callback is given.
            let pushed = unsafe {
                bevrt_worker_push_image(worker, &raw const image, Some(on_release), user_data)
            };
            assert_eq!(pushed, OK);
            images += 1;
        }
    }
    images
}

fn frames_of(change: impl FnOnce(&mut WorkerSettings)) -> Vec<u8> {
    let pipeline = pipeline();
    let seen = Seen::default();
    let pictures: Vec<Vec<u8>> = (0..14)
        .map(|k| (0..32 * 16 * 3).map(|at| (at * 7 + k * 37) as u8).collect())
        .collect();
    let mut options = options(&seen);
    change(&mut options);
    let worker = start(pipeline, &options);
    let images = drive(worker, &seen, &pictures);
    assert_eq!(bevrt_worker_flush(worker, MINUTE_NS), OK);
    let released = seen.released.lock().expect("nobody panicked").clone();
    assert_eq!(
        released,
        vec![OK; images],
        "each image once, before the flush ends"
    );
    let frames = seen.frames.lock().expect("nobody panicked").clone();
    assert_eq!(bevrt_worker_destroy(worker), OK);
    assert_eq!(bevrt_pipeline_destroy(pipeline), OK);
    frames
}

fn has_onnx_runtime() -> bool {
    required::onnx_runtime().is_some()
}

#[test]
fn a_worker_with_overlap_gives_the_bytes_of_one_without() {
    if !has_onnx_runtime() {
        return;
    }
    let without = frames_of(|options| options.has_overlap = 0);
    let sets = without.len() / size_of::<OutputFrame>();
    assert!(sets >= SETS as usize - 1, "{sets} frames");
    assert!(frames_of(|options| options.has_overlap = 1) == without);
    // A caller whose header ends before the new options.
    let older = frames_of(|options| {
        options.struct_size = 40;
        options.has_overlap = 77;
    });
    assert!(older == without);
}

#[test]
fn a_reset_while_the_network_runs_loses_no_frame() {
    if !has_onnx_runtime() {
        return;
    }
    let pipeline = pipeline();
    let seen = Seen::default();
    let pictures: Vec<Vec<u8>> = (0..14)
        .map(|k| (0..32 * 16 * 3).map(|at| (at * 7 + k * 37) as u8).collect())
        .collect();
    let worker = start(pipeline, &options(&seen));
    let mut images = 0;
    for _ in 0..10 {
        images += drive(worker, &seen, &pictures);
        assert_eq!(bevrt_pipeline_reset(pipeline), OK);
        assert_eq!(bevrt_worker_flush(worker, MINUTE_NS), OK);
    }
    assert_eq!(seen.released.lock().expect("nobody panicked").len(), images);
    assert_eq!(bevrt_worker_destroy(worker), OK);
    assert_eq!(bevrt_pipeline_destroy(pipeline), OK);
    let frames = seen.frames.lock().expect("nobody panicked");
    assert_eq!(frames.len() % size_of::<OutputFrame>(), 0);
    assert!(frames.len() / size_of::<OutputFrame>() >= 10 * (SETS as usize - 4));
}

#[test]
fn a_set_without_an_image_is_delivered_at_once() {
    if !has_onnx_runtime() {
        return;
    }
    let pipeline = pipeline();
    let seen = Seen::default();
    let worker = start(pipeline, &options(&seen));
    // Nothing came for a second: a fault comes out, and no network runs.
    for now_ns in [0, 1_000_000_000] {
        assert_eq!(bevrt_worker_tick(worker, now_ns), OK);
    }
    assert_eq!(bevrt_worker_flush(worker, MINUTE_NS), OK);
    let frames = seen.frames.lock().expect("nobody panicked").len();
    assert_eq!(frames, size_of::<OutputFrame>());
    assert_eq!(bevrt_worker_destroy(worker), OK);
    assert_eq!(bevrt_pipeline_destroy(pipeline), OK);
}

#[test]
fn the_threads_of_a_worker_have_names_and_end_with_it() {
    if !has_onnx_runtime() {
        return;
    }
    let count = |name: &str| {
        let tasks = std::fs::read_dir("/proc/self/task").expect("Linux tells");
        tasks
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
            .filter(|found| found.trim() == name)
            .count()
    };
    let pipeline = pipeline();
    let seen = Seen::default();
    let worker = start(pipeline, &options(&seen));
    assert!(count("bevrt-worker") >= 1);
    assert!(count("bevrt-network") >= 1);
    assert_eq!(bevrt_worker_destroy(worker), OK);
    assert_eq!(bevrt_pipeline_destroy(pipeline), OK);
}
