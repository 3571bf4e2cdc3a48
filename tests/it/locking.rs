//! Pins: made once, kept to ever after, moved only by an act.

use std::fs;
use std::path::Path;

use model_host::Host;
use tempfile::TempDir;
use vendor_model::{Config, ErrorKind, LockMode, Lockfile};

use crate::support::{assert_holds, config, contents, file_url, host_of, manifest, model};

/// A host, a package with a lockfile outside any build script, and what to do with them.
struct Package {
    host: Host,
    dir: TempDir,
}

impl Package {
    fn new() -> Package {
        Package { host: host_of(&model()).start(), dir: TempDir::new().unwrap() }
    }

    fn config(&self) -> Config {
        let mut config = config();
        config
            .lockfile(self.lockfile())
            .vendor_dir(self.dir.path().join("vendor-models"))
            .retries(0);
        config
    }

    fn lockfile(&self) -> std::path::PathBuf {
        self.dir.path().join("models.lock")
    }

    fn out(&self) -> std::path::PathBuf {
        self.dir.path().join("out")
    }

    fn url(&self) -> String {
        self.host.url("/m/model.json")
    }

    fn vendor(&self, config: &Config) -> Result<vendor_model::Vendored, vendor_model::Error> {
        config.vendor_model(self.url(), self.out())
    }

    fn change_upstream(&self) {
        self.host.put("/m/group1-shard3of3.bin", "GHIJ");
    }

    /// Fills the vendored directory as a person would, by hand.
    fn vendor_by_hand(&self) {
        let host = self.host.addr().to_string().replace(':', "_");
        let dir = self.dir.path().join("vendor-models").join(host).join("m");
        fs::create_dir_all(&dir).unwrap();
        model().iter().for_each(|(name, bytes)| fs::write(dir.join(name), bytes).unwrap());
    }
}

#[test]
fn the_first_run_makes_the_lock_and_the_next_ones_leave_it() {
    let package = Package::new();
    package.vendor(&package.config()).unwrap();
    let lock = Lockfile::read(package.lockfile()).unwrap();
    assert_eq!(lock.models().len(), 1);
    assert_eq!(lock.models()[0].files().len(), 4);
    assert_eq!(
        fs::read(package.lockfile()).unwrap(),
        fs::read(package.out().join("models.lock")).unwrap()
    );
    let text = fs::read_to_string(package.lockfile()).unwrap();
    fs::write(package.lockfile(), format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap();
    let checked_out_by_git = fs::read(package.lockfile()).unwrap();
    package.vendor(&package.config()).unwrap();
    assert_eq!(fs::read(package.lockfile()).unwrap(), checked_out_by_git);
}

#[test]
fn a_change_upstream_is_an_error_that_says_how_to_accept_it() {
    let package = Package::new();
    package.vendor(&package.config()).unwrap();
    package.change_upstream();
    fs::remove_dir_all(package.out()).unwrap();
    let error = package.vendor(&package.config()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Digest);
    let expected = [
        "\"group1-shard3of3.bin\" is not what models.lock pins",
        &format!("  from: {}", package.host.url("/m/group1-shard3of3.bin")),
        &format!("  expected: sha256 {}, 4 bytes", sha256(b"ghij")),
        &format!("  found: sha256 {}, 4 bytes", sha256(b"GHIJ")),
        "  help: if the change upstream is meant, accept it: \
         set VENDOR_MODEL_LOCK=update and run this again",
    ];
    assert_eq!(error.to_string(), expected.join("\n"));
    assert!(!package.out().exists() || contents(&package.out()).is_empty());
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(bytes))
}

#[test]
fn an_update_moves_the_pins() {
    let package = Package::new();
    package.vendor(&package.config()).unwrap();
    package.change_upstream();
    package.vendor(package.config().lock_mode(LockMode::Update)).unwrap();
    let mut changed = model();
    changed.insert("group1-shard3of3.bin".to_owned(), b"GHIJ".to_vec());
    assert_holds(&package.out(), &changed);
    let lock = Lockfile::read(package.lockfile()).unwrap();
    assert_eq!(lock.models()[0].files()[3].sha256(), sha256(b"GHIJ"));
    assert_eq!(package.vendor(&package.config()).unwrap().report().kept, 4);
}

#[test]
fn an_update_to_fewer_shards_leaves_no_stale_file() {
    let package = Package::new();
    package.vendor(&package.config()).unwrap();
    package.host.put("/m/model.json", manifest(&["sub/only.bin"], 4));
    package.host.put("/m/sub/only.bin", "only");
    package.vendor(package.config().lock_mode(LockMode::Update)).unwrap();
    let names: Vec<String> = contents(&package.out()).into_keys().collect();
    assert_eq!(names, ["model.json", "models.lock", "sub/only.bin"]);
    package.host.put("/m/model.json", manifest(&["other.bin"], 4));
    package.host.put("/m/other.bin", "only");
    package.vendor(package.config().lock_mode(LockMode::Update)).unwrap();
    assert!(!package.out().join("sub").exists());
}

#[test]
fn a_path_may_change_between_file_and_directory() {
    let package = Package::new();
    let vendor = |path: &str, mode: LockMode| {
        package.host.put("/m/model.json", manifest(&[path], 4));
        package.host.put(&format!("/m/{path}"), "only");
        package.vendor(package.config().lock_mode(mode)).unwrap();
        let names: Vec<String> = contents(&package.out())
            .into_keys()
            .filter(|name| !name.starts_with("model"))
            .collect();
        assert_eq!(names, [path]);
    };
    vendor("w", LockMode::Auto);
    vendor("w/1.bin", LockMode::Update);
    vendor("w", LockMode::Update);
    vendor("W", LockMode::Update);
}

#[test]
fn locked_makes_no_pin_and_keeps_to_those_there_are() {
    let package = Package::new();
    let locked = |package: &Package| package.vendor(package.config().lock_mode(LockMode::Locked));
    let error = locked(&package).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert_eq!(package.host.connections(), 0);
    package.vendor(&package.config()).unwrap();
    fs::remove_dir_all(package.out()).unwrap();
    locked(&package).unwrap();
    assert_holds(&package.out(), &model());
    package.host.put("/m/metadata.json", "{}");
    let extra = package
        .vendor(package.config().lock_mode(LockMode::Locked).extra_file("metadata.json"))
        .unwrap_err();
    assert_eq!(extra.kind(), ErrorKind::Locked);
    assert!(extra.to_string().contains("not pinned: \"metadata.json\""), "{extra}");
    package.vendor(package.config().extra_file("metadata.json")).unwrap();
    assert_eq!(Lockfile::read(package.lockfile()).unwrap().models()[0].files().len(), 5);
}

#[test]
fn offline_keeps_restores_or_lists_all_that_is_missing() {
    let package = Package::new();
    let offline = |package: &Package| package.vendor(package.config().offline(true));
    let unpinned = offline(&package).unwrap_err();
    assert_eq!(unpinned.kind(), ErrorKind::Offline);
    assert_eq!(package.host.connections(), 0);

    package.vendor(&package.config()).unwrap();
    package.host.clear_log();
    assert_eq!(offline(&package).unwrap().report().kept, 4);
    fs::remove_file(package.out().join("group1-shard1of3.bin")).unwrap();
    fs::write(package.out().join("group1-shard3of3.bin"), "bad").unwrap();
    let missing = offline(&package).unwrap_err().to_string();
    assert!(
        missing.starts_with(&format!(
            "cannot vendor {} offline: 2 files are missing\n",
            package.url()
        )),
        "{missing}"
    );
    assert!(
        missing.contains(&sha256(b"01234567"))
            && missing.contains(&sha256(b"ghij"))
            && missing.contains("take offline(true) out of Config"),
        "{missing}"
    );

    package.vendor_by_hand();
    let vendored = offline(&package).unwrap();
    assert_eq!((vendored.report().kept, vendored.report().restored), (2, 2));
    assert_holds(&package.out(), &model());
    assert_eq!(package.host.requests().len(), 0);
}

#[test]
fn a_vendored_directory_is_used_before_the_network_and_only_under_a_pin() {
    let package = Package::new();
    package.vendor_by_hand();
    package.vendor(&package.config()).unwrap();
    assert_eq!(package.host.requests().len(), 4, "no pin, so the vendored files do not count");
    fs::remove_dir_all(package.out()).unwrap();
    assert_eq!(package.vendor(&package.config()).unwrap().report().restored, 4);
    assert_eq!(package.host.requests().len(), 4);
}

#[test]
fn the_lock_of_the_vendored_directory_pins_too_and_is_copied_into_the_package() {
    let package = Package::new();
    package.vendor(&package.config()).unwrap();
    package.vendor_by_hand();
    let vendored_lock = package.dir.path().join("vendor-models/models.lock");
    fs::rename(package.lockfile(), &vendored_lock).unwrap();
    fs::remove_dir_all(package.out()).unwrap();
    package.vendor(package.config().lock_mode(LockMode::Locked).offline(true)).unwrap();
    assert!(!package.lockfile().exists(), "locked writes no lock");
    package.vendor(package.config().offline(true)).unwrap();
    assert_eq!(fs::read(package.lockfile()).unwrap(), fs::read(&vendored_lock).unwrap());
}

#[test]
fn two_locks_that_disagree_are_named() {
    let package = Package::new();
    package.vendor(&package.config()).unwrap();
    package.vendor_by_hand();
    let vendored_lock = package.dir.path().join("vendor-models/models.lock");
    let text = fs::read_to_string(package.lockfile()).unwrap();
    fs::write(&vendored_lock, text.replace(&sha256(b"ghij"), &sha256(b"GHIJ"))).unwrap();
    let error = package.vendor(&package.config()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lock);
    for path in [package.lockfile().as_path(), &vendored_lock, Path::new("group1-shard3of3.bin")] {
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

#[test]
fn a_damaged_lock_is_an_error_and_is_left_alone() {
    let package = Package::new();
    for text in
        ["", "{", "<<<<<<< ours\n=======\n>>>>>>> theirs\n", "{\"version\": 7, \"models\": []}"]
    {
        fs::write(package.lockfile(), text).unwrap();
        let error = package.vendor(&package.config()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Lock, "{error}");
        assert_eq!(fs::read_to_string(package.lockfile()).unwrap(), text);
    }
    assert_eq!(package.host.connections(), 0);
}

#[test]
fn a_manifest_that_lists_more_than_the_lock_pins_is_refused() {
    let package = Package::new();
    package.vendor(&package.config()).unwrap();
    let mut lock: serde_json::Value =
        serde_json::from_slice(&fs::read(package.lockfile()).unwrap()).unwrap();
    lock["models"][0]["files"].as_array_mut().unwrap().pop();
    fs::write(package.lockfile(), lock.to_string()).unwrap();
    fs::remove_dir_all(package.out()).unwrap();
    let error = package.vendor(&package.config()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lock);
    assert!(error.to_string().contains("not pinned: \"group1-shard3of3.bin\""), "{error}");
}

#[test]
fn a_model_of_a_later_format_is_vendored_by_its_pins() {
    let package = Package::new();
    package.vendor(&package.config()).unwrap();
    package.host.put("/m/model.json", "not what this release can parse");
    let text = fs::read_to_string(package.lockfile()).unwrap();
    let text = text
        .replace("tfjs-graph-model", "onnx")
        .replace(&sha256(&model()["model.json"]), &sha256(b"not what this release can parse"));
    fs::write(
        package.lockfile(),
        text.replace(&format!("\"size\": {}", model()["model.json"].len()), "\"size\": 31"),
    )
    .unwrap();
    fs::remove_dir_all(package.out()).unwrap();
    assert_eq!(package.vendor(&package.config()).unwrap().report().fetched, 4);
    assert!(fs::read_to_string(package.lockfile()).unwrap().contains("\"onnx\""));
}

#[test]
fn a_file_below_the_lock_is_recorded_relative_to_it() {
    let package = Package::new();
    let dir = package.dir.path().join("models/digits");
    fs::create_dir_all(&dir).unwrap();
    model().iter().for_each(|(name, bytes)| fs::write(dir.join(name), bytes).unwrap());
    let url = file_url(&dir.join("model.json"));
    package.config().offline(true).vendor_model(&url, package.out()).unwrap();
    assert_eq!(
        Lockfile::read(package.lockfile()).unwrap().models()[0].url(),
        "./models/digits/model.json"
    );

    let elsewhere = TempDir::new().unwrap();
    model().iter().for_each(|(name, bytes)| fs::write(elsewhere.path().join(name), bytes).unwrap());
    let url = file_url(&elsewhere.path().join("model.json"));
    package.config().vendor_model(&url, package.dir.path().join("out2")).unwrap();
    assert_eq!(
        Lockfile::read(package.lockfile()).unwrap().models().len(),
        1,
        "what lies elsewhere is not the package's"
    );
}
