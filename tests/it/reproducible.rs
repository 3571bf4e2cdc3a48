//! The same binary, wherever it is built and wherever its model comes from.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::support::{EMBEDDING_MAIN, Project, for_target, host_of, model, vendoring};

/// What must not differ.
#[derive(PartialEq)]
struct Built {
    binary: Vec<u8>,
    module: String,
    lock: String,
}

/// A package called `reproducible` that embeds the model at `url`, in a directory of its own.
fn package(url: &str) -> Project {
    let project = Project::new(&vendoring(url), EMBEDDING_MAIN);
    let manifest = fs::read_to_string(project.path("Cargo.toml")).unwrap();
    let manifest = manifest.replace(&project.name(), "reproducible");
    project.write("Cargo.toml", &format!("{manifest}\n[profile.dev]\nstrip = \"symbols\"\n"));
    project
}

/// Builds it beside what is compiled already, but nothing of it is there.
fn build(project: &Project, variables: &[(&str, &str)]) -> Built {
    project.cargo(&for_target("clean -p reproducible"), &[]).succeeded();
    let (dir, target) = (project.path("."), Path::new(env!("CARGO_TARGET_TMPDIR")));
    let dir = dir.to_str().unwrap().trim_end_matches(['/', '.']);
    let remap = format!("--remap-path-prefix={dir}=/package");
    let remap = format!("{remap}\x1f--remap-path-prefix={}=/target", target.display());
    let flags = ("CARGO_ENCODED_RUSTFLAGS", remap.as_str());
    let run = project.cargo(&for_target("build"), &[&[flags], variables].concat()).succeeded();
    assert!(run.ran_script(), "{}", run.stderr);
    let out = project.out_dir();
    let binary = format!("reproducible{}", std::env::consts::EXE_SUFFIX);
    Built {
        binary: fs::read(out.ancestors().nth(3).unwrap().join(binary)).unwrap(),
        module: fs::read_to_string(out.join("model.rs")).unwrap(),
        lock: fs::read_to_string(project.path("models.lock")).unwrap(),
    }
}

#[test]
fn binaries_modules_and_locks_are_the_same_from_every_source_and_in_every_directory() {
    let (origin, mirror) = (host_of(&model()).start(), host_of(&model()).start());
    let package = || package(&origin.url("/m/model.json"));
    let first = build(&package(), &[]);
    let held = |bytes: &[u8]| first.binary.windows(bytes.len()).any(|window| window == bytes);
    assert!(held(b"01234567") && held(b"89abcdef"), "the model is in the binary");
    let same = |built: Built, from: &str| {
        assert_eq!(built.module, first.module, "from {from}");
        assert_eq!(built.lock, first.lock, "from {from}");
        assert!(built.binary == first.binary, "another binary from {from}");
    };

    let cache = TempDir::new().unwrap();
    let cache = ("VENDOR_MODEL_CACHE", cache.path().to_str().unwrap());
    let rule = format!("{}={}", origin.url("/"), mirror.url("/"));
    origin.clear_log();
    same(build(&package(), &[("VENDOR_MODEL_MIRROR", &rule), cache]), "a mirror");
    assert_eq!((origin.requests().len(), mirror.requests().len()), (0, 4));

    let offline = ("VENDOR_MODEL_OFFLINE", "1");
    let cached = package();
    cached.write("models.lock", &first.lock);
    same(build(&cached, &[offline, cache]), "the cache");

    let vendored = package();
    let dir = format!("vendor-models/{}/m", origin.addr().to_string().replace(':', "_"));
    for (name, bytes) in model() {
        vendored.write(&format!("{dir}/{name}"), std::str::from_utf8(&bytes).unwrap());
    }
    vendored.write("vendor-models/models.lock", &first.lock);
    same(build(&vendored, &[offline]), "a vendored directory");
    assert_eq!(origin.requests().len(), 0);
}
