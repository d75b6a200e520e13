use std::fmt;

use crate::threads::ThreadSettings;

/// A thread on which a network runs beside its caller.
pub struct BesideThread {
    /// Cores and priority.
    pub settings: ThreadSettings,
    /// Called on that thread when a run has ended, and never after the run was finished; it must
    /// return soon, not wait for its caller, and not panic.
    pub wake: Box<dyn Fn() + Send>,
}

impl BesideThread {
    /// Any core, the caller's priority.
    pub fn new(wake: impl Fn() + Send + 'static) -> Self {
        Self {
            settings: ThreadSettings::default(),
            wake: Box::new(wake),
        }
    }
}

impl fmt::Debug for BesideThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BesideThread")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
