//! What can go wrong with a trace.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// Why a trace cannot be written.
#[derive(Debug)]
pub struct TraceError {
    file: PathBuf,
    expected: String,
    found: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl TraceError {
    pub(crate) fn new(file: &Path, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            file: file.to_path_buf(),
            expected: expected.into(),
            found: found.into(),
            source: None,
        }
    }

    pub(crate) fn caused_by(
        file: &Path,
        expected: impl Into<String>,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        let mut error = Self::new(file, expected, source.to_string());
        error.source = Some(Box::new(source));
        error
    }
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            expected,
            found,
            ..
        } = self;
        write!(f, "{}: expected {expected}, found {found}", file.display())
    }
}

impl Error for TraceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| &**source as &(dyn Error + 'static))
    }
}
