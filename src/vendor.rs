//! The story: [`vendor`] runs the stages in order, each result the next one's argument. Wires, decides little.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use crate::assemble::{Assembled, assemble};
use crate::claim::Claim;
use crate::config::{Config, LockMode};
use crate::draft::Stamp;
use crate::emit::Emit;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::gather::{self, Gatherer};
use crate::lockfile::{LockedModel, Lockfile};
use crate::package::Tree;
use crate::pins::{self, Pins};
use crate::plan::Step;
use crate::policy::Policy;
use crate::progress::Progress;
use crate::publish::{self, OutDir};
use crate::source::{self, ModelUrl};
use crate::staging;
use crate::tell::Teller;
use crate::turn::Turn;
use crate::vendored::Vendored;
use crate::wanted::Order;

impl Config {
    /// Vendors the model whose manifest is at `url` into `out_dir`, with these settings.
    ///
    /// See [`vendor_model`](crate::vendor_model), which does the same with the defaults.
    ///
    /// # Errors
    ///
    /// Of every [`ErrorKind`]. Until all files are verified, what `out_dir` held is not touched.
    pub fn vendor_model(
        &self,
        url: impl AsRef<str>,
        out_dir: impl AsRef<Path>,
    ) -> Result<Vendored, Error> {
        vendor(self, url.as_ref(), out_dir.as_ref())
    }
}

fn vendor(config: &Config, url: &str, out_dir: &Path) -> Result<Vendored, Error> {
    let started = Instant::now();
    let policy = config.policy(&Environment::of_this_process())?;
    let model = ModelUrl::parse(url).map_err(|why| Error::url(&source::shown_text(url), &why))?;
    let progress = policy.progress(&model.short_name());
    let stamp = Stamp::of_outputs(policy.package.is_some());
    let out = OutDir::new(out_dir, stamp)?;
    let _turn = Turn::at(out.dir(), &progress)?;
    let pins = Pins::find(&policy, &model, out.dir())?;
    let order = Order::new(&policy, &model, &pins.name, binding(&pins, &policy)?)?;

    let gatherer = Gatherer::new(&policy, &model, &pins.name, out.dir(), &progress);
    // Until the first file gets its name, a failure has changed nothing.
    let unchanged = |error: Error| match pins.record.models() {
        [] => error,
        _ => error.fact("kept", format!("{} is as it was", out.dir().display())),
    };
    let Assembled { files, locked, surplus } = assemble(&gatherer, &order).map_err(unchanged)?;
    let whole = files.iter().all(|file| file.step != Step::LeaveEmpty);
    if whole {
        let after = settled(&out, &policy, &pins, &locked).map_err(unchanged)?;
        let edition =
            out.prepare(gather::staged(&files), &pins.record, &after).map_err(unchanged)?;
        // First, so that what the lock pins is never replaced by what it does not.
        update_package_lock(&out, &pins, &policy, &locked, &progress)?;
        edition.publish()?;
    } else {
        let others = pins.without(&locked);
        out.prepare(gather::staged(&files), &others, &others)?.publish()?;
    }
    let teller = Teller { policy: &policy, model: &model, pins: &pins, files: &files };
    teller.warn(&locked, surplus, whole);
    teller.watch(&out);
    let report = teller.report(started);
    Ok(Vendored::new(out.dir(), locked, report, whole, Emit::new(policy.metadata), stamp))
}

/// The pins that this run must keep to: none where they are to move.
fn binding<'a>(pins: &'a Pins, policy: &Policy) -> Result<Option<&'a LockedModel>, Error> {
    let published = policy.package.as_ref().is_some_and(|package| package.tree == Tree::Published);
    if pins.pinned.is_none() && published && !policy.unlocked_by_builder && !policy.skip {
        let error = Error::new(
            ErrorKind::Locked,
            "this crate was published without models.lock, so nothing says which bytes its author meant",
        );
        return Err(error
            .fact("url", &pins.name)
            .help("its author should commit models.lock and publish again; to trust the host instead, set VENDOR_MODEL_LOCK=auto"));
    }
    Ok(pins.pinned.as_ref().filter(|_| policy.lock_mode != LockMode::Update))
}

/// What `out_dir` will hold: this model, and those that it can lie beside.
///
/// What an earlier build left for another model gives way to this one; what this process has vendored does not.
fn settled(
    out: &OutDir,
    policy: &Policy,
    pins: &Pins,
    locked: &LockedModel,
) -> Result<Lockfile, Error> {
    static VENDORED: Mutex<BTreeSet<(PathBuf, String)>> = Mutex::new(BTreeSet::new());
    let mut vendored = VENDORED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut after = pins.record.clone();
    after.drop_remains();
    for (rival, path) in pins.record.rivals(locked) {
        let by_this_process = vendored.contains(&(out.dir().to_owned(), rival.url.clone()));
        if by_this_process || policy.package.is_none() {
            let (path, dir) = (path.as_str(), out.dir().display());
            let headline = format!("two models dispute the file {path:?} in {dir}");
            return Err(Error::new(ErrorKind::Path, headline)
                .fact("one", &rival.url)
                .fact("other", &locked.url)
                .help("vendor them into two directories"));
        }
        after.remove(&rival.url);
    }
    if after.model(&locked.url) != Some(locked) {
        after.insert(locked.clone());
    }
    vendored.insert((out.dir().to_owned(), locked.url.clone()));
    Ok(after)
}

/// Brings the package lock up to date, where that is allowed. Another process may have done so meanwhile.
fn update_package_lock(
    out: &OutDir,
    pins: &Pins,
    policy: &Policy,
    locked: &LockedModel,
    progress: &Progress,
) -> Result<(), Error> {
    let Some(path) = &pins.package_lock else { return Ok(()) };
    if policy.lock_mode == LockMode::Locked {
        return Ok(());
    }
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let waiting = || progress.note("Waiting", "for another process, which writes models.lock");
    // Where the turn is ours already we would wait for ourselves.
    let _turn = (!out.is_at(dir)).then(|| Claim::dir(dir, waiting));
    // A process may have died of writing it.
    staging::sweep(dir, dir);
    if pins.is_packaged && pins.pinned.as_ref() == Some(locked) {
        return Ok(());
    }
    let before = pins::read_if_there(path)?;
    let pinned = before.as_ref().and_then(|lockfile| lockfile.model(&locked.url));
    if let (Some(other), None) = (pinned, &pins.pinned)
        && !other.changes(locked).is_empty()
    {
        let headline = format!("another process pinned {} meanwhile, to other bytes", pins.name);
        return Err(Error::new(ErrorKind::Lock, headline)
            .fact("pinned by", path.display())
            .help("build again; if that does not help, the host delivers now this and now that"));
    }
    let mut after = before.clone().unwrap_or_default();
    after.insert(locked.clone());
    // What an earlier run left here may also lie in other target directories, which are to notice that it moved.
    let earlier = pins.record.model(&locked.url);
    let moved = earlier.is_some_and(|earlier| !earlier.changes(locked).is_empty());
    let package = policy.package.as_ref().filter(|_| !moved);
    let manifest = package.map(|package| package.dir.join("Cargo.toml"));
    publish::package_lock(path, before.as_ref(), &after, manifest.as_deref())
}
