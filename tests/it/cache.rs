//! The cache that all projects share: what it saves, and what it never breaks.

use std::fs;
use std::path::{Path, PathBuf};

use model_host::{Fault, Host};
use tempfile::TempDir;
use vendor_model::{Config, LockMode, Vendored};

use crate::support::{assert_holds, contents, host_of, model};

/// A host, a cache, and as many packages as are asked for.
struct Users {
    host: Host,
    dir: TempDir,
}

impl Users {
    fn of(host: Host) -> Users {
        Users { host, dir: TempDir::new().unwrap() }
    }

    fn new() -> Users {
        Users::of(host_of(&model()).start())
    }

    fn cache(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    fn out(&self, package: &str) -> PathBuf {
        self.dir.path().join(package).join("out")
    }

    fn config(&self, package: &str) -> Config {
        let mut config = Config::new();
        config.cache_dir(self.cache()).lockfile(self.dir.path().join(package).join("models.lock"));
        config
    }

    #[track_caller]
    fn vendor(&self, package: &str) -> Vendored {
        let url = self.host.url("/m/model.json");
        let vendored = self.config(package).vendor_model(url, self.out(package)).unwrap();
        assert_holds(&self.out(package), &model());
        vendored
    }

    /// Gives a package the pins of another, as a colleague's commit does.
    fn share_pins(&self, from: &str, with: &str) {
        let lock = |package: &str| self.dir.path().join(package).join("models.lock");
        fs::create_dir_all(lock(with).parent().unwrap()).unwrap();
        fs::copy(lock(from), lock(with)).unwrap();
    }

    fn statuses(&self) -> Vec<u16> {
        let statuses = self.host.requests().iter().map(|request| request.status).collect();
        self.host.clear_log();
        statuses
    }
}

/// The files of the cache that hold content.
fn blobs(cache: &Path) -> Vec<PathBuf> {
    contents(&cache.join("sha256"))
        .into_keys()
        .map(|name| cache.join("sha256").join(name))
        .collect()
}

#[test]
fn what_is_pinned_comes_from_the_cache_without_a_request() {
    let users = Users::new();
    users.vendor("one");
    users.share_pins("one", "two");
    assert_eq!(users.statuses(), [200; 4]);
    let report = users.vendor("two").report().clone();
    assert_eq!((report.cached, report.fetched, report.fetched_bytes), (4, 0, 0));
    fs::remove_dir_all(users.out("one")).unwrap();
    users.vendor("one");
    assert!(users.statuses().is_empty());
}

#[test]
fn what_is_not_pinned_is_confirmed_by_its_host_and_not_sent_again() {
    let users = Users::new();
    users.vendor("one");
    users.statuses();
    let report = users.vendor("two").report().clone();
    assert_eq!((report.cached, report.fetched), (4, 0));
    assert_eq!(users.statuses(), [304; 4]);
}

#[test]
fn what_changed_upstream_is_sent_to_whoever_has_no_pin() {
    let users = Users::new();
    users.vendor("one");
    users.host.put("/m/group1-shard3of3.bin", "GHIJ");
    users.statuses();
    let url = users.host.url("/m/model.json");
    let two = users.config("two").vendor_model(&url, users.out("two")).unwrap();
    assert_eq!(fs::read(users.out("two").join("group1-shard3of3.bin")).unwrap(), b"GHIJ");
    assert_eq!((two.report().cached, two.report().fetched), (3, 1));
    let error = users.config("one").vendor_model(&url, users.out("one"));
    assert!(error.is_ok(), "who has it and a pin for it asks nobody");
}

#[test]
fn an_update_asks_the_host_and_takes_no_byte_that_is_here() {
    let users = Users::new();
    users.vendor("one");
    users.statuses();
    let before = crate::support::times(&users.out("one"));
    let url = users.host.url("/m/model.json");
    let mut config = users.config("one");
    config.lock_mode(LockMode::Update).vendor_model(url, users.out("one")).unwrap();
    assert_eq!(users.statuses(), [304; 4]);
    assert_eq!(crate::support::times(&users.out("one")), before);
}

#[test]
fn a_damaged_blob_is_dropped_and_fetched_again() {
    let users = Users::new();
    users.vendor("one");
    users.share_pins("one", "two");
    for (n, blob) in blobs(&users.cache()).into_iter().enumerate() {
        match n {
            0 => fs::write(blob, "damaged").unwrap(),
            1 => fs::write(blob, "").unwrap(),
            _ => {}
        }
    }
    users.statuses();
    users.vendor("two");
    assert_eq!(users.statuses(), [200; 2]);
    users.share_pins("one", "three");
    users.vendor("three");
    assert!(users.statuses().is_empty(), "it has healed");
}

#[test]
fn a_damaged_blob_is_not_confirmed_by_its_host() {
    let users = Users::new();
    users.vendor("one");
    blobs(&users.cache()).into_iter().for_each(|blob| fs::write(blob, "damaged").unwrap());
    users.statuses();
    users.vendor("two");
    assert_eq!(users.statuses(), [200; 4]);
}

#[cfg(unix)]
#[test]
fn read_only_blobs_make_no_read_only_outputs() {
    use std::os::unix::fs::PermissionsExt;
    let users = Users::new();
    users.vendor("one");
    users.share_pins("one", "two");
    for blob in blobs(&users.cache()) {
        fs::set_permissions(blob, fs::Permissions::from_mode(0o444)).unwrap();
    }
    users.vendor("two");
    for name in model().keys() {
        let mode = fs::metadata(users.out("two").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o200, 0o200, "{name}");
    }
}

#[test]
fn a_cache_that_cannot_be_made_is_done_without() {
    let users = Users::new();
    fs::write(users.cache(), "a file, not a directory").unwrap();
    assert_eq!(users.vendor("one").report().fetched, 4);
    assert_eq!(fs::read(users.cache()).unwrap(), b"a file, not a directory");
}

#[test]
fn an_error_page_never_gets_into_the_cache() {
    let users = Users::of(
        host_of(&model()).fault("/m/group1-shard2of3.bin", Fault::html().always()).start(),
    );
    let url = users.host.url("/m/model.json");
    users.config("one").vendor_model(url, users.out("one")).unwrap_err();
    let held = contents(&users.cache());
    assert!(!held.values().any(|bytes| bytes.starts_with(b"<!doctype")), "{:?}", held.keys());
}

#[test]
fn a_body_whose_end_nobody_can_tell_is_not_confirmed_later() {
    let shard = "/m/group1-shard2of3.bin";
    let users = Users::of(host_of(&model()).fault(shard, Fault::cut_close_delimited(5)).start());
    let url = users.host.url("/m/model.json");
    users.config("one").vendor_model(url, users.out("one")).unwrap_err();
    users.statuses();
    users.vendor("two");
    let asked = users.host.requests();
    let again = asked.iter().find(|request| request.path == shard).unwrap();
    assert_eq!((again.status, again.header("if-none-match")), (200, None));
}

#[test]
fn the_cache_says_what_it_is_and_holds_nothing_but_content_when_all_is_done() {
    let users = Users::new();
    users.vendor("one");
    let names: Vec<String> = contents(&users.cache()).into_keys().collect();
    let kinds: Vec<&str> = names.iter().map(|name| name.split('/').next().unwrap()).collect();
    let mut expected = vec!["CACHEDIR.TAG"];
    expected.extend(["sha256"; 4]);
    expected.extend(["urls"; 4]);
    assert_eq!(kinds, expected, "{names:?}");
}
