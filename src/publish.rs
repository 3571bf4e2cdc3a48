//! What an `out_dir` holds, and how it becomes that: verified files get their names, what is unchanged is not touched.
//!
//! Knows what it is given to publish, no URLs and no policy. `draft` writes.
//!
//! ```text
//! out_dir/
//!   model.json, group1-shard1of2.bin, ...   every one of them verified; of a build script with an old modification time
//!   models.lock                             the record of the above, written last
//!   .vendor-model-<pid>-<n>/                staging, only while a run is at work
//! ```

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::draft::{Draft, Stamp, modified, settle, write};
use crate::error::{Error, ErrorKind};
use crate::lockfile::{LockedModel, Lockfile};
use crate::path::{ModelPath, RECORD};

/// The directory that models are vendored into.
#[derive(Debug)]
pub(crate) struct OutDir {
    dir: PathBuf,
    stamp: Stamp,
}

/// A staged file and its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Staged<'a> {
    pub path: &'a ModelPath,
    pub at: &'a Path,
}

impl OutDir {
    /// What is written there gets this time.
    pub fn new(dir: &Path, stamp: Stamp) -> Result<OutDir, Error> {
        let dir = std::path::absolute(dir).map_err(|error| Error::io("find", dir, error))?;
        Ok(OutDir { dir, stamp })
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

    /// Sees to it that these files can get their names, and writes the record down: a full disk is full by then.
    pub fn prepare<'a>(
        &'a self,
        staged: Vec<Staged<'a>>,
        before: &'a Lockfile,
        after: &'a Lockfile,
    ) -> Result<Edition<'a>, Error> {
        let mut edition = Edition { out: self, staged, before, after, record: None };
        if edition.is_there() {
            return Ok(edition);
        }
        for Staged { at, .. } in &edition.staged {
            fs::metadata(at).map_err(|error| Error::io("find again", at, error))?;
        }
        self.refuse_obstacles(&edition.staged, before)?;
        if !after.models().is_empty() {
            edition.record = Draft::new(&self.record(), &after.text())?;
        }
        Ok(edition)
    }

    /// All that is in the way of these files and of the record, but for what goes.
    fn refuse_obstacles(&self, staged: &[Staged], before: &Lockfile) -> Result<(), Error> {
        let old: Vec<PathBuf> = paths(before).iter().map(|path| path.below(&self.dir)).collect();
        let goes = |at: &PathBuf| match is_dir(at) {
            Some(true) => old.iter().any(|file| file != at && file.starts_with(at)),
            _ => old.contains(at),
        };
        let found = staged.iter().filter_map(|staged| self.obstacle(staged.path));
        let record = Some(self.record()).filter(|record| is_dir(record) == Some(true));
        let found: BTreeSet<PathBuf> = found.filter(|at| !goes(at)).chain(record).collect();
        if found.is_empty() { Ok(()) } else { Err(self.blocked(&found)) }
    }

    fn blocked(&self, obstacles: &BTreeSet<PathBuf>) -> Error {
        let headline = format!("cannot write the model to {}", self.dir.display());
        let error = Error::new(ErrorKind::Path, headline);
        let listed = obstacles.iter().fold(error, |error, at| {
            let what = match fs::symlink_metadata(at) {
                Ok(found) if found.is_symlink() => "a link",
                Ok(found) if found.is_dir() => "a directory",
                _ => "no directory",
            };
            error.fact("in the way", format!("{} is {what}", at.display()))
        });
        listed.help("move it away, or vendor into another directory")
    }

    /// Gives staged files their names.
    pub fn place(&self, staged: &[Staged]) -> Result<(), Error> {
        for Staged { path, at } in staged {
            self.make_parents(path)?;
            let target = path.below(&self.dir);
            settle(at, &target, self.stamp).map_err(|error| Error::io("write", &target, error))?;
        }
        Ok(())
    }

    fn write_record(&self, before: &Lockfile, after: &Lockfile) -> Result<(), Error> {
        let path = self.record();
        if !after.models().is_empty() {
            return write(&path, &after.text(), self.stamp);
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
        if let Some(at) = self.obstacle(path) {
            return Err(self.blocked(&BTreeSet::from([at])));
        }
        match path.below(&self.dir).parent() {
            Some(dir) => fs::create_dir_all(dir).map_err(|error| Error::io("create", dir, error)),
            None => Ok(()),
        }
    }

    /// What lies in the place of a directory that leads to `path`, or what is a directory in its own place. A link could
    /// lead out of `out_dir`.
    fn obstacle(&self, path: &ModelPath) -> Option<PathBuf> {
        let mut dirs = path.parents().map(|parent| self.dir.join(parent));
        let own = path.below(&self.dir);
        let found = dirs.find(|dir| is_dir(dir) == Some(false));
        found.or_else(|| (is_dir(&own) == Some(true)).then_some(own))
    }

    /// Removes what was there before and is not to be there after.
    pub fn remove_stale(
        &self,
        staged: &[Staged],
        before: &HashSet<ModelPath>,
        after: &HashSet<ModelPath>,
    ) -> Result<(), Error> {
        let staged: HashSet<&ModelPath> = staged.iter().map(|staged| staged.path).collect();
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

/// What an `out_dir` is to hold, all of it written down already.
pub(crate) struct Edition<'a> {
    out: &'a OutDir,
    staged: Vec<Staged<'a>>,
    before: &'a Lockfile,
    after: &'a Lockfile,
    /// None where it says so already, or there is to be none.
    record: Option<Draft>,
}

impl Edition<'_> {
    fn is_there(&self) -> bool {
        self.staged.is_empty() && self.before == self.after
    }

    /// Removes what no model has any more, gives the staged files their names, and the record last.
    ///
    /// Until then the record speaks of files only that are right or can be brought again under the same pins, and of
    /// those that are to go: whatever stops this run, a later one removes them.
    pub fn publish(self) -> Result<(), Error> {
        if self.is_there() {
            return Ok(());
        }
        let Edition { out, staged, before, after, record } = self;
        if before != after {
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
            out.write_record(before, &meanwhile)?;
            out.remove_stale(&staged, &old, &new)?;
        }
        out.place(&staged)?;
        record.map_or_else(|| out.write_record(before, after), |record| record.settle(out.stamp))
    }
}

fn paths(lockfile: &Lockfile) -> HashSet<ModelPath> {
    lockfile.models().iter().flat_map(LockedModel::paths).cloned().collect()
}

/// Whether what is under this name is a directory, and no link to one; none where there is nothing.
fn is_dir(at: &Path) -> Option<bool> {
    fs::symlink_metadata(at).ok().map(|found| found.is_dir())
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
    write(path, &after.text(), quiet.map_or(Stamp::Now, Stamp::At))
}
