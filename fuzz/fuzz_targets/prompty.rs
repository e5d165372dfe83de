#![no_main]
//! Any bytes as `p/a.prompty`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| promptops_fuzz::prompt("p/a.prompty", data));
