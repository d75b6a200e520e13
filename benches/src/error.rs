//! Why a benchmark cannot be run or compared.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use bevrt_hil::source::SourceError;
use bevrt_runtime::{FrameError, SetupError};

/// What went wrong.
#[derive(Debug)]
pub enum BenchError {
    /// The drive that the frames are taken from cannot be read.
    Source(SourceError),
    /// The frames do not serve: what is wrong, with numbers.
    Frames {
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
    /// The pipeline cannot be made.
    Setup(Box<SetupError>),
    /// The pipeline cannot take an image at all, or the engine fails.
    Frame(FrameError),
    /// A file cannot be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file holds something else than it should.
    Content {
        /// The file.
        path: PathBuf,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
}

impl BenchError {
    /// Says which file `error` is about.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File { path, source }
    }

    pub(crate) fn frames(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Frames {
            expected: expected.into(),
            found: found.into(),
        }
    }

    pub(crate) fn content(
        path: &Path,
        expected: impl Into<String>,
        found: impl fmt::Display,
    ) -> Self {
        Self::Content {
            path: path.to_path_buf(),
            expected: expected.into(),
            found: found.to_string(),
        }
    }
}

impl fmt::Display for BenchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::Frames { expected, found } => {
                write!(f, "frames: expected {expected}, found {found}")
            }
            Self::Setup(error) => error.fmt(f),
            Self::Frame(error) => error.fmt(f),
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Content {
                path,
                expected,
                found,
            } => write!(f, "{}: expected {expected}, found {found}", path.display()),
        }
    }
}

impl Error for BenchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Source(error) => error.source(),
            Self::Setup(error) => error.source(),
            Self::Frame(error) => error.source(),
            Self::File { source, .. } => Some(source),
            Self::Frames { .. } | Self::Content { .. } => None,
        }
    }
}

impl From<SourceError> for BenchError {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl From<SetupError> for BenchError {
    fn from(error: SetupError) -> Self {
        Self::Setup(Box::new(error))
    }
}

impl From<FrameError> for BenchError {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}
