#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| vendor_model::fuzzing::netrc(text));
