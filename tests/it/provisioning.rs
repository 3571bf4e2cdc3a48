//! What the command line asks of the library: pins, a filled cache, a vendored directory, and the cache itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use model_host::Host;
use tempfile::TempDir;
use vendor_model::{Config, ErrorKind, LockedModel, Lockfile};

use crate::support::{config, contents, host_of, manifest, model};

struct Depot {
    host: Host,
    dir: TempDir,
}

impl Depot {
    fn new() -> Depot {
        Depot { host: host_of(&model()).start(), dir: TempDir::new().unwrap() }
    }

    fn config(&self) -> Config {
        let mut config = Config::new();
        config.cache_dir(self.dir.path().join("cache"));
        config
    }

    fn url(&self) -> String {
        self.host.url("/m/model.json")
    }

    fn pin(&self) -> LockedModel {
        self.config().pin(self.url()).unwrap()
    }

    fn vendor_models(&self) -> PathBuf {
        self.dir.path().join("vendor-models")
    }

    /// Where the vendored directory keeps the model.
    fn shelf(&self) -> PathBuf {
        self.vendor_models().join(self.host.addr().to_string().replace(':', "_")).join("m")
    }
}

fn lock(models: &[&LockedModel]) -> Lockfile {
    let text: Vec<String> =
        models.iter().map(|model| serde_json::to_string(model).unwrap()).collect();
    Lockfile::parse(&format!(r#"{{"version": 1, "models": [{}]}}"#, text.join(","))).unwrap()
}

#[test]
fn a_pin_is_what_a_build_would_write() {
    let depot = Depot::new();
    let pinned = depot.pin();
    let out = depot.dir.path().join("out");
    depot.config().vendor_model(depot.url(), &out).unwrap();
    let record = Lockfile::read(out.join("models.lock")).unwrap();
    assert_eq!(record.models(), [pinned]);
    depot.host.put("/m/group1-shard3of3.bin", "GHIJ");
    let moved = depot.pin();
    assert_ne!(record.models()[0], moved, "what is upstream now counts");
}

#[test]
fn nothing_is_pinned_that_a_build_would_refuse() {
    let depot = Depot::new();
    depot.host.put("/m/group1-shard3of3.bin", "shr");
    assert_eq!(depot.config().pin(depot.url()).unwrap_err().kind(), ErrorKind::Manifest);
    let file = crate::support::file_url(&depot.dir.path().join("model.json"));
    assert_eq!(depot.config().pin(file).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn a_filled_cache_is_enough_to_build_offline() {
    let depot = Depot::new();
    let lockfile = lock(&[&config().pin(depot.url()).unwrap()]);
    let report = depot.config().fetch_to_cache(&lockfile).unwrap();
    assert_eq!((report.fetched, report.cached), (4, 0));
    let again = depot.config().fetch_to_cache(&lockfile).unwrap();
    assert_eq!((again.fetched, again.cached), (0, 4));
    let pins = depot.dir.path().join("models.lock");
    fs::write(&pins, lockfile.to_string()).unwrap();
    let mut offline = depot.config();
    offline.offline(true).lockfile(pins);
    offline.vendor_model(depot.url(), depot.dir.path().join("out")).unwrap();
    let error = config().fetch_to_cache(&lockfile).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[test]
fn a_vendored_directory_has_plain_names_and_a_lock_of_its_own() {
    let depot = Depot::new();
    let lockfile = lock(&[&depot.pin()]);
    let report = depot.config().vendor_to(&lockfile, depot.vendor_models()).unwrap();
    assert_eq!(report.cached, 4);
    assert_eq!(contents(&depot.shelf()), model());
    assert_eq!(Lockfile::read(depot.vendor_models().join("models.lock")).unwrap(), lockfile);
    let again = depot.config().vendor_to(&lockfile, depot.vendor_models()).unwrap();
    assert_eq!((again.kept, again.cached, again.fetched), (4, 0, 0));
    let mut offline = config();
    offline.offline(true).vendor_dir(depot.vendor_models());
    let out = depot.dir.path().join("out");
    assert_eq!(offline.vendor_model(depot.url(), out).unwrap().report().restored, 4);
}

#[test]
fn what_a_vendored_directory_no_longer_needs_goes_and_what_is_not_ours_stays() {
    let depot = Depot::new();
    depot.config().vendor_to(&lock(&[&depot.pin()]), depot.vendor_models()).unwrap();
    fs::write(depot.shelf().join("README"), "by hand").unwrap();
    depot.host.put("/m/model.json", manifest(&["group1-shard1of3.bin"], 8));
    depot.config().vendor_to(&lock(&[&depot.pin()]), depot.vendor_models()).unwrap();
    let names: Vec<String> = contents(&depot.shelf()).into_keys().collect();
    assert_eq!(names, ["README", "group1-shard1of3.bin", "model.json"]);
}

#[test]
fn models_may_share_a_vendored_file_but_not_its_name() {
    let depot = Depot::new();
    depot.host.put("/m/other.json", model()["model.json"].clone());
    let other = depot.config().pin(depot.host.url("/m/other.json")).unwrap();
    depot.config().vendor_to(&lock(&[&depot.pin(), &other]), depot.vendor_models()).unwrap();
    let mut expected: BTreeMap<String, Vec<u8>> = model();
    expected.insert("other.json".to_owned(), model()["model.json"].clone());
    assert_eq!(contents(&depot.shelf()), expected);
    let query = depot.config().pin(depot.host.url("/m/model.json?v=2")).unwrap();
    let both = lock(&[&depot.pin(), &query]);
    let error = depot.config().vendor_to(&both, depot.vendor_models()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Path);
    let text = error.to_string();
    assert!(text.contains("?v=2") && text.contains(&depot.url()), "{text}");
    assert_eq!(contents(&depot.shelf()), expected, "what was there is left alone");
}

#[test]
fn the_cache_tells_what_it_has_and_gives_up_what_is_damaged_or_old() {
    let depot = Depot::new();
    let pinned = depot.pin();
    let cache = depot.config().cache().unwrap().unwrap();
    let mut pins: Vec<(String, u64)> =
        pinned.files().iter().map(|file| (file.sha256(), file.size())).collect();
    pins.sort();
    let list = || -> Vec<(String, u64)> {
        cache.list().unwrap().into_iter().map(|file| (file.sha256, file.size)).collect()
    };
    assert_eq!(list(), pins);
    assert!(cache.verify().unwrap().is_empty());
    let (damaged, _) = &pins[0];
    fs::write(cache.dir().join("sha256").join(&damaged[..2]).join(&damaged[2..]), "?").unwrap();
    let dropped = cache.verify().unwrap();
    assert_eq!(dropped.iter().map(|file| &file.sha256).collect::<Vec<_>>(), [damaged]);
    assert_eq!(list(), pins[1..]);
    assert!(cache.gc(Duration::from_secs(3600)).unwrap().is_empty());
    assert_eq!(cache.gc(Duration::ZERO).unwrap().len(), 3);
    assert!(list().is_empty());
    assert!(config().cache().unwrap().is_none());
}

#[test]
fn a_lockfile_is_edited_in_turn_and_written_only_if_it_changed() {
    let depot = Depot::new();
    let path = depot.dir.path().join("models.lock");
    let pinned = depot.pin();
    let after = Lockfile::edit(&path, |lockfile| lockfile.insert(pinned.clone())).unwrap();
    assert_eq!(after.models(), std::slice::from_ref(&pinned));
    assert_eq!(Lockfile::read(&path).unwrap(), after);
    fs::write(&path, format!("{after}\r\n")).unwrap();
    Lockfile::edit(&path, |lockfile| lockfile.insert(pinned.clone())).unwrap();
    assert!(fs::read_to_string(&path).unwrap().ends_with("\r\n"), "nothing changed");
    Lockfile::edit(&path, |lockfile| drop(lockfile.remove(pinned.url()))).unwrap();
    assert!(Lockfile::read(&path).unwrap().models().is_empty());
    fs::write(&path, "no lock").unwrap();
    let error = Lockfile::edit(&path, |_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lock);
}

#[test]
fn the_groups_of_a_model_say_where_each_weight_lies_strings_included() {
    let strings = [b"\x03\0\0\0abc".as_slice(), b"\0\0\0\0", b"\x01\0\0\0x"].concat();
    let manifest = r#"{"weightsManifest": [
        {"paths": ["a.bin", "b.bin"], "weights": [
            {"name": "s", "shape": [2], "dtype": "string"},
            {"name": "t", "shape": [], "dtype": "string"},
            {"name": "n", "shape": [3], "dtype": "float32", "quantization": {"dtype": "uint8"}}]},
        {"paths": ["b.bin"], "weights": [{"name": "m", "shape": [2, 5], "dtype": "bool"}]}]}"#;
    let host = Host::builder()
        .file("/m/model.json", manifest)
        .file("/m/a.bin", strings[..9].to_vec())
        .file("/m/b.bin", [&strings[9..], b"\x01\x02\x03"].concat())
        .start();
    let dir = TempDir::new().unwrap();
    let vendored = config().vendor_model(host.url("/m/model.json"), dir.path());
    let groups = vendored.unwrap().groups().unwrap();
    let weights = |at: usize| {
        let tensors = groups[at].tensors.iter();
        tensors.map(|tensor| (&*tensor.name, tensor.offset, tensor.length)).collect::<Vec<_>>()
    };
    assert_eq!(groups[0].shards, ["a.bin", "b.bin"]);
    assert_eq!(weights(0), [("s", 0, 11), ("t", 11, 5), ("n", 16, 3)]);
    assert_eq!(groups[1].shards, ["b.bin"]);
    assert_eq!(weights(1), [("m", 0, 10)]);
}
