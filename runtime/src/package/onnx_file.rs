//! What an ONNX file may not hold: references to other files, and operators that a library of
//! somebody else would have to bring.
//!
//! Reads the protobuf wire format as far as that needs; field numbers are those of `onnx.proto`.

/// Operator sets that ONNX Runtime brings itself.
const DOMAINS: [&[u8]; 4] = [b"", b"ai.onnx", b"ai.onnx.ml", b"com.microsoft"];
/// Deepest nesting of graphs within attributes.
const DEEPEST: usize = 32;

/// Why a file is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnnxProblem {
    /// The bytes are no protobuf message of that form.
    Malformed,
    /// A tensor lies in a file of its own.
    ExternalData {
        /// The tensor.
        tensor: String,
    },
    /// An operator is of a set that ONNX Runtime does not bring.
    Domain {
        /// The operator set.
        domain: String,
    },
    /// A node runs a compiled engine from a file of its own.
    CompiledEngine,
}

impl std::fmt::Display for OnnxProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed => f.write_str("expected an ONNX model, found other bytes"),
            Self::ExternalData { tensor } => write!(
                f,
                "tensor {tensor:?}: expected its data in the file, found a reference to another file"
            ),
            Self::Domain { domain } => write!(
                f,
                "expected operators of ONNX or com.microsoft, found those of {domain:?}"
            ),
            Self::CompiledEngine => f.write_str(
                "expected operators, found a compiled engine (EPContext), which names another file",
            ),
        }
    }
}

/// Checks a model.
///
/// # Errors
/// The first [`OnnxProblem`].
pub fn check(model: &[u8]) -> Result<(), OnnxProblem> {
    for field in fields(model) {
        match field? {
            (7, Value::Bytes(graph)) => check_graph(graph, DEEPEST)?,
            // A function of the model.
            (25, Value::Bytes(function)) => {
                for field in fields(function) {
                    if let (7, Value::Bytes(node)) = field? {
                        check_node(node, DEEPEST)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_graph(graph: &[u8], depth: usize) -> Result<(), OnnxProblem> {
    let depth = depth.checked_sub(1).ok_or(OnnxProblem::Malformed)?;
    for field in fields(graph) {
        match field? {
            (1, Value::Bytes(node)) => check_node(node, depth)?,
            (5, Value::Bytes(tensor)) => check_tensor(tensor)?,
            (15, Value::Bytes(sparse)) => check_sparse(sparse)?,
            _ => {}
        }
    }
    Ok(())
}

fn check_node(node: &[u8], depth: usize) -> Result<(), OnnxProblem> {
    check_domain(text(node, 7)?)?;
    if text(node, 4)? == b"EPContext" {
        return Err(OnnxProblem::CompiledEngine);
    }
    for field in fields(node) {
        if let (5, Value::Bytes(attribute)) = field? {
            for field in fields(attribute) {
                match field? {
                    (5 | 10, Value::Bytes(tensor)) => check_tensor(tensor)?,
                    (6 | 11, Value::Bytes(graph)) => check_graph(graph, depth)?,
                    (22 | 23, Value::Bytes(sparse)) => check_sparse(sparse)?,
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

fn check_sparse(sparse: &[u8]) -> Result<(), OnnxProblem> {
    for field in fields(sparse) {
        if let (1 | 2, Value::Bytes(tensor)) = field? {
            check_tensor(tensor)?;
        }
    }
    Ok(())
}

fn check_tensor(tensor: &[u8]) -> Result<(), OnnxProblem> {
    for field in fields(tensor) {
        // external_data, or data_location other than DEFAULT.
        if let (13, _) | (14, Value::Number(1..)) = field? {
            let tensor = String::from_utf8_lossy(text(tensor, 8)?).into_owned();
            return Err(OnnxProblem::ExternalData { tensor });
        }
    }
    Ok(())
}

fn check_domain(domain: &[u8]) -> Result<(), OnnxProblem> {
    if DOMAINS.contains(&domain) {
        return Ok(());
    }
    Err(OnnxProblem::Domain {
        domain: String::from_utf8_lossy(domain).into_owned(),
    })
}

/// The last value of a text field, empty where there is none.
fn text(message: &[u8], number: u64) -> Result<&[u8], OnnxProblem> {
    let mut found: &[u8] = b"";
    for field in fields(message) {
        match field? {
            (at, Value::Bytes(bytes)) if at == number => found = bytes,
            _ => {}
        }
    }
    Ok(found)
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message, by number.
fn fields(message: &[u8]) -> impl Iterator<Item = Result<(u64, Value<'_>), OnnxProblem>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let field = next_field(&mut rest).ok_or(OnnxProblem::Malformed);
        if field.is_err() {
            rest = &[];
        }
        Some(field)
    })
}

fn next_field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Value<'a>)> {
    let key = number(rest)?;
    let value = match key & 7 {
        0 => Value::Number(number(rest)?),
        1 => Value::Bytes(taken(rest, 8)?),
        2 => {
            let length = number(rest)?;
            Value::Bytes(taken(rest, usize::try_from(length).ok()?)?)
        }
        5 => Value::Bytes(taken(rest, 4)?),
        // Groups are no part of ONNX.
        _ => return None,
    };
    Some((key >> 3, value))
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn taken<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field with bytes.
    fn bytes(number: u8, value: &[u8]) -> Vec<u8> {
        let length = u8::try_from(value.len()).expect("tests are short");
        let key = u16::from(number) << 3 | 2;
        let mut out = vec![(key & 0x7F) as u8];
        if key > 0x7F {
            out[0] |= 0x80;
            out.push((key >> 7) as u8);
        }
        out.push(length);
        out.extend(value);
        out
    }

    fn joined(parts: &[Vec<u8>]) -> Vec<u8> {
        parts.concat()
    }

    fn model_of_node(node: &[u8]) -> Vec<u8> {
        bytes(7, &bytes(1, node))
    }

    #[test]
    fn the_networks_of_the_project_are_sound() {
        let model = include_bytes!("../../tests/fixtures/reduced/reduced.onnx");
        assert_eq!(check(model), Ok(()));
    }

    #[test]
    fn data_in_other_files_are_refused_wherever_the_tensor_lies() {
        let mut tensor = bytes(8, b"weight");
        tensor.extend([14 << 3, 1]);
        let named = joined(&[bytes(8, b"weight"), bytes(13, b"location")]);
        let expected = Err(OnnxProblem::ExternalData {
            tensor: "weight".into(),
        });
        for tensor in [tensor, named] {
            let attribute = bytes(5, &tensor);
            let nested = bytes(6, &bytes(5, &tensor));
            for model in [
                bytes(7, &bytes(5, &tensor)),
                model_of_node(&bytes(5, &attribute)),
                model_of_node(&bytes(5, &nested)),
                bytes(7, &bytes(15, &bytes(1, &tensor))),
            ] {
                assert_eq!(check(&model), expected);
            }
        }
    }

    #[test]
    fn operators_of_others_are_refused() {
        let expected = Err(OnnxProblem::Domain {
            domain: "evil".into(),
        });
        assert_eq!(check(&model_of_node(&bytes(7, b"evil"))), expected);
        assert_eq!(check(&bytes(25, &bytes(7, &bytes(7, b"evil")))), expected);
        assert_eq!(check(&model_of_node(&bytes(7, b"com.microsoft"))), Ok(()));
        // Operator sets that no node uses do no harm.
        assert_eq!(check(&bytes(8, &bytes(1, b"evil"))), Ok(()));
        let engine = joined(&[bytes(4, b"EPContext"), bytes(7, b"com.microsoft")]);
        assert_eq!(
            check(&model_of_node(&engine)),
            Err(OnnxProblem::CompiledEngine)
        );
    }

    #[test]
    fn bytes_that_are_no_model_are_refused() {
        for model in [&[0x3A_u8, 5, 1][..], &[0xFF; 12], &[0x0B], &[0x3A]] {
            assert_eq!(check(model), Err(OnnxProblem::Malformed), "{model:?}");
        }
        let mut nested = Vec::new();
        for _ in 0..DEEPEST {
            if nested.len() > 110 {
                break;
            }
            nested = bytes(1, &bytes(5, &bytes(6, &nested)));
        }
        // However deep, the walk ends.
        assert!(check(&bytes(7, &nested)).is_ok());
    }
}
