//! Holds responses in the middle until a test lets them go.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use crate::PATIENCE;

/// Holds the responses for one path at one byte of their bodies, from
/// [`Host::gate`](crate::Host::gate) until it is opened or dropped.
#[derive(Debug)]
#[must_use = "a gate opens when it is dropped"]
pub struct Gate(Arc<Bar>);

impl Gate {
    /// Waits until a response is held here, or was.
    ///
    /// # Panics
    ///
    /// If none comes in five minutes.
    #[track_caller]
    pub fn reached(&self) {
        self.reached_by(1);
    }

    /// Waits until so many responses have been held here.
    ///
    /// # Panics
    ///
    /// If they do not come in five minutes.
    #[track_caller]
    pub fn reached_by(&self, responses: usize) {
        let few = |state: &mut State| state.reached < responses;
        let waited = self.0.changed.wait_timeout_while(self.0.state(), PATIENCE, few);
        let (state, timeout) = waited.expect("no user of the gate panics");
        let reached = state.reached;
        drop(state);
        assert!(!timeout.timed_out(), "{reached} responses came to the gate, not {responses}");
    }

    /// Lets go what is held, and holds nothing any more.
    pub fn open(&self) {
        self.0.open();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

/// The gates of a host by path.
#[derive(Debug, Default)]
pub(crate) struct Gates(Mutex<HashMap<String, Vec<Arc<Bar>>>>);

/// What a gate and the responses that it holds share.
#[derive(Debug)]
pub(crate) struct Bar {
    at: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    reached: usize,
    open: bool,
}

impl Gates {
    pub(crate) fn add(&self, path: String, at: u64) -> Gate {
        let bar = Arc::new(Bar { at, state: Mutex::default(), changed: Condvar::new() });
        self.bars().entry(path).or_default().push(Arc::clone(&bar));
        Gate(bar)
    }

    /// What a response for `path` has to pass, in order.
    pub(crate) fn before(&self, path: &str) -> Vec<Arc<Bar>> {
        let mut bars = self.bars().get(path).cloned().unwrap_or_default();
        bars.sort_by_key(|bar| bar.at);
        bars
    }

    pub(crate) fn open_all(&self) {
        self.bars().values().flatten().for_each(|bar| bar.open());
    }

    fn bars(&self) -> MutexGuard<'_, HashMap<String, Vec<Arc<Bar>>>> {
        self.0.lock().expect("no user of the gates panics")
    }
}

impl Bar {
    /// The byte of the body that does not go out before it is open.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Waits at the gate.
    pub(crate) fn pass(&self) {
        let mut state = self.state();
        state.reached += 1;
        self.changed.notify_all();
        let passed = self.changed.wait_while(state, |state| !state.open);
        drop(passed.expect("no user of the gate panics"));
    }

    fn open(&self) {
        self.state().open = true;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no user of the gate panics")
    }
}
