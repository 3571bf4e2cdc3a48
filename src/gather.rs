//! Makes wanted files readable: finds them in `out_dir`, or stages them from wherever the plan says.
//!
//! What comes out is hashed and is what its pin says or, without a pin, no impostor.

use std::path::PathBuf;

use crate::digest::Content;
use crate::error::{Error, ErrorKind};
use crate::fetch::{Arrival, Errand, Fetcher};
use crate::parallel;
use crate::plan::{Held, Step, plan};
use crate::policy::Policy;
use crate::publish::{OutDir, Staging};
use crate::sniff::{self, Impostor};
use crate::source::ModelUrl;
use crate::wanted::{Role, Wanted};

/// A file of the model that can be read: in `out_dir`, or staged.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub wanted: Wanted,
    pub step: Step,
    pub content: Content,
    pub at: PathBuf,
    /// The first bytes of what arrived.
    head: Vec<u8>,
}

/// Gathers the files of one model, in as many turns as it takes to learn of them.
pub(crate) struct Gatherer<'a> {
    policy: &'a Policy,
    model: &'a ModelUrl,
    name: &'a str,
    out: &'a OutDir,
    fetcher: Fetcher,
    /// Made for the first file that is not kept, with the number of its files.
    staging: Option<(Staging, usize)>,
}

impl<'a> Gatherer<'a> {
    pub fn new(
        policy: &'a Policy,
        model: &'a ModelUrl,
        name: &'a str,
        out: &'a OutDir,
    ) -> Gatherer<'a> {
        let fetcher = Fetcher::new(policy);
        Gatherer { policy, model, name, out, fetcher, staging: None }
    }

    pub fn gather(&mut self, wanted: Vec<Wanted>) -> Result<Vec<Gathered>, Error> {
        let held = parallel::each(&wanted, parallel::cores(), |file| self.look(file))?;
        let steps = plan(&wanted, &held, self.policy.lock_mode, self.policy.network())
            .map_err(|refusal| refusal.of(self.name, &wanted, &held, self.policy))?;
        let mut errands = Vec::new();
        for (wanted, step) in wanted.iter().zip(&steps) {
            if let Some(from) = step.place() {
                let (name, limit) = (wanted.path.to_string(), wanted.limit);
                errands.push(Errand { name, from, to: self.slot()?, limit });
            }
        }
        let mut arrivals = self.fetcher.bring(&errands)?.into_iter().zip(errands);
        let files = wanted.into_iter().zip(steps).map(|(wanted, step)| match (step, wanted.pin) {
            (Step::Keep, Some(content)) => self.kept(wanted, content),
            (step, _) => {
                let arrival = arrivals.next();
                let (arrival, errand) = arrival.expect("each step but `Keep` was an errand");
                let Arrival { content, head } = arrival;
                Gathered { wanted, step, content, at: errand.to, head }
            }
        });
        let files: Vec<Gathered> = files.collect();
        self.refuse_what_is_not_pinned(&files)?;
        refuse_impostors(&files)?;
        Ok(files)
    }

    fn kept(&self, wanted: Wanted, content: Content) -> Gathered {
        let at = wanted.path.below(self.out.dir());
        Gathered { wanted, step: Step::Keep, content, at, head: Vec::new() }
    }

    /// Hashes what is there of a file that is pinned; without a pin nothing that is there counts.
    fn look(&self, wanted: &Wanted) -> Result<Held, Error> {
        let mut held = Held::default();
        if wanted.pin.is_none() {
            return Ok(held);
        }
        let vendored =
            self.policy.vendor_dir.as_ref().and_then(|dir| self.model.vendored(dir, &wanted.from));
        for path in std::iter::once(wanted.path.below(self.out.dir())).chain(vendored) {
            let content =
                Content::of_file(&path).map_err(|error| Error::io("read", &path, error))?;
            held.looked_at.push((path, content));
            if content == wanted.pin {
                break;
            }
        }
        Ok(held)
    }

    /// A place for the next staged file.
    fn slot(&mut self) -> Result<PathBuf, Error> {
        let (staging, files) = match self.staging.take() {
            Some((staging, files)) => (staging, files + 1),
            None => (self.out.stage()?, 0),
        };
        let slot = staging.slot(files);
        self.staging = Some((staging, files));
        Ok(slot)
    }

    fn refuse_what_is_not_pinned(&self, files: &[Gathered]) -> Result<(), Error> {
        let wrong: Vec<&Gathered> = files
            .iter()
            .filter(|file| file.wanted.pin.is_some_and(|pin| pin != file.content))
            .collect();
        let Some((first, others)) = wrong.split_first() else { return Ok(()) };
        let mut error = Error::digest(
            first.wanted.path.as_str(),
            &first.wanted.from,
            first.wanted.pin.unwrap_or(first.content),
            first.content,
        );
        if let Some(impostor) = sniff::impostor(&first.head) {
            error = error.fact("it is", impostor);
        }
        if !others.is_empty() {
            let names: Vec<String> =
                others.iter().map(|file| format!("{:?}", file.wanted.path.as_str())).collect();
            error = error.fact("also different", names.join(", "));
        }
        Err(error.help(format!(
            "if the change upstream is meant, accept it: {}",
            self.policy.advice_to_update()
        )))
    }
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
    Err(listed.help("see whether it really lies beside the manifest; nothing was pinned"))
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
