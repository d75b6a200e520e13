//! The session with its bindings, and the thread on which it runs beside its owner.

use std::sync::Arc;
use std::thread::JoinHandle;

use ort::session::{IoBinding, Session};

use super::hand_over::HandOver;
use super::tensors::Tensors;
use crate::engine::{BesideThread, ImageSet};
use crate::threads::ThreadError;

/// What a run needs: one binding for each image set.
pub(super) struct Core {
    session: Session,
    bindings: [IoBinding; 2],
}

impl Core {
    pub(super) fn new(session: Session, tensors: &mut Tensors) -> ort::Result<Self> {
        let first = tensors.bind(&session, ImageSet::First)?;
        let second = tensors.bind(&session, ImageSet::Second)?;
        Ok(Self {
            session,
            bindings: [first, second],
        })
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) fn upload(&mut self, tensors: &mut Tensors, images: ImageSet) -> ort::Result<()> {
        tensors.upload(&mut self.bindings[images.index()], images)
    }

    pub(super) fn run(&mut self, images: ImageSet) -> ort::Result<()> {
        self.session.run_binding(&self.bindings[images.index()])?;
        Ok(())
    }
}

/// A run that has ended.
type Done = (Box<Core>, ort::Result<()>);

/// The thread `bevrt-network`. The session goes to it for a run and comes back, so that it is never
/// in two hands; handing it over allocates nothing.
pub(super) struct Beside {
    ways: Arc<Ways>,
    thread: Option<JoinHandle<()>>,
}

/// To the thread and back.
struct Ways {
    runs: HandOver<(Box<Core>, ImageSet)>,
    done: HandOver<Done>,
}

/// The thread's end of the ways. However the thread ends, nobody waits for it after that.
struct ThreadEnd(Arc<Ways>);

impl Drop for ThreadEnd {
    fn drop(&mut self) {
        self.0.runs.close();
        self.0.done.close();
    }
}

impl Beside {
    pub(super) fn new(thread: BesideThread) -> Result<Self, ThreadError> {
        let ways = Arc::new(Ways {
            runs: HandOver::new(),
            done: HandOver::new(),
        });
        let end = ThreadEnd(Arc::clone(&ways));
        let BesideThread { settings, wake } = thread;
        let thread = settings.spawn("bevrt-network", move || {
            let ThreadEnd(ways) = &end;
            while let Some((mut core, images)) = ways.runs.take() {
                let ran = core.run(images);
                // Before the owner can know otherwise, so that no call comes after its `finish`.
                wake();
                // The owner waits for it even when it is being dropped.
                let _ = ways.done.give((core, ran));
            }
        })?;
        Ok(Self {
            ways,
            thread: Some(thread),
        })
    }

    /// Starts a run; gives the session back when the thread has ended.
    pub(super) fn start(&self, core: Box<Core>, images: ImageSet) -> Result<(), Box<Core>> {
        let given = self.ways.runs.give((core, images));
        given.map_err(|(core, _)| core)
    }

    /// Waits for the run that was started; `None` when the thread has ended without one.
    pub(super) fn wait(&self) -> Option<Done> {
        self.ways.done.take()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.ways.runs.close();
        if let Some(thread) = self.thread.take() {
            // A panic of it has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}
