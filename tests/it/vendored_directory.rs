//! The vendored directory: what is placed there by hand counts, and what is damaged there is named.

use std::fs;
use std::path::PathBuf;

use model_host::Host;
use tempfile::TempDir;
use vendor_model::{Config, ErrorKind, LockMode, Lockfile};

use crate::child::Vendoring;
use crate::support::{assert_holds, config, contents, host_of, model, times};

/// A package with pins, a vendored directory without a lock of its own, and no cache.
struct Package {
    host: Host,
    dir: TempDir,
}

impl Package {
    fn new() -> Package {
        let package = Package { host: host_of(&model()).start(), dir: TempDir::new().unwrap() };
        config()
            .lockfile(package.lock())
            .vendor_model(package.url(), package.dir.path().join("first"))
            .unwrap();
        for (name, bytes) in model() {
            let path = package.shelf().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        package.host.clear_log();
        package
    }

    fn url(&self) -> String {
        self.host.url("/m/model.json")
    }

    fn lock(&self) -> PathBuf {
        self.dir.path().join("models.lock")
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    fn vendor_models(&self) -> PathBuf {
        self.dir.path().join("vendor-models")
    }

    fn shelf(&self) -> PathBuf {
        self.vendor_models().join(self.host.addr().to_string().replace(':', "_")).join("m")
    }

    fn config(&self) -> Config {
        let mut config = config();
        config.lockfile(self.lock()).vendor_dir(self.vendor_models()).retries(0);
        config
    }
}

#[test]
fn a_damaged_vendored_file_is_named_and_the_next_source_is_used() {
    let package = Package::new();
    let damaged = package.shelf().join("group1-shard2of3.bin");
    fs::write(&damaged, "damaged").unwrap();
    let said = Vendoring::of(&package.url(), &package.out())
        .lock(&package.lock())
        .with("VENDOR_MODEL_DIR", package.vendor_models())
        .start()
        .succeeds();
    let named = format!("{}: not what models.lock pins", damaged.display());
    assert_eq!(said.matches(&named).count(), 1, "{said}");
    assert_eq!(said.matches("not what models.lock pins").count(), 1, "{said}");
    assert_holds(&package.out(), &model());
    let asked: Vec<String> = package.host.requests().into_iter().map(|asked| asked.path).collect();
    assert_eq!(asked, ["/m/group1-shard2of3.bin"]);
    assert_eq!(fs::read(&damaged).unwrap(), b"damaged", "the directory is its owner's");
}

#[test]
fn offline_a_damaged_vendored_file_is_refused_by_name_with_what_was_expected() {
    let package = Package::new();
    let damaged = package.shelf().join("group1-shard2of3.bin");
    fs::write(&damaged, "damaged").unwrap();
    fs::remove_file(package.shelf().join("model.json")).unwrap();
    let error = package
        .config()
        .offline(true)
        .cache_dir(package.dir.path().join("cache"))
        .vendor_model(package.url(), package.out())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Offline);
    let lock = Lockfile::read(package.lock()).unwrap();
    let missing = |at: usize, found: &str| {
        let file = &lock.models()[0].files()[at];
        let (path, sha256) = (file.path(), file.sha256());
        let place =
            |dir: PathBuf, found: &str| format!("\n    looked at: {}: {found}", dir.display());
        let blob = package.dir.path().join("cache/sha256").join(&sha256[..2]).join(&sha256[2..]);
        let url = package.host.url(&format!("/m/{path}"));
        let size = file.size();
        format!("\n  {path:?}\n    url: {url}\n    sha256: {sha256}, {size} bytes")
            + &place(package.out().join(path), "not there")
            + &place(package.shelf().join(path), found)
            + &place(blob, "not there")
    };
    let expected = format!(
        "cannot vendor {} offline: 2 files are missing{}{}\n  \
         help: to download what is missing: take offline(true) out of Config",
        package.url(),
        missing(0, "not there"),
        missing(2, "has other bytes"),
    );
    assert_eq!(error.to_string(), expected);
    assert!(package.host.requests().is_empty() && !package.out().exists());
}

#[test]
fn what_people_placed_there_by_hand_is_used_under_the_package_s_pins_and_left_alone() {
    let package = Package::new();
    let before = (contents(&package.vendor_models()), times(&package.vendor_models()));
    let mut locked = package.config();
    locked.lock_mode(LockMode::Locked).offline(true);
    let restored = locked.vendor_model(package.url(), package.out()).unwrap();
    assert_eq!(restored.report().restored, 4);
    assert_holds(&package.out(), &model());
    let after = (contents(&package.vendor_models()), times(&package.vendor_models()));
    assert_eq!(after, before);
}

#[test]
fn a_vendored_directory_is_a_mirror_for_whoever_serves_it() {
    let package = Package::new();
    let mirror = Host::serve(package.vendor_models());
    let shelf = package.host.addr().to_string().replace(':', "_");
    let mut mirrored = config();
    mirrored
        .lockfile(package.lock())
        .mirror(package.host.url("/"), mirror.url(&format!("/{shelf}/")));
    let served = mirrored.vendor_model(package.url(), package.out()).unwrap();
    assert_eq!(served.report().fetched, 4);
    assert_holds(&package.out(), &model());

    let damaged = "group1-shard2of3.bin";
    fs::write(package.shelf().join(damaged), "damaged").unwrap();
    fs::remove_file(package.out().join(damaged)).unwrap();
    let error = mirrored.vendor_model(package.url(), package.out()).unwrap_err().to_string();
    let (origin, mirror) =
        (package.host.url(&format!("/m/{damaged}")), mirror.url(&format!("/{shelf}/m/{damaged}")));
    for line in [format!("  from: {origin}\n"), format!("  by way of: {mirror}\n")] {
        assert!(error.contains(&line), "{error}");
    }
    assert!(package.host.requests().is_empty());
}
