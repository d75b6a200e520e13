//! What messages go over.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// A message and when it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// On [`LinkClock`](crate::LinkClock).
    pub at_ns: i64,
    /// The message.
    pub bytes: Vec<u8>,
}

/// A way to one other side for whole messages. It may lose, delay, repeat and reorder them.
pub trait Wire: Send + Sync {
    /// Sends a message. That nobody listens is no error.
    ///
    /// # Errors
    /// The wire is closed.
    fn send(&self, message: &[u8]) -> Result<(), WireError>;

    /// The next message; `None` when none comes within `wait`.
    ///
    /// # Errors
    /// The wire is closed.
    fn receive(&self, wait: Duration) -> Result<Option<Received>, WireError>;
}

/// Why nothing can be sent or received any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError(String);

impl WireError {
    /// An error that says what was tried and what came of it.
    pub fn new(what: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Self(format!("{what}: {problem}"))
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for WireError {}
