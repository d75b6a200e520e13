//! Raw tensors of the last frame, so that anyone can run the same network elsewhere and compare.

use super::FrameError;
use crate::engine::{ElementType, Engine, ImageSet, InputRole};

/// A tensor as the network sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RawTensor<'a> {
    /// Name in the network.
    pub name: &'a str,
    /// Shape, outermost dimension first.
    pub shape: &'a [usize],
    /// The values, innermost dimension contiguous.
    pub values: RawValues<'a>,
}

/// Values of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RawValues<'a> {
    /// 32-bit floats.
    F32(&'a [f32]),
    /// 32-bit integers.
    I32(&'a [i32]),
}

pub(super) fn inputs(
    engine: &mut dyn Engine,
    set: ImageSet,
    mut visit: impl FnMut(RawTensor<'_>),
) -> Result<(), FrameError> {
    let specs = engine.interface().inputs().to_vec();
    for spec in &specs {
        let values = match (spec.role, spec.element) {
            (InputRole::Images, _) => RawValues::F32(engine.images_mut(set)),
            (role, ElementType::F32) => RawValues::F32(engine.input_mut(role)?),
            (role, ElementType::I32) => RawValues::I32(engine.index_mut(role)?),
        };
        visit(RawTensor {
            name: &spec.name,
            shape: &spec.shape,
            values,
        });
    }
    Ok(())
}

pub(super) fn outputs(
    engine: &mut dyn Engine,
    mut visit: impl FnMut(RawTensor<'_>),
) -> Result<(), FrameError> {
    if let Some(ring) = engine.map_ring() {
        ring.bring_map()?;
    }
    for spec in engine.interface().outputs() {
        let values = RawValues::F32(engine.output(spec.role)?);
        visit(RawTensor {
            name: &spec.name,
            shape: &spec.shape,
            values,
        });
    }
    Ok(())
}
