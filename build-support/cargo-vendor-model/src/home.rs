//! The vendored directory of the package: builds without a network find there all that the package lock pins.

use std::fs;
use std::path::Path;

use vendor_model::{LockedFile, LockedModel};

use crate::arguments::LockArgs;
use crate::audit::Audit;
use crate::failure::Failure;
use crate::lock_file::LockFile;
use crate::verdict::Target;

impl Audit<'_> {
    pub fn is_home(&self, path: &Path) -> bool {
        let home = self.package.with_file_name("vendor-models");
        let real = |path: &Path| fs::canonicalize(path).ok();
        self.package.exists() && real(path).is_some_and(|path| Some(path) == real(&home))
    }

    /// Names what only one of the two has, and the command that mends it.
    pub fn at_home(&self, own: Option<&LockFile>, mut target: Target) -> Result<Target, Failure> {
        let package = LockFile::at(self.package.clone())?;
        let remote: Vec<&str> = package.remote().iter().map(|model| model.url()).collect();
        let lacking = target.models.iter().filter(|model| !model.found);
        let lacking = lacking.filter(|model| remote.contains(&model.url.as_str()));
        target.not_vendored = lacking.map(|model| model.url.clone()).collect();
        let recorded = own.into_iter().flat_map(|own| own.pins.models());
        let dropped = recorded.filter(|model| package.pins.model(model.url()).is_none());
        let dropped = dropped.filter(|_| self.named.is_empty());
        target.not_pinned = dropped.map(|model| model.url().to_owned()).collect();
        let is_outdated = |model: &LockedModel| {
            package.pins.model(model.url()).is_some_and(|pinned| !has_all(model, pinned))
        };
        let is_behind = !target.not_vendored.is_empty()
            || !target.not_pinned.is_empty()
            || target.models.iter().any(|model| model.is_wrong(false))
            || own.is_some_and(|own| own.pins.models().iter().any(is_outdated));
        target.help = is_behind.then(|| self.vendor_command()).transpose()?;
        Ok(target)
    }

    fn vendor_command(&self) -> Result<String, Failure> {
        let usual = LockFile::place(&LockArgs { lockfile: None })? == self.package;
        let lockfile = match usual {
            true => String::new(),
            false => format!(" --lockfile {}", self.package.display()),
        };
        Ok(format!(
            "run `cargo vendor-model vendor{lockfile}`, which writes what is pinned and drops what is not"
        ))
    }
}

/// Others lie beside the lockfile, and are not vendored.
pub fn is_remote(model: &LockedModel) -> bool {
    !model.url().starts_with("./")
}

/// Whether the record of a directory has all files that the package lock has of a model.
pub fn has_all(recorded: &LockedModel, pinned: &LockedModel) -> bool {
    pinned.files().iter().all(|file| pinned_as(recorded, file).is_some_and(|same| same))
}

/// Whether the model has the file with the same bytes; `None` where it has none of its name.
pub fn pinned_as(model: &LockedModel, file: &LockedFile) -> Option<bool> {
    let other = model.files().iter().find(|other| other.path() == file.path())?;
    Some(other.sha256() == file.sha256())
}
