//! Which files a model has: what is pinned, or the entry and then what the manifest lists.
//!
//! Pure. What is to be done for each of them is `plan`'s to say.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::digest::Content;
use crate::errand::Limit;
use crate::error::{Error, ErrorKind};
use crate::lockfile::{LockedFile, LockedModel};
use crate::manifest::Manifest;
use crate::path::{self, ModelPath, PathProblem};
use crate::policy::Policy;
use crate::source::{self, ModelUrl, Place};
use crate::verify;

/// The largest manifest, and the most shards that one may name.
const MAX_MANIFEST: Limit = Limit { bytes: 64 << 20, by: "the limit of manifests" };
const MAX_SHARDS: usize = 100_000;

/// How far past what is expected of a file it is read, to tell what came in its place.
const SLACK: u64 = 64 << 20;

/// A file of the model, and what it must be where that is known.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub path: ModelPath,
    pub from: Place,
    pub pin: Option<Content>,
    pub limit: Limit,
    pub role: Role,
}

impl Wanted {
    /// Whether it takes a network to get it from its address.
    pub fn is_remote(&self) -> bool {
        matches!(self.from, Place::Host(_))
    }

    /// Where a vendored directory keeps it.
    pub fn vendored(&self, dir: &Path) -> Option<PathBuf> {
        Some(self.from.vendored()?.ok()?.below(dir))
    }
}

/// What a file is to its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Entry,
    Shard,
    Extra,
}

/// A model that is asked for: its address, its name in lockfiles, the name of its entry, and the pins that bind it.
pub(crate) struct Order<'a> {
    policy: &'a Policy,
    model: &'a ModelUrl,
    pub name: &'a str,
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
        let named = policy.entry_name.clone();
        let named = named.map_or_else(|| ModelPath::parse(&model.file_name()), Ok);
        let entry = named.and_then(fit_for_an_entry).map_err(|problem| {
            Error::new(ErrorKind::Path, "the name of the manifest cannot be kept on every disk")
                .fact("url", name)
                .fact("found", problem)
                .help("give it another one with Config::entry_name")
        })?;
        match pinned.map(|pinned| &pinned.files[0].path) {
            Some(other) if *other != entry => {
                let (pinned, asked) = (other.as_str(), entry.as_str());
                let headline =
                    format!("models.lock pins the manifest of {name} under another name");
                Err(Error::new(ErrorKind::Lock, headline)
                    .fact("pinned", format!("{pinned:?}"))
                    .fact("asked for", format!("{asked:?}"))
                    .help(format!("to pin it anew: {}", policy.advice_to_update())))
            }
            _ => Ok(Order { policy, model, name, entry, pinned }),
        }
    }

    /// What a lockfile pins, under the names that it gives.
    pub fn of_pins(policy: &'a Policy, model: &'a ModelUrl, pinned: &'a LockedModel) -> Order<'a> {
        let entry = pinned.files[0].path.clone();
        Order { policy, model, name: &pinned.url, entry, pinned: Some(pinned) }
    }

    /// What is known before anything is read: the pinned files and new extra files, or the entry alone.
    pub fn known(&self) -> Result<Vec<Wanted>, Error> {
        let Some(pinned) = self.pinned else {
            let (path, from) = (self.entry.clone(), self.model.entry());
            let role = Role::Entry;
            return Ok(vec![Wanted { path, from, pin: None, limit: MAX_MANIFEST, role }]);
        };
        let total = pinned.files.iter().fold(0, |total, file| file.size.saturating_add(total));
        self.within_max_bytes(total)?;
        let there = pinned.by_path();
        let extras = self.policy.extra_files.iter().filter(|path| !there.contains_key(path));
        let extras: Vec<&ModelPath> = extras.collect();
        self.side_by_side(pinned.paths().chain(extras.iter().copied()))?;
        let files = pinned.files.iter().map(|file| self.pinned_file(file));
        files.chain(extras.into_iter().map(|path| self.extra(path))).collect()
    }

    /// What only the manifest tells: its shards, then the extra files.
    pub fn listed(&self, manifest: &Manifest) -> Result<Vec<Wanted>, Error> {
        let shards = manifest.shards();
        if shards.len() > MAX_SHARDS {
            let headline = format!("the manifest of {} names {} shards", self.name, shards.len());
            return Err(Error::new(ErrorKind::Manifest, headline).fact("limit", MAX_SHARDS));
        }
        self.within_max_bytes(verify::least_total(manifest))?;
        let extras = self.policy.extra_files.iter().filter(|path| !shards.contains(path));
        let extras: Vec<&ModelPath> = extras.collect();
        let paths = shards.iter().chain(&extras).copied();
        self.side_by_side(std::iter::once(&self.entry).chain(paths))?;
        let limits = self.limits(manifest);
        let shards = shards.into_iter().map(|path| self.unpinned(path, limits[path], Role::Shard));
        shards.chain(extras.into_iter().map(|path| self.extra(path))).collect()
    }

    /// Whether the manifest and the pins speak of the same shards.
    pub fn agrees(&self, manifest: &Manifest, pinned: &LockedModel) -> Result<(), Error> {
        let there = pinned.by_path();
        match manifest.shards().into_iter().find(|path| !there.contains_key(path)) {
            None => Ok(()),
            Some(path) => {
                let headline = format!("models.lock does not pin all that {} lists", self.name);
                let advice = self.policy.advice_to_update();
                Err(Error::new(ErrorKind::Lock, headline)
                    .fact("not pinned", format!("{:?}", path.as_str()))
                    .help(format!("restore models.lock, or pin the model anew: {advice}")))
            }
        }
    }

    fn pinned_file(&self, file: &LockedFile) -> Result<Wanted, Error> {
        let (from, role) = match &file.url {
            Some(own) => (self.own_address(own)?, Role::Shard),
            None if file.path == self.entry => (self.model.entry(), Role::Entry),
            None => (self.address(&file.path)?, Role::Shard),
        };
        let bytes = file.size.saturating_add(SLACK);
        let limit = Limit { bytes, by: "64 MiB more than models.lock pins" };
        Ok(Wanted { path: file.path.clone(), from, pin: Some(file.content()), limit, role })
    }

    fn extra(&self, path: &ModelPath) -> Result<Wanted, Error> {
        self.unpinned(path, self.max_bytes(), Role::Extra)
    }

    fn unpinned(&self, path: &ModelPath, limit: Limit, role: Role) -> Result<Wanted, Error> {
        Ok(Wanted { path: path.clone(), from: self.address(path)?, pin: None, limit, role })
    }

    fn address(&self, path: &ModelPath) -> Result<Place, Error> {
        let place = self.model.shard(path);
        place.map_err(|error| Error::url(self.name, &error.to_string()))
    }

    fn own_address(&self, url: &str) -> Result<Place, Error> {
        let own = ModelUrl::parse(url);
        own.map(|own| own.entry()).map_err(|why| Error::url(&source::shown_text(url), &why))
    }

    /// No shard is larger than the largest group that it is in, unless strings leave that open.
    fn limits<'m>(&self, manifest: &'m Manifest) -> HashMap<&'m ModelPath, Limit> {
        let mut limits = HashMap::new();
        for group in &manifest.groups {
            let limit = match verify::fixed_bytes(group) {
                Some(bytes) => {
                    let bytes = bytes.saturating_add(SLACK);
                    let by = "64 MiB more than its weight specs describe";
                    self.max_bytes().min(Limit { bytes, by })
                }
                None => self.max_bytes(),
            };
            for shard in &group.shards {
                limits.entry(shard).and_modify(|most| *most = limit.max(*most)).or_insert(limit);
            }
        }
        limits
    }

    /// Manifests and lockfiles have checked their own paths; the extra files come on top.
    fn side_by_side<'p>(&self, paths: impl Iterator<Item = &'p ModelPath>) -> Result<(), Error> {
        if self.policy.extra_files.is_empty() {
            return Ok(());
        }
        let problems = path::collisions(&paths.collect::<Vec<_>>());
        let headline = format!("the extra files of {} cannot lie beside its others", self.name);
        let error = Error::new(ErrorKind::Path, headline);
        let listed = problems.iter().fold(error, |error, problem| error.fact("found", problem));
        if problems.is_empty() { Ok(()) } else { Err(listed) }
    }

    fn max_bytes(&self) -> Limit {
        Limit { bytes: self.policy.max_bytes, by: "the limit max_bytes" }
    }

    fn within_max_bytes(&self, total: u64) -> Result<(), Error> {
        if total <= self.policy.max_bytes {
            return Ok(());
        }
        let headline = format!("the files of {} have more than max_bytes together", self.name);
        Err(Error::new(ErrorKind::Manifest, headline)
            .fact("expected", format!("at most {} bytes", self.policy.max_bytes))
            .fact("found", format!("{total} bytes"))
            .help("raise Config::max_bytes if the model is meant to be this large"))
    }
}

/// Shards lie beside the manifest, so that it is in `out_dir` itself.
fn fit_for_an_entry(entry: ModelPath) -> Result<ModelPath, PathProblem> {
    if entry.parents().next().is_some() {
        let why = "has a directory, and the shards would not lie beside it".to_owned();
        return Err(PathProblem { path: entry.to_string(), why });
    }
    match path::collisions(&[&entry]).pop() {
        Some(problem) => Err(problem),
        None => Ok(entry),
    }
}
