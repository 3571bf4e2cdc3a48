//! Each fault once, and the order they come in.

use std::io::ErrorKind;
use std::time::{Duration, SystemTime};

use model_host::{Fault, Host};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::client::{Client, Response, get, get_with};

const SHARD: &[u8] = b"0123456789";

fn host(fault: Fault) -> Host {
    Host::builder().file("/shard.bin", SHARD).fault("/shard.bin", fault).start()
}

#[track_caller]
fn assert_honest(response: &Response) {
    assert_eq!((response.status, response.body.as_slice(), response.whole), (200, SHARD, true));
}

#[test]
fn faults_happen_in_order_and_then_no_more() {
    let host = Host::builder()
        .file("/shard.bin", SHARD)
        .fault("/shard.bin", Fault::status(503).times(2))
        .fault("/shard.bin", Fault::status(418).times(0))
        .fault("/shard.bin", Fault::status(429).header("Retry-After", "1"))
        .start();
    let statuses = [(); 4].map(|()| get(&host, "/shard.bin").status);
    assert_eq!(statuses, [503, 503, 429, 200]);
    assert_eq!(host.requests().iter().map(|it| it.status).collect::<Vec<_>>(), statuses);
}

#[test]
fn a_fault_can_be_scripted_while_running_and_for_good() {
    let host = Host::builder().file("/a b", SHARD).file("/other", SHARD).start();
    assert_honest(&get(&host, "/a%20b"));
    host.fault("/a b", Fault::status(500).always());
    assert_eq!([(); 3].map(|()| get(&host, "/a%20b").status), [500; 3]);
    assert_honest(&get(&host, "/other"));
}

#[test]
fn a_path_that_is_healed_has_no_faults_any_more() {
    let host = host(Fault::status(500).always());
    assert_eq!(get(&host, "/shard.bin").status, 500);
    host.heal("/shard.bin");
    assert_honest(&get(&host, "/shard.bin"));
}

#[test]
fn a_status_carries_its_headers() {
    let host = host(Fault::status(429).header("Retry-After", "1"));
    let answer = get(&host, "/shard.bin");
    assert_eq!((answer.status, answer.header("Retry-After")), (429, Some("1")));
    assert_eq!(answer.body, b"429 Too Many Requests\n");
}

#[test]
fn every_refusal_has_its_words() {
    for (status, words) in [
        (408, "408 Request Timeout\n"),
        (412, "412 Precondition Failed\n"),
        (429, "429 Too Many Requests\n"),
        (500, "500 Internal Server Error\n"),
        (502, "502 Bad Gateway\n"),
        (503, "503 Service Unavailable\n"),
        (504, "504 Gateway Timeout\n"),
    ] {
        let answer = get(&host(Fault::status(status)), "/shard.bin");
        assert_eq!((answer.status, answer.body.as_slice()), (status, words.as_bytes()));
    }
}

#[test]
fn patience_is_asked_for_in_seconds_until_a_date_or_by_a_limit() {
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_580_608_922);
    let host = host(Fault::status(429).retry_after(7));
    host.fault("/shard.bin", Fault::status(503).retry_at(then));
    let limit = ("RateLimit", "\"resolvers\";r=0;t=30");
    host.fault("/shard.bin", Fault::status(429).header(limit.0, limit.1));
    let [seconds, date, limited] = [(); 3].map(|()| get(&host, "/shard.bin"));
    assert_eq!((seconds.status, seconds.header("Retry-After")), (429, Some("7")));
    assert_eq!(date.header("Retry-After"), Some("Sun, 02 Feb 2020 02:02:02 GMT"));
    assert_eq!(limited.header(limit.0), Some(limit.1));
}

#[test]
fn a_cut_body_is_shorter_than_declared() {
    let host = host(Fault::cut_after(4));
    let answer = get(&host, "/shard.bin");
    assert_eq!((answer.body.as_slice(), answer.whole), (&b"0123"[..], false));
    assert_eq!(answer.header("Content-Length"), Some("10"));
    assert_eq!(host.requests()[0].body_bytes_sent, 4);
    assert_honest(&get(&host, "/shard.bin"));
}

#[test]
fn a_range_can_be_cut_too() {
    let host = host(Fault::cut_after(2));
    let answer = get_with(&host, "/shard.bin", "Range", "bytes=4-");
    assert_eq!((answer.status, answer.body.as_slice(), answer.whole), (206, &b"45"[..], false));
}

#[test]
fn a_chunked_body_is_cut_before_its_last_chunk() {
    let answer = get(&host(Fault::cut_chunked(4)), "/shard.bin");
    assert_eq!((answer.body.as_slice(), answer.whole), (&b"0123"[..], false));
    assert_eq!(answer.header("Transfer-Encoding"), Some("chunked"));
}

#[test]
fn a_close_delimited_cut_looks_like_the_end() {
    let answer = get(&host(Fault::cut_close_delimited(4)), "/shard.bin");
    assert_eq!((answer.status, answer.body.as_slice(), answer.whole), (200, &b"0123"[..], true));
    assert_eq!(answer.header("Content-Length").or(answer.header("Transfer-Encoding")), None);
    assert_eq!(answer.header("Connection"), Some("close"));
}

#[test]
fn a_stalled_body_ends_with_the_host() {
    let host = host(Fault::stall_after(4));
    let mut client = Client::of(&host);
    client.write("GET /shard.bin HTTP/1.1\r\n\r\n");
    assert_eq!(client.read_head().header("Content-Length"), Some("10"));
    assert_eq!(client.read_up_to(4), (b"0123".to_vec(), true));
    drop(host);
    assert_eq!(client.read_rest(), b"");
}

#[test]
fn a_refused_request_gets_no_answer_but_is_logged() {
    let host = host(Fault::refuse());
    let mut client = Client::of(&host);
    client.write("GET /shard.bin HTTP/1.1\r\n\r\n");
    assert_eq!(client.read_rest(), b"");
    assert_eq!(host.requests()[0].status, 0);
    assert_honest(&get(&host, "/shard.bin"));
}

#[test]
fn a_stalled_request_gets_no_answer_and_is_not_left() {
    let host = host(Fault::stall());
    let mut client = Client::of(&host);
    client.write("GET /shard.bin HTTP/1.1\r\n\r\n");
    host.wait_for("/shard.bin", 1);
    assert_eq!(host.requests()[0].status, 0);
    assert_honest(&get(&host, "/shard.bin"));
    drop(host);
    assert_eq!(client.read_rest(), b"");
}

#[test]
fn a_reset_is_no_end() {
    for (fault, status) in [(Fault::reset(), 0), (Fault::reset_after(4), 200)] {
        let host = host(fault);
        let mut client = Client::of(&host);
        client.write("GET /shard.bin HTTP/1.1\r\n\r\n");
        assert_eq!(client.read_error().kind(), ErrorKind::ConnectionReset);
        assert_eq!(host.requests()[0].status, status);
        assert_honest(&get(&host, "/shard.bin"));
    }
}

#[test]
fn a_reset_comes_through_tls_too() {
    let host = Host::builder().file("/a", SHARD).fault("/a", Fault::reset()).tls().start();
    let certificate = Certificate::from_pem(host.certificate_pem().as_bytes()).unwrap();
    let tls = TlsConfig::builder().root_certs(RootCerts::from(vec![certificate])).build();
    let agent: Agent = Agent::config_builder().tls_config(tls).build().into();
    match agent.get(host.url("/a")).call().unwrap_err() {
        ureq::Error::Io(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        error => panic!("{error}"),
    }
}

#[test]
fn what_is_no_http_is_sent_as_it_is() {
    let host = host(Fault::raw("SSH-2.0-OpenSSH_9.9\r\n"));
    let mut client = Client::of(&host);
    client.write("GET /shard.bin HTTP/1.1\r\n\r\n");
    assert_eq!(client.read_rest(), b"SSH-2.0-OpenSSH_9.9\r\n");
    assert_eq!(host.requests()[0].status, 0);
}

#[test]
fn other_bytes_are_a_good_answer_with_a_bad_body() {
    let answer = get(&host(Fault::body("9876543210")), "/shard.bin");
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"9876543210"[..]));
}

#[test]
fn a_web_page_is_served_where_there_is_no_file() {
    let host = Host::builder().fault("/missing.bin", Fault::html()).start();
    let answer = get(&host, "/missing.bin");
    assert_eq!((answer.status, answer.whole), (200, true));
    assert_eq!(answer.header("Content-Type"), Some("text/html; charset=utf-8"));
    assert!(answer.body.starts_with(b"<!doctype html>"));
}

#[test]
fn an_encoding_can_be_claimed_for_any_bytes() {
    let answer = get(&host(Fault::encoded_as("br", "not brotli")), "/shard.bin");
    assert_eq!(answer.header("Content-Encoding"), Some("br"));
    assert_eq!(answer.body, b"not brotli");
}

#[test]
fn a_redirect_can_be_a_fault() {
    let answer = get(&host(Fault::redirect("/login")), "/shard.bin");
    assert_eq!((answer.status, answer.header("Location")), (302, Some("/login")));
}

#[test]
fn a_wrong_range_is_well_formed_but_not_the_one_asked_for() {
    let host = host(Fault::wrong_range().times(2));
    let later = get_with(&host, "/shard.bin", "Range", "bytes=4-");
    assert_eq!((later.status, later.body.as_slice()), (206, &b"012345"[..]));
    assert_eq!(later.header("Content-Range"), Some("bytes 0-5/10"));
    let first = get_with(&host, "/shard.bin", "Range", "bytes=0-3");
    assert_eq!(first.header("Content-Range"), Some("bytes 1-3/10"));
}

#[test]
fn a_range_can_be_answered_with_the_whole_file() {
    let host = host(Fault::full_body_to_range());
    assert_honest(&get_with(&host, "/shard.bin", "Range", "bytes=4-"));
    assert_eq!(get_with(&host, "/shard.bin", "Range", "bytes=4-").status, 206);
}
