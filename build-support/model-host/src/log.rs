//! The requests so far.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use crate::PATIENCE;
use crate::request::Request;

#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: Mutex<Vec<Arc<Entry>>>,
    grown: Condvar,
}

/// A logged request whose body may still be on its way.
#[derive(Debug)]
pub(crate) struct Entry {
    request: Request,
    sent: AtomicU64,
}

impl Log {
    pub(crate) fn record(&self, request: Request) -> Arc<Entry> {
        let entry = Arc::new(Entry { request, sent: AtomicU64::new(0) });
        self.entries().push(Arc::clone(&entry));
        self.grown.notify_all();
        entry
    }

    /// Waits until the log has so many requests like this. False if they do not come.
    pub(crate) fn wait_for(&self, requests: usize, like: impl Fn(&Request) -> bool) -> bool {
        let few = |entries: &mut Vec<Arc<Entry>>| {
            entries.iter().filter(|entry| like(&entry.request)).count() < requests
        };
        let waited = self.grown.wait_timeout_while(self.entries(), PATIENCE, few);
        !waited.expect("no user of the log panics").1.timed_out()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.entries().iter().map(|entry| entry.snapshot()).collect()
    }

    pub(crate) fn clear(&self) {
        self.entries().clear();
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.entries.lock().expect("no user of the log panics")
    }
}

impl Entry {
    pub(crate) fn add_sent(&self, n: u64) {
        self.sent.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn take_back_sent(&self, n: u64) {
        self.sent.fetch_sub(n, Ordering::Relaxed);
    }

    fn snapshot(&self) -> Request {
        Request { body_bytes_sent: self.sent.load(Ordering::Relaxed), ..self.request.clone() }
    }
}
