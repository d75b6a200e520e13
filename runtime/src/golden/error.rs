use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use bevrt_calibration::CalibrationError;

use super::GoldenReport;
use crate::engine::{EngineError, EngineLoadError};
use crate::package::PackageError;

/// Why a golden self-test did not pass.
#[derive(Debug)]
pub enum GoldenError {
    /// A file cannot be read.
    Read {
        /// The file.
        file: PathBuf,
        /// What the operating system or the decoder said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A field of the cases cannot be.
    Field {
        /// The file.
        file: PathBuf,
        /// The field, such as `case0.objects.positions`.
        field: String,
        /// What would be right.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The rig of a case is wrong.
    Rig(CalibrationError),
    /// A file of the package cannot be read, or is not the one of the manifest.
    Package(PackageError),
    /// The network cannot be loaded for the rig of a case.
    Load(EngineLoadError),
    /// The network did not run.
    Run {
        /// The case.
        case: String,
        /// What failed.
        source: EngineError,
        /// What the provider said.
        detail: String,
    },
    /// Outputs differ by more than is allowed.
    Differs(Box<GoldenReport>),
}

impl From<EngineLoadError> for GoldenError {
    fn from(error: EngineLoadError) -> Self {
        Self::Load(error)
    }
}

impl From<PackageError> for GoldenError {
    fn from(error: PackageError) -> Self {
        Self::Package(error)
    }
}

impl fmt::Display for GoldenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { file, source } => {
                write!(f, "{}: cannot be read: {source}", file.display())
            }
            Self::Field {
                file,
                field,
                expected,
                found,
            } => write!(
                f,
                "{}: field `{field}`: expected {expected}, found {found}",
                file.display()
            ),
            Self::Rig(error) => error.fmt(f),
            Self::Package(error) => error.fmt(f),
            Self::Load(error) => error.fmt(f),
            Self::Run {
                case,
                source,
                detail,
            } => write!(f, "golden case {case}: {source}: {detail}"),
            Self::Differs(report) => report.fmt(f),
        }
    }
}

impl Error for GoldenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source.as_ref()),
            Self::Rig(error) => error.source(),
            Self::Package(error) => error.source(),
            Self::Load(error) => error.source(),
            Self::Run { source, .. } => Some(source),
            Self::Field { .. } | Self::Differs(_) => None,
        }
    }
}
