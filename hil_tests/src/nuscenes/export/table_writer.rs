//! Tables on their way to the disk, record by record.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::unwritable;
use crate::nuscenes::NuscenesError;

/// One table: a list of records, one on each line.
pub(super) struct Table {
    file: PathBuf,
    out: BufWriter<File>,
    is_empty: bool,
}

impl Table {
    fn create(folder: &Path, name: &str) -> Result<Self, NuscenesError> {
        let file = folder.join(format!("{name}.json"));
        let out = File::create(&file).map_err(|error| unwritable(&file, error))?;
        Ok(Self {
            file,
            out: BufWriter::new(out),
            is_empty: true,
        })
    }

    /// Adds a record.
    pub fn write(&mut self, record: &Value) -> Result<(), NuscenesError> {
        let start = if self.is_empty { "[\n" } else { ",\n" };
        self.is_empty = false;
        write!(self.out, "{start}{record}").map_err(|error| unwritable(&self.file, error))
    }

    fn finish(mut self) -> Result<(), NuscenesError> {
        let end = if self.is_empty { "[]\n" } else { "\n]\n" };
        write!(self.out, "{end}")
            .and_then(|()| self.out.flush())
            .map_err(|error| unwritable(&self.file, error))
    }
}

/// All tables of nuScenes v1.0.
pub(super) struct Tables {
    pub attribute: Table,
    pub calibrated_sensor: Table,
    pub category: Table,
    pub ego_pose: Table,
    pub instance: Table,
    pub log: Table,
    pub map: Table,
    pub sample: Table,
    pub sample_annotation: Table,
    pub sample_data: Table,
    pub scene: Table,
    pub sensor: Table,
    pub visibility: Table,
    /// Channels that have a record in `sensor`.
    pub channels: Vec<String>,
}

impl Tables {
    pub fn create(folder: &Path) -> Result<Self, NuscenesError> {
        let table = |name| Table::create(folder, name);
        Ok(Self {
            attribute: table("attribute")?,
            calibrated_sensor: table("calibrated_sensor")?,
            category: table("category")?,
            ego_pose: table("ego_pose")?,
            instance: table("instance")?,
            log: table("log")?,
            map: table("map")?,
            sample: table("sample")?,
            sample_annotation: table("sample_annotation")?,
            sample_data: table("sample_data")?,
            scene: table("scene")?,
            sensor: table("sensor")?,
            visibility: table("visibility")?,
            channels: Vec::new(),
        })
    }

    pub fn finish(self) -> Result<(), NuscenesError> {
        [
            self.attribute,
            self.calibrated_sensor,
            self.category,
            self.ego_pose,
            self.instance,
            self.log,
            self.map,
            self.sample,
            self.sample_annotation,
            self.sample_data,
            self.scene,
            self.sensor,
            self.visibility,
        ]
        .into_iter()
        .try_for_each(Table::finish)
    }
}
