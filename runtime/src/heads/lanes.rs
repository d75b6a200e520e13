//! Lanes: from a map of line cells to ordered polylines.
//!
//! Every cell of the mask names the nearest point of its line and the line's direction. The points
//! are gathered where they lie ([`nodes`]), linked along their directions ([`chains`]), split where
//! the marking changes for good or a kerb turns into a side road ([`pieces`]), and resampled
//! ([`polyline`]). In the end lines that were found twice are dropped, and pieces of one line that
//! the mask left apart are joined ([`fragments`]).

mod bends;
mod cell_set;
mod chains;
mod fragments;
mod nodes;
mod pieces;
mod polyline;

use bevrt_calibration::BevGrid;

use super::detections::{LANE_CAPACITY, LaneDetection, LaneDetections, ROAD_EDGE};
use super::ranked::Ranked;
use super::raster::{Cells, DecodeError, Raster, logit};
use crate::manifest::HeadKind;
use chains::ChainLinker;
use fragments::{Fragment, Fragments, drop_ghosts, join_fragments};
use nodes::FamilyNodes;
use pieces::PieceCutter;
pub(crate) use polyline::orient;
pub(super) use polyline::{Polyliner, length_of};

/// Marking types.
const MARKINGS: usize = 4;
/// Shorter lines are no lines.
pub(super) const LEAST_LENGTH_M: f32 = 3.0;

/// Lines that may run closely side by side: their cells are told apart by type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Paint,
    RoadEdge,
}

/// Decodes maps of lanes, `[13, rows, cols]`.
///
/// Channels: mask logit; offset x, y (m, from the cell's centre to the nearest point of the line);
/// cos and sin of 2θ; z; 4 type logits; 2 colour logits; ln sigma across the line.
#[derive(Debug)]
pub struct LaneDecoder {
    cells: Cells,
    /// Mean confidence from which a line of each type is reported.
    thresholds: [f32; MARKINGS],
    /// The lowest of them as a logit.
    mask_threshold: f32,
    nodes: FamilyNodes,
    linker: ChainLinker,
    cutter: PieceCutter,
    polyliner: Polyliner,
    found: Ranked<Fragment, LANE_CAPACITY>,
    fragments: Fragments,
}

impl LaneDecoder {
    /// A decoder for maps on `grid` with one confidence threshold, or one for each marking type.
    pub fn new(grid: &BevGrid, thresholds: &[f32]) -> Self {
        let cells = Cells::new(grid);
        let of_type = |k: usize| thresholds[k.min(thresholds.len() - 1)];
        let lowest = thresholds.iter().copied().fold(1.0, f32::min);
        Self {
            cells,
            thresholds: std::array::from_fn(of_type),
            mask_threshold: logit(lowest),
            nodes: FamilyNodes::new(&cells),
            linker: ChainLinker::new(&cells),
            cutter: PieceCutter::new(&cells),
            polyliner: Polyliner::new(),
            found: Ranked::new(),
            fragments: Fragments::new(),
        }
    }

    /// Finds the lanes of one map, strongest first.
    ///
    /// Points lie about 1 m apart, further where the line is longer than its points reach; x grows
    /// along a line, or y where it runs across.
    ///
    /// # Errors
    /// The map has another size, or holds a number that is not finite; `out` is empty then.
    pub fn decode_into(
        &mut self,
        output: &[f32],
        out: &mut LaneDetections,
    ) -> Result<(), DecodeError> {
        out.clear();
        let raster = Raster::new(output, HeadKind::Lanes.channels(), &self.cells)?;
        self.found.clear();
        self.nodes.gather(&raster, &self.cells, self.mask_threshold);
        for family in [Family::Paint, Family::RoadEdge] {
            self.find(family);
        }
        self.fragments.clear();
        self.fragments
            .extend(self.found.iter().map(|(_, lane)| lane));
        drop_ghosts(&mut self.fragments);
        join_fragments(&mut self.fragments, &mut self.polyliner);
        let is_reported = |lane: &LaneDetection| {
            lane.confidence >= self.thresholds[usize::from(lane.marking)]
                && length_of(lane.points()) >= LEAST_LENGTH_M
        };
        let lanes = self.fragments.iter().map(|fragment| fragment.lane);
        out.extend(lanes.filter(is_reported));
        out.sort_unstable_by(|a, b| b.confidence.total_cmp(&a.confidence));
        Ok(())
    }

    fn find(&mut self, family: Family) {
        let nodes = match family {
            Family::Paint => &self.nodes.paint,
            Family::RoadEdge => &self.nodes.road_edge,
        };
        self.linker.start(nodes);
        while let Some(chain) = self.linker.next_chain(nodes, &self.cells) {
            for piece in self.cutter.cut(nodes, chain, family) {
                let lane = self.polyliner.lane(nodes, &chain[piece.range()], &piece);
                if let Some(lane) = lane {
                    let fragment = Fragment::new(lane, piece.style.is_corner);
                    self.found.offer(lane.confidence, fragment);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
