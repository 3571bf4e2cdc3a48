//! Small models, build scripts that vendor them, and what is looked at afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

use model_host::{Builder, Host};
use tempfile::TempDir;
use vendor_model::{Config, Error, Vendored};

/// The defaults, but for the cache: that of whoever runs the tests is left alone.
pub fn config() -> Config {
    let mut config = Config::new();
    config.no_cache();
    config
}

/// [`vendor_model::vendor_model`] with [`config`].
pub fn vendor_model(url: impl AsRef<str>, dir: impl AsRef<Path>) -> Result<Vendored, Error> {
    config().vendor_model(url, dir)
}

/// The manifest of [`model`], a graph model of one weight group in three shards.
pub const MANIFEST: &str = r#"{"format": "graph-model", "modelTopology": {"node": []}, "weightsManifest": [{
  "paths": ["group1-shard1of3.bin", "group1-shard2of3.bin", "group1-shard3of3.bin"],
  "weights": [{"name": "a", "shape": [2, 2], "dtype": "float32"}, {"name": "b", "shape": [], "dtype": "int32"}]}]}"#;

/// The files of a model of 20 weight bytes, by name.
pub fn model() -> BTreeMap<String, Vec<u8>> {
    let shards = [
        ("group1-shard1of3.bin", "01234567"),
        ("group1-shard2of3.bin", "89abcdef"),
        ("group1-shard3of3.bin", "ghij"),
    ];
    let mut files: BTreeMap<String, Vec<u8>> =
        shards.map(|(name, bytes)| (name.to_owned(), bytes.into())).into();
    files.insert("model.json".to_owned(), MANIFEST.into());
    files
}

/// A host, not started, that has `files` below `/m/`.
pub fn host_of(files: &BTreeMap<String, Vec<u8>>) -> Builder {
    files.iter().fold(Host::builder(), |host, (name, bytes)| {
        host.file(&format!("/m/{name}"), bytes.clone())
    })
}

/// A manifest of one weight group: these shards, and one weight of so many bytes.
pub fn manifest(paths: &[&str], bytes: usize) -> String {
    let paths: Vec<String> =
        paths.iter().map(|path| serde_json::to_string(path).unwrap()).collect();
    format!(
        r#"{{"format": "layers-model", "weightsManifest": [{{"paths": [{}], "weights": [{{"name": "w", "shape": [{bytes}], "dtype": "bool"}}]}}]}}"#,
        paths.join(", ")
    )
}

/// The URL of a file on this machine.
pub fn file_url(path: &Path) -> String {
    url::Url::from_file_path(path).unwrap().into()
}

/// Every file below `dir`, with `/`, and its bytes.
pub fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    walk(dir).into_iter().map(|(name, path)| (name, fs::read(path).unwrap())).collect()
}

/// Every file below `dir`, and when it was changed last.
pub fn times(dir: &Path) -> BTreeMap<String, SystemTime> {
    walk(dir)
        .into_iter()
        .map(|(name, path)| (name, fs::metadata(path).unwrap().modified().unwrap()))
        .collect()
}

fn walk(dir: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(
                walk(&entry.path())
                    .into_iter()
                    .map(|(below, path)| (format!("{name}/{below}"), path)),
            ),
            false => drop(found.insert(name, entry.path())),
        }
    }
    found
}

/// `files` and, as in an `out_dir`, their record.
#[track_caller]
pub fn assert_holds(dir: &Path, files: &BTreeMap<String, Vec<u8>>) {
    let mut found = contents(dir);
    assert!(found.remove("models.lock").is_some(), "no record in {}", dir.display());
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(files));
    assert!(found == *files, "other bytes in {}", dir.display());
}

/// A package with a build script that vendors models, in a directory of its own.
pub struct Project {
    dir: TempDir,
}

/// What a `cargo` command printed, and whether it went well.
pub struct Ran {
    pub ok: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    /// The name of the package is its own, because all projects share a target directory.
    ///
    /// `build` is the body of `main` of `build.rs`, after `out` was made of `OUT_DIR`; `main` is `src/main.rs`.
    pub fn new(build: &str, main: &str) -> Project {
        let project = Project { dir: tempfile::Builder::new().prefix("app-").tempdir().unwrap() };
        let library = env!("CARGO_MANIFEST_DIR").replace('\\', "/");
        let manifest = MANIFEST_TEMPLATE.replace("{name}", &project.name());
        project.write("Cargo.toml", &manifest.replace("{library}", &library));
        project.write("build.rs", &BUILD_TEMPLATE.replace("{build}", build));
        project.write("src/main.rs", main);
        // The same versions as here, so that nothing is asked of a registry.
        fs::copy(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"),
            project.path("Cargo.lock"),
        )
        .unwrap();
        project
    }

    /// Vendors the model at `url` and embeds it; the program prints the path and size of each file.
    pub fn embedding(url: &str) -> Project {
        Project::new(&vendoring(url), EMBEDDING_MAIN)
    }

    /// Vendors the model at `url` and embeds it in a library, which anybody may package and depend on: its build script
    /// writes nothing beside it, and its dependency on us has a version.
    pub fn library(url: &str) -> Project {
        let project = Project::new("", "");
        let manifest = fs::read_to_string(project.path("Cargo.toml")).unwrap();
        let by_version = manifest.lines().map(|line| match line.starts_with("vendor-model = ") {
            true => "vendor-model = \"0.1\"\n".to_owned(),
            false => format!("{line}\n"),
        });
        project.write("Cargo.toml", &by_version.collect::<String>());
        project.write(".cargo/config.toml", &here());
        project.write("build.rs", &LIBRARY_BUILD_TEMPLATE.replace("{build}", &vendoring(url)));
        fs::remove_file(project.path("src/main.rs")).unwrap();
        project.write("src/lib.rs", LIBRARY);
        project
    }

    pub fn name(&self) -> String {
        let name = self.dir.path().file_name().unwrap().to_str().unwrap();
        name.to_lowercase()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn build(&self) -> Ran {
        self.cargo("build", &[])
    }

    /// Runs `cargo <command> -v` with these variables. The library is compiled once for all projects.
    pub fn cargo(&self, command: &str, variables: &[(&str, &str)]) -> Ran {
        let mut cargo = self.program(env!("CARGO"), variables);
        Ran::from(cargo.args(command.split(' ')).args(["-v", "--offline"]).output().unwrap())
    }

    /// Runs `cargo <command>`, of which a shell reads the rest, on a terminal of its own with 80 columns. What it
    /// writes there is `stdout`. Needs `script` of util-linux.
    pub fn cargo_on_a_terminal(&self, command: &str, variables: &[(&str, &str)]) -> Ran {
        let mut script = self.program("script", variables);
        let command = format!("stty cols 80 rows 24; '{}' {command}", env!("CARGO"));
        script.env("TERM", "xterm").env("SHELL", "/bin/sh");
        Ran::from(script.args(["-qec", &command, "/dev/null"]).output().unwrap())
    }

    /// A program to be run in the package, with these variables.
    pub fn program(&self, name: &str, variables: &[(&str, &str)]) -> Command {
        Project::program_in(self.dir.path(), name, variables)
    }

    /// The same in a package that is no project.
    pub fn program_in(dir: &Path, name: &str, variables: &[(&str, &str)]) -> Command {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects");
        let mut program = Command::new(name);
        program
            .current_dir(dir)
            .env("CARGO_TARGET_DIR", target)
            .env_remove("OUT_DIR")
            .env_remove("CARGO_MANIFEST_DIR");
        for name in OF_THE_DEVELOPER {
            program.env_remove(name);
        }
        program.env("VENDOR_MODEL_CACHE", "off").envs(variables.iter().copied());
        program
    }

    /// Removes what was built of this package; the target directory is everybody's.
    pub fn clean(&self) {
        self.cargo(&format!("clean -p {}", self.name()), &[]).succeeded();
        assert!(!self.out_dir().exists());
    }

    /// The `OUT_DIR` of the last build that ran a build script of [`vendoring`].
    pub fn out_dir(&self) -> PathBuf {
        fs::read_to_string(self.path("target-out")).unwrap().into()
    }
}

/// `command` for this machine, called by its name: cargo then keeps what it builds, and an `OUT_DIR`, in a directory of
/// their own, and `RUSTFLAGS` from the build script and us.
pub fn for_target(command: &str) -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    format!("{command} --target {host}")
}

/// What whoever runs the tests may have set, and no build of theirs is to hear of.
pub const OF_THE_DEVELOPER: [&str; 31] = [
    "CI",
    "TERM",
    "NO_COLOR",
    "CARGO_TERM_COLOR",
    "VENDOR_MODEL_LOCK",
    "VENDOR_MODEL_OFFLINE",
    "VENDOR_MODEL_DIR",
    "VENDOR_MODEL_MIRROR",
    "VENDOR_MODEL_SKIP",
    "VENDOR_MODEL_PROGRESS",
    "DOCS_RS",
    "CARGO_NET_OFFLINE",
    "CARGO_NET_RETRY",
    "CARGO_HTTP_PROXY",
    "CARGO_HTTP_CAINFO",
    "CARGO_HTTP_TIMEOUT",
    "CARGO_HTTP_USER_AGENT",
    "CARGO_TERM_QUIET",
    "CARGO_TERM_PROGRESS_WHEN",
    "SSL_CERT_FILE",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "NETRC",
    "HF_TOKEN",
    "RUST_BACKTRACE",
];

const MANIFEST_TEMPLATE: &str = r#"[package]
name = "{name}"
version = "1.0.0"
edition = "2021"

[build-dependencies]
vendor-model = { path = "{library}" }

[workspace]
"#;

/// What of cargo's configuration takes this library for the one that is published.
pub fn here() -> String {
    let library = env!("CARGO_MANIFEST_DIR").replace('\\', "/");
    format!("[patch.crates-io]\nvendor-model = {{ path = {library:?} }}\n")
}

const LIBRARY_BUILD_TEMPLATE: &str = r#"use std::{env, error::Error, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    {build}
    Ok(())
}
"#;

const LIBRARY: &str = r#"pub mod model {
    include!(concat!(env!("OUT_DIR"), "/model.rs"));
}
"#;

const BUILD_TEMPLATE: &str = r#"use std::{env, fs, error::Error, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    fs::write("target-out", out.to_str().unwrap())?;
    {build}
    Ok(())
}
"#;

/// The lines of a build script that vendors `url` into `model` and embeds it.
pub fn vendoring(url: &str) -> String {
    VENDORING_TEMPLATE.replace("{url}", url)
}

const VENDORING_TEMPLATE: &str = r#"let model = vendor_model::vendor_model("{url}", out.join("model"))?;
    model.write_module(out.join("model.rs"))?;"#;

/// Prints the path and size of each embedded file.
pub const EMBEDDING_MAIN: &str = r#"mod model {
    include!(concat!(env!("OUT_DIR"), "/model.rs"));
}

fn main() {
    for file in model::FILES {
        println!("{} {}", file.path, file.bytes.len());
    }
}
"#;

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran {
            ok: output.status.success(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Ran {
    #[track_caller]
    pub fn succeeded(self) -> Ran {
        assert!(self.ok, "cargo failed:\n{}", self.stderr);
        self
    }

    #[track_caller]
    pub fn failed(self) -> Ran {
        assert!(!self.ok, "cargo did not fail:\n{}", self.stderr);
        self
    }

    /// Whether the package's build script ran.
    pub fn ran_script(&self) -> bool {
        self.stderr
            .lines()
            .any(|line| line.contains("Running") && line.contains("build-script-build"))
    }
}
