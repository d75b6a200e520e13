//! `cargo fuzz run manifest --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bevrt_fuzz::manifest(data));
