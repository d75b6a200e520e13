use super::EngineError;
use crate::align::GridAffine;

/// Past maps that stay in the memory of a network's provider.
///
/// They lie in a ring that never moves, stored as the manifest's queue says. The map goes from the
/// network's output into the ring and from there, aligned, into the network's input, by small graphs
/// that the engine runs itself; they are what [`crate::FeatureQueue`] does on the host.
pub trait MapRing {
    /// Stores the map that the network gave at its last run; false when one of its values is not
    /// finite, what is in the place is not to be used then.
    ///
    /// # Errors
    /// The provider failed, or the ring has no such place; what is in the place is undefined. Or a run
    /// was started and not finished.
    fn store_map(&mut self, place: usize) -> Result<bool, EngineError>;

    /// Writes the network's history: for each slot, the youngest first, the map at a place and where
    /// the present cells are in it, or zeros. Slots beyond the end of `sources` are zero.
    ///
    /// # Errors
    /// The provider failed, or the ring has no such place; the history is undefined.
    fn align_maps(&mut self, sources: &[Option<(usize, GridAffine)>]) -> Result<(), EngineError>;

    /// Brings the map of the last run to where [`super::Engine::output`] gives it. Nothing needs that
    /// but who wants to look at it.
    ///
    /// # Errors
    /// The provider failed, or a run was started and not finished.
    fn bring_map(&mut self) -> Result<(), EngineError>;
}
