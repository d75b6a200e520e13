//! Threads with fixed names, on chosen cores and with a chosen priority.
//!
//! | name | what runs on it |
//! |---|---|
//! | `bevrt-pool-1` … | the network's operators, beside the thread that runs the network |
//! | `bevrt-network` | the network, when steps are begun and finished apart |
//! | `bevrt-worker` | a worker of the C ABI |

mod error;
mod linux;

use std::io;
use std::sync::mpsc;
use std::thread::JoinHandle;

pub use error::ThreadError;

/// Cores beyond this one cannot be named.
const MOST_CORES: usize = 1024;

/// Where and how urgently a thread runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadSettings {
    /// Cores that it may run on, by number; empty leaves it on the creator's.
    pub cores: Vec<usize>,
    /// Its priority.
    pub priority: ThreadPriority,
}

/// Priority of a thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThreadPriority {
    /// That of the creator.
    #[default]
    Inherited,
    /// Real time, first in first out (`SCHED_FIFO`), 1 to 99: it runs whenever it can, before every
    /// thread without. The process needs `CAP_SYS_NICE` or a limit `RLIMIT_RTPRIO`.
    RealTime(u8),
}

impl ThreadSettings {
    /// Reads a list of cores such as `0,2-3`; an empty text is an empty list.
    ///
    /// # Errors
    /// [`ThreadError::CoreList`].
    pub fn cores_from_text(text: &str) -> Result<Vec<usize>, ThreadError> {
        let wrong = || ThreadError::CoreList { found: text.into() };
        let number = |text: &str| match text.trim().parse::<usize>() {
            Ok(core) if core < MOST_CORES => Ok(core),
            _ => Err(wrong()),
        };
        let mut cores = Vec::new();
        for part in text.split(',').filter(|_| !text.trim().is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(wrong());
            }
            cores.extend(first..=last);
        }
        Ok(cores)
    }

    /// Sees to it that the settings can be at all.
    ///
    /// # Errors
    /// A priority outside of 1 to 99, or a core that cannot be named.
    pub fn check(&self) -> Result<(), ThreadError> {
        if let ThreadPriority::RealTime(priority) = self.priority
            && !(1..=99).contains(&priority)
        {
            return Err(ThreadError::PriorityRange { found: priority });
        }
        match self.cores.iter().find(|&&core| core >= MOST_CORES) {
            Some(core) => Err(ThreadError::CoreList {
                found: core.to_string(),
            }),
            None => Ok(()),
        }
    }

    /// Starts a thread; returns when it has the settings, and `work` has begun.
    ///
    /// # Errors
    /// The system gives no thread, not on these cores, or not with this priority; then nothing runs.
    pub fn spawn(
        &self,
        name: &str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<JoinHandle<()>, ThreadError> {
        self.check()?;
        let settings = self.clone();
        let of = name.to_owned();
        let (tell, told) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                let applied = settings.apply(&of);
                let is_ready = applied.is_ok();
                // Whoever started this thread waits for the word.
                let _ = tell.send(applied);
                if is_ready {
                    work();
                }
            })
            .map_err(|source| ThreadError::Spawn {
                name: name.into(),
                source,
            })?;
        match told.recv() {
            Ok(Ok(())) => Ok(thread),
            Ok(Err(error)) => {
                let _ = thread.join();
                Err(error)
            }
            Err(mpsc::RecvError) => Err(ThreadError::Spawn {
                name: name.into(),
                source: io::Error::other("it ended at once"),
            }),
        }
    }

    /// Gives the calling thread these settings.
    fn apply(&self, name: &str) -> Result<(), ThreadError> {
        if !self.cores.is_empty() {
            linux::stay_on(&self.cores).map_err(|source| ThreadError::Cores {
                name: name.into(),
                cores: self.cores.clone(),
                source,
            })?;
        }
        match self.priority {
            ThreadPriority::Inherited => Ok(()),
            ThreadPriority::RealTime(priority) => {
                linux::run_in_real_time(priority).map_err(|source| ThreadError::Priority {
                    name: name.into(),
                    priority,
                    source,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests;
