//! One thing that goes wrong, and how often.

use std::sync::Arc;

use crate::range::Ranges;
use crate::response::{Cut, Framing, Parting};

/// One thing that goes wrong with a request for the path it is scripted for.
///
/// It happens once, to the next request, unless [`times`](Fault::times) or
/// [`always`](Fault::always) say otherwise. A cut is of the answer an honest host would have
/// given, so it can hit a 206 as well as a 200; the other faults need no file at the path.
#[derive(Clone, Debug)]
pub struct Fault {
    pub(crate) effect: Effect,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) uses: Uses,
}

/// What a fault does to the answer.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    Status(u16),
    Replace { bytes: Arc<[u8]>, media_type: &'static str },
    Redirect(String),
    Ranges(Ranges),
    Cut(Cut),
    Refuse,
}

/// How many more times a fault happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Uses {
    Left(usize),
    Endless,
}

impl Fault {
    /// Answers with this status and a line of text.
    pub fn status(status: u16) -> Fault {
        Fault::of(Effect::Status(status))
    }

    /// Declares the whole length, sends `n` bytes of the body and closes.
    ///
    /// On a gzip host, whose bodies declare no length, this is [`cut_chunked`](Fault::cut_chunked).
    pub fn cut_after(n: u64) -> Fault {
        Fault::cut(n, None, Parting::Cut)
    }

    /// Sends `n` bytes of a chunked body and closes before its last chunk.
    pub fn cut_chunked(n: u64) -> Fault {
        Fault::cut(n, Some(Framing::Chunked), Parting::Cut)
    }

    /// Sends `n` bytes of a body that ends where the connection does: the cut looks like the end.
    pub fn cut_close_delimited(n: u64) -> Fault {
        Fault::cut(n, Some(Framing::UntilClose), Parting::Close)
    }

    /// Sends `n` bytes of the body, then nothing, until the client leaves or the host stops.
    pub fn stall_after(n: u64) -> Fault {
        Fault::cut(n, None, Parting::Stall)
    }

    /// Closes the connection before any byte of the response. It is logged with status 0.
    pub fn refuse() -> Fault {
        Fault::of(Effect::Refuse)
    }

    /// Answers 200 with other bytes.
    pub fn body(bytes: impl Into<Vec<u8>>) -> Fault {
        Fault::replace(bytes.into(), "application/octet-stream")
    }

    /// Answers 200 with a web page, as a single-page app does for a path it does not know.
    pub fn html() -> Fault {
        let page = "<!doctype html>\n<html><head><title>App</title></head>\
                    <body><div id=\"root\"></div></body></html>\n";
        Fault::replace(page.into(), "text/html; charset=utf-8")
    }

    /// Answers 200 with `bytes`, declared to be encoded as `name`.
    pub fn encoded_as(name: &str, bytes: impl Into<Vec<u8>>) -> Fault {
        Fault::body(bytes).header("Content-Encoding", name)
    }

    /// Answers with a 302 to `to`, a path or an absolute URL.
    pub fn redirect(to: &str) -> Fault {
        Fault::of(Effect::Redirect(to.to_owned()))
    }

    /// Answers `Range` with a well-formed 206 of another range than the one asked for.
    pub fn wrong_range() -> Fault {
        Fault::of(Effect::Ranges(Ranges::Misplaced))
    }

    /// Answers `Range` with a 200 and the whole file.
    pub fn full_body_to_range() -> Fault {
        Fault::of(Effect::Ranges(Ranges::Ignored))
    }

    /// Adds a header to the faulty answer: `Fault::status(429).header("Retry-After", "1")`.
    pub fn header(mut self, name: &str, value: &str) -> Fault {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Happens to the next `n` requests.
    pub fn times(mut self, n: usize) -> Fault {
        self.uses = Uses::Left(n);
        self
    }

    /// Happens to every request from here on; faults scripted after it never happen.
    pub fn always(mut self) -> Fault {
        self.uses = Uses::Endless;
        self
    }

    fn of(effect: Effect) -> Fault {
        Fault { effect, headers: Vec::new(), uses: Uses::Left(1) }
    }

    fn cut(after: u64, framing: Option<Framing>, parting: Parting) -> Fault {
        Fault::of(Effect::Cut(Cut { after, framing, parting }))
    }

    fn replace(bytes: Vec<u8>, media_type: &'static str) -> Fault {
        Fault::of(Effect::Replace { bytes: bytes.into(), media_type })
    }
}
