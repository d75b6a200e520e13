//! Decoder of the object head; drops duplicates of one object.

use bevrt_calibration::BevGrid;

use super::detections::{ObjectDetection, ObjectDetections, ObjectSigma};
use super::overlap::Footprint;
use super::peaks::{Peak, PeakFinder, agreed_centre};
use super::raster::{Cells, DecodeError, Raster, exp_within};
use crate::manifest::HeadKind;

pub(super) const CLASSES: usize = 8;
const DX: usize = CLASSES;
const Z: usize = CLASSES + 2;
const LN_SIZE: usize = CLASSES + 3;
const SIN_YAW: usize = CLASSES + 6;
const COS_YAW: usize = CLASSES + 7;
const VELOCITY: usize = CLASSES + 8;
const YAW_RATE: usize = CLASSES + 10;
const LN_SIGMA: usize = CLASSES + 11;

/// Share of the smaller footprint from which two vehicles are one.
const VEHICLE_OVERLAP: f32 = 0.35;

/// Classes that can be mistaken for one another; only within a group one detection can be a
/// second one of the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectGroup {
    Vehicle,
    TwoWheeler,
    Pedestrian,
    Cone,
}

impl ObjectGroup {
    /// The group of a class index.
    pub(crate) const fn of(class: u8) -> Self {
        match class {
            0..=3 => Self::Vehicle,
            4 | 5 => Self::TwoWheeler,
            6 => Self::Pedestrian,
            _ => Self::Cone,
        }
    }

    /// Distance of centres below which two detections are one thing.
    const fn least_distance_m(self) -> f32 {
        match self {
            Self::Vehicle => 1.2,
            Self::TwoWheeler => 0.8,
            Self::Pedestrian => 0.4,
            Self::Cone => 0.3,
        }
    }
}

/// Decodes maps of 3D objects, `[25, rows, cols]`.
///
/// Channels: 8 class logits; offset x, y (m, from the cell's centre); z; ln length, width, height;
/// sin and cos of yaw; velocity x, y; yaw rate; ln sigma of x, y, yaw, velocity x, y, size.
#[derive(Debug)]
pub struct ObjectDecoder {
    cells: Cells,
    peaks: PeakFinder,
}

impl ObjectDecoder {
    /// A decoder for maps on `grid` with a confidence threshold for each of the eight classes.
    pub fn new(grid: &BevGrid, thresholds: &[f32]) -> Self {
        let cells = Cells::new(grid);
        Self {
            cells,
            peaks: PeakFinder::new(cells, thresholds),
        }
    }

    /// Finds the objects of one map, strongest first.
    ///
    /// # Errors
    /// The map has another size, or holds a number that is not finite; `out` is empty then.
    pub fn decode_into(
        &mut self,
        output: &[f32],
        out: &mut ObjectDetections,
    ) -> Result<(), DecodeError> {
        out.clear();
        let raster = Raster::new(output, HeadKind::Objects.channels(), &self.cells)?;
        for (confidence, peak) in self.peaks.find(&raster) {
            let object = object_at(&raster, &self.cells, peak, confidence);
            if out.iter().any(|stronger| is_same_object(stronger, &object)) {
                continue;
            }
            if out.push(object).is_err() {
                break;
            }
        }
        Ok(())
    }
}

fn object_at(raster: &Raster<'_>, cells: &Cells, peak: Peak, confidence: f32) -> ObjectDetection {
    let at = |channel| raster.at(channel, peak.cell);
    object_of(
        peak.class,
        confidence,
        agreed_centre(raster, cells, peak, DX),
        at,
    )
}

/// An object at `[x, y]` whose other values stand in the channels of a dense map.
pub(super) fn object_of(
    class: usize,
    confidence: f32,
    [x, y]: [f32; 2],
    at: impl Fn(usize) -> f32,
) -> ObjectDetection {
    let size = |k| exp_within(at(LN_SIZE + k), 0.05, 40.0);
    let sigma = |k| exp_within(at(LN_SIGMA + k), 1e-3, 50.0);
    ObjectDetection {
        class: class as u8,
        confidence,
        position_m: [x, y, at(Z)],
        size_m: [size(0), size(1), size(2)],
        yaw_rad: at(SIN_YAW).atan2(at(COS_YAW)),
        velocity_mps: [at(VELOCITY), at(VELOCITY + 1)],
        yaw_rate_radps: at(YAW_RATE),
        sigma: ObjectSigma {
            position_m: [sigma(0), sigma(1)],
            yaw_rad: sigma(2),
            velocity_mps: [sigma(3), sigma(4)],
            size_relative: sigma(5),
        },
    }
}

/// Whether two detections stand for one thing.
pub(crate) fn is_same_object(a: &ObjectDetection, b: &ObjectDetection) -> bool {
    let group = ObjectGroup::of(a.class);
    if group != ObjectGroup::of(b.class) {
        return false;
    }
    let (a, b) = (footprint(a), footprint(b));
    a.is_nearer(&b, group.least_distance_m())
        || (group == ObjectGroup::Vehicle && a.overlap(&b) > VEHICLE_OVERLAP)
}

fn footprint(object: &ObjectDetection) -> Footprint {
    Footprint {
        centre_m: [object.position_m[0], object.position_m[1]],
        size_m: [object.size_m[0], object.size_m[1]],
        yaw_rad: object.yaw_rad,
    }
}

#[cfg(test)]
mod tests;
