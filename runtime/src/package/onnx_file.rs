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
    /// Graphs lie in attributes of graphs, more than 32 of them.
    TooDeep,
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
            Self::TooDeep => write!(
                f,
                "expected at most {DEEPEST} graphs within each other, found more"
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
            (20, Value::Bytes(training)) => check_training(training)?,
            (25, Value::Bytes(function)) => check_function(function)?,
            _ => {}
        }
    }
    Ok(())
}

/// Initialization and algorithm of a training, which are graphs.
fn check_training(training: &[u8]) -> Result<(), OnnxProblem> {
    for field in fields(training) {
        if let (1 | 2, Value::Bytes(graph)) = field? {
            check_graph(graph, DEEPEST)?;
        }
    }
    Ok(())
}

/// A function of the model: its nodes, and the defaults of its attributes.
fn check_function(function: &[u8]) -> Result<(), OnnxProblem> {
    for field in fields(function) {
        match field? {
            (7, Value::Bytes(node)) => check_node(node, DEEPEST)?,
            (11, Value::Bytes(attribute)) => check_attribute(attribute, DEEPEST)?,
            _ => {}
        }
    }
    Ok(())
}

fn check_graph(graph: &[u8], depth: usize) -> Result<(), OnnxProblem> {
    let depth = depth.checked_sub(1).ok_or(OnnxProblem::TooDeep)?;
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
            check_attribute(attribute, depth)?;
        }
    }
    Ok(())
}

fn check_attribute(attribute: &[u8], depth: usize) -> Result<(), OnnxProblem> {
    for field in fields(attribute) {
        match field? {
            (5 | 10, Value::Bytes(tensor)) => check_tensor(tensor)?,
            (6 | 11, Value::Bytes(graph)) => check_graph(graph, depth)?,
            (22 | 23, Value::Bytes(sparse)) => check_sparse(sparse)?,
            _ => {}
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

    fn varint(mut value: usize) -> Vec<u8> {
        let mut out = Vec::new();
        while value > 0x7F {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
        out
    }

    /// A field with bytes.
    fn bytes(number: usize, value: &[u8]) -> Vec<u8> {
        [varint(number << 3 | 2), varint(value.len()), value.to_vec()].concat()
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
                // A function: an attribute of a node, the default of an attribute, a graph in it.
                bytes(25, &bytes(7, &bytes(5, &attribute))),
                bytes(25, &bytes(11, &attribute)),
                bytes(25, &bytes(11, &nested)),
                // A training: initialization and algorithm.
                bytes(20, &bytes(1, &bytes(5, &tensor))),
                bytes(20, &bytes(2, &bytes(5, &tensor))),
                bytes(20, &bytes(2, &bytes(1, &bytes(5, &attribute)))),
            ] {
                assert_eq!(check(&model), expected, "{model:02x?}");
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
    }

    /// Graphs within each other, of which the innermost is empty.
    fn graphs(count: usize) -> Vec<u8> {
        (1..count).fold(Vec::new(), |inner, _| {
            bytes(1, &bytes(5, &bytes(6, &inner)))
        })
    }

    #[test]
    fn graphs_within_each_other_are_walked_to_the_limit_and_refused_beyond_it() {
        let in_function = |count| bytes(25, &bytes(11, &bytes(6, &graphs(count))));
        let in_training = |count| bytes(20, &bytes(1, &graphs(count)));
        for count in [1, 2, DEEPEST] {
            assert_eq!(check(&bytes(7, &graphs(count))), Ok(()), "{count}");
            assert_eq!(check(&in_function(count)), Ok(()), "{count}");
            assert_eq!(check(&in_training(count)), Ok(()), "{count}");
        }
        for count in [DEEPEST + 1, DEEPEST + 2, 1000] {
            let expected = Err(OnnxProblem::TooDeep);
            assert_eq!(check(&bytes(7, &graphs(count))), expected, "{count}");
            assert_eq!(check(&in_function(count)), expected, "{count}");
            assert_eq!(check(&in_training(count)), expected, "{count}");
        }
        // What lies in the innermost graph is seen.
        let evil = bytes(1, &bytes(7, b"evil"));
        let model = (1..DEEPEST).fold(evil, |inner, _| bytes(1, &bytes(5, &bytes(6, &inner))));
        let found = check(&bytes(7, &model));
        assert!(
            matches!(found, Err(OnnxProblem::Domain { .. })),
            "{found:?}"
        );
    }
}
