//! Brings files to their staging place: several at once, streamed in constant memory, hashed while they arrive,
//! never past a bound, and tried again where that can help.
//!
//! Knows places and bytes, no manifests and no pins.

use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use url::Url;

use crate::digest::{CHUNK, Content, Metered, TooLong};
use crate::error::Error;
use crate::failure::Failure;
use crate::http::Client;
use crate::parallel;
use crate::policy::Policy;
use crate::sniff;
use crate::source::Place;

/// One file to bring.
#[derive(Debug)]
pub(crate) struct Errand {
    /// What messages call it.
    pub name: String,
    pub from: Place,
    pub to: PathBuf,
    /// The most bytes it may have.
    pub limit: u64,
}

/// What was brought.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub content: Content,
    /// Its first bytes, to be looked at where nothing pins it.
    pub head: Vec<u8>,
}

/// Brings files until it is dropped; keeps connections meanwhile. Opens none, and reads no certificates, before it
/// has something to ask a host for.
pub(crate) struct Fetcher {
    client: OnceLock<Result<Client, Failure>>,
    certificates: Option<PathBuf>,
    connections: usize,
    retries: u32,
    /// What all files together may still have.
    budget: AtomicU64,
}

impl Fetcher {
    pub fn new(policy: &Policy) -> Fetcher {
        Fetcher {
            client: OnceLock::new(),
            certificates: policy.certificates.clone(),
            connections: policy.connections,
            retries: policy.retries,
            budget: AtomicU64::new(policy.max_bytes),
        }
    }

    /// What arrived, in the order of `errands`; or why the first of those that did not was missed.
    pub fn bring(&self, errands: &[Errand]) -> Result<Vec<Arrival>, Error> {
        parallel::each(errands, self.connections, |errand| self.bring_one(errand))
    }

    fn bring_one(&self, errand: &Errand) -> Result<Arrival, Error> {
        for tries in 1.. {
            match self.attempt(errand) {
                Ok(arrival) => return Ok(arrival),
                Err(failure) if failure.passes && tries <= self.retries => {
                    thread::sleep(pause(tries, RandomState::new().hash_one(tries)))
                }
                Err(failure) => return Err(missed(errand, failure, tries)),
            }
        }
        unreachable!("the last try has returned")
    }

    fn attempt(&self, errand: &Errand) -> Result<Arrival, Failure> {
        let body = match &errand.from {
            Place::Host(url) => self.get(url)?,
            Place::Disk(path) => Box::new(File::open(path).map_err(|error| local("open", error))?),
        };
        let mut spent = 0;
        let arrival = self.stream(body, errand, &mut spent);
        if arrival.is_err() {
            self.budget.fetch_add(spent, Ordering::Relaxed);
        }
        arrival
    }

    fn stream(
        &self,
        body: impl Read,
        errand: &Errand,
        spent: &mut u64,
    ) -> Result<Arrival, Failure> {
        let mut file =
            File::create(&errand.to).map_err(|error| local("create a file for", error))?;
        let mut body = Metered::new(body, errand.limit);
        let mut head = Vec::with_capacity(sniff::HEAD);
        let mut chunk = vec![0; CHUNK];
        loop {
            let n = body.read(&mut chunk).map_err(|error| cut(error, errand))?;
            if n == 0 {
                return Ok(Arrival { content: body.finish(), head });
            }
            self.spend(n as u64)?;
            *spent += n as u64;
            let missing = sniff::HEAD - head.len();
            head.extend_from_slice(&chunk[..n.min(missing)]);
            file.write_all(&chunk[..n]).map_err(|error| local("write", error))?;
        }
    }

    fn spend(&self, n: u64) -> Result<(), Failure> {
        let left = |budget: u64| budget.checked_sub(n);
        match self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left) {
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::lasting("the model's files have more than max_bytes together")
                .help("raise Config::max_bytes if the model is meant to be this large")),
        }
    }

    fn get(&self, url: &Url) -> Result<Box<dyn Read>, Failure> {
        let begin = || Client::new(self.connections, self.certificates.as_deref());
        self.client.get_or_init(begin).as_ref().map_err(Failure::clone)?.get(url)
    }
}

fn missed(errand: &Errand, failure: Failure, tries: u32) -> Error {
    let mut error = Error::new(failure.kind, format!("cannot bring {:?}", errand.name))
        .fact("from", &errand.from)
        .fact("found", failure.what);
    if tries > 1 {
        error = error.fact("tried", format!("{tries} times"));
    }
    match failure.help {
        Some(advice) => error.help(advice),
        None => error,
    }
}

fn local(act: &str, error: io::Error) -> Failure {
    Failure::local(format!("cannot {act} it: {error}"))
}

/// A body that stopped coming may come another time; one that is too long will not get shorter.
fn cut(error: io::Error, errand: &Errand) -> Failure {
    let too_long = error.get_ref().and_then(|inner| inner.downcast_ref::<TooLong>());
    match (too_long, &errand.from) {
        (Some(too_long), _) => Failure::lasting(format!("it is {too_long}")),
        (None, Place::Disk(_)) => local("read", error),
        (None, Place::Host(_)) => Failure::passing(format!("the transfer broke off: {error}")),
    }
}

/// How long to wait after so many failures: doubling from half a second, at most ten, of which `chance` takes up to half.
fn pause(failures: u32, chance: u64) -> Duration {
    let longest = Duration::from_millis(250)
        .saturating_mul(1 << failures.min(6))
        .min(Duration::from_secs(10));
    longest / 2 + (longest / 2).mul_f64(chance as f64 / u64::MAX as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_half_a_second_to_ten() {
        let longest: Vec<u128> =
            (1..8).map(|failures| pause(failures, u64::MAX).as_millis()).collect();
        assert_eq!(longest, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
        let shortest: Vec<u128> = (1..4).map(|failures| pause(failures, 0).as_millis()).collect();
        assert_eq!(shortest, [250, 500, 1000]);
    }
}
