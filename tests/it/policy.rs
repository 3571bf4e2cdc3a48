//! The policy, cell by cell: what each mode makes of what is pinned and what is here, and what it leaves alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use model_host::Host;
use sha2::Digest;
use tempfile::TempDir;
use vendor_model::{Config, Error, ErrorKind, LockMode, Lockfile, Vendored};

use crate::child::Vendoring;
use crate::shared_folder::skip;
use crate::support::{
    Project, assert_holds, config, contents, file_url, host_of, manifest, model, times,
};

/// What becomes of the four files of a model, and what the host is asked for them.
///
/// They are pinned by the package lock, the vendored directory's lock or the record in `out_dir`, or not at all. They are
/// in the places named, one of them with other bytes where there is a `!`. `blobs` is a cache that no longer knows
/// what the addresses delivered. Where a host's own word is needed it says 304, where bytes are needed 200.
const TABLE: &str = "
pinned by | are in                     | auto              | locked            | offline           | locked, offline   | update
lock      | nowhere                    | 4x200             | 4x200             | 4 missing         | 4 missing         | 4x200
lock      | out_dir                    | 4 kept            | 4 kept            | 4 kept            | 4 kept            | 4x200
lock      | vendored                   | 4 restored        | 4 restored        | 4 restored        | 4 restored        | 4x200
lock      | cache                      | 4 cached          | 4 cached          | 4 cached          | 4 cached          | 4x304
lock      | blobs                      | 4 cached          | 4 cached          | 4 cached          | 4 cached          | 4x200
lock      | out_dir!                   | 3 kept, 1x200     | 3 kept, 1x200     | 1 missing         | 1 missing         | 4x200
lock      | vendored!                  | 3 restored, 1x200 | 3 restored, 1x200 | 1 missing         | 1 missing         | 4x200
lock      | cache!                     | 3 cached, 1x200   | 3 cached, 1x200   | 1 missing         | 1 missing         | 3x304, 1x200
lock      | out_dir! vendored          | 3 kept, 1 restored| 3 kept, 1 restored| 3 kept, 1 restored| 3 kept, 1 restored| 4x200
lock      | out_dir! cache             | 3 kept, 1 cached  | 3 kept, 1 cached  | 3 kept, 1 cached  | 3 kept, 1 cached  | 4x304
lock      | vendored! cache            | 3 restored, 1 cached | 3 restored, 1 cached | 3 restored, 1 cached | 3 restored, 1 cached | 4x304
lock      | out_dir! vendored! cache!  | 3 kept, 1x200     | 3 kept, 1x200     | 1 missing         | 1 missing         | 3x304, 1x200
vendored  | nowhere                    | 4x200             | 4x200             | 4 missing         | 4 missing         | 4x200
vendored  | out_dir                    | 4 kept            | 4 kept            | 4 kept            | 4 kept            | 4x200
vendored  | vendored                   | 4 restored        | 4 restored        | 4 restored        | 4 restored        | 4x200
vendored  | vendored!                  | 3 restored, 1x200 | 3 restored, 1x200 | 1 missing         | 1 missing         | 4x200
vendored  | cache                      | 4 cached          | 4 cached          | 4 cached          | 4 cached          | 4x304
record    | nowhere                    | 4x200             | 4x200             | 4 missing         | 4 missing         | 4x200
record    | out_dir                    | 4 kept            | 4 kept            | 4 kept            | 4 kept            | 4x200
record    | out_dir!                   | 3 kept, 1x200     | 3 kept, 1x200     | 1 missing         | 1 missing         | 4x200
record    | vendored                   | 4 restored        | 4 restored        | 4 restored        | 4 restored        | 4x200
record    | cache                      | 4 cached          | 4 cached          | 4 cached          | 4 cached          | 4x304
nothing   | nowhere                    | 4x200             | 1 not pinned      | 1 missing         | 1 not pinned      | 4x200
nothing   | out_dir                    | 4x200             | 1 not pinned      | 1 missing         | 1 not pinned      | 4x200
nothing   | vendored                   | 4x200             | 1 not pinned      | 1 missing         | 1 not pinned      | 4x200
nothing   | cache                      | 4x304             | 1 not pinned      | 1 missing         | 1 not pinned      | 4x304
nothing   | cache!                     | 3x304, 1x200      | 1 not pinned      | 1 missing         | 1 not pinned      | 3x304, 1x200
nothing   | blobs                      | 4x200             | 1 not pinned      | 1 missing         | 1 not pinned      | 4x200
";

pub const DAMAGED: &str = "group1-shard2of3.bin";

/// A host, what it pins to, and a cache that knows all of it: what the packages of the table have in common.
pub struct World {
    pub host: Host,
    pub lock: String,
    cache: TempDir,
}

/// A package in a directory of its own, before a run.
pub struct Package<'a> {
    world: &'a World,
    dir: TempDir,
    pinned_by: &'a str,
}

impl World {
    pub fn new() -> World {
        let host = host_of(&model()).start();
        let cache = TempDir::new().unwrap();
        let mut config = Config::new();
        config.cache_dir(cache.path());
        let pinned = config.pin(host.url("/m/model.json")).unwrap();
        let text = format!(
            "{{\"version\": 1, \"models\": [{}]}}",
            serde_json::to_string(&pinned).unwrap()
        );
        World { host, lock: Lockfile::parse(&text).unwrap().to_string(), cache }
    }

    pub fn package<'a>(&'a self, pinned_by: &'a str, places: &str) -> Package<'a> {
        let package = Package { world: self, dir: TempDir::new().unwrap(), pinned_by };
        let lock = match pinned_by {
            "lock" => Some(package.path("models.lock")),
            "vendored" => Some(package.path("vendor-models/models.lock")),
            "record" => Some(package.path("out/models.lock")),
            _ => None,
        };
        lock.iter().for_each(|lock| put(lock, self.lock.as_bytes()));
        for place in places.split(' ').filter(|place| *place != "nowhere") {
            package.fill(place.trim_end_matches('!'), place.ends_with('!'));
        }
        package.settle();
        package
    }
}

impl Package<'_> {
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn fill(&self, place: &str, damaged: bool) {
        let shelf = self.world.host.addr().to_string().replace(':', "_");
        let dir = match place {
            "out_dir" => {
                put(&self.path("out/models.lock"), self.world.lock.as_bytes());
                self.path("out")
            }
            "vendored" => self.path("vendor-models").join(shelf).join("m"),
            "cache" | "blobs" => return self.fill_cache(place == "cache", damaged),
            other => panic!("{other:?} is no place"),
        };
        let mut files = model();
        if damaged {
            files.insert(DAMAGED.to_owned(), b"76543210".to_vec());
        }
        files.iter().for_each(|(name, bytes)| put(&dir.join(name), bytes));
    }

    fn fill_cache(&self, knows_addresses: bool, damaged: bool) {
        for (name, bytes) in contents(self.world.cache.path()) {
            let wrong = damaged && bytes == model()[DAMAGED];
            if knows_addresses || !name.starts_with("urls/") {
                let bytes = if wrong { b"76543210" } else { &bytes[..] };
                put(&self.path("cache").join(name), bytes);
            }
        }
    }

    /// Gives all files one time, by which those that a run leaves alone can be told.
    fn settle(&self) {
        for name in contents(self.dir.path()).keys() {
            let file = fs::File::options().write(true).open(self.path(name)).unwrap();
            file.set_modified(long_ago()).unwrap();
        }
    }

    pub fn config(&self, mode: &str) -> Config {
        let mut config = Config::new();
        config.cache_dir(self.path("cache")).vendor_dir(self.path("vendor-models")).retries(0);
        config.offline(mode.contains("offline"));
        if self.pinned_by != "record" {
            config.lockfile(self.path("models.lock"));
        }
        match mode.split(',').next() {
            Some("locked") => config.lock_mode(LockMode::Locked),
            Some("update") => config.lock_mode(LockMode::Update),
            _ => &mut config,
        };
        config
    }

    pub fn run(&self, config: &Config) -> Result<Vendored, Error> {
        self.world.host.clear_log();
        config.vendor_model(self.world.host.url("/m/model.json"), self.path("out"))
    }
}

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn long_ago() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_100_000_000)
}

#[test]
fn the_table_cell_by_cell() {
    let world = World::new();
    let mut rows = TABLE.trim().lines().map(|row| row.split('|').map(str::trim));
    let modes: Vec<&str> = rows.next().unwrap().skip(2).collect();
    let mut wrong = Vec::new();
    for mut row in rows {
        let (pinned_by, places) = (row.next().unwrap(), row.next().unwrap());
        for (mode, expected) in modes.iter().zip(row) {
            let package = world.package(pinned_by, places);
            let before = Snapshot::of(&package);
            let connections = world.host.connections();
            let run = package.run(&package.config(mode));
            let asked = world.host.connections() - connections;
            let found = outcome(&world.host, &run);
            let cell = format!("pinned by {pinned_by}, in {places}, {mode}");
            if found != expected {
                wrong.push(format!("{cell}: {found}, not {expected}"));
                continue;
            }
            assert_eq!(asked > 0, found.contains("x"), "{cell}: connections");
            match run {
                Ok(_) => before.assert_done(&package, mode, &cell),
                Err(_) => before.assert_untouched(&package, &cell),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// In the words of the table. No address may be asked twice, but one that had other bytes than are pinned.
pub fn outcome(host: &Host, run: &Result<Vendored, Error>) -> String {
    let requests = host.requests();
    let paths: BTreeSet<&str> = requests.iter().map(|request| request.path.as_str()).collect();
    let text = run.as_ref().err().map(Error::to_string).unwrap_or_default();
    let wrong = text.matches("is not what models.lock pins").count();
    assert_eq!(paths.len() + wrong, requests.len(), "{requests:?}");
    let answered = |status: u16| requests.iter().filter(|request| request.status == status).count();
    let (confirmed, sent) = (answered(304), answered(200));
    assert_eq!(confirmed + sent, requests.len(), "{requests:?}");
    let (here, asked): (Vec<(usize, &str)>, _) = match run {
        Ok(vendored) => {
            let report = vendored.report();
            assert_eq!(report.fetched, sent);
            let cached = report.cached - confirmed;
            let here =
                [(report.kept, " kept"), (report.restored, " restored"), (cached, " cached")];
            (here.to_vec(), [(confirmed, "x304"), (sent, "x200")])
        }
        Err(error) => {
            let missing = text.matches("\n    url: ").count();
            let unpinned = text.lines().find_map(|line| line.strip_prefix("  not pinned: "));
            let unpinned = unpinned.map_or(0, |names| names.split(", ").count());
            let kind = match (unpinned, wrong) {
                (0, 0) => ErrorKind::Offline,
                (0, _) => ErrorKind::Digest,
                _ => ErrorKind::Locked,
            };
            assert_eq!(error.kind(), kind, "{text}");
            let refused = [(missing, " missing"), (unpinned, " not pinned"), (wrong, " wrong")];
            (refused.to_vec(), [(confirmed, "x304"), (sent, "x200")])
        }
    };
    let words = here.into_iter().chain(asked).filter(|(n, _)| *n > 0);
    words.map(|(n, what)| format!("{n}{what}")).collect::<Vec<_>>().join(", ")
}

/// What a package had before a run.
pub struct Snapshot {
    contents: BTreeMap<String, Vec<u8>>,
}

impl Snapshot {
    pub fn of(package: &Package) -> Snapshot {
        Snapshot { contents: contents(package.dir.path()) }
    }

    /// Nothing but the cache has changed, and of the cache no bytes that were right.
    #[track_caller]
    pub fn assert_untouched(&self, package: &Package, cell: &str) {
        let not_cache = |name: &&String| !name.starts_with("cache/");
        let now = contents(package.dir.path());
        let names = |files: &BTreeMap<String, Vec<u8>>| -> Vec<String> {
            files.keys().filter(not_cache).cloned().collect()
        };
        assert_eq!(names(&self.contents), names(&now), "{cell}");
        self.assert_same(package, names(&now), cell);
    }

    /// `out_dir` and the locks are as they should be, and what was right already is as it was, down to its time.
    #[track_caller]
    fn assert_done(&self, package: &Package, mode: &str, cell: &str) {
        assert_holds(&package.path("out"), &model());
        let lock = &package.world.lock;
        assert_eq!(fs::read_to_string(package.path("out/models.lock")).unwrap(), *lock, "{cell}");
        let package_lock = fs::read_to_string(package.path("models.lock")).ok();
        let pins = package.pinned_by == "lock"
            || package.pinned_by != "record" && !mode.starts_with("locked");
        assert_eq!(package_lock.as_ref(), pins.then_some(lock), "{cell}");
        let right = |name: &&String| {
            let damaged = name.starts_with("out/") && self.contents[*name] == b"76543210";
            !name.starts_with("cache/") && !damaged
        };
        self.assert_same(package, self.contents.keys().filter(right).cloned().collect(), cell);
    }

    #[track_caller]
    fn assert_same(&self, package: &Package, names: Vec<String>, cell: &str) {
        let (now, times) = (contents(package.dir.path()), times(package.dir.path()));
        for name in names {
            assert!(now.get(&name) == self.contents.get(&name), "{cell}: {name} has other bytes");
            assert_eq!(times[&name], long_ago(), "{cell}: {name} was written");
        }
    }
}

#[test]
fn an_extra_file_that_is_not_pinned_yet_is_added_or_refused() {
    let world = World::new();
    world.host.put("/m/vocab.json", "[]");
    let cells = [
        ("auto", "4 kept, 1x200"),
        ("locked", "1 not pinned"),
        ("offline", "1 missing"),
        ("locked, offline", "1 not pinned"),
        ("update", "5x200"),
    ];
    for (mode, expected) in cells {
        let package = world.package("lock", "out_dir");
        let before = Snapshot::of(&package);
        let run = package.run(package.config(mode).extra_file("vocab.json"));
        assert_eq!(outcome(&world.host, &run), expected, "{mode}");
        match run {
            Err(_) => before.assert_untouched(&package, mode),
            Ok(_) => {
                let lock = Lockfile::read(package.path("models.lock")).unwrap();
                let mut paths = lock.models()[0].files().iter().map(|file| file.path());
                assert_eq!(paths.next_back(), Some("vocab.json"), "{mode}");
                let again = package.run(package.config("locked, offline").extra_file("vocab.json"));
                assert_eq!(outcome(&world.host, &again), "5 kept", "{mode}");
            }
        }
    }
}

#[test]
fn bytes_that_nothing_pins_are_used_only_if_their_host_says_so() {
    let world = World::new();
    let package = world.package("nothing", "out_dir vendored cache");
    world.host.put(&format!("/m/{DAMAGED}"), "HOST NOW");
    let run = package.run(&package.config("auto"));
    assert_eq!(outcome(&world.host, &run), "3x304, 1x200");
    assert_eq!(fs::read(package.path("out").join(DAMAGED)).unwrap(), b"HOST NOW");

    let package = world.package("nothing", "out_dir vendored cache");
    let (config, url) = (package.config("auto"), world.host.url("/m/model.json"));
    let (dir, World { host, .. }) = (package.dir, world);
    drop(host);
    let gone = config.vendor_model(url, dir.path().join("out")).unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::Http, "{gone}");
    assert!(!dir.path().join("models.lock").exists());
}

#[test]
fn an_update_that_cannot_be_one_asks_nobody() {
    let world = World::new();
    let package = world.package("lock", "out_dir");
    let before = Snapshot::of(&package);
    let error = package.run(&package.config("update, offline")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("cannot update pins without the network"), "{error}");
    before.assert_untouched(&package, "update, offline");
    let out = package.path("out");
    let vendoring = || Vendoring::of(&world.host.url("/m/model.json"), &out);
    let update = || vendoring().with("VENDOR_MODEL_LOCK", "update");
    for (name, value, expected) in [
        ("VENDOR_MODEL_OFFLINE", "1", "cannot update pins without the network"),
        ("CARGO_NET_OFFLINE", "true", "cannot update pins without the network"),
        ("VENDOR_MODEL_SKIP", "1", "cannot update pins and skip downloads"),
        ("DOCS_RS", "1", "cannot update pins and skip downloads"),
    ] {
        let said = update().with(name, value).start().fails();
        assert!(said.contains(expected), "{said}");
    }
    before.assert_untouched(&package, "by the environment");
    assert_eq!(world.host.requests().len(), 0);
}

#[test]
fn what_git_makes_of_line_ends_is_the_same_lock() {
    let world = World::new();
    for (pinned_by, lock) in [("lock", "models.lock"), ("vendored", "vendor-models/models.lock")] {
        let package = world.package(pinned_by, "vendored");
        let text = format!("\u{feff}{}", world.lock.replace('\n', "\r\n"));
        put(&package.path(lock), text.as_bytes());
        let run = package.run(&package.config("auto"));
        assert_eq!(outcome(&world.host, &run), "4 restored", "{pinned_by}");
        assert_eq!(fs::read_to_string(package.path(lock)).unwrap(), text, "{pinned_by}");
    }
}

#[test]
fn locks_of_two_branches_merge_and_a_conflict_is_named() {
    let dir = TempDir::new().unwrap();
    let urls = ["https://a.example/m.json", "https://b.example/m.json", "https://c.example/m.json"];
    let lock = |urls: &[&str], digit: &str| {
        let models: Vec<String> = urls.iter().map(|url| entry(url, digit)).collect();
        Lockfile::parse(&format!(r#"{{"version": 1, "models": [{}]}}"#, models.join(","))).unwrap()
    };
    let merged = |ours: &Lockfile, base: &Lockfile, theirs: &Lockfile| {
        let name = |name: &str| dir.path().join(name);
        for (at, lock) in [("ours", ours), ("base", base), ("theirs", theirs)] {
            fs::write(name(at), lock.to_string()).unwrap();
        }
        let mut git = Command::new("git");
        git.args(["merge-file", "-p"]).args(["ours", "base", "theirs"].map(name)).output().ok()
    };
    let base = lock(&urls[1..2], "0");
    let Some(clean) = merged(&lock(&urls[..2], "0"), &base, &lock(&urls[1..], "0")) else {
        skip("git is not there, so no merge can be tried");
        return;
    };
    let text = String::from_utf8(clean.stdout).unwrap();
    assert!(clean.status.success(), "{text}");
    assert_eq!(text, lock(&urls, "0").to_string());

    let conflict = merged(&lock(&urls[1..2], "1"), &base, &lock(&urls[1..2], "2")).unwrap();
    let path = dir.path().join("models.lock");
    fs::write(&path, conflict.stdout).unwrap();
    let error = config().lockfile(&path).vendor_model(urls[1], dir.path().join("out")).unwrap_err();
    let expected = format!(
        "cannot read the lockfile {}\n  found: it has the marks of a merge conflict\n  \
         help: resolve the conflict; the entries are independent of each other",
        path.display()
    );
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Lock, expected));
}

fn entry(url: &str, digit: &str) -> String {
    let digest = digit.repeat(64);
    format!(
        r#"{{"url": "{url}", "format": "tfjs-weights", "files": [{{"path": "m.json", "size": 1, "sha256": "{digest}"}}]}}"#
    )
}

/// A package that has its model in its own tree, and pins it as `./path`.
fn with_a_model_of_its_own(dir: &Path) -> Config {
    model().iter().for_each(|(name, bytes)| put(&dir.join("models").join(name), bytes));
    let mut config = config();
    config.lockfile(dir.join("models.lock"));
    config
}

#[test]
fn a_model_below_the_package_is_pinned_wherever_the_package_is() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let vendor = |dir: &Path, config: &mut Config| {
        let url = file_url(&dir.join("models/model.json"));
        config.offline(true).vendor_model(url, dir.join("out"))
    };
    vendor(here.path(), &mut with_a_model_of_its_own(here.path())).unwrap();
    let lock = fs::read(here.path().join("models.lock")).unwrap();
    assert_eq!(
        Lockfile::read(here.path().join("models.lock")).unwrap().models()[0].url(),
        "./models/model.json"
    );

    let mut moved = with_a_model_of_its_own(there.path());
    fs::write(there.path().join("models.lock"), &lock).unwrap();
    let vendored = vendor(there.path(), moved.lock_mode(LockMode::Locked)).unwrap();
    assert_eq!(vendored.url(), "./models/model.json");
    assert_holds(&there.path().join("out"), &model());

    let roundabout = there.path().join("models/../models.lock");
    vendor(there.path(), moved.lockfile(roundabout)).unwrap();

    let shard = there.path().join("models").join(DAMAGED);
    fs::write(&shard, "76543210").unwrap();
    fs::remove_dir_all(there.path().join("out")).unwrap();
    let error = vendor(there.path(), &mut moved).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Digest);
    assert!(error.to_string().contains(&format!("from: {}", shard.display())), "{error}");
    assert_eq!(fs::read(there.path().join("models.lock")).unwrap(), lock);
}

#[test]
fn an_update_says_what_changed_a_line_for_each_file_and_leaves_the_vendored_directory_aside() {
    let host = host_of(&model()).start();
    let project = Project::embedding(&host.url("/m/model.json"));
    project.build().succeeded();
    let shelf = format!("vendor-models/{}/m", host.addr().to_string().replace(':', "_"));
    model().iter().for_each(|(name, bytes)| put(&project.path(&shelf).join(name), bytes));
    let lock = fs::read_to_string(project.path("models.lock")).unwrap();
    project.write("vendor-models/models.lock", &lock);

    let paths = ["group1-shard1of3.bin", "group1-shard2of3.bin", "group2.bin"];
    host.put("/m/model.json", manifest(&paths, 20));
    host.put(&format!("/m/{DAMAGED}"), "HOST NOW");
    host.put("/m/group2.bin", "ghij");
    let updated = project.cargo("build", &[("VENDOR_MODEL_LOCK", "update")]).succeeded();
    let warnings: Vec<&str> = updated.stderr.lines().filter_map(of_a_model).collect();
    let pinned = |lock: &Lockfile, name: &str| {
        let file = lock.models()[0].files().iter().find(|file| file.path() == name).unwrap();
        (file.sha256(), file.size())
    };
    let old = Lockfile::parse(&lock).unwrap();
    let new = Lockfile::read(project.path("models.lock")).unwrap();
    let moved = |name: &str| {
        let ((before, m), (after, n)) = (pinned(&old, name), pinned(&new, name));
        format!("{name:?} moved from sha256 {before} ({m} bytes) to {after} ({n} bytes)")
    };
    let (added, size) = pinned(&new, "group2.bin");
    let expected = [
        "the vendored directory was left aside and has what was pinned before; \
         to bring it along: cargo vendor-model vendor"
            .to_owned(),
        moved("model.json"),
        moved(DAMAGED),
        "\"group1-shard3of3.bin\" is gone".to_owned(),
        format!("\"group2.bin\" is new: sha256 {added} ({size} bytes)"),
    ];
    assert_eq!(warnings, expected, "{}", updated.stderr);
    assert_eq!(contents(&project.path(&shelf)), model());

    let refused = project.build().failed();
    let (lock, other) = (project.path("models.lock"), project.path("vendor-models/models.lock"));
    for text in [lock.to_str().unwrap(), other.to_str().unwrap(), "cargo vendor-model vendor"] {
        assert!(refused.stderr.contains(text), "{}", refused.stderr);
    }
    config().vendor_to(&new, project.path("vendor-models")).unwrap();
    let vendored = project.build().succeeded();
    assert!(!vendored.stderr.lines().any(|line| of_a_model(line).is_some()), "{}", vendored.stderr);
}

/// What cargo passes on of a warning about a model.
fn of_a_model(line: &str) -> Option<&str> {
    let (_, warning) = line.strip_prefix("warning: ")?.split_once("/m/model.json: ")?;
    Some(warning)
}

#[test]
fn a_build_script_may_not_ask_for_an_update() {
    let host = host_of(&model()).start();
    let build = "vendor_model::Config::new().lock_mode(vendor_model::LockMode::Update).vendor_model(\"{url}\", out)?;";
    let build = build.replace("{url}", &host.url("/m/model.json"));
    let refused = Project::new(&build, "fn main() {}").build().failed();
    let expected =
        "Error: build.rs asks for LockMode::Update, which would undo every pin at every build";
    assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    assert_eq!(host.connections(), 0);
}

#[test]
fn a_mismatch_shows_both_digests_and_sizes_the_address_and_the_command() {
    let host = host_of(&model()).start();
    let project = Project::embedding(&host.url("/m/model.json"));
    project.build().succeeded();
    project.clean();
    let page = "<html>Moved to https://elsewhere.example/</html>";
    host.put(&format!("/m/{DAMAGED}"), page);
    host.put("/m/group1-shard3of3.bin", "GHIJ");
    let refused = project.build().failed();
    let expected = [
        "Error: \"group1-shard2of3.bin\" is not what models.lock pins",
        &format!("  from: {}", host.url("/m/group1-shard2of3.bin")),
        &format!("  expected: sha256 {}, 8 bytes", sha256(b"89abcdef")),
        &format!("  found: sha256 {}, {} bytes", sha256(page.as_bytes()), page.len()),
        "  it is: an HTML page",
        "  also different: \"group1-shard3of3.bin\"",
        &format!(
            "  help: if the change upstream is meant, accept it: VENDOR_MODEL_LOCK=update cargo build -p {}",
            project.name()
        ),
    ];
    // As cargo shows it, set in by two.
    assert!(refused.stderr.contains(&expected.join("\n  ")), "{}", refused.stderr);
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(sha2::Sha256::digest(bytes))
}

#[test]
fn an_update_moves_no_pins_of_the_crates_that_are_depended_on() {
    let world = World::new();
    let package = world.package("lock", "nowhere");
    let sources = package.path("registry/theirs-1.0.0");
    for name in ["Cargo.toml", "Cargo.toml.orig", ".cargo-ok"] {
        put(&sources.join(name), b"# THIS FILE IS AUTOMATICALLY GENERATED BY CARGO\n");
    }
    put(&sources.join("models.lock"), world.lock.as_bytes());
    let before = (contents(&sources), times(&sources));
    let update = || {
        Vendoring::of(&world.host.url("/m/model.json"), &package.path("target/out/model"))
            .with("OUT_DIR", package.path("target/out"))
            .with("CARGO_MANIFEST_DIR", &sources)
            .with("VENDOR_MODEL_LOCK", "update")
    };
    update().with("CARGO_NET_OFFLINE", "false").start().succeeds();
    assert_holds(&package.path("target/out/model"), &model());
    update().with("CARGO_NET_OFFLINE", "true").start().succeeds();

    world.host.put(&format!("/m/{DAMAGED}"), "HOST NOW");
    fs::remove_dir_all(package.path("target")).unwrap();
    let said = update().start().fails();
    assert!(said.contains("is not what models.lock pins"), "{said}");
    assert_eq!((contents(&sources), times(&sources)), before);
}

#[cfg(target_os = "linux")]
#[test]
fn where_no_lock_can_be_written_what_was_recorded_is_a_pin_in_every_mode() {
    let world = World::new();
    for mode in ["auto", "locked", "offline", "locked, offline"] {
        let package = world.package("record", "out_dir");
        let mut config = package.config(mode);
        // Nobody can create files there.
        config.lockfile("/sys/models.lock");
        assert_eq!(outcome(&world.host, &package.run(&config)), "4 kept", "{mode}");
    }
}
