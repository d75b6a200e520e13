//! A worker: a thread that drives a pipeline, so that pushing never waits for the network.
//!
//! Items go through a bounded queue. The thread preprocesses each image, gives it back by its release
//! callback, and steps at the item's arrival; frames are polled or given to a callback. While the
//! network runs, on a thread of its own, the next items are worked on already.
//!
//! Every function may be called from any thread, and all but `bevrt_worker_create`,
//! `bevrt_worker_flush` and `bevrt_worker_destroy` from inside a callback, too.

mod thread;

use std::ffi::{c_char, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use bevrt_runtime::{BesideThread, OutputFrame, Stamp, ThreadSettings};
use crossbeam_channel::{Sender, TrySendError};

use crate::constants::BEVRT_ON;
use crate::frame;
use crate::guard::{self, guarded};
use crate::handles::{Entry, Table};
use crate::image::{EgoPoseSample, EgoRatesSample, ImageBuffer};
use crate::info::WorkerCounts;
use crate::instance::Instance;
use crate::pipeline::{self, PipelineHandle};
use crate::plain::{self, Plain};
use crate::settings::{is_on, out_of_range, thread_settings};
use crate::status::{Failure, Status};
use thread::{Job, QueuedImage};

/// A worker. The pointer is a key, not an address: a wrong one is refused.
#[derive(Debug)]
pub struct WorkerHandle {
    _opaque: [u8; 0],
}

/// Tells the caller that an image is its own again, and what became of it: OK, a status of images, or
/// CANCELLED. Called exactly once for each image that was taken, on the worker's thread, or on the
/// thread that destroys the worker.
pub type ReleaseCallback = Option<unsafe extern "C" fn(user_data: *mut c_void, status: i32)>;

/// Is given each frame on the worker's thread, valid during the call. With a status other than OK the
/// frame is NULL: a step failed.
pub type FrameCallback =
    Option<unsafe extern "C" fn(user_data: *mut c_void, status: i32, frame: *const OutputFrame)>;

/// Tells the time, by the clock of the stamps, in nanoseconds. Called on the worker's thread before
/// each step.
pub type ClockCallback = Option<unsafe extern "C" fn(user_data: *mut c_void) -> i64>;

/// Options of a worker. Fill it by `bevrt_worker_options_default`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct WorkerSettings {
    /// Size of this struct at the caller, in bytes.
    pub struct_size: u32,
    /// Items that may wait, 1 to 4096.
    pub queue_capacity: u32,
    /// Is given each frame; NULL leaves it to `bevrt_worker_poll` alone.
    pub frame_callback: FrameCallback,
    /// Given to `frame_callback`.
    pub frame_user_data: *mut c_void,
    /// Tells the time of a step. NULL steps at the arrival of each item, so the same items give the
    /// same frames.
    pub clock_callback: ClockCallback,
    /// Given to `clock_callback`.
    pub clock_user_data: *mut c_void,
    /// Cores that the worker's thread may run on, such as "2,4-5"; NULL for those of the creating
    /// thread. It and what follows: since ABI 0.2.
    pub worker_cores: *const c_char,
    /// Cores of the network's thread, likewise.
    pub network_cores: *const c_char,
    /// Real-time priority (SCHED_FIFO) of the worker's thread, 1 to 99; 0 for that of the creating
    /// thread.
    pub worker_priority: u32,
    /// Priority of the network's thread, likewise.
    pub network_priority: u32,
    /// Whether the network runs on a thread of its own, `bevrt-network`, so that images of the next
    /// set are preprocessed and given back meanwhile. The frames are the same, byte by byte.
    pub has_overlap: i32,
    /// Zero.
    pub reserved: u32,
}

// SAFETY: repr(C), begins with `struct_size`, sizes add up to the size (asserted); addresses, and
// functions that may be NULL, take what the caller gives, who vouches for them.
unsafe impl Plain for WorkerSettings {
    const FIRST_SIZE: usize = 40;
    const SIZES: &'static [usize] = &[40, 72];
}

const _: () = {
    assert!(size_of::<WorkerSettings>() == 2 * 4 + 4 * 8 + 2 * 8 + 4 * 4);
    assert!(size_of::<WorkerSettings>() == WorkerSettings::SIZES[1]);
};

/// What worker thread and callers share.
pub struct Shared {
    latest: Mutex<Latest>,
    is_ready: Condvar,
    is_stopping: AtomicBool,
    counts: Counts,
}

struct Latest {
    frame: Box<OutputFrame>,
    is_new: bool,
    /// Items that are done.
    done: u64,
}

#[derive(Default)]
struct Counts {
    frames: AtomicU64,
    frames_replaced: AtomicU64,
    images_refused: AtomicU64,
    motion_refused: AtomicU64,
    queue_full: AtomicU64,
}

struct Worker {
    /// Gone when the worker is being destroyed.
    sender: RwLock<Option<Sender<Job>>>,
    /// Items that were ever queued.
    sent: AtomicU64,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    instance: Arc<Entry<Instance>>,
}

static WORKERS: Table<Arc<Worker>> = Table::new(0x57);

/// Fills `options` with the defaults; writes no more than `options_size` bytes.
///
/// Status: OK, NULL_POINTER, MISALIGNED, STRUCT_SIZE.
///
/// # Safety
/// `options` is NULL or points to `options_size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_worker_options_default(
    options: *mut WorkerSettings,
    options_size: usize,
) -> i32 {
    let defaults = WorkerSettings {
        struct_size: size_of::<WorkerSettings>() as u32,
        queue_capacity: 64,
        frame_callback: None,
        frame_user_data: std::ptr::null_mut(),
        clock_callback: None,
        clock_user_data: std::ptr::null_mut(),
        worker_cores: std::ptr::null(),
        network_cores: std::ptr::null(),
        worker_priority: 0,
        network_priority: 0,
        has_overlap: BEVRT_ON,
        reserved: 0,
    };
    // SAFETY: by the contract of this function.
    guarded(|| unsafe { plain::write(options, options_size, &defaults) })
}

/// Starts a thread, `bevrt-worker`, that drives `pipeline`, and with `has_overlap` another one,
/// `bevrt-network`, that runs its network. Until the worker is destroyed, pushing to the pipeline and
/// stepping it by hand are refused; its calibration, health and statistics stay reachable, and wait
/// for the step that runs.
///
/// Status: OK; WORKER_ATTACHED, FRAME_BORROWED, INVALID_HANDLE, POISONED; INVALID_ARGUMENT,
/// NULL_POINTER, STRUCT_SIZE, MISALIGNED; TOO_MANY_HANDLES, IN_CALLBACK; UNSUPPORTED when the system
/// gives no thread, not on these cores, or not with this priority. On failure `worker` is untouched.
///
/// # Safety
/// `options` is NULL or points to `struct_size` readable bytes whose texts end with zero; its callbacks may be called from
/// another thread until the worker is destroyed; `worker` is NULL or points to a writable pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_worker_create(
    pipeline: *mut PipelineHandle,
    options: *const WorkerSettings,
    worker: *mut *mut WorkerHandle,
) -> i32 {
    guarded(|| {
        guard::not_in_callback()?;
        plain::check(worker)?;
        // SAFETY: by the contract of this function.
        let options = unsafe { plain::read(options) }?;
        // SAFETY: by the contract of this function.
        let threads = unsafe { Threads::read(&options) }?;
        let key = start(pipeline::entry(pipeline)?, &options, threads)?;
        // SAFETY: by the contract of this function.
        unsafe { plain::put(worker, std::ptr::without_provenance_mut(key)) }
    })
}

/// The threads of a worker.
struct Threads {
    worker: ThreadSettings,
    /// `None` where the network runs on the worker's thread.
    network: Option<ThreadSettings>,
}

impl Threads {
    /// # Safety
    /// The options' texts are NULL or end with a zero byte.
    unsafe fn read(options: &WorkerSettings) -> Result<Self, Failure> {
        if options.reserved != 0 {
            return Err(out_of_range("reserved", "0", options.reserved));
        }
        // SAFETY: by the contract of this function.
        let worker = unsafe {
            thread_settings(
                ("worker_cores", options.worker_cores),
                ("worker_priority", options.worker_priority),
            )
        }?;
        // SAFETY: by the contract of this function.
        let network = unsafe {
            thread_settings(
                ("network_cores", options.network_cores),
                ("network_priority", options.network_priority),
            )
        }?;
        let has_overlap = is_on("has_overlap", options.has_overlap)?;
        Ok(Self {
            worker,
            network: has_overlap.then_some(network),
        })
    }
}

fn start(
    instance: Arc<Entry<Instance>>,
    options: &WorkerSettings,
    threads: Threads,
) -> Result<usize, Failure> {
    let capacity = match options.queue_capacity {
        capacity @ 1..=4096 => capacity as usize,
        other => return Err(out_of_range("queue_capacity", "1 to 4096", other)),
    };
    // One run is under way at most, and its word is taken before the next one starts.
    let (tell, network_done) = crossbeam_channel::bounded(1);
    let network = threads.network.map(|settings| BesideThread {
        settings,
        wake: Box::new(move || {
            let _ = tell.try_send(());
        }),
    });
    let has_overlap = network.is_some();
    instance.with(|instance| instance.attach_worker(network))?;
    let shared = Arc::new(Shared {
        latest: Mutex::new(Latest {
            frame: OutputFrame::boxed(),
            is_new: false,
            done: 0,
        }),
        is_ready: Condvar::new(),
        is_stopping: AtomicBool::new(false),
        counts: Counts::default(),
    });
    let (sender, receiver) = crossbeam_channel::bounded(capacity);
    let network_done = has_overlap.then_some(network_done);
    let run = thread::Run::new(
        Arc::clone(&instance),
        Arc::clone(&shared),
        network_done,
        options,
    );
    let spawned = threads
        .worker
        .spawn("bevrt-worker", move || run.until_closed(&receiver));
    let registered = spawned
        .map_err(|error| Failure::new(Status::Unsupported, error.to_string()))
        .and_then(|thread| {
            WORKERS.insert(Arc::new(Worker {
                sender: RwLock::new(Some(sender)),
                sent: AtomicU64::new(0),
                shared,
                thread: Mutex::new(Some(thread)),
                instance: Arc::clone(&instance),
            }))
        });
    if registered.is_err() {
        instance.change(Instance::detach_worker);
    }
    registered
}

/// Stops the thread and gives the pipeline back to be driven by hand. NULL is nothing to do.
///
/// Waits for the step and the callback that run; items that wait are cancelled, and their images
/// released with CANCELLED, before this returns. No callback is called after it.
///
/// Status: OK; INVALID_HANDLE when it is destroyed already; IN_CALLBACK: then it lives on.
#[unsafe(no_mangle)]
pub extern "C" fn bevrt_worker_destroy(worker: *mut WorkerHandle) -> i32 {
    guarded(|| {
        if worker.is_null() {
            return Ok(());
        }
        guard::not_in_callback()?;
        // Stopped before its handle is gone: whoever finds the handle refused knows that it stops.
        let stop = |worker: &Arc<Worker>| {
            let shared = &worker.shared;
            shared.change(|_| shared.is_stopping.store(true, Ordering::Relaxed));
            Ok(())
        };
        let worker = WORKERS.remove(worker.addr(), stop)?.shared();
        // The queue closes with its only sender; the thread cancels what is left in it and ends.
        drop(write(&worker.sender).take());
        let thread = worker
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // The thread catches panics itself.
            let _ = thread.join();
        }
        worker.instance.change(Instance::detach_worker);
        Ok(())
    })
}

/// Queues an image. Its planes must stay readable and unchanged until `release` is called. When this
/// returns another status than OK, `release` will not be called.
///
/// Status: OK, QUEUE_FULL; UNSUPPORTED, INVALID_ARGUMENT, NULL_POINTER, IMAGE_LAYOUT, STRUCT_SIZE,
/// MISALIGNED; INVALID_HANDLE.
///
/// # Safety
/// `image` is NULL or points to `struct_size` readable bytes; its planes are readable, and nobody
/// writes them, until `release` is called; `release` may be called from another thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_worker_push_image(
    worker: *mut WorkerHandle,
    image: *const ImageBuffer,
    release: ReleaseCallback,
    user_data: *mut c_void,
) -> i32 {
    guarded(|| {
        let worker = get(worker)?;
        // SAFETY: by the contract of this function.
        let image = unsafe { plain::read(image) }?;
        // What cannot be an image is refused here and now, not on the other thread.
        // SAFETY: by the contract of this function.
        unsafe { image.view() }?;
        worker.send(Job::Image(QueuedImage::new(image, release, user_data)))
    })
}

/// Queues a pose of the vehicle.
///
/// Status: OK, QUEUE_FULL; MOTION_NOT_FINITE, INVALID_ARGUMENT, NULL_POINTER, STRUCT_SIZE,
/// MISALIGNED; INVALID_HANDLE.
///
/// # Safety
/// `pose` is NULL or points to `struct_size` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_worker_push_pose(
    worker: *mut WorkerHandle,
    pose: *const EgoPoseSample,
) -> i32 {
    guarded(|| {
        let worker = get(worker)?;
        // SAFETY: by the contract of this function.
        let pose = unsafe { plain::read(pose) }?;
        pose.odom_from_ego()?;
        worker.send(Job::Pose(pose))
    })
}

/// Queues speed and yaw rate.
///
/// Status: OK, QUEUE_FULL; NULL_POINTER, STRUCT_SIZE, MISALIGNED; INVALID_HANDLE.
///
/// # Safety
/// `rates` is NULL or points to `struct_size` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_worker_push_rates(
    worker: *mut WorkerHandle,
    rates: *const EgoRatesSample,
) -> i32 {
    guarded(|| {
        let worker = get(worker)?;
        // SAFETY: by the contract of this function.
        worker.send(Job::Rates(unsafe { plain::read(rates) }?))
    })
}

/// Queues a step at `now_ns`, so that a set whose cameras fall silent is closed in time.
///
/// Status: OK, QUEUE_FULL, INVALID_HANDLE.
#[unsafe(no_mangle)]
pub extern "C" fn bevrt_worker_tick(worker: *mut WorkerHandle, now_ns: i64) -> i32 {
    guarded(|| get(worker)?.send(Job::Tick(Stamp::from_nanoseconds(now_ns))))
}

/// Copies the newest frame that nobody polled yet, waiting up to `timeout_ns` (0: not at all) for one.
/// Each frame is given once; older ones that nobody polled are gone and counted.
///
/// Status: OK; WAITING when the time is over, or the worker is destroyed meanwhile;
/// INVALID_ARGUMENT, STRUCT_SIZE, NULL_POINTER, MISALIGNED; INVALID_HANDLE.
///
/// # Safety
/// `frame` is NULL or points to `frame_size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_worker_poll(
    worker: *mut WorkerHandle,
    timeout_ns: i64,
    frame: *mut OutputFrame,
    frame_size: usize,
) -> i32 {
    guarded(|| {
        let worker = get(worker)?;
        frame::check(frame, frame_size)?;
        let mut latest = worker.shared.wait(timeout_ns, |latest| latest.is_new)?;
        if !latest.is_new {
            return Err(Status::Waiting.into());
        }
        // SAFETY: by the contract of this function.
        unsafe { frame::write(frame, frame_size, &latest.frame) }?;
        latest.is_new = false;
        Ok(())
    })
}

/// Waits up to `timeout_ns` until all that was queued before is done: images are released, frames
/// made and given to the callback.
///
/// Status: OK; WAITING when the time is over, or the worker is destroyed meanwhile;
/// INVALID_ARGUMENT, IN_CALLBACK, INVALID_HANDLE.
#[unsafe(no_mangle)]
pub extern "C" fn bevrt_worker_flush(worker: *mut WorkerHandle, timeout_ns: i64) -> i32 {
    guarded(|| {
        guard::not_in_callback()?;
        let worker = get(worker)?;
        let sent = worker.sent.load(Ordering::Acquire);
        let is_done = |latest: &Latest| latest.done >= sent;
        let latest = worker.shared.wait(timeout_ns, is_done)?;
        if is_done(&latest) {
            return Ok(());
        }
        Err(Status::Waiting.into())
    })
}

/// What came to the worker and what became of it.
///
/// Status: OK, STRUCT_SIZE, NULL_POINTER, MISALIGNED, INVALID_HANDLE.
///
/// # Safety
/// `counts` is NULL or points to `counts_size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_worker_counts(
    worker: *mut WorkerHandle,
    counts: *mut WorkerCounts,
    counts_size: usize,
) -> i32 {
    guarded(|| {
        let worker = get(worker)?;
        // SAFETY: by the contract of this function.
        unsafe { plain::write(counts, counts_size, &worker.counts()) }
    })
}

fn get(worker: *const WorkerHandle) -> Result<Arc<Worker>, Failure> {
    Ok(WORKERS.get(worker.addr())?.shared())
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Waits until `is_there`, the time is over, or the worker is destroyed.
    fn wait(
        &self,
        timeout_ns: i64,
        is_there: impl Fn(&Latest) -> bool,
    ) -> Result<MutexGuard<'_, Latest>, Failure> {
        let timeout = u64::try_from(timeout_ns)
            .map_err(|_| out_of_range("timeout_ns", "0 or more", timeout_ns))?;
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let (latest, _) = self
            .is_ready
            .wait_timeout_while(latest, Duration::from_nanos(timeout), |latest| {
                !is_there(latest) && !self.is_stopping.load(Ordering::Relaxed)
            })
            .unwrap_or_else(PoisonError::into_inner);
        Ok(latest)
    }

    /// Changes what is waited for, and wakes who waits.
    fn change(&self, change: impl FnOnce(&mut Latest)) {
        change(&mut self.latest.lock().unwrap_or_else(PoisonError::into_inner));
        self.is_ready.notify_all();
    }
}

impl Worker {
    fn send(&self, job: Job) -> Result<(), Failure> {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        let sender = sender.as_ref().ok_or(Status::InvalidHandle)?;
        match sender.try_send(job) {
            Ok(()) => {
                count(&self.sent);
                Ok(())
            }
            Err(TrySendError::Full(_)) => {
                count(&self.shared.counts.queue_full);
                Err(Status::QueueFull.into())
            }
            Err(TrySendError::Disconnected(_)) => Err(Status::InvalidHandle.into()),
        }
    }

    fn counts(&self) -> WorkerCounts {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        let counts = &self.shared.counts;
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        WorkerCounts {
            struct_size: size_of::<WorkerCounts>() as u32,
            queued: sender.as_ref().map_or(0, Sender::len) as u32,
            frames: load(&counts.frames),
            frames_replaced: load(&counts.frames_replaced),
            images_refused: load(&counts.images_refused),
            motion_refused: load(&counts.motion_refused),
            queue_full: load(&counts.queue_full),
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
