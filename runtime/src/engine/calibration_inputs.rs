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

/// Writes the cameras as matrices: intrinsics at the network's image size, poses as they were at the
/// stamp of the frame, and 1 for each camera that sees, 0 for one that is lost.
pub(crate) fn write_matrices(
    engine: &mut dyn Engine,
    cameras: &[NetworkCamera],
) -> Result<(), EngineError> {
    let (rows, _) = engine
        .input_mut(InputRole::Intrinsics)?
        .as_chunks_mut::<9>();
    for (matrix, camera) in rows.iter_mut().zip(cameras) {
        let lens = camera.intrinsics();
        let values = [
            [lens.fx(), 0.0, lens.cx()],
            [0.0, lens.fy(), lens.cy()],
            [0.0, 0.0, 1.0],
        ];
        write_f32(matrix, values.as_flattened());
    }
    let (rows, _) = engine
        .input_mut(InputRole::EgoFromCam)?
        .as_chunks_mut::<16>();
    for (matrix, camera) in rows.iter_mut().zip(cameras) {
        let ego_from_cam = camera.ego_at_reference_from_ego_at_camera * camera.ego_from_cam;
        // nalgebra stores columns; the network takes rows.
        write_f32(matrix, ego_from_cam.to_matrix().transpose().as_slice());
    }
    let valid = engine.input_mut(InputRole::CameraValid)?;
    for (valid, camera) in valid.iter_mut().zip(cameras) {
        *valid = f32::from(u8::from(camera.is_enabled));
    }
    Ok(())
}

fn write_f32(out: &mut [f32], values: &[f64]) {
    for (out, &value) in out.iter_mut().zip(values) {
        *out = value as f32;
    }
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
