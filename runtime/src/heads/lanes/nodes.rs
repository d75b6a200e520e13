use super::{Family, MARKINGS, ROAD_EDGE};
use crate::heads::raster::{Cells, Raster, exp_within, half_turn_angle, sigmoid};

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

/// All nodes of a map, found by cell.
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

    /// Takes the nodes of one family of lines; cells count from the logit `threshold` on, and from
    /// [`LEAST_FAMILY_SHARE`] on.
    pub(super) fn gather(
        &mut self,
        raster: &Raster<'_>,
        cells: &Cells,
        threshold: f32,
        family: Family,
    ) {
        for node in &self.nodes {
            self.of_cell[node.cell as usize] = NO_NODE;
        }
        self.nodes.clear();
        let reach_m = 2.0 * cells.cell_m;
        for (cell, &logit) in raster.plane(0).iter().enumerate() {
            if logit < threshold {
                continue;
            }
            let offset = [raster.at(DX, cell), raster.at(DY, cell)];
            // A cell is taught points within a cell or so; further away it knows nothing.
            if offset[0].hypot(offset[1]) > reach_m {
                continue;
            }
            let logits: [f32; MARKINGS] = std::array::from_fn(|k| raster.at(TYPE + k, cell));
            let marking = softmax(logits);
            let edge = marking[usize::from(ROAD_EDGE)];
            let share = match family {
                Family::Paint => 1.0 - edge,
                Family::RoadEdge => edge,
            };
            if share < LEAST_FAMILY_SHARE {
                continue;
            }
            let [x, y] = cells.centre(cell);
            let point = [x + offset[0], y + offset[1]];
            if let Some(target) = cells.cell_of(point) {
                self.add(raster, cell, target, point, sigmoid(logit), marking);
            }
        }
        for node in &mut self.nodes {
            node.finish();
        }
    }

    fn add(
        &mut self,
        raster: &Raster<'_>,
        cell: usize,
        target: usize,
        [x, y]: [f32; 2],
        confidence: f32,
        marking: [f32; MARKINGS],
    ) {
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
        let add = |sum: &mut f32, value: f32| *sum += confidence * value;
        add(&mut node.point_m[0], x);
        add(&mut node.point_m[1], y);
        add(&mut node.point_m[2], raster.at(Z, cell));
        add(&mut node.direction[0], raster.at(COS_2THETA, cell));
        add(&mut node.direction[1], raster.at(SIN_2THETA, cell));
        add(
            &mut node.sigma_m,
            exp_within(raster.at(LN_SIGMA, cell), 1e-3, 10.0),
        );
        add(
            &mut node.yellow,
            sigmoid(raster.at(COLOUR + 1, cell) - raster.at(COLOUR, cell)),
        );
        for (sum, share) in node.marking.iter_mut().zip(marking) {
            add(sum, share);
        }
        node.support += confidence;
        node.confidence = node.confidence.max(confidence);
    }

    /// Nodes whose cells lie within `reach` cells of the cell of `node`, without it.
    pub(super) fn around(
        &self,
        node: u32,
        reach: usize,
        cells: &Cells,
    ) -> impl Iterator<Item = u32> + use<'_> {
        let cell = self.node(node).cell as usize;
        let (row, col, cols) = (cell / cells.cols, cell % cells.cols, cells.cols);
        let first_col = col.saturating_sub(reach);
        let end_col = (col + reach + 1).min(cols);
        (row.saturating_sub(reach)..(row + reach + 1).min(cells.rows))
            .flat_map(move |row| &self.of_cell[row * cols + first_col..row * cols + end_col])
            .copied()
            .filter(move |&other| other != NO_NODE && other != node)
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
    let shares = logits.map(|logit| (logit - most).exp());
    let sum: f32 = shares.iter().sum();
    shares.map(|share| share / sum)
}
