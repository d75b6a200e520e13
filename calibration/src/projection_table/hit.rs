//! Where the voxels of one grid row fall in the cameras.

/// Neighbouring columns that are worked on at once: enough that loops over them are not unrolled but
/// become vector instructions, few enough that little beside a camera's view is worked out.
pub(super) const LANES: usize = 16;

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
    pub(super) const EMPTY: Self = Self {
        centrality: [-1.0; LANES],
        u: [0.0; LANES],
        v: [0.0; LANES],
        distance2: [1.0; LANES],
        first_row: [0; LANES],
        ln_focal: [0.0; LANES],
    };

    /// Fills all lanes; `hit` must not branch.
    #[inline(always)]
    pub(super) fn fill(&mut self, hit: impl Fn(usize) -> Hit) {
        for lane in 0..LANES {
            let hit = hit(lane);
            self.centrality[lane] = hit.centrality;
            self.u[lane] = hit.u;
            self.v[lane] = hit.v;
            self.distance2[lane] = hit.distance2;
            self.first_row[lane] = hit.first_row;
            self.ln_focal[lane] = hit.ln_focal;
        }
    }

    /// Lane by lane, takes what is more central in a later block and gives what was there in its
    /// place; at equality the earlier one stays.
    #[inline(always)]
    fn exchange_better(&mut self, later: &mut Block) {
        let mask: [u32; LANES] = std::array::from_fn(|lane| {
            u32::from(later.centrality[lane] > self.centrality[lane]).wrapping_neg()
        });
        exchange(&mask, &mut self.centrality, &mut later.centrality);
        exchange(&mask, &mut self.u, &mut later.u);
        exchange(&mask, &mut self.v, &mut later.v);
        exchange(&mask, &mut self.distance2, &mut later.distance2);
        exchange(&mask, &mut self.first_row, &mut later.first_row);
        exchange(&mask, &mut self.ln_focal, &mut later.ln_focal);
    }
}

/// A number of 32 bits.
trait Bits: Copy {
    fn to_bits(self) -> u32;
    fn from_bits(bits: u32) -> Self;
}

impl Bits for f32 {
    #[inline(always)]
    fn to_bits(self) -> u32 {
        self.to_bits()
    }

    #[inline(always)]
    fn from_bits(bits: u32) -> Self {
        Self::from_bits(bits)
    }
}

impl Bits for i32 {
    #[inline(always)]
    fn to_bits(self) -> u32 {
        self.cast_unsigned()
    }

    #[inline(always)]
    fn from_bits(bits: u32) -> Self {
        bits.cast_signed()
    }
}

/// Exchanges the lanes whose mask is all ones. Written with bits, for which no compiler puts a branch
/// into the loop.
#[inline(always)]
fn exchange<T: Bits>(mask: &[u32; LANES], a: &mut [T; LANES], b: &mut [T; LANES]) {
    for lane in 0..LANES {
        let (old_a, old_b) = (a[lane].to_bits(), b[lane].to_bits());
        let changed = (old_a ^ old_b) & mask[lane];
        a[lane] = T::from_bits(old_a ^ changed);
        b[lane] = T::from_bits(old_b ^ changed);
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

    /// Forgets all hits. What stands in the other arrays of a lane without a hit does not matter.
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        for block in &mut self.blocks {
            block.centrality = Block::EMPTY.centrality;
        }
    }

    /// The hits of this rank in a block of columns.
    #[inline(always)]
    pub(super) fn block(&self, rank: usize, height: usize, block: usize) -> &Block {
        &self.blocks[rank * self.blocks_per_rank + height * self.blocks_per_height + block]
    }

    /// Ranks candidates for the columns of one block; `candidate` is spent.
    #[inline(always)]
    pub(super) fn offer(&mut self, height: usize, block: usize, candidate: &mut Block) {
        let from = height * self.blocks_per_height + block;
        for rank in self.blocks.chunks_exact_mut(self.blocks_per_rank) {
            rank[from].exchange_better(candidate);
        }
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
            let mut candidate = Block::EMPTY;
            candidate.fill(|lane| hit(if lane == 3 { centrality } else { -1.0 }, row));
            hits.offer(0, 0, &mut candidate);
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
