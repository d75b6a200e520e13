//! How frame sets are put together.

use crate::frame::MAX_CAMERAS;
use crate::time::Span;

/// How frame sets are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncSpec {
    /// Cameras of the rig: 1 to [`MAX_CAMERAS`].
    pub cameras: usize,
    /// The camera whose stamp is the output's.
    pub reference: usize,
    /// Most that two stamps of a set may differ. Keep it below the cameras' frame period.
    pub tolerance: Span,
    /// Longest time from the first arrival of a set to its closing.
    pub deadline: Span,
    /// Sets in a row that a camera may miss before it is no longer waited for.
    pub patience: u32,
    /// Time without any set after which an empty one comes out.
    pub silence: Span,
}

/// Why a synchroniser cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncSetupError {
    /// The number of cameras is not within 1 and [`MAX_CAMERAS`].
    Cameras {
        /// The number found.
        found: usize,
    },
    /// The reference is not one of the cameras.
    Reference {
        /// Cameras of the rig.
        cameras: usize,
        /// The reference found.
        found: usize,
    },
    /// This time is not positive (the tolerance: negative).
    Time {
        /// The field of [`SyncSpec`].
        field: &'static str,
        /// The value found.
        found: Span,
    },
}

impl SyncSpec {
    /// Tolerance 60 ms, deadline 80 ms, patience of 3 sets, silence 500 ms.
    pub const fn new(cameras: usize, reference: usize) -> Self {
        Self {
            cameras,
            reference,
            tolerance: Span::from_milliseconds(60),
            deadline: Span::from_milliseconds(80),
            patience: 3,
            silence: Span::from_milliseconds(500),
        }
    }

    pub(super) fn check(&self) -> Result<(), SyncSetupError> {
        if !(1..=MAX_CAMERAS).contains(&self.cameras) {
            return Err(SyncSetupError::Cameras {
                found: self.cameras,
            });
        }
        if self.reference >= self.cameras {
            let (cameras, found) = (self.cameras, self.reference);
            return Err(SyncSetupError::Reference { cameras, found });
        }
        if self.tolerance < Span::ZERO {
            return Err(SyncSetupError::Time {
                field: "tolerance",
                found: self.tolerance,
            });
        }
        for (field, found) in [("deadline", self.deadline), ("silence", self.silence)] {
            if found <= Span::ZERO {
                return Err(SyncSetupError::Time { field, found });
            }
        }
        Ok(())
    }
}

impl std::fmt::Display for SyncSetupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cameras { found } => {
                write!(f, "cameras: expected 1 to {MAX_CAMERAS}, found {found}")
            }
            Self::Reference { cameras, found } => {
                write!(
                    f,
                    "reference camera: expected below {cameras}, found {found}"
                )
            }
            Self::Time { field, found } => {
                write!(f, "{field}: expected a positive time, found {found}")
            }
        }
    }
}

impl std::error::Error for SyncSetupError {}
