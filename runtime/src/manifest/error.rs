use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use bevrt_calibration::CalibrationError;

/// Why a manifest was refused.
#[derive(Debug)]
pub enum ManifestError {
    /// The file cannot be read.
    Read {
        /// The manifest.
        file: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The text is not TOML of the expected form.
    Syntax {
        /// The manifest.
        file: PathBuf,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// A field has a value that cannot be.
    Field {
        /// The manifest.
        file: PathBuf,
        /// Path of the field, such as `head[2].thresholds`.
        field: String,
        /// What would be right.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A grid or a lift cannot be.
    Calibration {
        /// The manifest.
        file: PathBuf,
        /// The section, such as `lift[0]`.
        section: String,
        /// Which field, what would be right and what stands there.
        source: Box<CalibrationError>,
    },
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { file, source } => {
                write!(f, "{}: cannot be read: {source}", file.display())
            }
            Self::Syntax { file, source } => write!(f, "{}: {source}", file.display()),
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
            Self::Calibration {
                file,
                section,
                source,
            } => write!(f, "{}: section `{section}`: {source}", file.display()),
        }
    }
}

impl Error for ManifestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            Self::Syntax { source, .. } => Some(source.as_ref()),
            Self::Calibration { source, .. } => Some(source.as_ref()),
            Self::Field { .. } => None,
        }
    }
}
