use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use super::hex::Hex;
use super::{NetworkRequest, OnnxProblem, SignatureProblem};
use crate::manifest::ManifestError;

/// Why a package cannot be used.
#[derive(Debug)]
pub enum PackageError {
    /// The manifest is wrong.
    Manifest(ManifestError),
    /// A file of the package cannot be read.
    Read {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file differs from what the manifest promises.
    Hash {
        /// The file.
        file: PathBuf,
        /// SHA-256 in the manifest.
        expected: [u8; 32],
        /// SHA-256 of the file.
        found: [u8; 32],
    },
    /// A file that is to be read has no hash in the manifest.
    Unlisted {
        /// The file.
        file: PathBuf,
    },
    /// The package is not signed as it must be.
    Signature {
        /// The signature.
        file: PathBuf,
        /// What is wrong.
        problem: SignatureProblem,
    },
    /// A network holds what it may not.
    Network {
        /// The file.
        file: PathBuf,
        /// What.
        problem: OnnxProblem,
    },
    /// No network of the package fits.
    NoNetwork {
        /// The package.
        folder: PathBuf,
        /// What was asked for.
        request: NetworkRequest,
        /// What each network lacks.
        reasons: Vec<String>,
    },
}

impl From<ManifestError> for PackageError {
    fn from(error: ManifestError) -> Self {
        Self::Manifest(error)
    }
}

impl fmt::Display for PackageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest(error) => error.fmt(f),
            Self::Read { file, source } => {
                write!(f, "{}: cannot be read: {source}", file.display())
            }
            Self::Hash {
                file,
                expected,
                found,
            } => write!(
                f,
                "{}: field `sha256`: expected {}, found {}",
                file.display(),
                Hex(expected),
                Hex(found)
            ),
            Self::Unlisted { file } => write!(
                f,
                "{}: expected its SHA-256 in `[files]` of the manifest, found none",
                file.display()
            ),
            Self::Signature { file, problem } => write!(f, "{}: {problem}", file.display()),
            Self::Network { file, problem } => write!(f, "{}: {problem}", file.display()),
            Self::NoNetwork {
                folder,
                request,
                reasons,
            } => {
                write!(
                    f,
                    "{}: no network for the {} provider",
                    folder.display(),
                    request.provider
                )?;
                if let Some(precision) = request.precision {
                    write!(f, " in {precision}")?;
                }
                write!(f, " ({})", reasons.join("; "))
            }
        }
    }
}

impl Error for PackageError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Manifest(error) => error.source(),
            Self::Read { source, .. } => Some(source),
            Self::Hash { .. }
            | Self::Unlisted { .. }
            | Self::Signature { .. }
            | Self::Network { .. }
            | Self::NoNetwork { .. } => None,
        }
    }
}
