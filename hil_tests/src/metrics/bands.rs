//! Bands that object scores are given for: of distance, and of how much is visible.

/// Distances from the ego origin that a band begins at, metres; the last band ends where the class
/// is no longer scored.
pub const DISTANCE_BANDS_M: [f64; 3] = [0.0, 15.0, 30.0];

/// Visible shares of the silhouette that a level begins at, as nuScenes divides them.
pub const VISIBILITY_LEVELS: [f64; 4] = [0.0, 0.4, 0.6, 0.8];

/// The band that a value of at least 0 lies in.
pub(super) fn band_of(value: f64, begins: &[f64]) -> usize {
    begins
        .partition_point(|begin| *begin <= value)
        .saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_holds_its_beginning() {
        let bands = [0.0, 14.9, 15.0, 49.0].map(|m| band_of(m, &DISTANCE_BANDS_M));
        assert_eq!(bands, [0, 0, 1, 2]);
        assert_eq!(band_of(1.0, &VISIBILITY_LEVELS), 3);
    }
}
