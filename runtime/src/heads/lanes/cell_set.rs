//! A set of cells, a bit each, in which windows are searched quickly.

use std::ops::Range;

use crate::heads::raster::Cells;

const BITS: usize = u64::BITS as usize;

/// Some of the cells of a grid.
#[derive(Debug)]
pub(super) struct CellSet {
    rows: usize,
    cols: usize,
    words_per_row: usize,
    words: Vec<u64>,
}

impl CellSet {
    /// An empty set.
    pub(super) fn new(cells: &Cells) -> Self {
        let words_per_row = cells.cols.div_ceil(BITS);
        Self {
            rows: cells.rows,
            cols: cells.cols,
            words_per_row,
            words: vec![0; words_per_row * cells.rows],
        }
    }

    pub(super) fn clear(&mut self) {
        self.words.fill(0);
    }

    pub(super) fn insert(&mut self, cell: usize) {
        let (word, bit) = self.place(cell);
        self.words[word] |= 1 << bit;
    }

    pub(super) fn remove(&mut self, cell: usize) {
        let (word, bit) = self.place(cell);
        self.words[word] &= !(1 << bit);
    }

    /// Calls `visit` with every cell of the set within `reach` rows and columns of `cell`, in no
    /// particular order.
    #[inline]
    pub(super) fn visit_around(&self, cell: usize, reach: usize, mut visit: impl FnMut(usize)) {
        let (row, col) = (cell / self.cols, cell % self.cols);
        let first_row = row.saturating_sub(reach);
        let end_row = (row + reach + 1).min(self.rows);
        let cols = col.saturating_sub(reach)..(col + reach + 1).min(self.cols);
        for word in cols.start / BITS..cols.end.div_ceil(BITS) {
            let wanted = within(&cols, word);
            let words = &self.words[first_row * self.words_per_row + word..];
            let rows = words.iter().step_by(self.words_per_row);
            for (row, bits) in (first_row..end_row).zip(rows) {
                let mut left = bits & wanted;
                while left != 0 {
                    visit(row * self.cols + word * BITS + left.trailing_zeros() as usize);
                    left &= left - 1;
                }
            }
        }
    }

    fn place(&self, cell: usize) -> (usize, usize) {
        let (row, col) = (cell / self.cols, cell % self.cols);
        (row * self.words_per_row + col / BITS, col % BITS)
    }
}

/// The bits of a word of a row that lie in some columns.
fn within(cols: &Range<usize>, word: usize) -> u64 {
    let first = cols.start.saturating_sub(word * BITS);
    let end = (cols.end - word * BITS).min(BITS);
    (u64::MAX << first) & (u64::MAX >> (BITS - end))
}

#[cfg(test)]
mod tests {
    use bevrt_calibration::BevGrid;

    use super::*;

    #[test]
    fn a_window_holds_what_a_look_at_every_cell_finds() {
        for cols in [5, 64, 84, 130] {
            let cells = Cells::new(&BevGrid {
                x_min_m: 0.0,
                y_min_m: 0.0,
                cell_m: 1.0,
                rows: 9,
                cols,
            });
            let is_in = |cell: usize| cell.is_multiple_of(3) || cell % 7 == 1;
            let mut set = CellSet::new(&cells);
            for cell in 0..cells.count() {
                set.insert(cell);
                if !is_in(cell) {
                    set.remove(cell);
                }
            }
            for (cell, reach) in (0..cells.count()).flat_map(|cell| [1, 4, 70].map(|r| (cell, r))) {
                let mut found = Vec::new();
                set.visit_around(cell, reach, |other| found.push(other));
                found.sort_unstable();
                let (row, col) = (cell / cols, cell % cols);
                let near = |other: &usize| {
                    (other / cols).abs_diff(row) <= reach && (other % cols).abs_diff(col) <= reach
                };
                let expected: Vec<usize> = (0..cells.count())
                    .filter(|other| is_in(*other) && near(other))
                    .collect();
                assert_eq!(
                    found, expected,
                    "{cols} columns, cell {cell}, reach {reach}"
                );
            }
        }
    }
}
