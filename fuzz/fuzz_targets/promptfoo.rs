#![no_main]
//! Any bytes as `p/promptfooconfig.yaml`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| promptops_fuzz::promptfoo("p/promptfooconfig.yaml", data));
