//! The example app has what it needs to be built offline: its lock and its vendored copy are those of one model.

use std::fs;
use std::path::{Path, PathBuf};

use model_host::Host;
use tempfile::TempDir;
use vendor_model::{LockMode, Lockfile};

use crate::support::{config, vendor_model};

const URL: &str = "https://models.example/digits/model.json";

fn example_app() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("example-app")
}

#[test]
fn its_model_is_restored_offline_from_its_vendored_copy() {
    let app = example_app();
    let dir = TempDir::new().unwrap();
    let vendored = config()
        .lockfile(app.join("models.lock"))
        .vendor_dir(app.join("vendor-models"))
        .lock_mode(LockMode::Locked)
        .offline(true)
        .vendor_model(URL, dir.path())
        .unwrap();
    assert_eq!(vendored.report().restored, vendored.files().len());
    assert!(vendored.files().len() > 3, "several shards");
    let lock = fs::read_to_string(app.join("models.lock")).unwrap();
    assert_eq!(lock, fs::read_to_string(app.join("vendor-models/models.lock")).unwrap());
    assert_eq!(lock, Lockfile::parse(&lock).unwrap().to_string(), "the text is the contract's");
}

#[test]
fn its_model_comes_over_http_with_the_same_digests() {
    let host = Host::serve(example_app().join("vendor-models/models.example"));
    let dir = TempDir::new().unwrap();
    let over_http = vendor_model(host.url("/digits/model.json"), dir.path()).unwrap();
    let lock = Lockfile::read(example_app().join("models.lock")).unwrap();
    let pinned = lock.model(URL).unwrap().files().iter().map(|file| file.sha256());
    assert!(over_http.files().iter().map(|file| file.sha256().to_owned()).eq(pinned));
}
