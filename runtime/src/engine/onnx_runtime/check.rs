use std::path::Path;

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

use crate::engine::{CAMERA_DIMENSION, ElementType, EngineLoadError, NetworkInterface};

/// Compares every input and output of the session with the interface.
pub(super) fn session(
    session: &Session,
    interface: &NetworkInterface,
    file: &Path,
) -> Result<(), EngineLoadError> {
    let check = Check { file, interface };
    for spec in interface.inputs() {
        let outlet = check.find("input", &spec.name, session.inputs())?;
        check.tensor("input", outlet, spec.element, &spec.shape)?;
    }
    for outlet in session.inputs() {
        if !interface.inputs().iter().any(|s| s.name == outlet.name()) {
            return Err(check.mismatch(
                format!("input {}", outlet.name()),
                "no such input by the manifest",
                "it in the network",
            ));
        }
    }
    for spec in interface.outputs() {
        let outlet = check.find("output", &spec.name, session.outputs())?;
        check.tensor("output", outlet, ElementType::F32, &spec.shape)?;
    }
    Ok(())
}

struct Check<'a> {
    file: &'a Path,
    interface: &'a NetworkInterface,
}

impl Check<'_> {
    fn mismatch(
        &self,
        field: String,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> EngineLoadError {
        EngineLoadError::Mismatch {
            file: self.file.to_path_buf(),
            field,
            expected: expected.into(),
            found: found.into(),
        }
    }

    fn find<'o>(
        &self,
        side: &str,
        name: &str,
        outlets: &'o [Outlet],
    ) -> Result<&'o Outlet, EngineLoadError> {
        outlets
            .iter()
            .find(|outlet| outlet.name() == name)
            .ok_or_else(|| {
                let names: Vec<&str> = outlets.iter().map(Outlet::name).collect();
                self.mismatch(
                    format!("{side} {name}"),
                    format!("an {side} of this name"),
                    format!("only {}", names.join(", ")),
                )
            })
    }

    fn tensor(
        &self,
        side: &str,
        outlet: &Outlet,
        element: ElementType,
        expected: &[usize],
    ) -> Result<(), EngineLoadError> {
        let name = outlet.name();
        let ValueType::Tensor {
            ty,
            shape,
            dimension_symbols,
        } = outlet.dtype()
        else {
            return Err(self.mismatch(
                format!("{side} {name}: kind"),
                "a tensor",
                format!("{:?}", outlet.dtype()),
            ));
        };
        let wanted = match element {
            ElementType::F32 => TensorElementType::Float32,
            ElementType::I32 => TensorElementType::Int32,
        };
        if *ty != wanted {
            return Err(self.mismatch(
                format!("{side} {name}: element type"),
                element.as_str(),
                ty.to_string(),
            ));
        }
        // A camera dimension that ONNX Runtime still shows as a symbol has been fixed by override.
        let cameras = i64::try_from(self.interface.cameras()).unwrap_or(i64::MAX);
        let found: Vec<i64> = shape
            .iter()
            .zip(dimension_symbols.iter())
            .map(|(&dimension, symbol)| match symbol.as_str() {
                CAMERA_DIMENSION if dimension < 0 => cameras,
                _ => dimension,
            })
            .collect();
        let is_same = found.len() == expected.len()
            && found
                .iter()
                .zip(expected)
                .all(|(&found, &expected)| usize::try_from(found) == Ok(expected));
        if is_same {
            return Ok(());
        }
        Err(self.mismatch(
            format!("{side} {name}: shape"),
            format!("{expected:?}"),
            format!("{found:?}"),
        ))
    }
}
