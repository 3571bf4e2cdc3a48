//! Makes wanted files readable: finds them in `out_dir`, or stages them from wherever the plan says.
//!
//! What comes out is hashed and is what its pin says or, without a pin, no impostor.

use std::io::ErrorKind::{QuotaExceeded, StorageFull};
use std::path::{Path, PathBuf};

use url::Position;

use crate::cache::Cache;
use crate::copy::copy;
use crate::digest::Content;
use crate::errand::{Arrival, Errand};
use crate::error::{Error, ErrorKind};
use crate::fetch::Fetcher;
use crate::parallel;
use crate::plan::{Held, InHand, Leave, Source, Step, plan};
use crate::policy::Policy;
use crate::progress::{Progress, Shares};
use crate::publish::Staged;
use crate::sniff::Impostor;
use crate::source::{ModelUrl, Place};
use crate::staging::Staging;
use crate::wanted::{Role, Wanted};

/// A file of the model that can be read: in `out_dir`, or staged.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub wanted: Wanted,
    pub step: Step,
    pub content: Content,
    pub at: PathBuf,
    /// Whether `out_dir` has it already.
    pub is_there: bool,
    /// Whether the cache had it.
    pub cached: bool,
    /// What it looks like, where it has just arrived.
    impostor: Option<Impostor>,
}

/// Gathers the files of one model, in as many turns as it takes to learn of them.
pub(crate) struct Gatherer<'a> {
    policy: &'a Policy,
    name: &'a str,
    out_dir: &'a Path,
    progress: &'a Progress,
    cache: Option<Cache>,
    fetcher: Fetcher<'a>,
    staging: Staging,
}

impl<'a> Gatherer<'a> {
    pub fn new(
        policy: &'a Policy,
        model: &'a ModelUrl,
        name: &'a str,
        out_dir: &'a Path,
        progress: &'a Progress,
    ) -> Gatherer<'a> {
        let cache = policy.cache.as_deref().map(Cache::at);
        let (fetcher, staging) = (Fetcher::new(policy, model, progress), Staging::new(out_dir));
        Gatherer { policy, name, out_dir, progress, cache, fetcher, staging }
    }

    /// `bytes` is what the wanted files have together, where that is known although nothing pins them.
    pub fn gather(&self, wanted: Vec<Wanted>, bytes: Option<u64>) -> Result<Vec<Gathered>, Error> {
        let held = parallel::each(&wanted, parallel::cores(), |file| self.look(file))?;
        let policy = self.policy;
        let (lock_mode, network, skip) = (policy.lock_mode, policy.network(), policy.skip);
        let steps = plan(&wanted, &held, Leave { lock_mode, network, skip })
            .map_err(|refusal| refusal.of(self.name, &wanted, &held, policy))?;
        let missing = wanted.iter().zip(&steps).filter(|(_, step)| **step == Step::Fetch);
        let missing: Vec<&Wanted> = missing.map(|(wanted, _)| wanted).collect();
        self.progress.begin(&self.shares(&steps, &missing, bytes));
        let arrivals = self.fetcher.bring(&missing, |wanted| self.errand(wanted))?;
        let (mut arrivals, mut files) = (arrivals.into_iter(), Vec::with_capacity(wanted.len()));
        for ((wanted, held), step) in wanted.into_iter().zip(held).zip(steps) {
            let arrival = if step == Step::Fetch { arrivals.next() } else { None };
            files.push(self.gathered(wanted, step, held.in_hand, arrival)?);
        }
        self.refuse_what_is_not_pinned(&files)?;
        refuse_impostors(&files)?;
        Ok(files)
    }

    /// Looks for a file that is pinned; without a pin nothing that is there counts. What another place than `out_dir`
    /// has is copied at once, and it is the copy that is judged.
    fn look(&self, wanted: &Wanted) -> Result<Held, Error> {
        let mut held = Held::default();
        let Some(content) = wanted.pin else { return Ok(held) };
        let own = wanted.path.below(self.out_dir);
        let found = Content::of_file(&own).map_err(|error| Error::io("read", &own, error))?;
        if found == Some(content) {
            return Ok(Held::at(Source::OutDir, content, own));
        }
        held.miss(own, found);
        let slot = self.staging.slot()?;
        let dir = self.policy.vendor_dir.as_deref();
        if let Some(from) = dir.and_then(|dir| wanted.vendored(dir)) {
            let found = copy(&from, &slot)
                .map_err(|error| Error::io(&format!("copy {} to", from.display()), &slot, error))?;
            if found == Some(content) {
                return Ok(Held::at(Source::Vendored(from), content, slot));
            }
            if found.is_some() {
                let dir = from.display();
                self.progress.note("Ignoring", &format!("{dir}: not what models.lock pins"));
            }
            held.miss(from, found);
        }
        if let Some(cache) = &self.cache {
            match cache.restore(content, &slot) {
                Ok(true) => return Ok(Held::at(Source::Cache, content, slot)),
                Ok(false) => held.miss(cache.blob(content.digest), None),
                Err(error) if matches!(error.kind(), StorageFull | QuotaExceeded) => {
                    let blob = cache.blob(content.digest);
                    return Err(Error::io(&format!("copy {} to", blob.display()), &slot, error));
                }
                Err(error) => held.blocked(cache.blob(content.digest), error),
            }
        }
        Ok(held)
    }

    fn errand<'w>(&self, wanted: &'w Wanted) -> Result<Errand<'w>, Error> {
        Ok(Errand {
            name: wanted.path.as_str(),
            from: self.sources(&wanted.from),
            to: self.staging.slot()?,
            pin: wanted.pin,
            limit: wanted.limit,
        })
    }

    fn shares(&self, steps: &[Step], missing: &[&Wanted], bytes: Option<u64>) -> Shares {
        let mut shares = Shares::default();
        for step in steps {
            match step {
                Step::Keep => shares.kept += 1,
                Step::Restore(Source::Cache) => shares.cached += 1,
                Step::Restore(_) => shares.vendored += 1,
                Step::Fetch | Step::LeaveEmpty => {}
            }
        }
        let mut known = Some(0);
        for file in missing {
            let Some(Place::Host(url)) = self.sources(&file.from).into_iter().next() else {
                continue;
            };
            shares.fetched += 1;
            shares.hosts.insert(url[Position::BeforeHost..Position::AfterPort].to_owned());
            known = known.zip(file.pin).map(|(known, pin)| known + pin.size);
        }
        shares.bytes = known.or(bytes);
        shares
    }

    fn sources(&self, from: &Place) -> Vec<Place> {
        match from {
            Place::Host(url) => {
                self.policy.mirrors.sources(url).into_iter().map(Place::from).collect()
            }
            Place::Disk(_) => vec![from.clone()],
        }
    }

    fn gathered(
        &self,
        wanted: Wanted,
        step: Step,
        held: Option<InHand>,
        arrived: Option<(Arrival, PathBuf)>,
    ) -> Result<Gathered, Error> {
        match (held, arrived) {
            (Some(InHand { source, content, at }), _) => {
                let (is_there, cached) = (source == Source::OutDir, source == Source::Cache);
                Ok(Gathered { wanted, step, content, at, is_there, cached, impostor: None })
            }
            (None, Some((Arrival { content, impostor, cached }, to))) => {
                let own = wanted.path.below(self.out_dir);
                let same = || Content::of_file(&own).is_ok_and(|found| found == Some(content));
                let is_there = wanted.pin.is_none() && same();
                let at = if is_there { own } else { to };
                Ok(Gathered { wanted, step, content, at, is_there, cached, impostor })
            }
            (None, None) => {
                let (content, at) = (Content::of(b""), self.staging.empty()?);
                let (is_there, cached) = (false, false);
                Ok(Gathered { wanted, step, content, at, is_there, cached, impostor: None })
            }
        }
    }

    /// Something is wrong with these files. Those that no pin tells are to come as if they had never come before.
    pub fn doubt(&self, files: &[Gathered]) {
        let unpinned = files.iter().filter(|file| file.wanted.pin.is_none());
        let places = unpinned.flat_map(|file| self.sources(&file.wanted.from));
        places.for_each(|place| self.fetcher.forget(&place));
    }

    fn refuse_what_is_not_pinned(&self, files: &[Gathered]) -> Result<(), Error> {
        let wrong: Vec<&Gathered> = files
            .iter()
            .filter(|file| {
                file.step == Step::Fetch && file.wanted.pin.is_some_and(|pin| pin != file.content)
            })
            .collect();
        let Some((first, others)) = wrong.split_first() else { return Ok(()) };
        let mut error = Error::digest(
            first.wanted.path.as_str(),
            &first.wanted.from,
            first.wanted.pin.unwrap_or(first.content),
            first.content,
        );
        let asked =
            self.sources(&first.wanted.from).pop().filter(|last| *last != first.wanted.from);
        if let Some(mirror) = asked {
            error = error.fact("by way of", mirror);
        }
        if let Some(impostor) = first.impostor {
            error = error.fact("it is", impostor);
        }
        if !others.is_empty() {
            let names: Vec<String> =
                others.iter().map(|file| format!("{:?}", file.wanted.path.as_str())).collect();
            error = error.fact("also different", names.join(", "));
        }
        Err(match wrong.iter().all(|file| file.impostor.is_some()) {
            true => error.help("see in a browser what the URL leads to, or name another host in VENDOR_MODEL_MIRROR"),
            false => error.help(format!(
                "if the change upstream is meant, accept it: {}",
                self.policy.advice_to_update()
            )),
        })
    }
}

/// The files that still need their names.
pub(crate) fn staged(files: &[Gathered]) -> Vec<Staged<'_>> {
    let staged = files.iter().filter(|file| !file.is_there);
    staged.map(|file| Staged { path: &file.wanted.path, at: &file.at }).collect()
}

/// Trust at first use ends where a host sends its error page. The entry is judged by its parser, which knows more.
fn refuse_impostors(files: &[Gathered]) -> Result<(), Error> {
    let unpinned = files.iter().filter(|file| file.wanted.pin.is_none());
    let mut found = unpinned.filter_map(|file| Some((file, impostor(file)?))).peekable();
    if found.peek().is_none() {
        return Ok(());
    }
    let headline = "the host sends something else in place of a file of the model";
    let listed = found.fold(Error::new(ErrorKind::Http, headline), |error, (file, impostor)| {
        error
            .fact("file", format!("{:?}", file.wanted.path.as_str()))
            .fact("from", &file.wanted.from)
            .fact("found", format!("it is {impostor}"))
    });
    Err(listed.help(
        "see in a browser what the URL leads to; the files of a model lie beside its manifest",
    ))
}

/// An extra file may be what its name says.
fn impostor(file: &Gathered) -> Option<Impostor> {
    let found = file.impostor?;
    match file.wanted.role {
        Role::Entry => None,
        Role::Extra if found.is_named_by(file.wanted.path.as_str()) => None,
        Role::Shard | Role::Extra => Some(found),
    }
}
