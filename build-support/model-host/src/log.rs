//! The requests so far.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::request::Request;

#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Vec<Arc<Entry>>>);

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
        entry
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.entries().iter().map(|entry| entry.snapshot()).collect()
    }

    pub(crate) fn clear(&self) {
        self.entries().clear();
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.0.lock().expect("no user of the log panics")
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
