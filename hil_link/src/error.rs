//! Why a side gives up.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use bevrt_hil::source::SourceError;
use bevrt_runtime::FrameLayoutError;

use crate::wire::WireError;

/// Why a side gives up.
#[derive(Debug)]
pub enum LinkError {
    /// The wire is closed.
    Wire(WireError),
    /// The drive cannot be read.
    Source(SourceError),
    /// The unit cannot take this drive.
    Refused(String),
    /// The other side did not answer.
    Silent {
        /// What was awaited.
        awaited: &'static str,
        /// For how long.
        waited: Duration,
    },
    /// The unit was started anew in the middle of a drive in lockstep, so its state is lost.
    Restarted,
    /// An intact message holds no frame of this version.
    Layout(FrameLayoutError),
    /// The visitor gave up.
    Visitor(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wire(error) => error.fmt(f),
            Self::Source(error) => error.fmt(f),
            Self::Refused(why) => write!(f, "the unit refused the drive: {why}"),
            Self::Silent { awaited, waited } => write!(
                f,
                "expected {awaited} within {:.1} s, found silence",
                waited.as_secs_f64()
            ),
            Self::Restarted => f.write_str("the unit was started anew during the drive"),
            Self::Layout(error) => write!(f, "output frame: {error}"),
            Self::Visitor(error) => error.fmt(f),
        }
    }
}

impl Error for LinkError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Wire(error) => error.source(),
            Self::Source(error) => error.source(),
            Self::Refused(_) | Self::Silent { .. } | Self::Restarted => None,
            Self::Layout(error) => error.source(),
            Self::Visitor(error) => error.source(),
        }
    }
}

impl From<WireError> for LinkError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<SourceError> for LinkError {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl From<FrameLayoutError> for LinkError {
    fn from(error: FrameLayoutError) -> Self {
        Self::Layout(error)
    }
}
