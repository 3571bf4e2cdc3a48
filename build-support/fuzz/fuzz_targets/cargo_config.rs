#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let dir = tempfile::tempdir().unwrap();
    vendor_model::fuzzing::cargo_config(text, dir.path());
});
