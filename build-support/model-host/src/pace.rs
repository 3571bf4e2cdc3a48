//! How fast a body goes out.

use std::time::{Duration, Instant};

use crate::roster::Roster;

/// The most that is sent at once.
const PIECE: u64 = 64 * 1024;

pub(crate) struct Pace<'host> {
    bytes_per_second: Option<u64>,
    roster: &'host Roster,
    began: Instant,
    sent: u64,
}

impl<'host> Pace<'host> {
    pub(crate) fn new(bytes_per_second: Option<u64>, roster: &'host Roster) -> Self {
        Pace { bytes_per_second, roster, began: Instant::now(), sent: 0 }
    }

    /// How much to send at once: a fiftieth of a second's worth, so that it looks steady.
    pub(crate) fn piece(&self) -> usize {
        self.bytes_per_second.map_or(PIECE, |rate| (rate / 50).clamp(1, PIECE)) as usize
    }

    /// Waits until `n` bytes more may have been sent.
    pub(crate) fn wait_after(&mut self, n: u64) {
        let Some(rate) = self.bytes_per_second else { return };
        self.sent += n;
        let due = Duration::from_secs_f64(self.sent as f64 / rate.max(1) as f64);
        self.pause(due.saturating_sub(self.began.elapsed()));
    }

    /// Waits this long, or until the host stops.
    pub(crate) fn pause(&self, duration: Duration) {
        self.roster.pause(duration);
    }
}
