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

/// Builds it in a target directory of its own, but for what is compiled for the build script.
fn build(project: &Project, variables: &[(&str, &str)]) -> Built {
    let dir = TempDir::new().unwrap();
    let target = dir.path().join("t".repeat(1 + project.path("").as_os_str().len() % 7));
    fs::create_dir_all(&target).unwrap();
    #[cfg(unix)]
    {
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects/debug");
        fs::create_dir_all(&shared).unwrap();
        std::os::unix::fs::symlink(shared, target.join("debug")).unwrap();
    }
    let (package, target) = (project.path("."), target.to_str().unwrap());
    let package = package.to_str().unwrap().trim_end_matches("/.");
    let flags =
        format!("--remap-path-prefix={package}=/package\x1f--remap-path-prefix={target}=/target");
    let own = [("CARGO_TARGET_DIR", target), ("CARGO_ENCODED_RUSTFLAGS", &flags)];
    let run = project.cargo(&for_target("build"), &[&own, variables].concat()).succeeded();
    assert!(run.ran_script(), "{}", run.stderr);
    let out = project.out_dir();
    assert!(out.starts_with(target), "{}", out.display());
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
