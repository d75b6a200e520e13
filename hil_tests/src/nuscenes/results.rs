//! Results in the form that the devkit takes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Serialize;

use super::level::upright;
use super::{KeyFrame, NuscenesError};
use crate::metrics::ScoreClass;
use crate::prediction::PredictedObject;

/// Most boxes that the devkit takes for one sample.
const MOST_BOXES: usize = 500;

/// Detections of any number of samples: the file that `nuscenes.eval.detection` reads.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NuscenesResults {
    meta: Meta,
    results: BTreeMap<String, Vec<ResultBox>>,
}

/// What the results were made from.
#[derive(Clone, Copy, Debug, Serialize)]
struct Meta {
    use_camera: bool,
    use_lidar: bool,
    use_radar: bool,
    use_map: bool,
    use_external: bool,
}

impl Default for Meta {
    fn default() -> Self {
        Self {
            use_camera: true,
            use_lidar: false,
            use_radar: false,
            use_map: false,
            use_external: false,
        }
    }
}

/// A box in the world.
#[derive(Clone, Debug, Serialize)]
struct ResultBox {
    sample_token: String,
    translation: [f64; 3],
    /// Width, length, height.
    size: [f64; 3],
    /// w x y z.
    rotation: [f64; 4],
    velocity: [f64; 2],
    detection_name: &'static str,
    detection_score: f64,
    attribute_name: &'static str,
}

impl NuscenesResults {
    /// Adds the objects of a key frame, given in its ego frame; the 500 of highest confidence. A
    /// sample without objects is to be added too: the devkit wants every one.
    pub fn add(&mut self, key_frame: &KeyFrame, objects: &[PredictedObject]) {
        let level = key_frame.level();
        let mut boxes: Vec<ResultBox> = objects
            .iter()
            .filter_map(|object| {
                let class = ScoreClass::of_object_class(object.class)?;
                let [length, width, height] = object.size_m;
                let rotation = upright(level.world_yaw(object.yaw_rad));
                Some(ResultBox {
                    sample_token: key_frame.sample_token.clone(),
                    translation: level.world_position(object.position_m),
                    size: [width, length, height],
                    rotation: [rotation.w, rotation.i, rotation.j, rotation.k],
                    velocity: level.world_direction(object.velocity_mps),
                    detection_name: class.name(),
                    detection_score: object.confidence,
                    attribute_name: "",
                })
            })
            .collect();
        boxes.sort_by(|a, b| b.detection_score.total_cmp(&a.detection_score));
        boxes.truncate(MOST_BOXES);
        self.results.insert(key_frame.sample_token.clone(), boxes);
    }

    /// Samples so far.
    pub fn sample_count(&self) -> usize {
        self.results.len()
    }

    /// Writes the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), NuscenesError> {
        let failed = |error| NuscenesError::caused_by(file, "a file that can be written", error);
        let mut out = BufWriter::new(File::create(file).map_err(failed)?);
        serde_json::to_writer(&mut out, self).map_err(|error| failed(error.into()))?;
        out.flush().map_err(failed)
    }
}
