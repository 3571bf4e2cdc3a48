//! One GET: the status judged, redirects followed, the body decoded. The only user of ureq.
//!
//! Decides nothing about retries; says of every failure whether it may pass.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use ureq::Agent;
use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use url::Url;

use crate::failure::Failure;
use crate::gunzip::{Format, Gunzip};
use crate::source::shown;

const MAX_REDIRECTS: usize = 10;

/// Connections to hosts, kept alive from one file to the next.
pub(crate) struct Client {
    agent: Agent,
}

impl Client {
    /// No limit is on the whole of a transfer: a slow but steady body of any length arrives.
    pub fn new(connections: usize, certificates: Option<&Path>) -> Result<Client, Failure> {
        let roots = certificates.map_or(Ok(RootCerts::WebPki), trusted)?;
        let config = Agent::config_builder()
            .timeout_connect(Some(Duration::from_secs(15)))
            .timeout_recv_response(Some(Duration::from_secs(120)))
            .timeout_per_read(Some(Duration::from_secs(30)))
            .max_idle_connections_per_host(connections)
            .max_redirects(0)
            .http_status_as_error(false)
            // Larger than ureq's read buffer, which counts as header while an interim response is in it.
            .max_response_header_size(1 << 20)
            .accept_encoding("identity")
            .user_agent(concat!("vendor-model/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        Ok(Client { agent: config.new_agent() })
    }

    /// The decoded body of `url`.
    pub fn get(&self, url: &Url) -> Result<Box<dyn Read>, Failure> {
        let mut visited = vec![url.clone()];
        loop {
            let current = visited.last().expect("it begins with one and only grows");
            let response = self
                .agent
                .get(current.as_str())
                .call()
                .map_err(|error| unanswered(current, error))?;
            if !matches!(response.status().as_u16(), 300..=303 | 307 | 308) {
                return body(response, current);
            }
            let next = redirect(current, response.headers())?;
            if visited.contains(&next) {
                return Err(Failure::lasting(format!(
                    "a redirect loop, back to {}",
                    shown_path(&next)
                )));
            }
            if visited.len() > MAX_REDIRECTS {
                return Err(Failure::lasting(format!(
                    "more than {MAX_REDIRECTS} redirects, the last to {}",
                    shown_path(&next)
                )));
            }
            visited.push(next);
        }
    }
}

/// The certificates of a PEM file, in place of the built-in ones.
fn trusted(file: &Path) -> Result<RootCerts, Failure> {
    let shown = file.display();
    let pem = fs::read(file).map_err(|error| {
        Failure::lasting(format!("cannot read the certificates in {shown}: {error}"))
    })?;
    let certificates: Vec<Certificate> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    match certificates.is_empty() {
        true => Err(Failure::lasting(format!("there are no PEM certificates in {shown}"))),
        false => Ok(RootCerts::from(certificates)),
    }
}

fn redirect(from: &Url, headers: &HeaderMap) -> Result<Url, Failure> {
    let location =
        headers.get(header::LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let Some(mut to) = location.and_then(|location| from.join(&location).ok()) else {
        return Err(Failure::lasting(format!(
            "a redirect by {} without a usable Location",
            shown_path(from)
        )));
    };
    to.set_fragment(None);
    match (from.scheme(), to.scheme()) {
        ("https", "https") | ("http", "http" | "https") => Ok(to),
        (old, new) => Err(Failure::lasting(format!(
            "a redirect from {old} to {new}, which is not followed: {}",
            shown_path(&to)
        ))),
    }
}

fn body(response: Response<ureq::Body>, url: &Url) -> Result<Box<dyn Read>, Failure> {
    if !matches!(response.status(), StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION) {
        return Err(refused(response.status(), url));
    }
    let encodings = encodings(response.headers());
    let mut body: Box<dyn Read> = Box::new(response.into_body().into_reader());
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
    Ok(body)
}

fn refused(status: StatusCode, url: &Url) -> Failure {
    let what = format!("HTTP status {status}, from {}", shown_path(url));
    match status.as_u16() {
        408 | 429 | 500..=599 => Failure::passing(what),
        401 | 403 => Failure::lasting(what)
            .help("the host wants to know who asks, or the address has expired"),
        404 | 410 => Failure::lasting(what).help(
            "the host does not have it (any more); look for the model elsewhere, \
             with all its shards beside the manifest",
        ),
        _ => Failure::lasting(what),
    }
}

/// What hosts write into `Content-Encoding` that is none.
const NO_ENCODINGS: [&str; 6] = ["", "identity", "none", "binary", "utf-8", "utf8"];

/// In the order in which they were applied. Where ureq has decoded one itself, it has taken the header away.
fn encodings(headers: &HeaderMap) -> Vec<String> {
    let values =
        headers.get_all(header::CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let names =
        values.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase());
    names.filter(|name| !NO_ENCODINGS.contains(&name.as_str())).collect()
}

fn unanswered(url: &Url, error: ureq::Error) -> Failure {
    use ureq::Error::{BadUri, Http, Rustls, Tls};
    let what = format!("{error}, from {}", shown_path(url));
    match error {
        Rustls(_) | Tls(_) => distrusted(what),
        BadUri(_) | Http(_) => Failure::lasting(what),
        // The handshake fails inside a read or a write.
        error if error.to_string().contains("certificate") => distrusted(what),
        _ => Failure::passing(what),
    }
}

fn distrusted(what: String) -> Failure {
    let advice = match what.contains("CaUsedAsEndEntity") {
        true => {
            "the host shows the certificate of an authority as its own; give it one signed by that"
        }
        false => {
            "to trust another certificate, name its PEM file in CARGO_HTTP_CAINFO or SSL_CERT_FILE"
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
