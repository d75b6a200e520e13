use std::ops::Range;

use super::bends::BendFinder;
use super::nodes::{Node, NodeMap};
use super::{Family, MARKINGS, ROAD_EDGE};
use crate::heads::raster::{Cells, length};

/// Kinds of stretches: the marking types, and a road edge in a corner.
const KINDS: usize = MARKINGS + 1;
/// A road edge that turns the corner of a junction.
const CORNER: usize = MARKINGS;
/// Cost of a change of type in nats: a type must hold for some 5 m of nodes that are sure of it.
const CHANGE_COST: f32 = 15.0;
/// Cost of a road edge's change between a corner and the road.
const CORNER_COST: f32 = 3.0;
/// Cost of each metre of a bend outside of a corner, and of each straight metre inside of one.
const BEND_COST: f32 = 1.5;
/// Least probability of a type at a node: no node is so sure that it decides alone.
const LEAST_SHARE: f32 = 0.05;

/// Nodes of a chain that have one marking type and, at road edges, all lie in a corner or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    first: usize,
    end: usize,
    pub style: Style,
}

/// What a piece has in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub marking: u8,
    pub is_corner: bool,
}

impl Style {
    fn of_kind(kind: usize) -> Self {
        Self {
            marking: if kind == CORNER {
                ROAD_EDGE
            } else {
                kind as u8
            },
            is_corner: kind == CORNER,
        }
    }
}

impl Piece {
    pub(super) fn range(&self) -> Range<usize> {
        self.first..self.end
    }
}

/// Cuts chains into stretches of one kind, as few as the nodes allow.
///
/// Every node says how likely each type is there; of all ways to give each node a kind, the one of
/// least cost is taken: what the nodes say against it, and a fixed price for every change. This is
/// the Viterbi path of a chain whose kind rarely changes.
#[derive(Debug)]
pub(super) struct PieceCutter {
    /// Distance along the chain.
    arc_m: Vec<f32>,
    /// For each node and kind, the kind of the node before on the best way to here.
    before: Vec<[u8; KINDS]>,
    bends: BendFinder,
    pieces: Vec<Piece>,
}

impl PieceCutter {
    pub(super) fn new(cells: &Cells) -> Self {
        Self {
            arc_m: Vec::with_capacity(cells.count()),
            before: Vec::with_capacity(cells.count()),
            bends: BendFinder::new(cells),
            pieces: Vec::with_capacity(cells.count()),
        }
    }

    /// The pieces of a chain in order; neighbours share the node at the cut.
    pub(super) fn cut(
        &mut self,
        map: &NodeMap,
        chain: &[u32],
        family: Family,
    ) -> impl Iterator<Item = Piece> {
        self.measure(map, chain);
        let mut kind = self.weigh(map, chain, family);
        self.pieces.clear();
        // Backwards along the best way, so the pieces come last first.
        for k in (0..chain.len()).rev() {
            let style = Style::of_kind(kind);
            match self.pieces.last_mut() {
                Some(piece) if piece.style == style => piece.first = k,
                Some(_) | None => self.pieces.push(Piece {
                    first: k,
                    end: (k + 2).min(chain.len()),
                    style,
                }),
            }
            kind = usize::from(self.before[k][kind]);
        }
        self.pieces.iter().rev().copied()
    }

    /// Finds the best ways; the kind of the last node.
    fn weigh(&mut self, map: &NodeMap, chain: &[u32], family: Family) -> usize {
        let is_bend = self.bends.find(map, chain, &self.arc_m);
        let last = chain.len() - 1;
        let edge = usize::from(ROAD_EDGE);
        let mut best: [f32; KINDS] = std::array::from_fn(|kind| {
            if (kind >= edge) == (family == Family::RoadEdge) {
                0.0
            } else {
                f32::INFINITY
            }
        });
        self.before.clear();
        for (k, &index) in chain.iter().enumerate() {
            let ways: [(f32, usize); KINDS] = std::array::from_fn(|kind| {
                // Staying comes first, so that it wins a tie.
                let others = (0..KINDS).filter(|&other| other != kind);
                let ways = others.map(|other| (best[other] + change_cost(other, kind), other));
                ways.fold((best[kind], kind), |a, b| if b.0 < a.0 { b } else { a })
            });
            self.before.push(ways.map(|(_, from)| from as u8));
            let costs = costs(map.node(index), is_bend[k]);
            let stretch_m = 0.5 * (self.arc_m[(k + 1).min(last)] - self.arc_m[k.saturating_sub(1)]);
            best = std::array::from_fn(|kind| ways[kind].0 + stretch_m * costs[kind]);
        }
        (1..KINDS).fold(0, |a, b| if best[b] < best[a] { b } else { a })
    }

    fn measure(&mut self, map: &NodeMap, chain: &[u32]) {
        self.arc_m.clear();
        let mut arc = 0.0;
        let mut before: Option<[f32; 3]> = None;
        for &index in chain {
            let point = map.node(index).point_m;
            if let Some(before) = before {
                arc += length(point[0] - before[0], point[1] - before[1]);
            }
            before = Some(point);
            self.arc_m.push(arc);
        }
    }
}

/// What a metre of each kind costs at a node.
fn costs(node: &Node, is_bend: bool) -> [f32; KINDS] {
    let edge = usize::from(ROAD_EDGE);
    let mut costs = std::array::from_fn(|kind| {
        let share = node.marking[kind.min(edge)] / node.support;
        -share.max(LEAST_SHARE).ln()
    });
    costs[if is_bend { edge } else { CORNER }] += BEND_COST;
    costs
}

fn change_cost(from: usize, to: usize) -> f32 {
    match (from >= usize::from(ROAD_EDGE), to >= usize::from(ROAD_EDGE)) {
        (true, true) => CORNER_COST,
        (false, false) => CHANGE_COST,
        (true, false) | (false, true) => f32::INFINITY,
    }
}
