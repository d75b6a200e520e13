use std::path::Path;

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

use crate::engine::{CAMERA_DIMENSION, ElementType, EngineLoadError, NetworkInterface, Origin};

/// Compares every input and output of the session with the interface.
pub(super) fn session(
    session: &Session,
    interface: &NetworkInterface,
    file: &Path,
) -> Result<(), EngineLoadError> {
    let check = Check { file, interface };
    for spec in interface.inputs() {
        let promised = Promised {
            side: "input",
            name: &spec.name,
            element: spec.element,
            shape: &spec.shape,
            origin: &spec.origin,
        };
        check.tensor(&promised, session.inputs())?;
    }
    for outlet in session.inputs() {
        if !interface.inputs().iter().any(|s| s.name == outlet.name()) {
            return Err(check.mismatch(
                format!("input {}", outlet.name()),
                "no such input by the manifest",
                "it in the network",
                section_for(outlet.name()),
            ));
        }
    }
    for spec in interface.outputs() {
        let promised = Promised {
            side: "output",
            name: &spec.name,
            element: ElementType::F32,
            shape: &spec.shape,
            origin: &spec.origin,
        };
        check.tensor(&promised, session.outputs())?;
    }
    Ok(())
}

/// What would make the manifest promise an input of this name.
fn section_for(name: &str) -> String {
    const LIFT_SUFFIXES: [(&str, &str); 4] = [
        ("_depth_index", "`depth_bins`"),
        ("_index", "this name"),
        ("_weight", "`taps` above 1"),
        ("_geometry", "`geometry = true`"),
    ];
    let lift = LIFT_SUFFIXES.iter().find_map(|(suffix, what)| {
        let lift = name.strip_suffix(suffix)?;
        Some(format!(
            "give the manifest a `[[lift]]` named \"{lift}\" with {what}"
        ))
    });
    match name {
        "rays" => "give the manifest a section `[rays]`".into(),
        "intrinsics" | "ego_from_cam" | "camera_valid" => {
            "give the manifest a section `[matrices]`".into()
        }
        "history" | "history_state" => "give the manifest a section `[queue]`".into(),
        "history_from_now" => "set `queue.alignment` of the manifest to \"graph\"".into(),
        _ => lift.unwrap_or_else(|| {
            "the contract has no input of this name: rename it or fold it into the network".into()
        }),
    }
}

/// A tensor that manifest and rig demand.
struct Promised<'a> {
    side: &'static str,
    name: &'a str,
    element: ElementType,
    shape: &'a [usize],
    origin: &'a Origin,
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
        change: String,
    ) -> EngineLoadError {
        EngineLoadError::Mismatch {
            file: self.file.to_path_buf(),
            field,
            expected: expected.into(),
            found: found.into(),
            change: change.into(),
        }
    }

    fn tensor(&self, promised: &Promised<'_>, outlets: &[Outlet]) -> Result<(), EngineLoadError> {
        let (side, name) = (promised.side, promised.name);
        let section = &promised.origin.section;
        let Some(outlet) = outlets.iter().find(|outlet| outlet.name() == name) else {
            let names: Vec<&str> = outlets.iter().map(Outlet::name).collect();
            return Err(self.mismatch(
                format!("{side} {name}"),
                format!("an {side} of this name"),
                format!("only {}", names.join(", ")),
                format!(
                    "`{section}` of the manifest asks for it: change that, or the network \
                     (exporters drop inputs without an effect)"
                ),
            ));
        };
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
                "change the network".into(),
            ));
        };
        let wanted = match promised.element {
            ElementType::F32 => TensorElementType::Float32,
            ElementType::I32 => TensorElementType::Int32,
        };
        if *ty != wanted {
            return Err(self.mismatch(
                format!("{side} {name}: element type"),
                promised.element.as_str(),
                ty.to_string(),
                "change the network".into(),
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
        let Some(change) = difference(&found, promised) else {
            return Ok(());
        };
        Err(self.mismatch(
            format!("{side} {name}: shape"),
            format!("{:?}", promised.shape),
            format!("{found:?}"),
            change,
        ))
    }
}

/// What to change where the shapes differ; `None` where they are the same.
fn difference(found: &[i64], promised: &Promised<'_>) -> Option<String> {
    if found.len() != promised.shape.len() {
        return Some(format!(
            "the contract has {} dimensions here: change the network, or `{}` of the manifest",
            promised.shape.len(),
            promised.origin.section
        ));
    }
    let place = found
        .iter()
        .zip(promised.shape)
        .position(|(&found, &expected)| usize::try_from(found) != Ok(expected))?;
    Some(if found[place] < 0 {
        format!("dimension {place} must have a fixed size: export the network with one")
    } else {
        promised.origin.change(place)
    })
}
