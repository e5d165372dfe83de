#![no_main]
//! Any bytes as `p/a.golden.yml`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| promptops_fuzz::golden("p/a.golden.yml", data));
