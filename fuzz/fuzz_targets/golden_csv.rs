#![no_main]
//! Any bytes as `p/a.golden.csv`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| promptops_fuzz::golden("p/a.golden.csv", data));
