//! Where the voxels of one grid row fall in the cameras.

/// Neighbouring columns that are worked on at once.
pub(super) const LANES: usize = 8;

/// One camera's sight of one voxel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    /// Smallest distance to an image border relative to the image's size, negative for no hit.
    pub(super) centrality: f32,
    /// Position in feature cells, counted from the feature map's outer corner.
    pub(super) u: f32,
    pub(super) v: f32,
    /// Squared distance from the camera, m².
    pub(super) distance2: f32,
    /// Feature row of the camera's cell (0, 0).
    pub(super) first_row: i32,
    /// Logarithm of the camera's mean focal length in feature cells.
    pub(super) ln_focal: f32,
}

/// The hits of [`LANES`] neighbouring columns, one array per quantity: the compiler turns loops over
/// whole blocks into vector instructions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub(super) centrality: [f32; LANES],
    pub(super) u: [f32; LANES],
    pub(super) v: [f32; LANES],
    pub(super) distance2: [f32; LANES],
    pub(super) first_row: [i32; LANES],
    pub(super) ln_focal: [f32; LANES],
}

impl Block {
    const EMPTY: Self = Self {
        centrality: [-1.0; LANES],
        u: [0.0; LANES],
        v: [0.0; LANES],
        distance2: [1.0; LANES],
        first_row: [0; LANES],
        ln_focal: [0.0; LANES],
    };

    /// Fills all lanes; `hit` must not branch.
    #[inline(always)]
    pub(super) fn of(hit: impl Fn(usize) -> Hit) -> Self {
        let mut block = Self::EMPTY;
        for lane in 0..LANES {
            let hit = hit(lane);
            block.centrality[lane] = hit.centrality;
            block.u[lane] = hit.u;
            block.v[lane] = hit.v;
            block.distance2[lane] = hit.distance2;
            block.first_row[lane] = hit.first_row;
            block.ln_focal[lane] = hit.ln_focal;
        }
        block
    }

    /// In which lanes a later candidate is more central; at equality the earlier one stays.
    #[inline(always)]
    fn is_beaten_by(&self, later: &Block) -> [bool; LANES] {
        std::array::from_fn(|lane| later.centrality[lane] > self.centrality[lane])
    }
}

/// Lane by lane, `a` where the mask is set, else `b`.
#[inline(always)]
fn blend(mask: &[bool; LANES], a: &Block, b: &Block) -> Block {
    fn pick<T: Copy>(mask: &[bool; LANES], a: &[T; LANES], b: &[T; LANES]) -> [T; LANES] {
        std::array::from_fn(|lane| if mask[lane] { a[lane] } else { b[lane] })
    }
    Block {
        centrality: pick(mask, &a.centrality, &b.centrality),
        u: pick(mask, &a.u, &b.u),
        v: pick(mask, &a.v, &b.v),
        distance2: pick(mask, &a.distance2, &b.distance2),
        first_row: pick(mask, &a.first_row, &b.first_row),
        ln_focal: pick(mask, &a.ln_focal, &b.ln_focal),
    }
}

/// The most central hits of every voxel of one grid row: `[rank, height, block of columns]`.
#[derive(Debug, Clone, Default)]
pub(super) struct RowHits {
    blocks_per_height: usize,
    blocks_per_rank: usize,
    blocks: Vec<Block>,
}

impl RowHits {
    /// Makes room for `keep` ranks of `heights` × `cols` voxels.
    pub(super) fn resize(&mut self, keep: usize, heights: usize, cols: usize) {
        self.blocks_per_height = cols.div_ceil(LANES);
        self.blocks_per_rank = heights * self.blocks_per_height;
        self.blocks
            .resize(keep * self.blocks_per_rank, Block::EMPTY);
    }

    /// Forgets all hits.
    pub(super) fn clear(&mut self) {
        self.blocks.fill(Block::EMPTY);
    }

    /// The hits of this rank in a block of columns.
    #[inline]
    pub(super) fn block(&self, rank: usize, height: usize, block: usize) -> &Block {
        &self.blocks[rank * self.blocks_per_rank + height * self.blocks_per_height + block]
    }

    /// Ranks candidates for the columns of one block.
    #[inline(always)]
    pub(super) fn offer(&mut self, height: usize, block: usize, candidate: Block) {
        let from = height * self.blocks_per_height + block;
        let last_rank = self.blocks.len() - self.blocks_per_rank;
        let (ranks, last) = self.blocks.split_at_mut(last_rank);
        let mut carried = candidate;
        for rank in ranks.iter_mut().skip(from).step_by(self.blocks_per_rank) {
            let is_beaten = rank.is_beaten_by(&carried);
            let dropped = blend(&is_beaten, rank, &carried);
            *rank = blend(&is_beaten, &carried, rank);
            carried = dropped;
        }
        let last = &mut last[from];
        *last = blend(&last.is_beaten_by(&carried), &carried, last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_ranked_and_the_earlier_one_stays_first_at_equality() {
        let hit = |centrality: f32, first_row: i32| Hit {
            centrality,
            u: 1.0,
            v: 2.0,
            distance2: 3.0,
            first_row,
            ln_focal: 0.0,
        };
        let mut hits = RowHits::default();
        hits.resize(2, 1, LANES + 1);
        for (row, centrality) in [(0, 0.2), (1, 0.4), (2, 0.4), (3, -1.0), (4, 0.1)] {
            hits.offer(
                0,
                0,
                Block::of(|lane| hit(if lane == 3 { centrality } else { -1.0 }, row)),
            );
        }
        assert_eq!(
            [0, 1].map(|rank| hits.block(rank, 0, 0).first_row[3]),
            [1, 2]
        );
        assert!(hits.block(0, 0, 0).centrality[2] < 0.0 && hits.block(0, 0, 1).centrality[0] < 0.0);
        hits.clear();
        assert!(hits.block(0, 0, 0).centrality[3] < 0.0);
    }
}
