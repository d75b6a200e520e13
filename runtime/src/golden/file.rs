use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use bevrt_calibration::Rig;
use serde::Deserialize;

use super::GoldenError;
use crate::manifest::Precision;
use crate::package::Package;

/// The format that is read.
const FORMAT: u32 = 2;
/// The largest file of cases that is read.
const LIMIT_BYTES: u64 = 64 << 20;
/// The largest rig that is read.
const RIG_LIMIT_BYTES: u64 = 1 << 20;

/// The cases of a package.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GoldenFile {
    format: u32,
    pub cases: Vec<CaseForm>,
}

/// A short drive and what the network says at its end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseForm {
    pub name: String,
    /// Rig at the network's image size.
    rig: PathBuf,
    /// Oldest first; the last one is compared.
    pub frames: Vec<FrameForm>,
    /// What networks say, by precision, as another implementation ran them.
    outputs: BTreeMap<Precision, Vec<OutputForm>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FrameForm {
    pub stamp_ns: i64,
    /// 4 × 4, row by row.
    pub odom_from_ego: [f64; 16],
    /// One picture for each camera, in the order of the rig.
    pub images: Vec<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutputForm {
    pub name: String,
    pub shape: Vec<usize>,
    pub positions: Vec<usize>,
    pub values: Vec<f32>,
    pub channel_mean: Vec<f32>,
    pub channel_std: Vec<f32>,
}

impl GoldenFile {
    /// The precision whose outputs a network of `precision` is held against: its own, or fp32 where
    /// no case has them.
    ///
    /// Rounding to 8 bit is the network's own business, settled when it was made. What is asked
    /// here is whether this machine computes what that network says.
    pub(super) fn reference_of(&self, precision: Precision) -> Precision {
        let has_own = self
            .cases
            .iter()
            .any(|case| case.outputs(precision).is_some());
        if has_own { precision } else { Precision::Fp32 }
    }

    /// Reads the cases of a package from `file`, whose hash the manifest has.
    pub(super) fn open(package: &Package, file: &Path) -> Result<Self, GoldenError> {
        let path = &package.folder().join(file);
        let read = |source: Box<dyn std::error::Error + Send + Sync>| GoldenError::Read {
            file: path.to_path_buf(),
            source,
        };
        let bytes = package.read_file(file, LIMIT_BYTES)?;
        let file: Self = serde_json::from_slice(&bytes).map_err(|error| read(error.into()))?;
        let field = |field: String, expected: &str, found: String| {
            Err(GoldenError::Field {
                file: path.to_path_buf(),
                field,
                expected: expected.into(),
                found,
            })
        };
        if file.format != FORMAT {
            return field(
                "format".into(),
                &FORMAT.to_string(),
                file.format.to_string(),
            );
        }
        for case in &file.cases {
            let name = &case.name;
            let has_outputs = case.outputs.values().any(|outputs| !outputs.is_empty());
            if case.frames.is_empty() || !has_outputs {
                return field(
                    name.clone(),
                    "at least one frame and one output",
                    "none".into(),
                );
            }
            let is_rising = case
                .frames
                .windows(2)
                .all(|pair| pair[0].stamp_ns < pair[1].stamp_ns);
            if !is_rising {
                return field(format!("{name}.frames"), "rising stamps", "others".into());
            }
            let mut images = case.frames.iter().flat_map(|frame| &frame.images);
            if let Some(outside) = images.find(|path| !is_inside(path)) {
                let found = outside.display().to_string();
                return field(format!("{name}.images"), "files inside the package", found);
            }
            if !is_inside(&case.rig) {
                let found = case.rig.display().to_string();
                return field(format!("{name}.rig"), "a file inside the package", found);
            }
            for output in case.outputs.values().flatten() {
                output.check(path, name)?;
            }
        }
        Ok(file)
    }
}

impl CaseForm {
    /// The outputs of a precision, if this case has them.
    pub(super) fn outputs(&self, precision: Precision) -> Option<&[OutputForm]> {
        self.outputs.get(&precision).map(Vec::as_slice)
    }

    pub(super) fn rig(&self, package: &Package) -> Result<Rig, GoldenError> {
        let bytes = package.read_file(&self.rig, RIG_LIMIT_BYTES)?;
        let text = String::from_utf8_lossy(&bytes);
        Rig::from_toml_str(&text)
            .map_err(|error| GoldenError::Rig(error.in_file(package.folder().join(&self.rig))))
    }
}

impl OutputForm {
    /// Where the channel of a flat position is found: (stride, count).
    pub(super) fn channels(&self) -> (usize, usize) {
        match self.shape.as_slice() {
            // The queued map has its channels last, and so have scores and boxes of query sets; of
            // point lists [1, queries, points, dimensions] each query counts as a channel.
            [_, _, channels] => (1, *channels),
            [1, channels, rows, cols] => (rows * cols, *channels),
            _ => (1, 0),
        }
    }

    fn check(&self, path: &Path, case: &str) -> Result<(), GoldenError> {
        let count: usize = self.shape.iter().product();
        let (_, channels) = self.channels();
        let is_sound = channels > 0
            && self.positions.len() == self.values.len()
            && !self.positions.is_empty()
            && self.positions.iter().all(|&position| position < count)
            && self.channel_mean.len() == channels
            && self.channel_std.len() == channels
            && self.channel_std.iter().all(|&std| std >= 0.0);
        if is_sound {
            return Ok(());
        }
        Err(GoldenError::Field {
            file: path.to_path_buf(),
            field: format!("{case}.{}", self.name),
            expected:
                "shape [.., .., channels] or [1, channels, .., ..], positions inside of it with \
                       as many values, mean and std of each channel"
                    .into(),
            found: format!(
                "shape {:?}, {} positions, {} values, {} means, {} stds",
                self.shape,
                self.positions.len(),
                self.values.len(),
                self.channel_mean.len(),
                self.channel_std.len()
            ),
        })
    }
}

fn is_inside(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
}
