//! The threads of ONNX Runtime's pool, made by us: named, on chosen cores, with a priority.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use ort::environment::ThreadManager;

use crate::threads::{ThreadError, ThreadSettings};

/// Makes `bevrt-pool-1`, `bevrt-pool-2`, …
pub(super) struct PoolThreads {
    settings: ThreadSettings,
    made: AtomicUsize,
    refusal: Refusal,
}

/// Why a thread of the pool could not be had: ONNX Runtime does not pass it on.
#[derive(Clone, Default)]
pub(super) struct Refusal(Arc<Mutex<Option<ThreadError>>>);

impl Refusal {
    pub(super) fn take(&self) -> Option<ThreadError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl PoolThreads {
    pub(super) fn new(settings: &ThreadSettings) -> Self {
        Self {
            settings: settings.clone(),
            made: AtomicUsize::new(0),
            refusal: Refusal::default(),
        }
    }

    pub(super) fn refusal(&self) -> Refusal {
        self.refusal.clone()
    }

    /// Settings of thread number `place` of the pool, the first being 0: one core of the list each, in
    /// turn.
    fn settings_of(&self, place: usize) -> ThreadSettings {
        let cores = &self.settings.cores;
        ThreadSettings {
            cores: cores
                .get(place % cores.len().max(1))
                .copied()
                .into_iter()
                .collect(),
            priority: self.settings.priority,
        }
    }
}

impl ThreadManager for PoolThreads {
    type Thread = JoinHandle<()>;

    fn create(&self, work: impl FnOnce() + Send + 'static) -> ort::Result<Self::Thread> {
        let place = self.made.fetch_add(1, Ordering::Relaxed);
        let name = format!("bevrt-pool-{}", place + 1);
        self.settings_of(place).spawn(&name, work).map_err(|error| {
            let told = ort::Error::new(error.to_string());
            *self
                .refusal
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(error);
            told
        })
    }

    fn join(thread: Self::Thread) -> ort::Result<()> {
        thread
            .join()
            .map_err(|_| ort::Error::new("a thread of the pool has panicked"))
    }
}
