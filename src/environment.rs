//! The environment variables that this crate reads, by name and by value. The only reader of the environment.
//!
//! A value that cannot be read is an error, never a guess.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::config::LockMode;
use crate::error::Error;
use crate::package::{Package, Tree};
use crate::progress::Mode;

pub(crate) const OUT_DIR: &str = "OUT_DIR";
pub(crate) const MANIFEST_DIR: &str = "CARGO_MANIFEST_DIR";
const PACKAGE_NAME: &str = "CARGO_PKG_NAME";
const CARGO_HOME: &str = "CARGO_HOME";
pub(crate) const LOCK: &str = "VENDOR_MODEL_LOCK";
pub(crate) const OFFLINE: &str = "VENDOR_MODEL_OFFLINE";
const CARGO_OFFLINE: &str = "CARGO_NET_OFFLINE";
pub(crate) const VENDOR_DIR: &str = "VENDOR_MODEL_DIR";
pub(crate) const CACHE: &str = "VENDOR_MODEL_CACHE";
pub(crate) const MIRROR: &str = "VENDOR_MODEL_MIRROR";
pub(crate) const SKIP: &str = "VENDOR_MODEL_SKIP";
pub(crate) const DOCS_RS: &str = "DOCS_RS";
pub(crate) const PROGRESS: &str = "VENDOR_MODEL_PROGRESS";
const CARGO_QUIET: &str = "CARGO_TERM_QUIET";
const CARGO_PROGRESS: &str = "CARGO_TERM_PROGRESS_WHEN";
const CARGO_COLOUR: &str = "CARGO_TERM_COLOR";
const NO_COLOUR: &str = "NO_COLOR";
const TERM: &str = "TERM";
const CI: &str = "CI";

/// The executable that is running, by a path without links.
pub(crate) fn program() -> Result<PathBuf, Error> {
    let found = std::env::current_exe().and_then(std::fs::canonicalize);
    found.map_err(|error| Error::io("find", Path::new("the running program"), error))
}

/// All that are read.
const NAMES: &[&str] = &[
    OUT_DIR,
    MANIFEST_DIR,
    PACKAGE_NAME,
    CARGO_HOME,
    "HOME",
    "USERPROFILE",
    "LOCALAPPDATA",
    "XDG_CACHE_HOME",
    "PWD",
    LOCK,
    OFFLINE,
    CARGO_OFFLINE,
    VENDOR_DIR,
    CACHE,
    MIRROR,
    SKIP,
    DOCS_RS,
    PROGRESS,
    CARGO_QUIET,
    CARGO_PROGRESS,
    CARGO_COLOUR,
    NO_COLOUR,
    TERM,
    CI,
    "CARGO_NET_RETRY",
    "CARGO_HTTP_CAINFO",
    "SSL_CERT_FILE",
    "CARGO_HTTP_TIMEOUT",
    "CARGO_HTTP_USER_AGENT",
    "CARGO_HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "http_proxy",
    "HTTP_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "REQUEST_METHOD",
    "NETRC",
    "HF_TOKEN",
];

/// The variables that can change the outcome of a run that succeeded, so that cargo must watch them.
pub(crate) const WATCHED: [&str; 4] = [LOCK, VENDOR_DIR, SKIP, DOCS_RS];

/// Where `VENDOR_MODEL_CACHE` wants the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CacheAt {
    Dir(PathBuf),
    Off,
}

/// The environment variables that this crate reads, as they were when it looked. Some are secrets: there is no `Debug`.
#[derive(Default)]
pub(crate) struct Environment(HashMap<&'static str, OsString>);

impl Environment {
    pub fn of_this_process() -> Environment {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
        let set = NAMES.iter().filter_map(|&name| Some((name, std::env::var_os(name)?)));
        let mut set: HashMap<&'static str, OsString> = set.collect();
        if let (false, Ok(dir)) = (set.contains_key("PWD"), std::env::current_dir()) {
            set.insert("PWD", dir.into());
        }
        Environment(set)
    }

    #[cfg(any(test, fuzzing))]
    pub fn of(variables: &[(&'static str, &str)]) -> Environment {
        Environment(variables.iter().map(|&(name, value)| (name, value.into())).collect())
    }

    fn value(&self, name: &str) -> Option<&OsString> {
        debug_assert!(NAMES.contains(&name), "{name} is never read");
        self.0.get(name).filter(|value| !value.is_empty())
    }

    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.value(name).map(PathBuf::from)
    }

    /// A value that is text; none where it is empty.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        let Some(value) = self.value(name) else { return Ok(None) };
        value.to_str().map(Some).ok_or_else(|| Error::setting(name, value, "text in UTF-8"))
    }

    pub fn number(&self, name: &str) -> Result<Option<u64>, Error> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Error::setting(name, text, "a number"))
    }

    /// The proxy for addresses of this scheme, and the variable that names it.
    ///
    /// `HTTP_PROXY` does not count in what a web server has started: there it comes from the client.
    pub fn proxy(&self, scheme: &str) -> Result<Option<(&'static str, &str)>, Error> {
        let [small, large] = match scheme {
            "https" => ["https_proxy", "HTTPS_PROXY"],
            _ => ["http_proxy", "HTTP_PROXY"],
        };
        let served = self.value("REQUEST_METHOD").is_some();
        for name in ["CARGO_HTTP_PROXY", small, large, "all_proxy", "ALL_PROXY"] {
            if let Some(text) = self.text(name)?
                && !(served && name == "HTTP_PROXY")
            {
                return Ok(Some((name, text)));
            }
        }
        Ok(None)
    }

    /// The hosts that are asked without a proxy.
    pub fn no_proxy(&self) -> Result<Option<&str>, Error> {
        Ok(self.text("no_proxy")?.or(self.text("NO_PROXY")?))
    }

    /// Where logins are kept, and whether somebody has said so.
    pub fn netrc(&self) -> Option<(PathBuf, bool)> {
        let usual = if cfg!(windows) { "_netrc" } else { ".netrc" };
        let named = self.path("NETRC").map(|path| (path, true));
        named.or_else(|| Some((self.home()?.join(usual), false)))
    }

    /// The package whose build script this is: cargo gives `OUT_DIR` to build scripts only, or nearly so.
    pub fn package(&self) -> Option<Package> {
        let dir = self.path(OUT_DIR).and_then(|_| self.path(MANIFEST_DIR))?;
        let name = self.value(PACKAGE_NAME).map(|name| name.to_string_lossy().into_owned());
        let tree = Tree::of(&dir, self.cargo_home().as_deref());
        Some(Package { name: name.unwrap_or_default(), dir, tree })
    }

    pub fn cargo_home(&self) -> Option<PathBuf> {
        self.path(CARGO_HOME).or_else(|| Some(self.home()?.join(".cargo")))
    }

    /// Where cargo was called, as far as the shell has said, or this program.
    pub fn working_dir(&self) -> Option<PathBuf> {
        self.path("PWD").filter(|dir| dir.is_absolute())
    }

    fn home(&self) -> Option<PathBuf> {
        self.path("HOME").or_else(|| self.path("USERPROFILE"))
    }

    /// Where the platform keeps what its user can do without.
    pub fn user_cache(&self) -> Option<PathBuf> {
        let absolute = |path: &PathBuf| path.is_absolute();
        let found = if cfg!(windows) {
            self.path("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            self.home().map(|home| home.join("Library/Caches"))
        } else {
            let named = self.path("XDG_CACHE_HOME").filter(absolute);
            named.or_else(|| self.home().map(|home| home.join(".cache")))
        };
        found.filter(absolute)
    }

    /// What is asked for by name: a directory, or no cache at all.
    pub fn cache(&self) -> Option<CacheAt> {
        let path = self.path(CACHE)?;
        Some(if path.as_os_str() == "off" { CacheAt::Off } else { CacheAt::Dir(path) })
    }

    /// Our own variable decides if it is set; docs.rs sets the other, to whatever it likes.
    pub fn skip(&self) -> Result<bool, Error> {
        let docs_rs = self
            .path(DOCS_RS)
            .is_some_and(|value| value.as_os_str() != "0" && value.as_os_str() != "false");
        Ok(self.flag(SKIP)?.unwrap_or(docs_rs))
    }

    /// Whether what is drawn may have colours, as cargo decides it.
    pub fn colour(&self) -> bool {
        let never = self.0.get(CARGO_COLOUR).is_some_and(|when| when == "never");
        !never && self.path(NO_COLOUR).is_none()
    }

    /// What our own variable asks for.
    pub fn progress(&self) -> Result<Option<Mode>, Error> {
        let Some(own) = self.value(PROGRESS) else { return Ok(None) };
        match own.to_str() {
            Some("auto") => Ok(Some(Mode::Auto)),
            Some("tty") => Ok(Some(Mode::Tty)),
            Some("plain") => Ok(Some(Mode::Plain)),
            Some("never") => Ok(Some(Mode::Never)),
            _ => Err(Error::setting(PROGRESS, own, "auto, tty, plain or never")),
        }
    }

    /// Whether cargo would draw no bar.
    pub fn is_for_no_bar(&self) -> Result<bool, Error> {
        let is = |name: &str, text: &str| self.value(name).is_some_and(|value| value == text);
        let bare = is(CARGO_PROGRESS, "never") || is(TERM, "dumb") || self.value(CI).is_some();
        Ok(bare || self.flag(CARGO_QUIET)? == Some(true))
    }

    /// `auto`, `locked` or `update`, where something is asked for.
    pub fn lock_mode(&self) -> Result<Option<LockMode>, Error> {
        let Some(value) = self.value(LOCK) else { return Ok(None) };
        match value.to_str() {
            Some("auto") => Ok(Some(LockMode::Auto)),
            Some("locked") => Ok(Some(LockMode::Locked)),
            Some("update") => Ok(Some(LockMode::Update)),
            _ => Err(Error::setting(LOCK, value, "auto, locked or update")),
        }
    }

    /// Our own variable decides if it is set, else cargo's.
    pub fn offline(&self) -> Result<Option<bool>, Error> {
        let own = self.flag(OFFLINE)?;
        let cargos = self.flag(CARGO_OFFLINE)?;
        Ok(own.or(cargos))
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        let Some(value) = self.value(name) else { return Ok(None) };
        match value.to_str() {
            Some("1" | "true") => Ok(Some(true)),
            Some("0" | "false") => Ok(Some(false)),
            _ => Err(Error::setting(name, value, "1, true, 0 or false")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn the_cache_of_the_user_is_where_the_platform_says() {
        let cache = |set: &[(&'static str, &str)]| Environment::of(set).user_cache();
        assert_eq!(cache(&[("HOME", "/h")]), Some("/h/.cache".into()));
        assert_eq!(cache(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/c")]), Some("/c".into()));
        assert_eq!(cache(&[("HOME", "/h"), ("XDG_CACHE_HOME", "c")]), Some("/h/.cache".into()));
        assert_eq!(cache(&[("HOME", "h")]), None);
        assert_eq!(cache(&[]), None);
    }

    #[test]
    fn docs_rs_asks_to_skip_and_our_own_variable_decides() {
        let skip = |set: &[(&'static str, &str)]| Environment::of(set).skip().ok();
        assert_eq!(skip(&[]), Some(false));
        assert_eq!(skip(&[(SKIP, "1")]), Some(true));
        assert_eq!(skip(&[(SKIP, "")]), Some(false));
        assert_eq!(skip(&[(SKIP, "yes")]), None);
        assert_eq!(skip(&[(DOCS_RS, "1")]), Some(true));
        assert_eq!(skip(&[(DOCS_RS, "yes")]), Some(true));
        assert_eq!(skip(&[(DOCS_RS, "")]), Some(false));
        assert_eq!(skip(&[(DOCS_RS, "0")]), Some(false));
        assert_eq!(skip(&[(DOCS_RS, "1"), (SKIP, "0")]), Some(false));
    }

    #[test]
    fn progress_is_as_our_variable_says_and_cargos_are_for_no_bar() {
        use Mode::{Auto, Never, Tty};
        let progress = |value: &str| Environment::of(&[(PROGRESS, value)]).progress().ok();
        assert_eq!(progress(""), Some(None));
        assert_eq!(progress("auto"), Some(Some(Auto)));
        assert_eq!(progress("tty"), Some(Some(Tty)));
        assert_eq!(progress("never"), Some(Some(Never)));
        assert_eq!(progress("yes"), None);
        let bare = |set: &[(&'static str, &str)]| Environment::of(set).is_for_no_bar().ok();
        assert_eq!(bare(&[]), Some(false));
        assert_eq!(bare(&[(CARGO_QUIET, "true")]), Some(true));
        assert_eq!(bare(&[(CARGO_QUIET, "false")]), Some(false));
        assert_eq!(bare(&[(CARGO_QUIET, "perhaps")]), None);
        assert_eq!(bare(&[(CARGO_PROGRESS, "never")]), Some(true));
        assert_eq!(bare(&[(CARGO_PROGRESS, "always")]), Some(false));
        assert_eq!(bare(&[(TERM, "dumb")]), Some(true));
        assert_eq!(bare(&[(CI, "true")]), Some(true));
    }
}
