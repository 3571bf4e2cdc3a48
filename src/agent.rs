//! Agents, which keep connections to hosts: each address is asked by the one that goes its way.

use std::fs;
use std::path::Path;

use ureq::config::Config;
use ureq::http::header;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::WithoutBody;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::{Agent, Error, RequestBuilder};
use url::Url;

use crate::access::Access;
use crate::credentials::{Credentials, basic, overheard};
use crate::failure::Failure;
use crate::proxy::Proxy;
use crate::shortcut::{Lines, Shortcut};
use crate::source::{ModelUrl, bare, is_plain_http};
use crate::wire::Wires;

pub(crate) struct Agents {
    access: Access,
    credentials: Credentials,
    direct: Agent,
    /// Behind the proxy for `http`, if there is one.
    http: Agent,
    https: Agent,
    lines: Lines,
}

impl Agents {
    /// Each keeps so many idle connections to a host. Opens none yet.
    pub fn new(connections: usize, access: &Access, model: &ModelUrl) -> Result<Agents, Failure> {
        let roots = roots(access.certificates.as_deref())?;
        let lines = Lines::default();
        let behind = |proxy: Option<&Proxy>| {
            let direct = config(connections, access, &roots, None);
            let config = config(connections, access, &roots, proxy.map(ureqs).transpose()?);
            Ok(Agent::with_parts(
                config,
                Wires::new(direct, lines.clone()),
                DefaultResolver::default(),
            ))
        };
        Ok(Agents {
            access: access.clone(),
            credentials: Credentials::new(access, model)?,
            direct: behind(None)?,
            http: behind(access.proxies.http.as_ref())?,
            https: behind(access.proxies.https.as_ref())?,
            lines,
        })
    }

    /// A request for `url`, by whoever we are there.
    pub fn get(&self, url: &Url) -> Result<RequestBuilder<WithoutBody>, Failure> {
        let proxy = self.access.proxies.before(url);
        let agent = match (proxy, url.scheme()) {
            (None, _) => &self.direct,
            (Some(_), "https") => &self.https,
            (Some(_), _) => &self.http,
        };
        let request = agent.get(bare(url).as_str());
        let forwarder = proxy.filter(|proxy| proxy.forwards(url));
        let request = match forwarder.and_then(|proxy| basic(proxy.url())) {
            Some(password) => request.header(header::PROXY_AUTHORIZATION, password),
            None => request,
        };
        let is_open = is_plain_http(url) || url.scheme() == "http" && proxy.is_some();
        match is_open {
            true if self.credentials.are_asked_for(url) => Err(overheard(url)),
            true => Ok(request),
            false => Ok(self
                .credentials
                .headers(url)
                .into_iter()
                .fold(request, |request, (name, value)| request.header(name, value))),
        }
    }

    /// The way to the body of the answer that this thread got last, see `shortcut`.
    pub fn shortcut(&self) -> Option<Shortcut> {
        self.lines.shortcut()
    }

    /// A failure on the way to `url` names the proxy that is on it.
    pub fn place(&self, url: &Url, failure: Failure) -> Failure {
        match self.access.proxies.before(url) {
            Some(proxy) => {
                let what = format!("{}, through the proxy {proxy}", failure.what);
                Failure { what, ..failure }
            }
            None => failure,
        }
    }
}

fn config(
    connections: usize,
    access: &Access,
    roots: &RootCerts,
    proxy: Option<ureq::Proxy>,
) -> Config {
    Agent::config_builder()
        .timeout_connect(access.timeouts.connect)
        .timeout_recv_response(access.timeouts.head)
        .timeout_per_read(access.timeouts.body)
        .max_idle_connections_per_host(connections)
        // They are filled with zeros first, which takes its time at opt-level 0.
        .input_buffer_size(64 << 10)
        .output_buffer_size(32 << 10)
        .max_redirects(0)
        .http_status_as_error(false)
        // Larger than ureq's read buffer, which counts as header while an interim response is in it.
        .max_response_header_size(1 << 20)
        .accept_encoding("identity")
        .user_agent(&access.user_agent)
        .tls_config(TlsConfig::builder().root_certs(roots.clone()).build())
        .proxy(proxy)
        .build()
}

fn ureqs(proxy: &Proxy) -> Result<ureq::Proxy, Failure> {
    ureq::Proxy::new(proxy.url().as_str())
        .map_err(|error: Error| Failure::lasting(format!("{error}: {proxy}")))
}

/// The certificates of a PEM file, in place of the built-in ones or of the operating system's.
fn roots(file: Option<&Path>) -> Result<RootCerts, Failure> {
    let Some(file) = file else {
        return Ok(match cfg!(feature = "platform-verifier") {
            true => RootCerts::PlatformVerifier,
            false => RootCerts::WebPki,
        });
    };
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
