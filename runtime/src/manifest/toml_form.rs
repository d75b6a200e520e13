//! The manifest as it stands in TOML, and its checks.

mod heads;

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::path::{Component, Path, PathBuf};

use bevrt_calibration::{BevGrid, CalibrationError, DepthBins, LiftSpec, RaySpec};
use serde::Deserialize;

use super::{
    ColourOrder, FileEntry, GoldenSection, HEAD_CAPACITY, LIFT_CAPACITY, LiftSection,
    MANIFEST_FORMAT, Manifest, ManifestError, MatricesSection, NetworkEntry, Precision,
    PreprocessSection, ProviderKind, QueueAlignment, QueueSection, QueueStorage, ResizeKernel,
    SLOT_CAPACITY,
};
use crate::package::hex::bytes_of_hex;
use heads::TomlHead;

const LARGEST_IMAGE_SIDE: u32 = 8192;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlManifest {
    format: u32,
    name: String,
    version: String,
    world: String,
    network: Vec<TomlNetwork>,
    preprocess: TomlPreprocess,
    rays: Option<TomlRays>,
    #[serde(default)]
    lift: Vec<TomlLift>,
    matrices: Option<TomlMatrices>,
    queue: Option<TomlQueue>,
    head: Vec<TomlHead>,
    golden: Option<TomlGolden>,
    #[serde(default)]
    files: BTreeMap<PathBuf, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlNetwork {
    file: PathBuf,
    precision: Precision,
    providers: Vec<ProviderKind>,
    #[serde(default)]
    cpu_features: Vec<String>,
    sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlPreprocess {
    width: u32,
    height: u32,
    crop_top: f64,
    kernel: ResizeKernel,
    colour: ColourOrder,
    mean: [f32; 3],
    std: [f32; 3],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlRays {
    stride: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlLift {
    name: String,
    stride: u32,
    taps: u32,
    heights_m: Vec<f64>,
    geometry: bool,
    grid: BevGrid,
    depth_bins: Option<DepthBins>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlMatrices {
    largest_distortion_px: f64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TomlStorage {
    F16,
    U8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlQueue {
    grid: BevGrid,
    channels: u32,
    slots: u32,
    stride_s: f64,
    storage: TomlStorage,
    scale: Option<f32>,
    zero_point: Option<u8>,
    #[serde(default)]
    alignment: QueueAlignment,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlGolden {
    file: PathBuf,
    tolerance: BTreeMap<Precision, f32>,
}

/// Parses and checks; see [`Manifest::from_toml_str`].
pub(super) fn parse(text: &str, file: &Path) -> Result<Manifest, ManifestError> {
    // The format comes first: a manifest of another format may differ in every other field.
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let syntax = |source| ManifestError::Syntax {
        file: file.to_path_buf(),
        source: Box::new(source),
    };
    let check = Check { file };
    let Format { format } = toml::from_str(text).map_err(syntax)?;
    check.that(format == MANIFEST_FORMAT, "format", MANIFEST_FORMAT, format)?;
    let form: TomlManifest = toml::from_str(text).map_err(syntax)?;
    debug_assert_eq!(form.format, format);
    check.manifest(form)
}

/// Makes errors that name the file.
struct Check<'a> {
    file: &'a Path,
}

impl Check<'_> {
    fn that(
        &self,
        is_right: bool,
        field: impl Into<String>,
        expected: impl Display,
        found: impl Debug,
    ) -> Result<(), ManifestError> {
        if is_right {
            Ok(())
        } else {
            Err(self.wrong(field, expected, found))
        }
    }

    fn wrong(
        &self,
        field: impl Into<String>,
        expected: impl Display,
        found: impl Debug,
    ) -> ManifestError {
        ManifestError::Field {
            file: self.file.to_path_buf(),
            field: field.into(),
            expected: expected.to_string(),
            found: format!("{found:?}"),
        }
    }

    fn manifest(&self, form: TomlManifest) -> Result<Manifest, ManifestError> {
        self.that(!form.name.is_empty(), "name", "a name", &form.name)?;
        self.that(
            !form.network.is_empty(),
            "network",
            "at least one section",
            0,
        )?;
        let least = usize::from(form.matrices.is_none());
        self.that(
            (least..=LIFT_CAPACITY).contains(&form.lift.len()),
            "lift",
            format_args!("{least} to {LIFT_CAPACITY} sections (0 only with `[matrices]`)"),
            form.lift.len(),
        )?;
        self.that(
            (1..=HEAD_CAPACITY).contains(&form.head.len()),
            "head",
            format_args!("1 to {HEAD_CAPACITY} sections"),
            form.head.len(),
        )?;
        let networks = self.each("network", form.network, Self::network)?;
        let preprocess = self.preprocess(form.preprocess)?;
        let lifts = self.each("lift", form.lift, |check, field, lift| {
            check.lift(field, lift, &preprocess)
        })?;
        let heads = self.each("head", form.head, Self::head)?;
        self.unique("lift", "name", lifts.iter().map(|lift| &lift.name))?;
        self.unique("head", "output", heads.iter().map(|head| &head.output))?;
        self.apart(&heads)?;
        Ok(Manifest {
            name: form.name,
            version: form.version,
            world: form.world,
            networks,
            rays: form
                .rays
                .map(|rays| self.rays(&rays, &preprocess))
                .transpose()?,
            preprocess,
            lifts,
            matrices: form
                .matrices
                .map(|matrices| self.matrices(&matrices))
                .transpose()?,
            queue: form.queue.map(|queue| self.queue(queue)).transpose()?,
            heads,
            golden: form.golden.map(|golden| self.golden(golden)).transpose()?,
            files: self.files(form.files)?,
        })
    }

    fn each<T, U>(
        &self,
        section: &str,
        items: Vec<T>,
        convert: impl Fn(&Self, &str, T) -> Result<U, ManifestError>,
    ) -> Result<Vec<U>, ManifestError> {
        items
            .into_iter()
            .enumerate()
            .map(|(k, item)| convert(self, &format!("{section}[{k}]"), item))
            .collect()
    }

    fn unique<'t>(
        &self,
        section: &str,
        field: &str,
        names: impl Iterator<Item = &'t String>,
    ) -> Result<(), ManifestError> {
        let mut seen: Vec<&String> = Vec::new();
        for (k, name) in names.enumerate() {
            self.that(
                !name.is_empty() && !seen.contains(&name),
                format!("{section}[{k}].{field}"),
                "a name that no other section has",
                name,
            )?;
            seen.push(name);
        }
        Ok(())
    }

    /// A path that stays inside the package.
    fn inside(&self, field: String, path: &Path) -> Result<(), ManifestError> {
        let stays = path
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        self.that(
            stays && path.file_name().is_some(),
            field,
            "a file inside the package",
            path,
        )
    }

    fn network(&self, field: &str, form: TomlNetwork) -> Result<NetworkEntry, ManifestError> {
        self.inside(format!("{field}.file"), &form.file)?;
        self.that(
            !form.providers.is_empty(),
            format!("{field}.providers"),
            "at least one provider",
            &form.providers,
        )?;
        let sha256 = self.sha256(format!("{field}.sha256"), &form.sha256)?;
        Ok(NetworkEntry {
            file: form.file,
            precision: form.precision,
            providers: form.providers,
            cpu_features: form.cpu_features,
            sha256,
        })
    }

    fn files(&self, form: BTreeMap<PathBuf, String>) -> Result<Vec<FileEntry>, ManifestError> {
        form.into_iter()
            .map(|(file, sha256)| {
                let field = format!("files.{:?}", file.display().to_string());
                self.inside(field.clone(), &file)?;
                let sha256 = self.sha256(field, &sha256)?;
                Ok(FileEntry { file, sha256 })
            })
            .collect()
    }

    fn sha256(&self, field: String, digits: &str) -> Result<[u8; 32], ManifestError> {
        bytes_of_hex(digits).ok_or_else(|| self.wrong(field, "64 hexadecimal digits", digits))
    }

    fn preprocess(&self, form: TomlPreprocess) -> Result<PreprocessSection, ManifestError> {
        for (name, side) in [("width", form.width), ("height", form.height)] {
            self.that(
                (1..=LARGEST_IMAGE_SIDE).contains(&side),
                format!("preprocess.{name}"),
                format_args!("1 to {LARGEST_IMAGE_SIDE} pixels"),
                side,
            )?;
        }
        self.that(
            (0.0..1.0).contains(&form.crop_top),
            "preprocess.crop_top",
            "a share in [0, 1)",
            form.crop_top,
        )?;
        self.that(
            form.mean.iter().all(|mean| mean.is_finite()),
            "preprocess.mean",
            "finite numbers",
            form.mean,
        )?;
        self.that(
            form.std.iter().all(|std| std.is_finite() && *std > 0.0),
            "preprocess.std",
            "numbers above 0",
            form.std,
        )?;
        Ok(PreprocessSection {
            width: form.width,
            height: form.height,
            crop_top: form.crop_top,
            kernel: form.kernel,
            colour: form.colour,
            mean: form.mean,
            std: form.std,
        })
    }

    /// Puts the file and the section into a refusal by the calibration crate.
    fn calibrated<T>(
        &self,
        section: &str,
        result: Result<T, CalibrationError>,
    ) -> Result<T, ManifestError> {
        result.map_err(|error| ManifestError::Calibration {
            file: self.file.to_path_buf(),
            section: section.to_string(),
            source: Box::new(error),
        })
    }

    fn grid(&self, field: &str, grid: BevGrid) -> Result<BevGrid, ManifestError> {
        self.calibrated(&format!("{field}.grid"), grid.validate())?;
        Ok(grid)
    }

    fn rays(
        &self,
        form: &TomlRays,
        preprocess: &PreprocessSection,
    ) -> Result<RaySpec, ManifestError> {
        let rays = RaySpec::new(preprocess.width, preprocess.height, form.stride);
        self.calibrated("rays", rays)
    }

    fn lift(
        &self,
        field: &str,
        form: TomlLift,
        preprocess: &PreprocessSection,
    ) -> Result<LiftSection, ManifestError> {
        let divides = |side: u32| form.stride > 0 && side.is_multiple_of(form.stride);
        self.that(
            divides(preprocess.width) && divides(preprocess.height),
            format!("{field}.stride"),
            format_args!(
                "a divisor of the image size {} x {}",
                preprocess.width, preprocess.height
            ),
            form.stride,
        )?;
        let spec = LiftSpec {
            grid: form.grid,
            heights_m: form.heights_m,
            feature_width: preprocess.width / form.stride,
            feature_height: preprocess.height / form.stride,
            stride: form.stride,
            taps: form.taps,
            depth_bins: form.depth_bins,
        };
        self.calibrated(field, spec.validate())?;
        Ok(LiftSection {
            name: form.name,
            geometry: form.geometry,
            spec,
        })
    }

    fn matrices(&self, form: &TomlMatrices) -> Result<MatricesSection, ManifestError> {
        self.that(
            form.largest_distortion_px >= 0.0,
            "matrices.largest_distortion_px",
            "0 or more pixels, or inf",
            form.largest_distortion_px,
        )?;
        Ok(MatricesSection {
            largest_distortion_px: form.largest_distortion_px,
        })
    }

    fn queue(&self, form: TomlQueue) -> Result<QueueSection, ManifestError> {
        self.that(
            (1..=4096).contains(&form.channels),
            "queue.channels",
            "1 to 4096",
            form.channels,
        )?;
        self.that(
            (1..=SLOT_CAPACITY as u32).contains(&form.slots),
            "queue.slots",
            format_args!("1 to {SLOT_CAPACITY}"),
            form.slots,
        )?;
        self.that(
            form.stride_s.is_finite() && (1e-3..=60.0).contains(&form.stride_s),
            "queue.stride_s",
            "0.001 to 60 seconds",
            form.stride_s,
        )?;
        let storage = match (form.storage, form.scale, form.zero_point) {
            (TomlStorage::F16, None, None) => QueueStorage::F16,
            (TomlStorage::U8, Some(scale), Some(zero_point))
                if scale.is_finite() && scale > 0.0 =>
            {
                QueueStorage::U8 { scale, zero_point }
            }
            (TomlStorage::F16 | TomlStorage::U8, scale, zero_point) => {
                return Err(ManifestError::Field {
                    file: self.file.to_path_buf(),
                    field: "queue.storage".into(),
                    expected: "f16 without, or u8 with, `scale` above 0 and `zero_point`".into(),
                    found: format!("scale {scale:?}, zero_point {zero_point:?}"),
                });
            }
        };
        Ok(QueueSection {
            grid: self.grid("queue", form.grid)?,
            channels: form.channels,
            slots: form.slots,
            stride_s: form.stride_s,
            storage,
            alignment: form.alignment,
        })
    }

    fn golden(&self, form: TomlGolden) -> Result<GoldenSection, ManifestError> {
        self.inside("golden.file".into(), &form.file)?;
        for (precision, tolerance) in &form.tolerance {
            self.that(
                tolerance.is_finite() && *tolerance > 0.0,
                format!("golden.tolerance.{precision}"),
                "a number above 0",
                tolerance,
            )?;
        }
        Ok(GoldenSection {
            file: form.file,
            tolerance: form.tolerance.into_iter().collect(),
        })
    }
}
