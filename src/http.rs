//! One GET: the status judged, redirects followed, the body decoded.
//!
//! Decides nothing about retries; says of every failure whether it may pass.

use std::io::{self, Read};
use std::time::Duration;

use ureq::Body;
use ureq::http::{HeaderMap, HeaderName, Response, StatusCode, header};
use url::Url;

use crate::access::Access;
use crate::agent::Agents;
use crate::credentials;
use crate::exchange::{Ask, Reply, Span, Whole, encodings};
use crate::failure::Failure;
use crate::gunzip::{Format, Gunzip};
use crate::partial::Promise;
use crate::patience;
use crate::shortcut::Shortcut;
use crate::source::{ModelUrl, shown};
use crate::validators::Validators;

const MAX_REDIRECTS: usize = 10;
const OTHER_WAY: &str = "if the host cannot be reached from here, name a proxy in HTTPS_PROXY, or another host in \
                         VENDOR_MODEL_MIRROR";
const LONGER: &str = "run this again later, or wait longer: CARGO_HTTP_TIMEOUT is in seconds";
const PASSWORD_FOR_PROXY: &str =
    "write the password into the URL of the proxy: http://user:password@host:port";

/// Connections to hosts, kept alive from one file to the next.
pub(crate) struct Client {
    agents: Agents,
}

impl Client {
    /// No limit is on the whole of a transfer: a slow but steady body of any length arrives.
    pub fn new(connections: usize, access: &Access, model: &ModelUrl) -> Result<Client, Failure> {
        Ok(Client { agents: Agents::new(connections, access, model)? })
    }

    /// One file of `url`, or what is new of it; redirects are followed.
    pub fn get(&self, url: &Url, ask: Ask<'_>) -> Result<Reply, Failure> {
        let mut visited = vec![url.clone()];
        loop {
            let current = visited.last().expect("it begins with one and only grows");
            let request = headers(ask)
                .into_iter()
                .fold(self.agents.get(current)?, |request, (name, value)| {
                    request.header(name, value)
                });
            let named = |failure| self.agents.place(current, redirected(&visited, failure));
            let answer = request.call();
            let shortcut = self.agents.shortcut();
            let response = answer.map_err(|error| named(unanswered(error)))?;
            if !matches!(response.status().as_u16(), 300..=303 | 307 | 308) {
                return reply(response, shortcut, current, ask).map_err(named);
            }
            let next = redirect(current, response.headers())?;
            let to = shown_path(&next);
            if visited.contains(&next) {
                return Err(astray(format!("a redirect loop, back to {to}")));
            }
            if visited.len() > MAX_REDIRECTS {
                return Err(astray(format!(
                    "more than {MAX_REDIRECTS} redirects, the last to {to}"
                )));
            }
            visited.push(next);
        }
    }
}

fn redirect(from: &Url, headers: &HeaderMap) -> Result<Url, Failure> {
    let location =
        headers.get(header::LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let Some(mut to) = location.and_then(|location| from.join(&location).ok()) else {
        let from = shown_path(from);
        return Err(astray(format!("a redirect by {from} without a usable Location")));
    };
    to.set_fragment(None);
    if to.origin() == from.origin() && to.username().is_empty() {
        // Neither fails for an address that has a host.
        let _ = to.set_username(from.username());
        let _ = to.set_password(from.password());
    }
    match (from.scheme(), to.scheme()) {
        ("https", "https") | ("http", "http" | "https") => Ok(to),
        (old, new) => {
            let to = shown_path(&to);
            Err(astray(format!("a redirect from {old} to {new}, which is not followed: {to}")))
        }
    }
}

fn astray(what: String) -> Failure {
    Failure::lasting(what)
        .help("see in a browser where the URL leads, and give the address of the file itself")
}

/// A failure after redirects names the last address.
fn redirected(visited: &[Url], failure: Failure) -> Failure {
    match visited {
        [_, .., last] => {
            let what = format!("{}, after a redirect to {}", failure.what, shown_path(last));
            Failure { what, ..failure }
        }
        _ => failure,
    }
}

/// What turns a GET into the one that is asked for.
fn headers(ask: Ask<'_>) -> Vec<(HeaderName, String)> {
    match ask {
        Ask::Whole => Vec::new(),
        Ask::Unless(Validators { etag, last_modified }) => {
            let etag = etag.clone().map(|etag| (header::IF_NONE_MATCH, etag));
            let date = last_modified.clone().map(|date| (header::IF_MODIFIED_SINCE, date));
            etag.into_iter().chain(date).collect()
        }
        Ask::From(first, promise) => {
            let range = (header::RANGE, format!("bytes={first}-"));
            let strong = promise.validators.strong();
            let same = strong.map(|etag| (header::IF_RANGE, etag.to_owned()));
            [range].into_iter().chain(same).collect()
        }
    }
}

fn reply(
    response: Response<Body>,
    shortcut: Option<Shortcut>,
    url: &Url,
    ask: Ask<'_>,
) -> Result<Reply, Failure> {
    match (response.status(), ask) {
        (StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION, _) => {
            whole(response, shortcut)
        }
        (StatusCode::NOT_MODIFIED, Ask::Unless(_)) => Ok(Reply::Unchanged),
        (StatusCode::PARTIAL_CONTENT, Ask::From(first, promise)) => {
            Ok(rest(response, shortcut, first, promise))
        }
        (StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PRECONDITION_FAILED, Ask::From(..)) => {
            Ok(Reply::Unfit)
        }
        (status, _) => Err(refused(status, response.headers(), url)),
    }
}

/// A part may have fewer bytes than its `Content-Range` says; it is not let have more.
fn rest(
    response: Response<Body>,
    shortcut: Option<Shortcut>,
    first: u64,
    promise: &Promise,
) -> Reply {
    let headers = response.headers();
    let span = text(headers, header::CONTENT_RANGE).and_then(|range| Span::parse(&range));
    let span = span.filter(|span| span.continues(first, promise));
    let etag = text(headers, header::ETAG);
    let same =
        etag.is_none_or(|etag| promise.validators.etag.as_ref().is_none_or(|ours| *ours == etag));
    match span {
        Some(span) if same && encodings_of(headers).is_empty() => {
            let end = span.last.saturating_add(1);
            let body = body(response, shortcut).take(end - first);
            Reply::Rest(Box::new(body), end)
        }
        _ => Reply::Unfit,
    }
}

fn whole(response: Response<Body>, shortcut: Option<Shortcut>) -> Result<Reply, Failure> {
    let headers = response.headers();
    let encodings = encodings_of(headers);
    let shortcut_length = shortcut.as_ref().map(|shortcut| shortcut.length);
    let length = shortcut_length.or(response.body().content_length());
    let has_end = length.is_some() || headers.contains_key(header::TRANSFER_ENCODING);
    // The rest of what is encoded on the way is the rest of something else each time.
    let promise = encodings.is_empty().then(|| Promise { validators: validators(headers), length });
    let mut body = body(response, shortcut);
    for encoding in encodings.iter().rev() {
        body = match encoding.as_str() {
            "gzip" | "x-gzip" => Box::new(Gunzip::new(body, Format::Gzip)),
            "deflate" => Box::new(Gunzip::new(body, Format::Zlib)),
            other => {
                return Err(Failure::lasting(format!(
                    "Content-Encoding {other:?}, though only `identity` was asked for"
                )));
            }
        };
    }
    Ok(Reply::Whole(Whole { body, promise, has_end }))
}

fn body(response: Response<Body>, shortcut: Option<Shortcut>) -> Box<dyn Read> {
    let body = response.into_body().into_reader();
    match shortcut {
        Some(shortcut) => Box::new(shortcut.chain(body)),
        None => Box::new(body),
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn validators(headers: &HeaderMap) -> Validators {
    Validators {
        etag: text(headers, header::ETAG),
        last_modified: text(headers, header::LAST_MODIFIED),
    }
}

/// Where ureq has decoded one itself, it has taken the header away.
fn encodings_of(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::CONTENT_ENCODING).iter();
    encodings(values.filter_map(|value| value.to_str().ok()))
}

fn refused(status: StatusCode, headers: &HeaderMap, url: &Url) -> Failure {
    let what = format!("HTTP status {status}");
    match status.as_u16() {
        429 | 503 => Failure::passing(what).crowded(wait(headers)),
        408 | 425 | 500..=599 => Failure::passing(what),
        401 | 403 => Failure::lasting(what).help(credentials::advice(url)),
        407 => Failure::lasting(what).help(PASSWORD_FOR_PROXY),
        404 | 410 => Failure::lasting(what).help(
            "the host does not have it (any more); look for the model elsewhere, \
             with all its shards beside the manifest",
        ),
        _ => Failure::lasting(what),
    }
}

/// How long the host wants to be left alone.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let date = text(headers, header::DATE);
    let asked = text(headers, header::RETRY_AFTER);
    let limit = || text(headers, HeaderName::from_static("ratelimit"));
    let asked = asked.and_then(|value| patience::retry_after(&value, date.as_deref()));
    asked.or_else(|| patience::rate_limit(&limit()?))
}

fn unanswered(error: ureq::Error) -> Failure {
    use ureq::Error::{
        BadUri, ConnectProxyFailed, ConnectionFailed, HostNotFound, Http, Io, Protocol, Rustls,
        Timeout, Tls,
    };
    let what = match &error {
        Io(error) => error.to_string(),
        Protocol(error) => format!("the answer is no HTTP: {error}"),
        error => error.to_string(),
    };
    match error {
        ConnectProxyFailed(reason) => no_way(reason),
        Rustls(_) | Tls(_) => distrusted(what),
        BadUri(_) | Http(_) => Failure::lasting(what),
        // The handshake fails inside a read or a write.
        _ if what.contains("certificate") => distrusted(what),
        Timeout(_) => Failure::passing(what).help(LONGER),
        HostNotFound | ConnectionFailed => Failure::passing(what).help(OTHER_WAY),
        Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Failure::passing(what).help(OTHER_WAY)
        }
        _ => Failure::passing(what),
    }
}

/// A proxy opens no tunnel: ureq ends its reason with the status, where there is one.
fn no_way(reason: String) -> Failure {
    match reason.rsplit('/').next().and_then(|status| status.parse().ok()) {
        Some(407_u16) => Failure::lasting(reason).help(PASSWORD_FOR_PROXY),
        Some(400..=499) => Failure::lasting(reason),
        _ => Failure::passing(reason),
    }
}

fn distrusted(what: String) -> Failure {
    let advice = match what.contains("CaUsedAsEndEntity") {
        true => {
            "the host shows the certificate of an authority as its own; give it one signed by that"
        }
        false => {
            "to trust another certificate, name its PEM file in CARGO_HTTP_CAINFO or SSL_CERT_FILE, or as \
             http.cainfo in cargo's configuration"
        }
    };
    Failure::lasting(what).help(advice)
}

/// Addresses met on the way may be signed: their query is nobody's business.
fn shown_path(url: &Url) -> String {
    let mut plain = url.clone();
    plain.set_query(None);
    shown(&plain)
}
