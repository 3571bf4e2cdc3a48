//! What is asked for: [`Config`], every knob that a build script can turn.
//!
//! Decides nothing; `policy` does.

use std::path::PathBuf;

use crate::progress::Mode;
use crate::secret::Secret;

/// How models are vendored. The default is right for most build scripts.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let out = std::path::PathBuf::new();
/// let model = vendor_model::Config::new()
///     .extra_file("metadata.json")
///     .vendor_model("https://models.example/speech/model.json", out.join("speech"))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub(crate) lockfile: Option<PathBuf>,
    pub(crate) lock_mode: Option<LockMode>,
    pub(crate) offline: bool,
    pub(crate) vendor_dir: Option<PathBuf>,
    pub(crate) cache_dir: Option<PathBuf>,
    pub(crate) no_cache: bool,
    /// Prefix and replacement.
    pub(crate) mirrors: Vec<(String, Secret)>,
    pub(crate) headers: Vec<(String, Secret)>,
    pub(crate) extra_files: Vec<String>,
    pub(crate) entry_name: Option<String>,
    pub(crate) connections: Option<usize>,
    pub(crate) retries: Option<u32>,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) silent: bool,
    pub(crate) progress: Mode,
    pub(crate) color: Option<bool>,
}

/// What may happen to the lockfile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LockMode {
    /// What is pinned must match; what is not is pinned at its first download, as cargo does with `Cargo.lock`.
    #[default]
    Auto,
    /// What is not pinned is refused.
    Locked,
    /// The hosts are asked again and the pins follow them. An act of a person, by `VENDOR_MODEL_LOCK=update`:
    /// in a build script it is [`ErrorKind::Config`](crate::ErrorKind::Config).
    Update,
}

impl Config {
    /// The defaults.
    pub fn new() -> Config {
        Config::default()
    }

    /// The package lock. Default: `models.lock` beside the `Cargo.toml` of the package whose build script runs;
    /// none elsewhere. Relative to the package.
    pub fn lockfile(&mut self, path: impl Into<PathBuf>) -> &mut Config {
        self.lockfile = Some(path.into());
        self
    }

    /// What may happen to the lockfile. Default: [`LockMode::Auto`]. `VENDOR_MODEL_LOCK` may ask for something else;
    /// the stricter of the two wins.
    pub fn lock_mode(&mut self, mode: LockMode) -> &mut Config {
        self.lock_mode = Some(mode);
        self
    }

    /// Whether to do without the network. Default: as `VENDOR_MODEL_OFFLINE` says, else `CARGO_NET_OFFLINE`, else
    /// `net.offline` in cargo's configuration.
    /// `true` is never undone by the environment.
    pub fn offline(&mut self, offline: bool) -> &mut Config {
        self.offline = offline;
        self
    }

    /// A directory of vendored models, `<dir>/<host>/<path>`, that is used before the network. Default:
    /// `VENDOR_MODEL_DIR`, which also wins over this setting, else `vendor-models` beside `Cargo.toml`.
    pub fn vendor_dir(&mut self, path: impl Into<PathBuf>) -> &mut Config {
        self.vendor_dir = Some(path.into());
        self
    }

    /// Where downloaded files are kept for all projects of the user. Default: `VENDOR_MODEL_CACHE`, which also wins over
    /// this setting, else `vendor-model` in the user's cache directory: `$XDG_CACHE_HOME` or `~/.cache`,
    /// `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows. Relative to the package.
    pub fn cache_dir(&mut self, path: impl Into<PathBuf>) -> &mut Config {
        self.cache_dir = Some(path.into());
        self.no_cache = false;
        self
    }

    /// Keeps no cache, unless `VENDOR_MODEL_CACHE` names a directory.
    pub fn no_cache(&mut self) -> &mut Config {
        self.no_cache = true;
        self
    }

    /// Asks a mirror: an address that begins with `prefix`, a URL that ends in `/`, is asked for with `replacement` in
    /// the place of `prefix`. Lockfiles go on naming the address itself. Default: none; every call adds one; the
    /// longest prefix wins, and rules of `VENDOR_MODEL_MIRROR` win over those of the same prefix here.
    ///
    /// What the mirror does not have is not looked for elsewhere, unless `replacement` ends with `,direct`.
    pub fn mirror(
        &mut self,
        prefix: impl Into<String>,
        replacement: impl Into<String>,
    ) -> &mut Config {
        self.mirrors.push((prefix.into(), Secret::new(replacement)));
        self
    }

    /// A request header, such as `Authorization`. It goes to the host and port of the model's URL only, never to a
    /// mirror or to where a redirect leads, and only over https or to this machine. Default: none; every call adds one.
    /// An `Authorization` given here wins over `NETRC` and `HF_TOKEN`.
    pub fn header(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Config {
        self.headers.push((name.into(), Secret::new(value)));
        self
    }

    /// A file that lies beside the shards and that no manifest lists, such as `metadata.json` or `vocab.json`.
    /// Its URL is formed like a shard's. Default: none; every call adds one.
    pub fn extra_file(&mut self, relative_path: impl Into<String>) -> &mut Config {
        self.extra_files.push(relative_path.into());
        self
    }

    /// The name of the manifest in `out_dir`. Default: the last segment of its URL, or `model.json`.
    pub fn entry_name(&mut self, name: impl Into<String>) -> &mut Config {
        self.entry_name = Some(name.into());
        self
    }

    /// How many files are downloaded at once. Default: 6; at least 1.
    pub fn connections(&mut self, n: usize) -> &mut Config {
        self.connections = Some(n);
        self
    }

    /// How often a download is tried again after a failure that may pass. Default: 3. `CARGO_NET_RETRY` and `net.retry`
    /// in cargo's configuration win over this setting.
    pub fn retries(&mut self, n: u32) -> &mut Config {
        self.retries = Some(n);
        self
    }

    /// How many bytes the files of one model may have together. Default: 16 GiB.
    pub fn max_bytes(&mut self, n: u64) -> &mut Config {
        self.max_bytes = Some(n);
        self
    }

    /// Whether to print directives for cargo. Default: `true` in a build script; nothing is printed elsewhere.
    pub fn cargo_metadata(&mut self, print: bool) -> &mut Config {
        self.silent = !print;
        self
    }

    /// Where the progress of downloads is shown. Default: `VENDOR_MODEL_PROGRESS`, which also wins over this setting,
    /// unless that is [`Never`](Mode::Never); else [`Auto`](Mode::Auto), as cargo's own variables allow.
    pub fn progress(&mut self, mode: Mode) -> &mut Config {
        self.progress = mode;
        self
    }

    /// Whether the progress of downloads may be shown in colour. Default: as `CARGO_TERM_COLOR` and `NO_COLOR` say.
    pub fn color(&mut self, color: bool) -> &mut Config {
        self.color = Some(color);
        self
    }
}
