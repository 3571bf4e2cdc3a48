//! A crate that uses us is packaged, published, and built by those who depend on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use model_host::Host;
use tempfile::TempDir;

use crate::shared_folder::skip;
use crate::support::{Project, Ran, contents, here, host_of, model};

const PACKAGE: &str = "package --allow-dirty";
const ADVICE: &str = "commit models.lock before publishing";

fn hosted() -> (Host, Project) {
    let host = host_of(&model()).start();
    let project = Project::library(&host.url("/m/model.json"));
    (host, project)
}

/// Puts the model into the package's vendored directory, as `cargo vendor-model vendor` does.
fn vendor(project: &Project, host: &Host) {
    let dir = format!("vendor-models/{}/m", host.addr().to_string().replace(':', "_"));
    for (name, bytes) in model() {
        project.write(&format!("{dir}/{name}"), std::str::from_utf8(&bytes).unwrap());
    }
    let lock = fs::read_to_string(project.path("models.lock")).unwrap();
    project.write("vendor-models/models.lock", &lock);
}

/// The copy of the package that cargo made to verify it.
fn packaged(project: &Project) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects");
    target.join(format!("package/{}-1.0.0", project.name()))
}

fn clean(project: &Project) {
    project.cargo(&format!("clean -p {}", project.name()), &[]).succeeded();
}

#[test]
fn a_package_without_a_lock_verifies_with_a_warning_and_writes_none() {
    let (host, project) = hosted();
    let before = contents(&project.path("src"));
    let run = project.cargo(PACKAGE, &[]).succeeded();
    assert!(run.stderr.contains(ADVICE), "{}", run.stderr);
    assert!(
        !project.path("models.lock").exists() && !packaged(&project).join("models.lock").exists()
    );
    assert_eq!(contents(&project.path("src")), before);

    // The target directory is the same, and cargo takes the build of the copy for that of the package.
    let built = project.build().succeeded();
    assert!(built.ran_script() && !built.stderr.contains(ADVICE), "{}", built.stderr);
    assert!(project.path("models.lock").exists());
    assert!(!project.build().succeeded().ran_script());
    drop(host);
}

#[test]
fn a_package_with_a_lock_verifies_by_its_pins_and_ships_them() {
    let (host, project) = hosted();
    project.build().succeeded();
    let lock = fs::read(project.path("models.lock")).unwrap();
    clean(&project);
    host.clear_log();
    let run = project.cargo(PACKAGE, &[]).succeeded();
    assert!(!run.stderr.contains(ADVICE), "{}", run.stderr);
    assert_eq!(host.requests().len(), 4);
    assert_eq!(fs::read(packaged(&project).join("models.lock")).unwrap(), lock);
    assert_eq!(fs::read(project.path("models.lock")).unwrap(), lock);

    host.put("/m/group1-shard3of3.bin", "GHIJ");
    clean(&project);
    let refused = project.cargo(PACKAGE, &[]).failed();
    assert!(refused.stderr.contains("is not what models.lock pins"), "{}", refused.stderr);
}

#[test]
fn a_package_with_a_vendored_directory_verifies_without_a_network() {
    let (host, project) = hosted();
    project.build().succeeded();
    vendor(&project, &host);
    drop(host);
    for with_package_lock in [true, false] {
        if !with_package_lock {
            fs::remove_file(project.path("models.lock")).unwrap();
        }
        clean(&project);
        let run = project.cargo(PACKAGE, &[]).succeeded();
        assert!(run.ran_script() && !run.stderr.contains(ADVICE), "{}", run.stderr);
        let copy = contents(&packaged(&project));
        assert!(copy.keys().any(|name| name.ends_with("/m/group1-shard1of3.bin")));
        assert_eq!(copy.contains_key("models.lock"), with_package_lock);
    }
}

/// A program that depends on what a registry, or `cargo vendor`, has of `library`.
struct Dependent {
    project: Project,
}

impl Dependent {
    fn on(library: &Project) -> Dependent {
        library.cargo(&format!("{PACKAGE} --no-verify"), &[]).succeeded();
        let name = library.name();
        let main = format!(
            "fn main() {{ println!(\"{{}}\", {}::model::FILES.len()) }}",
            name.replace('-', "_")
        );
        let project = Project::new("", &main);
        fs::remove_file(project.path("build.rs")).unwrap();
        let manifest = format!(
            "[package]\nname = {:?}\nversion = \"1.0.0\"\nedition = \"2021\"\n\n[dependencies]\n{name} = {{ version = \"1\", registry = \"theirs\" }}\n\n[workspace]\n",
            project.name()
        );
        project.write("Cargo.toml", &manifest);
        let registry = "[registries.theirs]\nindex = \"sparse+https://registry.invalid/\"\n[source.theirs]\nregistry = \"sparse+https://registry.invalid/\"\nreplace-with = \"unpacked\"\n[source.unpacked]\ndirectory = \"registry\"\n";
        project.write(".cargo/config.toml", &format!("{}{registry}", here()));
        let dependent = Dependent { project };
        fs::create_dir(dependent.project.path("registry")).unwrap();
        let archive = packaged(library).with_extension("0.crate");
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(&archive).arg("-C").arg(dependent.project.path("registry"));
        assert!(tar.status().unwrap().success(), "{}", archive.display());
        let checksum = format!("registry/{name}-1.0.0/.cargo-checksum.json");
        dependent.project.write(&checksum, r#"{"files": {}, "package": null}"#);
        dependent
    }

    /// Runs it, and looks whether anything was written into the copy.
    fn run(&self, variables: &[(&str, &str)]) -> Ran {
        let before = contents(&self.project.path("registry"));
        let run = self.project.cargo("run", variables);
        assert!(contents(&self.project.path("registry")) == before, "{}", run.stderr);
        run
    }
}

#[test]
fn a_published_crate_builds_from_its_pins_and_writes_nothing_beside_itself() {
    let (host, library) = hosted();
    library.build().succeeded();
    host.clear_log();
    let dependent = Dependent::on(&library);
    assert_eq!(dependent.run(&[("VENDOR_MODEL_LOCK", "locked")]).succeeded().stdout, "4\n");
    assert_eq!(host.requests().len(), 4);
    assert!(!dependent.run(&[("VENDOR_MODEL_LOCK", "locked")]).succeeded().ran_script());
    assert!(!dependent.project.path("models.lock").exists());
}

#[test]
fn a_published_crate_without_pins_is_refused_unless_its_builder_trusts_the_host() {
    let (host, library) = hosted();
    let dependent = Dependent::on(&library);
    let refused = dependent.run(&[]).failed();
    let advice = "its author should commit models.lock and publish again; to trust the host instead, set VENDOR_MODEL_LOCK=auto";
    assert!(refused.stderr.contains(advice), "{}", refused.stderr);
    assert_eq!(host.connections(), 0);
    assert_eq!(dependent.run(&[("VENDOR_MODEL_LOCK", "auto")]).succeeded().stdout, "4\n");
}

#[test]
fn a_read_only_package_builds_and_keeps_its_pins_in_its_output() {
    let (host, project) = hosted();
    project.cargo("fetch", &[]).succeeded();
    let dir = project.path("");
    let elsewhere = TempDir::new().unwrap();
    let read_only = |command: &str| {
        let mount = format!(
            "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && ! touch \"$1/x\" 2>\"$3\" && cd \"$1\" && {command}"
        );
        let mut unshare = project.program("unshare", &[]);
        unshare.args(["-rm", "sh", "-c", &mount, "sh"]);
        unshare.arg(&dir).arg(env!("CARGO")).arg(elsewhere.path().join("said"));
        unshare.output()
    };
    if !read_only("true").is_ok_and(|tried| tried.status.success()) {
        skip("a read-only tree cannot be made: `unshare -rm` and a bind mount do not work");
        return;
    }
    let build = "\"$2\" build -v --offline";
    let built = Ran::from(read_only(build).unwrap()).succeeded();
    assert!(built.ran_script(), "{}", built.stderr);
    assert_eq!(host.requests().len(), 4);
    assert!(!Ran::from(read_only(build).unwrap()).succeeded().ran_script());
    assert!(!project.path("models.lock").exists());
}

#[test]
fn without_its_default_features_the_library_vendors_from_a_directory_and_needs_no_network_crate() {
    let host = host_of(&model()).start();
    let url = host.url("/m/model.json");
    let pinned = Project::library(&url);
    pinned.build().succeeded();
    let project = Project::library(&url);
    let manifest = fs::read_to_string(project.path("Cargo.toml")).unwrap();
    let plain = "vendor-model = { version = \"0.1\", default-features = false }";
    project.write("Cargo.toml", &manifest.replace("vendor-model = \"0.1\"", plain));
    fs::copy(pinned.path("models.lock"), project.path("models.lock")).unwrap();
    vendor(&project, &host);
    fs::remove_file(project.path("models.lock")).unwrap();
    host.clear_log();

    let tree = project.cargo("tree -e build,normal --prefix none", &[]).succeeded().stdout;
    let crates: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"vendor-model") && crates.contains(&"sha2"), "{tree}");
    for of_the_network in ["ureq", "rustls", "ring", "cc"] {
        assert!(!crates.contains(&of_the_network), "{tree}");
    }
    assert!(project.build().succeeded().ran_script());
    let lock = fs::read(project.path("models.lock")).unwrap();
    assert!(lock == fs::read(pinned.path("models.lock")).unwrap());
    assert!(host.requests().is_empty());

    clean(&project);
    fs::remove_dir_all(project.path("vendor-models")).unwrap();
    let refused = project.build().failed();
    assert!(refused.stderr.contains("feature `net`"), "{}", refused.stderr);
}
