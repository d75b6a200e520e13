//! A model package: a folder with a manifest, networks and golden cases.

mod cpu_features;
mod error;
pub(crate) mod hex;
pub(crate) mod limited;
mod onnx_file;
mod signature;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use cpu_features::cpu_has;
pub use error::PackageError;
pub use onnx_file::{OnnxProblem, check as check_onnx_file};
pub use signature::{
    InvalidKey, PackageKey, PackageSignature, SIGNATURE_FILE, SignatureCheck, SignatureProblem,
};

use crate::manifest::{self, Manifest, ManifestError, NetworkEntry, Precision, ProviderKind};

/// Name of the manifest in a package.
pub const MANIFEST_FILE: &str = "manifest.toml";

/// The largest network that is read.
const NETWORK_LIMIT_BYTES: u64 = 1 << 30;

/// A model package whose manifest has been checked.
#[derive(Clone, Debug)]
pub struct Package {
    folder: PathBuf,
    manifest: Manifest,
    signer: Result<PackageKey, SignatureProblem>,
}

/// What the one who loads a package asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkRequest {
    /// Provider that will run the network.
    pub provider: ProviderKind,
    /// Number format; `None` takes the first network of the package that fits.
    pub precision: Option<Precision>,
}

/// A network file whose hash has been checked; the very bytes that were hashed.
#[derive(Clone, Debug)]
pub struct VerifiedNetwork {
    file: PathBuf,
    bytes: Vec<u8>,
    sha256: [u8; 32],
}

impl VerifiedNetwork {
    /// The hash of the bytes.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// Where the bytes came from, for messages.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The ONNX model.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Package {
    /// Opens the package in `folder`, whoever signed it, and checks its manifest. Networks are not
    /// read yet.
    ///
    /// # Errors
    /// The manifest is missing or breaks a rule.
    pub fn open(folder: &Path) -> Result<Self, PackageError> {
        Self::open_signed(folder, &SignatureCheck::Off)
    }

    /// As [`Package::open`], if `check` accepts the one who signed.
    ///
    /// The manifest is read once: the bytes whose signature is checked are those that are parsed.
    ///
    /// # Errors
    /// [`PackageError::Signature`], and as [`Package::open`].
    pub fn open_signed(folder: &Path, check: &SignatureCheck) -> Result<Self, PackageError> {
        let file = folder.join(MANIFEST_FILE);
        let bytes = limited::read_inside(folder, MANIFEST_FILE.as_ref(), manifest::LIMIT_BYTES)
            .map_err(|source| ManifestError::Read {
                file: file.clone(),
                source,
            })?;
        let signer = signature::signer(folder, &bytes);
        check
            .accepts(signer)
            .map_err(|problem| PackageError::Signature {
                file: folder.join(SIGNATURE_FILE),
                problem,
            })?;
        Ok(Self {
            folder: folder.to_path_buf(),
            manifest: Manifest::from_toml_bytes(bytes, &file)?,
            signer,
        })
    }

    /// Whose signature the package bears, trusted or not.
    ///
    /// # Errors
    /// It bears none, or one of something else.
    pub fn signer(&self) -> Result<PackageKey, SignatureProblem> {
        self.signer
    }

    /// The folder of the package.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The checked manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The first network that fits the request and this CPU.
    ///
    /// CPU features count only when the CPU runs the network.
    ///
    /// # Errors
    /// No network fits; the message says what every one lacks.
    pub fn choose(&self, request: NetworkRequest) -> Result<&NetworkEntry, PackageError> {
        let mut reasons = Vec::new();
        for entry in self.manifest.networks() {
            match misfit(entry, request) {
                None => return Ok(entry),
                Some(reason) => reasons.push(format!("{}: {reason}", entry.file.display())),
            }
        }
        Err(PackageError::NoNetwork {
            folder: self.folder.clone(),
            request,
            reasons,
        })
    }

    /// Reads a network of this package and checks its hash, and that it refers to no other file and
    /// to no operator that ONNX Runtime does not bring.
    ///
    /// The caller loads these bytes, not the file again, so what runs is what was checked.
    ///
    /// # Errors
    /// The file cannot be read, lies outside of the package, is larger than 1 GiB, its hash differs from the manifest's, or it
    /// holds what it may not.
    pub fn read_network(&self, entry: &NetworkEntry) -> Result<VerifiedNetwork, PackageError> {
        let file = self.folder.join(&entry.file);
        let bytes = self.read_hashed(&entry.file, NETWORK_LIMIT_BYTES, entry.sha256)?;
        match onnx_file::check(&bytes) {
            Ok(()) => Ok(VerifiedNetwork {
                file,
                bytes,
                sha256: entry.sha256,
            }),
            Err(problem) => Err(PackageError::Network { file, problem }),
        }
    }

    /// Reads another file of this package, at most `limit` bytes, and checks its hash. `file` is
    /// relative to the package.
    ///
    /// # Errors
    /// The manifest has no hash of it, it cannot be read, is larger, or its hash differs.
    pub fn read_file(&self, file: &Path, limit: u64) -> Result<Vec<u8>, PackageError> {
        let Some(entry) = self.manifest.file(file) else {
            let file = self.folder.join(file);
            return Err(PackageError::Unlisted { file });
        };
        self.read_hashed(file, limit, entry.sha256)
    }

    /// The bytes of a file of this package, when they have this hash.
    fn read_hashed(
        &self,
        file: &Path,
        limit: u64,
        expected: [u8; 32],
    ) -> Result<Vec<u8>, PackageError> {
        let path = self.folder.join(file);
        let bytes = match limited::read_inside(&self.folder, file, limit) {
            Ok(bytes) => bytes,
            Err(source) => return Err(PackageError::Read { file: path, source }),
        };
        let found: [u8; 32] = Sha256::digest(&bytes).into();
        if found == expected {
            return Ok(bytes);
        }
        Err(PackageError::Hash {
            file: path,
            expected,
            found,
        })
    }
}

/// Why the network does not fit, or `None` when it does.
fn misfit(entry: &NetworkEntry, request: NetworkRequest) -> Option<String> {
    if !entry.providers.contains(&request.provider) {
        return Some(format!("not for the {} provider", request.provider));
    }
    if let Some(precision) = request.precision
        && precision != entry.precision
    {
        return Some(format!("is {}", entry.precision));
    }
    if request.provider != ProviderKind::Cpu {
        return None;
    }
    entry
        .cpu_features
        .iter()
        .find(|feature| !cpu_has(feature))
        .map(|feature| {
            let what_then = if feature.ends_with("vnni") {
                ", without which sums of 8-bit products saturate"
            } else {
                ""
            };
            format!("this CPU lacks `{feature}`{what_then}")
        })
}

#[cfg(test)]
mod tests;
