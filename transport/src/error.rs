//! What goes wrong at set-up and when a message is protected.

use std::fmt;

/// A value of a configuration that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The field, as it is called in the specification struct.
    pub field: &'static str,
    /// What would be right.
    pub expected: String,
    /// What stands there.
    pub found: u64,
}

impl ConfigError {
    pub(crate) fn check(
        is_right: bool,
        field: &'static str,
        found: impl Into<u64>,
        expected: impl FnOnce() -> String,
    ) -> Result<(), Self> {
        if is_right {
            return Ok(());
        }
        Err(Self {
            field,
            expected: expected(),
            found: found.into(),
        })
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: expected {}, found {}",
            self.field, self.expected, self.found
        )
    }
}

impl std::error::Error for ConfigError {}

/// Why a message was not protected; the sender's counter has not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtectError {
    /// The message, header included, is shorter or longer than its channel allows.
    Length {
        /// Its length in bytes.
        found: usize,
    },
    /// The buffer cannot hold header and payload.
    Buffer {
        /// Bytes that the message needs.
        needed: usize,
        /// Bytes that the buffer has.
        found: usize,
    },
}

impl fmt::Display for ProtectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => {
                write!(
                    f,
                    "a message of {found} bytes is outside of the channel's range"
                )
            }
            Self::Buffer { needed, found } => {
                write!(
                    f,
                    "expected a buffer of {needed} bytes or more, found {found}"
                )
            }
        }
    }
}

impl std::error::Error for ProtectError {}
