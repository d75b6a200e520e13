//! What the worker's thread does.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bevrt_runtime::{OutputFrame, Stamp};
use crossbeam_channel::{Receiver, RecvError, select_biased};

use super::{ClockCallback, FrameCallback, ReleaseCallback, Shared, WorkerSettings, count};
use crate::guard;
use crate::handles::Entry;
use crate::image::{EgoPoseSample, EgoRatesSample, ImageBuffer};
use crate::instance::{Begin, Instance};
use crate::status::{Failure, Status};

/// What waits in the queue.
pub enum Job {
    Image(QueuedImage),
    Pose(EgoPoseSample),
    Rates(EgoRatesSample),
    Tick(Stamp),
}

/// An image that is the worker's until it is released.
pub struct QueuedImage {
    image: ImageBuffer,
    release: ReleaseCallback,
    user_data: *mut c_void,
}

// SAFETY: the caller of `bevrt_worker_push_image` vouches for planes and callback on another thread.
unsafe impl Send for QueuedImage {}

impl QueuedImage {
    pub fn new(image: ImageBuffer, release: ReleaseCallback, user_data: *mut c_void) -> Self {
        Self {
            image,
            release,
            user_data,
        }
    }

    fn release(self, status: Status) {
        if let Some(release) = self.release {
            guard::calling_back(|| {
                // SAFETY: the caller vouches for the callback; this is its one call, as it takes
                // the image with it.
                unsafe { release(self.user_data, status.number()) }
            });
        }
    }
}

/// The thread's own state.
pub struct Run {
    instance: Arc<Entry<Instance>>,
    shared: Arc<Shared>,
    frame: Box<OutputFrame>,
    callbacks: Callbacks,
    /// Says that the network has ended; `None` where it runs on this thread.
    network_done: Option<Receiver<()>>,
    /// Whether a step was begun whose frame is not delivered.
    is_running: bool,
    /// Items that are worked on, but not done before that frame is delivered.
    held: u64,
}

/// What this thread waited for.
enum Event {
    Item(Job),
    NetworkEnded,
    Closed,
}

struct Callbacks {
    frame: FrameCallback,
    frame_user_data: *mut c_void,
    clock: ClockCallback,
    clock_user_data: *mut c_void,
}

// SAFETY: the caller of `bevrt_worker_create` vouches for its callbacks on another thread.
unsafe impl Send for Callbacks {}

impl Run {
    pub fn new(
        instance: Arc<Entry<Instance>>,
        shared: Arc<Shared>,
        network_done: Option<Receiver<()>>,
        options: &WorkerSettings,
    ) -> Self {
        Self {
            instance,
            shared,
            frame: OutputFrame::boxed(),
            callbacks: Callbacks {
                frame: options.frame_callback,
                frame_user_data: options.frame_user_data,
                clock: options.clock_callback,
                clock_user_data: options.clock_user_data,
            },
            network_done,
            is_running: false,
            held: 0,
        }
    }

    /// Does what comes until the queue is closed and empty.
    pub fn until_closed(mut self, queue: &Receiver<Job>) {
        loop {
            match self.next(queue) {
                Event::Item(job) => {
                    self.work_on(job);
                    self.held += 1;
                }
                Event::NetworkEnded => self.finish(),
                Event::Closed => break,
            }
            self.count_done();
        }
        if self.is_running {
            self.finish();
        }
        self.count_done();
    }

    /// The end of the network goes before the next item: a frame waits for one item at most.
    fn next(&self, queue: &Receiver<Job>) -> Event {
        let item = |received: Result<Job, RecvError>| received.map_or(Event::Closed, Event::Item);
        match &self.network_done {
            Some(network_done) if self.is_running => select_biased! {
                recv(network_done) -> _ => Event::NetworkEnded,
                recv(queue) -> received => item(received),
            },
            Some(_) | None => item(queue.recv()),
        }
    }

    /// Items are done when every frame that they made due is delivered.
    fn count_done(&mut self) {
        if !self.is_running && self.held > 0 {
            let held = std::mem::take(&mut self.held);
            self.shared.change(|latest| latest.done += held);
        }
    }

    fn work_on(&mut self, job: Job) {
        let is_stopping = self.shared.is_stopping.load(Ordering::Relaxed);
        match job {
            Job::Image(image) if is_stopping => image.release(Status::Cancelled),
            Job::Pose(_) | Job::Rates(_) | Job::Tick(_) if is_stopping => {}
            Job::Image(image) => self.image(image),
            Job::Pose(pose) => {
                let pushed = self.instance.with(|instance| {
                    let stamp = Stamp::from_nanoseconds(pose.stamp_ns);
                    instance.push_pose(stamp, &pose.odom_from_ego()?)
                });
                self.motion(pushed, pose.arrival_ns);
            }
            Job::Rates(rates) => {
                let pushed = self.instance.with(|instance| {
                    let stamp = Stamp::from_nanoseconds(rates.stamp_ns);
                    instance.push_rates(stamp, rates.speed_mps, rates.yaw_rate_radps)
                });
                self.motion(pushed, rates.arrival_ns);
            }
            Job::Tick(now) => self.step(now),
        }
    }

    fn image(&mut self, queued: QueuedImage) {
        let image = queued.image;
        let pushed = self.instance.with(|instance| {
            // SAFETY: the planes are readable until the release below.
            let view = unsafe { image.view() }?;
            instance.push_image(image.camera_index(), &view, image.stamp(), image.arrival())
        });
        let status = status_of(&pushed);
        if status != Status::Ok {
            count(&self.shared.counts.images_refused);
        }
        queued.release(status);
        self.step(image.arrival());
    }

    fn motion(&mut self, pushed: Result<(), Failure>, arrival_ns: i64) {
        if pushed.is_err() {
            count(&self.shared.counts.motion_refused);
        }
        self.step(Stamp::from_nanoseconds(arrival_ns));
    }

    /// Begins every step that is due. The last one is finished when its network has ended, or when
    /// the next one is due.
    fn step(&mut self, arrival: Stamp) {
        let now = self.now().unwrap_or(arrival);
        loop {
            let mut begin = Begin::Waiting;
            let begun = self.instance.with(|instance| {
                begin = instance.begin_step(now)?;
                Ok(())
            });
            match (status_of(&begun), begin) {
                (Status::Ok, Begin::Waiting) => return,
                (Status::Ok, Begin::Begun) => self.is_running = true,
                (Status::Ok, Begin::Ready | Begin::FinishFirst) => self.finish(),
                (failed, _) => {
                    self.call_back(failed, std::ptr::null());
                    return;
                }
            }
        }
    }

    /// Takes the frame of the step that was begun, and delivers it.
    fn finish(&mut self) {
        let frame = &mut self.frame;
        let finished = self.instance.with(|instance| {
            **frame = *instance.finish_step()?;
            Ok(())
        });
        self.is_running = false;
        // The word of this run, if nobody waited for it.
        if let Some(network_done) = &self.network_done {
            let _ = network_done.try_recv();
        }
        match status_of(&finished) {
            Status::Ok => self.deliver(),
            Status::Waiting => {}
            failed => self.call_back(failed, std::ptr::null()),
        }
    }

    fn now(&self) -> Option<Stamp> {
        let clock = self.callbacks.clock?;
        let user_data = self.callbacks.clock_user_data;
        // SAFETY: the caller of `bevrt_worker_create` vouches for it.
        let now_ns = guard::calling_back(|| unsafe { clock(user_data) });
        Some(Stamp::from_nanoseconds(now_ns))
    }

    fn deliver(&mut self) {
        count(&self.shared.counts.frames);
        self.shared.change(|latest| {
            if latest.is_new {
                count(&self.shared.counts.frames_replaced);
            }
            *latest.frame = *self.frame;
            latest.is_new = true;
        });
        self.call_back(Status::Ok, self.frame.as_ref());
    }

    fn call_back(&self, status: Status, frame: *const OutputFrame) {
        if let Some(callback) = self.callbacks.frame {
            let user_data = self.callbacks.frame_user_data;
            // SAFETY: the caller of `bevrt_worker_create` vouches for it; the frame lives on.
            guard::calling_back(|| unsafe { callback(user_data, status.number(), frame) });
        }
    }
}

fn status_of(result: &Result<(), Failure>) -> Status {
    result
        .as_ref()
        .err()
        .map_or(Status::Ok, |failure| failure.status)
}
