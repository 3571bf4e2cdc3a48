//! Bodies compressed on the way.

use std::io::Read;

use flate2::read::GzDecoder;
use model_host::{Fault, Host};

use crate::client::{Response, get, get_with};

fn gunzip(response: &Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(response.body.as_slice()).read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn gzip_always_is_sent_unasked_and_chunked() {
    let host = Host::builder().file("/shard.bin", vec![7; 200_000]).gzip_always().start();
    let answer = get_with(&host, "/shard.bin", "Accept-Encoding", "identity");
    assert_eq!((answer.status, answer.whole), (200, true));
    assert_eq!(answer.header("Content-Encoding"), Some("gzip"));
    assert_eq!(answer.header("Content-Length"), None);
    assert!(answer.header("ETag").unwrap().starts_with("W/\""));
    assert_eq!(gunzip(&answer), [7; 200_000]);
    assert_eq!(host.requests()[0].body_bytes_sent, answer.body.len() as u64);
}

#[test]
fn gzip_on_request_is_sent_to_those_who_ask() {
    let host = Host::builder().file("/model.json", "{}").gzip_on_request().start();
    let asked = get_with(&host, "/model.json", "Accept-Encoding", "br, gzip");
    assert_eq!(asked.header("Content-Encoding"), Some("gzip"));
    assert_eq!(gunzip(&asked), b"{}");
    let unasked = get(&host, "/model.json");
    assert_eq!((unasked.header("Content-Encoding"), unasked.body.as_slice()), (None, &b"{}"[..]));
}

#[test]
fn a_compressed_body_has_no_ranges() {
    let host = Host::builder().file("/shard.bin", "0123456789").gzip_always().start();
    let answer = get_with(&host, "/shard.bin", "Range", "bytes=4-");
    assert_eq!((answer.status, gunzip(&answer).as_slice()), (200, &b"0123456789"[..]));
}

#[test]
fn a_compressed_body_can_be_cut() {
    let host = Host::builder()
        .file("/shard.bin", "0123456789")
        .gzip_always()
        .fault("/shard.bin", Fault::cut_after(12))
        .start();
    let answer = get(&host, "/shard.bin");
    assert_eq!((answer.body.len(), answer.whole), (12, false));
    assert_eq!(answer.header("Transfer-Encoding"), Some("chunked"));
}
