//! `cargo fuzz run log --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bevrt_fuzz::log(data));
