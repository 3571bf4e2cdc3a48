//! Many at once: processes and threads, on one cache, in one `out_dir`, at one lock.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use model_host::Host;
use tempfile::TempDir;
use vendor_model::{Config, Lockfile};

#[cfg(target_os = "linux")]
use crate::child::preload;
use crate::child::{Running, Vendoring};
use crate::support::{Project, assert_holds, contents, host_of, manifest, model};

type Files = BTreeMap<String, Vec<u8>>;

const SIZE: usize = 8;

/// One cache, and a place for each process of a crowd.
struct Place {
    host: Host,
    dir: TempDir,
}

impl Place {
    fn new(host: Host) -> Place {
        Place { host, dir: TempDir::new().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn url(&self) -> String {
        self.host.url("/m/model.json")
    }

    fn vendoring(&self, out: &str) -> Vendoring {
        Vendoring::of(&self.url(), &self.at(out)).cache(&self.at("cache"))
    }

    /// Pins the model for everybody, without a trace in the cache and the log.
    fn pin(&self) {
        let pins = Config::new().no_cache().pin(self.url()).unwrap();
        let text = serde_json::json!({"version": 1, "models": [pins]}).to_string();
        fs::write(self.at("models.lock"), text).unwrap();
        self.host.clear_log();
    }

    #[track_caller]
    fn sent_each_body_once(&self, files: &Files) {
        for (name, bytes) in files {
            assert_eq!(
                self.host.bytes_sent_of(&format!("/m/{name}")),
                bytes.len() as u64,
                "{name}"
            );
        }
    }
}

/// The names of as many places for outputs, which are one if they share it.
fn outs(shared: bool) -> Vec<String> {
    (0..SIZE).map(|n| if shared { "out".to_owned() } else { format!("{n}/out") }).collect()
}

/// What a crowd may have in common: `out_dir`, and pins.
const KINDS: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

#[test]
fn of_a_crowd_on_a_cold_cache_one_downloads_and_the_others_are_told_who() {
    for (shared, is_pinned) in KINDS {
        let place = Place::new(host_of(&model()).start());
        if is_pinned {
            place.pin();
        }
        let gate = place.host.gate("/m/model.json", 5);
        let start = |out: &String| {
            let process = place.vendoring(out);
            let process = if is_pinned { process.lock(&place.at("models.lock")) } else { process };
            process.start()
        };
        let outs = outs(shared);
        let first = start(&outs[0]);
        gate.reached();
        let others: Vec<Running> = outs[1..].iter().map(start).collect();
        let holder = format!("Waiting for process {}, which ", first.id());
        let told = |mut other: Running| {
            other.hear(&holder);
            other
        };
        let others: Vec<Running> = others.into_iter().map(told).collect();
        gate.open();
        first.succeeds();
        others.into_iter().for_each(|other| drop(other.succeeds()));
        outs.iter().for_each(|out| assert_holds(&place.at(out), &model()));
        place.sent_each_body_once(&model());
        let kept = contents(&place.at("cache")).into_keys();
        let stray: Vec<String> = kept.filter(|name| name.starts_with("partial")).collect();
        assert!(stray.is_empty(), "{stray:?} is left");
    }
}

#[test]
fn a_stampede_on_a_cold_cache_has_each_body_sent_once() {
    for (shared, is_pinned) in KINDS {
        let place = Place::new(host_of(&model()).start());
        if is_pinned {
            place.pin();
        }
        let start = |out: &String| match is_pinned {
            true => place.vendoring(out).lock(&place.at("models.lock")).start(),
            false => place.vendoring(out).start(),
        };
        let outs = outs(shared);
        let crowd: Vec<Running> = outs.iter().map(start).collect();
        crowd.into_iter().for_each(|process| drop(process.succeeds()));
        outs.iter().for_each(|out| assert_holds(&place.at(out), &model()));
        place.sent_each_body_once(&model());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn where_locks_do_nothing_each_of_a_crowd_succeeds_with_the_right_bytes() {
    let Some(library) = preload::compiled("nolocks.c") else { return };
    for (shared, is_pinned) in KINDS {
        let place = Place::new(host_of(&model()).start());
        if is_pinned {
            place.pin();
        }
        let gate = place.host.gate("/m/model.json", 5);
        let start = |out: &String| {
            let process = place.vendoring(out).preload(&library);
            let process = if is_pinned { process.lock(&place.at("models.lock")) } else { process };
            process.start()
        };
        let outs = outs(shared);
        let crowd: Vec<Running> = outs.iter().map(start).collect();
        gate.reached_by(SIZE);
        gate.open();
        crowd.into_iter().for_each(|process| drop(process.succeeds()));
        outs.iter().for_each(|out| assert_holds(&place.at(out), &model()));
    }
}

/// A model that has no name in common with those of other numbers.
fn numbered(n: usize) -> Files {
    let shards = [format!("{n}-1.bin"), format!("shards/{n}-2.bin")];
    let mut files: Files =
        shards.iter().map(|name| (name.clone(), format!("{n}{name}").into_bytes())).collect();
    let bytes = files.values().map(Vec::len).sum();
    let paths: Vec<&str> = shards.iter().map(String::as_str).collect();
    files.insert(format!("model-{n}.json"), manifest(&paths, bytes).into());
    files
}

/// A host of as many models, all below `/m/`.
fn many() -> (Host, Files) {
    let files: Files = (0..SIZE).flat_map(numbered).collect();
    (host_of(&files).start(), files)
}

fn recorded(lockfile: &Path) -> Vec<String> {
    let lockfile = Lockfile::read(lockfile).unwrap();
    lockfile.models().iter().map(|model| model.url().to_owned()).collect()
}

#[test]
fn different_models_come_into_one_directory_at_once() {
    let (host, files) = many();
    let place = Place::new(host);
    let urls: Vec<String> =
        (0..SIZE).map(|n| place.host.url(&format!("/m/model-{n}.json"))).collect();
    let start =
        |url: &String| Vendoring::of(url, &place.at("out")).cache(&place.at("cache")).start();
    let crowd: Vec<Running> = urls.iter().map(start).collect();
    crowd.into_iter().for_each(|process| drop(process.succeeds()));
    assert_holds(&place.at("out"), &files);
    assert_eq!(recorded(&place.at("out/models.lock")), urls);
    place.sent_each_body_once(&files);
}

#[cfg(target_os = "linux")]
#[test]
fn different_models_come_into_one_directory_at_once_where_locks_do_nothing() {
    let Some(library) = preload::compiled("nolocks.c") else { return };
    let (host, files) = many();
    let place = Place::new(host);
    let gates = (0..SIZE).map(|n| place.host.gate(&format!("/m/{n}-1.bin"), 0));
    let gates: Vec<_> = gates.collect();
    let start = |n: usize| {
        let url = place.host.url(&format!("/m/model-{n}.json"));
        Vendoring::of(&url, &place.at("out")).cache(&place.at("cache")).preload(&library).start()
    };
    let crowd: Vec<Running> = (0..SIZE).map(start).collect();
    gates.iter().for_each(|gate| gate.reached());
    drop(gates);
    crowd.into_iter().for_each(|process| drop(process.succeeds()));
    assert_holds(&place.at("out"), &files);
}

#[test]
fn of_two_that_dispute_a_file_one_wins_and_the_other_names_both() {
    let place = Place::new(host_of(&model()).start());
    place.host.put("/n/other.json", manifest(&["group1-shard1of3.bin"], 8));
    place.host.put("/n/group1-shard1of3.bin", "OTHER...");
    let other = place.host.url("/n/other.json");
    let gate = place.host.gate("/m/model.json", 5);
    let first = place.vendoring("out").start();
    gate.reached();
    let mut second = Vendoring::of(&other, &place.at("out")).start();
    second.hear(&format!("Waiting for process {}, which vendors into", first.id()));
    gate.open();
    first.succeeds();
    let said = second.fails();
    for named in [&place.url(), &other, "\"group1-shard1of3.bin\""] {
        assert!(said.contains(named), "{said}");
    }
    assert_holds(&place.at("out"), &model());
}

#[test]
fn a_lock_that_many_write_at_once_has_what_all_of_them_pin() {
    let (host, _) = many();
    let place = Place::new(host);
    fs::create_dir(place.at("package")).unwrap();
    let lock = place.at("package/models.lock");
    let urls: Vec<String> =
        (0..SIZE).map(|n| place.host.url(&format!("/m/model-{n}.json"))).collect();
    let start = |(n, url): (usize, &String)| {
        let process = Vendoring::of(url, &place.at(&format!("{n}/out"))).lock(&lock);
        process.cache(&place.at("cache")).start()
    };
    let crowd: Vec<Running> = urls.iter().enumerate().map(start).collect();
    crowd.into_iter().for_each(|process| drop(process.succeeds()));
    assert_eq!(recorded(&lock), urls);
    assert_eq!(contents(&place.at("package")).len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn where_the_one_that_downloads_is_killed_the_next_goes_on_from_there() {
    let Some(library) = preload::compiled("kill.c") else { return };
    let shard: Vec<u8> =
        (0..1_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let manifest = manifest(&["a.bin"], shard.len()).into_bytes();
    let files: Files = [("a.bin".to_owned(), shard), ("model.json".to_owned(), manifest)].into();
    for (shared, is_pinned) in KINDS {
        let place = Place::new(host_of(&files).start());
        if is_pinned {
            place.pin();
        }
        let start = |out: &str, bytes: &str| {
            let process = place.vendoring(out);
            let process = if is_pinned { process.lock(&place.at("models.lock")) } else { process };
            process
                .preload(&library)
                .with("KILL_LOG", place.at("log"))
                .with("KILL_BYTES", bytes)
                .start()
        };
        let gate = place.host.gate("/m/a.bin", 200_000);
        let outs = outs(shared);
        let first = start(&outs[0], "2000000");
        gate.reached();
        let holder = format!("Waiting for process {}, which ", first.id());
        let others = outs[1..4].iter().map(|out| {
            let mut other = start(out, "0");
            other.hear(&holder);
            other
        });
        let others: Vec<Running> = others.collect();
        gate.open();
        first.fails();
        others.into_iter().for_each(|other| drop(other.succeeds()));
        outs[1..4].iter().for_each(|out| assert_holds(&place.at(out), &files));
        let asked = place.host.requests_for("/m/a.bin");
        let bodies: Vec<_> = asked.iter().filter(|request| request.status != 304).collect();
        let [whole, rest] = bodies[..] else { panic!("{asked:?}") };
        assert_eq!((whole.status, rest.status), (200, 206));
        let from = rest.header("range").unwrap().strip_prefix("bytes=").unwrap();
        let from: u64 = from.strip_suffix('-').unwrap().parse().unwrap();
        // Lost are what came last, and what was not written down yet.
        assert!((1_750_000..=2_000_000).contains(&from), "{from}");
    }
}

#[test]
fn a_directory_that_went_with_a_failed_run_is_made_and_shared_by_those_that_waited() {
    let (host, files) = many();
    let place = Place::new(host);
    place.host.put("/m/bad.json", manifest(&["gone.bin"], 1));
    let start = |name: &str| {
        let url = place.host.url(&format!("/m/{name}.json"));
        Vendoring::of(&url, &place.at("out")).cache(&place.at("cache")).start()
    };
    let (bad, good) = (place.host.gate("/m/bad.json", 5), place.host.gate("/m/model-0.json", 5));
    let first = start("bad");
    bad.reached();
    let mut second = start("model-0");
    second.hear(&format!("Waiting for process {}, which vendors into", first.id()));
    bad.open();
    first.fails();
    good.reached();
    let mut third = start("model-1");
    third.hear(&format!("Waiting for process {}, which vendors into", second.id()));
    good.open();
    second.succeeds();
    third.succeeds();
    let expected: Files = [numbered(0), numbered(1)].into_iter().flatten().collect();
    assert!(expected.iter().all(|(name, bytes)| files[name] == *bytes));
    assert_holds(&place.at("out"), &expected);
    assert_eq!(recorded(&place.at("out/models.lock")).len(), 2);
}

#[test]
fn threads_share_a_directory_a_cache_and_a_lock() {
    let (host, files) = many();
    let place = Place::new(host);
    let mut config = Config::new();
    config.cache_dir(place.at("cache")).lockfile(place.at("models.lock"));
    thread::scope(|scope| {
        for n in (0..SIZE).chain(0..SIZE) {
            let url = place.host.url(&format!("/m/model-{n}.json"));
            let (config, out) = (config.clone(), place.at("out"));
            scope.spawn(move || config.vendor_model(url, out).unwrap());
        }
    });
    assert_holds(&place.at("out"), &files);
    for lock in ["models.lock", "out/models.lock"] {
        assert_eq!(recorded(&place.at(lock)).len(), SIZE, "{lock}");
    }
    place.sent_each_body_once(&files);
}

#[test]
fn a_lock_may_lie_beside_the_files_that_it_pins() {
    let place = Place::new(host_of(&model()).start());
    place.vendoring("out").lock(&place.at("out/pins.lock")).start().succeeds();
    let mut expected = model();
    expected.insert("pins.lock".to_owned(), fs::read(place.at("out/models.lock")).unwrap());
    assert_holds(&place.at("out"), &expected);
}

#[test]
fn two_builds_of_cargo_share_what_one_of_them_downloads() {
    let place = Place::new(host_of(&model()).start());
    let cargo = |package: &Project, target: &str| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(target);
        let mut cargo = package.program(
            env!("CARGO"),
            &[
                ("CARGO_TARGET_DIR", target.to_str().unwrap()),
                ("VENDOR_MODEL_CACHE", place.at("cache").to_str().unwrap()),
                ("VENDOR_MODEL_PROGRESS", "plain"),
                ("CARGO_HTTP_TIMEOUT", "300"),
            ],
        );
        Running::start(cargo.args(["build", "-vv", "--offline"]))
    };
    let targets = ["projects", "more-projects"];
    // No download outlives the time that it takes to compile the library.
    let bystander = Project::new("", "fn main() {}");
    for build in targets.map(|target| cargo(&bystander, target)) {
        build.succeeds();
    }
    let packages = targets.map(|_| Project::embedding(&place.url()));
    let mut builds = packages.iter().zip(targets).map(|(package, target)| cargo(package, target));
    let gate = place.host.gate("/m/model.json", 5);
    let one = builds.next().unwrap();
    gate.reached();
    let mut other = builds.next().unwrap();
    other.hear("Waiting for process ");
    gate.open();
    one.succeeds();
    other.succeeds();
    for package in &packages {
        assert_holds(&package.out_dir().join("model"), &model());
        assert_eq!(recorded(&package.path("models.lock")), [place.url()]);
    }
    place.sent_each_body_once(&model());
}
