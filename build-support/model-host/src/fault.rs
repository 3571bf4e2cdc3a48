//! One thing that goes wrong, and how often.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::range::Ranges;
use crate::response::{Cut, Framing, Parting};

/// One thing that goes wrong with a request for the path it is scripted for.
///
/// It happens once, to the next request, unless [`times`](Fault::times) or
/// [`always`](Fault::always) say otherwise. What is wrong with a head, a length or a range, and
/// cuts, are of the answer an honest host would have given, so they can hit a 206 as well as a
/// 200; the other faults need no file at the path.
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
    Spoil(Flaw),
    Endless(Coding),
    Raw(Arc<[u8]>),
    Silence(Parting),
}

/// What is wrong with an answer that an honest host would have given.
#[derive(Clone, Debug)]
pub(crate) enum Flaw {
    Cut(Cut),
    Shortened(u64),
    ContentRange(Option<String>),
    TrickledHead(Duration),
    LongHead(usize),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Coding {
    Identity,
    Gzip,
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

    /// Sends `n` bytes of the body, or fewer, and resets the connection.
    ///
    /// What was on its way is lost, so that the client may get less than was sent.
    pub fn reset_after(n: u64) -> Fault {
        Fault::cut(n, None, Parting::Reset)
    }

    /// Closes the connection before any byte of the response. It is logged with status 0.
    pub fn refuse() -> Fault {
        Fault::of(Effect::Silence(Parting::Cut))
    }

    /// Says nothing at all, until the client leaves or the host stops. It is logged with status 0.
    pub fn stall() -> Fault {
        Fault::of(Effect::Silence(Parting::Stall))
    }

    /// Resets the connection before any byte of the response. It is logged with status 0.
    pub fn reset() -> Fault {
        Fault::of(Effect::Silence(Parting::Reset))
    }

    /// Sends these bytes instead of a response, and closes. It is logged with status 0.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Fault {
        Fault::of(Effect::Raw(bytes.into().into()))
    }

    /// Waits so long after each byte of the head.
    pub fn trickled_head(pause: Duration) -> Fault {
        Fault::of(Effect::Spoil(Flaw::TrickledHead(pause)))
    }

    /// Makes the head so many bytes longer, by headers of a kilobyte.
    pub fn long_head(bytes: usize) -> Fault {
        Fault::of(Effect::Spoil(Flaw::LongHead(bytes)))
    }

    /// Answers 200 with a chunked body of zeros that has no end.
    pub fn endless() -> Fault {
        Fault::of(Effect::Endless(Coding::Identity))
    }

    /// Answers 200 with a gzip body that has no end and is a thousand times its length in zeros.
    pub fn endless_gzip() -> Fault {
        Fault::of(Effect::Endless(Coding::Gzip))
    }

    /// Declares `n` bytes, sends the body as it is, and closes.
    pub fn claimed_length(n: u64) -> Fault {
        Fault::cut(u64::MAX, Some(Framing::Length(n)), Parting::Cut)
    }

    /// Leaves out the last `n` bytes of the body and declares no more than it sends: the length of
    /// a 206 is then not that of its `Content-Range`.
    pub fn shortened_by(n: u64) -> Fault {
        Fault::of(Effect::Spoil(Flaw::Shortened(n)))
    }

    /// Answers `Range` with the right bytes and this `Content-Range`: `bytes 5-9/10`.
    pub fn content_range(value: &str) -> Fault {
        Fault::of(Effect::Spoil(Flaw::ContentRange(Some(value.to_owned()))))
    }

    /// Answers `Range` with a 206 of the right bytes that does not say which they are.
    pub fn no_content_range() -> Fault {
        Fault::of(Effect::Spoil(Flaw::ContentRange(None)))
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

    /// Asks for so many seconds of patience: `Fault::status(429).retry_after(1)`.
    pub fn retry_after(self, seconds: u64) -> Fault {
        self.header("Retry-After", &seconds.to_string())
    }

    /// Asks for patience until then, by an HTTP date, which has no fractions of a second.
    pub fn retry_at(self, time: SystemTime) -> Fault {
        self.header("Retry-After", &httpdate::fmt_http_date(time))
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
        Fault::of(Effect::Spoil(Flaw::Cut(Cut { after, framing, parting })))
    }

    fn replace(bytes: Vec<u8>, media_type: &'static str) -> Fault {
        Fault::of(Effect::Replace { bytes: bytes.into(), media_type })
    }
}
