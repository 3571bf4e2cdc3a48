//! What is to be inspected -> the models that are meant, verified, in directories that can be read.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use url::Url;
use vendor_model::{Config, LockedModel, Vendored};

use crate::bundle::Packing;
use crate::failure::Failure;
use crate::held::{Held, hold, hold_out_of, temporary};
use crate::lock_file::{LockFile, address};
use crate::tree::Tree;

/// A model, and what has to stay while it is read.
pub struct Subject {
    pub model: Vendored,
    _kept: Option<TempDir>,
}

/// The model at a URL or path of a manifest, or those of a directory. `package` is where the package lock would be.
pub fn subjects(config: &Config, package: &Path, name: &str) -> Result<Vec<Subject>, Failure> {
    let path = Path::new(name);
    if !path.is_dir() {
        return single(config, package, name).map(|subject| vec![subject]);
    }
    match LockFile::of_directory(path)? {
        Some(own) => of_directory(config, path, &own),
        None => {
            let manifest = manifest_in(path)?;
            single(config, package, &manifest.to_string_lossy()).map(|subject| vec![subject])
        }
    }
}

/// A directory whose `models.lock` is that of a package or of a vendored directory, and no record of what `get` puts there.
pub fn refuse_shared(dir: &Path) -> Result<(), Failure> {
    let Some(own) = LockFile::of_directory(dir)? else { return Ok(()) };
    let is_there = |path: &str| dir.join(path).exists();
    let is_package = is_there("Cargo.toml") || is_there("vendor-models");
    let is_shelved = |model: &LockedModel| {
        let paths = model.files().iter().filter_map(|file| model.vendored_path(file).ok());
        paths.into_iter().any(|path| is_there(&path))
    };
    if !is_package && !own.pins.models().iter().any(is_shelved) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "cannot get a model into {}, which has a models.lock",
        dir.display()
    ))
    .fact("found", "it is the lockfile of a package, or of a vendored directory")
    .help("get it into a directory of its own"))
}

/// One that is pinned is the pinned one.
fn single(config: &Config, package: &Path, name: &str) -> Result<Subject, Failure> {
    if package.exists() {
        let lock = LockFile::at(package.to_owned())?;
        if let Some(pinned) = lock.find(name) {
            return hold(config, &lock, pinned).map(Subject::from);
        }
    }
    let address = address(name);
    refuse_unreadable(&address)?;
    let dir = temporary()?;
    let model = config.vendor_model(address, dir.path())?;
    Ok(Subject { model, _kept: Some(dir) })
}

/// What is on this machine and no manifest for certain.
fn refuse_unreadable(address: &str) -> Result<(), Failure> {
    let Some(path) = Url::parse(address).ok().and_then(|url| url.to_file_path().ok()) else {
        return Ok(());
    };
    let headline = if Packing::of(&path).is_ok() {
        "cannot look into archives"
    } else if !path.exists() {
        "there is no such file or directory, and no such model is pinned"
    } else {
        return Ok(());
    };
    Err(Failure::usage(headline)
        .fact("path", path.display())
        .help("name the URL of a manifest, its path, or a directory that has models"))
}

fn of_directory(config: &Config, dir: &Path, own: &LockFile) -> Result<Vec<Subject>, Failure> {
    let tree = Tree::of(dir)?;
    let models = own.pins.models().iter().map(|pinned| {
        let entry = pinned.files()[0].path();
        let is_flat = tree.layout(pinned).is_some_and(|paths| paths[0] == entry);
        if is_flat {
            let model = Vendored::open(dir, pinned.url())?;
            return Ok(Subject { model, _kept: None });
        }
        let mut config = config.clone();
        config.offline(true);
        hold_out_of(dir, &config, own, pinned).map(Subject::from)
    });
    models.collect()
}

/// `model.json`, or the only manifest.
fn manifest_in(dir: &Path) -> Result<PathBuf, Failure> {
    let usual = dir.join("model.json");
    if usual.is_file() {
        return Ok(usual);
    }
    let entries = fs::read_dir(dir).map_err(|error| Failure::io("read", dir, &error))?;
    let mut manifests: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    manifests.sort();
    match &manifests[..] {
        [single] => Ok(single.clone()),
        others => {
            let failure =
                Failure::new(format!("cannot tell which model of {} is meant", dir.display()));
            let failure =
                others.iter().fold(failure, |failure, path| failure.fact("found", path.display()));
            Err(failure.help("name the manifest itself, such as DIR/model.json"))
        }
    }
}

impl From<Held> for Subject {
    fn from(held: Held) -> Subject {
        Subject { model: held.model, _kept: Some(held.dir) }
    }
}
