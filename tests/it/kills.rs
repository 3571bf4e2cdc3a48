//! Killed at any moment: nothing wrong has a final name, and the next run makes everything right.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use model_host::{Gate, Host};
use tempfile::TempDir;
use vendor_model::{Config, LockedModel, Lockfile};

use crate::child::{Vendoring, preload};
use crate::support::{assert_holds, contents, host_of, manifest};

type Files = BTreeMap<String, Vec<u8>>;

const PHASES: [&str; 4] = ["fetching", "verifying", "publishing", "locking"];
const HOWS: [&str; 3] = ["before", "middle", "after"];

/// Numbers that are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// A model whose weights are strings, which only reading them tells to be whole. Two seeds give two models that have
/// the first three shards in common.
fn version(shards: &[&str], seed: u64) -> Files {
    let length = |at: usize| if at == 4 { 700_000 } else { 40_000 };
    let total: usize = (0..shards.len()).map(length).sum();
    let (mut bytes, mut strings) = (Vec::new(), 0);
    while bytes.len() < total {
        let mut numbers = Numbers(if bytes.len() < 120_000 { 1 } else { seed } + strings * 1000);
        let string = (total - bytes.len() - 4).min(600 + numbers.below(600) as usize);
        let string =
            if total - bytes.len() - 4 - string < 4 { total - bytes.len() - 4 } else { string };
        bytes.extend_from_slice(&(string as u32).to_le_bytes());
        bytes.extend((0..string).map(|_| numbers.below(256) as u8));
        strings += 1;
    }
    let manifest = serde_json::json!({
        "format": "layers-model",
        "weightsManifest": [{
            "paths": shards,
            "weights": [{"name": "words", "shape": [strings], "dtype": "string"}],
        }],
    });
    let mut files: Files = [("model.json".to_owned(), manifest.to_string().into())].into();
    for (at, shard) in shards.iter().enumerate() {
        let rest = bytes.split_off(length(at));
        files.insert((*shard).to_owned(), std::mem::replace(&mut bytes, rest));
    }
    files
}

fn new() -> Files {
    let shards: Vec<String> = (1..=10).map(|n| format!("w/{n}.bin")).collect();
    version(&shards.iter().map(String::as_str).collect::<Vec<_>>(), 3)
}

/// Two of its shards have no namesake in the new one.
fn old() -> Files {
    let mut shards: Vec<String> = (1..=10).map(|n| format!("w/{n}.bin")).collect();
    shards.extend(["gone/11.bin".to_owned(), "gone/12.bin".to_owned()]);
    version(&shards.iter().map(String::as_str).collect::<Vec<_>>(), 7)
}

/// What is there before the run that is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scene {
    /// Nothing.
    Cold,
    /// What an earlier run left that was killed.
    Begun,
    /// An older version, and pins of the new one, as after `git pull`.
    Pulled,
    /// An older version and its pins, which this run moves.
    Moved,
    /// The same without a package lock, and without a cache.
    Alone,
}

/// A scene, to be set again for each kill.
struct Stage {
    scene: Scene,
    host: Host,
    /// `out`, `package` and what else is there before each run.
    before: TempDir,
    old: (Files, LockedModel),
    new: (Files, LockedModel),
    library: PathBuf,
}

impl Stage {
    fn new(scene: Scene, library: &Path) -> Stage {
        let (old, new) = (old(), new());
        let (host, before) = (host_of(&old).start(), TempDir::new().unwrap());
        let at = |name: &str| before.path().join(name);
        let url = host.url("/m/model.json");
        let lock = at("package/models.lock");
        let mut config = Config::new();
        config.cache_dir(at("cache"));
        fs::create_dir(at("package")).unwrap();
        let old_pins = config.pin(&url).unwrap();
        if !matches!(scene, Scene::Cold | Scene::Begun) {
            if scene != Scene::Alone {
                config.lockfile(&lock);
            }
            config.vendor_model(&url, at("out")).unwrap();
        }
        new.iter().for_each(|(name, bytes)| host.put(&format!("/m/{name}"), bytes.clone()));
        let new_pins = config.pin(&url).unwrap();
        if scene == Scene::Pulled {
            let pins = serde_json::json!({"version": 1, "models": [new_pins]});
            fs::write(&lock, serde_json::to_string_pretty(&pins).unwrap() + "\n").unwrap();
        }
        fs::remove_dir_all(at("cache")).unwrap();
        if scene == Scene::Begun {
            let child = Vendoring::of(&url, &at("out")).cache(&at("cache")).preload(library);
            child.with("KILL_BYTES", "600000").start().fails();
        }
        let (old, new) = ((old, old_pins), (new, new_pins));
        Stage { scene, host, before, old, new, library: library.to_owned() }
    }

    fn url(&self) -> String {
        self.host.url("/m/model.json")
    }

    /// Runs once from what was there before, and says what the library noted.
    fn run(&self, variables: &[(&str, String)]) -> Aftermath<'_> {
        let dir = TempDir::new().unwrap();
        copy(self.before.path(), dir.path());
        let at = |name: &str| dir.path().join(name);
        let mut child = Vendoring::of(&self.url(), &at("out"));
        if self.scene != Scene::Alone {
            child = child.cache(&at("cache")).lock(&at("package/models.lock"));
        }
        if matches!(self.scene, Scene::Moved | Scene::Alone) {
            child = child.with("VENDOR_MODEL_LOCK", "update");
        }
        child = child.preload(&self.library).with("KILL_LOG", at("log"));
        let child = variables.iter().fold(child, |child, (name, value)| child.with(name, value));
        let (ok, said) = child.start().end();
        let noted = fs::read_to_string(at("log")).unwrap_or_default();
        assert!(ok != noted.starts_with("killed"), "{noted}\n{said}");
        Aftermath { stage: self, dir, noted }
    }

    /// How many calls of each phase a whole run makes.
    fn counts(&self) -> Vec<u64> {
        let whole = self.run(&[]);
        whole.is_repaired();
        let count = |line: &str| line.split_once(' ').unwrap().1.parse().unwrap();
        whole.noted.lines().take(PHASES.len()).map(count).collect()
    }
}

/// What a run left.
struct Aftermath<'a> {
    stage: &'a Stage,
    dir: TempDir,
    noted: String,
}

impl Aftermath<'_> {
    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What a lockfile pins of the model.
    fn pinned(&self, name: &str) -> Option<LockedModel> {
        let path = self.at(name);
        let lockfile = path.exists().then(|| Lockfile::read(path).unwrap())?;
        lockfile.model(&self.stage.url()).cloned()
    }

    /// No file is neither old nor new, and the record speaks of no other.
    fn is_harmless(&self) {
        let Stage { old: (old, old_pins), new: (new, new_pins), .. } = self.stage;
        let found = contents(&self.at("out"));
        let named = found
            .iter()
            .filter(|(name, _)| *name != "models.lock" && !name.starts_with(".vendor-model-"));
        for (name, bytes) in named {
            let right = [old, new].iter().any(|files| files.get(name) == Some(bytes));
            assert!(right, "{name} is neither old nor new: {}", self.noted);
        }
        let holds =
            |files: &Files| files.iter().all(|(name, bytes)| found.get(name) == Some(bytes));
        match self.pinned("out/models.lock") {
            None => {}
            Some(pins) if pins == *old_pins => {
                assert!(holds(old), "the record is ahead: {}", self.noted)
            }
            Some(pins) => {
                assert!(pins == *new_pins && holds(new), "the record is ahead: {}", self.noted)
            }
        }
        if self.stage.scene == Scene::Moved
            && self.pinned("package/models.lock").as_ref() == Some(old_pins)
        {
            assert!(holds(old), "what the lock pins is lost: {}", self.noted);
        }
    }

    /// The next run finds all it needs, or brings it, and leaves nothing else.
    fn is_repaired(&self) {
        let Stage { old, new, scene, .. } = self.stage;
        let lock = if *scene == Scene::Alone { "out/models.lock" } else { "package/models.lock" };
        let (files, pins) = if self.pinned(lock).as_ref() == Some(&old.1) { old } else { new };
        let mut config = Config::new();
        match scene {
            Scene::Alone => config.no_cache(),
            _ => config.cache_dir(self.at("cache")).lockfile(self.at(lock)),
        };
        let run = config.vendor_model(self.stage.url(), self.at("out"));
        run.unwrap_or_else(|error| panic!("{}{error}", self.noted));
        assert_holds(&self.at("out"), files);
        assert_eq!(self.pinned(lock).as_ref(), Some(pins), "{}", self.noted);
        assert_eq!(directories(&self.at("out")), directories_of(files), "{}", self.noted);
        if *scene != Scene::Alone {
            let names: Vec<String> = contents(&self.at("package")).into_keys().collect();
            assert_eq!(names, ["models.lock"], "{}", self.noted);
        }
    }
}

/// The directories in `dir`, which may be empty.
fn directories(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let dirs = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    dirs.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn directories_of(files: &Files) -> BTreeSet<String> {
    files.keys().filter_map(|name| name.split_once('/')).map(|(dir, _)| dir.to_owned()).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// Kills as many runs in each phase, and says how many that were.
fn kill(stage: &Stage, wanted: [usize; 4]) -> [usize; 4] {
    let counts = stage.counts();
    let mut numbers = Numbers(42);
    let mut kills = [0; 4];
    for (phase, name) in PHASES.iter().enumerate() {
        // A run in which threads met in another way may be over before the call comes.
        for _ in 0..2 * wanted[phase] {
            if kills[phase] == wanted[phase] {
                break;
            }
            let (call, how) = (numbers.below(counts[phase]), HOWS[numbers.below(3) as usize]);
            let aftermath = stage.run(&[
                ("KILL_PHASE", (*name).to_owned()),
                ("KILL_CALL", call.to_string()),
                ("KILL_HOW", how.to_owned()),
            ]);
            kills[phase] += usize::from(aftermath.noted.starts_with(&format!("killed {name}")));
            aftermath.is_harmless();
            aftermath.is_repaired();
        }
    }
    println!("{:?}: {counts:?} calls, {kills:?} kills", stage.scene);
    kills
}

#[test]
fn after_two_hundred_kills_everything_is_right_or_made_right() {
    let Some(library) = preload::compiled("kill.c") else { return };
    let plan = [
        (Scene::Cold, [15, 10, 15, 15]),
        (Scene::Begun, [10, 0, 0, 0]),
        (Scene::Pulled, [10, 10, 25, 0]),
        (Scene::Moved, [10, 10, 20, 15]),
        (Scene::Alone, [5, 5, 25, 0]),
    ];
    let kills = thread::scope(|scope| {
        let library = &library;
        let kill = |(scene, wanted)| scope.spawn(move || kill(&Stage::new(scene, library), wanted));
        plan.map(kill).map(|kills| kills.join().unwrap())
    });
    let of_phase = |phase: usize| kills.iter().map(|kills| kills[phase]).sum::<usize>();
    let kills: Vec<usize> = (0..PHASES.len()).map(of_phase).collect();
    assert!(
        kills.iter().all(|kills| *kills >= 20) && kills.iter().sum::<usize>() == 200,
        "{kills:?}"
    );
}

/// Kills ten runs over one download, and says how many bytes it took in all for each byte of the model.
fn cost_of_ten_kills(library: &Path, is_pinned: bool) -> f64 {
    let files = large();
    let total = files.values().map(Vec::len).sum::<usize>() as u64;
    // Each run gets an eleventh, no byte of which is on its way when it dies: there all connections are held.
    let share = total / 11 / CONNECTIONS;
    let (host, dir) = (host_of(&files).start(), TempDir::new().unwrap());
    let at = |name: &str| dir.path().join(name);
    let url = host.url("/m/model.json");
    if is_pinned {
        let pins = Config::new().no_cache().pin(&url).unwrap();
        let text = serde_json::json!({"version": 1, "models": [pins]}).to_string();
        fs::write(at("models.lock"), text).unwrap();
        host.clear_log();
    }
    let run = || Vendoring::of(&url, &at("out")).cache(&at("cache")).lock(&at("models.lock"));
    let shards = files.keys().filter(|name| name.ends_with(".bin"));
    let gates: Vec<Gate> = shards.map(|name| host.gate(&format!("/m/{name}"), share)).collect();
    let mut sent = 0;
    for _ in 0..10 {
        let child = run().preload(library).with("KILL_LOG", at("log"));
        let (ok, said) = child.with("KILL_BYTES", (share * CONNECTIONS).to_string()).start().end();
        assert!(!ok && fs::read_to_string(at("log")).unwrap().starts_with("killed"), "{said}");
        fs::remove_file(at("log")).unwrap();
        sent += host.bytes_sent();
        host.clear_log();
    }
    drop(gates);
    run().start().succeeds();
    assert_holds(&at("out"), &files);
    (sent + host.bytes_sent()) as f64 / total as f64
}

/// How many a run has by default.
const CONNECTIONS: u64 = 6;

/// A model of 20 MB in twice as many shards as there are connections, so that none is idle.
fn large() -> Files {
    let shards: Vec<String> = (1..=2 * CONNECTIONS).map(|n| format!("{n}.bin")).collect();
    let (length, mut numbers) = (20_000_000 / shards.len(), Numbers(5));
    let names: Vec<&str> = shards.iter().map(String::as_str).collect();
    let manifest = manifest(&names, names.len() * length).into_bytes();
    let mut files: Files = [("model.json".to_owned(), manifest)].into();
    for shard in shards {
        files.insert(shard, (0..length).map(|_| numbers.below(256) as u8).collect());
    }
    files
}

#[test]
fn ten_kills_cost_less_than_half_the_model() {
    let Some(library) = preload::compiled("kill.c") else { return };
    thread::scope(|scope| {
        let library = &library;
        let cost = |is_pinned| scope.spawn(move || cost_of_ten_kills(library, is_pinned));
        let costs = [true, false].map(cost).map(|cost| cost.join().unwrap());
        println!("{costs:.2?} bytes for each of the model, pinned and not");
        assert!(costs.iter().all(|cost| *cost < 1.5), "{costs:?}");
    });
}
