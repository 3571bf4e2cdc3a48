//! Files from memory and disk, and what is said about them.

use std::fs;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use model_host::Host;

use crate::client::{Client, get, get_with};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

#[test]
fn a_directory_is_served_with_types_and_lengths() {
    let host = Host::serve(DATA);
    let model = get(&host, "/model.json");
    assert_eq!((model.status, model.whole), (200, true));
    assert_eq!(model.body, b"{\"modelTopology\": {}}\n");
    assert_eq!(model.header("Content-Type"), Some("application/json"));
    assert_eq!(model.header("Content-Length"), Some("22"));
    assert_eq!(model.header("Access-Control-Allow-Origin"), Some("*"));

    let shard = get(&host, "/weights/group1%20shard1.bin");
    assert_eq!(shard.body, b"0123456789abcdef");
    assert_eq!(shard.header("Content-Type"), Some("application/octet-stream"));
}

#[test]
fn a_directory_has_its_index_at_the_slash() {
    let host = Host::builder().dir("/demo", DATA).start();
    let index = get(&host, "/demo/");
    assert_eq!(index.header("Content-Type"), Some("text/html; charset=utf-8"));
    assert!(index.body.starts_with(b"<!doctype html>"));
    assert_eq!(get(&host, "/demo/weights").status, 404);
    assert_eq!(get(&host, "/demo").status, 404);
}

#[test]
fn nothing_outside_the_directory_is_served() {
    let host = Host::builder().dir("/m", DATA).start();
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let targets = [
        "/m/../../Cargo.toml",
        "/m/%2e%2e/%2e%2e/Cargo.toml",
        "/m/..%2f..%2fCargo.toml",
        &format!("/m/{manifest}"),
        "/m/model.json%00.bin",
    ];
    for target in targets {
        assert_eq!(get(&host, target).status, 404, "{target}");
    }
}

#[test]
fn a_file_of_three_gigabytes_is_served_from_disk() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("three-gigabytes.bin");
    let mut file = File::create(&path).unwrap();
    file.seek(SeekFrom::Start(3 << 30)).unwrap();
    file.write_all(b"tail").unwrap();

    let host = Host::serve(env!("CARGO_TARGET_TMPDIR"));
    let tail = get_with(&host, "/three-gigabytes.bin", "Range", "bytes=3221225470-");
    fs::remove_file(&path).unwrap();
    assert_eq!(tail.body, b"\0\0tail");
    assert_eq!(tail.header("Content-Range"), Some("bytes 3221225470-3221225475/3221225476"));
}

#[test]
fn a_file_put_while_running_replaces_the_old_one() {
    let host = Host::builder().file("/m/a b.bin", "old").start();
    let old = get(&host, "/m/a%20b.bin");
    host.put("/m/a%20b.bin", "newer");
    let new = get(&host, "/m/a%20b.bin");
    assert_eq!((old.body.as_slice(), new.body.as_slice()), (&b"old"[..], &b"newer"[..]));
    assert_ne!(old.header("ETag"), new.header("ETag"));
}

#[test]
fn a_file_comes_before_the_directory_that_has_it_too() {
    let host = Host::builder().dir("/", DATA).file("/model.json", "mine").start();
    assert_eq!(get(&host, "/model.json").body, b"mine");
}

#[test]
fn head_is_answered_as_get_without_the_body() {
    let host = Host::builder().file("/shard.bin", [7; 300]).start();
    let mut client = Client::of(&host);
    let head = client.send("HEAD", "/shard.bin", &[]);
    let get = client.send("GET", "/shard.bin", &[]);
    assert_eq!((head.status, &head.headers), (get.status, &get.headers));
    assert_eq!((head.body.len(), get.body.len()), (0, 300));
}

#[test]
fn a_current_etag_is_answered_with_304() {
    let host = Host::builder().file("/shard.bin", [7; 300]).start();
    let etag = get(&host, "/shard.bin").header("ETag").unwrap().to_owned();
    for tags in [&etag, "*", &format!("\"other\", W/{etag}")] {
        let answer = get_with(&host, "/shard.bin", "If-None-Match", tags);
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{tags}");
        assert_eq!(answer.header("ETag"), Some(etag.as_str()));
    }
    assert_eq!(get_with(&host, "/shard.bin", "If-None-Match", "\"other\"").status, 200);
}

#[test]
fn an_unknown_path_is_404_and_another_method_405() {
    let host = Host::builder().file("/shard.bin", "x").start();
    let missing = get(&host, "/shard.bim");
    assert_eq!((missing.status, missing.body.as_slice()), (404, &b"404 Not Found\n"[..]));

    let deleted = Client::of(&host).send("DELETE", "/shard.bin", &[]);
    assert_eq!((deleted.status, deleted.header("Allow")), (405, Some("GET, HEAD")));
}

#[test]
fn a_required_query_is_required() {
    let query = "tfjs-format=file";
    let host = Host::builder().file("/m/model.json", "{}").require_query(query).start();
    assert_eq!(get(&host, "/m/model.json?tfjs-format=file").status, 200);
    assert_eq!(get(&host, "/m/model.json?tfjs-format=compressed").status, 404);
    assert_eq!(get(&host, "/m/model.json").status, 404);
}
