//! Where files wait, on the file system of `out_dir`, until all of them are verified: `.vendor-model-<pid>-<n>`.
//!
//! Knows no models. What dead processes left of theirs is removed by the next that looks.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::path::STAGING_PREFIX;

/// The staging folder of one run. Made when the first file needs a place, or to remove what others left; removed when
/// dropped.
#[derive(Debug)]
pub(crate) struct Staging {
    out_dir: PathBuf,
    folder: Mutex<Option<Folder>>,
    slots: AtomicUsize,
}

#[derive(Debug)]
struct Folder {
    dir: PathBuf,
    /// Held for as long as the folder is in use; the system lets go of it when the process dies.
    lock: Option<File>,
}

impl Staging {
    pub fn new(out_dir: &Path) -> Staging {
        // What cannot be removed now is in nobody's way.
        let folder = occupant(out_dir).and_then(|_| Folder::make(out_dir).ok());
        let (folder, slots) = (Mutex::new(folder), AtomicUsize::new(0));
        Staging { out_dir: out_dir.to_owned(), folder, slots }
    }

    /// Where one more file can wait.
    pub fn slot(&self) -> Result<PathBuf, Error> {
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = match &mut *folder {
            Some(folder) => folder,
            none => none.insert(Folder::make(&self.out_dir)?),
        };
        Ok(folder.dir.join(self.slots.fetch_add(1, Ordering::Relaxed).to_string()))
    }
}

impl Staging {
    /// An empty file.
    pub fn empty(&self) -> Result<PathBuf, Error> {
        let at = self.slot()?;
        File::create(&at).map_err(|error| Error::io("create", &at, error))?;
        Ok(at)
    }
}

impl Folder {
    fn make(out_dir: &Path) -> Result<Folder, Error> {
        fs::create_dir_all(out_dir).map_err(|error| Error::io("create", out_dir, error))?;
        let dir = out_dir.join(unique_name());
        loop {
            fs::create_dir_all(&dir)
                .map_err(|error| Error::io("create a directory in", out_dir, error))?;
            let lock = match File::create(dir.join("lock")) {
                // Another process took the folder for an abandoned one before it was locked.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                created => created.map_err(|error| Error::io("create a file in", &dir, error))?,
            };
            let _ = lock.lock();
            if dir.join("lock").exists() {
                sweep(out_dir, &dir.join("lock"));
                return Ok(Folder { dir, lock: Some(lock) });
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Not every system removes a directory while a file in it is open.
        drop(self.lock.take());
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Which process stages something in `out_dir`.
pub(crate) fn occupant(out_dir: &Path) -> Option<u32> {
    fs::read_dir(out_dir).ok()?.flatten().find_map(|entry| owner(&entry))
}

/// A name in `out_dir` that no other run uses.
pub(crate) fn unique_name() -> String {
    format!("{STAGING_PREFIX}{}", unique())
}

/// The number of this process, and one that it gives only once.
pub(crate) fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Removes what dead processes left: folders and files whose locks are free. Where our own, which is held, is free as
/// well, locks say nothing, and none is removed. Best effort: what cannot be removed now is in nobody's way.
pub(crate) fn sweep(dir: &Path, own: &Path) {
    let is_free = |lock: &Path| File::open(lock).map(|lock| lock.try_lock().is_ok());
    if !is_free(own).is_ok_and(|free| !free) {
        return;
    }
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let at = entry.path();
        if owner(&entry).is_none() {
            continue;
        }
        match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            true => match is_free(&at.join("lock")) {
                Ok(true) => drop(fs::remove_dir_all(&at)),
                Ok(false) => {}
                // It may be about to get one. Where there is something else first, it is being removed.
                Err(_) if fs::remove_dir(&at).is_err() && !at.join("lock").exists() => {
                    drop(fs::remove_dir_all(&at));
                }
                Err(_) => {}
            },
            false if is_free(&at).unwrap_or(false) => drop(fs::remove_file(&at)),
            false => {}
        }
    }
}

/// The process that stages something here, if this is its.
fn owner(entry: &fs::DirEntry) -> Option<u32> {
    let name = entry.file_name();
    name.to_str()?.strip_prefix(STAGING_PREFIX)?.split('-').next()?.parse().ok()
}
