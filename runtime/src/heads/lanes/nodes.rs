use super::{MARKINGS, ROAD_EDGE};
use crate::heads::raster::{Cells, Raster, exp_within, half_turn_angle, length, sigmoid};

const DX: usize = 1;
const DY: usize = 2;
const COS_2THETA: usize = 3;
const SIN_2THETA: usize = 4;
const Z: usize = 5;
const TYPE: usize = 6;
const COLOUR: usize = 10;
const LN_SIGMA: usize = 12;

/// Cells that are less sure of a family do not count for its lines.
const LEAST_FAMILY_SHARE: f32 = 0.5;

/// No node in this cell.
pub(super) const NO_NODE: u32 = u32::MAX;

/// A point of a line: what all cells say whose nearest point lies in one cell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Node {
    pub point_m: [f32; 3],
    /// Unit direction of the line, up to its sign.
    pub direction: [f32; 2],
    /// Sum of the confidences of the cells.
    pub support: f32,
    /// Greatest confidence of the cells.
    pub confidence: f32,
    pub sigma_m: f32,
    /// Summed probability of each marking type.
    pub marking: [f32; MARKINGS],
    /// Summed probability of yellow.
    pub yellow: f32,
    /// Cell that holds the point.
    pub cell: u32,
}

/// The nodes of both families of lines of one map.
#[derive(Debug)]
pub(super) struct FamilyNodes {
    pub paint: NodeMap,
    pub road_edge: NodeMap,
}

impl FamilyNodes {
    pub(super) fn new(cells: &Cells) -> Self {
        Self {
            paint: NodeMap::new(cells),
            road_edge: NodeMap::new(cells),
        }
    }

    /// Takes the nodes of a map; cells count from the logit `threshold` on, for a family of which
    /// they are sure from [`LEAST_FAMILY_SHARE`] on.
    pub(super) fn gather(&mut self, raster: &Raster<'_>, cells: &Cells, threshold: f32) {
        self.paint.clear();
        self.road_edge.clear();
        let reach_m = 2.0 * cells.cell_m;
        let mut row = 0;
        for cell in raster.cells_from(0, threshold) {
            // Cells come in order, so no division is needed.
            while cell >= (row + 1) * cells.cols {
                row += 1;
            }
            let offset = [raster.at(DX, cell), raster.at(DY, cell)];
            // A cell is taught points within a cell or so; further away it knows nothing.
            if length(offset[0], offset[1]) > reach_m {
                continue;
            }
            let [x, y] = cells.centre_at(row, cell - row * cells.cols);
            let point = [x + offset[0], y + offset[1]];
            let Some(target) = cells.cell_of(point) else {
                continue;
            };
            let vote = Vote::of(raster, cell, point);
            let edge = vote.marking[usize::from(ROAD_EDGE)];
            if 1.0 - edge >= LEAST_FAMILY_SHARE {
                self.paint.add(target, &vote);
            }
            if edge >= LEAST_FAMILY_SHARE {
                self.road_edge.add(target, &vote);
            }
        }
        self.paint.finish();
        self.road_edge.finish();
    }
}

/// What one cell says of the line beside it.
struct Vote {
    confidence: f32,
    point_m: [f32; 3],
    cos_sin_2theta: [f32; 2],
    sigma_m: f32,
    marking: [f32; MARKINGS],
    yellow: f32,
}

impl Vote {
    fn of(raster: &Raster<'_>, cell: usize, [x, y]: [f32; 2]) -> Self {
        let at = |channel| raster.at(channel, cell);
        Self {
            confidence: sigmoid(at(0)),
            point_m: [x, y, at(Z)],
            cos_sin_2theta: [at(COS_2THETA), at(SIN_2THETA)],
            sigma_m: exp_within(at(LN_SIGMA), 1e-3, 10.0),
            marking: softmax(std::array::from_fn(|k| at(TYPE + k))),
            yellow: sigmoid(at(COLOUR + 1) - at(COLOUR)),
        }
    }
}

/// All nodes of one family, found by cell.
#[derive(Debug)]
pub(super) struct NodeMap {
    nodes: Vec<Node>,
    of_cell: Vec<u32>,
}

impl NodeMap {
    pub(super) fn new(cells: &Cells) -> Self {
        Self {
            nodes: Vec::with_capacity(cells.count()),
            of_cell: vec![NO_NODE; cells.count()],
        }
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(super) fn node(&self, index: u32) -> &Node {
        &self.nodes[index as usize]
    }

    fn clear(&mut self) {
        for node in &self.nodes {
            self.of_cell[node.cell as usize] = NO_NODE;
        }
        self.nodes.clear();
    }

    fn finish(&mut self) {
        for node in &mut self.nodes {
            node.finish();
        }
    }

    fn add(&mut self, target: usize, vote: &Vote) {
        let slot = &mut self.of_cell[target];
        if *slot == NO_NODE {
            // One node a cell, so the reserved memory suffices and the index fits.
            *slot = self.nodes.len() as u32;
            self.nodes.push(Node {
                cell: target as u32,
                ..Node::default()
            });
        }
        let node = &mut self.nodes[*slot as usize];
        let add = |sum: &mut f32, value: f32| *sum += vote.confidence * value;
        for (sum, value) in node.point_m.iter_mut().zip(vote.point_m) {
            add(sum, value);
        }
        for (sum, value) in node.direction.iter_mut().zip(vote.cos_sin_2theta) {
            add(sum, value);
        }
        add(&mut node.sigma_m, vote.sigma_m);
        add(&mut node.yellow, vote.yellow);
        for (sum, share) in node.marking.iter_mut().zip(vote.marking) {
            add(sum, share);
        }
        node.support += vote.confidence;
        node.confidence = node.confidence.max(vote.confidence);
    }

    /// The node of a cell; there must be one.
    pub(super) fn at_cell(&self, cell: usize) -> u32 {
        self.of_cell[cell]
    }
}

impl Node {
    /// Turns weighted sums into means.
    fn finish(&mut self) {
        let scale = 1.0 / self.support;
        self.point_m = self.point_m.map(|sum| sum * scale);
        let (sin, cos) = half_turn_angle(self.direction[0], self.direction[1]).sin_cos();
        self.direction = [cos, sin];
        self.sigma_m *= scale;
    }
}

fn softmax<const N: usize>(logits: [f32; N]) -> [f32; N] {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    // e⁰ is 1: one call less.
    let shares = logits.map(|logit| {
        if logit == most {
            1.0
        } else {
            (logit - most).exp()
        }
    });
    let sum: f32 = shares.iter().sum();
    shares.map(|share| share / sum)
}
