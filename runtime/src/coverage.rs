//! Coverage: what was looked at, so that "nothing there" and "not seen" differ.
//!
//! What the cameras see now is read off a projection table, the very one that the network uses:
//! a cell is seen when it has a tap. What history knows are the ranges of the queued maps, turned
//! and moved into the present ego frame. Occlusion is not part of it.

use bevrt_calibration::BevGrid;

use crate::frame::{COVERAGE_SECTORS, CoverageState, SectorCoverage};
use crate::time::Span;

/// Depth of a ring; ranges are multiples of it.
const RING_M: f64 = 2.0;
/// Rings of a sector: cells beyond 128 m are not counted.
const RINGS: usize = 64;
const OUTSIDE: u16 = u16::MAX;

/// How far each sector is seen from the ego origin, in metres; 0 where it is not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SectorRanges {
    range_m: [f32; COVERAGE_SECTORS],
}

impl SectorRanges {
    pub(crate) const UNSEEN: Self = Self {
        range_m: [0.0; COVERAGE_SECTORS],
    };

    fn holds(&self, x_m: f32, y_m: f32) -> bool {
        x_m.hypot(y_m) <= self.range_m[sector_of(x_m, y_m)]
    }
}

/// A planar motion: takes ego points of now to ego points of then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlanarMotion {
    pub(crate) yaw_rad: f32,
    pub(crate) x_m: f32,
    pub(crate) y_m: f32,
}

/// What one valid slot of the queue knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HistoryCoverage {
    pub(crate) ranges: SectorRanges,
    pub(crate) then_from_now: PlanarMotion,
    pub(crate) age: Span,
}

/// Turns projection tables into sector ranges.
#[derive(Debug)]
pub(crate) struct CoverageMap {
    /// Sector and ring of each cell of the grid.
    bin_of_cell: Vec<u16>,
    cells_in_bin: Vec<u16>,
    seen_in_bin: Vec<u16>,
}

impl CoverageMap {
    pub(crate) fn new(grid: &BevGrid) -> Self {
        let mut bin_of_cell = Vec::with_capacity(grid.cell_count());
        let mut cells_in_bin = vec![0; COVERAGE_SECTORS * RINGS];
        for row in 0..grid.rows {
            for col in 0..grid.cols {
                let centre = grid.centre(row, col);
                let ring = (centre.coords.norm() / RING_M) as usize;
                let sector = sector_of(centre.x as f32, centre.y as f32);
                let bin = if ring < RINGS {
                    (sector * RINGS + ring) as u16
                } else {
                    OUTSIDE
                };
                if let Some(count) = cells_in_bin.get_mut(usize::from(bin)) {
                    *count += 1;
                }
                bin_of_cell.push(bin);
            }
        }
        let seen_in_bin = vec![0; cells_in_bin.len()];
        Self {
            bin_of_cell,
            cells_in_bin,
            seen_in_bin,
        }
    }

    /// Ranges from a table's indices: `taps` of them for each cell (heights × taps), cell-major.
    ///
    /// A sector is seen up to the outer side of its farthest ring with half of its cells seen.
    pub(crate) fn ranges(
        &mut self,
        index: &[i32],
        taps_per_cell: usize,
        null: i32,
    ) -> SectorRanges {
        self.seen_in_bin.fill(0);
        for (taps, &bin) in index.chunks_exact(taps_per_cell).zip(&self.bin_of_cell) {
            let is_seen = taps.iter().any(|&tap| tap != null);
            if let Some(count) = self.seen_in_bin.get_mut(usize::from(bin)) {
                *count += u16::from(is_seen);
            }
        }
        let mut ranges = SectorRanges::UNSEEN;
        let bins = self
            .seen_in_bin
            .chunks_exact(RINGS)
            .zip(self.cells_in_bin.chunks_exact(RINGS));
        for ((seen, cells), range_m) in bins.zip(&mut ranges.range_m) {
            let farthest = seen
                .iter()
                .zip(cells)
                .rposition(|(&seen, &cells)| cells > 0 && u32::from(seen) * 2 >= u32::from(cells));
            *range_m = farthest.map_or(0.0, |ring| ((ring + 1) as f64 * RING_M) as f32);
        }
        ranges
    }
}

/// Fills the sectors of a frame from what is seen now and what the valid slots know.
///
/// A sector that no camera sees is known from the slot that reaches farthest in it, the youngest
/// of equals. `history` is ordered from the youngest to the oldest.
pub(crate) fn fill_sectors(
    sectors: &mut [SectorCoverage; COVERAGE_SECTORS],
    now: &SectorRanges,
    history: &[HistoryCoverage],
) {
    for (sector, (out, &range_m)) in sectors.iter_mut().zip(&now.range_m).enumerate() {
        *out = if range_m > 0.0 {
            SectorCoverage {
                range_m,
                state: CoverageState::SeenNow.into(),
                ..SectorCoverage::EMPTY
            }
        } else {
            remembered(sector, history)
        };
    }
}

fn remembered(sector: usize, history: &[HistoryCoverage]) -> SectorCoverage {
    let mut best = SectorCoverage::EMPTY;
    for slot in history {
        let range_m = remembered_range(sector, slot);
        if range_m > best.range_m {
            best = SectorCoverage {
                age_ns: slot.age.nanoseconds(),
                range_m,
                state: CoverageState::History.into(),
                ..SectorCoverage::EMPTY
            };
        }
    }
    best
}

/// How far the middle ray of a present sector runs, at most, inside what a past map has seen.
fn remembered_range(sector: usize, slot: &HistoryCoverage) -> f32 {
    let bearing = (sector as f32 + 0.5) * SECTOR_RAD + slot.then_from_now.yaw_rad;
    let (sin, cos) = bearing.sin_cos();
    let is_known = |ring: &usize| {
        let middle_m = (*ring as f32 + 0.5) * RING_M as f32;
        slot.ranges.holds(
            slot.then_from_now.x_m + middle_m * cos,
            slot.then_from_now.y_m + middle_m * sin,
        )
    };
    (0..RINGS)
        .rev()
        .find(is_known)
        .map_or(0.0, |ring| (ring + 1) as f32 * RING_M as f32)
}

const SECTOR_RAD: f32 = std::f32::consts::TAU / COVERAGE_SECTORS as f32;

fn sector_of(x_m: f32, y_m: f32) -> usize {
    let bearing = y_m.atan2(x_m).rem_euclid(std::f32::consts::TAU);
    ((bearing / SECTOR_RAD) as usize).min(COVERAGE_SECTORS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: BevGrid = BevGrid {
        x_min_m: -51.2,
        y_min_m: -51.2,
        cell_m: 0.8,
        rows: 128,
        cols: 128,
    };
    const NULL: i32 = 4_224;

    /// A table of two taps a cell where exactly the cells that `is_seen` names have one.
    fn table(is_seen: impl Fn(f64, f64) -> bool) -> Vec<i32> {
        (0..GRID.cell_count())
            .flat_map(|cell| {
                let centre = GRID.centre(cell / GRID.cols, cell % GRID.cols);
                [NULL, if is_seen(centre.x, centre.y) { 7 } else { NULL }]
            })
            .collect()
    }

    fn sectors(now: &SectorRanges, history: &[HistoryCoverage]) -> Vec<SectorCoverage> {
        let mut sectors = [SectorCoverage::EMPTY; COVERAGE_SECTORS];
        fill_sectors(&mut sectors, now, history);
        sectors.to_vec()
    }

    #[test]
    fn sectors_run_counter_clockwise_from_straight_ahead() {
        assert_eq!(sector_of(10.0, 0.1), 0);
        assert_eq!(sector_of(10.0, -0.1), 71);
        assert_eq!(sector_of(0.1, 10.0), 17);
        assert_eq!(sector_of(-10.0, -0.1), 36);
        assert_eq!(sector_of(0.0, 0.0), 0);
        assert_eq!(sector_of(1.0, -0.0), 0);
        assert_eq!(sector_of(1.0, -1e-30), 71);
    }

    #[test]
    fn a_front_camera_covers_the_front_only() {
        let mut map = CoverageMap::new(&GRID);
        let front = table(|x, y| x > 2.0 && y.abs() < x && x.hypot(y) < 30.0);
        let found = sectors(&map.ranges(&front, 2, NULL), &[]);
        assert_eq!(
            CoverageState::try_from(found[0].state),
            Ok(CoverageState::SeenNow)
        );
        assert_eq!(found[0].range_m, 30.0);
        assert_eq!(found[71].range_m, 30.0);
        assert_eq!(
            CoverageState::try_from(found[36].state),
            Ok(CoverageState::Unseen)
        );
        assert_eq!(found[36].range_m, 0.0);
    }

    #[test]
    fn what_went_past_is_known_from_history() {
        let mut map = CoverageMap::new(&GRID);
        let front = map.ranges(
            &table(|x, y| x > 2.0 && y.abs() < x && x.hypot(y) < 30.0),
            2,
            NULL,
        );
        // Since then the vehicle drove 20 m ahead: what is behind it now was seen ahead then.
        let then_from_now = PlanarMotion {
            yaw_rad: 0.0,
            x_m: 20.0,
            y_m: 0.0,
        };
        let age = Span::from_milliseconds(1000);
        let slot = HistoryCoverage {
            ranges: front,
            then_from_now,
            age,
        };
        let found = sectors(&SectorRanges::UNSEEN, &[slot]);
        assert_eq!(
            CoverageState::try_from(found[35].state),
            Ok(CoverageState::History)
        );
        assert!(
            (found[35].range_m - 20.0).abs() <= 2.0,
            "{}",
            found[35].range_m
        );
        assert!(
            (found[0].range_m - 10.0).abs() <= 2.0,
            "{}",
            found[0].range_m
        );
        assert_eq!(found[35].age_ns, age.nanoseconds());
    }

    #[test]
    fn a_turned_vehicle_finds_history_in_other_sectors() {
        let mut map = CoverageMap::new(&GRID);
        let front = map.ranges(
            &table(|x, y| x > 2.0 && y.abs() < x && x.hypot(y) < 30.0),
            2,
            NULL,
        );
        let quarter = std::f32::consts::FRAC_PI_2;
        let then_from_now = PlanarMotion {
            yaw_rad: quarter,
            x_m: 0.0,
            y_m: 0.0,
        };
        let slot = HistoryCoverage {
            ranges: front,
            then_from_now,
            age: Span::from_milliseconds(500),
        };
        let found = sectors(&SectorRanges::UNSEEN, &[slot]);
        // After a quarter turn to the left, the old front lies to the right: sectors around 54.
        assert_eq!(
            CoverageState::try_from(found[54].state),
            Ok(CoverageState::History)
        );
        assert_eq!(
            CoverageState::try_from(found[18].state),
            Ok(CoverageState::Unseen)
        );
    }
}
