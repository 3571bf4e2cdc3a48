//! How many downloads are under way at once, fewer once a host has too much to do; and where those wait that are to
//! be tried again.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Seats {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    most: usize,
    taken: usize,
    given_up: bool,
}

/// Given back when dropped.
pub(crate) struct Seat<'a>(&'a Seats);

impl Seats {
    pub fn new(most: usize) -> Seats {
        let state = State { most: most.max(1), taken: 0, given_up: false };
        Seats { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Waits for a seat.
    pub fn take(&self) -> Seat<'_> {
        let full = |state: &mut State| state.taken >= state.most;
        let waited = self.changed.wait_while(self.state(), full);
        waited.unwrap_or_else(PoisonError::into_inner).taken += 1;
        Seat(self)
    }

    /// From now on half as many.
    pub fn halve(&self) {
        let mut state = self.state();
        state.most = (state.most / 2).max(1);
    }

    /// Waits for so long, and says whether it is worth going on: not after somebody gave up.
    pub fn rest(&self, pause: Duration) -> bool {
        let going = |state: &mut State| !state.given_up;
        let waited = self.changed.wait_timeout_while(self.state(), pause, going);
        !waited.unwrap_or_else(PoisonError::into_inner).0.given_up
    }

    /// A file will not come, so that nobody has to wait for the others.
    pub fn give_up(&self) {
        self.state().given_up = true;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.state().taken -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    #[test]
    fn no_more_sit_than_there_are_seats_and_fewer_after_a_complaint() {
        for (complaints, most) in [(0, 6), (1, 3), (2, 1), (9, 1)] {
            let seats = Seats::new(6);
            (0..complaints).for_each(|_| seats.halve());
            let (sitting, highest) = (AtomicUsize::new(0), AtomicUsize::new(0));
            thread::scope(|scope| {
                for _ in 0..20 {
                    scope.spawn(|| {
                        let _seat = seats.take();
                        let now = sitting.fetch_add(1, Ordering::SeqCst) + 1;
                        highest.fetch_max(now, Ordering::SeqCst);
                        thread::yield_now();
                        sitting.fetch_sub(1, Ordering::SeqCst);
                    });
                }
            });
            assert!(highest.into_inner() <= most, "{complaints} complaints");
        }
    }

    #[test]
    fn whoever_rests_is_woken_when_somebody_gives_up() {
        let seats = Seats::new(1);
        assert!(seats.rest(Duration::ZERO));
        thread::scope(|scope| {
            let resting = scope.spawn(|| seats.rest(Duration::from_secs(3600)));
            seats.give_up();
            assert!(!resting.join().unwrap());
        });
    }
}
