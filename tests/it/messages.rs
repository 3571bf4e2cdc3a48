//! The errors that are likeliest, as whoever builds reads them: `tests/data/golden/errors.txt`.

use std::fs;
use std::path::{Path, PathBuf};

use model_host::{Fault, Host};
use tempfile::TempDir;
use vendor_model::{Config, Error, LockMode};

use crate::support::{config, host_of, manifest, model};

/// A package with a model that it has vendored before, and its host.
struct Package {
    host: Host,
    dir: TempDir,
}

impl Package {
    fn new() -> Package {
        let package = Package { host: host_of(&model()).start(), dir: TempDir::new().unwrap() };
        package.vendor(&mut package.config()).unwrap();
        package
    }

    /// One that has nothing yet.
    fn fresh() -> Package {
        Package { host: host_of(&model()).start(), dir: TempDir::new().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn config(&self) -> Config {
        let mut config = config();
        config.retries(0).lockfile(self.path("models.lock"));
        config
    }

    fn vendor(&self, config: &mut Config) -> Result<(), Error> {
        let url = self.host.url("/m/model.json");
        config.vendor_model(url, self.path("out")).map(drop)
    }

    /// What a run says that goes by the defaults.
    fn error(&self) -> String {
        self.says(&mut self.config())
    }

    fn says(&self, config: &mut Config) -> String {
        self.shown(&self.vendor(config).unwrap_err())
    }

    /// The same on every machine.
    fn shown(&self, error: &Error) -> String {
        let text = error.to_string();
        let text = text.replace(&self.host.url("/"), "http://models.example/");
        text.replace(self.dir.path().to_str().unwrap(), "/work/app")
    }

    fn lose(&self, name: &str) {
        fs::remove_file(self.path("out").join(name)).unwrap();
    }
}

/// What happens, and what is said of it.
fn all() -> Vec<(&'static str, String)> {
    const SHARD: &str = "group1-shard2of3.bin";
    const ADDRESS: &str = "/m/group1-shard2of3.bin";
    let faulty = |path: &str, fault: Fault| {
        let package = Package::fresh();
        package.host.fault(path, fault.always());
        package
    };
    let lost = |fault: Fault| {
        let package = Package::new();
        package.lose(SHARD);
        package.host.fault(ADDRESS, fault.always());
        package
    };
    let instead = |manifest: &str| {
        let package = Package::fresh();
        package.host.put("/m/model.json", manifest);
        package.error()
    };
    let locked = |text: &str| {
        let package = Package::new();
        fs::write(package.path("models.lock"), text).unwrap();
        package.error()
    };
    vec![
        ("a shard is missing at the host", faulty(ADDRESS, Fault::status(404)).error()),
        ("the host wants to know who asks", faulty("/m/model.json", Fault::status(403)).error()),
        ("the host has too much to do", {
            let package = lost(Fault::status(503));
            package.says(package.config().retries(1))
        }),
        ("the transfer is cut again and again", {
            let package = lost(Fault::cut_after(3));
            package.says(package.config().retries(1))
        }),
        ("nobody listens", {
            let package = Package::fresh();
            let error = config()
                .retries(0)
                .vendor_model("http://127.0.0.1:1/m/model.json", package.path("out"));
            package.shown(&error.unwrap_err())
        }),
        ("the host is certified by nobody that is trusted", {
            let mut package = Package::fresh();
            package.host = host_of(&model()).tls().start();
            package.error()
        }),
        ("a redirect goes round in circles", faulty(ADDRESS, Fault::redirect(ADDRESS)).error()),
        ("the host has other bytes than are pinned", {
            let package = Package::new();
            package.lose(SHARD);
            package.host.put(ADDRESS, "89ABCDEF");
            package.error()
        }),
        ("the host has a page in place of what is pinned", lost(Fault::html()).error()),
        (
            "the host has a page in place of what is not pinned",
            faulty(ADDRESS, Fault::html()).error(),
        ),
        (
            "the URL is that of a page",
            instead("<!doctype html><html><body>model.json at main</body></html>"),
        ),
        (
            "the URL is that of a Git LFS pointer",
            instead("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
        ),
        ("the URL is that of a Keras model", instead("\u{89}HDF\r\n\u{1a}\n\0\0\0\0")),
        ("the manifest is cut", instead(r#"{"weightsManifest": [{"paths": ["group1-sha"#)),
        (
            "the manifest has a dtype that nobody knows",
            instead(&manifest(&["a"], 1).replace("\"bool\"", "\"int4\"")),
        ),
        (
            "the manifest leads out of out_dir",
            instead(&manifest(&["../a.bin", "C:\\b.bin", "c.bin."], 1)),
        ),
        ("the shards are too short", {
            let package = Package::fresh();
            package.host.put(ADDRESS, "89ab");
            package.error()
        }),
        ("the model is larger than it may be", {
            let package = Package::fresh();
            package.host.put("/m/model.json", manifest(&["a"], 5_000_000));
            package.says(package.config().max_bytes(1_000_000))
        }),
        ("something is missing offline", {
            let package = Package::new();
            package.lose(SHARD);
            package.says(package.config().offline(true))
        }),
        ("nothing is pinned and the lock is locked", {
            let package = Package::fresh();
            package.says(package.config().lock_mode(LockMode::Locked))
        }),
        (
            "the lock has a merge conflict",
            locked("<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n"),
        ),
        ("the lock is of a later release", locked(r#"{"version": 2, "packages": {}}"#)),
        ("the lock is no lock", locked("{}")),
        ("two models dispute a file", {
            let package = Package::new();
            package.host.put("/n/model.json", manifest(&["b.bin"], 1));
            package.host.put("/n/b.bin", "b");
            let error = package
                .config()
                .vendor_model(package.host.url("/n/model.json"), package.path("out"));
            package.shown(&error.unwrap_err())
        }),
        ("out_dir is a file", {
            let package = Package::fresh();
            fs::write(package.path("out"), "").unwrap();
            package.error()
        }),
        ("a directory is in the way", {
            let package = Package::new();
            package.lose(SHARD);
            fs::create_dir(package.path("out").join(SHARD)).unwrap();
            package.error()
        }),
        ("the address is none", {
            let package = Package::fresh();
            let error = package.config().vendor_model("models/model.json", package.path("out"));
            package.shown(&error.unwrap_err())
        }),
        ("the address has a secret in its query", {
            let package = Package::fresh();
            let url = "https://models.example/model.json?X-Goog-Signature=0123abcd";
            package.shown(&package.config().vendor_model(url, package.path("out")).unwrap_err())
        }),
    ]
}

#[test]
fn the_likeliest_errors_say_what_was_done_on_what_why_it_failed_and_what_to_do() {
    let found: String =
        all().iter().map(|(when, error)| format!("# {when}\n\n{error}\n\n")).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden/errors.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    for (found, expected) in found.split("# ").zip(expected.split("# ")) {
        assert_eq!(found, expected, "BLESS=1 takes what is said now");
    }
    assert_eq!(found.len(), expected.len());
}
