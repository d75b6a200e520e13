//! Where a voxel falls in one camera.

/// One camera's sight of one voxel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    /// Smallest distance to an image border relative to the image's size, or negative for no hit.
    pub(super) centrality: f32,
    /// Position in feature cells, counted from the feature map's outer corner.
    pub(super) u: f32,
    pub(super) v: f32,
    /// Squared distance from the camera, m².
    pub(super) distance2: f32,
    /// Which of the table's views it is.
    pub(super) view: u32,
}

impl Hit {
    pub(super) const NONE: Self = Self {
        centrality: -1.0,
        u: 0.0,
        v: 0.0,
        distance2: 1.0,
        view: 0,
    };

    #[inline]
    pub(super) fn is_some(&self) -> bool {
        self.centrality >= 0.0
    }
}

/// Puts a hit into its place among the most central ones; at equality the earlier camera stays first.
#[inline]
pub(super) fn insert(best: &mut [Hit], hit: Hit) {
    let mut carried = hit;
    for slot in best {
        if carried.centrality > slot.centrality {
            std::mem::swap(slot, &mut carried);
        }
    }
}
