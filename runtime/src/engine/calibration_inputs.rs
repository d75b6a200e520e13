use bevrt_calibration::{NetworkCamera, ProjectionTable, RaySpec};

use super::{Engine, EngineError, InputRole};

/// Writes the cameras' rays into the network's input.
pub(crate) fn write_rays(
    engine: &mut dyn Engine,
    spec: &RaySpec,
    cameras: &[NetworkCamera],
) -> Result<(), EngineError> {
    spec.write_into(cameras, engine.input_mut(InputRole::Rays)?);
    Ok(())
}

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
