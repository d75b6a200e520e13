use bevrt_calibration::BevGrid;

use super::detections::{CrosswalkDetection, CrosswalkDetections};
use super::overlap::Footprint;
use super::peaks::{Peak, PeakFinder, agreed_centre};
use super::raster::{Cells, DecodeError, Raster, exp_within, half_turn_angle};
use crate::manifest::HeadKind;

const DX: usize = 1;
const COS_2THETA: usize = 3;
const SIN_2THETA: usize = 4;
const LN_LENGTH: usize = 5;
const LN_WIDTH: usize = 6;
const Z: usize = 7;
const LN_SIGMA: usize = 8;

/// Share of the smaller crosswalk from which two are one.
const MOST_OVERLAP: f32 = 0.2;
/// Distance of centres below which two are one.
const LEAST_DISTANCE_M: f32 = 2.0;

/// Decodes maps of crosswalks, `[9, rows, cols]`.
///
/// Channels: logit; offset x, y (m, from the cell's centre); cos and sin of 2θ; ln length (along
/// the walking direction θ); ln width; z; ln sigma of the position.
#[derive(Debug)]
pub struct CrosswalkDecoder {
    cells: Cells,
    peaks: PeakFinder,
}

impl CrosswalkDecoder {
    /// A decoder for maps on `grid` with a confidence threshold.
    pub fn new(grid: &BevGrid, threshold: f32) -> Self {
        let cells = Cells::new(grid);
        Self {
            cells,
            peaks: PeakFinder::new(cells, &[threshold]),
        }
    }

    /// Finds the crosswalks of one map, strongest first.
    ///
    /// # Errors
    /// The map has another size, or holds a number that is not finite; `out` is empty then.
    pub fn decode_into(
        &mut self,
        output: &[f32],
        out: &mut CrosswalkDetections,
    ) -> Result<(), DecodeError> {
        out.clear();
        let raster = Raster::new(output, HeadKind::Crosswalks.channels(), &self.cells)?;
        for (confidence, peak) in self.peaks.find(&raster) {
            let crosswalk = crosswalk_at(&raster, &self.cells, peak, confidence);
            if out.iter().any(|stronger| is_same(stronger, &crosswalk)) {
                continue;
            }
            if out.push(crosswalk).is_err() {
                break;
            }
        }
        Ok(())
    }
}

fn crosswalk_at(
    raster: &Raster<'_>,
    cells: &Cells,
    peak: Peak,
    confidence: f32,
) -> CrosswalkDetection {
    let at = |channel| raster.at(channel, peak.cell);
    let [x, y] = agreed_centre(raster, cells, peak, DX);
    CrosswalkDetection {
        confidence,
        position_m: [x, y, at(Z)],
        theta_rad: half_turn_angle(at(COS_2THETA), at(SIN_2THETA)),
        length_m: exp_within(at(LN_LENGTH), 0.5, 60.0),
        width_m: exp_within(at(LN_WIDTH), 0.5, 30.0),
        sigma_position_m: exp_within(at(LN_SIGMA), 1e-3, 50.0),
    }
}

/// Whether two detections stand for one thing.
pub(super) fn is_same(a: &CrosswalkDetection, b: &CrosswalkDetection) -> bool {
    let footprint = |crosswalk: &CrosswalkDetection| Footprint {
        centre_m: [crosswalk.position_m[0], crosswalk.position_m[1]],
        size_m: [crosswalk.length_m, crosswalk.width_m],
        yaw_rad: crosswalk.theta_rad,
    };
    let (a, b) = (footprint(a), footprint(b));
    a.is_nearer(&b, LEAST_DISTANCE_M) || a.overlap(&b) > MOST_OVERLAP
}

#[cfg(test)]
mod tests;
