use super::ranked::Ranked;
use super::raster::{Cells, Raster, length, logit, sigmoid};

/// Peaks that are looked at in one map; far more than a frame can hold elements.
const PEAK_CAPACITY: usize = 256;

/// A local maximum of a confidence map.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Peak {
    pub class: usize,
    pub cell: usize,
}

/// Finds local maxima of confidence maps.
#[derive(Debug)]
pub(super) struct PeakFinder {
    cells: Cells,
    /// Threshold of each class as a logit.
    thresholds: Vec<f32>,
    peaks: Ranked<Peak, PEAK_CAPACITY>,
}

impl PeakFinder {
    /// For maps on `cells` with one confidence threshold for each class.
    pub(super) fn new(cells: Cells, thresholds: &[f32]) -> Self {
        Self {
            cells,
            thresholds: thresholds.iter().copied().map(logit).collect(),
            peaks: Ranked::new(),
        }
    }

    /// The strongest peaks, as (confidence, peak), strongest first.
    ///
    /// A peak is a cell at or above its threshold with no greater neighbour among the eight; of
    /// equal neighbours the first one counts.
    pub(super) fn find(&mut self, raster: &Raster<'_>) -> impl Iterator<Item = (f32, Peak)> {
        self.peaks.clear();
        for (class, &threshold) in self.thresholds.iter().enumerate() {
            let plane = raster.plane(class);
            for cell in raster.cells_from(class, threshold) {
                if is_peak(plane, &self.cells, cell) {
                    self.peaks.offer(plane[cell], Peak { class, cell });
                }
            }
        }
        self.peaks
            .iter()
            .map(|(logit, peak)| (sigmoid(logit), peak))
    }
}

fn is_peak(plane: &[f32], cells: &Cells, cell: usize) -> bool {
    let value = plane[cell];
    neighbours(cells, cell).all(|other| {
        if other < cell {
            plane[other] < value
        } else {
            plane[other] <= value
        }
    })
}

/// The cells around a cell, without it, in the order of their indices.
pub(super) fn neighbours(cells: &Cells, cell: usize) -> impl Iterator<Item = usize> + use<> {
    let (row, col) = (cell / cells.cols, cell % cells.cols);
    let (rows, cols) = (cells.rows, cells.cols);
    (row.saturating_sub(1)..=(row + 1).min(rows - 1))
        .flat_map(move |row| {
            (col.saturating_sub(1)..=(col + 1).min(cols - 1)).map(move |col| row * cols + col)
        })
        .filter(move |&other| other != cell)
}

/// The centre that a peak and its neighbours agree on, in the ego frame.
///
/// Cells around a centre all regress it. Their mean, weighted by squared confidence, is steadier
/// than the peak alone. A neighbour whose centre is further than a cell from the peak's means
/// something else and has no say. `dx` is the channel of the x offset, followed by that of y.
pub(super) fn agreed_centre(raster: &Raster<'_>, cells: &Cells, peak: Peak, dx: usize) -> [f32; 2] {
    let centre_by = |cell: usize| {
        let [x, y] = cells.centre(cell);
        [x + raster.at(dx, cell), y + raster.at(dx + 1, cell)]
    };
    let weight_of = |cell: usize| sigmoid(raster.at(peak.class, cell)).powi(2);
    let of_peak = centre_by(peak.cell);
    let mut weight = weight_of(peak.cell);
    // The sum holds offsets from the peak's centre, which are small and keep their precision.
    let mut sum = [0.0_f32; 2];
    for cell in neighbours(cells, peak.cell) {
        let centre = centre_by(cell);
        let offset = [centre[0] - of_peak[0], centre[1] - of_peak[1]];
        if length(offset[0], offset[1]) > cells.cell_m {
            continue;
        }
        let own = weight_of(cell);
        weight += own;
        sum = [sum[0] + own * offset[0], sum[1] + own * offset[1]];
    }
    [of_peak[0] + sum[0] / weight, of_peak[1] + sum[1] / weight]
}

#[cfg(test)]
mod tests {
    use bevrt_calibration::BevGrid;

    use super::{Peak, PeakFinder, agreed_centre};
    use crate::heads::raster::{Cells, Raster, logit};

    const GRID: BevGrid = BevGrid {
        x_min_m: 0.0,
        y_min_m: 0.0,
        cell_m: 1.0,
        rows: 5,
        cols: 7,
    };
    const QUIET: f32 = -9.0;

    fn found(map: &[f32], thresholds: &[f32]) -> Vec<Peak> {
        let cells = Cells::new(&GRID);
        let raster = Raster::new(map, thresholds.len(), &cells).expect("the map is right");
        let mut finder = PeakFinder::new(cells, thresholds);
        finder.find(&raster).map(|(_, peak)| peak).collect()
    }

    #[test]
    fn a_plateau_is_one_peak() {
        let mut map = [QUIET; 35];
        for cell in [8, 9, 15, 16] {
            map[cell] = 2.0;
        }
        assert_eq!(found(&map, &[0.5]), [Peak { class: 0, cell: 8 }]);
    }

    #[test]
    fn corners_can_be_peaks_and_rows_do_not_wrap() {
        let mut map = [QUIET; 35];
        // Cell 6 ends row 0, cell 7 begins row 1: they are no neighbours.
        map[6] = 1.0;
        map[7] = 2.0;
        map[34] = 3.0;
        let cells: Vec<usize> = found(&map, &[0.5]).iter().map(|peak| peak.cell).collect();
        assert_eq!(cells, [34, 7, 6]);
    }

    #[test]
    fn each_class_has_its_own_threshold() {
        let mut map = [QUIET; 70];
        map[0] = logit(0.4);
        map[35 + 20] = logit(0.4);
        assert_eq!(found(&map, &[0.5, 0.3]), [Peak { class: 1, cell: 20 }]);
    }

    #[test]
    fn neighbours_that_mean_the_same_centre_are_averaged() {
        let cells = Cells::new(&GRID);
        let mut map = vec![QUIET; 3 * 35];
        let peak = Peak { class: 0, cell: 16 };
        let mut put = |cell: usize, logit: f32, centre: [f32; 2]| {
            let [x, y] = cells.centre(cell);
            map[cell] = logit;
            map[35 + cell] = centre[0] - x;
            map[70 + cell] = centre[1] - y;
        };
        put(16, 2.0, [2.6, 2.4]);
        put(17, 2.0, [2.8, 2.4]);
        put(23, 2.0, [5.0, 2.4]);
        let raster = Raster::new(&map, 3, &cells).expect("the map is right");
        let [x, y] = agreed_centre(&raster, &cells, peak, 1);
        assert!((x - 2.7).abs() < 1e-3 && (y - 2.4).abs() < 1e-3, "{x} {y}");
    }
}
