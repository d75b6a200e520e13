use bevrt_calibration::BevGrid;

use super::detections::{ArrowDetection, ArrowDetections};
use super::peaks::{Peak, PeakFinder, agreed_centre};
use super::raster::{Cells, DecodeError, Raster, exp_within};
use crate::manifest::HeadKind;

/// Directions of each kind, in the order of the confidence maps: straight 1, left 2, right 4,
/// u-turn 8.
const DIRECTIONS: [u8; 8] = [1, 2, 4, 3, 5, 6, 7, 8];
const DX: usize = 8;
const SIN_YAW: usize = 10;
const COS_YAW: usize = 11;
const Z: usize = 12;
const LN_SIGMA: usize = 13;

/// Arrows of neighbouring lanes are further apart.
const LEAST_DISTANCE_M: f32 = 2.0;

/// Decodes maps of road arrows, `[14, rows, cols]`.
///
/// Channels: 8 kind logits; offset x, y (m, from the cell's centre); sin and cos of yaw; z;
/// ln sigma of the position.
#[derive(Debug)]
pub struct ArrowDecoder {
    cells: Cells,
    peaks: PeakFinder,
}

impl ArrowDecoder {
    /// A decoder for maps on `grid` with a confidence threshold for each of the eight kinds.
    pub fn new(grid: &BevGrid, thresholds: &[f32]) -> Self {
        let cells = Cells::new(grid);
        Self {
            cells,
            peaks: PeakFinder::new(cells, thresholds),
        }
    }

    /// Finds the arrows of one map, strongest first; one place has one arrow, of the strongest
    /// kind.
    ///
    /// # Errors
    /// The map has another size, or holds a number that is not finite; `out` is empty then.
    pub fn decode_into(
        &mut self,
        output: &[f32],
        out: &mut ArrowDetections,
    ) -> Result<(), DecodeError> {
        out.clear();
        let raster = Raster::new(output, HeadKind::Arrows.channels(), &self.cells)?;
        for (confidence, peak) in self.peaks.find(&raster) {
            let arrow = arrow_at(&raster, &self.cells, peak, confidence);
            if out.iter().any(|stronger| is_same(stronger, &arrow)) {
                continue;
            }
            if out.push(arrow).is_err() {
                break;
            }
        }
        Ok(())
    }
}

fn arrow_at(raster: &Raster<'_>, cells: &Cells, peak: Peak, confidence: f32) -> ArrowDetection {
    let at = |channel| raster.at(channel, peak.cell);
    let [x, y] = agreed_centre(raster, cells, peak, DX);
    ArrowDetection {
        directions: DIRECTIONS[peak.class],
        confidence,
        position_m: [x, y, at(Z)],
        yaw_rad: at(SIN_YAW).atan2(at(COS_YAW)),
        sigma_position_m: exp_within(at(LN_SIGMA), 1e-3, 50.0),
    }
}

/// Whether two detections stand for one thing.
pub(super) fn is_same(a: &ArrowDetection, b: &ArrowDetection) -> bool {
    let distance = (a.position_m[0] - b.position_m[0]).hypot(a.position_m[1] - b.position_m[1]);
    distance < LEAST_DISTANCE_M
}

#[cfg(test)]
mod tests;
