//! What strangers write into manifests and answers: it leads nowhere, exhausts nothing, and says nothing to a terminal or
//! to cargo. And what nobody is to read: it is written nowhere.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use model_host::{Fault, Host};
use tempfile::TempDir;
use vendor_model::{Config, Error, ErrorKind};

use crate::network::Package;
use crate::support::{Ran, config, contents, host_of, manifest, model};

/// The refusal of a model of this manifest, of which nothing else is asked for.
#[track_caller]
fn refusal(manifest: impl Into<Vec<u8>>) -> Error {
    let host = host_of(&model()).file("/m/model.json", manifest).start();
    let dir = TempDir::new().unwrap();
    let error = config().vendor_model(host.url("/m/model.json"), dir.path().join("out"));
    let error = error.map(drop).unwrap_err();
    assert_eq!(host.requests().len(), 1, "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "{error}");
    error
}

#[test]
fn every_disguise_of_a_way_out_is_listed_in_one_refusal() {
    let long = "x".repeat(300);
    let deep = format!("{}/a", "x".repeat(300));
    let disguises = [
        // Elsewhere.
        "/etc/passwd",
        "//host/share",
        "\\\\host\\share\\a",
        "\\a",
        "C:\\a",
        "C:a",
        "c:/a",
        "file:///a",
        "~/../a",
        // Upward.
        "..",
        "../a",
        "a/../../b",
        "a/..",
        "./../a",
        "..\\a",
        "a\\..\\..\\b",
        "%2e%2e/a",
        "%2E%2E%2Fa",
        "..%2fa",
        "%252e%252e/a",
        "..%5ca",
        "..;/a",
        "a/./b",
        ".",
        "",
        "a//b",
        "a/",
        "\u{ff0e}\u{ff0e}/a",
        "\u{2025}/a",
        // What moves the cursor, ends a string or begins a line.
        "a\0b",
        "a\nb",
        "a\rb",
        "a\tb",
        "a\u{1b}[2J",
        "a\u{7f}",
        "a\u{85}",
        "a\u{9b}2J",
        "a\u{202e}nib.b",
        "a\u{2028}b",
        "a\u{200b}b",
        "\u{feff}a",
        // What Windows reads as something else.
        "CON",
        "con.bin",
        "a/PRN",
        "Aux.tar.gz",
        "NUL",
        "COM1",
        "lpt9.bin",
        "COM0",
        "CON .bin",
        "a.",
        "a...",
        "a ",
        "a. ",
        " a",
        "a /b",
        "a./b",
        "a:b",
        "a:b:$DATA",
        "a<b",
        "a>b",
        "a|b",
        "a\"b",
        "a*b",
        "a?b",
        // What servers and shells do.
        "a#b",
        "a%b",
        "a%00b",
        "a$b",
        "a`b`",
        "a;b",
        "a'b",
        // Names that are one file on some disks.
        "KEPT.bin",
        "Kept.BIN",
        "a\u{301}.bin",
        "\u{e1}.bin",
        "stra\u{df}e",
        "kept.bin/a",
        // Our own.
        "model.json",
        "Model.JSON",
        "model.json/a",
        "models.lock",
        "MODELS.LOCK",
        "models.lock/a",
        ".vendor-model-1-0",
        ".VENDOR-MODEL-x/a",
        &long,
        &deep,
    ];
    let paths: Vec<&str> = ["kept.bin"].into_iter().chain(disguises).collect();
    let error = refusal(manifest(&paths, 1));
    assert_eq!(error.kind(), ErrorKind::Path);
    let text = error.to_string();
    for path in disguises {
        assert!(text.contains(&format!("\n    {path:?}: ")), "{path:?} in:\n{text}");
    }
    assert!(!text.contains("\n    \"kept.bin\": "), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
}

#[test]
fn a_hundred_thousand_bad_paths_do_not_flood_the_terminal() {
    let bad: Vec<String> = (0..100_000).map(|n| format!("../{n}")).collect();
    let long = "y".repeat(1 << 20);
    for paths in [bad.iter().map(String::as_str).collect(), vec![long.as_str()]] {
        let text = refusal(manifest(&paths, 1)).to_string();
        assert!(text.len() < 100_000, "{}", text.len());
        assert!(text.contains("\n  help: "), "{}", &text[text.len() - 500..]);
    }
}

#[test]
fn weights_that_cannot_be_are_refused_before_any_shard_is_asked_for() {
    let specs = [
        (r#""shape": [4294967296, 4294967296, 2], "dtype": "float32""#, "more than 2^64 bytes"),
        (r#""shape": [18446744073709551615], "dtype": "int32""#, "more than 2^64 bytes"),
        (r#""shape": [18446744073709551616], "dtype": "bool""#, "a non-negative integer"),
        (r#""shape": [1e400], "dtype": "bool""#, "number out of range"),
        (r#""shape": [-1], "dtype": "float32""#, "a non-negative integer"),
        (r#""shape": [-0.5], "dtype": "float32""#, "a non-negative integer"),
        (r#""shape": [1.5], "dtype": "float32""#, "a non-negative integer"),
        (r#""shape": [NaN], "dtype": "float32""#, "expected"),
        (r#""shape": ["2"], "dtype": "float32""#, "a non-negative integer"),
        (r#""shape": [null], "dtype": "float32""#, "a non-negative integer"),
        (r#""shape": [[2]], "dtype": "float32""#, "a non-negative integer"),
        (r#""shape": 2, "dtype": "float32""#, "expected a sequence"),
        (r#""shape": {}, "dtype": "float32""#, "expected a sequence"),
        (r#""dtype": "float32""#, "missing field `shape`"),
        (r#""shape": [2]"#, "missing field `dtype`"),
        (r#""shape": [2], "dtype": 5"#, "expected a string"),
        (r#""shape": [2], "dtype": "float64""#, "unknown dtype \"float64\""),
        (r#""shape": [2], "dtype": "FLOAT32""#, "unknown dtype \"FLOAT32\""),
        (
            r#""shape": [2], "dtype": "\u001b[2J\ncargo:x=y""#,
            r#"unknown dtype "\u{1b}[2J\ncargo:x=y""#,
        ),
        (
            r#""shape": [2], "dtype": "float32", "quantization": {"dtype": "int8"}"#,
            "quantization dtype \"int8\"",
        ),
        (
            r#""shape": [2], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": "1"}"#,
            "expected f64",
        ),
        (
            r#""shape": [1000000000, 1000000000], "dtype": "bool""#,
            "found: 1000000000000000000 bytes",
        ),
        (
            r#""shape": [9000000000000000000], "dtype": "string""#,
            "found: 18446744073709551615 bytes",
        ),
    ];
    for (spec, expected) in specs {
        let text = format!(r#"[{{"paths": ["a"], "weights": [{{"name": "w", {spec}}}]}}]"#);
        let error = refusal(text);
        assert_eq!(error.kind(), ErrorKind::Manifest, "{spec}: {error}");
        assert!(error.to_string().contains(expected), "{spec}: no {expected:?} in:\n{error}");
    }
}

#[test]
fn what_is_nested_deeply_is_no_reason_to_crash() {
    let deep =
        |open: &str, close: &str| format!("{}1{}", open.repeat(200_000), close.repeat(200_000));
    for value in [deep("[", "]"), deep("{\"a\":", "}"), deep("[{\"a\":[", "]}]")] {
        for skipped in [
            format!(r#"{{"modelTopology": {value}, "weightsManifest": []}}"#),
            format!(r#"{{"modelTopology": {{"node": {value}}}, "weightsManifest": []}}"#),
            format!(r#"{{"userDefinedMetadata": {value}, "weightsManifest": []}}"#),
            format!(r#"[{{"paths": [], "weights": [], "more": {value}}}]"#),
        ] {
            let host = Host::builder().file("/m/model.json", skipped).start();
            let dir = TempDir::new().unwrap();
            // A topology that is no object is none; that is another matter.
            if let Err(error) = config().vendor_model(host.url("/m/model.json"), dir.path()) {
                assert_eq!(error.kind(), ErrorKind::Manifest, "{error}");
                assert!(error.to_string().contains("a model topology"), "{error}");
            }
        }
        for read in [
            value.clone(),
            format!(r#"{{"format": {value}}}"#),
            format!(r#"{{"weightsManifest": {value}}}"#),
            format!(r#"[{{"paths": {value}, "weights": []}}]"#),
            format!(
                r#"[{{"paths": [], "weights": [{{"name": "w", "dtype": "bool", "shape": {value}}}]}}]"#
            ),
            format!(
                r#"[{{"paths": [], "weights": [{{"name": "w", "dtype": {value}, "shape": []}}]}}]"#
            ),
        ] {
            assert_eq!(refusal(read).kind(), ErrorKind::Manifest);
        }
    }
}

const MANIFEST_LIMIT: usize = 64 << 20;

/// So many bytes of a bare manifest with as many weights as fit. They have no bytes.
fn full_of_weights(bytes: usize) -> Vec<u8> {
    let mut text = String::from(r#"[{"paths": [], "weights": ["#);
    let weight = r#"{"name":"w","shape":[0],"dtype":"bool"},"#;
    text += &weight.repeat((bytes - text.len()) / weight.len() - 1);
    text += weight.trim_end_matches(',');
    text += "]}]";
    text += &" ".repeat(bytes - text.len());
    text.into()
}

#[track_caller]
fn in_time(what: &str, act: impl FnOnce()) {
    let begun = Instant::now();
    act();
    let passed = begun.elapsed();
    assert!(passed < Duration::from_secs(180), "{what} took {passed:?}");
}

#[test]
fn the_largest_manifest_takes_a_bounded_time_and_a_larger_one_is_refused_by_the_limit() {
    let host = Host::builder().file("/m/model.json", full_of_weights(MANIFEST_LIMIT)).start();
    let dir = TempDir::new().unwrap();
    let url = host.url("/m/model.json");
    in_time("a manifest of 64 MiB", || drop(config().vendor_model(&url, dir.path()).unwrap()));

    host.put("/m/model.json", full_of_weights(MANIFEST_LIMIT + 1));
    let other = dir.path().join("other");
    let error = config().vendor_model(&url, &other).unwrap_err();
    assert!(
        error.to_string().contains("longer than 67108864 bytes, the limit of manifests"),
        "{error}"
    );
    assert!(!other.exists());
}

#[test]
fn a_hundred_thousand_groups_are_read_and_more_shards_than_that_are_not() {
    let groups = |group: &dyn Fn(usize) -> String, n| {
        format!("[{}]", (0..n).map(group).collect::<Vec<_>>().join(","))
    };
    let empty = groups(&|_| r#"{"paths": [], "weights": []}"#.to_owned(), 100_000);
    let text = r#"{"paths": ["a"], "weights": [{"name": "w", "shape": [1], "dtype": "string"}]}"#;
    let alike = groups(&|_| text.to_owned(), 100_000);
    for manifest in [empty, alike] {
        let host =
            Host::builder().file("/m/model.json", manifest).file("/m/a", "\x01\0\0\0a").start();
        let dir = TempDir::new().unwrap();
        in_time("a manifest of 100,000 groups", || {
            config().vendor_model(host.url("/m/model.json"), dir.path()).unwrap();
        });
        assert!(host.count("/m/a") <= 1);
    }
    let own = |n: usize| format!(r#"{{"paths": ["{n}"], "weights": []}}"#);
    for too_many in [groups(&own, 100_001), manifest(&vec!["a"; 100_001], 1)] {
        let text = refusal(too_many).to_string();
        assert!(text.contains("100001 shards") && text.contains("limit: 100000"), "{text}");
    }
}

/// What a build prints: its own lines for cargo, and nothing that a terminal obeys.
#[track_caller]
fn assert_harmless(ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        let odd = text.chars().find(|c| ('\u{200b}'..'\u{2070}').contains(c));
        assert_eq!(odd, None, "{text:?}");
    }
    assert!(
        !ran.stderr.lines().any(|line| line.trim_start().starts_with("cargo:")),
        "{}",
        ran.stderr
    );
    let own = ["cargo:rerun-if-changed=", "cargo:rerun-if-env-changed=", "cargo:warning="];
    for line in ran.stdout.lines() {
        assert!(own.iter().any(|own| line.starts_with(own)), "{line:?}");
    }
}

const EVIL: &str =
    "\\n\\r\\ncargo:rustc-link-arg=evil\\ncargo::error=evil\\u001b[2J\\u009b2J\\u202e";

#[test]
fn no_manifest_speaks_to_cargo_or_to_the_terminal() {
    let weight = |name: &str, dtype: &str, n| {
        format!(r#"{{"name": "{name}", "shape": [{n}], "dtype": "{dtype}"}}"#)
    };
    let group =
        |path: &str, weight: &str| format!(r#"[{{"paths": ["{path}"], "weights": [{weight}]}}]"#);
    let texts = [
        group("group1-shard3of3.bin", &weight(EVIL, "bool", 3)),
        group("group1-shard3of3.bin", &weight(EVIL, "bool", 5)),
        group("group1-shard3of3.bin", &weight(EVIL, "string", 5)),
        group("group1-shard3of3.bin", &weight(EVIL, EVIL, 5)),
        group(EVIL, &weight("w", "bool", 5)),
        format!(r#"{{"format": "{EVIL}", "weightsManifest": "{EVIL}"}}"#),
        format!(r#"{{"{EVIL}": "{EVIL}", "weightsManifest": []}}"#),
        format!(r#"{{"{EVIL}": "{EVIL}"}}"#),
        EVIL.replace("\\n", "\n").replace("\\u001b", "\u{1b}").replace("\\u009b", "\u{9b}"),
    ];
    for text in texts {
        let host = host_of(&model()).file("/m/model.json", text.clone()).start();
        let package = Package::new();
        let ran = package.vendor(&host.url("/m/model.json"), &[("VENDOR_MODEL_PROGRESS", "plain")]);
        assert_harmless(&ran);
        assert!(ran.ok || ran.stderr.contains("model.json"), "{text}:\n{}", ran.stderr);
    }
}

#[test]
fn no_answer_speaks_to_cargo_or_to_the_terminal() {
    const EVIL: &str = "evil\x1b[2J\u{9b}2J\u{202e}\rcargo:rustc-link-arg=evil";
    let answer = |head: &str| Fault::raw(format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n"));
    let answers = [
        answer(&format!("404 {EVIL}")),
        answer(&format!("500 {EVIL}")),
        answer("404 Not\ncargo:rustc-link-arg=evil"),
        answer(&format!("302 Found\r\nLocation: {EVIL}")),
        answer(&format!("302 Found\r\nLocation: /{EVIL}")),
        answer("302 Found\r\nLocation: /%0acargo:rustc-link-arg=evil%1b%5b2J"),
        answer(&format!("302 Found\r\nLocation: ftp://{EVIL}/")),
        answer("302 Found\r\nLocation: ftp://h/%0acargo:rustc-link-arg=evil%1b%5b2J%E2%80%AE"),
        answer(&format!("200 OK\r\nContent-Encoding: {EVIL}")),
        answer("200 OK\r\nContent-Encoding: \u{202e}cargo:rustc-link-arg=evil"),
        answer(&format!("429 Too Many\r\nRetry-After: {EVIL}")),
        answer(&format!("{EVIL}: {EVIL}")),
        Fault::raw(format!("{EVIL}\r\n\r\n")),
        Fault::raw("\ncargo:rustc-link-arg=evil\n\n"),
    ];
    for answer in answers {
        for file in ["model.json", "group1-shard3of3.bin"] {
            let host =
                host_of(&model()).fault(&format!("/m/{file}"), answer.clone().always()).start();
            let package = Package::new();
            let plain = [("VENDOR_MODEL_PROGRESS", "plain"), ("CARGO_NET_RETRY", "0")];
            assert_harmless(&package.vendor(&host.url("/m/model.json"), &plain).failed());
        }
    }
    let host = host_of(&model()).start();
    let url = host.url("/m/%0Acargo:rustc-link-arg=evil%1B%5B2J.json");
    assert_harmless(&Package::new().vendor(&url, &[("VENDOR_MODEL_PROGRESS", "plain")]).failed());
}

const PASSWORD: &str = "hunter2";
/// What `Basic` makes of `ann` and the password, and of `ann:` and a password of its own.
const ENCODED: &str = "YW5uOmh1bnRlcjI";

/// Every text that a run leaves.
fn left(dir: &Path, result: &Result<vendor_model::Vendored, Error>) -> String {
    let mut text = String::new();
    for (name, bytes) in contents(dir) {
        writeln!(text, "{name}: {}", String::from_utf8_lossy(&bytes)).unwrap();
    }
    match result {
        Ok(vendored) => writeln!(text, "{vendored:?} {}", vendored.url()).unwrap(),
        Err(error) => {
            writeln!(text, "{error} {error:?}").unwrap();
            let mut source = error.source();
            while let Some(cause) = source {
                writeln!(text, "{cause} {cause:?}").unwrap();
                source = cause.source();
            }
        }
    }
    text
}

/// What a host does with a secret that it has been told.
fn fates() -> BTreeMap<&'static str, Option<Fault>> {
    BTreeMap::from([
        ("takes it", None),
        ("knows nobody", Some(Fault::status(401))),
        ("has nothing", Some(Fault::status(404))),
        ("fails", Some(Fault::status(500))),
        ("closes", Some(Fault::refuse())),
        ("cuts", Some(Fault::cut_after(3))),
        ("sends a page", Some(Fault::html())),
        ("redirects in circles", Some(Fault::redirect("?token=hunter2#hunter2"))),
        (
            "redirects to nothing",
            Some(Fault::redirect("http://ann:hunter2@127.0.0.1:1/a?sig=hunter2")),
        ),
        (
            "redirects elsewhere",
            Some(Fault::redirect("ftp://ann:hunter2@h/a?X-Amz-Signature=hunter2")),
        ),
        (
            "redirects badly",
            Some(Fault::redirect("http://ann:hunter2@:99999/?access_token=hunter2")),
        ),
    ])
}

#[test]
fn what_nobody_is_to_read_is_written_nowhere() {
    for (fate, fault) in fates() {
        for file in ["model.json", "group1-shard3of3.bin"] {
            for told in ["by the URL", "by a mirror", "by a header"] {
                let host = host_of(&model()).start();
                fault.iter().for_each(|fault| {
                    host.fault(&format!("/m/{file}"), fault.clone().always());
                });
                let secret = |url: String| url.replace("http://", "http://ann:hunter2@");
                let mut config = Config::new();
                let dir = TempDir::new().unwrap();
                config.cache_dir(dir.path().join("cache")).retries(0);
                config.lockfile(dir.path().join("models.lock"));
                let url = match told {
                    "by the URL" => secret(host.url("/m/model.json")),
                    "by a mirror" => {
                        config.mirror("http://models.example/m/", secret(host.url("/m/")));
                        "http://models.example/m/model.json".to_owned()
                    }
                    _ => {
                        config.header("Authorization", PASSWORD);
                        host.url("/m/model.json")
                    }
                };
                let result = config.vendor_model(url, dir.path().join("out"));
                assert_eq!(result.is_ok(), fault.is_none(), "{fate} {file} {told}: {result:?}");
                assert!(host.requests()[0].header("authorization").is_some(), "{told}");
                let text = format!("{}{config:?}", left(dir.path(), &result));
                assert!(
                    !text.contains(PASSWORD) && !text.contains(ENCODED),
                    "{fate} {file} {told}:\n{text}"
                );
            }
        }
    }
}

#[test]
fn what_nobody_is_to_read_is_printed_nowhere() {
    for (fate, fault) in fates() {
        let host = host_of(&model()).start();
        fault.iter().for_each(|fault| host.fault("/m/model.json", fault.clone().always()));
        let url = host.url("/m/model.json").replace("http://", "http://ann:hunter2@");
        let package = Package::new();
        let ran =
            package.vendor(&url, &[("VENDOR_MODEL_PROGRESS", "plain"), ("CARGO_NET_RETRY", "1")]);
        assert_eq!(ran.ok, fault.is_none(), "{fate}");
        for text in [ran.stdout, ran.stderr] {
            assert!(!text.contains(PASSWORD) && !text.contains(ENCODED), "{fate}:\n{text}");
        }
    }
}

#[test]
fn addresses_that_cannot_be_read_are_shown_without_what_nobody_is_to_read() {
    let dir = TempDir::new().unwrap();
    for url in [
        "http://ann:hunter2@h:99999/model.json",
        "http://ann:hunter2@h h/model.json",
        "ftp://ann:hunter2@h/model.json",
        "http:/ann:hunter2@h/model.json",
        "//ann:hunter2@h/model.json",
        "ann:hunter2@h/model.json",
        "http://h/model.json?X-Amz-Signature=hunter2",
        "http://h/model.json?a=b&x-goog-signature=hunter2",
        "http://h/model.json?se=1&sig=hunter2",
        "http://h/model.json?ACCESS_TOKEN=hunter2",
        "http://h:99999/model.json?access_token=hunter2",
        "h/model.json?X-Amz-Security-Token=hunter2",
    ] {
        let error = config().vendor_model(url, dir.path().join("out")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(!error.to_string().contains(PASSWORD), "{error}");
    }
}
