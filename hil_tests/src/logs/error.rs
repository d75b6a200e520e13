//! What can be wrong with a log.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// Why a log cannot be read or written.
#[derive(Debug)]
pub struct LogError(Box<Problem>);

#[derive(Debug)]
struct Problem {
    file: PathBuf,
    topic: Option<String>,
    log_time_ns: Option<u64>,
    expected: String,
    found: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl LogError {
    /// What was expected of a log file, and what was found.
    pub fn new(file: &Path, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self(Box::new(Problem {
            file: file.to_path_buf(),
            topic: None,
            log_time_ns: None,
            expected: expected.into(),
            found: found.into(),
            source: None,
        }))
    }

    /// The same with the error that tells it.
    pub fn caused_by(
        file: &Path,
        expected: impl Into<String>,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        let mut error = Self::new(file, expected, source.to_string());
        error.0.source = Some(Box::new(source));
        error
    }

    /// Names the topic.
    #[must_use]
    pub fn on_topic(mut self, topic: &str) -> Self {
        self.0.topic = Some(topic.to_owned());
        self
    }

    /// Names the log time of the message.
    #[must_use]
    pub fn at(mut self, log_time_ns: u64) -> Self {
        self.0.log_time_ns = Some(log_time_ns);
        self
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.0.file
    }

    /// The topic, where the error is on one.
    pub fn topic(&self) -> Option<&str> {
        self.0.topic.as_deref()
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem {
            file,
            topic,
            log_time_ns,
            expected,
            found,
            ..
        } = &*self.0;
        write!(f, "{}", file.display())?;
        if let Some(topic) = topic {
            write!(f, ", {topic}")?;
        }
        if let Some(log_time_ns) = log_time_ns {
            write!(
                f,
                " at {}.{:09} s",
                log_time_ns / 1_000_000_000,
                log_time_ns % 1_000_000_000
            )?;
        }
        write!(f, ": expected {expected}, found {found}")
    }
}

impl Error for LogError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0
            .source
            .as_ref()
            .map(|source| &**source as &(dyn Error + 'static))
    }
}
