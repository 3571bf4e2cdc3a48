//! Makes wanted files readable: finds them in `out_dir`, or stages them from wherever the plan says.
//!
//! What comes out is hashed and is what its pin says or, without a pin, no impostor.

use std::path::{Path, PathBuf};

use url::Position;

use crate::cache::Cache;
use crate::copy::copy;
use crate::digest::Content;
use crate::errand::{Arrival, Errand};
use crate::error::{Error, ErrorKind};
use crate::fetch::Fetcher;
use crate::parallel;
use crate::plan::{Found, Held, InHand, Leave, Source, Step, plan};
use crate::policy::Policy;
use crate::progress::{Progress, Shares};
use crate::publish::Staged;
use crate::sniff::{self, Impostor};
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
    /// The first bytes of what arrived.
    head: Vec<u8>,
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
        let errands = self.errands(&wanted, &steps)?;
        self.progress.begin(&shares(&steps, &errands, bytes));
        let mut arrivals = self.fetcher.bring(&errands)?.into_iter().zip(errands);
        let mut gathered = |((wanted, held), step): ((Wanted, Held), Step)| {
            let arrival = if step == Step::Fetch { arrivals.next() } else { None };
            self.gathered(wanted, step, held.in_hand, arrival)
        };
        let files = wanted.into_iter().zip(held).zip(steps).map(&mut gathered);
        let files = files.collect::<Result<Vec<Gathered>, Error>>()?;
        self.refuse_what_is_not_pinned(&files)?;
        refuse_impostors(&files)?;
        Ok(files)
    }

    /// Looks for a file that is pinned; without a pin nothing that is there counts. What another place than `out_dir`
    /// has is copied at once, and it is the copy that is judged.
    fn look(&self, wanted: &Wanted) -> Result<Held, Error> {
        let mut held = Held::default();
        let Some(content) = wanted.pin else { return Ok(held) };
        let in_hand = |source, at| Some(InHand { source, content, at });
        let own = wanted.path.below(self.out_dir);
        let found = Content::of_file(&own).map_err(|error| Error::io("read", &own, error))?;
        if held.note(own.clone(), found, content) {
            held.in_hand = in_hand(Source::OutDir, own);
            return Ok(held);
        }
        let slot = self.staging.slot()?;
        let dir = self.policy.vendor_dir.as_deref();
        if let Some(from) = dir.and_then(|dir| wanted.vendored(dir)) {
            let found = copy(&from, &slot)
                .map_err(|error| Error::io(&format!("copy {} to", from.display()), &slot, error))?;
            if held.note(from.clone(), found, content) {
                held.in_hand = in_hand(Source::Vendored(from), slot);
                return Ok(held);
            }
            if found.is_some() {
                let dir = from.display();
                self.progress.note("Ignoring", &format!("{dir}: not what models.lock pins"));
            }
        }
        if let Some(cache) = &self.cache {
            let blob = cache.blob(content.digest);
            match cache.restore(content, &slot) {
                Ok(true) => held.in_hand = in_hand(Source::Cache, slot),
                Ok(false) => held.looked_at.push((blob, Found::Nothing)),
                Err(error) => held.looked_at.push((blob, Found::Uncopied(error.kind()))),
            }
        }
        Ok(held)
    }

    fn errands(&self, wanted: &[Wanted], steps: &[Step]) -> Result<Vec<Errand>, Error> {
        let fetched = wanted.iter().zip(steps).filter(|(_, step)| **step == Step::Fetch);
        let errand = |(wanted, _): (&Wanted, &Step)| {
            Ok(Errand {
                name: wanted.path.to_string(),
                from: self.sources(&wanted.from),
                to: self.staging.slot()?,
                pin: wanted.pin,
                limit: wanted.limit,
            })
        };
        fetched.map(errand).collect()
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
        arrived: Option<(Arrival, Errand)>,
    ) -> Result<Gathered, Error> {
        match (held, arrived) {
            (Some(InHand { source, content, at }), _) => {
                let (is_there, cached) = (source == Source::OutDir, source == Source::Cache);
                Ok(Gathered { wanted, step, content, at, is_there, cached, head: Vec::new() })
            }
            (None, Some((Arrival { content, head, cached }, errand))) => {
                let own = wanted.path.below(self.out_dir);
                let same = || Content::of_file(&own).is_ok_and(|found| found == Some(content));
                let is_there = wanted.pin.is_none() && same();
                let at = if is_there { own } else { errand.to };
                Ok(Gathered { wanted, step, content, at, is_there, cached, head })
            }
            (None, None) => {
                let (content, at) = (Content::of(b""), self.staging.empty()?);
                let (is_there, cached) = (false, false);
                Ok(Gathered { wanted, step, content, at, is_there, cached, head: Vec::new() })
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
        if let Some(impostor) = sniff::impostor(&first.head) {
            error = error.fact("it is", impostor);
        }
        if !others.is_empty() {
            let names: Vec<String> =
                others.iter().map(|file| format!("{:?}", file.wanted.path.as_str())).collect();
            error = error.fact("also different", names.join(", "));
        }
        Err(match wrong.iter().all(|file| sniff::impostor(&file.head).is_some()) {
            true => error.help("see in a browser what the URL leads to, or name another host in VENDOR_MODEL_MIRROR"),
            false => error.help(format!(
                "if the change upstream is meant, accept it: {}",
                self.policy.advice_to_update()
            )),
        })
    }
}

/// The files that still need their names.
pub(crate) fn staged(files: &[Gathered]) -> Vec<Staged> {
    let staged = files.iter().filter(|file| !file.is_there);
    staged.map(|file| Staged { path: file.wanted.path.clone(), at: file.at.clone() }).collect()
}

fn shares(steps: &[Step], errands: &[Errand], bytes: Option<u64>) -> Shares {
    let mut shares = Shares::default();
    for step in steps {
        match step {
            Step::Keep => shares.kept += 1,
            Step::Restore(Source::Cache) => shares.cached += 1,
            Step::Restore(_) => shares.vendored += 1,
            Step::Fetch | Step::LeaveEmpty => {}
        }
    }
    let remote = errands.iter().filter_map(|errand| match errand.from.first() {
        Some(Place::Host(url)) => {
            Some((errand.pin, &url[Position::BeforeHost..Position::AfterPort]))
        }
        _ => None,
    });
    let remote: Vec<_> = remote.collect();
    shares.fetched = remote.len();
    shares.hosts = remote.iter().map(|(_, host)| (*host).to_owned()).collect();
    shares.bytes = remote.iter().map(|(pin, _)| Some(pin.as_ref()?.size)).sum();
    shares.bytes = shares.bytes.or(bytes);
    shares
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
    let found = sniff::impostor(&file.head)?;
    match file.wanted.role {
        Role::Entry => None,
        Role::Extra if found.is_named_by(file.wanted.path.as_str()) => None,
        Role::Shard | Role::Extra => Some(found),
    }
}
