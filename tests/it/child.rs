//! This very program, run again as a process that vendors: to be killed, and to be one of a crowd.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use vendor_model::Config;

const URL: &str = "CHILD_URL";
const OUT: &str = "CHILD_OUT";
const CACHE: &str = "CHILD_CACHE";
const LOCK: &str = "CHILD_LOCK";

/// Does nothing but in a process that [`Vendoring`] starts.
#[test]
fn vendors() {
    let (Some(url), Some(out)) = (env::var_os(URL), env::var_os(OUT)) else { return };
    let mut config = Config::new();
    config.no_cache().retries(0);
    env::var_os(CACHE).map(|cache| config.cache_dir(cache));
    env::var_os(LOCK).map(|lock| config.lockfile(lock));
    if let Err(error) = config.vendor_model(url.to_str().unwrap(), out) {
        panic!("{error}");
    }
}

/// A process to be started that vendors one model.
#[derive(Debug)]
pub struct Vendoring(Command);

impl Vendoring {
    pub fn of(url: &str, out: &Path) -> Vendoring {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "child::vendors", "--nocapture", "--test-threads=1"]);
        for name in crate::support::OF_THE_DEVELOPER.iter().chain(&["OUT_DIR"]) {
            command.env_remove(name);
        }
        command.env("VENDOR_MODEL_PROGRESS", "plain").env("RUST_BACKTRACE", "0");
        // A busy machine may take long to start all those for whom one is held.
        command.env("CARGO_HTTP_TIMEOUT", "300");
        Vendoring(command).with(URL, url).with(OUT, out)
    }

    pub fn cache(self, dir: &Path) -> Vendoring {
        self.with(CACHE, dir)
    }

    pub fn lock(self, path: &Path) -> Vendoring {
        self.with(LOCK, path)
    }

    pub fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Vendoring {
        self.0.env(name, value);
        self
    }

    /// As the user who may do the least. None where that one may not even run this program.
    #[cfg(unix)]
    pub fn by_nobody(mut self) -> Option<Vendoring> {
        const NOBODY: u32 = 65534;
        use std::os::unix::process::CommandExt;
        self.0.uid(NOBODY).gid(NOBODY).current_dir("/");
        let mut trial = Command::new(env::current_exe().unwrap());
        let runs = trial.arg("--list").uid(NOBODY).current_dir("/").stdout(Stdio::null()).status();
        runs.is_ok_and(|status| status.success()).then_some(self)
    }

    pub fn start(mut self) -> Running {
        Running::start(&mut self.0)
    }
}

/// A process that is listened to. It does not outlive the test.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Running {
    pub fn start(command: &mut Command) -> Running {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Running { child, stderr, said: String::new() }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it says something with this text in it.
    #[track_caller]
    pub fn hear(&mut self, text: &str) {
        let mut from = 0;
        while !self.said[from..].contains(text) {
            from = self.said.len();
            let n = self.stderr.read_line(&mut self.said).unwrap();
            assert!(n > 0, "it never said {text:?}, but:\n{}", self.said);
        }
    }

    /// Whether it ended well, and what it said.
    pub fn end(mut self) -> (bool, String) {
        self.stderr.read_to_string(&mut self.said).unwrap();
        (self.child.wait().unwrap().success(), std::mem::take(&mut self.said))
    }

    #[track_caller]
    pub fn succeeds(self) -> String {
        let (ok, said) = self.end();
        assert!(ok, "{said}");
        said
    }

    #[track_caller]
    pub fn fails(self) -> String {
        let (ok, said) = self.end();
        assert!(!ok, "it did not fail, but:\n{said}");
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Libraries that change what the system calls of a process do: those of `tests/data/preload`.
#[cfg(target_os = "linux")]
pub mod preload {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use super::Vendoring;
    use crate::shared_folder::skip;

    /// Compiles `name`. None, and the test is skipped by name, where that cannot be done.
    pub fn compiled(name: &str) -> Option<PathBuf> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/preload").join(name);
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let fresh = tempfile::NamedTempFile::new_in(dir).unwrap();
        let mut cc = Command::new("cc");
        cc.args(["-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o"]);
        match cc.arg(fresh.path()).arg(source).status() {
            Err(error) => {
                skip(&format!("there is no C compiler (cc: {error})"));
                return None;
            }
            Ok(status) => assert!(status.success(), "{name} cannot be compiled"),
        }
        // Other tests may be running with it.
        let library = dir.join(name).with_extension("so");
        fresh.persist(&library).unwrap();
        Some(library)
    }

    impl Vendoring {
        pub fn preload(self, library: &Path) -> Vendoring {
            self.with("LD_PRELOAD", library)
        }
    }
}
