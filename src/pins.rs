//! Where pins are found: the package lock, the vendored directory's, or the record of an earlier run.
//!
//! The only reader of lockfiles on disk. Decides which of them speak for a model; writes nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::LockMode;
use crate::error::{Error, ErrorKind};
use crate::lockfile::{LockedFile, LockedModel, Lockfile};
use crate::package::Tree;
use crate::path::{RECORD, slashed};
use crate::policy::Policy;
use crate::source::ModelUrl;
use crate::staging;

impl Lockfile {
    /// Reads the lockfile at `path`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] where it cannot be read or is not there, [`ErrorKind::Lock`] where it is no lockfile.
    pub fn read(path: impl AsRef<Path>) -> Result<Lockfile, Error> {
        let path = path.as_ref();
        // A pipe would be read only once somebody writes to it.
        if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            let headline = format!("cannot read the lockfile {}", path.display());
            let error = Error::new(ErrorKind::Io, headline).fact("found", "it is no regular file");
            return Err(error.help("move it away"));
        }
        let text = fs::read_to_string(path).map_err(|error| Error::io("read", path, error))?;
        Lockfile::from_text(&text).map_err(|error| Error::lockfile(path, error))
    }

    /// Parses the text of a lockfile.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Lock`] with the reason.
    pub fn parse(text: &str) -> Result<Lockfile, Error> {
        Lockfile::from_text(text).map_err(|error| Error::lockfile(Path::new(RECORD), error))
    }
}

/// The lockfile at `path`; `None` where there is none.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Lockfile>, Error> {
    match fs::metadata(path) {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        _ => Lockfile::read(path).map(Some),
    }
}

/// The name of a model in lockfiles, and what they say of it.
#[derive(Debug)]
pub(crate) struct Pins {
    pub name: String,
    /// The package lock, where one may be written for this model.
    pub package_lock: Option<PathBuf>,
    /// What `out_dir` is recorded to hold, of all models.
    pub record: Lockfile,
    pub pinned: Option<LockedModel>,
    /// Whether it is the package lock that pins it.
    pub is_packaged: bool,
    /// What the vendored directory's lockfile says, also where it was left aside.
    pub vendored: Option<LockedModel>,
}

impl Pins {
    pub fn find(policy: &Policy, model: &ModelUrl, out_dir: &Path) -> Result<Pins, Error> {
        let record_path = out_dir.join(RECORD);
        let vendored_path = policy.vendor_dir.as_ref().map(|dir| dir.join(RECORD));
        for other in policy.lockfile.iter().chain(&vendored_path) {
            let other =
                std::path::absolute(other).map_err(|error| Error::io("find", other, error))?;
            if other == record_path {
                return Err(not_its_own(out_dir));
            }
        }
        let (name, local) = name(model, policy.lockfile.as_deref());
        let package_path = policy.lockfile.as_ref().filter(|_| !local);
        let package_lock = package_path.map(|path| read_if_there(path)).transpose()?.flatten();
        let is_update = policy.lock_mode == LockMode::Update;
        let vendored_lock = match vendored_path.as_deref().map(read_if_there).transpose() {
            // It is left aside, and only says what was pinned until now.
            Err(_) if is_update => None,
            read => read?.flatten(),
        };
        let writable = package_path.filter(|path| may_write(policy, path, package_lock.is_some()));
        let record = match (read_if_there(&record_path), writable) {
            // The record is an output like any other where there is a package lock, and heals like one.
            (record, Some(_)) => record.unwrap_or_default(),
            (record, None) => record?,
        };

        let committed = [
            package_path.zip(package_lock.as_ref()),
            vendored_path.as_ref().zip(vendored_lock.as_ref()),
        ];
        let speaks = |lock: &&(&PathBuf, &Lockfile)| lock.1.model(&name).is_some();
        match (committed.iter().flatten().find(speaks), package_path, writable) {
            _ if !is_update => agree(&name, &committed, policy)?,
            (Some((pinned_by, _)), Some(path), None) => {
                return Err(immovable(&name, pinned_by, path));
            }
            _ => {}
        }
        // Elsewhere the record is an output, and what it says of pins is old news. Who skips wants what is there.
        let last_resort = record.as_ref().filter(|_| writable.is_none() || policy.skip);
        let packaged = package_lock.and_then(|mut lockfile| lockfile.remove(&name));
        let vendored = vendored_lock.and_then(|mut lockfile| lockfile.remove(&name));
        let is_packaged = packaged.is_some();
        let pinned = packaged.or_else(|| vendored.clone());
        let recorded = || last_resort.and_then(|record| record.model(&name)).cloned();
        Ok(Pins {
            pinned: pinned.or_else(recorded),
            is_packaged,
            vendored,
            package_lock: writable.cloned(),
            record: record.unwrap_or_default(),
            name,
        })
    }
}

impl Pins {
    /// What `out_dir` is recorded to hold besides this model.
    pub fn without(&self, model: &LockedModel) -> Lockfile {
        let mut others = self.record.clone();
        others.remove(&model.url);
        others
    }
}

/// Else every model of that lockfile would count as vendored there, and its files as ours.
fn not_its_own(out_dir: &Path) -> Error {
    let headline = format!("cannot vendor into {}, which has a models.lock", out_dir.display());
    Error::new(ErrorKind::Config, headline)
        .fact("found", "it is the lockfile of the package, or of the vendored directory")
        .help("vendor into a directory of its own, such as one below OUT_DIR")
}

/// Else the next build would go by the old pins again, and find other bytes.
fn immovable(name: &str, pinned_by: &Path, lockfile: &Path) -> Error {
    Error::new(ErrorKind::Lock, format!("cannot update the pins of {name}"))
        .fact("pinned by", pinned_by.display())
        .fact("found", format!("{} may not be written", lockfile.display()))
        .help("make it writable, or build without VENDOR_MODEL_LOCK=update")
}

/// A `file:` address below the package lock is recorded relative to it, and one elsewhere not in the package at all.
pub(crate) fn name(model: &ModelUrl, lockfile: Option<&Path>) -> (String, bool) {
    let Some(file) = model.on_disk() else { return (model.recorded().to_owned(), false) };
    let lockfile = lockfile.and_then(|path| std::path::absolute(path).ok());
    match lockfile.as_deref().and_then(Path::parent).and_then(|dir| below(&file, dir)) {
        Some(path) => (format!("./{path}"), false),
        None => (model.recorded().to_owned(), true),
    }
}

/// From `dir` to `file`, with `/`. Either may be written with `..` or lead through links.
pub(crate) fn below(file: &Path, dir: &Path) -> Option<String> {
    match file.strip_prefix(dir) {
        Ok(path) => slashed(path),
        Err(_) => {
            let (file, dir) = (fs::canonicalize(file).ok()?, fs::canonicalize(dir).ok()?);
            file.strip_prefix(dir).ok().and_then(slashed)
        }
    }
}

/// Whether the package lock may be created or extended. Copies that cargo made are never written to.
fn may_write(policy: &Policy, lockfile: &Path, exists: bool) -> bool {
    if policy.package.as_ref().is_some_and(|package| package.tree != Tree::Own) {
        return false;
    }
    // Under its own name another process could have made it meanwhile.
    let probe = lockfile.with_file_name(staging::unique_name());
    let tried = if exists { lockfile } else { &probe };
    let opened = fs::OpenOptions::new().append(true).create_new(!exists).open(tried);
    if !exists && opened.is_ok() {
        // Made only to see whether it can be; what could be created can be removed.
        let _ = fs::remove_file(tried);
    }
    !opened.is_err_and(|error| {
        matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
    })
}

/// Refuses two lockfiles that pin a file of the model called `name` differently.
fn agree(
    name: &str,
    places: &[Option<(&PathBuf, &Lockfile)>],
    policy: &Policy,
) -> Result<(), Error> {
    let found = places.iter().flatten();
    let mut found = found.filter_map(|(path, lockfile)| Some((path, lockfile.model(name)?)));
    let (Some((one, model)), Some((other, rival))) = (found.next(), found.next()) else {
        return Ok(());
    };
    let pinned = model.by_path();
    let differs = |file: &&LockedFile| {
        pinned.get(&file.path).is_some_and(|pinned| pinned.content() != file.content())
    };
    let Some(file) = rival.files.iter().find(differs) else { return Ok(()) };
    let headline = format!("two lockfiles pin {:?} of {name} differently", file.path());
    Err(Error::new(ErrorKind::Lock, headline)
        .fact("one", one.display())
        .fact("other", other.display())
        .help(format!(
            "to vendor again what the package pins: {}; \
             else delete the entry that is out of date, and the vendored files that go with it",
            policy.advice_to_vendor()
        )))
}
