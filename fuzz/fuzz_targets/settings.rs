#![no_main]
//! Any bytes as `.github/promptops.yml`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| promptops_fuzz::settings(".github/promptops.yml", data));
