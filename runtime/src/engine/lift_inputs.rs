use bevrt_calibration::ProjectionTable;

use super::{Engine, EngineError, InputRole};

/// Copies the projection table of the manifest's lift number `place` into the network's inputs.
pub(crate) fn write_lift(
    engine: &mut dyn Engine,
    place: usize,
    table: &ProjectionTable,
    takes_geometry: bool,
) -> Result<(), EngineError> {
    engine
        .index_mut(InputRole::LiftIndex(place))?
        .copy_from_slice(&table.index);
    if !table.weight.is_empty() {
        engine
            .input_mut(InputRole::LiftWeight(place))?
            .copy_from_slice(&table.weight);
    }
    if !table.depth_index.is_empty() {
        engine
            .index_mut(InputRole::LiftDepthIndex(place))?
            .copy_from_slice(&table.depth_index);
    }
    if takes_geometry {
        engine
            .input_mut(InputRole::LiftGeometry(place))?
            .copy_from_slice(&table.geometry);
    }
    Ok(())
}
