//! `mirror`: a vendored directory in an object store, and builds that read it there.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Desk, Ran, contents, model, npm_package};

/// A server that speaks S3, with a bucket called `models`.
struct S3 {
    server: Child,
    address: String,
    _dir: TempDir,
}

impl S3 {
    fn start() -> Option<S3> {
        npm_package("s3rver")?;
        let dir = TempDir::new().unwrap();
        let mut server = Command::new("node")
            .arg("s3.mjs")
            .args([dir.path(), Path::new("models")])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/js"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Some(S3 { server, address: address.trim().to_owned(), _dir: dir })
    }

    fn mirror(&self, desk: &Desk, arguments: &[&str]) -> Ran {
        let store = ["mirror", "vendor-models", "s3://models/team/a"];
        let mut command = desk.command(&[&store, arguments].concat());
        command.envs([
            ("AWS_ENDPOINT_URL", self.address.as_str()),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_ACCESS_KEY_ID", "S3RVER"),
            ("AWS_SECRET_ACCESS_KEY", "S3RVER"),
        ]);
        command.output().unwrap().into()
    }
}

impl Drop for S3 {
    /// It serves until its standard input ends.
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        let _ = self.server.wait();
    }
}

fn vendored() -> Desk {
    let desk = Desk::new();
    desk.lock();
    desk.run(&["vendor"]).well();
    desk
}

#[test]
fn a_build_reads_from_a_bucket_what_was_mirrored_there() {
    let Some(s3) = S3::start() else { return };
    let desk = vendored();
    let dry = s3.mirror(&desk, &["--dry-run", "--json"]).well();
    assert_eq!(dry.json("mirror")["uploaded"].as_array().unwrap().len(), 4);
    let document = s3.mirror(&desk, &["--json"]).well().json("mirror");
    assert_eq!(document, dry.json("mirror"));
    let again = s3.mirror(&desk, &["--json"]).well().json("mirror");
    assert_eq!((&again["uploaded"], &again["unchanged"]), (&json!([]), &json!(4)));

    let rule = s3.mirror(&desk, &[]).well().stdout;
    let rule =
        rule.trim().strip_prefix("VENDOR_MODEL_MIRROR='").unwrap().strip_suffix('\'').unwrap();
    let host = desk.host.url("/");
    assert_eq!(
        rule,
        format!("{host}={}/models/team/a/{}/", s3.address, desk.shelf_name().replace("/m", ""))
    );
    let asked = desk.host.requests().len();
    fs::remove_dir_all(desk.path("vendor-models")).unwrap();
    fs::remove_dir_all(desk.cache()).unwrap();
    desk.write("build.rs", BUILD.replace("{url}", &desk.url()));
    desk.write("src/main.rs", MAIN);
    let built =
        desk.cargo("run", &[("VENDOR_MODEL_MIRROR", rule), ("VENDOR_MODEL_LOCK", "locked")]);
    let lines: Vec<String> =
        model().iter().map(|(name, bytes)| format!("{name} {}", bytes.len())).collect();
    let mut found: Vec<&str> = built.well().stdout.leak().lines().collect();
    found.sort_unstable();
    assert_eq!(found, lines);
    assert_eq!(desk.host.requests().len(), asked, "the host itself was not asked");
}

const BUILD: &str = r#"fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let model = vendor_model::vendor_model("{url}", out.join("model"))?;
    model.write_module(out.join("model.rs"))?;
    Ok(())
}
"#;

const MAIN: &str = r#"mod model {
    include!(concat!(env!("OUT_DIR"), "/model.rs"));
}

fn main() {
    for file in model::FILES {
        println!("{} {}", file.path, file.bytes.len());
    }
}
"#;

#[test]
fn a_directory_serves_as_a_store_for_several_projects() {
    let (one, other) = (vendored(), vendored());
    let store = TempDir::new().unwrap();
    let address = format!("file://{}/shelf", store.path().display());
    for desk in [&one, &other] {
        let ran = desk.run(&["mirror", "vendor-models", &address]).well();
        ran.says("Uploaded 4 files").shows(&format!("={address}/"));
    }
    let record = vendor_model::Lockfile::read(store.path().join("shelf/models.lock")).unwrap();
    assert_eq!(record.models().len(), 2, "the other project's models are still recorded");
    let shelf = contents(&store.path().join("shelf"));
    assert_eq!(shelf.len(), 9);
    let rule = one.run(&["mirror", "vendor-models", &address, "--json"]).well().json("mirror");
    let rule = rule["rules"][0].as_str().unwrap();
    fs::remove_dir_all(one.cache()).unwrap();
    let mut get = one.command(&["get", &one.url(), "out"]);
    let ran = Ran::from(get.env("VENDOR_MODEL_MIRROR", rule).output().unwrap()).well();
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    let pinned = one.pins().models()[0].files()[1].size();
    assert_eq!(fs::metadata(one.path("out/group1-shard1of2.bin")).unwrap().len(), pinned);
}

#[test]
fn what_moved_is_uploaded_again_and_what_is_damaged_goes_nowhere() {
    let desk = vendored();
    let store = TempDir::new().unwrap();
    let address = format!("file://{}", store.path().display());
    desk.run(&["mirror", "vendor-models", &address]).well();
    desk.host.put("/m/group2-shard1of1.bin", "\u{9}\0\0\0");
    desk.run(&["update"]).well();
    desk.run(&["vendor"]).well();
    let document = desk.run(&["mirror", "vendor-models", &address, "--json"]).well().json("mirror");
    assert_eq!(
        document["uploaded"],
        json!([format!("{}/group2-shard1of1.bin", desk.shelf_name())])
    );

    desk.host.put("/m/group2-shard1of1.bin", "\u{8}\0\0\0");
    desk.run(&["update"]).well();
    desk.run(&["vendor"]).well();
    fs::write(desk.shelf().join("group2-shard1of1.bin"), "").unwrap();
    let before = contents(store.path());
    let ran = desk.run(&["mirror", "vendor-models", &address]).wrong();
    ran.says("is not what models.lock pins").says("cargo vendor-model vendor");
    assert_eq!(contents(store.path()), before);
}

#[test]
fn what_is_no_store_or_no_vendored_directory_is_refused() {
    let desk = vendored();
    for address in ["models", "ftp://h.example/models", "memory:///models"] {
        desk.run(&["mirror", "vendor-models", address]).misused().says("s3://BUCKET/PREFIX");
    }
    desk.write("plain/README", "read me");
    let ran = desk.run(&["mirror", "plain", "file:///nowhere"]).wrong();
    ran.says("it has no models.lock").says("cargo vendor-model vendor");
}
