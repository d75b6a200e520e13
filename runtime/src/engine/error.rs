use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use super::{EngineCacheError, LibraryError};
use crate::threads::ThreadError;

/// What can go wrong on the frame path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineError {
    /// The network has no tensor of this role, or of this role and element type.
    NoSuchTensor,
    /// The provider failed while running the network.
    Run,
    /// A run was started and not finished.
    Running,
    /// The network's map stays with the engine and was not brought here.
    Kept,
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchTensor => "the network has no such tensor",
            Self::Run => "the provider failed while running the network",
            Self::Running => "a run of the network was started and must be finished first",
            Self::Kept => "the network's map stays with the engine and was not brought here",
        })
    }
}

impl Error for EngineError {}

/// Why a network cannot be loaded.
#[derive(Debug)]
pub enum EngineLoadError {
    /// ONNX Runtime cannot be loaded.
    Library(LibraryError),
    /// An input or output of the network is not what the manifest says.
    Mismatch {
        /// The network.
        file: PathBuf,
        /// The tensor and its property, such as `input images: shape`.
        field: String,
        /// What manifest and rig demand.
        expected: String,
        /// What the network has.
        found: String,
        /// What to change, and where in the manifest.
        change: Box<str>,
    },
    /// No provider of the order can run the network.
    NoProvider {
        /// The network.
        file: PathBuf,
        /// Each provider of the order with its failure.
        reasons: Vec<String>,
    },
    /// ONNX Runtime refused the network or an option.
    Session {
        /// The network.
        file: PathBuf,
        /// What was being done.
        step: &'static str,
        /// What ONNX Runtime said.
        source: ort::Error,
    },
    /// Past maps that stay with the provider do not come back as from the host.
    History {
        /// The network.
        file: PathBuf,
        /// The provider.
        provider: Box<str>,
        /// The motion and the place of the value.
        field: Box<str>,
        /// What the host gives.
        expected: String,
        /// What the provider gives.
        found: String,
    },
    /// A thread cannot be had as it was asked for.
    Thread(ThreadError),
    /// Engines that were built ahead are missing or do not serve here.
    EngineCache(EngineCacheError),
    /// An option cannot be.
    Option {
        /// The option.
        field: &'static str,
        /// What would be right.
        expected: &'static str,
        /// What was given.
        found: String,
    },
}

impl From<LibraryError> for EngineLoadError {
    fn from(error: LibraryError) -> Self {
        Self::Library(error)
    }
}

impl fmt::Display for EngineLoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Library(error) => error.fmt(f),
            Self::Mismatch {
                file,
                field,
                expected,
                found,
                change,
            } => write!(
                f,
                "{}: {field}: expected {expected}, found {found}; {change}",
                file.display()
            ),
            Self::NoProvider { file, reasons } => write!(
                f,
                "{}: no provider can run it ({})",
                file.display(),
                reasons.join("; ")
            ),
            Self::History {
                file,
                provider,
                field,
                expected,
                found,
            } => write!(
                f,
                "{}: past maps in the memory of {provider}: {field}: expected {expected} as from \
                 the host, found {found}; `history_memory = host` keeps them there",
                file.display()
            ),
            Self::Thread(error) => error.fmt(f),
            Self::EngineCache(error) => error.fmt(f),
            Self::Session { file, step, source } => {
                write!(f, "{}: {step}: {source}", file.display())
            }
            Self::Option {
                field,
                expected,
                found,
            } => write!(f, "option `{field}`: expected {expected}, found {found}"),
        }
    }
}

impl Error for EngineLoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Library(error) => error.source(),
            Self::Session { source, .. } => Some(source),
            Self::Thread(error) => error.source(),
            Self::Mismatch { .. }
            | Self::NoProvider { .. }
            | Self::EngineCache(_)
            | Self::History { .. }
            | Self::Option { .. } => None,
        }
    }
}
