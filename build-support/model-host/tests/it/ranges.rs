//! Parts of a file. What counts as a range is tested in `src/range.rs`.

use model_host::Host;

use crate::client::{Client, get, get_with};

fn host() -> Host {
    Host::builder().file("/shard.bin", "0123456789").start()
}

#[test]
fn a_range_is_answered_with_206_and_that_part() {
    let host = host();
    let cases = [
        ("bytes=4-", "456789", "bytes 4-9/10"),
        ("bytes=2-5", "2345", "bytes 2-5/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
    ];
    for (range, body, content_range) in cases {
        let part = get_with(&host, "/shard.bin", "Range", range);
        assert_eq!((part.status, part.body.as_slice()), (206, body.as_bytes()));
        assert_eq!(part.header("Content-Range"), Some(content_range));
        assert_eq!(part.header("Content-Length"), Some(body.len().to_string().as_str()));
    }
}

#[test]
fn a_range_beyond_the_end_is_416_with_the_length() {
    let answer = get_with(&host(), "/shard.bin", "Range", "bytes=10-");
    assert_eq!((answer.status, answer.header("Content-Range")), (416, Some("bytes */10")));
}

#[test]
fn a_range_of_another_version_is_the_whole_file() {
    let host = host();
    let etag = get(&host, "/shard.bin").header("ETag").unwrap().to_owned();
    let mut client = Client::of(&host);
    let mut status_if = |tag: &str| {
        client.send("GET", "/shard.bin", &[("Range", "bytes=4-"), ("If-Range", tag)]).status
    };
    assert_eq!(status_if(&etag), 206);
    assert_eq!(status_if(&format!("W/{etag}")), 200);
    host.put("/shard.bin", "9876543210");
    assert_eq!(status_if(&etag), 200);
}

#[test]
fn a_host_without_ranges_sends_the_whole_file() {
    let host = Host::builder().file("/shard.bin", "0123456789").no_ranges().start();
    let answer = get_with(&host, "/shard.bin", "Range", "bytes=4-");
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"0123456789"[..]));
}
