//! `cargo fuzz run abi --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bevrt_fuzz::abi(data));
