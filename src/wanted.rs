//! Which files a model has: what is pinned, or the entry and then what the manifest lists.
//!
//! Pure. What is to be done for each of them is `plan`'s to say.

use crate::config::Policy;
use crate::digest::Content;
use crate::error::{Error, ErrorKind};
use crate::lockfile::{LockedFile, LockedModel};
use crate::manifest::Manifest;
use crate::path::{self, ModelPath, PathProblem};
use crate::source::{self, ModelUrl, Place};
use crate::verify;

/// The largest manifest, in bytes, and the most shards that one may name.
const MAX_MANIFEST: u64 = 64 << 20;
const MAX_SHARDS: usize = 100_000;

/// A file of the model, and what it must be where that is known.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub path: ModelPath,
    pub from: Place,
    pub pin: Option<Content>,
    /// The most bytes it may have.
    pub limit: u64,
    pub is_entry: bool,
}

/// A model that is asked for: its address, its name in lockfiles, the name of its entry, and the pins that bind it.
pub(crate) struct Order<'a> {
    policy: &'a Policy,
    model: &'a ModelUrl,
    name: &'a str,
    entry: ModelPath,
    pub pinned: Option<&'a LockedModel>,
}

impl<'a> Order<'a> {
    pub fn new(
        policy: &'a Policy,
        model: &'a ModelUrl,
        name: &'a str,
        pinned: Option<&'a LockedModel>,
    ) -> Result<Order<'a>, Error> {
        let named =
            policy.entry_name.clone().map_or_else(|| ModelPath::parse(&model.file_name()), Ok);
        let entry = named.and_then(not_reserved).map_err(|problem| {
            let error = Error::new(
                ErrorKind::Path,
                "the name of the manifest cannot be kept on every disk",
            )
            .fact("url", name);
            error.fact("found", problem).help("give it another one with Config::entry_name")
        })?;
        match pinned.map(|pinned| &pinned.files[0].path) {
            Some(other) if *other != entry => {
                let headline = format!(
                    "models.lock pins the manifest of {name} as {:?}, and {:?} is asked for",
                    other.as_str(),
                    entry.as_str()
                );
                Err(Error::new(ErrorKind::Lock, headline)
                    .help(format!("to pin it anew: {}", policy.update_command())))
            }
            _ => Ok(Order { policy, model, name, entry, pinned }),
        }
    }

    /// What is known before anything is read: the pinned files and new extra files, or the entry alone.
    pub fn known(&self) -> Result<Vec<Wanted>, Error> {
        let Some(pinned) = self.pinned else {
            return Ok(vec![Wanted {
                path: self.entry.clone(),
                from: self.model.entry(),
                pin: None,
                limit: MAX_MANIFEST,
                is_entry: true,
            }]);
        };
        self.within_max_bytes(
            pinned.files.iter().fold(0, |total, file| file.size.saturating_add(total)),
        )?;
        let files = pinned.files.iter().map(|file| self.pinned_file(file));
        let extras = self.policy.extra_files.iter().filter(|path| pinned.file(path).is_none());
        files.chain(extras.map(|path| self.unpinned(path))).collect()
    }

    /// What only the manifest tells: its shards, then the extra files. Nothing new where they are pinned.
    pub fn listed(&self, manifest: &Manifest) -> Result<Vec<Wanted>, Error> {
        let shards = manifest.shards();
        match self.pinned {
            Some(pinned) => match shards.iter().find(|path| pinned.file(path).is_none()) {
                Some(path) => {
                    let headline = format!(
                        "models.lock does not pin {:?}, which the manifest of {} lists",
                        path.as_str(),
                        self.name
                    );
                    Err(Error::new(ErrorKind::Lock, headline).help(format!(
                        "restore models.lock, or pin the model anew: {}",
                        self.policy.update_command()
                    )))
                }
                None => Ok(Vec::new()),
            },
            None => {
                if shards.len() > MAX_SHARDS {
                    return Err(Error::new(
                        ErrorKind::Manifest,
                        format!("the manifest of {} names {} shards", self.name, shards.len()),
                    )
                    .fact("limit", MAX_SHARDS));
                }
                self.within_max_bytes(verify::least_total(manifest))?;
                let extras = self.policy.extra_files.iter().filter(|path| !shards.contains(path));
                let paths: Vec<&ModelPath> = shards.iter().copied().chain(extras).collect();
                self.side_by_side(&paths)?;
                paths.into_iter().map(|path| self.unpinned(path)).collect()
            }
        }
    }

    fn pinned_file(&self, file: &LockedFile) -> Result<Wanted, Error> {
        let from = match &file.url {
            Some(own) => ModelUrl::parse(own)
                .map_err(|why| Error::url(&source::shown_text(own), &why))?
                .entry(),
            None if file.path == self.entry => self.model.entry(),
            None => self.address(&file.path)?,
        };
        // Past the pin, so that a mismatch can be told with the digest of what the host has now.
        let limit = file.size.saturating_mul(2).max(MAX_MANIFEST);
        Ok(Wanted {
            path: file.path.clone(),
            from,
            pin: Some(file.content()),
            limit,
            is_entry: file.path == self.entry,
        })
    }

    fn unpinned(&self, path: &ModelPath) -> Result<Wanted, Error> {
        Ok(Wanted {
            path: path.clone(),
            from: self.address(path)?,
            pin: None,
            limit: self.policy.max_bytes,
            is_entry: false,
        })
    }

    fn address(&self, path: &ModelPath) -> Result<Place, Error> {
        self.model.shard(path).map_err(|error| Error::url(self.name, &error.to_string()))
    }

    /// The manifest has checked its own paths; the extra files come on top.
    fn side_by_side(&self, paths: &[&ModelPath]) -> Result<(), Error> {
        let all: Vec<&ModelPath> =
            std::iter::once(&self.entry).chain(paths.iter().copied()).collect();
        let problems = path::collisions(&all);
        let error = Error::new(
            ErrorKind::Path,
            format!("extra files of {} cannot lie beside its shards", self.name),
        );
        let listed = problems.iter().fold(error, |error, problem| error.fact("found", problem));
        if problems.is_empty() { Ok(()) } else { Err(listed) }
    }

    fn within_max_bytes(&self, total: u64) -> Result<(), Error> {
        if total <= self.policy.max_bytes {
            return Ok(());
        }
        let error = Error::new(
            ErrorKind::Manifest,
            format!("the files of {} are larger together than max_bytes", self.name),
        );
        Err(error
            .fact("expected", format!("at most {} bytes", self.policy.max_bytes))
            .fact("found", format!("{total} bytes"))
            .help("raise Config::max_bytes if the model is meant to be this large"))
    }
}

fn not_reserved(entry: ModelPath) -> Result<ModelPath, PathProblem> {
    match path::collisions(&[&entry]).pop() {
        Some(problem) => Err(problem),
        None => Ok(entry),
    }
}
