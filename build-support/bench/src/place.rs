//! Where everything lies.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;

pub struct Place {
    /// The repository.
    pub root: PathBuf,
    /// What is made here, and can go.
    pub work: PathBuf,
}

impl Place {
    pub fn new() -> Result<Place> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
        let work = root.join("target/bench");
        fs::create_dir_all(&work)?;
        Ok(Place { root, work })
    }

    /// Of this program's own sources.
    pub fn own(&self, path: &str) -> PathBuf {
        self.root.join("build-support/bench").join(path)
    }

    pub fn work(&self, path: &str) -> PathBuf {
        self.work.join(path)
    }

    /// A directory with nothing in it.
    pub fn empty(&self, path: &str) -> Result<PathBuf> {
        let dir = self.work(path);
        empty(&dir)?;
        Ok(dir)
    }
}

pub fn empty(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir)
            .map_err(|error| format!("cannot empty {}: {error}", dir.display()))?;
    }
    Ok(fs::create_dir_all(dir)?)
}

/// The bytes of all files below `dir` but for those named `models.lock`, and how many they are.
pub fn size_below(dir: &Path) -> Result<(u64, usize)> {
    let mut total = (0, 0);
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let found = entry.metadata()?;
        let (bytes, files) = match found.is_dir() {
            true => size_below(&entry.path())?,
            false if entry.file_name() == "models.lock" => (0, 0),
            false => (found.len(), 1),
        };
        total = (total.0 + bytes, total.1 + files);
    }
    Ok(total)
}
