//! Builds that need no model: nobody is asked, and what is missing is left empty until a real build.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use model_host::Host;
use tempfile::TempDir;
use vendor_model::{Config, Lockfile, Vendored};

use crate::child::Vendoring;
use crate::support::{Project, assert_holds, config, contents, host_of, model, times};

const SWITCHES: [&str; 2] = ["VENDOR_MODEL_SKIP", "DOCS_RS"];

/// A host, and a package that has pins for its model.
struct Package {
    host: Host,
    dir: TempDir,
}

impl Package {
    fn new() -> Package {
        let package = Package { host: host_of(&model()).start(), dir: TempDir::new().unwrap() };
        let text = serde_json::to_string(&config().pin(package.url()).unwrap()).unwrap();
        let lock = Lockfile::parse(&format!("{{\"version\": 1, \"models\": [{text}]}}")).unwrap();
        fs::write(package.path("models.lock"), lock.to_string()).unwrap();
        package.host.clear_log();
        package
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn url(&self) -> String {
        self.host.url("/m/model.json")
    }

    fn vendoring(&self) -> Vendoring {
        let vendoring = Vendoring::of(&self.url(), &self.path("out"));
        vendoring.lock(&self.path("models.lock")).cache(&self.path("cache"))
    }

    #[track_caller]
    fn skip(&self) {
        self.vendoring().with("VENDOR_MODEL_SKIP", "1").start().succeeds();
    }
}

/// All files of the model but those named, which are empty.
fn with_gaps(gaps: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let mut files = model();
    gaps.iter().for_each(|name| drop(files.insert((*name).to_owned(), Vec::new())));
    files
}

fn all_empty() -> BTreeMap<String, Vec<u8>> {
    model().into_keys().map(|name| (name, Vec::new())).collect()
}

#[test]
fn who_skips_asks_nobody_and_gets_an_empty_file_for_each_that_is_pinned() {
    for switch in SWITCHES {
        let package = Package::new();
        let connections = package.host.connections();
        let locked = package.vendoring().with("VENDOR_MODEL_LOCK", "locked");
        locked.with(switch, "1").start().succeeds();
        assert_eq!(contents(&package.path("out")), all_empty(), "{switch}: and no record");
        assert_eq!(package.host.connections(), connections, "{switch}");

        // The real build replaces them all.
        package.vendoring().start().succeeds();
        assert_holds(&package.path("out"), &model());
    }
}

#[test]
fn without_a_pin_only_the_name_of_the_entry_is_known_and_none_is_made() {
    let package = Package::new();
    fs::remove_file(package.path("models.lock")).unwrap();
    let Package { host, dir } = package;
    let (url, out) = (host.url("/m/model.json"), dir.path().join("out"));
    drop(host);
    let lock = dir.path().join("models.lock");
    let skipping = || Vendoring::of(&url, &out).lock(&lock).with("VENDOR_MODEL_SKIP", "1");
    for mode in ["auto", "locked"] {
        skipping().with("VENDOR_MODEL_LOCK", mode).start().succeeds();
        assert_eq!(contents(&out), [("model.json".to_owned(), Vec::new())].into(), "{mode}");
    }
    assert!(!lock.exists());
    let said = Vendoring::of(&url, &out).lock(&lock).start().fails();
    assert!(
        said.contains("cannot bring \"model.json\""),
        "what is empty is not taken for it: {said}"
    );
}

#[test]
fn what_is_right_is_kept_and_what_other_places_have_is_used() {
    let package = Package::new();
    let kept = "group1-shard1of3.bin";
    fs::create_dir(package.path("out")).unwrap();
    fs::write(package.path("out").join(kept), &model()[kept]).unwrap();
    let before = times(&package.path("out"));
    let shelf = package.host.addr().to_string().replace(':', "_");
    let shelf = package.path("vendored").join(shelf).join("m");
    fs::create_dir_all(&shelf).unwrap();
    fs::write(shelf.join("group1-shard2of3.bin"), "89abcdef").unwrap();
    // Only the manifest gets into the cache.
    Config::new().cache_dir(package.path("cache")).pin(package.url()).unwrap();
    for name in ["group1-shard1of3.bin", "group1-shard2of3.bin", "group1-shard3of3.bin"] {
        let lock = Lockfile::read(package.path("models.lock")).unwrap();
        let file = lock.models()[0].files().iter().find(|file| file.path() == name).unwrap();
        let (folder, rest) = (&file.sha256()[..2], &file.sha256()[2..]);
        fs::remove_file(package.path("cache/sha256").join(folder).join(rest)).unwrap();
    }
    package.host.clear_log();
    let vendored = package.path("vendored");
    package
        .vendoring()
        .with("VENDOR_MODEL_DIR", &vendored)
        .with("VENDOR_MODEL_SKIP", "1")
        .start()
        .succeeds();
    assert_eq!(contents(&package.path("out")), with_gaps(&["group1-shard3of3.bin"]));
    assert_eq!(times(&package.path("out"))[kept], before[kept]);
    assert!(package.host.requests().is_empty());
    let no_record = Vendored::open(package.path("out"), package.url()).unwrap_err();
    assert_eq!(no_record.kind(), vendor_model::ErrorKind::Lock);

    // With the last of them nothing is missing, and what is there is the model.
    fs::write(shelf.join("group1-shard3of3.bin"), "ghij").unwrap();
    package
        .vendoring()
        .with("VENDOR_MODEL_DIR", &vendored)
        .with("VENDOR_MODEL_SKIP", "1")
        .start()
        .succeeds();
    assert_holds(&package.path("out"), &model());
}

#[test]
fn what_an_earlier_run_recorded_is_kept_also_where_its_lock_went() {
    let package = Package::new();
    package.vendoring().start().succeeds();
    fs::remove_file(package.path("models.lock")).unwrap();
    fs::remove_dir_all(package.path("cache")).unwrap();
    let before = times(&package.path("out"));
    package.host.clear_log();
    package.skip();
    assert_holds(&package.path("out"), &model());
    assert_eq!(times(&package.path("out")), before);
    assert!(package.host.requests().is_empty());
}

#[test]
fn a_crate_that_was_published_without_pins_gets_placeholders_on_docs_rs() {
    let package = Package::new();
    let sources = package.path("registry/app-1.0.0");
    fs::create_dir_all(&sources).unwrap();
    for name in ["Cargo.toml", "Cargo.toml.orig", ".cargo-ok"] {
        let text = "# THIS FILE IS AUTOMATICALLY GENERATED BY CARGO\n";
        fs::write(sources.join(name), text).unwrap();
    }
    let before = (contents(&sources), times(&sources));
    let build_script = || {
        Vendoring::of(&package.url(), &package.path("target/out/model"))
            .with("OUT_DIR", package.path("target/out"))
            .with("CARGO_MANIFEST_DIR", &sources)
    };
    let said = build_script().start().fails();
    assert!(said.contains("this crate was published without models.lock"), "{said}");
    build_script().with("DOCS_RS", "1").start().succeeds();
    let placeholder = [("model/model.json".to_owned(), Vec::new())];
    assert_eq!(contents(&package.path("target/out")), placeholder.into());
    assert_eq!((contents(&sources), times(&sources)), before);
    assert!(package.host.requests().is_empty());
}

/// Verifies in the build script, and tells the program what came of it.
const BUILD: &str = r#"let model = vendor_model::vendor_model("{url}", out.join("model"))?;
    model.write_module(out.join("model.rs"))?;
    let verdict = model.verify().map_or_else(|error| error.to_string(), |()| "right".to_owned());
    println!("cargo:rustc-env=VERDICT={}", verdict.lines().next().unwrap());"#;

const MAIN: &str = r#"/// The model.
pub mod model {
    include!(concat!(env!("OUT_DIR"), "/model.rs"));
}

#[cfg(feature = "shipped")]
const _: () = assert!(!model::PLACEHOLDER, "not without its model");

fn main() {
    let sizes: Vec<String> = model::FILES.iter().map(|file| file.bytes.len().to_string()).collect();
    let manifest = model::get(model::ENTRY).map_or(0, |file| file.bytes.len());
    println!("{} {} {manifest} {}", model::PLACEHOLDER, sizes.join(" "), env!("VERDICT"));
}
"#;

#[test]
fn a_crate_checks_documents_and_runs_with_placeholders_and_its_next_build_is_real() {
    let host = host_of(&model()).start();
    let url = host.url("/m/model.json");
    let project = Project::new(&BUILD.replace("{url}", &url), MAIN);
    let manifest = fs::read_to_string(project.path("Cargo.toml")).unwrap();
    project.write("Cargo.toml", &format!("{manifest}\n[features]\nshipped = []\n"));
    let skip = [("VENDOR_MODEL_SKIP", "1")];
    let checked = project.cargo("check", &skip).succeeded();
    let warning = "empty placeholders stand for its files, because the network was not to be used";
    assert!(checked.stderr.contains(warning), "{}", checked.stderr);
    project.cargo("doc --no-deps", &[("DOCS_RS", "1")]).succeeded();
    let refused = project.cargo("check --features shipped", &skip).failed();
    assert!(refused.stderr.contains("not without its model"), "{}", refused.stderr);
    let empty = project.cargo("run", &skip).succeeded().stdout;
    assert_eq!(empty, "true 0 0 empty placeholders stand for files of the model\n");
    assert!(!project.cargo("run", &skip).succeeded().ran_script());
    assert!(!project.path("models.lock").exists() && host.connections() == 0);

    let shipped = |variables| project.cargo("run --features shipped", variables).succeeded();
    let size = model()["model.json"].len();
    let real = format!("false {size} 8 8 4 {size} right\n");
    assert_eq!(shipped(&[]).stdout, real);
    assert_eq!(host.requests().len(), 4);
    assert_holds(&project.out_dir().join("model"), &model());
    assert!(!shipped(&[]).ran_script());
    assert_eq!(shipped(&skip).stdout, real, "what is here is used");
    assert_eq!(host.requests().len(), 4);
}
