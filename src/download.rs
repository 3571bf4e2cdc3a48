//! One file from one host: through the cache, on from where it stopped, tried again where that can help.
//!
//! Streamed in constant memory, hashed while it arrives, never past a bound. Decides by pins alone what is right.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{self, Read};
use std::sync::OnceLock;

use url::Url;

use crate::cache::Cache;
use crate::digest::{CHUNK, Content};
use crate::errand::{Arrival, Budget, Errand, Miss, impostor_at, local};
use crate::exchange::{Ask, Reply};
use crate::failure::Failure;
use crate::http::Client;
use crate::memory::{Memory, key};
use crate::partial::{Partial, Promise, Traces};
use crate::patience;
use crate::policy::Policy;
use crate::progress::Progress;
use crate::seats::Seats;
use crate::sniff;
use crate::source::ModelUrl;

/// Downloads until it is dropped; keeps connections meanwhile. Opens none, and reads no certificates, before it has
/// something to ask a host for.
pub(crate) struct Downloads<'a> {
    policy: &'a Policy,
    model: &'a ModelUrl,
    progress: &'a Progress,
    client: OnceLock<Result<Client, Failure>>,
    cache: OnceLock<Option<Cache>>,
    seats: Seats,
    budget: Budget,
}

/// How a host was understood.
enum Outcome {
    /// What the cache gave is still right.
    Unchanged(Content),
    /// The body is there; whether its end could be told from a cut.
    Ended { has_end: bool },
}

impl<'a> Downloads<'a> {
    pub fn new(policy: &'a Policy, model: &'a ModelUrl, progress: &'a Progress) -> Downloads<'a> {
        Downloads {
            policy,
            model,
            progress,
            client: OnceLock::new(),
            cache: OnceLock::new(),
            seats: Seats::new(policy.connections),
            budget: Budget::new(policy.max_bytes),
        }
    }

    /// From `url`, unless another process that is at it now brings it meanwhile.
    pub fn bring(&self, errand: &Errand, url: &Url) -> Result<Arrival, Miss> {
        let traces = self.cache().map(|cache| Traces::new(cache.partial(), key(url)));
        let _turn = traces.as_ref().map(|traces| {
            traces.turn(|holder| {
                let name = &errand.name;
                self.progress.note("Waiting", &format!("for {holder}, which downloads {name:?}"));
            })
        });
        if let Some(arrival) = self.brought_meanwhile(errand) {
            traces.iter().for_each(Traces::clear);
            return Ok(arrival);
        }
        let mut partial = begin(errand, traces.as_ref()).map_err(Miss::at_once)?;
        self.count(errand, &mut partial).map_err(Miss::at_once)?;
        match self.persist(errand, url, &mut partial) {
            Err(miss) if promise(errand, &partial).is_none() => {
                partial.discard();
                Err(miss)
            }
            Err(miss) => Err(Miss { kept: partial.written_down(), ..miss }),
            Ok(Outcome::Unchanged(content)) => {
                partial.discard();
                traces.iter().for_each(Traces::clear);
                let impostor = impostor_at(&errand.to).unwrap_or_default();
                Ok(Arrival { content, impostor, cached: true })
            }
            Ok(Outcome::Ended { has_end }) => self
                .hand_over(errand, url, partial, has_end)
                .map_err(|error| Miss::at_once(local("write", &errand.to, error)))
                .inspect(|_| traces.iter().for_each(Traces::clear)),
        }
    }

    /// Counts what another run has left, or forgets what is of no use.
    fn count(&self, errand: &Errand, partial: &mut Partial) -> Result<(), Failure> {
        match promise(errand, partial) {
            Some(_) => self.budget.spend(partial.size()),
            None => partial.restart(None).map_err(|error| local("write", &partial.at, error)),
        }
    }

    /// Tries until it has worked, or cannot, or has been tried often enough.
    fn persist(&self, errand: &Errand, url: &Url, partial: &mut Partial) -> Result<Outcome, Miss> {
        let (mut tries, mut was_wrong) = (1, false);
        loop {
            let failure = match self.attempt(errand, url, partial) {
                Ok(Outcome::Ended { .. }) if !was_wrong && !errand.accepts(partial.content()) => {
                    was_wrong = true;
                    self.restart(partial, None).map_err(|failure| Miss::after(tries, failure))?;
                    continue;
                }
                Ok(outcome) => return Ok(outcome),
                Err(failure) => failure,
            };
            if failure.is_of_the_disk() && partial.at != errand.to {
                // The cache is a convenience; what matters is the other disk.
                let plain = Partial::begin(errand.to.clone());
                let plain =
                    plain.map_err(|error| Miss::at_once(local("create", &errand.to, error)));
                self.budget.give_back(partial.size());
                std::mem::replace(partial, plain?).discard();
                continue;
            }
            if failure.crowded {
                self.seats.halve();
            }
            if !failure.passes || tries > self.policy.access.retries {
                return Err(Miss::after(tries, failure));
            }
            let chance = RandomState::new().hash_one(tries);
            let pause = patience::pause(tries, chance, failure.wait);
            let (name, seconds) = (&errand.name, pause.as_secs_f32());
            let text = format!("{name:?} in {seconds:.1} s: {}", failure.what);
            self.progress.note("Retrying", &text);
            if !self.seats.rest(pause) {
                return Err(Miss::after(tries, failure));
            }
            tries += 1;
        }
    }

    fn attempt(
        &self,
        errand: &Errand,
        url: &Url,
        partial: &mut Partial,
    ) -> Result<Outcome, Failure> {
        let _seat = self.seats.take();
        let memory = self.memory(errand, url, partial);
        let promise = promise(errand, partial).cloned();
        let ask = match (&promise, &memory) {
            (Some(promise), _) => Ask::From(partial.size(), promise),
            (None, Some(memory)) => Ask::Unless(&memory.validators),
            (None, None) => Ask::Whole,
        };
        let reply = match self.get(url, ask)? {
            Reply::Unfit => self.get(url, Ask::Whole)?,
            reply => reply,
        };
        match (reply, memory) {
            (Reply::Unchanged, Some(memory)) => {
                self.budget.spend(memory.content().size)?;
                Ok(Outcome::Unchanged(memory.content()))
            }
            (Reply::Rest(body, end), _) => {
                self.stream(body, errand, partial, Some(end))?;
                Ok(Outcome::Ended { has_end: true })
            }
            (Reply::Whole(whole), _) => {
                self.restart(partial, whole.promise)?;
                let pinned = errand.pin.filter(|_| !whole.has_end).map(|pin| pin.size);
                self.stream(whole.body, errand, partial, pinned)?;
                Ok(Outcome::Ended { has_end: whole.has_end })
            }
            (Reply::Unchanged | Reply::Unfit, _) => {
                Err(Failure::passing("the host answers what it was not asked"))
            }
        }
    }

    /// To the end of the body, which must not come before there are `end` bytes.
    fn stream(
        &self,
        mut body: impl Read,
        errand: &Errand,
        partial: &mut Partial,
        end: Option<u64>,
    ) -> Result<(), Failure> {
        let mut chunk = vec![0; CHUNK];
        loop {
            let n =
                match body.read(&mut chunk).map_err(|error| broken_off(error, errand, partial))? {
                    0 => break,
                    n => n,
                };
            let fits = errand.bounds(partial.size() + n as u64);
            if let Err(failure) = fits.and_then(|()| self.budget.spend(n as u64)) {
                // Nobody is to go on with it.
                self.restart(partial, None)?;
                return Err(failure);
            }
            partial.append(&chunk[..n]).map_err(|error| local("write", &partial.at, error))?;
            self.progress.advance(n as u64);
        }
        match end {
            Some(end) if partial.size() < end => Err(Failure::passing(format!(
                "the transfer ended after {} of {end} bytes",
                partial.size(),
            ))),
            _ => Ok(()),
        }
    }

    /// From the first byte again.
    fn restart(&self, partial: &mut Partial, promise: Option<Promise>) -> Result<(), Failure> {
        self.budget.give_back(partial.size());
        self.progress.retreat(partial.size());
        partial.restart(promise).map_err(|error| local("write", &partial.at, error))
    }

    /// A whole download goes to its staging place, and to the cache if it is what it should be.
    fn hand_over(
        &self,
        errand: &Errand,
        url: &Url,
        mut partial: Partial,
        has_end: bool,
    ) -> io::Result<Arrival> {
        let (content, impostor) = (partial.content(), sniff::impostor(partial.head()));
        let arrival = Arrival { content, impostor, cached: false };
        if partial.at == errand.to {
            return Ok(arrival);
        }
        partial.copy_to(&errand.to)?;
        let is_right = match errand.pin {
            Some(pin) => pin == content,
            None => impostor.is_none(),
        };
        let Some(cache) = self.cache().filter(|_| is_right) else {
            partial.discard();
            return Ok(arrival);
        };
        let validators = partial.promise().map(|promise| promise.validators.clone());
        cache.keep(&partial.close(), content);
        match validators.filter(|validators| has_end && validators.are_there()) {
            Some(validators) => {
                Memory::new(content, validators).keep(cache, url);
            }
            None => Memory::forget(cache, url),
        }
        Ok(arrival)
    }

    fn brought_meanwhile(&self, errand: &Errand) -> Option<Arrival> {
        let content = errand.pin?;
        let restored = self.cache()?.restore(content, &errand.to).ok()?;
        restored.then_some(Arrival { content, impostor: None, cached: true })
    }

    /// What the address delivered last, if nothing pins it and the cache still has it: then it is at the staging place.
    fn memory(&self, errand: &Errand, url: &Url, partial: &Partial) -> Option<Memory> {
        if errand.pin.is_some() || partial.size() > 0 {
            return None;
        }
        let cache = self.cache().filter(|_| partial.at != errand.to)?;
        let memory =
            Memory::of(cache, url).filter(|memory| errand.bounds(memory.content().size).is_ok())?;
        cache.restore(memory.content(), &errand.to).ok()?.then_some(memory)
    }

    /// What this address delivered last is not to be confirmed by its host.
    pub fn forget(&self, url: &Url) {
        self.cache().into_iter().for_each(|cache| Memory::forget(cache, url));
    }

    /// Counts bytes that come another way.
    pub fn spend(&self, n: u64) -> Result<(), Failure> {
        self.budget.spend(n)
    }

    /// A file will not come, so that nobody has to wait for the others.
    pub fn give_up(&self) {
        self.seats.give_up();
    }

    fn cache(&self) -> Option<&Cache> {
        let open = || self.policy.cache.as_deref().map(Cache::at).filter(Cache::is_writable);
        self.cache.get_or_init(open).as_ref()
    }

    fn get(&self, url: &Url, ask: Ask<'_>) -> Result<Reply, Failure> {
        let begin = || Client::new(self.policy.connections, &self.policy.access, self.model);
        self.client.get_or_init(begin).as_ref().map_err(Failure::clone)?.get(url, ask)
    }
}

/// What the host has promised of bytes that can be gone on with: where no pin judges them later, it has to vouch for them.
fn promise<'a>(errand: &Errand, partial: &'a Partial) -> Option<&'a Promise> {
    let vouched = |promise: &&Promise| promise.validators.strong().is_some();
    partial.promise().filter(|promise| errand.pin.is_some() || vouched(promise))
}

/// In the cache, where another run may have left the beginning; else where it is to be in the end.
fn begin(errand: &Errand, traces: Option<&Traces>) -> Result<Partial, Failure> {
    match traces.and_then(|traces| traces.adopt().ok()) {
        Some(partial) => Ok(partial),
        None => {
            let to = errand.to.clone();
            Partial::begin(to).map_err(|error| local("create", &errand.to, error))
        }
    }
}

/// A body that stopped coming may come another time.
fn broken_off(error: io::Error, errand: &Errand, partial: &Partial) -> Failure {
    let promised = partial.promise().and_then(|promise| promise.length);
    let size = partial.size();
    Failure::passing(match errand.pin.map(|pin| pin.size).or(promised) {
        Some(whole) => format!("the transfer broke off after {size} of {whole} bytes: {error}"),
        None => format!("the transfer broke off after {size} bytes: {error}"),
    })
}
