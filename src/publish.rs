//! The only writer of final names: staged beside the target, then renamed; what is unchanged is not touched.
//!
//! Knows what it is given to publish, no URLs and no policy.
//!
//! ```text
//! out_dir/
//!   model.json, group1-shard1of2.bin, ...   every one of them verified, with an old modification time
//!   models.lock                             the record of the above, written last
//!   .vendor-model-<pid>-<n>/                staging, only while a run is at work
//! ```

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::claim::Claim;
use crate::error::{Error, ErrorKind};
use crate::lockfile::{LockedModel, Lockfile};
use crate::path::{ModelPath, RECORD};
use crate::progress::Progress;
use crate::staging;

/// Cargo runs a build script again when a file it watches is newer than the script's last run. Outputs are written
/// during that run, so they get a time that is older than any.
fn old() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)
}

/// The directory that models are vendored into.
#[derive(Debug)]
pub(crate) struct OutDir {
    dir: PathBuf,
}

/// A staged file and its name.
#[derive(Debug)]
pub(crate) struct Staged {
    pub path: ModelPath,
    pub at: PathBuf,
}

/// The turn at an `out_dir`. A directory that was made for it and is still empty goes with it.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    _claim: Claim,
    made: Option<&'a Path>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.made.map(fs::remove_dir);
    }
}

impl OutDir {
    pub fn new(dir: &Path) -> Result<OutDir, Error> {
        let dir = std::path::absolute(dir).map_err(|error| Error::io("find", dir, error))?;
        Ok(OutDir { dir })
    }

    /// Waits until no other process vendors into this directory, which is made if need be.
    pub fn turn(&self, progress: &Progress) -> Result<Turn<'_>, Error> {
        let dir = &self.dir;
        let waiting = || {
            let holder = match staging::occupant(dir) {
                Some(pid) => format!("process {pid}"),
                None => "another process".to_owned(),
            };
            let dir = dir.display();
            progress.note("Waiting", &format!("for {holder}, which vendors into {dir}"));
        };
        let mut made = false;
        loop {
            made |= !dir.exists();
            fs::create_dir_all(dir).map_err(|error| Error::io("create", dir, error))?;
            let claim = Claim::dir(dir, waiting);
            if claim.is_for(dir) {
                return Ok(Turn { _claim: claim, made: made.then_some(dir) });
            }
        }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether `dir` is the same directory.
    pub fn is_at(&self, dir: &Path) -> bool {
        let found = |dir: &Path| fs::canonicalize(dir).ok();
        found(dir).is_some() && found(dir) == found(&self.dir)
    }

    pub fn record(&self) -> PathBuf {
        self.dir.join(RECORD)
    }

    /// Removes what no model has any more, gives the staged files their names, and writes the record last.
    ///
    /// Until then the record speaks of files only that are right or can be brought again under the same pins, and of
    /// those that are to go: whatever stops this run, a later one removes them.
    pub fn publish(
        &self,
        staged: &[Staged],
        before: &Lockfile,
        after: &Lockfile,
    ) -> Result<(), Error> {
        if before != after {
            let paths = |lockfile: &Lockfile| -> HashSet<ModelPath> {
                lockfile.models().iter().flat_map(LockedModel::paths).cloned().collect()
            };
            let (old, new) = (paths(before), paths(after));
            let mut meanwhile = before.clone();
            let changed =
                before.models().iter().filter(|model| after.model(&model.url) != Some(model));
            for model in changed {
                let model = meanwhile.remove(&model.url);
                if let Some(left) = model.and_then(|model| model.remains(&new)) {
                    meanwhile.insert(left);
                }
            }
            self.write_record(before, &meanwhile)?;
            self.remove_stale(staged, &old, &new)?;
        }
        self.place(staged, Stamp::Old)?;
        self.write_record(before, after)
    }

    /// Gives staged files their names.
    pub fn place(&self, staged: &[Staged], stamp: Stamp) -> Result<(), Error> {
        for Staged { path, at } in staged {
            self.make_parents(path)?;
            let target = path.below(&self.dir);
            settle(at, &target, stamp).map_err(|error| Error::io("write", &target, error))?;
        }
        Ok(())
    }

    fn write_record(&self, before: &Lockfile, after: &Lockfile) -> Result<(), Error> {
        let path = self.record();
        if !after.models().is_empty() {
            return write(&path, &after.to_string(), Stamp::Old);
        }
        match fs::remove_file(&path) {
            Err(error)
                if !before.models().is_empty() && error.kind() != io::ErrorKind::NotFound =>
            {
                Err(Error::io("remove", &path, error))
            }
            _ => Ok(()),
        }
    }

    fn make_parents(&self, path: &ModelPath) -> Result<(), Error> {
        if let Some(dir) = self.obstacle(path) {
            let found = format!("{} is no directory, or a link to one", dir.display());
            let headline = format!("cannot write {:?} below {}", path.as_str(), self.dir.display());
            return Err(Error::new(ErrorKind::Path, headline)
                .fact("found", found)
                .help("remove it"));
        }
        match path.below(&self.dir).parent() {
            Some(dir) => fs::create_dir_all(dir).map_err(|error| Error::io("create", dir, error)),
            None => Ok(()),
        }
    }

    /// What lies in the place of a directory that leads to `path`. A link there could lead out of `out_dir`.
    fn obstacle(&self, path: &ModelPath) -> Option<PathBuf> {
        let mut dirs = path.parents().map(|parent| self.dir.join(parent));
        dirs.find(|dir| fs::symlink_metadata(dir).is_ok_and(|found| !found.is_dir()))
    }

    /// Removes what was there before and is not to be there after.
    pub fn remove_stale(
        &self,
        staged: &[Staged],
        before: &HashSet<ModelPath>,
        after: &HashSet<ModelPath>,
    ) -> Result<(), Error> {
        let staged: HashSet<&ModelPath> = staged.iter().map(|staged| &staged.path).collect();
        // Where case does not matter, what stays as `a.bin` may be on disk what was called `A.bin`.
        let staying = after.iter().filter(|path| !staged.contains(path));
        let staying: HashSet<String> = staying.map(ModelPath::folded).collect();
        let stale = |path: &&ModelPath| !after.contains(path) && !staying.contains(&path.folded());
        let reachable = |path: &&ModelPath| self.obstacle(path).is_none();
        for path in before.iter().filter(stale).filter(reachable) {
            let file = path.below(&self.dir);
            match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("remove", &file, error));
                }
                _ => {}
            }
            for parent in path.parents().rev() {
                // Only the empty ones go.
                let _ = fs::remove_dir(self.dir.join(parent));
            }
        }
        Ok(())
    }
}

/// The modification time that a written file gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// The time of all outputs, older than any run of a build script.
    Old,
    At(SystemTime),
    Now,
}

/// Writes the package lock, if it says something new. `manifest` is the package's `Cargo.toml`, whose time one that is
/// created gets.
///
/// Cargo watches it. One that is created or gains entries makes no run stale and gets a time that does not; one in
/// which a pin moved or went gets its natural time, so that other target directories notice.
pub(crate) fn package_lock(
    path: &Path,
    before: Option<&Lockfile>,
    after: &Lockfile,
    manifest: Option<&Path>,
) -> Result<(), Error> {
    let quiet = match before {
        Some(before) if before == after => return Ok(()),
        Some(before) if before.is_within(after) => modified(path),
        Some(_) => None,
        None => manifest.and_then(modified),
    };
    write(path, &after.to_string(), quiet.map_or(Stamp::Now, Stamp::At))
}

/// Writes `text` to `path`, unless it is there already.
pub(crate) fn write(path: &Path, text: &str, stamp: Stamp) -> Result<(), Error> {
    if is_already(path, text) {
        return Ok(());
    }
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir).map_err(|error| Error::io("create", dir, error))?;
    let staged = dir.join(staging::unique_name());
    let written = File::create(&staged).and_then(|mut file| {
        // So that no other process takes it for what a dead one left.
        let _ = file.try_lock();
        file.write_all(text.as_bytes())?;
        settle(&staged, path, stamp)
    });
    if written.is_err() {
        let _ = fs::remove_file(&staged);
    }
    written.map_err(|error| Error::io("write", path, error))
}

/// Gives a staged file its time and its name.
#[expect(clippy::disallowed_methods, reason = "the one place that gives files their names")]
pub(crate) fn settle(staged: &Path, path: &Path, stamp: Stamp) -> io::Result<()> {
    match stamp {
        Stamp::Old => set_modified(staged, old())?,
        Stamp::At(time) => set_modified(staged, time)?,
        Stamp::Now => {}
    }
    fs::rename(staged, path)
}

fn is_already(path: &Path, text: &str) -> bool {
    let mut found = Vec::with_capacity(text.len() + 1);
    let read =
        File::open(path).and_then(|file| file.take(text.len() as u64 + 1).read_to_end(&mut found));
    read.is_ok() && found == text.as_bytes()
}

/// When the file at `path` was changed last.
fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

pub(crate) fn set_modified(path: &Path, time: SystemTime) -> io::Result<()> {
    File::options().write(true).open(path)?.set_modified(time)
}
