//! Connections, the log of what came on them, and the end of the host.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use model_host::Host;

use crate::client::{Client, get};

#[test]
fn many_requests_go_over_one_connection() {
    let host = Host::builder().file("/a", "a").file("/b", "b").start();
    let mut client = Client::of(&host);
    for target in ["/a", "/b", "/missing", "/a"] {
        client.send("GET", target, &[]);
    }
    get(&host, "/a");
    let connections = host.requests().iter().map(|it| it.connection).collect::<Vec<_>>();
    assert_eq!(connections, [1, 1, 1, 1, 2]);
    assert_eq!(host.connections(), 2);
}

#[test]
fn requests_sent_ahead_are_answered_in_order() {
    let host = Host::builder().file("/a", "first").file("/b", "second").start();
    let mut client = Client::of(&host);
    client.write("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    for expected in ["first", "second"] {
        let head = client.read_head();
        assert_eq!(client.read_body(head).body, expected.as_bytes());
    }
}

#[test]
fn a_connection_is_closed_when_the_client_asks_for_it() {
    let host = Host::builder().file("/a", "a").start();
    let mut client = Client::of(&host);
    let answer = client.send("GET", "/a", &[("Connection", "close")]);
    assert_eq!((answer.header("Connection"), answer.body.as_slice()), (Some("close"), &b"a"[..]));
    assert_eq!(client.read_rest(), b"");
}

#[test]
fn a_request_is_logged_as_it_was_sent() {
    let host = Host::builder().file("/m/a b.bin", "0123456789").start();
    let mut client = Client::of(&host);
    client.send("GET", "/m/a%20b.bin?v=2", &[("X-Thing", "1"), ("Range", "bytes=4-")]);

    let [request] = host.requests().try_into().unwrap();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/m/a%20b.bin"));
    assert_eq!(request.query.as_deref(), Some("v=2"));
    assert_eq!(request.header("x-thing"), Some("1"));
    assert_eq!((request.status, request.body_bytes_sent), (206, 6));
    assert_eq!((host.count("/m/a%20b.bin"), host.count("/m/a b.bin"), host.count("/m")), (1, 1, 0));

    host.clear_log();
    assert_eq!((host.requests().len(), host.connections()), (0, 1));
}

#[test]
fn what_is_no_request_is_400() {
    let host = Host::builder().start();
    let mut client = Client::of(&host);
    client.write("hello\r\n\r\n");
    let head = client.read_head();
    let answer = client.read_body(head);
    assert_eq!((answer.status, answer.body.as_slice()), (400, &b"400 Bad Request\n"[..]));
    assert_eq!((client.read_rest().len(), host.requests().len()), (0, 0));
}

#[test]
fn a_head_of_more_than_64_kibibytes_is_431() {
    let host = Host::builder().start();
    let mut client = Client::of(&host);
    client.write(&format!("GET / HTTP/1.1\r\nX-Long: {}\r\n\r\n", "x".repeat(100_000)));
    assert_eq!(client.read_head().status, 431);
}

#[test]
fn a_delay_comes_before_the_first_byte() {
    let delay = Duration::from_millis(60);
    let host = Host::builder().file("/a", "a").delay(delay).start();
    let began = Instant::now();
    get(&host, "/a");
    assert!(began.elapsed() >= delay);
}

#[test]
fn a_pace_is_kept() {
    let host = Host::builder().file("/a", [7; 3000]).pace(30_000).start();
    let began = Instant::now();
    assert_eq!(get(&host, "/a").body.len(), 3000);
    assert!(began.elapsed() >= Duration::from_millis(80));
}

#[test]
fn a_dropped_host_is_gone_at_once_whatever_it_was_doing() {
    let host = Host::builder().file("/paced", [7; 3000]).pace(1).start();
    let addr = host.addr();
    let mut idle = Client::of(&host);
    let mut waiting = Client::of(&host);
    waiting.write("GET /paced HTTP/1.1\r\n\r\n");
    waiting.read_head();
    idle.send("HEAD", "/paced", &[]);

    drop(host);
    assert_eq!(idle.read_rest(), b"");
    assert!(waiting.read_rest().len() < 3000);
    assert!(TcpStream::connect(addr).is_err());
}
