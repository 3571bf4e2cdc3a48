//! The example app has what it needs to be built offline: its lock and its vendored copy are those of one model.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use model_host::Host;
use serde_json::Value;
use tempfile::TempDir;
use vendor_model::{LockMode, Lockfile};

use crate::client;
use crate::shared_folder::skip;
use crate::support::{Project, Ran, config, contents, vendor_model};

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

/// A copy of the app, without what was built or installed in it.
fn copy_of_the_app() -> TempDir {
    let dir = TempDir::new().unwrap();
    copy(&example_app(), dir.path());
    let library = env!("CARGO_MANIFEST_DIR").replace('\\', "/");
    let manifest = fs::read_to_string(dir.path().join("Cargo.toml")).unwrap();
    let here = manifest.replace("path = \"..\"", &format!("path = {library:?}"));
    assert_ne!(here, manifest);
    fs::write(dir.path().join("Cargo.toml"), here).unwrap();
    dir
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_name() == "target" || entry.file_name() == "node_modules" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Where cargo and rustup keep what was fetched, when `HOME` is another.
fn homes() -> [(&'static str, PathBuf); 2] {
    let home = std::env::home_dir().unwrap();
    [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")].map(|(name, folder)| {
        (name, std::env::var_os(name).map_or_else(|| home.join(folder), PathBuf::from))
    })
}

#[test]
fn it_builds_from_its_vendored_copy_on_a_machine_without_a_network_and_with_an_empty_home() {
    let isolated = Command::new("unshare").args(["-rn", "true"]).output();
    if !isolated.is_ok_and(|tried| tried.status.success()) {
        skip("the app is not built without a network: `unshare -rn` does not work here");
        return;
    }
    let (app, home) = (copy_of_the_app(), TempDir::new().unwrap());
    let fetched = Command::new(env!("CARGO"))
        .args(["fetch", "--locked", "--offline"])
        .current_dir(app.path())
        .output()
        .unwrap();
    if !fetched.status.success() {
        skip("the app is not built without a network: run `cargo fetch` in example-app first");
        return;
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("example-app");
    let cargo = |command: &[&str]| {
        let mut unshare = Project::program_in(app.path(), "unshare", &[]);
        // Not even the loopback interface is up there.
        unshare.args(["-rn", env!("CARGO")]).args(command);
        unshare.env("CARGO_TARGET_DIR", &target).envs(homes()).env_remove("VENDOR_MODEL_CACHE");
        unshare.env("HOME", home.path()).env("XDG_CACHE_HOME", home.path());
        Ran::from(unshare.output().unwrap()).succeeded()
    };
    cargo(&["clean", "-p", "example-app"]);
    let lock = fs::read(app.path().join("models.lock")).unwrap();
    let built = cargo(&["build", "-v", "--locked", "--offline"]);
    assert!(built.ran_script(), "{}", built.stderr);
    assert!(fs::metadata(target.join("debug/example-app")).is_ok());
    assert!(fs::read(app.path().join("models.lock")).unwrap() == lock);

    let vendored = contents(&app.path().join("vendor-models/models.example/digits"));
    let outputs = contents(&target.join("debug/build"));
    for (name, bytes) in vendored {
        let found = outputs.iter().find(|(path, _)| path.ends_with(&format!("/out/model/{name}")));
        assert!(found.is_some_and(|(_, found)| *found == bytes), "{name}");
    }
    assert!(contents(home.path()).is_empty(), "{:?}", contents(home.path()).keys());
}

#[test]
fn the_answers_that_the_native_run_is_held_against_are_those_of_tensorflow_js() {
    let Some(scripts) = client::scripts() else { return };
    let committed = fs::read_to_string(example_app().join("native/tests/answers.jsonl")).unwrap();
    let answered = client::node(&scripts, "answers.mjs", &Value::Null);
    let lines = |text: &str| -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (committed, answered) = (lines(&committed), lines(&answered));
    assert_eq!(committed.len(), answered.len());
    for (committed, answered) in committed.iter().zip(answered) {
        assert_eq!(committed["shades"], answered["shades"]);
        let probabilities = |of: &Value| -> Vec<f64> {
            let numbers = of["probabilities"].as_array().unwrap().iter();
            numbers.map(|number| number.as_f64().unwrap()).collect()
        };
        let pairs = probabilities(committed).into_iter().zip(probabilities(&answered));
        assert!(pairs.into_iter().all(|(one, other)| (one - other).abs() < 1e-6), "{committed}");
    }
}
