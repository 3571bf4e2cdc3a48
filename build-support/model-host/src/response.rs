//! An answer: status, headers, a body still to be read, and how it is framed and ended.

use std::io;
use std::io::{Cursor, Read};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::read::GzEncoder;

use crate::content::Content;
use crate::endless;
use crate::fault::{Coding, Flaw};
use crate::head;
use crate::validators::Validators;

/// The value of one of the headers of a long head.
const KILOBYTE: &str = match str::from_utf8(&[b'x'; 1000]) {
    Ok(text) => text,
    Err(_) => unreachable!(),
};

pub(crate) struct Response {
    status: u16,
    body: Box<dyn Read + Send>,
    headers: Vec<(String, String)>,
    framing: Framing,
    cut: Option<Cut>,
    head_pause: Duration,
    last: bool,
}

/// How the client learns where the body ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Framing {
    Bodiless,
    Length(u64),
    Chunked,
    UntilClose,
}

/// A body that ends early.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) after: u64,
    /// Instead of the framing the body would have had.
    pub(crate) framing: Option<Framing>,
    pub(crate) parting: Parting,
}

/// How the host leaves a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parting {
    /// With a proper goodbye, where the protocol has one.
    Close,
    /// In the middle of things.
    Cut,
    /// With what the system sends when a program dies.
    Reset,
    /// Not at all: it says no more and waits for the client to leave.
    Stall,
}

impl Response {
    pub(crate) fn status(status: u16) -> Response {
        let text = format!("{status} {}\n", reason(status)).into_bytes();
        Response { status, ..Response::bytes(text.into(), "text/plain; charset=utf-8") }
    }

    pub(crate) fn bytes(bytes: Arc<[u8]>, media_type: &str) -> Response {
        let framing = Framing::Length(bytes.len() as u64);
        Response::new(200, Box::new(Cursor::new(bytes)), framing).header("Content-Type", media_type)
    }

    pub(crate) fn redirect(to: &str) -> Response {
        Response::status(302).header("Location", to)
    }

    pub(crate) fn not_modified() -> Response {
        Response::new(304, Box::new(io::empty()), Framing::Bodiless)
    }

    pub(crate) fn whole(content: &Content) -> Response {
        Response::content(200, content, 0..content.length())
    }

    pub(crate) fn part(content: &Content, part: Range<u64>) -> Response {
        let (first, last) = (part.start, part.end - 1);
        Response::content(206, content, part)
            .header("Content-Range", &format!("bytes {first}-{last}/{}", content.length()))
    }

    pub(crate) fn unsatisfiable(length: u64) -> Response {
        Response::status(416).header("Content-Range", &format!("bytes */{length}"))
    }

    pub(crate) fn endless(coding: Coding) -> Response {
        let chunked = |body| Response::new(200, body, Framing::Chunked);
        match coding {
            Coding::Identity => chunked(Box::new(endless::zeros())),
            Coding::Gzip => {
                chunked(Box::new(endless::zeros_in_gzip())).header("Content-Encoding", "gzip")
            }
        }
    }

    fn content(status: u16, content: &Content, part: Range<u64>) -> Response {
        let framing = Framing::Length(part.end - part.start);
        let Ok(body) = content.read(part) else { return Response::status(500) };
        Response::new(status, body, framing).header("Content-Type", content.media_type())
    }

    fn new(status: u16, body: Box<dyn Read + Send>, framing: Framing) -> Response {
        let (headers, head_pause) = (Vec::new(), Duration::ZERO);
        Response { status, body, headers, framing, cut: None, head_pause, last: false }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Response {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn validators(self, validators: &Validators) -> Response {
        validators.headers().fold(self, |it, (name, value)| it.header(name, &value))
    }

    pub(crate) fn spoil(self, flaw: Flaw) -> Response {
        match flaw {
            Flaw::Cut(cut) => Response { cut: Some(cut), ..self },
            Flaw::Shortened(by) => self.shortened(by),
            Flaw::ContentRange(value) => self.content_range(value.as_deref()),
            Flaw::TrickledHead(head_pause) => Response { head_pause, ..self },
            Flaw::LongHead(bytes) => (0..bytes.div_ceil(KILOBYTE.len()))
                .fold(self, |it, _| it.header("X-Long", KILOBYTE)),
        }
    }

    fn shortened(self, by: u64) -> Response {
        let Framing::Length(length) = self.framing else { return self };
        let length = length.saturating_sub(by);
        let (body, framing) = (Box::new(self.body.take(length)), Framing::Length(length));
        Response { body, framing, ..self }
    }

    fn content_range(mut self, value: Option<&str>) -> Response {
        let before = self.headers.len();
        self.headers.retain(|(name, _)| name != "Content-Range");
        match value {
            Some(value) if self.headers.len() < before => self.header("Content-Range", value),
            _ => self,
        }
    }

    /// The connection is closed after it.
    pub(crate) fn last(self) -> Response {
        Response { last: true, ..self }
    }

    /// Compresses the body of a 200 that is not encoded yet. The ETag is no longer a strong one.
    pub(crate) fn gzip(mut self) -> Response {
        if self.status != 200 || head::header(&self.headers, "Content-Encoding").is_some() {
            return self;
        }
        for (_, etag) in self.headers.iter_mut().filter(|(name, _)| name == "ETag") {
            *etag = format!("W/{}", etag.trim_start_matches("W/"));
        }
        self.body = Box::new(GzEncoder::new(self.body, Compression::fast()));
        self.framing = Framing::Chunked;
        self.header("Content-Encoding", "gzip").header("Vary", "Accept-Encoding")
    }

    pub(crate) fn code(&self) -> u16 {
        self.status
    }

    pub(crate) fn framing(&self) -> Framing {
        self.cut.and_then(|cut| cut.framing).unwrap_or(self.framing)
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    /// How the connection is left afterwards, if it is.
    pub(crate) fn parting(&self) -> Option<Parting> {
        let close = self.last.then_some(Parting::Close);
        self.cut.map(|cut| cut.parting).or(close)
    }

    /// The pause after each byte of the head.
    pub(crate) fn head_pause(&self) -> Duration {
        self.head_pause
    }

    /// The status line and the headers, up to the empty line.
    pub(crate) fn head(&self) -> String {
        let mut text = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        match self.framing() {
            Framing::Length(length) => text += &format!("Content-Length: {length}\r\n"),
            Framing::Chunked => text += "Transfer-Encoding: chunked\r\n",
            Framing::Bodiless | Framing::UntilClose => {}
        }
        if let Some(Parting::Close) = self.parting() {
            text += "Connection: close\r\n";
        }
        text + "Access-Control-Allow-Origin: *\r\n\r\n"
    }

    /// The body, as much of it as goes out.
    pub(crate) fn into_body(self) -> impl Read {
        self.body.take(self.cut.map_or(u64::MAX, |cut| cut.after))
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        412 => "Precondition Failed",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Unnamed",
    }
}
