//! Model packages that are damaged, and what loading them says.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use bevrt_runtime::MANIFEST_FILE;
use serde::Deserialize;

/// What is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DamagedPart {
    /// One bit of each network is another one.
    NetworkBit,
    /// Each network ends after half of its bytes.
    NetworkCut,
    /// The networks are not there.
    NetworkMissing,
    /// The manifest ends after half of its bytes.
    ManifestCut,
    /// The manifest is not there.
    ManifestMissing,
}

/// A copy of a package that is removed in the end.
pub(super) struct DamagedPackage {
    folder: PathBuf,
}

static COPIES: AtomicU32 = AtomicU32::new(0);

impl DamagedPackage {
    /// Copies manifest and networks, and damages them.
    ///
    /// # Errors
    /// The package cannot be read or copied.
    pub(super) fn of(package: &Path, part: DamagedPart) -> io::Result<Self> {
        let number = COPIES.fetch_add(1, Ordering::Relaxed);
        let name = format!("bevrt-damaged-{}-{number}", std::process::id());
        let copy = Self {
            folder: std::env::temp_dir().join(name),
        };
        fs::create_dir_all(&copy.folder)?;
        for entry in fs::read_dir(package)? {
            let path = entry?.path();
            let Some(name) = path.file_name().filter(|_| path.is_file()) else {
                continue;
            };
            let is_network = path
                .extension()
                .is_some_and(|extension| extension == "onnx");
            let is_manifest = name == MANIFEST_FILE;
            let mut bytes = fs::read(&path)?;
            let half = bytes.len() / 2;
            match part {
                DamagedPart::NetworkBit if is_network => bytes[half] ^= 1,
                DamagedPart::NetworkCut if is_network => bytes.truncate(half),
                DamagedPart::ManifestCut if is_manifest => bytes.truncate(half),
                DamagedPart::NetworkMissing if is_network => continue,
                DamagedPart::ManifestMissing if is_manifest => continue,
                _ => {}
            }
            fs::write(copy.folder.join(name), bytes)?;
        }
        Ok(copy)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for DamagedPackage {
    fn drop(&mut self) {
        // What is left lies in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
