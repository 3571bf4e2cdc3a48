//! Pins that move: what is upstream now, beside what is pinned.

use std::path::{Path, PathBuf};

use serde::Serialize;
use vendor_model::{Config, Error, ErrorKind, LockedFile, LockedModel, Lockfile};

use crate::failure::{Failure, Outcome};
use crate::lock_file::{LockFile, url_of};
use crate::locked::LockedBy;
use crate::talk::Talk;
use crate::words::size;

/// What moved, model by model.
#[derive(Serialize)]
pub struct Moved {
    lockfile: PathBuf,
    models: Vec<MovedModel>,
}

#[derive(Serialize)]
struct MovedModel {
    url: String,
    changes: Vec<Change>,
    #[serde(skip)]
    after: Option<LockedModel>,
}

#[derive(Serialize)]
struct Change {
    path: String,
    #[serde(flatten)]
    what: What,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase", tag = "change")]
enum What {
    Moved { before: Content, after: Content },
    New { after: Content },
    Gone { before: Content },
}

#[derive(Clone, PartialEq, Eq, Serialize)]
struct Content {
    size: u64,
    sha256: String,
}

/// Asks the hosts of the models that are named, or of all.
pub fn look(config: &Config, lock: &LockFile, names: &[String]) -> Result<Moved, Failure> {
    let models = lock.chosen(names)?.into_iter().map(|before| {
        let after = upstream(config, lock, before)?;
        let changes = changes(before, &after);
        let after = (after != *before).then_some(after);
        Ok(MovedModel { url: before.url().to_owned(), changes, after })
    });
    let models = models.collect::<Result<Vec<MovedModel>, Error>>()?;
    Ok(Moved { lockfile: lock.path.clone(), models })
}

impl Moved {
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        Lockfile::edit(path, |pins| {
            let moved = self.models.iter().filter_map(|model| model.after.clone());
            moved.for_each(|model| pins.insert(model));
        })?;
        Ok(())
    }

    /// For whoever wants to know, and to leave the pins.
    pub fn refuse_any(&self, locked: LockedBy) -> Result<Outcome, Failure> {
        let moved = self.models.iter().filter(|model| model.after.is_some());
        let mut urls = moved.map(|model| model.url.as_str()).peekable();
        match urls.peek() {
            None => Ok(Outcome::Well),
            Some(_) => Err(locked.refusal("moved upstream", urls)),
        }
    }

    /// `verb` is for the models that moved.
    pub fn tell(&self, verb: &str, talk: &Talk) {
        for model in &self.models {
            let verb = if model.after.is_some() { verb } else { "Unchanged" };
            talk.status(verb, &model.url);
            model.changes.iter().for_each(|change| change.tell(talk));
        }
    }
}

impl Change {
    fn tell(&self, talk: &Talk) {
        let short =
            |content: &Content| format!("{} ({})", &content.sha256[..12], size(content.size));
        let path = &self.path;
        match &self.what {
            What::Moved { before, after } => {
                talk.status("moved", &format!("{path}: {} -> {}", short(before), short(after)));
            }
            What::New { after } => talk.status("new", &format!("{path}: {}", short(after))),
            What::Gone { before } => talk.status("gone", &format!("{path}: {}", short(before))),
        }
    }
}

/// The model as its host has it now, with the extra files that are pinned and still there.
fn upstream(config: &Config, lock: &LockFile, before: &LockedModel) -> Result<LockedModel, Error> {
    let mut config = config.clone();
    config.lockfile(&lock.path).entry_name(before.files()[0].path());
    let url = url_of(before, lock.dir());
    let mut after = config.pin(&url)?;
    let unlisted = before.files().iter().map(LockedFile::path).filter(|path| !has(&after, path));
    let extras: Vec<&str> = unlisted.filter(|path| !is_shard(path)).collect();
    for path in extras {
        let mut with = config.clone();
        with.extra_file(path);
        match with.pin(&url) {
            Ok(found) => (config, after) = (with, found),
            // The host no longer has it.
            Err(error) if matches!(error.kind(), ErrorKind::Http | ErrorKind::Io) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(after)
}

fn has(model: &LockedModel, path: &str) -> bool {
    model.files().iter().any(|file| file.path() == path)
}

/// By the name that all converters give: a shard that no manifest lists any more is no extra file.
fn is_shard(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.contains("shard"))
}

fn changes(before: &LockedModel, after: &LockedModel) -> Vec<Change> {
    let content = |file: &LockedFile| Content { size: file.size(), sha256: file.sha256() };
    let find = |model: &LockedModel, path: &str| {
        model.files().iter().find(|file| file.path() == path).map(content)
    };
    let of_old = before.files().iter().filter_map(|file| {
        let (old, path) = (content(file), file.path().to_owned());
        let what = match find(after, &path) {
            Some(new) if new == old => return None,
            Some(new) => What::Moved { before: old, after: new },
            None => What::Gone { before: old },
        };
        Some(Change { path, what })
    });
    let new = after.files().iter().filter(|file| !has(before, file.path()));
    let of_new = new.map(|file| Change {
        path: file.path().to_owned(),
        what: What::New { after: content(file) },
    });
    of_old.chain(of_new).collect()
}
