//! What can be wrong with a nuScenes folder.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// Why a nuScenes folder cannot be read or written.
#[derive(Debug)]
pub struct NuscenesError(Box<Problem>);

#[derive(Debug)]
struct Problem {
    file: PathBuf,
    record: Option<String>,
    field: Option<String>,
    expected: String,
    found: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl NuscenesError {
    /// What was expected of a file or folder, and what was found.
    pub fn new(
        file: impl Into<PathBuf>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self(Box::new(Problem {
            file: file.into(),
            record: None,
            field: None,
            expected: expected.into(),
            found: found.into(),
            source: None,
        }))
    }

    /// The same with the error that tells it.
    pub fn caused_by(
        file: impl Into<PathBuf>,
        expected: impl Into<String>,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        let mut error = Self::new(file, expected, source.to_string());
        error.0.source = Some(Box::new(source));
        error
    }

    /// Names the record, by its token or its place in the file.
    #[must_use]
    pub fn in_record(mut self, record: impl Into<String>) -> Self {
        self.0.record = Some(record.into());
        self
    }

    /// Names the field.
    #[must_use]
    pub fn in_field(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// The file or folder.
    pub fn file(&self) -> &Path {
        &self.0.file
    }

    /// The record's token, or its place where it has none.
    pub fn record(&self) -> Option<&str> {
        self.0.record.as_deref()
    }

    /// The field.
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }
}

impl fmt::Display for NuscenesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem {
            file,
            record,
            field,
            expected,
            found,
            ..
        } = &*self.0;
        write!(f, "{}", file.display())?;
        if let Some(record) = record {
            write!(f, ", record {record}")?;
        }
        if let Some(field) = field {
            write!(f, ", {field}")?;
        }
        write!(f, ": expected {expected}, found {found}")
    }
}

impl Error for NuscenesError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0
            .source
            .as_ref()
            .map(|source| &**source as &(dyn Error + 'static))
    }
}
