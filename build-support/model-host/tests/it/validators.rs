//! Versions: how a host names them, and the conditions a client makes of them.

use model_host::{Builder, Host};

use crate::client::{Client, Response, get};

const FIRST: &str = "Sun, 02 Feb 2020 02:02:02 GMT";
const SECOND: &str = "Sun, 02 Feb 2020 02:02:03 GMT";

fn builder() -> Builder {
    Host::builder().file("/shard.bin", "0123456789")
}

fn ask(host: &Host, headers: &[(&str, &str)]) -> Response {
    Client::of(host).send("GET", "/shard.bin", headers)
}

fn range_if(host: &Host, validator: &str) -> u16 {
    ask(host, &[("Range", "bytes=4-"), ("If-Range", validator)]).status
}

fn etag(host: &Host) -> String {
    get(host, "/shard.bin").header("ETag").unwrap().to_owned()
}

#[test]
fn the_date_moves_with_the_bytes() {
    let host = builder().start();
    assert_eq!(get(&host, "/shard.bin").header("Last-Modified"), Some(FIRST));
    host.put("/shard.bin", "0123456789");
    assert_eq!(get(&host, "/shard.bin").header("Last-Modified"), Some(FIRST));
    host.put("/shard.bin", "9876543210");
    assert_eq!(get(&host, "/shard.bin").header("Last-Modified"), Some(SECOND));
}

#[test]
fn what_was_not_modified_since_is_304() {
    let host = builder().start();
    let earlier = "Sun, 02 Feb 2020 02:02:01 GMT";
    for (date, status) in [(earlier, 200), (FIRST, 304), (SECOND, 304), ("yesterday", 200)] {
        assert_eq!(ask(&host, &[("If-Modified-Since", date)]).status, status, "{date}");
    }
    let held = ask(&host, &[("If-Modified-Since", FIRST)]);
    assert_eq!((held.header("Last-Modified"), held.body.len()), (Some(FIRST), 0));
    assert_eq!(held.header("ETag"), Some(etag(&host).as_str()));
}

#[test]
fn an_etag_says_more_than_a_date() {
    let host = builder().start();
    let both = |tag: &str| ask(&host, &[("If-None-Match", tag), ("If-Modified-Since", FIRST)]);
    assert_eq!((both("\"other\"").status, both(&etag(&host)).status), (200, 304));
}

#[test]
fn a_condition_that_does_not_hold_is_412() {
    let host = builder().start();
    let etag = etag(&host);
    let status = |name: &str, value: &str| ask(&host, &[(name, value)]).status;
    assert_eq!((status("If-Unmodified-Since", FIRST), status("If-Match", &etag)), (200, 200));
    assert_eq!(status("If-Match", &format!("W/{etag}")), 412);
    host.put("/shard.bin", "9876543210");
    assert_eq!((status("If-Unmodified-Since", FIRST), status("If-Match", &etag)), (412, 412));
    assert_eq!(status("If-Match", "*"), 200);
}

#[test]
fn a_range_may_depend_on_the_date() {
    let host = builder().no_etag().start();
    assert_eq!((range_if(&host, FIRST), range_if(&host, SECOND)), (206, 200));
    host.put("/shard.bin", "9876543210");
    assert_eq!((range_if(&host, FIRST), range_if(&host, SECOND)), (200, 206));
}

#[test]
fn a_host_sends_the_validators_that_it_is_told_to() {
    let sent = |builder: Builder| {
        let answer = get(&builder.start(), "/shard.bin");
        [answer.header("ETag").is_some(), answer.header("Last-Modified").is_some()]
    };
    assert_eq!(sent(builder()), [true, true]);
    assert_eq!(sent(builder().no_etag()), [false, true]);
    assert_eq!(sent(builder().no_last_modified()), [true, false]);
    assert_eq!(sent(builder().no_validators()), [false, false]);
}

#[test]
fn without_validators_no_condition_is_met() {
    let host = builder().no_validators().start();
    for (name, value) in
        [("If-None-Match", "\"0\""), ("If-Modified-Since", FIRST), ("If-Unmodified-Since", FIRST)]
    {
        assert_eq!(ask(&host, &[(name, value)]).status, 200, "{name}");
    }
    assert_eq!((range_if(&host, FIRST), range_if(&host, "\"0\"")), (200, 200));
}

#[test]
fn a_weak_etag_does_for_a_304_and_not_for_a_range() {
    let host = builder().weak_etags().start();
    let etag = etag(&host);
    assert!(etag.starts_with("W/\""), "{etag}");
    assert_eq!(ask(&host, &[("If-None-Match", &etag)]).status, 304);
    assert_eq!(range_if(&host, &etag), 200);
    let gzip = builder().weak_etags().gzip_always().start();
    assert_eq!(get(&gzip, "/shard.bin").header("ETag"), Some(etag.as_str()));
}

#[test]
fn changing_etags_never_name_the_same_version_twice() {
    let host = builder().changing_etags().start();
    let (one, two) = (etag(&host), etag(&host));
    assert_ne!(one, two);
    assert_eq!(ask(&host, &[("If-None-Match", &two)]).status, 200);
    assert_eq!(range_if(&host, &two), 200);
}
