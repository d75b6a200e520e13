use bevrt_runtime::check_onnx_file;

/// The bytes as an ONNX file: accepted, or refused with a text.
pub fn onnx_file(data: &[u8]) {
    if let Err(problem) = check_onnx_file(data) {
        assert!(!problem.to_string().is_empty());
    }
}
