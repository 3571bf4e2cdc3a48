//! The environment variables that this crate reads, by name and by value. The only reader of the environment.
//!
//! A value that cannot be read is an error, never a guess.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::config::LockMode;
use crate::error::Error;
use crate::package::{Package, Tree};

pub(crate) const OUT_DIR: &str = "OUT_DIR";
pub(crate) const MANIFEST_DIR: &str = "CARGO_MANIFEST_DIR";
const PACKAGE_NAME: &str = "CARGO_PKG_NAME";
const CARGO_HOME: &str = "CARGO_HOME";
pub(crate) const LOCK: &str = "VENDOR_MODEL_LOCK";
pub(crate) const OFFLINE: &str = "VENDOR_MODEL_OFFLINE";
const CARGO_OFFLINE: &str = "CARGO_NET_OFFLINE";
pub(crate) const VENDOR_DIR: &str = "VENDOR_MODEL_DIR";
const CARGO_CAINFO: &str = "CARGO_HTTP_CAINFO";
const CERT_FILE: &str = "SSL_CERT_FILE";

/// The variables that can change the outcome of a run that succeeded, so that cargo must watch them.
pub(crate) const WATCHED: [&str; 2] = [LOCK, VENDOR_DIR];

/// The environment variables that this crate reads, as they were when it looked.
#[derive(Debug, Default)]
pub(crate) struct Environment(HashMap<&'static str, OsString>);

impl Environment {
    pub fn of_this_process() -> Environment {
        const NAMES: [&str; 12] = [
            OUT_DIR,
            MANIFEST_DIR,
            PACKAGE_NAME,
            CARGO_HOME,
            "HOME",
            "USERPROFILE",
            LOCK,
            OFFLINE,
            CARGO_OFFLINE,
            VENDOR_DIR,
            CARGO_CAINFO,
            CERT_FILE,
        ];
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
        let set = NAMES.iter().filter_map(|&name| Some((name, std::env::var_os(name)?)));
        Environment(set.collect())
    }

    #[cfg(test)]
    pub fn of(variables: &[(&'static str, &str)]) -> Environment {
        Environment(variables.iter().map(|&(name, value)| (name, value.into())).collect())
    }

    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.0.get(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// A PEM file of certificates to trust in place of the built-in ones.
    pub fn certificates(&self) -> Option<PathBuf> {
        self.path(CARGO_CAINFO).or_else(|| self.path(CERT_FILE))
    }

    /// The package whose build script this is: cargo gives `OUT_DIR` to build scripts only, or nearly so.
    pub fn package(&self) -> Option<Package> {
        let dir = self.path(OUT_DIR).and_then(|_| self.path(MANIFEST_DIR))?;
        let home = self.path("HOME").or_else(|| self.path("USERPROFILE"));
        let cargo_home = self.path(CARGO_HOME).or_else(|| Some(home?.join(".cargo")));
        let name = self.0.get(PACKAGE_NAME).map(|name| name.to_string_lossy().into_owned());
        let tree = Tree::of(&dir, cargo_home.as_deref());
        Some(Package { name: name.unwrap_or_default(), dir, tree })
    }

    /// `auto`, `locked` or `update`, where something is asked for.
    pub fn lock_mode(&self) -> Result<Option<LockMode>, Error> {
        let Some(value) = self.0.get(LOCK) else { return Ok(None) };
        match value.to_str() {
            Some("") => Ok(None),
            Some("auto") => Ok(Some(LockMode::Auto)),
            Some("locked") => Ok(Some(LockMode::Locked)),
            Some("update") => Ok(Some(LockMode::Update)),
            _ => Err(Error::setting(LOCK, value, "auto, locked or update")),
        }
    }

    /// Our own variable decides if it is set, else cargo's.
    pub fn offline(&self) -> Result<bool, Error> {
        let own = self.flag(OFFLINE)?;
        let cargos = self.flag(CARGO_OFFLINE)?;
        Ok(own.or(cargos).unwrap_or(false))
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        match value.to_str() {
            Some("") => Ok(None),
            Some("1" | "true") => Ok(Some(true)),
            Some("0" | "false") => Ok(Some(false)),
            _ => Err(Error::setting(name, value, "1, true, 0 or false")),
        }
    }
}
