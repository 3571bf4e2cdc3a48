//! Disks that are full, read-only, somebody else's, or hold something else: a clear error, and nothing else is harmed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use model_host::Host;
use tempfile::TempDir;
use vendor_model::{Config, Error, ErrorKind, LockMode, Vendored};

use crate::child::Vendoring;
use crate::shared_folder::skip;
use crate::support::{assert_holds, config, contents, host_of, manifest, model};

/// A package beside its `out_dir` and its cache, and a host.
struct Place {
    host: Host,
    dir: TempDir,
}

impl Place {
    fn new() -> Place {
        Place::of(&model())
    }

    fn of(files: &BTreeMap<String, Vec<u8>>) -> Place {
        Place { host: host_of(files).start(), dir: TempDir::new().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn out(&self) -> PathBuf {
        self.path("out")
    }

    fn url(&self) -> String {
        self.host.url("/m/model.json")
    }

    fn config(&self) -> Config {
        let mut config = config();
        config.lockfile(self.path("models.lock")).retries(0);
        config
    }

    fn vendor(&self) -> Result<Vendored, Error> {
        self.config().vendor_model(self.url(), self.out())
    }

    /// The error of a run that leaves everything as it is.
    #[track_caller]
    fn refusal(&self, config: &Config) -> Error {
        let before = contents(self.dir.path());
        let error = config.vendor_model(self.url(), self.out()).unwrap_err();
        assert!(contents(self.dir.path()) == before, "something has changed, by:\n{error}");
        error
    }
}

#[track_caller]
fn assert_says(error: &Error, kind: ErrorKind, parts: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    for part in parts.iter().chain(&["\n  help: "]) {
        assert!(error.to_string().contains(part), "no {part:?} in:\n{error}");
    }
}

/// Three shards of 40,000 bytes and another manifest with each `age`.
fn large_model(age: &str) -> BTreeMap<String, Vec<u8>> {
    let shards = ["a.bin", "b.bin", "c.bin"];
    let manifest = manifest(&shards, 120_000).replace("\"w\"", &format!("\"{age}\""));
    let bytes = |name: &&str| format!("{age}:{name} ").repeat(4000).into_bytes();
    let shards = shards.iter().map(|name| (name.to_string(), bytes(name)[..40_000].to_vec()));
    shards.chain([("model.json".to_owned(), manifest.into_bytes())]).collect()
}

/// A file system of its own, until it is dropped.
struct Disk(TempDir);

impl Disk {
    /// Of so many kilobytes. None, and the test is skipped, where there can be none.
    fn of(kilobytes: usize) -> Option<Disk> {
        let dir = TempDir::new().unwrap();
        let size = format!("size={kilobytes}k,mode=755");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "none"])
            .arg(dir.path())
            .output();
        if mount.is_ok_and(|mount| mount.status.success()) {
            return Some(Disk(dir));
        }
        skip("a file system cannot be mounted (that takes root)");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn remount(&self, option: &str) {
        let option = format!("remount,{option}");
        let mount = Command::new("mount").args(["-o", &option]).arg(self.path()).status();
        assert!(mount.unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[test]
fn wherever_the_disk_of_out_dir_gets_full_it_is_as_it_was_or_whole() {
    for held in [None, Some("old")] {
        let mut failed = 0;
        // A tmpfs counts in pages; a model has thirty of them and more.
        for kilobytes in (8..).step_by(4) {
            let Some(disk) = Disk::of(kilobytes) else { return };
            let place = Place::of(&large_model(held.unwrap_or("new")));
            let out = disk.path().join("out");
            if held.is_some() && config().vendor_model(place.url(), &out).is_err() {
                continue;
            }
            for (name, bytes) in large_model("new") {
                place.host.put(&format!("/m/{name}"), bytes);
            }
            let before = contents(disk.path());
            let Err(error) = place.config().vendor_model(place.url(), &out) else {
                assert_holds(&out, &large_model("new"));
                break;
            };
            failed += 1;
            assert_says(&error, ErrorKind::Io, &["No space left on device"]);
            assert!(contents(disk.path()) == before, "{kilobytes} KiB, {held:?}:\n{error}");
            assert!(!place.path("models.lock").exists(), "{kilobytes} KiB, {held:?}:\n{error}");
        }
        assert!(failed > 20, "{failed}");
    }
}

#[test]
fn a_cache_on_a_full_disk_is_done_without() {
    for kilobytes in (4..200).step_by(28) {
        let Some(disk) = Disk::of(kilobytes) else { return };
        let place = Place::of(&large_model("new"));
        let mut config = place.config();
        config.cache_dir(disk.path().join("cache"));
        config.vendor_model(place.url(), place.out()).unwrap();
        assert_holds(&place.out(), &large_model("new"));
        // What it has taken in is right, or is not believed.
        fs::remove_dir_all(place.out()).unwrap();
        config.vendor_model(place.url(), place.out()).unwrap();
        assert_holds(&place.out(), &large_model("new"));
    }
}

#[test]
fn a_cached_file_that_finds_no_room_is_told_so_and_nobody_is_asked_for_it() {
    let (Some(disk), place) = (Disk::of(60), Place::of(&large_model("new"))) else { return };
    let mut config = place.config();
    config.cache_dir(place.path("cache"));
    config.vendor_model(place.url(), place.out()).unwrap();
    place.host.clear_log();
    for offline in [true, false] {
        let out = disk.path().join("out");
        let error = config.offline(offline).vendor_model(place.url(), out).unwrap_err();
        assert_says(&error, ErrorKind::Io, &["No space left on device"]);
    }
    assert!(place.host.requests().is_empty());
}

#[test]
fn a_read_only_out_dir_is_enough_where_it_is_right_and_named_where_it_is_not() {
    let Some(disk) = Disk::of(1000) else { return };
    let (place, out) = (Place::new(), disk.path().join("out"));
    place.config().vendor_model(place.url(), &out).unwrap();
    disk.remount("ro");
    let kept = place.config().vendor_model(place.url(), &out).unwrap();
    assert_eq!(kept.report().kept, 4);
    disk.remount("rw");
    fs::write(out.join("group1-shard2of3.bin"), "damaged").unwrap();
    let before = contents(disk.path());
    disk.remount("ro");
    let error = place.config().vendor_model(place.url(), &out).unwrap_err();
    assert_says(&error, ErrorKind::Io, &[out.to_str().unwrap(), "Read-only file system"]);
    assert_eq!(contents(disk.path()), before);
}

#[test]
fn pins_that_may_not_be_written_are_not_updated() {
    let Some(disk) = Disk::of(1000) else { return };
    let place = Place::new();
    let mut config = place.config();
    config.lockfile(disk.path().join("models.lock"));
    config.vendor_model(place.url(), place.out()).unwrap();
    disk.remount("ro");
    place.host.clear_log();
    let error = place.refusal(config.lock_mode(LockMode::Update));
    assert_says(&error, ErrorKind::Lock, &["models.lock may not be written"]);
    assert!(place.host.requests().is_empty());
    config.lock_mode(LockMode::Auto).vendor_model(place.url(), place.out()).unwrap();
}

#[test]
fn a_read_only_cache_is_read() {
    let Some(disk) = Disk::of(1000) else { return };
    let place = Place::new();
    let mut config = place.config();
    config.cache_dir(disk.path().join("cache"));
    config.vendor_model(place.url(), place.out()).unwrap();
    fs::remove_dir_all(place.out()).unwrap();
    disk.remount("ro");
    place.host.clear_log();
    assert_eq!(config.vendor_model(place.url(), place.out()).unwrap().report().cached, 4);
    assert_eq!(place.host.requests().len(), 0);
    place.host.put("/m/group1-shard3of3.bin", "GHIJ");
    fs::remove_file(place.path("models.lock")).unwrap();
    let vendored = config.vendor_model(place.url(), place.out()).unwrap();
    assert_eq!(vendored.files()[3].size(), 4);
    assert_eq!(fs::read(place.out().join("group1-shard3of3.bin")).unwrap(), b"GHIJ");
}

/// A process whose user may not do everything; none where there is none to be had.
fn unprivileged(place: &Place) -> Option<Vendoring> {
    fs::set_permissions(place.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let child = Vendoring::of(&place.url(), &place.out());
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !is_root {
        return Some(child);
    }
    let child = child.by_nobody();
    if child.is_none() {
        skip("nobody may run the tests");
    }
    child
}

#[test]
fn what_belongs_to_somebody_else_is_named() {
    let place = Place::new();
    place.vendor().unwrap();
    let protect = |name: &str, mode| {
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    protect("out", 0o555);
    protect("models.lock", 0o444);
    let Some(child) = unprivileged(&place) else { return };
    child.lock(&place.path("models.lock")).start().succeeds();
    fs::write(place.path("out/group1-shard2of3.bin"), "damaged").unwrap();
    let said = unprivileged(&place).unwrap().lock(&place.path("models.lock")).start().fails();
    for part in [place.out().to_str().unwrap(), "Permission denied", "\n  help: "] {
        assert!(said.contains(part), "no {part:?} in:\n{said}");
    }
    protect("out", 0o777);
    fs::create_dir(place.path("cache")).unwrap();
    protect("cache", 0o555);
    unprivileged(&place).unwrap().cache(&place.path("cache")).start().succeeds();
    assert_holds(&place.out(), &model());
    protect("out", 0o000);
    let said = unprivileged(&place).unwrap().start().fails();
    assert!(said.contains("Permission denied"), "{said}");
    protect("out", 0o755);
}

#[test]
fn a_file_in_the_place_of_a_directory_is_named_and_left() {
    let shards = ["sub/dir/a.bin", "b.bin"];
    let files = BTreeMap::from([
        ("model.json".to_owned(), manifest(&shards, 2).into_bytes()),
        ("sub/dir/a.bin".to_owned(), b"a".to_vec()),
        ("b.bin".to_owned(), b"b".to_vec()),
    ]);
    for (name, kind) in
        [("out", ErrorKind::Io), ("out/sub", ErrorKind::Path), ("out/sub/dir", ErrorKind::Path)]
    {
        let place = Place::of(&files);
        let at = place.path(name);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(&at, "mine").unwrap();
        assert_says(&place.refusal(&place.config()), kind, &[at.to_str().unwrap()]);
    }
    let place = Place::of(&files);
    fs::write(place.path("file"), "mine").unwrap();
    let error = place.config().vendor_model(place.url(), place.path("file/out")).unwrap_err();
    assert_says(&error, ErrorKind::Io, &[place.path("file/out").to_str().unwrap()]);
    assert_eq!(place.host.requests().len(), 0);

    for name in ["cache", "cache/partial", "cache/urls", "cache/sha256", "cache/CACHEDIR.TAG/x"] {
        let place = Place::of(&files);
        fs::create_dir_all(place.path(name).parent().unwrap()).unwrap();
        fs::write(place.path(name), "mine").unwrap();
        let mut config = place.config();
        config.cache_dir(place.path("cache"));
        config.vendor_model(place.url(), place.out()).unwrap();
        assert_holds(&place.out(), &files);
        assert_eq!(fs::read(place.path(name)).unwrap(), b"mine");
    }
}

#[test]
fn a_directory_in_the_place_of_a_file_is_named_and_left() {
    for (name, kind) in [
        ("out/model.json", ErrorKind::Path),
        ("out/group1-shard2of3.bin", ErrorKind::Path),
        ("out/models.lock", ErrorKind::Path),
        ("models.lock", ErrorKind::Io),
    ] {
        let place = Place::new();
        fs::create_dir_all(place.path(name)).unwrap();
        fs::write(place.path(name).join("mine"), "mine").unwrap();
        let error = place.refusal(&place.config());
        assert_says(&error, kind, &[place.path(name).to_str().unwrap()]);
    }
}

#[test]
fn all_that_is_in_the_way_is_listed_before_anything_is_changed() {
    let place = Place::new();
    place.vendor().unwrap();
    for name in ["group1-shard1of3.bin", "group1-shard3of3.bin"] {
        fs::remove_file(place.out().join(name)).unwrap();
        fs::create_dir(place.out().join(name)).unwrap();
        fs::write(place.out().join(name).join("mine"), "mine").unwrap();
    }
    place.host.put("/m/group1-shard2of3.bin", "89ABCDEF");
    let mut config = place.config();
    let error = place.refusal(config.lock_mode(LockMode::Update));
    assert_says(&error, ErrorKind::Path, &["group1-shard1of3.bin", "group1-shard3of3.bin"]);
}

#[test]
fn pipes_and_sockets_are_not_waited_for() {
    let pipe = |at: &Path| assert!(Command::new("mkfifo").arg(at).status().unwrap().success());
    let socket = |at: &Path| drop(UnixListener::bind(at).unwrap());
    let kinds: [&dyn Fn(&Path); 2] = [&pipe, &socket];
    for make in kinds {
        for name in ["out/model.json", "out/group1-shard2of3.bin", "out/models.lock"] {
            let place = Place::new();
            fs::create_dir(place.out()).unwrap();
            make(&place.path(name));
            place.vendor().unwrap();
            assert_holds(&place.out(), &model());
        }
        let place = Place::new();
        make(&place.path("models.lock"));
        let error = place.vendor().unwrap_err();
        assert_says(&error, ErrorKind::Io, &[place.path("models.lock").to_str().unwrap()]);
        assert_eq!(place.host.requests().len(), 0);
        // And where nothing but the record could pin.
        let place = Place::new();
        fs::create_dir(place.out()).unwrap();
        make(&place.path("out/models.lock"));
        let error = config().vendor_model(place.url(), place.out()).unwrap_err();
        assert_says(&error, ErrorKind::Io, &[place.path("out/models.lock").to_str().unwrap()]);
    }
}

#[test]
fn an_out_dir_that_is_removed_meanwhile_is_told_and_the_next_run_makes_it_again() {
    for cached in [true, false] {
        for file in ["model.json", "group1-shard1of3.bin", "group1-shard3of3.bin"] {
            let place = Place::new();
            let mut config = place.config();
            // One after the other: nothing is written while it is removed.
            config.connections(1);
            if cached {
                config.cache_dir(place.path("cache"));
            }
            let gate = place.host.gate(&format!("/m/{file}"), 3);
            let error = thread::scope(|scope| {
                let run = scope.spawn(|| config.vendor_model(place.url(), place.out()));
                gate.reached();
                fs::remove_dir_all(place.out()).unwrap();
                gate.open();
                run.join().unwrap().unwrap_err()
            });
            assert_says(&error, ErrorKind::Io, &[place.out().to_str().unwrap(), "No such file"]);
            assert!(!place.path("models.lock").exists(), "{error}");
            config.vendor_model(place.url(), place.out()).unwrap();
            assert_holds(&place.out(), &model());
        }
    }
}

#[test]
fn links_in_out_dir_lead_nothing_out_of_it() {
    let place = Place::new();
    let outside = place.path("outside");
    fs::create_dir_all(place.out()).unwrap();
    fs::create_dir(&outside).unwrap();
    for (name, bytes) in [("file", "mine"), ("lock", ""), ("models.lock", "mine"), ("0", "mine")] {
        fs::write(outside.join(name), bytes).unwrap();
    }
    let plant = |name: &str, to: &Path| symlink(to, place.out().join(name)).unwrap();
    plant("model.json", &outside.join("file"));
    plant("group1-shard1of3.bin", &outside.join("none"));
    plant("group1-shard2of3.bin", Path::new("group1-shard2of3.bin"));
    plant("group1-shard3of3.bin", &outside);
    plant("models.lock", &outside.join("models.lock"));
    plant(".vendor-model-1-0", &outside);
    plant(".vendor-model-1-1", &outside.join("file"));
    let before = contents(&outside);
    place.vendor().unwrap();
    assert_eq!(contents(&outside), before);
    assert_holds(&place.out(), &model());
    let is_link = |name: &str| place.out().join(name).symlink_metadata().unwrap().is_symlink();
    assert!(!model().keys().any(|name| is_link(name)) && !is_link("models.lock"));
}

#[test]
fn a_model_that_comes_to_dispute_a_file_is_refused_and_both_stay_as_they_are() {
    let place = Place::new();
    place.host.put("/m/other.json", manifest(&["group1-shard1of3.bin", "b.bin"], 9));
    place.host.put("/m/b.bin", "b");
    let other = place.host.url("/m/other.json");
    place.vendor().unwrap();
    place.config().vendor_model(&other, place.out()).unwrap();
    let held = contents(&place.out());
    assert_eq!(held.len(), 7, "what they have in common is there once");
    place.host.put("/m/group1-shard1of3.bin", "76543210");
    let mut update = place.config();
    let error = place.refusal(update.lock_mode(LockMode::Update));
    assert_says(&error, ErrorKind::Path, &[&place.url(), &other, "\"group1-shard1of3.bin\""]);
    assert_eq!(contents(&place.out()), held);
}
