#![no_main]

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use vendor_model::fuzzing::{deflate, gunzip};

/// What flate2 reads, we read alike.
fn agrees(ours: std::io::Result<Vec<u8>>, theirs: impl Read) {
    let mut read = Vec::new();
    let mut theirs = theirs.take(1 << 22);
    if theirs.read_to_end(&mut read).is_ok() {
        assert!(ours.unwrap() == read);
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    agrees(gunzip(bytes), MultiGzDecoder::new(bytes));
    agrees(deflate(bytes), ZlibDecoder::new(bytes));
});
