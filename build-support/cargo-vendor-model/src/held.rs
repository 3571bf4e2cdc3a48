//! The verified files of a pinned model, to be read: brought from wherever a build would take them.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use vendor_model::{Config, LockMode, LockedModel, Vendored};

use crate::advice;
use crate::failure::Failure;
use crate::lock_file::{LockFile, url_of};

/// A model in a directory that goes with it.
pub struct Held {
    pub model: Vendored,
    pub dir: TempDir,
}

/// Out of the vendored directory beside the lockfile, the cache, or the network.
pub fn hold(config: &Config, lock: &LockFile, pinned: &LockedModel) -> Result<Held, Failure> {
    hold_out_of(&lock.vendor_models(), config, lock, pinned)
}

/// Out of a vendored directory before all else.
pub fn hold_out_of(
    vendor_models: &Path,
    config: &Config,
    lock: &LockFile,
    pinned: &LockedModel,
) -> Result<Held, Failure> {
    let dir = temporary()?;
    let mut config = config.clone();
    config
        .lockfile(&lock.path)
        .lock_mode(LockMode::Locked)
        .vendor_dir(vendor_models)
        .entry_name(pinned.files()[0].path());
    let model = config.vendor_model(url_of(pinned, lock.dir()), dir.path());
    Ok(Held { model: model.map_err(advice::on_pins)?, dir })
}

/// A directory that goes when it is dropped.
pub fn temporary() -> Result<TempDir, Failure> {
    let made = tempfile::Builder::new().prefix("cargo-vendor-model-").tempdir();
    made.map_err(|error| Failure::io("create", &std::env::temp_dir(), &error))
}

impl Held {
    /// The bytes of every file, in the order of the pins.
    pub fn bytes(&self) -> Result<Vec<Vec<u8>>, Failure> {
        let files = self.model.files().iter();
        files.map(|file| read(&self.model.dir().join(file.path()))).collect()
    }
}

pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::io("read", path, &error))
}
