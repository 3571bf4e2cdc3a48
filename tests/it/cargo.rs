//! A real `cargo build` of a package whose build script vendors.

use std::fs;
use std::time::{Duration, SystemTime};

use model_host::Host;
use vendor_model::Lockfile;

use crate::support::{
    EMBEDDING_MAIN, Project, assert_holds, contents, for_target, host_of, model, vendoring,
};

fn hosted() -> (Host, Project) {
    let host = host_of(&model()).start();
    let project = Project::embedding(&host.url("/m/model.json"));
    (host, project)
}

#[test]
fn the_first_build_vendors_pins_and_embeds() {
    let (host, project) = hosted();
    let run = project.cargo("run", &[]).succeeded();
    let manifest = model()["model.json"].len();
    let expected = format!(
        "model.json {manifest}\ngroup1-shard1of3.bin 8\ngroup1-shard2of3.bin 8\ngroup1-shard3of3.bin 4\n"
    );
    assert_eq!(run.stdout, expected);
    assert_eq!(host.requests().len(), 4);
    assert_holds(&project.out_dir().join("model"), &model());
    let lock = Lockfile::read(project.path("models.lock")).unwrap();
    assert_eq!(lock.models()[0].url(), host.url("/m/model.json"));
}

#[test]
fn a_second_build_runs_no_script_and_asks_nothing() {
    let (host, project) = hosted();
    project.build().succeeded();
    host.clear_log();
    let again = project.build().succeeded();
    assert!(!again.ran_script(), "{}", again.stderr);
    assert!(again.stderr.contains(&format!("Fresh {} ", project.name())), "{}", again.stderr);
    assert!(host.requests().is_empty());
}

#[test]
fn every_deleted_or_damaged_output_heals_with_one_download_at_most() {
    let (host, project) = hosted();
    project.build().succeeded();
    let out = project.out_dir();
    let shard = "model/group1-shard2of3.bin";
    for (name, requests) in
        [(shard, 1), ("model/model.json", 1), ("model/models.lock", 0), ("model.rs", 0)]
    {
        for damage in [true, false] {
            match damage {
                true => fs::write(out.join(name), "damaged").unwrap(),
                false => fs::remove_file(out.join(name)).unwrap(),
            }
            host.clear_log();
            project.build().succeeded();
            assert_eq!(host.requests().len(), requests, "{name}");
            assert_holds(&out.join("model"), &model());
            assert!(!project.build().succeeded().ran_script(), "{name}");
        }
    }
}

#[test]
fn outputs_and_the_new_lock_are_older_than_the_script() {
    let (_host, project) = hosted();
    let before = SystemTime::now() - Duration::from_secs(3600);
    let file = fs::File::options().append(true).open(project.path("Cargo.toml")).unwrap();
    file.set_modified(before).unwrap();
    project.build().succeeded();
    let modified = |path: std::path::PathBuf| fs::metadata(path).unwrap().modified().unwrap();
    assert_eq!(modified(project.path("models.lock")), modified(project.path("Cargo.toml")));
    for name in ["model/model.json", "model/group1-shard1of3.bin", "model/models.lock", "model.rs"]
    {
        let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        assert_eq!(modified(project.out_dir().join(name)), old, "{name}");
    }
}

#[test]
fn a_deleted_or_changed_lock_is_noticed() {
    let (host, project) = hosted();
    project.build().succeeded();
    let text = fs::read_to_string(project.path("models.lock")).unwrap();
    fs::remove_file(project.path("models.lock")).unwrap();
    assert!(project.build().succeeded().ran_script());
    assert_eq!(fs::read_to_string(project.path("models.lock")).unwrap(), text);
    assert!(!project.build().succeeded().ran_script());

    host.put("/m/group1-shard3of3.bin", "GHIJ");
    let digest = &Lockfile::parse(&text).unwrap().models()[0].files()[3].sha256();
    let other = "8cc2b2e15d6a2a6d3b5b3ba3ee4d5a3d6e36fd1e5a59c26dd4f0f5a0ae2c4b38";
    fs::write(project.path("models.lock"), text.replace(digest, other)).unwrap();
    let refused = project.build().failed();
    assert!(
        refused.stderr.contains("\"group1-shard3of3.bin\" is not what models.lock pins"),
        "{}",
        refused.stderr
    );
    let command = format!("VENDOR_MODEL_LOCK=update cargo build -p {}", project.name());
    assert!(refused.stderr.contains(&command), "{}", refused.stderr);
}

#[test]
fn a_pin_that_moves_in_one_target_directory_is_noticed_in_the_other_and_nothing_else_is() {
    let (host, project) = hosted();
    let here = || project.cargo("build", &[]).succeeded();
    let elsewhere = || project.cargo(&for_target("build"), &[]).succeeded();
    let shard = "model/group1-shard3of3.bin";
    here();
    let one = project.out_dir();
    elsewhere();
    let other = project.out_dir();
    assert_ne!(one, other);
    assert!(!here().ran_script() && !elsewhere().ran_script());

    host.put("/m/group1-shard3of3.bin", "GHIJ");
    project.cargo("build", &[("VENDOR_MODEL_LOCK", "update")]).succeeded();
    assert!(elsewhere().ran_script());
    assert_eq!(fs::read(other.join(shard)).unwrap(), b"GHIJ");
    here();
    assert!(!here().ran_script() && !elsewhere().ran_script());

    fs::remove_file(project.path("models.lock")).unwrap();
    host.put("/m/group1-shard3of3.bin", "ghij");
    assert!(here().ran_script());
    assert_eq!(fs::read(one.join(shard)).unwrap(), b"ghij");
    assert!(elsewhere().ran_script(), "the lock that was made anew pins other bytes");
    assert_eq!(fs::read(other.join(shard)).unwrap(), b"ghij");
    here();
    assert!(!here().ran_script() && !elsewhere().ran_script());
}

#[test]
fn an_update_is_an_act_and_says_what_moved() {
    let (host, project) = hosted();
    project.build().succeeded();
    host.put("/m/group1-shard3of3.bin", "GHIJ");
    assert!(!project.build().succeeded().ran_script());
    let updated = project.cargo("build", &[("VENDOR_MODEL_LOCK", "update")]).succeeded();
    let moved = "\"group1-shard3of3.bin\" moved from sha256";
    assert!(updated.stderr.contains(moved), "{}", updated.stderr);
    assert_eq!(updated.stderr.matches(moved).count(), 1);
    let lock = Lockfile::read(project.path("models.lock")).unwrap();
    assert_eq!(fs::read(project.out_dir().join("model/group1-shard3of3.bin")).unwrap(), b"GHIJ");
    assert_eq!(lock.models()[0].files()[3].size(), 4);

    host.put("/m/group1-shard3of3.bin", "abcd");
    let again = project.cargo("build", &[("VENDOR_MODEL_LOCK", "update")]).succeeded();
    assert!(again.stderr.contains(moved), "the same command is another act: {}", again.stderr);
    project.build().succeeded();
    assert!(!project.build().succeeded().ran_script());
}

#[test]
fn offline_and_locked_are_heard_from_the_environment() {
    let (host, project) = hosted();
    for (name, expected) in [
        ("CARGO_NET_OFFLINE", "offline: 1 file is missing"),
        ("VENDOR_MODEL_OFFLINE", "offline: 1 file is missing"),
    ] {
        let refused = project.cargo("build", &[(name, "true")]).failed();
        assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    }
    let refused = project.cargo("build", &[("VENDOR_MODEL_LOCK", "locked")]).failed();
    assert!(refused.stderr.contains("because the lockfile is locked"), "{}", refused.stderr);
    let unreadable = project.cargo("build", &[("VENDOR_MODEL_OFFLINE", "maybe")]).failed();
    assert!(unreadable.stderr.contains("expected: 1, true, 0 or false"), "{}", unreadable.stderr);
    assert_eq!(host.connections(), 0);
}

#[test]
fn a_vendored_directory_builds_offline_and_is_watched() {
    let (host, project) = hosted();
    let dir = format!("vendor-models/{}/m", host.addr().to_string().replace(':', "_"));
    model().iter().for_each(|(name, bytes)| {
        project.write(&format!("{dir}/{name}"), std::str::from_utf8(bytes).unwrap())
    });
    project.build().succeeded();
    let fetched = host.requests().len();
    project.clean();
    project.cargo("build", &[("VENDOR_MODEL_OFFLINE", "1")]).succeeded();
    assert_holds(&project.out_dir().join("model"), &model());
    assert!(!project.build().succeeded().ran_script());
    assert_eq!(host.requests().len(), fetched);
}

#[test]
fn a_vendored_directory_made_later_is_used_at_the_next_run() {
    let (host, project) = hosted();
    project.build().succeeded();
    let dir = format!("vendor-models/{}/m", host.addr().to_string().replace(':', "_"));
    model().iter().for_each(|(name, bytes)| {
        project.write(&format!("{dir}/{name}"), std::str::from_utf8(bytes).unwrap())
    });
    drop(host);
    assert!(!project.build().succeeded().ran_script());
    let shard = "group1-shard2of3.bin";
    fs::remove_file(project.out_dir().join("model").join(shard)).unwrap();
    project.build().succeeded();
    assert_holds(&project.out_dir().join("model"), &model());
    assert!(!project.build().succeeded().ran_script());
    fs::remove_file(project.path(&format!("{dir}/{shard}"))).unwrap();
    assert!(project.build().succeeded().ran_script(), "what was used of it is watched");
}

#[test]
fn a_read_only_package_gets_no_lock_and_builds() {
    let (_host, project) = hosted();
    project.write("Cargo.toml.orig", "");
    let manifest = fs::read_to_string(project.path("Cargo.toml")).unwrap();
    project.write(
        "Cargo.toml",
        &format!("# THIS FILE IS AUTOMATICALLY GENERATED BY CARGO\n{manifest}"),
    );
    let built = project.build().succeeded();
    assert!(built.stderr.contains("commit models.lock before publishing"), "{}", built.stderr);
    assert!(!project.path("models.lock").exists());
    assert!(!project.build().succeeded().ran_script(), "its pins are in its record");

    project.write(".cargo-ok", "{}");
    project.clean();
    let refused = project.build().failed();
    assert!(
        refused.stderr.contains("this crate was published without models.lock"),
        "{}",
        refused.stderr
    );
    project.cargo("build", &[("VENDOR_MODEL_LOCK", "auto")]).succeeded();
}

#[test]
fn two_models_in_one_script_make_one_lock() {
    let host =
        host_of(&model()).file("/n/model.json", r#"{"modelTopology": {"node": []}}"#).start();
    let two =
        format!("vendor_model::vendor_model({:?}, out.join(\"two\"))?;", host.url("/n/model.json"));
    let build = [vendoring(&host.url("/m/model.json")), two].join("\n    ");
    let project = Project::new(&build, EMBEDDING_MAIN);
    project.build().succeeded();
    let lock = Lockfile::read(project.path("models.lock")).unwrap();
    let urls: Vec<&str> = lock.models().iter().map(|model| model.url()).collect();
    assert_eq!(urls, [host.url("/m/model.json"), host.url("/n/model.json")]);
    assert_eq!(contents(&project.out_dir().join("two")).len(), 2);
    assert!(!project.build().succeeded().ran_script());
}

#[test]
fn a_lockfile_in_a_directory_of_its_own_makes_nothing_stale() {
    let host = host_of(&model()).start();
    let build = r#"vendor_model::Config::new().lockfile("pins/models.lock").vendor_model("{url}", out.join("model"))?;"#;
    let project = Project::new(&build.replace("{url}", &host.url("/m/model.json")), "fn main() {}");
    project.build().succeeded();
    assert!(project.path("pins/models.lock").exists());
    assert!(!project.build().succeeded().ran_script());
}

#[test]
fn overlong_weights_are_a_warning() {
    let host = host_of(&model()).file("/m/group1-shard3of3.bin", "ghij and more").start();
    let project = Project::embedding(&host.url("/m/model.json"));
    let built = project.build().succeeded();
    assert!(
        built.stderr.contains("has 29 bytes, its specs say 20; TensorFlow.js ignores the rest"),
        "{}",
        built.stderr
    );
}

#[test]
fn a_failed_script_shows_the_whole_error() {
    let (host, project) = hosted();
    host.fault("/m/group1-shard1of3.bin", model_host::Fault::status(404).always());
    let failed = project.build().failed();
    assert!(
        failed.stderr.contains("Error: cannot bring \"group1-shard1of3.bin\"\n"),
        "{}",
        failed.stderr
    );
    assert!(!project.path("models.lock").exists());
}

#[test]
fn only_variables_that_can_change_a_result_run_the_script_again() {
    let (_host, project) = hosted();
    let built = project.cargo("build -vv", &[]).succeeded();
    let announced = |what: &str| -> Vec<String> {
        let lines = built.stdout.lines().chain(built.stderr.lines());
        let named = lines.filter_map(|line| line.split_once(&format!(" cargo:{what}=")));
        named.map(|(_, name)| name.to_owned()).collect()
    };
    assert_eq!(
        announced("rerun-if-env-changed"),
        ["VENDOR_MODEL_LOCK", "VENDOR_MODEL_DIR", "VENDOR_MODEL_SKIP", "DOCS_RS"]
    );
    let mut watched = vec![project.path("models.lock")];
    let names = ["models.lock", "model.json", "group1-shard1of3.bin"];
    let more = ["group1-shard2of3.bin", "group1-shard3of3.bin"];
    let out = project.out_dir();
    watched.extend(names.iter().chain(&more).map(|name| out.join("model").join(name)));
    watched.push(out.join("model.rs"));
    let watched: Vec<&str> = watched.iter().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(announced("rerun-if-changed"), watched);

    // Nothing that says where bytes come from, or how that is shown, makes what is here stale.
    let others = [
        ("VENDOR_MODEL_OFFLINE", "1"),
        ("VENDOR_MODEL_CACHE", "elsewhere"),
        ("VENDOR_MODEL_MIRROR", "https://a.example/=https://b.example/"),
        ("VENDOR_MODEL_PROGRESS", "never"),
        ("HTTPS_PROXY", "http://proxy.example"),
        ("SSL_CERT_FILE", "certificates.pem"),
    ];
    assert!(!project.cargo("build", &others).succeeded().ran_script());
    assert!(project.cargo("build", &[("VENDOR_MODEL_LOCK", "locked")]).succeeded().ran_script());
}
