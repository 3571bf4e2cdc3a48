//! Heads that come late, slowly, or without measure.

use std::time::{Duration, Instant};

use model_host::{Fault, Host};

use crate::client::{Client, get};

#[test]
fn a_trickled_head_comes_byte_by_byte() {
    let fault = Fault::trickled_head(Duration::from_millis(1));
    let host = Host::builder().file("/a", "0123456789").fault("/a", fault).start();
    let began = Instant::now();
    let answer = get(&host, "/a");
    assert!(began.elapsed() >= Duration::from_millis(100));
    assert_eq!(
        (answer.status, answer.body.as_slice(), answer.whole),
        (200, &b"0123456789"[..], true)
    );
}

#[test]
fn a_dropped_host_trickles_no_more() {
    let fault = Fault::trickled_head(Duration::from_secs(1000));
    let host = Host::builder().file("/a", "0123456789").fault("/a", fault).start();
    let mut client = Client::of(&host);
    client.write("GET /a HTTP/1.1\r\n\r\n");
    assert_eq!(client.read_up_to(1), (b"H".to_vec(), true));
    drop(host);
    assert!(client.read_rest().len() < 10);
}

#[test]
fn a_long_head_is_as_long_as_it_should_be() {
    let fault = Fault::long_head(3_000_000);
    let host = Host::builder().file("/a", "0123456789").fault("/a", fault).start();
    let answer = get(&host, "/a");
    let long = answer.headers.iter().filter(|(name, _)| name == "X-Long");
    assert_eq!(long.map(|(_, value)| value.len()).sum::<usize>(), 3_000_000);
    assert_eq!((answer.status, answer.whole), (200, true));
}
