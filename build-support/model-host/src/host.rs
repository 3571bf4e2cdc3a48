//! A running host, and what a test asks of it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use crate::builder::Builder;
use crate::certificate::Certificate;
use crate::connection;
use crate::fault::Fault;
use crate::gate::Gate;
use crate::listener::Listener;
use crate::request::Request;
use crate::service::Service;
use crate::url_path;

/// A running host. It serves until it is dropped.
///
/// ```
/// use model_host::{Fault, Host};
///
/// let host = Host::builder()
///     .file("/m/shard.bin", [7; 1000])
///     .fault("/m/shard.bin", Fault::cut_after(10))
///     .start();
/// println!("fetch me from {}", host.url("/m/shard.bin"));
/// assert_eq!(host.count("/m/shard.bin"), 0);
/// ```
#[derive(Debug)]
pub struct Host {
    listener: Listener,
    service: Arc<Service>,
    certificate: Option<Arc<Certificate>>,
}

impl Host {
    /// A host yet to be started.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Serves the files of `dir` at `/`.
    pub fn serve(dir: impl AsRef<Path>) -> Host {
        Host::builder().dir("/", dir).start()
    }

    pub(crate) fn start(service: Service, certificate: Option<Certificate>, port: u16) -> Host {
        let service = Arc::new(service);
        let certificate = certificate.map(Arc::new);
        let listener = Listener::start(port, Arc::clone(&service.roster), {
            let (service, certificate) = (Arc::clone(&service), certificate.clone());
            move |number, tcp| connection::serve(&service, number, tcp, certificate.as_deref())
        });
        Host { listener, service, certificate }
    }

    /// The URL of `path`: `http://127.0.0.1:PORT/...`, or `https://localhost:PORT/...` with TLS.
    #[track_caller]
    pub fn url(&self, path: &str) -> String {
        url_path::assert_absolute(path);
        let port = self.addr().port();
        match self.certificate {
            None => format!("http://127.0.0.1:{port}{path}"),
            Some(_) => format!("https://localhost:{port}{path}"),
        }
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.listener.addr()
    }

    /// The log so far, in order of arrival. Requests that could not be read are not in it.
    pub fn requests(&self) -> Vec<Request> {
        self.service.log.requests()
    }

    /// How many requests were for `path`, whatever their query.
    #[track_caller]
    pub fn count(&self, path: &str) -> usize {
        self.requests_for(path).len()
    }

    /// The requests for `path`, whatever their query.
    #[track_caller]
    pub fn requests_for(&self, path: &str) -> Vec<Request> {
        let path = url_path::given(path);
        let mut requests = self.requests();
        requests.retain(|request| url_path::decoded(&request.path) == path);
        requests
    }

    /// Waits until so many requests for `path` have come, answered or not.
    ///
    /// # Panics
    ///
    /// If they do not come in five minutes.
    #[track_caller]
    pub fn wait_for(&self, path: &str, requests: usize) {
        let path = url_path::given(path);
        let like = |request: &Request| url_path::decoded(&request.path) == path;
        let come = self.service.log.wait_for(requests, like);
        assert!(come, "{} of {requests} requests for {path} have come", self.count(&path));
    }

    /// How many bytes of bodies went out, by the log so far; as encoded but without chunk framing.
    pub fn bytes_sent(&self) -> u64 {
        self.requests().iter().map(|request| request.body_bytes_sent).sum()
    }

    /// How many bytes of bodies went out for `path`, whatever the query.
    #[track_caller]
    pub fn bytes_sent_of(&self, path: &str) -> u64 {
        self.requests_for(path).iter().map(|request| request.body_bytes_sent).sum()
    }

    /// How many TCP connections were accepted.
    pub fn connections(&self) -> usize {
        self.service.roster.accepted()
    }

    /// Forgets the requests logged so far; the count of connections goes on.
    pub fn clear_log(&self) {
        self.service.log.clear();
    }

    /// The certificate of the authority a client must trust, as PEM.
    ///
    /// # Panics
    ///
    /// If the host does not speak TLS.
    #[track_caller]
    pub fn certificate_pem(&self) -> &str {
        match &self.certificate {
            Some(certificate) => certificate.authority_pem(),
            None => panic!("this host speaks plain HTTP: start it with `Host::builder().tls()`"),
        }
    }

    /// Adds or replaces the file at `path`.
    #[track_caller]
    pub fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.service.put(&url_path::given(path), bytes.into());
    }

    /// Holds the responses for `path` after `n` bytes of their bodies, until the gate is opened.
    ///
    /// A shorter body is not held.
    #[track_caller]
    pub fn gate(&self, path: &str, n: u64) -> Gate {
        self.service.gates.add(url_path::given(path), n)
    }

    /// Scripts a fault for `path`, after those already scripted.
    #[track_caller]
    pub fn fault(&self, path: &str, fault: Fault) {
        self.service.fault(url_path::given(path), fault);
    }

    /// Forgets the faults scripted for `path`, those that happen always as well.
    #[track_caller]
    pub fn heal(&self, path: &str) {
        self.service.heal(&url_path::given(path));
    }
}

impl Drop for Host {
    /// What waits at a gate has to leave before the listener can.
    fn drop(&mut self) {
        self.service.roster.close();
        self.service.gates.open_all();
    }
}
