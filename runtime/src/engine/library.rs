//! Finding and loading ONNX Runtime, once in a process.

mod search;

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;

use search::{Candidate, candidates};

/// Environment variable with the path of the library; an explicit path goes before it.
pub const LIBRARY_VARIABLE: &str = "BEVRT_ONNXRUNTIME";

/// The ONNX Runtime of this process.
pub struct OnnxRuntimeLibrary {
    path: PathBuf,
    skipped: Vec<SkippedLibrary>,
    environment: Environment,
}

/// A library that was found and not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedLibrary {
    /// The library.
    pub path: PathBuf,
    /// Why it was not taken.
    pub reason: String,
}

/// Why there is no ONNX Runtime.
#[derive(Debug)]
pub enum LibraryError {
    /// The library that was asked for cannot be loaded.
    Load {
        /// The library.
        path: PathBuf,
        /// Who asked for it.
        asked_by: &'static str,
        /// What is wrong with it.
        source: ort::LoadDynamicError,
    },
    /// No library was found where one is looked for.
    NotFound {
        /// Libraries that were found and not taken.
        skipped: Vec<SkippedLibrary>,
    },
    /// This process has loaded another library, and a process can have only one.
    OtherIsLoaded {
        /// The one that was asked for.
        asked: PathBuf,
        /// The one that is loaded.
        loaded: PathBuf,
    },
    /// The library was loaded but refused to start.
    Start {
        /// The library.
        path: PathBuf,
        /// What it said.
        source: ort::Error,
    },
    /// The program is linked statically: loading any library would crash it.
    StaticProgram,
}

static LOADED: OnceLock<OnnxRuntimeLibrary> = OnceLock::new();
static LOADING: Mutex<()> = Mutex::new(());

impl OnnxRuntimeLibrary {
    /// The ONNX Runtime of this process, loaded at the first call.
    ///
    /// Looked for in this order: `explicit`; the variable [`LIBRARY_VARIABLE`]; beside the
    /// executable; `target/onnxruntime` in a folder above the executable; the system. A library
    /// that was asked for by path must load; one that is found and too old is skipped.
    /// It stays loaded until the process ends.
    ///
    /// # Errors
    /// None is found, the one asked for does not load, another one is already loaded, or the program
    /// is linked statically.
    pub fn load(explicit: Option<&Path>) -> Result<&'static Self, LibraryError> {
        if cfg!(all(unix, target_feature = "crt-static")) {
            return Err(LibraryError::StaticProgram);
        }
        // Nothing is shared under the lock, so a panic of another loader leaves nothing broken.
        let _guard = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = LOADED.get() {
            return loaded.if_same(explicit);
        }
        let library = find(explicit)?;
        log::info!("ONNX Runtime: {}", library.path.display());
        Ok(LOADED.get_or_init(|| library))
    }

    /// Where it was loaded from; a bare file name when the system's loader found it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Libraries that were found before it and not taken.
    pub fn skipped(&self) -> &[SkippedLibrary] {
        &self.skipped
    }

    /// Version, commit and compiler options, as the library tells them.
    pub fn build_info(&self) -> &'static str {
        ort::info()
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }

    fn if_same(&'static self, explicit: Option<&Path>) -> Result<&'static Self, LibraryError> {
        match explicit {
            Some(asked) if resolved(asked) != resolved(&self.path) => {
                Err(LibraryError::OtherIsLoaded {
                    asked: asked.to_path_buf(),
                    loaded: self.path.clone(),
                })
            }
            Some(_) | None => Ok(self),
        }
    }
}

fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

fn find(explicit: Option<&Path>) -> Result<OnnxRuntimeLibrary, LibraryError> {
    let variable = std::env::var_os(LIBRARY_VARIABLE).filter(|value| !value.is_empty());
    if let Some(path) = explicit {
        return asked_for(path, "an option");
    }
    if let Some(path) = variable {
        return asked_for(Path::new(&path), LIBRARY_VARIABLE);
    }
    let mut skipped = Vec::new();
    for candidate in candidates() {
        match take(candidate) {
            Ok(path) => return start(path, skipped),
            Err(Some(skip)) => {
                log::warn!("{}: skipped: {}", skip.path.display(), skip.reason);
                skipped.push(skip);
            }
            Err(None) => {}
        }
    }
    Err(LibraryError::NotFound { skipped })
}

fn asked_for(path: &Path, asked_by: &'static str) -> Result<OnnxRuntimeLibrary, LibraryError> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    ort::init_from(&path).map_err(|source| LibraryError::Load {
        path: path.clone(),
        asked_by,
        source,
    })?;
    start(path, Vec::new())
}

/// Loads a library that was found; `Err(None)` when there is none at all.
fn take(candidate: Candidate) -> Result<PathBuf, Option<SkippedLibrary>> {
    let Candidate { path, minor } = candidate;
    // Loading a library and dropping it again is not safe for everything that embeds ONNX Runtime,
    // so what the file name tells is used first.
    if let Some(minor) = minor
        && minor < ort::MINOR_VERSION
    {
        return Err(Some(SkippedLibrary {
            path,
            reason: format!(
                "version 1.{minor}, at least 1.{} is needed",
                ort::MINOR_VERSION
            ),
        }));
    }
    let by_loader = path.components().count() == 1;
    match ort::init_from(&path) {
        Ok(_) => Ok(path),
        // The system's loader knows none of this name: that is not worth a message.
        Err(ort::LoadDynamicError::Dlopen { .. }) if by_loader => Err(None),
        Err(error) => Err(Some(SkippedLibrary {
            path,
            reason: error.to_string(),
        })),
    }
}

fn start(path: PathBuf, skipped: Vec<SkippedLibrary>) -> Result<OnnxRuntimeLibrary, LibraryError> {
    let environment = ort::init()
        .with_name("bevrt")
        .with_telemetry(false)
        .with_logger(Arc::new(log_line))
        .build()
        .map_err(|source| LibraryError::Start {
            path: path.clone(),
            source,
        })?;
    environment.set_log_level(LogLevel::Warning);
    Ok(OnnxRuntimeLibrary {
        path,
        skipped,
        environment,
    })
}

fn log_line(level: LogLevel, category: &str, _id: &str, location: &str, message: &str) {
    let level = match level {
        LogLevel::Verbose => log::Level::Trace,
        LogLevel::Info => log::Level::Debug,
        LogLevel::Warning => log::Level::Warn,
        LogLevel::Error | LogLevel::Fatal => log::Level::Error,
    };
    log::log!(target: "onnxruntime", level, "{category}: {message} ({location})");
}

impl fmt::Debug for OnnxRuntimeLibrary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnnxRuntimeLibrary")
            .field("path", &self.path)
            .field("skipped", &self.skipped)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for LibraryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load {
                path,
                asked_by,
                source,
            } => write!(
                f,
                "ONNX Runtime asked for by {asked_by}, {}: {source}",
                path.display()
            ),
            Self::NotFound { skipped } => {
                write!(
                    f,
                    "no ONNX Runtime of version 1.{} or later: set {LIBRARY_VARIABLE} to its \
                     library, or put it beside the executable",
                    ort::MINOR_VERSION
                )?;
                for SkippedLibrary { path, reason } in skipped {
                    write!(f, "; {} was skipped: {reason}", path.display())?;
                }
                Ok(())
            }
            Self::OtherIsLoaded { asked, loaded } => write!(
                f,
                "ONNX Runtime {} is asked for, but this process has loaded {}",
                asked.display(),
                loaded.display()
            ),
            Self::Start { path, source } => {
                write!(f, "{} does not start: {source}", path.display())
            }
            Self::StaticProgram => f.write_str(
                "this program is linked statically and cannot load ONNX Runtime: build it without \
                 `-C target-feature=+crt-static`",
            ),
        }
    }
}

impl Error for LibraryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Load { source, .. } => Some(source),
            Self::Start { source, .. } => Some(source),
            Self::NotFound { .. } | Self::OtherIsLoaded { .. } | Self::StaticProgram => None,
        }
    }
}
