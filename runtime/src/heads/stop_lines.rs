use bevrt_calibration::BevGrid;

use super::detections::{StopLineDetection, StopLineDetections};
use super::peaks::{Peak, PeakFinder, agreed_centre};
use super::raster::{Cells, DecodeError, Raster, exp_within, half_turn_angle};
use crate::manifest::HeadKind;

const DX: usize = 1;
const COS_2THETA: usize = 3;
const SIN_2THETA: usize = 4;
const LN_LENGTH: usize = 5;
const Z: usize = 6;
const LN_SIGMA: usize = 7;

/// Distance of centres below which two stop lines are one.
const LEAST_DISTANCE_M: f32 = 1.5;
/// Stop lines of about one direction this close across it are one as far as they overlap.
const LEAST_ACROSS_M: f32 = 1.5;
/// Cosine of the largest angle between two detections of one stop line.
const SAME_DIRECTION: f32 = 0.9;

/// Decodes maps of stop lines, `[8, rows, cols]`.
///
/// Channels: logit; offset x, y (m, from the cell's centre); cos and sin of 2θ (direction of the
/// line); ln length; z; ln sigma of the position.
#[derive(Debug)]
pub struct StopLineDecoder {
    cells: Cells,
    peaks: PeakFinder,
}

impl StopLineDecoder {
    /// A decoder for maps on `grid` with a confidence threshold.
    pub fn new(grid: &BevGrid, threshold: f32) -> Self {
        let cells = Cells::new(grid);
        Self {
            cells,
            peaks: PeakFinder::new(cells, &[threshold]),
        }
    }

    /// Finds the stop lines of one map, strongest first.
    ///
    /// # Errors
    /// The map has another size, or holds a number that is not finite; `out` is empty then.
    pub fn decode_into(
        &mut self,
        output: &[f32],
        out: &mut StopLineDetections,
    ) -> Result<(), DecodeError> {
        out.clear();
        let raster = Raster::new(output, HeadKind::StopLines.channels(), &self.cells)?;
        for (confidence, peak) in self.peaks.find(&raster) {
            let line = stop_line_at(&raster, &self.cells, peak, confidence);
            if out.iter().any(|stronger| is_same(stronger, &line)) {
                continue;
            }
            if out.push(line).is_err() {
                break;
            }
        }
        Ok(())
    }
}

fn stop_line_at(
    raster: &Raster<'_>,
    cells: &Cells,
    peak: Peak,
    confidence: f32,
) -> StopLineDetection {
    let at = |channel| raster.at(channel, peak.cell);
    let [x, y] = agreed_centre(raster, cells, peak, DX);
    StopLineDetection {
        confidence,
        position_m: [x, y, at(Z)],
        theta_rad: half_turn_angle(at(COS_2THETA), at(SIN_2THETA)),
        length_m: exp_within(at(LN_LENGTH), 0.5, 60.0),
        sigma_position_m: exp_within(at(LN_SIGMA), 1e-3, 50.0),
    }
}

/// Whether two detections stand for one thing.
pub(super) fn is_same(a: &StopLineDetection, b: &StopLineDetection) -> bool {
    let dx = b.position_m[0] - a.position_m[0];
    let dy = b.position_m[1] - a.position_m[1];
    if dx.hypot(dy) < LEAST_DISTANCE_M {
        return true;
    }
    if (a.theta_rad - b.theta_rad).cos().abs() < SAME_DIRECTION {
        return false;
    }
    let (sin, cos) = a.theta_rad.sin_cos();
    let (along, across) = (cos * dx + sin * dy, cos * dy - sin * dx);
    // Neighbours end to end share no more than their tips.
    across.abs() < LEAST_ACROSS_M && along.abs() < 0.4 * (a.length_m + b.length_m)
}

#[cfg(test)]
mod tests;
