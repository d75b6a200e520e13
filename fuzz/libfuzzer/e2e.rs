//! `cargo fuzz run e2e --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bevrt_fuzz::e2e(data));
