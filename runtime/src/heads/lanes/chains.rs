use super::cell_set::CellSet;
use super::nodes::NodeMap;
use crate::heads::raster::{Cells, length};

/// A following node is looked for this far at first.
const STEP_M: f32 = 1.3;
/// Gap that is bridged when both sides point at each other.
const GAP_M: f32 = 3.6;
/// Nodes of one line lie this close across it.
const ACROSS_M: f32 = 0.4;
/// Cosine of the largest turn from a node to the next one.
const STEP_TURN: f32 = 0.85;
/// Cosine of the largest turn over a gap.
const GAP_TURN: f32 = 0.96;
/// What a metre across costs against a metre along, when the next node is chosen.
const ACROSS_COST: f32 = 4.0;

/// Links nodes into chains along their directions.
#[derive(Debug)]
pub(super) struct ChainLinker {
    is_used: Vec<bool>,
    /// Cells of the nodes that are not used yet.
    free: CellSet,
    /// Nodes by falling support.
    seeds: Vec<u32>,
    next_seed: usize,
    chain: Vec<u32>,
    /// Cells to be taken out of `free`.
    absorbed: Vec<usize>,
    step_cells: usize,
    gap_cells: usize,
    absorb_cells: usize,
}

impl ChainLinker {
    pub(super) fn new(cells: &Cells) -> Self {
        let reach = |metres: f32| (metres / cells.cell_m).ceil() as usize;
        Self {
            is_used: Vec::with_capacity(cells.count()),
            free: CellSet::new(cells),
            seeds: Vec::with_capacity(cells.count()),
            next_seed: 0,
            chain: Vec::with_capacity(cells.count()),
            absorbed: Vec::with_capacity(cells.count()),
            step_cells: reach(STEP_M),
            gap_cells: reach(GAP_M),
            absorb_cells: reach(ACROSS_M) + 1,
        }
    }

    /// Begins with the nodes of a new map.
    pub(super) fn start(&mut self, map: &NodeMap) {
        let nodes = map.nodes();
        self.is_used.clear();
        self.is_used.resize(nodes.len(), false);
        self.free.clear();
        for node in nodes {
            self.free.insert(node.cell as usize);
        }
        self.seeds.clear();
        self.seeds.extend(0..nodes.len() as u32);
        self.seeds.sort_unstable_by(|&a, &b| {
            let support = |index: u32| nodes[index as usize].support;
            support(b).total_cmp(&support(a)).then(a.cmp(&b))
        });
        self.next_seed = 0;
    }

    /// The next chain in the order of its nodes along the line, or `None` when all nodes are used.
    pub(super) fn next_chain(&mut self, map: &NodeMap, cells: &Cells) -> Option<&[u32]> {
        let seed = loop {
            let seed = *self.seeds.get(self.next_seed)?;
            self.next_seed += 1;
            if !self.is_used[seed as usize] {
                break seed;
            }
        };
        self.chain.clear();
        self.chain.push(seed);
        self.take(seed, map, cells);
        let [x, y] = map.node(seed).direction;
        // One way from the seed, then the other way.
        self.follow(seed, [-x, -y], map, cells);
        self.chain.reverse();
        self.follow(seed, [x, y], map, cells);
        Some(&self.chain)
    }

    fn follow(&mut self, seed: u32, direction: [f32; 2], map: &NodeMap, cells: &Cells) {
        let (mut current, mut direction) = (seed, direction);
        while let Some(next) = self.best_next(current, direction, map) {
            let step = between(map.node(current).point_m, map.node(next).point_m);
            let own = aligned(map.node(next).direction, direction);
            self.pass(current, step, map, cells);
            // The step itself steadies the direction, the more so the longer it is.
            let weight = (norm(step) / STEP_M).min(1.0);
            let step = unit(step);
            direction = unit([own[0] + weight * step[0], own[1] + weight * step[1]]);
            self.chain.push(next);
            self.take(next, map, cells);
            current = next;
        }
    }

    fn best_next(&self, current: u32, direction: [f32; 2], map: &NodeMap) -> Option<u32> {
        let near = Reach {
            most_m: STEP_M,
            least_turn: STEP_TURN,
        };
        let far = Reach {
            most_m: GAP_M,
            least_turn: GAP_TURN,
        };
        self.best_within(current, direction, map, &near, self.step_cells)
            .or_else(|| self.best_within(current, direction, map, &far, self.gap_cells))
    }

    fn best_within(
        &self,
        current: u32,
        direction: [f32; 2],
        map: &NodeMap,
        reach: &Reach,
        reach_cells: usize,
    ) -> Option<u32> {
        let from = map.node(current);
        let mut best: Option<(f32, u32)> = None;
        self.free
            .visit_around(from.cell as usize, reach_cells, |cell| {
                let other = map.at_cell(cell);
                let node = map.node(other);
                let step = between(from.point_m, node.point_m);
                let Some(cost) = reach.cost(direction, step, node.direction) else {
                    return;
                };
                let is_better = |(least, first): (f32, u32)| {
                    cost.total_cmp(&least).then(other.cmp(&first)).is_lt()
                };
                if best.is_none_or(is_better) {
                    best = Some((cost, other));
                }
            });
        best.map(|(_, other)| other)
    }

    /// Uses up a node and the nodes beside it that stand for the same stretch of the line.
    fn take(&mut self, index: u32, map: &NodeMap, cells: &Cells) {
        self.is_used[index as usize] = true;
        self.free.remove(map.node(index).cell as usize);
        let direction = map.node(index).direction;
        let reach_m = 0.5 * cells.cell_m;
        let stretch = Stretch {
            direction,
            from_m: -reach_m,
            to_m: reach_m,
        };
        self.absorb(index, self.absorb_cells, &stretch, map);
    }

    /// Uses up the nodes that were passed by a step of the chain.
    fn pass(&mut self, from: u32, step: [f32; 2], map: &NodeMap, cells: &Cells) {
        let length = norm(step);
        let reach = (length / cells.cell_m).ceil() as usize + 1;
        let stretch = Stretch {
            direction: unit(step),
            from_m: 0.0,
            to_m: length,
        };
        self.absorb(from, reach, &stretch, map);
    }

    fn absorb(&mut self, origin: u32, reach: usize, stretch: &Stretch, map: &NodeMap) {
        let from = map.node(origin);
        let Self {
            free,
            is_used,
            absorbed,
            ..
        } = self;
        absorbed.clear();
        free.visit_around(from.cell as usize, reach, |cell| {
            let other = map.at_cell(cell);
            let node = map.node(other);
            if stretch.holds(between(from.point_m, node.point_m), node.direction) {
                is_used[other as usize] = true;
                absorbed.push(cell);
            }
        });
        for &cell in absorbed.iter() {
            free.remove(cell);
        }
    }
}

/// A piece of a line, from a node on.
struct Stretch {
    direction: [f32; 2],
    from_m: f32,
    to_m: f32,
}

impl Stretch {
    /// Whether a node of this direction, `offset` away, stands for the same piece of line.
    fn holds(&self, offset: [f32; 2], direction: [f32; 2]) -> bool {
        let along = dot(offset, self.direction);
        (self.from_m..=self.to_m).contains(&along)
            && cross(self.direction, offset).abs() < ACROSS_M
            && dot(self.direction, direction).abs() > STEP_TURN
    }
}

/// How far and how bent a step may be.
struct Reach {
    most_m: f32,
    least_turn: f32,
}

impl Reach {
    /// Cost of a step, or `None` when it does not follow the line.
    fn cost(&self, direction: [f32; 2], step: [f32; 2], other: [f32; 2]) -> Option<f32> {
        let other = aligned(other, direction);
        if dot(direction, other) < self.least_turn {
            return None;
        }
        // On a bend the chord runs along the mean of both directions.
        let mean = unit([direction[0] + other[0], direction[1] + other[1]]);
        let along = dot(mean, step);
        let across = cross(mean, step).abs();
        let is_ahead = 0.05 < along && along <= self.most_m && dot(direction, step) > 0.0;
        (is_ahead && across <= ACROSS_M).then_some(along + ACROSS_COST * across)
    }
}

fn between(from: [f32; 3], to: [f32; 3]) -> [f32; 2] {
    [to[0] - from[0], to[1] - from[1]]
}

fn dot(a: [f32; 2], b: [f32; 2]) -> f32 {
    a[0] * b[0] + a[1] * b[1]
}

fn cross(a: [f32; 2], b: [f32; 2]) -> f32 {
    a[0] * b[1] - a[1] * b[0]
}

fn norm(a: [f32; 2]) -> f32 {
    length(a[0], a[1])
}

fn unit(a: [f32; 2]) -> [f32; 2] {
    let scale = 1.0 / norm(a).max(1e-6);
    [a[0] * scale, a[1] * scale]
}

/// `direction` with the sign that makes it agree with `with`.
fn aligned(direction: [f32; 2], with: [f32; 2]) -> [f32; 2] {
    if dot(direction, with) < 0.0 {
        [-direction[0], -direction[1]]
    } else {
        direction
    }
}
