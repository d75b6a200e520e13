//! The manifest of a model package: what the networks need and what they give.
//!
//! [`Manifest::from_toml_str`] is the only way to get one, and it checks everything that can be
//! checked without opening a network: ranges, names, agreement between sections.

mod error;
mod head;
mod sections;
mod toml_form;

use std::io;
use std::path::Path;

use bevrt_calibration::RaySpec;

use crate::package::limited;

pub use error::ManifestError;
pub use head::{
    GroundRange, HeadForm, HeadKind, HeadSection, MapElement, MapQueries, ObjectQueries,
    PointCoordinates, PointDimensions,
};
pub use sections::{
    ColourOrder, FileEntry, GoldenSection, LiftSection, MatricesSection, NetworkEntry, Precision,
    PreprocessSection, ProviderKind, QueueAlignment, QueueSection, QueueStorage, ResizeKernel,
};

/// The manifest format that this version reads.
pub const MANIFEST_FORMAT: u32 = 1;
/// Most lifts (projection tables) of one network.
pub const LIFT_CAPACITY: usize = 4;
/// Most heads of one network.
pub const HEAD_CAPACITY: usize = 8;
/// Most slots of the feature queue.
pub const SLOT_CAPACITY: usize = 8;
/// Most queries of a head.
pub const QUERY_CAPACITY: usize = 4096;
/// Most points of one query.
pub const QUERY_POINT_CAPACITY: usize = 64;

/// The largest manifest that is read.
pub(crate) const LIMIT_BYTES: u64 = 1 << 20;

/// A checked manifest.
#[derive(Clone, Debug)]
pub struct Manifest {
    name: String,
    version: String,
    world: String,
    networks: Vec<NetworkEntry>,
    preprocess: PreprocessSection,
    rays: Option<RaySpec>,
    lifts: Vec<LiftSection>,
    matrices: Option<MatricesSection>,
    queue: Option<QueueSection>,
    heads: Vec<HeadSection>,
    golden: Option<GoldenSection>,
    files: Vec<FileEntry>,
}

impl Manifest {
    /// Reads and checks a manifest file of at most 1 MiB.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, or breaks a rule; the message names the file, the
    /// field, what was expected and what was found.
    pub fn from_toml_file(path: &Path) -> Result<Self, ManifestError> {
        let bytes = limited::read(path, LIMIT_BYTES).map_err(|source| ManifestError::Read {
            file: path.to_path_buf(),
            source,
        })?;
        Self::from_toml_bytes(bytes, path)
    }

    /// Reads and checks the bytes of a manifest file; `file` is the name to put into messages.
    pub(crate) fn from_toml_bytes(bytes: Vec<u8>, file: &Path) -> Result<Self, ManifestError> {
        let text = String::from_utf8(bytes).map_err(|error| ManifestError::Read {
            file: file.to_path_buf(),
            source: io::Error::new(io::ErrorKind::InvalidData, error),
        })?;
        Self::from_toml_str(&text, file)
    }

    /// Reads and checks a manifest from its text; `file` is the name to put into messages.
    ///
    /// # Errors
    /// As [`Manifest::from_toml_file`], but for reading.
    pub fn from_toml_str(text: &str, file: &Path) -> Result<Self, ManifestError> {
        toml_form::parse(text, file)
    }

    /// Name of the model.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Version of the model.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Version of the world or data that the model was trained on.
    pub fn world(&self) -> &str {
        &self.world
    }

    /// The networks that the package offers, at least one, in order of preference.
    pub fn networks(&self) -> &[NetworkEntry] {
        &self.networks
    }

    /// How images become the network's input.
    pub fn preprocess(&self) -> &PreprocessSection {
        &self.preprocess
    }

    /// The grid on which the network is told its cameras' rays, if it asks for them.
    pub fn rays(&self) -> Option<&RaySpec> {
        self.rays.as_ref()
    }

    /// Projection tables that the network takes; at least one where it takes no matrices.
    pub fn lifts(&self) -> &[LiftSection] {
        &self.lifts
    }

    /// The cameras as matrices, if the network takes them.
    pub fn matrices(&self) -> Option<&MatricesSection> {
        self.matrices.as_ref()
    }

    /// The feature queue, if the network has a history.
    pub fn queue(&self) -> Option<&QueueSection> {
        self.queue.as_ref()
    }

    /// What the network finds, at least one.
    pub fn heads(&self) -> &[HeadSection] {
        &self.heads
    }

    /// The golden self-test, if the package has one.
    pub fn golden(&self) -> Option<&GoldenSection> {
        self.golden.as_ref()
    }

    /// The files of the package beside its networks that may be read.
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }

    /// What the manifest says of a file beside the networks.
    pub fn file(&self, file: &Path) -> Option<&FileEntry> {
        self.files.iter().find(|entry| entry.file == file)
    }
}

#[cfg(test)]
mod tests;
