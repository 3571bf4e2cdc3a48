//! What is no model, or contradicts itself, is refused by name before it can do harm.

use std::fs;
use std::path::Path;

use model_host::Host;
use tempfile::TempDir;
use vendor_model::{Error, ErrorKind};

use crate::support::{config, contents, host_of, manifest, model, vendor_model};

/// The refusal of a model whose manifest is this, beside the shards of [`model`].
fn refusal_of(manifest: impl Into<Vec<u8>>) -> (Error, Host) {
    let host = host_of(&model()).file("/m/model.json", manifest).start();
    let dir = TempDir::new().unwrap();
    let error = vendor_model(host.url("/m/model.json"), dir.path()).unwrap_err();
    assert!(contents(dir.path()).is_empty());
    (error, host)
}

#[test]
fn what_is_no_manifest_is_refused_by_its_name() {
    let cases: [(&[u8], &str); 8] = [
        (b"<!doctype html><html><body>Sign in</body></html>", "it is an HTML page"),
        (b"<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>", "it is an XML document"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            "it is a Git LFS pointer",
        ),
        (br#"{"a": {"filename": "a", "shape": [1]}}"#, "a deeplearn.js checkpoint manifest"),
        (br#"{"class_name": "Model", "config": {}}"#, "Keras JSON without weights"),
        (b"\x0a\x12\x0a\x05Const\x12\x05Const\x00", "a TensorFlow .pb"),
        (b"{\"weightsManifest\": [", "EOF while parsing"),
        (b"", "it is empty"),
    ];
    for (bytes, expected) in cases {
        let (error, host) = refusal_of(bytes);
        assert_eq!(error.kind(), ErrorKind::Manifest, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.to_string().contains(&host.url("/m/model.json")), "{error}");
    }
}

#[test]
fn paths_that_lead_out_are_refused_before_any_shard_is_asked_for_and_all_are_listed() {
    let paths = [
        "ok.bin",
        "../up.bin",
        "/abs.bin",
        "a\\b",
        "C:\\x",
        "%2e%2e/x",
        "x#y",
        "nul",
        "a\u{301}.bin",
        "OK.bin",
        "Model.json",
        "models.lock",
    ];
    let (error, host) = refusal_of(manifest(&paths, 1));
    assert_eq!(error.kind(), ErrorKind::Path);
    assert!(!error.to_string().contains("\"ok.bin\":"), "{error}");
    for path in &paths[1..] {
        assert!(error.to_string().contains(&format!("{path:?}:")), "{path:?} in {error}");
    }
    assert_eq!(host.requests().len(), 1);
}

#[test]
fn specs_that_promise_more_than_max_bytes_are_refused_before_any_shard_is_asked_for() {
    let host = host_of(&model()).file("/m/model.json", manifest(&["a"], 1_000_000)).start();
    let error = config()
        .max_bytes(999_999)
        .vendor_model(host.url("/m/model.json"), TempDir::new().unwrap().path())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Manifest);
    assert!(
        error.to_string().contains("at most 999999 bytes")
            && error.to_string().contains("found: 1000000 bytes"),
        "{error}"
    );
    assert_eq!(host.requests().len(), 1);
}

#[test]
fn a_host_cannot_send_more_than_max_bytes() {
    let host = Host::builder()
        .file("/m/model.json", manifest(&["a"], 10))
        .file("/m/a", vec![0; 300_000])
        .start();
    let error = config()
        .max_bytes(200_000)
        .vendor_model(host.url("/m/model.json"), TempDir::new().unwrap().path())
        .unwrap_err();
    assert!(
        error.to_string().contains("max_bytes")
            || error.to_string().contains("longer than 200000 bytes"),
        "{error}"
    );
}

#[test]
fn too_few_bytes_are_an_error_and_too_many_only_where_the_client_would_misread_them() {
    let vendor = |first: &str, last: &str| {
        let manifest = r#"[{"paths": ["a"], "weights": [{"name": "x", "shape": [4], "dtype": "bool"}]}, {"paths": ["b"], "weights": [{"name": "y", "shape": [2], "dtype": "bool"}]}]"#;
        let host = Host::builder()
            .file("/m/model.json", manifest)
            .file("/m/a", first)
            .file("/m/b", last)
            .start();
        vendor_model(host.url("/m/model.json"), TempDir::new().unwrap().path())
            .map_err(|error| error.to_string())
    };
    assert!(vendor("1234", "12").is_ok());
    assert!(vendor("1234", "12more").is_ok());
    assert!(
        vendor("12345", "12")
            .unwrap_err()
            .contains("weight group 1 (\"a\") has 5 bytes, its specs say 4")
    );
    let both = vendor("1", "1").unwrap_err();
    assert!(
        both.contains("weight group 1")
            && both.contains("weight group 2")
            && both.contains("byte length of Float32Array"),
        "{both}"
    );
}

#[test]
fn addresses_that_cannot_be_vendored_are_refused() {
    for url in [
        "ftp://h.example/model.json",
        "model.json",
        "https://h.example",
        "data:application/json,{}",
        "",
    ] {
        let error = vendor_model(url, Path::new("never-made")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{url}");
    }
    assert!(!Path::new("never-made").exists());
}

#[test]
fn a_model_name_that_no_disk_should_hold_wants_another() {
    let error = vendor_model("http://127.0.0.1:9/m/%F0%9F%8E%84.json", Path::new("never-made"))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Path);
    assert!(error.to_string().contains("Config::entry_name"), "{error}");
}

#[test]
fn a_failed_run_leaves_what_was_there() {
    let host = host_of(&model()).start();
    let dir = TempDir::new().unwrap();
    vendor_model(host.url("/m/model.json"), dir.path()).unwrap();
    let before = contents(dir.path());
    vendor_model(host.url("/m/none.json"), dir.path()).unwrap_err();
    fs::write(dir.path().join("group1-shard1of3.bin"), "damaged").unwrap();
    host.put("/m/group1-shard1of3.bin", "0123456X");
    let error = vendor_model(host.url("/m/model.json"), dir.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Digest);
    let mut after = contents(dir.path());
    assert_eq!(
        after.insert("group1-shard1of3.bin".to_owned(), b"01234567".to_vec()).unwrap(),
        b"damaged"
    );
    assert_eq!(after, before);
}

#[test]
fn out_dir_may_not_be_where_a_lockfile_lies() {
    let host = host_of(&model()).start();
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("group1-shard1of3.bin"), "mine").unwrap();
    let mut config = config();
    config.lockfile(dir.path().join("models.lock"));
    let error = config.vendor_model(host.url("/m/model.json"), dir.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(contents(dir.path())["group1-shard1of3.bin"], b"mine");
}

#[test]
fn extra_files_that_clash_are_refused_however_late_they_come() {
    let host = host_of(&model()).start();
    let dir = TempDir::new().unwrap();
    for name in [
        "models.lock",
        "Models.Lock/a",
        "Model.JSON",
        "GROUP1-shard1of3.bin",
        "group1-shard1of3.bin/x",
    ] {
        for vendored_before in [false, true] {
            if vendored_before {
                vendor_model(host.url("/m/model.json"), dir.path()).unwrap();
            }
            let error = config()
                .extra_file(name)
                .vendor_model(host.url("/m/model.json"), dir.path())
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Path, "{name}: {error}");
            assert!(error.to_string().contains(&format!("{name:?}:")), "{error}");
        }
    }
    assert_eq!(contents(dir.path()).len(), 5);
}

#[test]
fn a_manifest_in_a_directory_of_its_own_is_refused_because_its_shards_would_not_lie_beside_it() {
    let host = host_of(&model()).start();
    let error = config()
        .entry_name("a/model.json")
        .vendor_model(host.url("/m/model.json"), Path::new("never-made"))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Path);
    let error = vendor_model(host.url("/o/m%2Fmodel.json"), Path::new("never-made")).unwrap_err();
    assert!(error.to_string().contains("Config::entry_name"), "{error}");
}

#[test]
fn a_shard_cannot_be_much_longer_than_its_specs_say() {
    let host = Host::builder()
        .file("/m/model.json", manifest(&["a"], 10))
        .file("/m/a", vec![0; (64 << 20) + 11])
        .start();
    let error =
        vendor_model(host.url("/m/model.json"), TempDir::new().unwrap().path()).unwrap_err();
    assert!(error.to_string().contains("it is longer than 67108874 bytes"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_in_out_dir_does_not_lead_out_of_it() {
    let host = Host::builder()
        .file("/m/model.json", manifest(&["sub/a"], 1))
        .file("/m/sub/a", "x")
        .start();
    let (dir, outside) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    std::os::unix::fs::symlink(outside.path(), dir.path().join("sub")).unwrap();
    let error = vendor_model(host.url("/m/model.json"), dir.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Path);
    assert!(contents(outside.path()).is_empty());

    // What is stale is not removed through a link either.
    let other =
        Host::builder().file("/m/model.json", manifest(&["b"], 1)).file("/m/b", "x").start();
    fs::write(outside.path().join("a"), "mine").unwrap();
    let record = format!(
        r#"{{"version": 1, "models": [{{"url": "{}", "format": "tfjs-weights", "files": [{{"path": "model.json", "size": 0, "sha256": "{zeros}"}}, {{"path": "sub/a", "size": 0, "sha256": "{zeros}"}}]}}]}}"#,
        other.url("/m/model.json"),
        zeros = "0".repeat(64),
    );
    fs::write(dir.path().join("models.lock"), record).unwrap();
    config()
        .lock_mode(vendor_model::LockMode::Update)
        .vendor_model(other.url("/m/model.json"), dir.path())
        .unwrap();
    assert_eq!(fs::read_to_string(outside.path().join("a")).unwrap(), "mine");
}
