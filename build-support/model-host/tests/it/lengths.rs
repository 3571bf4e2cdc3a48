//! Bodies that are longer or shorter than they are said to be, and parts that are others than they say.

use std::io::Read;

use flate2::read::GzDecoder;
use model_host::{Fault, Host};

use crate::client::{Client, get, get_with};

fn host(fault: Fault) -> Host {
    Host::builder().file("/shard.bin", "0123456789").fault("/shard.bin", fault).start()
}

#[test]
fn a_length_may_be_claimed_that_the_body_does_not_have() {
    let longer = get(&host(Fault::claimed_length(12)), "/shard.bin");
    assert_eq!(longer.header("Content-Length"), Some("12"));
    assert_eq!((longer.body.as_slice(), longer.whole), (&b"0123456789"[..], false));

    let host = host(Fault::claimed_length(4));
    let mut client = Client::of(&host);
    let shorter = client.send("GET", "/shard.bin", &[]);
    assert_eq!((shorter.body.as_slice(), shorter.whole), (&b"0123"[..], true));
    assert_eq!(client.read_rest(), b"456789");
}

#[test]
fn a_shortened_body_is_whole_in_itself() {
    let host = host(Fault::shortened_by(3).times(2));
    let mut client = Client::of(&host);
    let whole = client.send("GET", "/shard.bin", &[]);
    assert_eq!((whole.status, whole.body.as_slice(), whole.whole), (200, &b"0123456"[..], true));
    let part = client.send("GET", "/shard.bin", &[("Range", "bytes=4-")]);
    assert_eq!((part.status, part.body.as_slice(), part.whole), (206, &b"456"[..], true));
    assert_eq!(part.header("Content-Range"), Some("bytes 4-9/10"));
    assert_eq!(client.send("GET", "/shard.bin", &[]).body.len(), 10);
}

#[test]
fn a_part_may_lie_about_where_it_is_from_or_say_nothing() {
    for lie in ["bytes 5-9/10", "bytes 4-9/11", "bytes 4-9/*", "4-9"] {
        let part = get_with(&host(Fault::content_range(lie)), "/shard.bin", "Range", "bytes=4-");
        assert_eq!((part.status, part.body.as_slice()), (206, &b"456789"[..]));
        assert_eq!(part.headers.iter().filter(|(name, _)| name == "Content-Range").count(), 1);
        assert_eq!(part.header("Content-Range"), Some(lie));
    }
    let part = get_with(&host(Fault::no_content_range()), "/shard.bin", "Range", "bytes=4-");
    assert_eq!((part.status, part.header("Content-Range")), (206, None));
    let whole = get(&host(Fault::content_range("bytes 5-9/10")), "/shard.bin");
    assert_eq!((whole.status, whole.header("Content-Range")), (200, None));
}

#[test]
fn an_endless_body_goes_on_until_the_client_leaves() {
    let host = host(Fault::endless());
    let mut client = Client::of(&host);
    client.write("GET /shard.bin HTTP/1.1\r\n\r\n");
    assert_eq!(client.read_head().header("Transfer-Encoding"), Some("chunked"));
    assert!(client.read_up_to(5_000_000).1);
    drop(client);
    assert_eq!(get(&host, "/shard.bin").body.len(), 10);
}

#[test]
fn an_endless_gzip_body_is_a_thousand_times_as_long() {
    let host = host(Fault::endless_gzip());
    let mut response = ureq::get(host.url("/shard.bin")).call().unwrap();
    assert_eq!(response.headers()["Content-Encoding"], "gzip");
    let mut zeros = vec![1; 20_000_000];
    GzDecoder::new(response.body_mut().as_reader()).read_exact(&mut zeros).unwrap();
    assert!(zeros.iter().all(|&byte| byte == 0));
}
