//! `cargo fuzz run onnx_file --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bevrt_fuzz::onnx_file(data));
