#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vendor_model::fuzzing::answer(bytes));
