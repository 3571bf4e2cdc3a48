//! One file: written beside its place, whole, then renamed. The only writer of final names.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::digest::Content;
use crate::error::Error;
use crate::staging;

/// The modification time that a written file gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    Old,
    At(SystemTime),
    Now,
}

/// The year 2001, before any run of a build script.
const OLD: Duration = Duration::from_secs(1_000_000_000);

impl Stamp {
    /// Cargo runs a build script again when a file it watches is newer than the script's last run. Outputs are written
    /// during that run. Elsewhere servers and browsers go by times: there they are those of the clock.
    pub fn of_outputs(in_build_script: bool) -> Stamp {
        if in_build_script { Stamp::Old } else { Stamp::Now }
    }
}

/// Writes `text` to `path`, unless it is there already.
pub(crate) fn write(path: &Path, text: &str, stamp: Stamp) -> Result<(), Error> {
    Draft::new(path, text)?.map_or(Ok(()), |draft| draft.settle(stamp))
}

/// Writes to `path` what `write` writes: all of it, or nothing.
pub(crate) fn write_with(
    path: &Path,
    stamp: Stamp,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
) -> Result<(), Error> {
    let failed = |error| Error::io("write", path, error);
    let draft = Draft::begin(path)?;
    let mut file = BufWriter::new(&draft.file);
    write(&mut file)?;
    file.flush().map_err(failed)?;
    drop(file);
    draft.settle(stamp)
}

/// A file that has no name yet. Without one it goes when it is dropped.
pub(crate) struct Draft {
    path: PathBuf,
    staged: PathBuf,
    file: File,
}

impl Draft {
    /// None where `path` says so already.
    pub fn new(path: &Path, text: &str) -> Result<Option<Draft>, Error> {
        if is_already(path, text) {
            return Ok(None);
        }
        let mut draft = Draft::begin(path)?;
        let written = draft.file.write_all(text.as_bytes());
        written.map_err(|error| Error::io("write", path, error)).map(|()| Some(draft))
    }

    fn begin(path: &Path) -> Result<Draft, Error> {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        let dir = dir.unwrap_or(Path::new("."));
        fs::create_dir_all(dir).map_err(|error| Error::io("create", dir, error))?;
        let staged = dir.join(staging::unique_name());
        let file = File::create(&staged).map_err(|error| Error::io("write", path, error))?;
        // So that no other process takes it for what a dead one left, as this one does with theirs.
        let _ = file.try_lock();
        staging::sweep(dir, &staged);
        Ok(Draft { path: path.to_owned(), staged, file })
    }

    pub fn settle(self, stamp: Stamp) -> Result<(), Error> {
        let settled = settle(&self.staged, &self.path, stamp);
        settled.map_err(|error| Error::io("write", &self.path, error))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Nothing is there any more where it got its name.
        let _ = fs::remove_file(&self.staged);
    }
}

/// Gives a staged file its time and its name.
#[expect(clippy::disallowed_methods, reason = "the one place that gives files their names")]
pub(crate) fn settle(staged: &Path, path: &Path, stamp: Stamp) -> io::Result<()> {
    match stamp {
        Stamp::Old => set_modified(staged, SystemTime::UNIX_EPOCH + OLD)?,
        Stamp::At(time) => set_modified(staged, time)?,
        Stamp::Now => {}
    }
    fs::rename(staged, path)
}

fn is_already(path: &Path, text: &str) -> bool {
    let Ok(Some(file)) = Content::open(path) else { return false };
    let mut found = Vec::with_capacity(text.len() + 1);
    let read = file.take(text.len() as u64 + 1).read_to_end(&mut found);
    read.is_ok() && found == text.as_bytes()
}

/// When the file at `path` was changed last.
pub(crate) fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

pub(crate) fn set_modified(path: &Path, time: SystemTime) -> io::Result<()> {
    File::options().write(true).open(path)?.set_modified(time)
}
