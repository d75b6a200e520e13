//! Writes small ONNX models, as far as the runtime's own graphs need it.
//!
//! Writes the protobuf wire format; field numbers are those of `onnx.proto`.

/// Version of the file format; ONNX Runtime 1.12 and later read it.
const IR_VERSION: u64 = 8;
/// Version of the operators.
const OPERATORS: u64 = 17;

/// Type of a tensor's elements, with its number in ONNX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnnxType {
    F32 = 1,
    U8 = 2,
    I32 = 6,
    I64 = 7,
    F16 = 10,
}

/// An attribute of a node.
#[derive(Clone, Copy, Debug)]
pub(super) enum Attribute {
    Float(&'static str, f32),
    Int(&'static str, i64),
}

/// A value in a graph, by its name.
#[derive(Clone, Debug)]
pub(super) struct Named(String);

/// A model with one graph, built node by node in the order in which they run.
#[derive(Debug, Default)]
pub(super) struct OnnxWriter {
    graph: Vec<u8>,
    named: usize,
}

impl OnnxWriter {
    /// An input of the model.
    pub fn input(&mut self, name: &str, element: OnnxType, shape: &[usize]) -> Named {
        message(&mut self.graph, 11, &value_info(name, element, shape));
        Named(name.to_owned())
    }

    /// A constant of 32-bit floats.
    pub fn floats(&mut self, shape: &[usize], values: &[f32]) -> Named {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        self.constant(OnnxType::F32, shape, bytes.collect())
    }

    /// A constant 32-bit float without dimensions.
    pub fn float(&mut self, value: f32) -> Named {
        self.floats(&[], &[value])
    }

    /// A constant 32-bit integer without dimensions.
    pub fn int(&mut self, value: i32) -> Named {
        self.constant(OnnxType::I32, &[], value.to_le_bytes().to_vec())
    }

    /// Constant 64-bit integers, as operators take axes and pads.
    pub fn longs(&mut self, values: &[i64]) -> Named {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        self.constant(OnnxType::I64, &[values.len()], bytes.collect())
    }

    /// An operator's result.
    pub fn node(&mut self, operator: &str, inputs: &[&Named], attributes: &[Attribute]) -> Named {
        let output = self.fresh();
        self.node_as(&output, operator, inputs, attributes);
        Named(output)
    }

    /// A conversion to another element type.
    pub fn cast(&mut self, input: &Named, to: OnnxType) -> Named {
        self.node("Cast", &[input], &[Attribute::Int("to", to as i64)])
    }

    /// An operator whose result is an output of the model.
    pub fn output(
        &mut self,
        name: &str,
        (element, shape): (OnnxType, &[usize]),
        (operator, inputs): (&str, &[&Named]),
        attributes: &[Attribute],
    ) {
        self.node_as(name, operator, inputs, attributes);
        message(&mut self.graph, 12, &value_info(name, element, shape));
    }

    /// The model's bytes.
    pub fn finish(mut self, name: &str) -> Vec<u8> {
        message(&mut self.graph, 2, name.as_bytes());
        let mut operators = Vec::new();
        message(&mut operators, 1, b"");
        number(&mut operators, 2, OPERATORS);
        let mut model = Vec::new();
        number(&mut model, 1, IR_VERSION);
        message(&mut model, 7, &self.graph);
        message(&mut model, 8, &operators);
        model
    }

    fn fresh(&mut self) -> String {
        self.named += 1;
        format!("v{}", self.named)
    }

    fn constant(&mut self, element: OnnxType, shape: &[usize], bytes: Vec<u8>) -> Named {
        let name = self.fresh();
        let mut tensor = Vec::new();
        for &dimension in shape {
            number(&mut tensor, 1, dimension as u64);
        }
        number(&mut tensor, 2, element as u64);
        message(&mut tensor, 8, name.as_bytes());
        message(&mut tensor, 9, &bytes);
        message(&mut self.graph, 5, &tensor);
        Named(name)
    }

    fn node_as(
        &mut self,
        output: &str,
        operator: &str,
        inputs: &[&Named],
        attributes: &[Attribute],
    ) {
        let mut node = Vec::new();
        for Named(input) in inputs {
            message(&mut node, 1, input.as_bytes());
        }
        message(&mut node, 2, output.as_bytes());
        message(&mut node, 4, operator.as_bytes());
        for attribute in attributes {
            message(&mut node, 5, &attribute.bytes());
        }
        message(&mut self.graph, 1, &node);
    }
}

impl Attribute {
    fn bytes(self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Float(name, value) => {
                message(&mut out, 1, name.as_bytes());
                key(&mut out, 2, 5);
                out.extend(value.to_le_bytes());
                number(&mut out, 20, 1);
            }
            Self::Int(name, value) => {
                message(&mut out, 1, name.as_bytes());
                number(&mut out, 3, value as u64);
                number(&mut out, 20, 2);
            }
        }
        out
    }
}

fn value_info(name: &str, element: OnnxType, shape: &[usize]) -> Vec<u8> {
    let mut dimensions = Vec::new();
    for &dimension in shape {
        let mut value = Vec::new();
        number(&mut value, 1, dimension as u64);
        message(&mut dimensions, 1, &value);
    }
    let mut tensor = Vec::new();
    number(&mut tensor, 1, element as u64);
    message(&mut tensor, 2, &dimensions);
    let mut kind = Vec::new();
    message(&mut kind, 1, &tensor);
    let mut info = Vec::new();
    message(&mut info, 1, name.as_bytes());
    message(&mut info, 2, &kind);
    info
}

/// A field of bytes: a text, or a message within this one.
fn message(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    key(out, field, 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    key(out, field, 0);
    varint(out, value);
}

fn key(out: &mut Vec<u8>, field: u64, kind: u64) {
    varint(out, field << 3 | kind);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::check_onnx_file;

    #[test]
    fn lengths_and_numbers_of_more_than_seven_bits_are_written() {
        let mut out = Vec::new();
        number(&mut out, 20, 300);
        assert_eq!(out, [0xA0, 0x01, 0xAC, 0x02]);
        out.clear();
        number(&mut out, 3, -1_i64 as u64);
        assert_eq!(out.len(), 11);
    }

    #[test]
    fn what_is_written_is_read_as_a_model_by_the_package_check() {
        let mut writer = OnnxWriter::default();
        let x = writer.input("x", OnnxType::F32, &[2, 3]);
        let two = writer.float(2.0);
        writer.output("y", (OnnxType::F32, &[2, 3]), ("Mul", &[&x, &two]), &[]);
        let model = writer.finish("doubled");
        assert_eq!(check_onnx_file(&model), Ok(()));
        let text = String::from_utf8_lossy(&model);
        for part in ["x", "y", "Mul", "doubled"] {
            assert!(text.contains(part), "{part}");
        }
    }
}
