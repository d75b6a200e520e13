//! What goes wrong with shared memory.

use std::error::Error;
use std::fmt;

use bevrt_runtime::FrameLayoutError;
use iceoryx2::port::{LoanError, ReceiveError, SendError};

use crate::error::ProtectError;

/// A publisher or subscriber that cannot be set up.
#[derive(Debug)]
pub struct SharedMemoryError {
    /// The service asked for.
    pub service: String,
    /// What was being done.
    pub step: &'static str,
    source: Box<dyn Error + Send + Sync>,
}

impl SharedMemoryError {
    pub(super) fn new(
        service: &str,
        step: &'static str,
        source: Box<dyn Error + Send + Sync>,
    ) -> Self {
        Self {
            service: service.to_owned(),
            step,
            source,
        }
    }
}

impl fmt::Display for SharedMemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "shared memory service `{}`: {} failed: {}",
            self.service, self.step, self.source
        )
    }
}

impl Error for SharedMemoryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}

/// Why a frame was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishError {
    /// No memory could be loaned.
    Loan(LoanError),
    /// The loaned memory has another length or alignment than a sample.
    Memory,
    /// The header could not be written.
    Protect(ProtectError),
    /// The sample could not be sent.
    Send(SendError),
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loan(error) => write!(f, "no memory could be loaned: {error}"),
            Self::Memory => write!(f, "the loaned memory cannot hold an aligned frame"),
            Self::Protect(error) => write!(f, "the frame could not be protected: {error}"),
            Self::Send(error) => write!(f, "the sample could not be sent: {error}"),
        }
    }
}

impl Error for PublishError {}

/// Why no verdict on a frame could be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeError {
    /// The shared memory could not be read; the check has counted as one without new data.
    Receive(ReceiveError),
    /// An intact message holds no frame of this version.
    Layout(FrameLayoutError),
}

impl fmt::Display for TakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receive(error) => write!(f, "the shared memory could not be read: {error}"),
            Self::Layout(error) => write!(f, "the frame is of another version: {error}"),
        }
    }
}

impl Error for TakeError {}
