//! Responses that are held until the test lets them go.

use std::thread;

use model_host::Host;

use crate::client::{Client, get};

#[test]
fn a_response_is_held_at_its_byte_until_the_gate_opens() {
    let host = Host::builder().file("/a b", "0123456789").start();
    let gate = host.gate("/a b", 4);
    let mut client = Client::of(&host);
    client.write("GET /a%20b HTTP/1.1\r\n\r\n");
    gate.reached();
    assert_eq!(host.bytes_sent(), 4);
    assert_eq!(client.read_head().header("Content-Length"), Some("10"));
    assert_eq!(client.read_up_to(4), (b"0123".to_vec(), true));

    gate.open();
    assert_eq!(client.read_up_to(6), (b"456789".to_vec(), true));
    assert_eq!(get(&host, "/a%20b").body, b"0123456789");
}

#[test]
fn the_head_is_out_before_the_first_byte_is_held() {
    let host = Host::builder().file("/a", "0123456789").start();
    let gate = host.gate("/a", 0);
    let mut client = Client::of(&host);
    client.write("GET /a HTTP/1.1\r\n\r\n");
    assert_eq!(client.read_head().status, 200);
    gate.reached();
    assert_eq!(host.bytes_sent(), 0);
}

#[test]
fn a_crowd_is_held_together_and_counted() {
    let host = Host::builder().file("/a", "0123456789").file("/b", "b").start();
    let gate = host.gate("/a", 10);
    thread::scope(|crowd| {
        let got: Vec<_> = (0..3).map(|_| crowd.spawn(|| get(&host, "/a").whole)).collect();
        gate.reached_by(3);
        assert_eq!(get(&host, "/b").body, b"b");
        assert_eq!((host.bytes_sent_of("/a"), host.bytes_sent()), (30, 31));
        drop(gate);
        assert!(got.into_iter().all(|it| it.join().unwrap()));
    });
}

#[test]
fn gates_of_one_path_are_passed_one_after_the_other_and_a_shorter_body_is_not_held() {
    let host = Host::builder().file("/a", "0123456789").start();
    let (late, early, never) = (host.gate("/a", 7), host.gate("/a", 3), host.gate("/a", 11));
    thread::scope(|crowd| {
        let got = crowd.spawn(|| get(&host, "/a"));
        for (gate, sent) in [(early, 3), (late, 7)] {
            gate.reached();
            assert_eq!(host.bytes_sent(), sent);
            gate.open();
        }
        assert_eq!(got.join().unwrap().body, b"0123456789");
    });
    drop(never);
}

#[test]
fn a_dropped_host_lets_go_what_it_held() {
    let host = Host::builder().file("/a", "0123456789").start();
    let gate = host.gate("/a", 4);
    let mut client = Client::of(&host);
    client.write("GET /a HTTP/1.1\r\n\r\n");
    gate.reached();
    drop(host);
    client.read_head();
    assert!(client.read_rest().len() < 10);
}
