//! Hosts as they are: they compress unasked, redirect, want a query, fail and recover, and have certificates.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use model_host::{Fault, Host};
use tempfile::TempDir;
use vendor_model::{Error, ErrorKind, Vendored};

use crate::support::{
    Project, assert_holds, config, contents, host_of, manifest, model, vendor_model,
};

fn refusal(host: &Host) -> Error {
    let dir = TempDir::new().unwrap();
    let error =
        config().retries(0).vendor_model(host.url("/m/model.json"), dir.path()).unwrap_err();
    assert!(
        contents(dir.path()).is_empty(),
        "something was left in out_dir: {:?}",
        contents(dir.path()).keys()
    );
    error
}

fn vendored(host: &Host, path: &str) -> Vendored {
    let dir = TempDir::new().unwrap();
    let vendored = vendor_model(host.url(path), dir.path()).unwrap();
    assert_holds(dir.path(), &model());
    vendored
}

#[test]
fn a_host_that_always_gzips_is_decoded() {
    let host = host_of(&model()).gzip_always().start();
    vendored(&host, "/m/model.json");
    assert!(
        host.requests().iter().all(|request| request.header("accept-encoding") == Some("identity"))
    );
}

#[test]
fn a_host_that_gzips_on_request_is_not_asked_to() {
    let host = host_of(&model()).gzip_on_request().start();
    vendored(&host, "/m/model.json");
    let shards =
        host.requests().into_iter().filter(|request| request.path.ends_with("shard1of3.bin"));
    assert_eq!(shards.map(|request| request.body_bytes_sent).collect::<Vec<_>>(), [8]);
}

#[test]
fn deflate_is_decoded_and_what_nobody_asked_for_is_refused() {
    let zlib = miniz_oxide::deflate::compress_to_vec_zlib(b"ghij", 6);
    let host = host_of(&model())
        .fault("/m/group1-shard3of3.bin", Fault::encoded_as("deflate", zlib))
        .start();
    vendored(&host, "/m/model.json");
    let host = host_of(&model())
        .fault("/m/group1-shard3of3.bin", Fault::encoded_as("br", "....").always())
        .start();
    let error = refusal(&host);
    assert_eq!(error.kind(), ErrorKind::Http);
    assert!(error.to_string().contains("Content-Encoding \"br\""), "{error}");
}

#[test]
fn what_hosts_call_an_encoding_and_is_none_is_passed_over() {
    for name in ["none", "utf-8", "identity", ""] {
        let fault = Fault::encoded_as(name, "ghij");
        let host = host_of(&model()).fault("/m/group1-shard3of3.bin", fault).start();
        vendored(&host, "/m/model.json");
    }
}

#[test]
fn an_empty_shard_may_be_compressed() {
    let host = Host::builder().file("/m/model.json", manifest(&["a", "b"], 1)).file("/m/a", "x");
    let host = host.fault("/m/b", Fault::encoded_as("gzip", "")).start();
    let dir = TempDir::new().unwrap();
    let vendored = vendor_model(host.url("/m/model.json"), dir.path()).unwrap();
    assert_eq!(vendored.files()[2].size(), 0);
}

#[test]
fn interim_responses_are_passed_over_however_much_follows_them() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/model.json", listener.local_addr().unwrap());
    let host = thread::spawn(move || {
        let manifest = manifest(&["a"], 400_000).into_bytes();
        for body in [manifest, vec![b'x'; 400_000]] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 4096];
            assert!(stream.read(&mut asked).unwrap() > 0);
            let length = body.len();
            let head = format!(
                "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
            );
            stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
        }
    });
    let dir = TempDir::new().unwrap();
    let vendored = config().retries(0).vendor_model(&url, dir.path()).unwrap();
    assert_eq!(vendored.files()[1].size(), 400_000);
    host.join().unwrap();
}

#[test]
fn a_redirect_of_the_manifest_does_not_move_its_shards() {
    let host = host_of(&model())
        .redirect("/old/model.json", "/m/model.json")
        .redirect("/old/", "/m/")
        .start();
    vendored(&host, "/old/model.json");
    for name in model().keys() {
        assert_eq!(
            (host.count(&format!("/old/{name}")), host.count(&format!("/m/{name}"))),
            (1, 1),
            "{name}"
        );
    }
}

#[test]
fn shards_are_redirected_each_on_its_own_and_to_other_hosts() {
    let cdn = host_of(&model()).start();
    let host = Host::builder().redirect("/m/", &cdn.url("/m/")).start();
    vendored(&host, "/m/model.json?download=true");
    assert!(
        host.requests().iter().all(|request| request.query.as_deref() == Some("download=true"))
    );
    assert_eq!(cdn.requests().len(), 4);
}

#[test]
fn the_query_of_the_model_goes_to_every_shard() {
    let host = host_of(&model()).require_query("tfjs-format=file").start();
    let vendored = vendored(&host, "/m/model.json?tfjs-format=file");
    assert_eq!(vendored.url(), host.url("/m/model.json?tfjs-format=file"));
    assert_eq!(host.requests().iter().filter(|request| request.status == 200).count(), 4);
}

#[test]
fn loops_and_long_ways_are_not_followed() {
    let host =
        Host::builder().redirect("/m/model.json", "/a").redirect("/a", "/m/model.json").start();
    assert!(refusal(&host).to_string().contains("a redirect loop, back to"), "{}", refusal(&host));
    let long = (0..12)
        .fold(Host::builder(), |host, n| host.redirect(&format!("/{n}"), &format!("/{}", n + 1)));
    let host = long.redirect("/m/model.json", "/0").start();
    assert!(refusal(&host).to_string().contains("more than 10 redirects"), "{}", refusal(&host));
}

#[test]
fn a_host_that_fails_once_is_asked_again() {
    let faults = [
        Fault::status(503),
        Fault::status(429),
        Fault::refuse(),
        Fault::cut_after(3),
        Fault::cut_chunked(3),
    ];
    for fault in faults {
        for name in ["model.json", "group1-shard3of3.bin"] {
            let host = host_of(&model()).fault(&format!("/m/{name}"), fault.clone()).start();
            vendored(&host, "/m/model.json");
            assert_eq!(host.count(&format!("/m/{name}")), 2, "{fault:?}");
        }
    }
}

#[test]
fn what_will_not_pass_is_asked_once() {
    for status in [401, 403, 404, 410] {
        let host = host_of(&model())
            .fault("/m/group1-shard2of3.bin", Fault::status(status).always())
            .start();
        let dir = TempDir::new().unwrap();
        let error = vendor_model(host.url("/m/model.json"), dir.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Http);
        let text = error.to_string();
        assert!(
            text.contains("group1-shard2of3.bin")
                && text.contains(&status.to_string())
                && text.contains("help:"),
            "{text}"
        );
        assert_eq!(host.count("/m/group1-shard2of3.bin"), 1);
        assert!(contents(dir.path()).is_empty());
    }
}

#[test]
fn a_missing_shard_is_told_in_full() {
    let mut files = model();
    files.remove("group1-shard2of3.bin");
    let host = host_of(&files).start();
    let url = host.url("/m/group1-shard2of3.bin");
    let expected = [
        "cannot bring \"group1-shard2of3.bin\"",
        &format!("  from: {url}"),
        "  found: HTTP status 404 Not Found",
        "  help: the host does not have it (any more); look for the model elsewhere, \
         with all its shards beside the manifest",
    ];
    assert_eq!(refusal(&host).to_string(), expected.join("\n"));
}

#[test]
fn an_error_page_with_status_200_is_no_shard_and_no_manifest() {
    for name in ["model.json", "group1-shard1of3.bin", "group1-shard3of3.bin"] {
        let host = host_of(&model()).fault(&format!("/m/{name}"), Fault::html().always()).start();
        let text = refusal(&host).to_string();
        assert!(text.contains("it is an HTML page"), "{text}");
    }
}

#[test]
fn a_body_that_ends_early_without_a_length_is_found_by_the_weight_specs() {
    let host = host_of(&model())
        .fault("/m/group1-shard2of3.bin", Fault::cut_close_delimited(5).always())
        .start();
    let error = refusal(&host);
    assert_eq!(error.kind(), ErrorKind::Manifest);
    let text = error.to_string();
    assert!(
        text.contains("weight group 1") && text.contains("has 17 bytes, its specs say 20"),
        "{text}"
    );
}

#[test]
fn secrets_in_an_address_are_sent_and_never_shown() {
    let host = host_of(&model()).start();
    let with_password = |path: &str| host.url(path).replace("http://", "http://ann:hunter2@");
    let dir = TempDir::new().unwrap();
    let vendored = vendor_model(with_password("/m/model.json"), dir.path()).unwrap();
    assert_eq!(vendored.url(), host.url("/m/model.json"));
    assert!(
        host.requests()
            .iter()
            .all(|request| request.header("authorization") == Some("Basic YW5uOmh1bnRlcjI="))
    );
    let record = fs::read_to_string(dir.path().join("models.lock")).unwrap();
    let error = vendor_model(with_password("/m/none.json"), dir.path()).unwrap_err().to_string();
    let signed = vendor_model(host.url("/m/model.json?X-Amz-Signature=hunter2"), dir.path())
        .unwrap_err()
        .to_string();
    for text in [record, error, signed] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn credentials_do_not_follow_a_redirect_to_another_host() {
    let other = host_of(&model()).start();
    let host = Host::builder().redirect("/m/", &other.url("/m/")).start();
    let url = host.url("/m/model.json").replace("http://", "http://ann:hunter2@");
    vendor_model(url, TempDir::new().unwrap().path()).unwrap();
    assert!(other.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn https_is_verified_against_the_certificates_that_cargo_is_told_of() {
    let host = host_of(&model()).tls().start();
    let project = Project::embedding(&host.url("/m/model.json"));
    let unknown =
        project.cargo("build", &[("CARGO_HTTP_CAINFO", ""), ("SSL_CERT_FILE", "")]).failed();
    assert!(
        unknown.stderr.contains("UnknownIssuer")
            && unknown.stderr.contains("CARGO_HTTP_CAINFO or SSL_CERT_FILE"),
        "{}",
        unknown.stderr
    );
    project.write("ca.pem", host.certificate_pem());
    let file = project.path("ca.pem");
    project.cargo("build", &[("CARGO_HTTP_CAINFO", file.to_str().unwrap())]).succeeded();
    let wrong = project.path("build.rs");
    fs::remove_file(project.path("models.lock")).unwrap();
    let none = project.cargo("build", &[("CARGO_HTTP_CAINFO", wrong.to_str().unwrap())]).failed();
    assert!(none.stderr.contains("there are no PEM certificates in"), "{}", none.stderr);
}

#[test]
fn a_redirect_from_https_to_http_is_refused() {
    let plain = host_of(&model()).start();
    let host = Host::builder().redirect("/m/", &plain.url("/m/")).tls().start();
    let project = Project::embedding(&host.url("/m/model.json"));
    project.write("ca.pem", host.certificate_pem());
    let file = project.path("ca.pem");
    let refused = project.cargo("build", &[("CARGO_HTTP_CAINFO", file.to_str().unwrap())]).failed();
    assert!(
        refused.stderr.contains("a redirect from https to http, which is not followed"),
        "{}",
        refused.stderr
    );
    assert_eq!(plain.requests().len(), 0);
}
