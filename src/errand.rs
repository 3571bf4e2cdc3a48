//! One file that is to be brought, and what came of it; and what all of them together may still cost.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::digest::Content;
use crate::error::advice;
use crate::failure::Failure;
use crate::sniff::{self, Impostor};
use crate::source::Place;

/// One file to bring.
#[derive(Debug)]
pub(crate) struct Errand<'a> {
    /// What messages call it.
    pub name: &'a str,
    /// Where it may come from, the first that has it.
    pub from: Vec<Place>,
    pub to: PathBuf,
    pub pin: Option<Content>,
    pub limit: Limit,
}

/// The most bytes that a file may have, and what says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Limit {
    pub bytes: u64,
    pub by: &'static str,
}

/// What was brought to the place that the errand names.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub content: Content,
    /// What it looks like, unless it is known to be right.
    pub impostor: Option<Impostor>,
    /// Whether the cache had it, and the host or another process said that it is still right.
    pub cached: bool,
}

/// Why a file did not come, and after how many tries.
pub(crate) struct Miss {
    pub failure: Failure,
    pub tries: u32,
    /// How many bytes have come that a later run goes on from.
    pub kept: u64,
}

impl Errand<'_> {
    /// Whether it may be this.
    pub fn accepts(&self, content: Content) -> bool {
        self.pin.is_none_or(|pin| pin == content)
    }

    pub fn bounds(&self, size: u64) -> Result<(), Failure> {
        let Limit { bytes, by } = self.limit;
        match size > bytes {
            true => Err(Failure::lasting(format!("it is longer than {bytes} bytes, {by}"))),
            false => Ok(()),
        }
    }
}

/// What all files together may still have.
#[derive(Debug)]
pub(crate) struct Budget {
    most: u64,
    left: AtomicU64,
}

impl Budget {
    pub fn new(max_bytes: u64) -> Budget {
        Budget { most: max_bytes, left: AtomicU64::new(max_bytes) }
    }

    pub fn spend(&self, n: u64) -> Result<(), Failure> {
        let left = |budget: u64| budget.checked_sub(n);
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left) {
            Ok(_) => Ok(()),
            Err(_) => {
                let most = self.most;
                let what = format!(
                    "the files of the model have more than {most} bytes together, the limit max_bytes"
                );
                Err(Failure::lasting(what)
                    .help("raise Config::max_bytes if the model is meant to be this large"))
            }
        }
    }

    pub fn give_back(&self, n: u64) {
        self.left.fetch_add(n, Ordering::Relaxed);
    }
}

impl Miss {
    pub fn at_once(failure: Failure) -> Miss {
        Miss::after(1, failure)
    }

    pub fn after(tries: u32, failure: Failure) -> Miss {
        Miss { failure, tries, kept: 0 }
    }

    /// It came, and was not what is pinned.
    pub fn of_the_bytes() -> Miss {
        Miss::at_once(Failure::lasting("other bytes than models.lock pins"))
    }
}

/// What the file at `path` looks like.
pub(crate) fn impostor_at(path: &Path) -> io::Result<Option<Impostor>> {
    let mut head = Vec::with_capacity(sniff::HEAD);
    File::open(path)?.take(sniff::HEAD as u64).read_to_end(&mut head)?;
    Ok(sniff::impostor(&head))
}

/// This machine's disk does not let us `act`.
pub(crate) fn local(act: &str, path: &Path, error: io::Error) -> Failure {
    let failure = Failure::local(format!("cannot {act} {}: {error}", path.display()));
    advice(act, error.kind()).into_iter().fold(failure, Failure::help)
}
