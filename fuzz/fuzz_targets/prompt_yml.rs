#![no_main]
//! Any bytes as `p/a.prompt.yml`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| promptops_fuzz::prompt("p/a.prompt.yml", data));
