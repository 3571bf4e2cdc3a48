#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let dir = tempfile::tempdir().unwrap();
    vendor_model::fuzzing::partial(bytes, dir.path());
});
