//! Small models on a host, a package with a lockfile, and the command run in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use model_host::{Builder, Host};
use serde_json::{Value, json};
use tempfile::TempDir;

pub const EXE: &str = env!("CARGO_BIN_EXE_cargo-vendor-model");

/// The manifest of [`model`]: two weight groups, the first in two shards.
pub const MANIFEST: &str = r#"{"format": "graph-model", "modelTopology": {"node": []}, "weightsManifest": [
  {"paths": ["group1-shard1of2.bin", "group1-shard2of2.bin"], "weights": [
    {"name": "conv/kernel", "shape": [6, 8], "dtype": "float32"},
    {"name": "conv/bias", "shape": [8], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1}}]},
  {"paths": ["group2-shard1of1.bin"], "weights": [{"name": "steps", "shape": [], "dtype": "int32"}]}]}"#;

/// The files of a model of 204 weight bytes, by name.
pub fn model() -> BTreeMap<String, Vec<u8>> {
    let bytes: Vec<u8> = (0..200_u32).map(|n| (n * 37 % 251) as u8).collect();
    [
        ("model.json", MANIFEST.as_bytes().to_vec()),
        ("group1-shard1of2.bin", bytes[..120].to_vec()),
        ("group1-shard2of2.bin", bytes[120..].to_vec()),
        ("group2-shard1of1.bin", b"\x07\0\0\0".to_vec()),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .into()
}

/// A manifest of one weight group: these shards, and one weight of so many bytes.
pub fn manifest(paths: &[&str], bytes: usize) -> String {
    json!({
        "format": "layers-model",
        "weightsManifest": [{
            "paths": paths,
            "weights": [{"name": "w", "shape": [bytes], "dtype": "bool"}]
        }]
    })
    .to_string()
}

/// A host with a model at `/m/`, a package, and a cache, all of them new.
pub struct Desk {
    pub host: Host,
    dir: TempDir,
}

impl Desk {
    pub fn new() -> Desk {
        Desk::with(&model())
    }

    pub fn with(files: &BTreeMap<String, Vec<u8>>) -> Desk {
        Desk::on(files.iter().fold(Host::builder(), |host, (name, bytes)| {
            host.file(&format!("/m/{name}"), bytes.clone())
        }))
    }

    pub fn on(host: Builder) -> Desk {
        let desk = Desk { host: host.start(), dir: TempDir::new().unwrap() };
        fs::create_dir_all(desk.path("src")).unwrap();
        fs::write(desk.path("Cargo.toml"), "[package]\nname = \"app\"\nversion = \"1.0.0\"\n")
            .unwrap();
        desk
    }

    pub fn url(&self) -> String {
        self.host.url("/m/model.json")
    }

    /// A path in the package.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("app").join(name)
    }

    pub fn cache(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    /// Where `vendor` puts the model.
    pub fn shelf(&self) -> PathBuf {
        self.path("vendor-models").join(self.shelf_name())
    }

    pub fn shelf_name(&self) -> String {
        format!("{}/m", self.host.addr().to_string().replace(':', "_"))
    }

    /// The command, to be run in the package.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.prepared(EXE, arguments)
    }

    /// A program that sees nothing of what whoever runs the tests may have set for models.
    pub fn prepared(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.path("")).stdin(Stdio::null());
        for name in OF_THE_DEVELOPER {
            command.env_remove(name);
        }
        // Where cargo's configuration files of whoever runs the tests are not.
        command.env("CARGO_HOME", self.dir.path().join("cargo-home"));
        command.env("VENDOR_MODEL_CACHE", self.cache());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs cargo on the package, which has a build script by now. The library is compiled once for all projects, those
    /// of its own tests included.
    pub fn cargo(&self, command: &str, variables: &[(&str, &str)]) -> Ran {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
        let name = self.dir.path().file_name().unwrap().to_str().unwrap().to_lowercase();
        let name = name.replace('.', "app-");
        let manifest = format!(
            "[package]\nname = {name:?}\nversion = \"1.0.0\"\nedition = \"2021\"\n\n\
             [build-dependencies]\nvendor-model = {{ path = {root:?} }}\n\n[workspace]\n"
        );
        self.write("Cargo.toml", manifest);
        // The same versions as here, so that nothing is asked of a registry.
        fs::copy(root.join("Cargo.lock"), self.path("Cargo.lock")).unwrap();
        let mut cargo = self.prepared(env!("CARGO"), &[command, "-q", "--offline"]);
        match std::env::var_os("CARGO_HOME") {
            Some(home) => cargo.env("CARGO_HOME", home),
            None => cargo.env_remove("CARGO_HOME"),
        };
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects");
        cargo.env("CARGO_TARGET_DIR", target).envs(variables.iter().copied());
        cargo.output().unwrap().into()
    }

    /// Pins the model.
    pub fn lock(&self) {
        self.run(&["lock", &self.url()]).well();
    }

    /// What `models.lock` of the package pins.
    pub fn pins(&self) -> vendor_model::Lockfile {
        vendor_model::Lockfile::read(self.path("models.lock")).unwrap()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

const OF_THE_DEVELOPER: [&str; 35] = [
    "VENDOR_MODEL_LOCK",
    "VENDOR_MODEL_OFFLINE",
    "VENDOR_MODEL_DIR",
    "VENDOR_MODEL_MIRROR",
    "VENDOR_MODEL_SKIP",
    "VENDOR_MODEL_PROGRESS",
    "DOCS_RS",
    "OUT_DIR",
    "CARGO_MANIFEST_DIR",
    "CARGO_NET_OFFLINE",
    "CARGO_NET_RETRY",
    "CARGO_HTTP_PROXY",
    "CARGO_HTTP_CAINFO",
    "CARGO_HTTP_TIMEOUT",
    "CARGO_HTTP_USER_AGENT",
    "CARGO_TERM_QUIET",
    "CARGO_TERM_COLOR",
    "CARGO_TERM_PROGRESS_WHEN",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "NO_COLOR",
    "CI",
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
    "AWS_ENDPOINT_URL",
    "RUST_BACKTRACE",
];

/// What the command printed, and its exit code.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran {
            code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Ran {
    #[track_caller]
    pub fn well(self) -> Ran {
        self.exited(0)
    }

    #[track_caller]
    pub fn wrong(self) -> Ran {
        self.exited(1)
    }

    #[track_caller]
    pub fn misused(self) -> Ran {
        self.exited(2)
    }

    #[track_caller]
    fn exited(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output, which is one JSON document of the schema of this command.
    #[track_caller]
    pub fn json(&self, command: &str) -> Value {
        let document: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("{error}: {}\n{}", self.stdout, self.stderr);
        });
        let problems = problems(&document, command);
        assert!(problems.is_empty(), "{problems:#?}\n{document:#}");
        document
    }

    #[track_caller]
    pub fn says(&self, text: &str) -> &Ran {
        assert!(self.stderr.contains(text), "{text:?} is not in\n{}", self.stderr);
        self
    }

    #[track_caller]
    pub fn shows(&self, text: &str) -> &Ran {
        assert!(self.stdout.contains(text), "{text:?} is not in\n{}", self.stdout);
        self
    }
}

/// How a document departs from the schema of a command.
pub fn problems(document: &Value, command: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/cargo-vendor-model.schema.json");
    let mut schema: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert!(schema["$defs"][command].is_object(), "no schema of {command}");
    schema.as_object_mut().unwrap().remove("anyOf");
    schema["$ref"] = format!("#/$defs/{command}").into();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let of = |error: jsonschema::ValidationError| format!("{}: {error}", error.instance_path());
    validator.iter_errors(document).map(of).collect()
}

/// Every file below `dir`, with `/`, and its bytes.
pub fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => {
                let below = contents(&entry.path()).into_iter();
                found.extend(below.map(|(path, bytes)| (format!("{name}/{path}"), bytes)));
            }
            false => drop(found.insert(name, fs::read(entry.path()).unwrap())),
        }
    }
    found
}

/// What npm installed for these tests; where it is not there, the test has to do without, and says so.
pub fn npm_package(name: &str) -> Option<PathBuf> {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/js");
    let found = scripts.join("node_modules").join(name);
    if !found.exists() {
        skip(&format!(
            "{name} is not there (npm ci --prefix build-support/cargo-vendor-model/tests/js)"
        ));
        return None;
    }
    Some(found)
}

/// Whether a program is there, which the test has to do without if it is not.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
    if !found {
        skip(&format!("{program} is not there"));
    }
    found
}

/// Says what is left out and why, past the test runner's capture and into the file that test.sh reads, or fails where
/// nothing may be left out.
fn skip(why: &str) {
    let all = std::env::var_os("REQUIRE_ALL").is_some_and(|value| value == "1");
    assert!(!all, "REQUIRE_ALL=1, and {why}");
    let line = format!("{}: {why}\n", std::thread::current().name().unwrap_or("a test"));
    let _ = write!(std::io::stderr(), "\nskipped: {line}");
    if let Some(log) = std::env::var_os("SKIPPED") {
        let file = fs::File::options().append(true).create(true).open(log);
        file.unwrap().write_all(line.as_bytes()).unwrap();
    }
}
