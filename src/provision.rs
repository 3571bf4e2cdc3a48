//! The same stages for other ends than a build, as the command line needs them: a pin alone, the cache, a vendored
//! directory.

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::assemble::assemble;
use crate::cache::Cache;
use crate::claim::Claim;
use crate::config::{Config, LockMode};
use crate::draft::{self, Stamp};
use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::gather::{self, Gathered, Gatherer};
use crate::lockfile::{LockedModel, Lockfile};
use crate::path::{ModelPath, Names};
use crate::pins;
use crate::policy::Policy;
use crate::publish::{self, OutDir};
use crate::source::{self, ModelUrl};
use crate::tell;
use crate::turn::Turn;
use crate::vendored::Report;
use crate::wanted::{Order, Wanted};

impl Lockfile {
    /// Edits the lockfile at `path` in turn with other processes, and gives what it is then. It is made if need be, and
    /// written only if something changed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Lock`] where what is there is no lockfile, [`ErrorKind::Io`] where it cannot be written.
    pub fn edit(
        path: impl AsRef<Path>,
        edit: impl FnOnce(&mut Lockfile),
    ) -> Result<Lockfile, Error> {
        let path = path.as_ref();
        let path = std::path::absolute(path).map_err(|error| Error::io("find", path, error))?;
        let _turn = path.parent().map(|dir| Claim::dir(dir, || ()));
        let before = pins::read_if_there(&path)?;
        let mut after = before.clone().unwrap_or_default();
        edit(&mut after);
        publish::package_lock(&path, before.as_ref(), &after, None)?;
        Ok(after)
    }
}

impl Config {
    /// Asks the host for the model at `url`, verifies it, and says what is to be pinned. Nothing is written but the
    /// cache; what is pinned already does not count.
    ///
    /// # Errors
    ///
    /// Of every [`ErrorKind`]; [`ErrorKind::Config`] for a file of this machine that does not lie below the lockfile, of
    /// which no lockfile can speak.
    pub fn pin(&self, url: impl AsRef<str>) -> Result<LockedModel, Error> {
        let mut policy = self.provisioning()?;
        // Whether it may be written down is for whoever writes it.
        policy.lock_mode = LockMode::Auto;
        let url = url.as_ref();
        let model = parse(url)?;
        let (name, is_local) = pins::name(&model, policy.lockfile.as_deref());
        if is_local {
            return Err(Error::new(ErrorKind::Config, "cannot pin a file of this machine only")
                .fact("url", source::shown_text(url))
                .help("put it below the directory of the lockfile"));
        }
        let (progress, scratch) = (policy.progress(&model.short_name()), scratch(&policy));
        let order = Order::new(&policy, &model, &name, None)?;
        let gatherer = Gatherer::new(&policy, &model, &name, &scratch, &progress);
        Ok(assemble(&gatherer, &order)?.locked)
    }

    /// Brings every file that `lockfile` pins into the cache, so that later builds need no network. Models that lie
    /// beside the lockfile, `./path`, need no cache.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where there is no cache, [`ErrorKind::Io`] where it cannot be written to, and what can go
    /// wrong in a download.
    pub fn fetch_to_cache(&self, lockfile: &Lockfile) -> Result<Report, Error> {
        let started = Instant::now();
        let policy = self.provisioning()?;
        let Some(cache) = policy.cache.as_deref().map(Cache::at) else {
            let error = Error::new(ErrorKind::Config, "there is no cache to fetch into");
            return Err(error.help("name a directory in VENDOR_MODEL_CACHE"));
        };
        let mut report = Report::default();
        for pinned in remote(lockfile) {
            let lost = |files: &[Gathered]| {
                tell::count(files, &mut report);
                files.iter().find(|file| !cache.has(file.content)).map_or(Ok(()), |file| {
                    let name = file.wanted.path.as_str();
                    let headline = format!("cannot keep {name:?} in the cache");
                    Err(Error::new(ErrorKind::Io, headline)
                        .fact("cache", cache.dir().display())
                        .help("see whether it can be written to and its disk has room"))
                })
            };
            bring(&policy, pinned, &scratch(&policy), wanted, lost)?;
        }
        report.elapsed = started.elapsed();
        Ok(report)
    }

    /// Makes `dir` a vendored directory of every file that `lockfile` pins, `<dir>/<host>/<path>`, with a `models.lock`
    /// of its own. What is right there is left alone, what an earlier lockfile of it named and this one does not goes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Path`] where two addresses would meet in one name or one has no plain name, and what can go wrong
    /// in a download.
    pub fn vendor_to(&self, lockfile: &Lockfile, dir: impl AsRef<Path>) -> Result<Report, Error> {
        let started = Instant::now();
        let policy = self.provisioning()?;
        let out = OutDir::new(dir.as_ref(), Stamp::Now)?;
        let shelf = shelf(lockfile, &policy)?;
        let _turn = Turn::at(out.dir(), &policy.progress(""))?;
        let before = pins::read_if_there(&out.record())?.unwrap_or_default();
        let mut report = Report::default();
        let mut vendored = Lockfile::default();
        for pinned in remote(lockfile) {
            bring(&policy, pinned, out.dir(), shelved, |files| {
                tell::count(files, &mut report);
                out.place(&gather::staged(files))
            })?;
            vendored.insert(pinned.clone());
        }
        let stale = self::shelf(&before, &policy).unwrap_or_default();
        out.remove_stale(&[], &stale.into_keys().collect(), &shelf.into_keys().collect())?;
        draft::write(&out.record(), &vendored.text(), Stamp::Now)?;
        report.elapsed = started.elapsed();
        Ok(report)
    }

    /// The cache that a build would use; `None` where it would use none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where a variable cannot be read.
    pub fn cache(&self) -> Result<Option<Cache>, Error> {
        Ok(self.provisioning()?.cache.as_deref().map(Cache::at))
    }

    /// Placeholders are for builds, and what a vendored directory has is for those who have none yet.
    fn provisioning(&self) -> Result<Policy, Error> {
        let mut policy = self.policy(&Environment::of_this_process())?;
        (policy.skip, policy.vendor_dir) = (false, None);
        Ok(policy)
    }
}

/// Brings the files that a lockfile pins, as `wanted` wants them, and hands them over while they are staged.
fn bring(
    policy: &Policy,
    pinned: &LockedModel,
    out_dir: &Path,
    wanted: impl Fn(&Order) -> Result<Vec<Wanted>, Error>,
    hand_over: impl FnOnce(&[Gathered]) -> Result<(), Error>,
) -> Result<(), Error> {
    let model = parse(&pinned.url)?;
    let progress = policy.progress(&model.short_name());
    let gatherer = Gatherer::new(policy, &model, &pinned.url, out_dir, &progress);
    let files = gatherer.gather(wanted(&Order::of_pins(policy, &model, pinned))?, None)?;
    hand_over(&files)
}

fn wanted(order: &Order) -> Result<Vec<Wanted>, Error> {
    order.known()
}

/// Under the names of a vendored directory.
fn shelved(order: &Order) -> Result<Vec<Wanted>, Error> {
    let shelved = |wanted: Wanted| match wanted.from.vendored() {
        Some(Ok(path)) => Ok(Wanted { path, ..wanted }),
        problem => {
            let headline = "cannot give a file a plain name in a vendored directory";
            let error = Error::new(ErrorKind::Path, headline).fact("url", &wanted.from);
            let problem = problem.and_then(Result::err);
            Err(problem.into_iter().fold(error, |error, problem| error.fact("found", problem)))
        }
    };
    order.known()?.into_iter().map(shelved).collect()
}

/// What a vendored directory of these pins has, by its names there, and the address of each.
fn shelf(lockfile: &Lockfile, policy: &Policy) -> Result<HashMap<ModelPath, String>, Error> {
    let mut shelf: HashMap<ModelPath, String> = HashMap::new();
    let mut names = Names::default();
    for pinned in remote(lockfile) {
        let model = parse(&pinned.url)?;
        for wanted in shelved(&Order::of_pins(policy, &model, pinned))? {
            let (path, from) = (wanted.path, wanted.from.to_string());
            let other = shelf.get(&path).filter(|other| **other != from);
            let clash = other.map(|other| format!("is also the name of {other}"));
            if let Some(why) = clash.or_else(|| names.clash(&path)) {
                let headline = "two files would meet in a vendored directory";
                return Err(Error::new(ErrorKind::Path, headline)
                    .fact("url", from)
                    .fact("found", format!("{:?} {why}", path.as_str()))
                    .help("vendor the models into two directories, with a lockfile each"));
            }
            names.add(&path);
            shelf.insert(path, from);
        }
    }
    Ok(shelf)
}

/// The models that do not lie beside the lockfile.
fn remote(lockfile: &Lockfile) -> impl Iterator<Item = &LockedModel> {
    lockfile.models().iter().filter(|model| !model.url.starts_with("./"))
}

/// Where files are staged that no `out_dir` is for.
fn scratch(policy: &Policy) -> PathBuf {
    let cache = policy.cache.as_deref().map(Cache::at).filter(Cache::is_writable);
    cache.map_or_else(env::temp_dir, |cache| cache.scratch())
}

fn parse(url: &str) -> Result<ModelUrl, Error> {
    ModelUrl::parse(url).map_err(|why| Error::url(&source::shown_text(url), &why))
}
