//! A caller who does as the bytes say.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use bevrt::Status;
use bevrt::library::{
    bevrt_abi_version, bevrt_error_text, bevrt_log_set_callback, bevrt_status_str,
    bevrt_version_str,
};
use bevrt::pipeline::*;
use bevrt::worker::*;
use bevrt_runtime::OutputFrame;

use super::callbacks::{LENT_IMAGES, logged, released, sound};
use super::memory::{filled, given};
use super::structs;
use crate::bytes::Bytes;

/// A pipeline is kept from one input to the next; it takes milliseconds to make.
static KEPT: Mutex<usize> = Mutex::new(0);

/// Pipelines of one input at most.
const MOST_PIPELINES: usize = 4;

/// Handles and memory of one input.
pub struct Caller {
    /// Living and destroyed ones.
    pipelines: Vec<*mut PipelineHandle>,
    workers: Vec<*mut WorkerHandle>,
    borrowed: Vec<(*mut PipelineHandle, *const OutputFrame)>,
    kept_texts: Vec<CString>,
}

impl Caller {
    pub fn new() -> Self {
        let kept = *KEPT.lock().expect("no target panics while it holds it");
        let mut pipeline: *mut PipelineHandle = ptr::without_provenance_mut(kept);
        if bevrt_pipeline_reset(pipeline) != 0 {
            pipeline = ptr::null_mut();
            let settings = structs::sound_settings();
            // SAFETY: the settings and their texts live; a local takes the handle.
            unsafe { bevrt_pipeline_create(&raw const settings, &raw mut pipeline) };
        }
        for camera in 0..2 {
            bevrt_pipeline_set_camera_enabled(pipeline, camera, 1);
        }
        let calibration = structs::sound_calibration();
        // SAFETY: the struct and its texts live.
        unsafe { bevrt_pipeline_set_calibration(pipeline, &raw const calibration) };
        Self {
            pipelines: vec![pipeline],
            workers: Vec::new(),
            borrowed: Vec::new(),
            kept_texts: Vec::new(),
        }
    }

    /// Destroys all but the first pipeline, if that one lives still.
    pub fn end(&mut self) {
        for (pipeline, frame) in self.borrowed.drain(..) {
            sound(bevrt_pipeline_return_frame(pipeline, frame));
        }
        for worker in self.workers.drain(..) {
            sound(bevrt_worker_destroy(worker));
        }
        assert_eq!(
            LENT_IMAGES.load(Ordering::SeqCst),
            0,
            "each image is released once"
        );
        for pipeline in self.pipelines.drain(1..) {
            sound(bevrt_pipeline_destroy(pipeline));
        }
        *KEPT.lock().expect("no target panics while it holds it") = self.pipelines[0].addr();
    }

    /// Makes one call.
    pub fn call(&mut self, bytes: &mut Bytes<'_>) {
        let status = match bytes.u8() % 24 {
            0 => self.create_pipeline(bytes),
            1 => self.destroy_pipeline(bytes),
            2..=5 => self.push_image(bytes),
            6 => self.push_pose(bytes),
            7 | 8 => self.push_rates(bytes),
            9 | 10 => self.step(bytes),
            11 => self.step_borrow(bytes),
            12 => self.return_frame(bytes),
            13 => self.set_calibration(bytes),
            14 => bevrt_pipeline_set_camera_enabled(
                self.pipeline(bytes),
                u32::from(bytes.u8() % 4),
                i32::from(bytes.u8() % 3),
            ),
            15 => self.ask(bytes),
            16 => self.create_worker(bytes),
            17 => bevrt_worker_destroy(self.worker(bytes)),
            18 | 19 => self.queue_image(bytes),
            20 => self.queue_motion(bytes),
            21 => self.wait(bytes),
            22 => self.forget(bytes),
            _ => library(bytes),
        };
        sound(status);
    }

    fn create_pipeline(&mut self, bytes: &mut Bytes<'_>) -> i32 {
        if self.pipelines.len() >= MOST_PIPELINES {
            return 0;
        }
        let settings = structs::settings(bytes, &mut self.kept_texts);
        let mut pipeline = ptr::null_mut();
        let to = bytes.choice([&raw mut pipeline, &raw mut pipeline, ptr::null_mut()]);
        let status = given(bytes, settings, &structs::SETTINGS_ADDRESSES, |settings| {
            // SAFETY: as many bytes are there as the struct says, and its texts live; `to` is NULL
            // or a local.
            unsafe { bevrt_pipeline_create(settings, to) }
        });
        assert_eq!(status == 0, !pipeline.is_null());
        self.pipelines.extend((status == 0).then_some(pipeline));
        status
    }

    fn destroy_pipeline(&mut self, bytes: &mut Bytes<'_>) -> i32 {
        let pipeline = self.pipeline(bytes);
        bevrt_pipeline_destroy(pipeline)
    }

    fn push_image(&mut self, bytes: &mut Bytes<'_>) -> i32 {
        let pipeline = self.pipeline(bytes);
        let image = structs::image(bytes);
        given(bytes, image, &structs::IMAGE_ADDRESSES, |image| {
            // SAFETY: as many bytes are there as the struct says; planes are there, or absurd.
            unsafe { bevrt_pipeline_push_image(pipeline, image) }
        })
    }

    fn push_pose(&mut self, bytes: &mut Bytes<'_>) -> i32 {
        let pipeline = self.pipeline(bytes);
        let pose = structs::pose(bytes);
        // SAFETY: as many bytes are there as the struct says.
        given(bytes, pose, &[], |pose| unsafe {
            bevrt_pipeline_push_pose(pipeline, pose)
        })
    }

    fn push_rates(&mut self, bytes: &mut Bytes<'_>) -> i32 {
        let pipeline = self.pipeline(bytes);
        let rates = structs::rates(bytes);
        // SAFETY: as many bytes are there as the struct says.
        given(bytes, rates, &[], |rates| unsafe {
            bevrt_pipeline_push_rates(pipeline, rates)
        })
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) -> i32 {
        let pipeline = self.pipeline(bytes);
        let now_ns = structs::time(bytes);
        // SAFETY: as many bytes are there as is said.
        filled(bytes, |frame, size| unsafe {
            bevrt_pipeline_step(pipeline, now_ns, frame, size)
        })
    }

    fn step_borrow(&mut self, bytes: &mut Bytes<'_>) -> i32 {
        let pipeline = self.pipeline(bytes);
        let mut frame = ptr::null();
        // SAFETY: a local takes the address.
        let status =
            unsafe { bevrt_pipeline_step_borrow(pipeline, structs::time(bytes), &raw mut frame) };
        assert_eq!(status == 0, !frame.is_null());
        self.borrowed
            .extend((status == 0).then_some((pipeline, frame)));
        status
    }

    fn return_frame(&mut self, bytes: &mut Bytes<'_>) -> i32 {
        let index = usize::from(bytes.u8());
        match self.borrowed.get(index) {
            Some(_) => {
                let (pipeline, frame) = self.borrowed.swap_remove(index);
                bevrt_pipeline_return_frame(pipeline, frame)
            }
            None => {
                bevrt_pipeline_return_frame(self.pipeline(bytes), ptr::without_provenance(index))
            }
        }
    }

    fn set_calibration(&mut self, bytes: &mut Bytes<'_>) -> i32 {
        let pipeline = self.pipeline(bytes);
        let source = structs::calibration(bytes, &mut self.kept_texts);
        given(bytes, source, &structs::CALIBRATION_ADDRESSES, |source| {
            // SAFETY: as many bytes are there as the struct says, and its texts live.
            unsafe { bevrt_pipeline_set_calibration(pipeline, source) }
        })
    }

    /// What tells about a pipeline or a worker.
    fn ask(&mut self, bytes: &mut Bytes<'_>) -> i32 {
        let pipeline = self.pipeline(bytes);
        let worker = self.worker(bytes);
        let number = bytes.choice([0, 1, 5, 7, 8, 99, -1, i32::MIN]);
        let kind = bytes.u8() % 7;
        // SAFETY: for all calls below: as many bytes are there as is said.
        unsafe {
            match kind {
                0 => filled(bytes, |to, size| bevrt_pipeline_health(pipeline, to, size)),
                1 => filled(bytes, |to, size| {
                    bevrt_pipeline_statistics(pipeline, number, to, size)
                }),
                2 => filled(bytes, |to, size| bevrt_pipeline_info(pipeline, to, size)),
                3 => filled(bytes, |to, size| {
                    bevrt_pipeline_camera_info(pipeline, number as u32, to, size)
                }),
                4 => filled(bytes, |to, size| bevrt_worker_counts(worker, to, size)),
                5 => filled(bytes, |to, size| bevrt_pipeline_options_default(to, size)),
                _ => filled(bytes, |to, size| bevrt_worker_options_default(to, size)),
            }
        }
    }

    fn create_worker(&mut self, bytes: &mut Bytes<'_>) -> i32 {
        let pipeline = self.pipeline(bytes);
        let settings = structs::worker(bytes);
        let mut worker = ptr::null_mut();
        let to = bytes.choice([&raw mut worker, &raw mut worker, ptr::null_mut()]);
        let status = given(bytes, settings, &structs::WORKER_ADDRESSES, |settings| {
            // SAFETY: as many bytes are there as the struct says; the callbacks live for ever; `to`
            // is NULL or a local.
            unsafe { bevrt_worker_create(pipeline, settings, to) }
        });
        assert_eq!(status == 0, !worker.is_null());
        self.workers.extend((status == 0).then_some(worker));
        status
    }

    fn queue_image(&mut self, bytes: &mut Bytes<'_>) -> i32 {
        let worker = self.worker(bytes);
        let image = structs::image(bytes);
        let release: ReleaseCallback = bytes.choice([Some(released), Some(released), None]);
        let lent = i64::from(release.is_some());
        // Before the call: the worker may release it before that returns.
        LENT_IMAGES.fetch_add(lent, Ordering::SeqCst);
        let user_data: *mut c_void = worker.cast();
        let status = given(bytes, image, &structs::IMAGE_ADDRESSES, |image| {
            // SAFETY: as many bytes are there as the struct says; planes live for ever, or are
            // absurd; so does the callback.
            unsafe { bevrt_worker_push_image(worker, image, release, user_data) }
        });
        if status != 0 {
            LENT_IMAGES.fetch_sub(lent, Ordering::SeqCst);
        }
        status
    }

    fn queue_motion(&mut self, bytes: &mut Bytes<'_>) -> i32 {
        let worker = self.worker(bytes);
        match bytes.u8() % 3 {
            0 => {
                let pose = structs::pose(bytes);
                // SAFETY: as many bytes are there as the struct says.
                given(bytes, pose, &[], |pose| unsafe {
                    bevrt_worker_push_pose(worker, pose)
                })
            }
            1 => {
                let rates = structs::rates(bytes);
                // SAFETY: as many bytes are there as the struct says.
                given(bytes, rates, &[], |rates| unsafe {
                    bevrt_worker_push_rates(worker, rates)
                })
            }
            _ => bevrt_worker_tick(worker, structs::time(bytes)),
        }
    }

    fn wait(&mut self, bytes: &mut Bytes<'_>) -> i32 {
        let worker = self.worker(bytes);
        let timeout_ns = bytes.choice([0, 0, 1, 100_000, -1, i64::MIN]);
        match bytes.u8() % 2 {
            0 => bevrt_worker_flush(worker, timeout_ns),
            // SAFETY: as many bytes are there as is said.
            _ => filled(bytes, |frame, size| unsafe {
                bevrt_worker_poll(worker, timeout_ns, frame, size)
            }),
        }
    }

    fn forget(&mut self, bytes: &mut Bytes<'_>) -> i32 {
        let pipeline = self.pipeline(bytes);
        match bytes.u8() % 2 {
            0 => bevrt_pipeline_reset(pipeline),
            _ => bevrt_pipeline_reset_statistics(pipeline),
        }
    }

    /// A living pipeline as a rule; else a destroyed one, one of another kind, none, any number.
    fn pipeline(&self, bytes: &mut Bytes<'_>) -> *mut PipelineHandle {
        match bytes.u8() {
            0xFF => ptr::null_mut(),
            0xFE => self.worker(bytes).cast(),
            0xFD => ptr::without_provenance_mut(bytes.u64() as usize),
            byte => self.pipelines[usize::from(byte) % self.pipelines.len()],
        }
    }

    fn worker(&self, bytes: &mut Bytes<'_>) -> *mut WorkerHandle {
        match bytes.u8() {
            0xFF => ptr::null_mut(),
            0xFE => self.pipelines[0].cast(),
            0xFD => ptr::without_provenance_mut(bytes.u64() as usize),
            byte => {
                let count = self.workers.len().max(1);
                let worker = self.workers.get(usize::from(byte) % count);
                worker.copied().unwrap_or(ptr::null_mut())
            }
        }
    }
}

/// What belongs to the library as a whole.
fn library(bytes: &mut Bytes<'_>) -> i32 {
    assert_ne!(bevrt_abi_version(), 0);
    let number = i32::from(bytes.u8()) - 20;
    for text in [bevrt_version_str(), bevrt_status_str(number)] {
        // SAFETY: the library's texts end with zero and live for ever.
        assert!(!unsafe { CStr::from_ptr(text) }.is_empty());
    }
    let size = usize::from(bytes.u16() % 600);
    let mut text = vec![0xAA_u8; size];
    let to: *mut c_char = match bytes.u8() {
        0xFF => ptr::null_mut(),
        _ => text.as_mut_ptr().cast(),
    };
    // SAFETY: `size` bytes are there, or `to` is NULL.
    let length = unsafe { bevrt_error_text(to, size) };
    assert!(length < 1 << 20);
    assert!(to.is_null() || size == 0 || text.contains(&0));
    let callback = bytes.choice([None, Some(logged as _)]);
    // SAFETY: the callback lives for ever.
    unsafe { bevrt_log_set_callback(callback, ptr::null_mut(), number) }
}

const _: () = assert!(Status::Ok as i32 == 0);
