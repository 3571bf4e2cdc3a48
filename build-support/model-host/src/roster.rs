//! Who is connected, and the word that the host is stopping.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Roster {
    state: Mutex<State>,
    closed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    accepted: usize,
    open: HashMap<usize, Arc<TcpStream>>,
    closed: bool,
}

impl Roster {
    /// The number of a new connection; none once the host is stopping.
    pub(crate) fn admit(&self, stream: &Arc<TcpStream>) -> Option<usize> {
        let mut state = self.state();
        if state.closed {
            return None;
        }
        state.accepted += 1;
        let number = state.accepted;
        state.open.insert(number, Arc::clone(stream));
        Some(number)
    }

    pub(crate) fn leave(&self, number: usize) {
        self.state().open.remove(&number);
    }

    pub(crate) fn accepted(&self) -> usize {
        self.state().accepted
    }

    /// Waits this long, or until the host stops.
    pub(crate) fn pause(&self, duration: Duration) {
        let state = self.closed.wait_timeout_while(self.state(), duration, |state| !state.closed);
        drop(state.expect("no user of the roster panics"));
    }

    /// Ends every pause and every connection, and admits no more.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        for stream in state.open.values() {
            // It fails only for a client that has left.
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.closed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no user of the roster panics")
    }
}
