//! What a run tells: cargo, what it must watch; whoever builds, what to do something about; the caller, what was done.

use std::path::PathBuf;
use std::time::Instant;

use crate::config::LockMode;
use crate::emit::Emit;
use crate::environment::WATCHED;
use crate::gather::Gathered;
use crate::lockfile::LockedModel;
use crate::package::Tree;
use crate::path::RECORD;
use crate::pins::Pins;
use crate::plan::{Source, Step};
use crate::policy::Policy;
use crate::publish::OutDir;
use crate::source::ModelUrl;
use crate::vendored::Report;
use crate::verify::Misfit;

/// A run that went well.
pub(crate) struct Teller<'a> {
    pub policy: &'a Policy,
    pub model: &'a ModelUrl,
    pub pins: &'a Pins,
    pub files: &'a [Gathered],
}

impl Teller<'_> {
    /// Cargo repeats warnings at every build: they are for what somebody has to do something about.
    pub fn warn(&self, locked: &LockedModel, surplus: Option<Misfit>, whole: bool) {
        let warning = |text: String| self.emit().warning(&format!("{}: {text}", self.pins.name));
        if !whole {
            warning(
                "empty placeholders stand for its files, because the network was not to be used"
                    .to_owned(),
            );
            return;
        }
        if let Some(surplus) = surplus {
            warning(format!("{surplus}; TensorFlow.js ignores the rest"));
        }
        let news = self.news(locked);
        let unpinned = self.pins.pinned.is_none();
        if (unpinned || !news.is_empty()) && self.model.is_plain_http() {
            warning("pinned what came over plain http, which anybody on the way could have changed; compare models.lock with another source".to_owned());
        }
        let package = self.policy.package.as_ref();
        if unpinned && package.is_some_and(|package| package.tree == Tree::Packaged) {
            warning("this package has no pin for it; commit models.lock before publishing, or its users cannot build it".to_owned());
        }
        if self.policy.lock_mode == LockMode::Update && self.is_behind(locked, &news) {
            let command = self.policy.advice_to_vendor();
            warning(format!(
                "the vendored directory was left aside and has what was pinned before; to bring it along: {command}"
            ));
        }
        news.into_iter().for_each(warning);
    }

    /// What an update changed, a line for each file.
    fn news(&self, locked: &LockedModel) -> Vec<String> {
        match &self.pins.pinned {
            Some(before) if self.policy.lock_mode == LockMode::Update => before.news(locked),
            _ => Vec::new(),
        }
    }

    /// Whether the vendored directory has the model, and other bytes of it. Where it has no lock it has what was pinned.
    fn is_behind(&self, locked: &LockedModel, news: &[String]) -> bool {
        let there = |dir: &PathBuf| {
            let mut places = self.files.iter().filter_map(|file| file.wanted.vendored(dir));
            places.any(|at| at.exists())
        };
        match &self.pins.vendored {
            Some(vendored) => !vendored.news(locked).is_empty(),
            None => !news.is_empty() && self.policy.vendor_dir.as_ref().is_some_and(there),
        }
    }

    /// Names to cargo what is there now and makes this run stale when it changes.
    pub fn watch(&self, out: &OutDir) {
        let (policy, emit) = (self.policy, self.emit());
        WATCHED.iter().for_each(|name| emit.rerun_if_env_changed(name));
        let restored = self.files.iter().filter_map(|file| match &file.step {
            Step::Restore(Source::Vendored(path)) => Some(path.clone()),
            _ => None,
        });
        let vendor_lock = policy.vendor_dir.iter().map(|dir| dir.join(RECORD));
        let outputs = self.files.iter().map(|file| file.wanted.path.below(out.dir()));
        let locks = policy.lockfile.iter().cloned().chain([out.record()]).chain(vendor_lock);
        locks
            .chain(restored)
            .chain(outputs)
            .filter(|path| path.exists())
            .for_each(|path| emit.rerun_if_changed(&path));
        if let Some(package) = &policy.package
            && package.tree == Tree::Packaged
        {
            // Where the two share a target directory cargo takes this run for one in the package itself, which has no
            // such file: there it is stale, and the next one makes the package lock.
            emit.rerun_if_changed(&package.dir.join("Cargo.toml.orig"));
        }
        if policy.lock_mode == LockMode::Update {
            // A file that is never there makes cargo run the script again: each update is an act of its own.
            emit.rerun_if_changed(&out.dir().join(".vendor-model-update"));
        }
    }

    pub fn report(&self, started: Instant) -> Report {
        let mut report = Report { elapsed: started.elapsed(), ..Report::default() };
        count(self.files, &mut report);
        report
    }

    fn emit(&self) -> Emit {
        Emit::new(self.policy.metadata)
    }
}

/// Adds up where files came from.
pub(crate) fn count(files: &[Gathered], report: &mut Report) {
    for file in files {
        match &file.step {
            Step::Keep => report.kept += 1,
            Step::Restore(Source::Vendored(_)) => report.restored += 1,
            Step::LeaveEmpty => report.left_empty += 1,
            _ if file.cached => report.cached += 1,
            _ => {
                report.fetched += 1;
                report.fetched_bytes += file.content.size;
            }
        }
    }
}
