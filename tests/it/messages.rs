//! The twenty likeliest errors, word for word: `tests/data/golden/messages.txt`. `BLESS=1` takes what is said now.

use std::fs;
use std::path::{Path, PathBuf};

use model_host::{Fault, Host};
use tempfile::TempDir;
use vendor_model::{Config, Error, LockMode};

use crate::support::{config, host_of, manifest, model};

const SHARD: &str = "/m/group1-shard2of3.bin";

/// A model at a host, and a place to vendor it into.
struct Scene {
    host: Host,
    dir: TempDir,
}

impl Scene {
    fn new() -> Scene {
        Scene::of(host_of(&model()).start())
    }

    fn of(host: Host) -> Scene {
        Scene { host, dir: TempDir::new().unwrap() }
    }

    fn with(fault: Fault) -> Scene {
        Scene::of(host_of(&model()).fault(SHARD, fault.always()).start())
    }

    fn manifest(text: impl Into<Vec<u8>>) -> Scene {
        Scene::of(Host::builder().file("/m/model.json", text).start())
    }

    fn pinned(self) -> Scene {
        self.vendor(&self.config()).unwrap();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn config(&self) -> Config {
        let mut config = config();
        config.lockfile(self.path("models.lock")).retries(0);
        config
    }

    fn vendor(&self, config: &Config) -> Result<vendor_model::Vendored, Error> {
        config.vendor_model(self.host.url("/m/model.json"), self.path("out"))
    }

    fn says(&self, config: &Config) -> String {
        self.says_of(&self.host.url("/m/model.json"), config)
    }

    /// The text, in which what differs from run to run goes by a name.
    fn says_of(&self, url: &str, config: &Config) -> String {
        let text = config.vendor_model(url, self.path("out")).unwrap_err().to_string();
        let (dir, host) = (self.dir.path().to_str().unwrap(), self.host.addr());
        let text = text.replace(&host.to_string(), "HOST").replace(dir, "DIR");
        let text = text.replace(&format!("localhost:{}", host.port()), "HOST");
        // Each system has numbers of its own.
        match text.split_once(" (os error ").map(|(before, after)| (before, after.split_once(')')))
        {
            Some((before, Some((_, after)))) => format!("{before}{after}"),
            _ => text,
        }
    }

    fn fails(&self) -> String {
        self.says(&self.config())
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What happened, and what is said.
fn errors() -> Vec<(&'static str, String)> {
    let mut said = Vec::new();
    let mut when = |what, text: String| said.push((what, text));

    when("the host does not have a shard", Scene::with(Fault::status(404)).fails());
    when("the host wants to know who asks", Scene::with(Fault::status(403)).fails());
    when("the host has too much to do", {
        let scene = Scene::with(Fault::status(503));
        scene.says(scene.config().retries(1))
    });
    when("nobody listens", {
        let scene = Scene::with(Fault::redirect("http://127.0.0.1:1/a?token=t"));
        scene.fails()
    });
    when("the host is certified by nobody who is trusted", {
        Scene::of(host_of(&model()).tls().start()).fails()
    });
    when("a redirect goes in circles", Scene::with(Fault::redirect(SHARD)).fails());
    when("the host sends a page in place of a shard", Scene::with(Fault::html()).fails());
    when("a shard is cut off", Scene::with(Fault::cut_after(3)).fails());
    when(
        "a shard is cut off and nobody can tell",
        Scene::with(Fault::cut_close_delimited(3)).fails(),
    );
    when("a shard is a pointer of Git LFS", {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 8\n";
        Scene::with(Fault::body(pointer)).fails()
    });
    when("the address leads to a page", Scene::manifest("<!doctype html><html></html>").fails());
    when("the address leads to no manifest", Scene::manifest("{\"hello\": 1}").fails());
    when("a manifest is cut off", Scene::manifest(&model()["model.json"][..50]).fails());
    when("a manifest names paths that lead away", {
        Scene::manifest(manifest(&["../a", "b?c", "C:d"], 1)).fails()
    });
    when("the shards do not fit the specs", {
        let scene = Scene::new();
        scene.host.put(SHARD, "short");
        scene.fails()
    });
    when("the model changed upstream", {
        let scene = Scene::new().pinned();
        fs::remove_dir_all(scene.path("out")).unwrap();
        scene.host.put(SHARD, "89ABCDEF");
        scene.fails()
    });
    when("the host sends a page in place of what is pinned", {
        let scene = Scene::new().pinned();
        scene.host.fault(SHARD, Fault::html().always());
        fs::remove_file(scene.path("out/group1-shard2of3.bin")).unwrap();
        scene.fails()
    });
    when("a manifest has a dtype that nobody knows", {
        Scene::manifest(manifest(&["a"], 1).replace("\"bool\"", "\"int4\"")).fails()
    });
    when("the address is that of a Keras model", Scene::manifest(b"\x89HDF\r\n\x1a\n\0\0").fails());
    when("two models dispute a file", {
        let scene = Scene::new().pinned();
        scene.host.put("/n/model.json", manifest(&["b.bin"], 1));
        scene.host.put("/n/b.bin", "b");
        scene.says_of(&scene.host.url("/n/model.json"), &scene.config())
    });
    when("the address is none", {
        let scene = Scene::new();
        scene.says_of("models/model.json", &scene.config())
    });
    when("the address has a secret in its query", {
        let scene = Scene::new();
        let url = "https://models.example/model.json?X-Goog-Signature=0123abcd";
        scene.says_of(url, &scene.config())
    });
    when("it is not pinned and the lock is locked", {
        let scene = Scene::new();
        scene.says(scene.config().lock_mode(LockMode::Locked))
    });
    when("files are missing offline", {
        let scene = Scene::new().pinned();
        fs::remove_file(scene.path("out/group1-shard2of3.bin")).unwrap();
        scene.says(scene.config().offline(true))
    });
    when("nothing is known of it offline", {
        let scene = Scene::new();
        scene.says(scene.config().offline(true))
    });
    when("the lock has a merge conflict", {
        let scene = Scene::new();
        write(&scene.path("models.lock"), "{\n<<<<<<< ours\n=======\n>>>>>>> theirs\n}\n");
        scene.fails()
    });
    when("the lock is of a later release", {
        let scene = Scene::new();
        write(&scene.path("models.lock"), "{\"version\": 9, \"models\": []}\n");
        scene.fails()
    });
    when("a file is where the directory should be", {
        let scene = Scene::new();
        write(&scene.path("out"), "a file");
        scene.fails()
    });
    when("a directory is where a file should be", {
        let scene = Scene::new();
        fs::create_dir_all(scene.path("out/group1-shard2of3.bin/full")).unwrap();
        scene.fails()
    });
    when("the model is larger than it may be", {
        let scene = Scene::new();
        scene.says(scene.config().max_bytes(10))
    });
    said
}

#[cfg(unix)]
#[test]
fn the_likeliest_errors_say_what_to_do_next() {
    let said: String =
        errors().iter().map(|(what, text)| format!("# {what}\n{text}\n\n")).collect();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden/messages.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&golden, &said).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap().replace("\r\n", "\n");
    for (found, expected) in said.split("\n\n").zip(expected.split("\n\n")) {
        assert_eq!(found, expected);
    }
    assert_eq!(said.len(), expected.len());
}

#[test]
fn what_is_kept_of_a_download_is_told_and_gone_on_with() {
    const LENGTH: usize = 1_000_000;
    let scene = Scene::manifest(manifest(&["group1-shard2of3.bin"], LENGTH));
    scene.host.put(SHARD, vec![7; LENGTH]);
    scene.host.fault(SHARD, Fault::cut_after(LENGTH as u64 / 2));
    let mut config = scene.config();
    config.cache_dir(scene.path("cache"));
    let said = scene.says(&config);
    let (_, kept) = said.split_once("\n  kept: ").unwrap_or_else(|| panic!("{said}"));
    let (kept, _) =
        kept.split_once(" bytes in the cache, from which the next run goes on").unwrap();
    scene.vendor(&config).unwrap();
    let range = scene.host.requests_for(SHARD)[1].header("range").map(str::to_owned);
    assert_eq!(range, Some(format!("bytes={kept}-")));
}

#[test]
fn nothing_is_said_to_be_kept_that_no_run_goes_on_with() {
    const LENGTH: usize = 1_000_000;
    let host = Host::builder()
        .file("/m/model.json", manifest(&["group1-shard2of3.bin"], LENGTH))
        .file(SHARD, vec![7; LENGTH])
        .fault(SHARD, Fault::cut_after(LENGTH as u64 / 2))
        .weak_etags();
    let scene = Scene::of(host.start());
    let mut config = scene.config();
    config.cache_dir(scene.path("cache"));
    let said = scene.says(&config);
    assert!(said.contains("broke off") && !said.contains("kept:"), "{said}");
    let left = fs::read_dir(scene.path("cache/partial")).unwrap().map(|entry| entry.unwrap());
    let left: Vec<_> = left.filter(|entry| entry.metadata().unwrap().len() > 1000).collect();
    assert!(left.is_empty(), "{left:?}");
}
