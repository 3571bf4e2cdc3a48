//! Where pins are found: the package lock, the vendored directory's, or the record of an earlier run.
//!
//! The only reader of lockfiles on disk. Decides which of them speak for a model; writes nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::config::{LockMode, Policy};
use crate::error::{Error, ErrorKind};
use crate::lockfile::{LockedModel, Lockfile};
use crate::package::{Package, Tree};
use crate::path::RECORD;
use crate::source::ModelUrl;

impl Lockfile {
    /// Reads the lockfile at `path`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] where it cannot be read or is not there, [`ErrorKind::Lock`] where it is no lockfile.
    pub fn read(path: impl AsRef<Path>) -> Result<Lockfile, Error> {
        let path = path.as_ref();
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

impl FromStr for Lockfile {
    type Err = Error;

    fn from_str(text: &str) -> Result<Lockfile, Error> {
        Lockfile::parse(text)
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
    /// The package lock, where one may be written for this model: its path and what is in it.
    pub package_lock: Option<(PathBuf, Option<Lockfile>)>,
    /// What `out_dir` is recorded to hold, of all models.
    pub record: Lockfile,
    pub pinned: Option<LockedModel>,
}

impl Pins {
    pub fn find(policy: &Policy, model: &ModelUrl, out_dir: &Path) -> Result<Pins, Error> {
        let lockfile = policy.lockfile.as_deref();
        let (name, local) = name(model, lockfile);
        let committed = lockfile
            .filter(|_| !local)
            .map(|path| Ok((path.to_owned(), read_if_there(path)?)))
            .transpose()?;
        let vendored = policy
            .vendor_dir
            .as_ref()
            .filter(|_| policy.lock_mode != LockMode::Update)
            .map(|dir| dir.join(RECORD));
        let record_path = out_dir.join(RECORD);
        let record = read_if_there(&record_path);

        let mut found: Vec<(PathBuf, LockedModel)> = Vec::new();
        let mut look = |path: &Path, lockfile: &Option<Lockfile>| {
            let model = lockfile.as_ref().and_then(|lockfile| lockfile.model(&name));
            found.extend(model.map(|model| (path.to_owned(), model.clone())));
        };
        if let Some((path, lockfile)) = &committed {
            look(path, lockfile);
        }
        if let Some(path) = &vendored {
            look(path, &read_if_there(path)?);
        }
        let package_lock = committed.filter(|(path, lockfile)| {
            may_write(policy.package.as_ref(), path, lockfile.is_some())
        });
        let record = match &package_lock {
            // The record is an output like any other then, and heals like one.
            Some(_) => record.unwrap_or_default(),
            None => record?,
        };
        if package_lock.is_none() {
            look(&record_path, &record);
        }
        agreed(&found, policy)?;
        let pinned = found.into_iter().next().map(|(_, model)| model);
        Ok(Pins { name, package_lock, record: record.unwrap_or_default(), pinned })
    }
}

/// A `file:` address below the package lock is recorded relative to it, and one elsewhere not in the package at all.
fn name(model: &ModelUrl, lockfile: Option<&Path>) -> (String, bool) {
    let Some(file) = model.on_disk() else { return (model.recorded(), false) };
    let below = lockfile.and_then(Path::parent).and_then(|dir| file.strip_prefix(dir).ok());
    match below.and_then(Path::to_str) {
        Some(path) => (format!("./{}", path.replace('\\', "/")), false),
        None => (model.recorded(), true),
    }
}

/// Whether the package lock may be created or extended. Copies that cargo made are never written to.
fn may_write(package: Option<&Package>, lockfile: &Path, exists: bool) -> bool {
    if package.is_some_and(|package| package.tree != Tree::Own) {
        return false;
    }
    let opened = if exists {
        fs::OpenOptions::new().append(true).open(lockfile)
    } else {
        fs::OpenOptions::new().append(true).create_new(true).open(lockfile)
    };
    if !exists && opened.is_ok() {
        // Made only to see whether it can be; what could be created can be removed.
        let _ = fs::remove_file(lockfile);
    }
    !opened.is_err_and(|error| {
        matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
    })
}

/// Pins of one file in two places must be the same.
fn agreed(found: &[(PathBuf, LockedModel)], policy: &Policy) -> Result<(), Error> {
    let Some(((first_path, first), others)) = found.split_first() else { return Ok(()) };
    for (path, other) in others {
        let differs = other.files.iter().find(|file| {
            first.file(&file.path).is_some_and(|pinned| pinned.content() != file.content())
        });
        if let Some(file) = differs {
            return Err(Error::new(
                ErrorKind::Lock,
                format!("two lockfiles pin {:?} of {} differently", file.path.as_str(), first.url),
            )
            .fact("one", first_path.display())
            .fact("other", path.display())
            .help(format!(
                "delete the entry that is wrong; to ask the host again: {}",
                policy.update_command()
            )));
        }
    }
    Ok(())
}
