//! The record beside engines that were built ahead, and whether they serve here and now.
//!
//! A TensorRT engine serves one network, on one kind of GPU, by one version of everything. The
//! provider builds another one silently when it finds none that serves; so the record is compared
//! before loading, and after it the folder must hold the engines that it held before.

mod facts;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::provider::TensorRtOptions;
use facts::{gpu_name, tensorrt_version};

/// Name of the record in its folder.
pub const ENGINE_RECORD_FILE: &str = "bevrt-engine.json";
const FORMAT: u32 = 1;

/// What engines were built from and for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineRecord {
    format: u32,
    /// SHA-256 of the network.
    network_sha256: String,
    /// Cameras that the network's inputs are shaped for.
    cameras: usize,
    /// Version and commit of ONNX Runtime.
    onnxruntime: String,
    /// Version of TensorRT, where its library tells.
    tensorrt: Option<String>,
    /// The GPU or, on boards where that is a part of it, the board.
    gpu: Option<String>,
    /// Options that the engines were built by.
    options: BTreeMap<String, String>,
    /// The engines with their lengths in bytes.
    engines: BTreeMap<String, u64>,
}

/// Why engines that were built ahead do not serve.
#[derive(Debug)]
pub enum EngineCacheError {
    /// There is no record, or it cannot be read.
    Record {
        /// The record.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The engines are for something else.
    Stale {
        /// The record.
        file: PathBuf,
        /// Each thing that differs, with what is recorded and what is here.
        differences: Vec<String>,
    },
    /// TensorRT took none of them and built another one.
    Rebuilt {
        /// The folder.
        folder: PathBuf,
        /// Engines that are new, changed or gone.
        engines: Vec<String>,
    },
}

impl EngineRecord {
    /// What engines in this folder would be for, here and now.
    pub(super) fn of(
        options: &TensorRtOptions,
        network_sha256: [u8; 32],
        cameras: usize,
        onnxruntime: &str,
    ) -> Self {
        let built_by = options.build_pairs().into_iter();
        Self {
            format: FORMAT,
            network_sha256: network_sha256
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            cameras,
            onnxruntime: onnxruntime.into(),
            tensorrt: tensorrt_version(),
            gpu: gpu_name(options.device),
            options: built_by
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
            engines: engines(&options.engine_cache),
        }
    }

    /// Reads the record of a folder.
    ///
    /// # Errors
    /// [`EngineCacheError::Record`].
    pub fn read(folder: &Path) -> Result<Self, EngineCacheError> {
        let file = folder.join(ENGINE_RECORD_FILE);
        let wrong = |reason: String| EngineCacheError::Record {
            file: file.clone(),
            reason,
        };
        let text = std::fs::read_to_string(&file).map_err(|error| wrong(error.to_string()))?;
        let record: Self = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if record.format != FORMAT {
            let found = record.format;
            return Err(wrong(format!("format: expected {FORMAT}, found {found}")));
        }
        Ok(record)
    }

    /// Writes the record into its folder.
    ///
    /// # Errors
    /// [`EngineCacheError::Record`].
    pub(super) fn write(&self, folder: &Path) -> Result<(), EngineCacheError> {
        let file = folder.join(ENGINE_RECORD_FILE);
        let written = serde_json::to_string_pretty(self)
            .map_err(std::io::Error::from)
            .and_then(|text| std::fs::write(&file, text + "\n"));
        written.map_err(|error| EngineCacheError::Record {
            file,
            reason: error.to_string(),
        })
    }

    /// The engines with their lengths in bytes.
    pub fn engines(&self) -> &BTreeMap<String, u64> {
        &self.engines
    }

    /// Refuses engines that are for something else than `self`. What one side does not know, such as
    /// TensorRT's version before its library is loaded, is not held against them.
    pub(super) fn check(&self, folder: &Path) -> Result<(), EngineCacheError> {
        let differences = Self::read(folder)?.differences(self);
        if differences.is_empty() {
            return Ok(());
        }
        Err(EngineCacheError::Stale {
            file: folder.join(ENGINE_RECORD_FILE),
            differences,
        })
    }

    fn differences(&self, now: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |what: &str, recorded: &str, here: &str| {
            if recorded != here {
                found.push(format!("{what}: built for {recorded}, found {here}"));
            }
        };
        compare("network", &self.network_sha256, &now.network_sha256);
        compare(
            "cameras",
            &self.cameras.to_string(),
            &now.cameras.to_string(),
        );
        compare("ONNX Runtime", &self.onnxruntime, &now.onnxruntime);
        for (what, recorded, here) in [
            ("TensorRT", &self.tensorrt, &now.tensorrt),
            ("GPU", &self.gpu, &now.gpu),
        ] {
            if let (Some(recorded), Some(here)) = (recorded, here) {
                compare(what, recorded, here);
            }
        }
        compare("options", &listed(&self.options), &listed(&now.options));
        compare("engines", &listed(&self.engines), &listed(&now.engines));
        if self.engines.is_empty() {
            found.push("engines: expected at least one, found none".into());
        }
        found
    }

    /// Refuses what TensorRT has built since `self` was taken.
    pub(super) fn check_not_rebuilt(&self, folder: &Path) -> Result<(), EngineCacheError> {
        let now = engines(folder);
        let names = self.engines.keys().chain(now.keys());
        let mut changed: Vec<String> = names
            .filter(|name| self.engines.get(*name) != now.get(*name))
            .cloned()
            .collect();
        changed.sort();
        changed.dedup();
        if changed.is_empty() {
            return Ok(());
        }
        Err(EngineCacheError::Rebuilt {
            folder: folder.to_path_buf(),
            engines: changed,
        })
    }
}

/// The engines in a folder with their lengths; none where it cannot be read.
fn engines(folder: &Path) -> BTreeMap<String, u64> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|ext| ext == "engine"))
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            Some((name, entry.metadata().ok()?.len()))
        })
        .collect()
}

fn listed<T: fmt::Display>(map: &BTreeMap<String, T>) -> String {
    let items: Vec<String> = map
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    format!("[{}]", items.join(", "))
}

impl fmt::Display for EngineCacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record { file, reason } => write!(
                f,
                "{}: {reason}; `bevrt build-engine` builds engines with their record",
                file.display()
            ),
            Self::Stale { file, differences } => write!(
                f,
                "{}: the engines do not serve here: {}; build them again with `bevrt build-engine`",
                file.display(),
                differences.join("; ")
            ),
            Self::Rebuilt { folder, engines } => write!(
                f,
                "{}: TensorRT took none of the engines that were built ahead, and built {}",
                folder.display(),
                engines.join(", ")
            ),
        }
    }
}

impl Error for EngineCacheError {}

#[cfg(test)]
mod tests;
