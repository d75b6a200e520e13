use std::ops::Range;

use super::bends::BendFinder;
use super::nodes::NodeMap;
use super::{LEAST_LENGTH_M, MARKINGS};
use crate::heads::raster::Cells;

/// Road edges are cut at the corners of junctions.
const ROAD_EDGE: u8 = 3;
/// A change of type counts when both sides are at least this long.
const PERSISTENT_M: f32 = LEAST_LENGTH_M;
/// Votes within this distance are summed before the type of a node is read.
const VOTE_REACH_M: f32 = 2.0;

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

impl Piece {
    pub(super) fn range(&self) -> Range<usize> {
        self.first..self.end
    }
}

/// Cuts chains where the marking type changes for good, and road edges where a corner begins.
#[derive(Debug)]
pub(super) struct PieceCutter {
    /// Distance along the chain.
    arc_m: Vec<f32>,
    styles: Vec<Style>,
    bends: BendFinder,
    pieces: Vec<Piece>,
}

impl PieceCutter {
    pub(super) fn new(cells: &Cells) -> Self {
        Self {
            arc_m: Vec::with_capacity(cells.count()),
            styles: Vec::with_capacity(cells.count()),
            bends: BendFinder::new(cells),
            pieces: Vec::with_capacity(cells.count()),
        }
    }

    /// The pieces of a chain in order; neighbours share the node at the cut.
    pub(super) fn cut(&mut self, map: &NodeMap, chain: &[u32]) -> impl Iterator<Item = Piece> {
        self.measure(map, chain);
        self.vote(map, chain);
        self.pieces.clear();
        for (k, &style) in self.styles.iter().enumerate() {
            match self.pieces.last_mut() {
                Some(piece) if piece.style == style => piece.end = k + 1,
                Some(_) | None => self.pieces.push(Piece {
                    first: k,
                    end: k + 1,
                    style,
                }),
            }
        }
        while self.drop_shortest() {}
        let last = self.pieces.len().saturating_sub(1);
        self.pieces.iter().enumerate().map(move |(k, piece)| Piece {
            end: piece.end + usize::from(k < last),
            ..*piece
        })
    }

    fn measure(&mut self, map: &NodeMap, chain: &[u32]) {
        self.arc_m.clear();
        let mut arc = 0.0;
        let mut before: Option<[f32; 3]> = None;
        for &index in chain {
            let point = map.node(index).point_m;
            if let Some(before) = before {
                arc += (point[0] - before[0]).hypot(point[1] - before[1]);
            }
            before = Some(point);
            self.arc_m.push(arc);
        }
    }

    fn vote(&mut self, map: &NodeMap, chain: &[u32]) {
        self.styles.clear();
        let is_bend = self.bends.find(map, chain, &self.arc_m);
        let (mut first, mut end) = (0, 0);
        let mut votes = [0.0_f32; MARKINGS];
        for (k, &arc) in self.arc_m.iter().enumerate() {
            while end < chain.len() && self.arc_m[end] <= arc + VOTE_REACH_M {
                add(&mut votes, map.node(chain[end]).marking, 1.0);
                end += 1;
            }
            while self.arc_m[first] < arc - VOTE_REACH_M {
                add(&mut votes, map.node(chain[first]).marking, -1.0);
                first += 1;
            }
            let marking = greatest(&votes);
            self.styles.push(Style {
                marking,
                is_corner: marking == ROAD_EDGE && is_bend[k],
            });
        }
    }

    /// Gives the shortest piece that is no change for good to its longer neighbour.
    fn drop_shortest(&mut self) -> bool {
        let length = |piece: &Piece| self.arc_m[piece.end - 1] - self.arc_m[piece.first];
        let shortest = self
            .pieces
            .iter()
            .enumerate()
            .map(|(k, piece)| (length(piece), k))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let Some((shortest_m, k)) = shortest else {
            return false;
        };
        if self.pieces.len() < 2 || shortest_m >= PERSISTENT_M {
            return false;
        }
        let left = k.checked_sub(1).map(|left| length(&self.pieces[left]));
        let right = self.pieces.get(k + 1).map(length);
        let piece = self.pieces.remove(k);
        if left >= right {
            self.pieces[k - 1].end = piece.end;
        } else {
            self.pieces[k].first = piece.first;
        }
        self.join_equal();
        true
    }

    fn join_equal(&mut self) {
        self.pieces.dedup_by(|right, left| {
            let is_equal = left.style == right.style;
            if is_equal {
                left.end = right.end;
            }
            is_equal
        });
    }
}

fn add(sum: &mut [f32; MARKINGS], votes: [f32; MARKINGS], sign: f32) {
    for (sum, vote) in sum.iter_mut().zip(votes) {
        *sum += sign * vote;
    }
}

fn greatest(votes: &[f32; MARKINGS]) -> u8 {
    let mut best = 0;
    for (k, vote) in votes.iter().enumerate() {
        if *vote > votes[best] {
            best = k;
        }
    }
    best as u8
}
