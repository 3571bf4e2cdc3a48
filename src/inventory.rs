//! The cache for people: what is in it, whether it is right, and what has not been used for long.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::cache::Cache;
use crate::digest::{Content, Digest};
use crate::error::Error;
use crate::parallel;

/// Content in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedFile {
    /// 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// In bytes.
    pub size: u64,
    /// When a build took it last.
    pub used: SystemTime,
    at: PathBuf,
}

impl Cache {
    /// Where it is, whether or not anything is there yet.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What is in it, by digest.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if it cannot be read.
    pub fn list(&self) -> Result<Vec<CachedFile>, Error> {
        let mut found = Vec::new();
        for shelf in entries(&self.dir.join("sha256"))? {
            for at in entries(&shelf)? {
                found.extend(cached(&shelf, at));
            }
        }
        found.sort_by(|a, b| a.sha256.cmp(&b.sha256));
        Ok(found)
    }

    /// Reads everything in it, removes what is not what its name says, and gives that.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if it cannot be read or what is damaged cannot be removed.
    pub fn verify(&self) -> Result<Vec<CachedFile>, Error> {
        let files = self.list()?;
        let is_right = |file: &CachedFile| match Content::of_file(&file.at) {
            Ok(found) => Ok(found.is_none_or(|found| found.digest.to_string() == file.sha256)),
            Err(error) => Err(Error::io("read", &file.at, error)),
        };
        let right = parallel::each(&files, parallel::cores(), is_right)?;
        let damaged = files.into_iter().zip(right).filter(|(_, right)| !right);
        damaged.map(|(file, _)| remove(&file.at).map(|()| file)).collect()
    }

    /// Removes what no build has taken for so long, together with downloads that stopped before then, and gives the
    /// content that went.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if something cannot be read or removed.
    pub fn gc(&self, unused_for: Duration) -> Result<Vec<CachedFile>, Error> {
        let now = SystemTime::now();
        let is_old = |time: SystemTime| now.duration_since(time).is_ok_and(|age| age >= unused_for);
        let gone: Vec<CachedFile> =
            self.list()?.into_iter().filter(|file| is_old(file.used)).collect();
        gone.iter().try_for_each(|file| remove(&file.at))?;
        for dir in ["urls", "partial"] {
            let left = entries(&self.dir.join(dir))?.into_iter();
            let mut old = left.filter(|at| modified(at).is_some_and(is_old));
            old.try_for_each(|at| remove(&at))?;
        }
        Ok(gone)
    }
}

/// The file at `at`, if its name and that of its directory are a digest.
fn cached(shelf: &Path, at: PathBuf) -> Option<CachedFile> {
    let name = [shelf.file_name()?.to_str()?, at.file_name()?.to_str()?].concat();
    let digest: Digest = name.parse().ok()?;
    let size = fs::metadata(&at).ok()?.len();
    Some(CachedFile { sha256: digest.to_string(), size, used: modified(&at)?, at })
}

/// What is in a directory; nothing where there is none.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(Vec::new()),
        Err(error) => Err(Error::io("read", dir, error)),
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.path()).collect()),
    }
}

fn modified(at: &Path) -> Option<SystemTime> {
    fs::metadata(at).and_then(|found| found.modified()).ok()
}

fn remove(at: &Path) -> Result<(), Error> {
    match fs::remove_file(at) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", at, error))
        }
        _ => Ok(()),
    }
}
