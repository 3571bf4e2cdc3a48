//! Brings files to their staging place: several at once, each from the first place that has it.
//!
//! Knows places and bytes, no manifests.

use std::fs;
use std::path::{Path, PathBuf};

use crate::copy::copy;
use crate::download::Downloads;
use crate::errand::{Arrival, Errand, Miss, impostor_at, local};
use crate::error::{Error, ErrorKind};
use crate::failure::Failure;
use crate::parallel;
use crate::policy::Policy;
use crate::progress::Progress;
use crate::source::{ModelUrl, Place};

/// Brings files until it is dropped.
pub(crate) struct Fetcher<'a> {
    progress: &'a Progress,
    downloads: Downloads<'a>,
    connections: usize,
}

impl<'a> Fetcher<'a> {
    pub fn new(policy: &'a Policy, model: &'a ModelUrl, progress: &'a Progress) -> Fetcher<'a> {
        let downloads = Downloads::new(policy, model, progress);
        Fetcher { progress, downloads, connections: policy.connections }
    }

    /// What arrived of `files`, and where, in their order; or why the first of those that did not was missed.
    pub fn bring<'f, F: Sync>(
        &self,
        files: &'f [F],
        errand: impl Fn(&'f F) -> Result<Errand<'f>, Error> + Sync,
    ) -> Result<Vec<(Arrival, PathBuf)>, Error> {
        parallel::each(files, self.connections, |file| {
            let errand = errand(file)?;
            self.bring_one(&errand).map(|arrival| (arrival, errand.to))
        })
    }

    /// What is known of a place is not to be relied on any more.
    pub fn forget(&self, place: &Place) {
        if let Place::Host(url) = place {
            self.downloads.forget(url);
        }
    }

    fn bring_one(&self, errand: &Errand) -> Result<Arrival, Error> {
        let mut misses = Vec::new();
        for (at, from) in errand.from.iter().enumerate() {
            let is_last = at + 1 == errand.from.len();
            match self.bring_from(errand, from) {
                Ok(arrival) if is_last || errand.accepts(arrival.content) => {
                    return Ok(arrival);
                }
                Ok(_) => misses.push((from, Miss::of_the_bytes())),
                Err(miss) => misses.push((from, miss)),
            }
        }
        self.downloads.give_up();
        Err(missed(errand, misses))
    }

    fn bring_from(&self, errand: &Errand, from: &Place) -> Result<Arrival, Miss> {
        match from {
            Place::Host(url) => {
                self.downloads.bring(errand, url).inspect(|_| self.progress.finished())
            }
            Place::Disk(path) => self.read(errand, path).map_err(Miss::at_once),
        }
    }

    fn read(&self, errand: &Errand, path: &Path) -> Result<Arrival, Failure> {
        let size = fs::metadata(path).map_err(|error| local("read", path, error))?.len();
        errand.bounds(size)?;
        self.downloads.spend(size)?;
        let content = copy(path, &errand.to)
            .map_err(|error| local(&format!("copy {} to", path.display()), &errand.to, error))?;
        let content = content.ok_or_else(|| Failure::local("it is no file"))?;
        let impostor =
            impostor_at(&errand.to).map_err(|error| local("read again", &errand.to, error))?;
        Ok(Arrival { content, impostor, cached: false })
    }
}

fn missed(errand: &Errand, misses: Vec<(&Place, Miss)>) -> Error {
    let kind = misses.last().map_or(ErrorKind::Http, |(_, miss)| miss.failure.kind);
    let headline = format!("cannot bring {:?}", errand.name);
    misses.into_iter().fold(Error::new(kind, headline), |error, (from, miss)| {
        let mut error = error.fact("from", from).fact("found", miss.failure.what);
        if miss.tries > 1 {
            error = error.fact("tried", format!("{} times", miss.tries));
        }
        if miss.kept > 0 {
            let kept = format!("{} bytes in the cache, from which the next run goes on", miss.kept);
            error = error.fact("kept", kept);
        }
        match miss.failure.help {
            Some(advice) => error.help(advice),
            None if miss.failure.passes => error
                .help("it may pass: run this again, or name another host in VENDOR_MODEL_MIRROR"),
            None => error,
        }
    })
}
