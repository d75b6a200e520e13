//! The session with its bindings, and the thread on which it runs beside its owner.

use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, SendError, Sender};
use ort::session::{IoBinding, Session};

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
/// in two hands. The channels hold one. A thread allocates when it waits on one for the first time,
/// and never again.
pub(super) struct Beside {
    /// `None` when the thread shall end.
    runs: Option<Sender<(Box<Core>, ImageSet)>>,
    done: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
}

impl Beside {
    pub(super) fn new(thread: BesideThread) -> Result<Self, ThreadError> {
        let (runs, to_run) = crossbeam_channel::bounded::<(Box<Core>, ImageSet)>(1);
        let (give_back, done) = crossbeam_channel::bounded(1);
        let BesideThread { settings, wake } = thread;
        let thread = settings.spawn("bevrt-network", move || {
            for (mut core, images) in to_run {
                let ran = core.run(images);
                // Before the owner can know otherwise, so that no call comes after its `finish`.
                wake();
                // The owner waits for it even when it is being dropped.
                let _ = give_back.send((core, ran));
            }
        })?;
        Ok(Self {
            runs: Some(runs),
            done,
            thread: Some(thread),
        })
    }

    /// Starts a run; gives the session back when the thread has ended.
    pub(super) fn start(&self, core: Box<Core>, images: ImageSet) -> Result<(), Box<Core>> {
        match &self.runs {
            Some(runs) => runs
                .send((core, images))
                .map_err(|SendError((core, _))| core),
            None => Err(core),
        }
    }

    /// Waits for the run that was started; `None` when the thread has ended without one.
    pub(super) fn wait(&self) -> Option<Done> {
        self.done.recv().ok()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.runs = None;
        if let Some(thread) = self.thread.take() {
            // A panic of it has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}
