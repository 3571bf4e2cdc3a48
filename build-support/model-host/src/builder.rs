//! What a host is asked to be, before it starts.

use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use crate::authority::Authority;
use crate::behaviour::{Behaviour, Gzip};
use crate::certificate::Certificate;
use crate::fault::Fault;
use crate::host::Host;
use crate::range::Ranges;
use crate::script::Script;
use crate::service::Service;
use crate::site::Site;
use crate::url_path;
use crate::validators::Etags;

/// A host yet to be started: [`Host::builder`], then what it serves and how, then
/// [`start`](Builder::start).
#[derive(Debug, Default)]
#[must_use = "a host serves nothing before `start`"]
pub struct Builder {
    site: Site,
    script: Script,
    behaviour: Behaviour,
    port: u16,
    certificate: Option<Certificate>,
}

impl Builder {
    /// Serves the files of `dir` beneath `prefix`, streamed from disk, and nothing outside it.
    ///
    /// A path that ends in a slash is answered with the `index.html` there. Files given with
    /// [`file`](Self::file) and redirects come first; the longest prefix wins.
    #[track_caller]
    pub fn dir(mut self, prefix: &str, dir: impl AsRef<Path>) -> Self {
        self.site.add_dir(&url_path::given(prefix), dir.as_ref());
        self
    }

    /// Serves `bytes` at `path`.
    #[track_caller]
    pub fn file(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.site.put(&url_path::given(path), bytes.into());
        self
    }

    /// Answers `from` with a 302 to `to`, a path or an absolute URL.
    ///
    /// If `from` ends in a slash, everything beneath it is redirected: the rest of the path is
    /// appended to `to` and the query dropped.
    #[track_caller]
    pub fn redirect(mut self, from: &str, to: &str) -> Self {
        url_path::assert_absolute(from);
        self.site.add_redirect(from, to);
        self
    }

    /// Sends every 200 with `Content-Encoding: gzip`, chunked, whatever the client accepts.
    ///
    /// As storage.googleapis.com does with the TensorFlow.js models. Ranges are ignored and the
    /// ETag is weak, as with any host that compresses on the way.
    pub fn gzip_always(mut self) -> Self {
        self.behaviour.gzip = Gzip::Always;
        self
    }

    /// Sends every 200 gzipped to the clients whose `Accept-Encoding` allows it.
    pub fn gzip_on_request(mut self) -> Self {
        self.behaviour.gzip = Gzip::OnRequest;
        self
    }

    /// Answers 404 unless the query string is `query`, as TF Hub did with `tfjs-format=file`.
    pub fn require_query(mut self, query: &str) -> Self {
        self.behaviour.query = Some(query.trim_start_matches('?').to_owned());
        self
    }

    /// Ignores `Range`: always the whole file.
    pub fn no_ranges(mut self) -> Self {
        self.behaviour.ranges = Ranges::Ignored;
        self
    }

    /// Sends no ETags: a version is known by its `Last-Modified` only.
    pub fn no_etag(mut self) -> Self {
        self.behaviour.validation.etags = Etags::Absent;
        self
    }

    /// Sends no `Last-Modified`: a version is known by its ETag only.
    pub fn no_last_modified(mut self) -> Self {
        self.behaviour.validation.dates = false;
        self
    }

    /// Says nothing of versions.
    pub fn no_validators(self) -> Self {
        self.no_etag().no_last_modified()
    }

    /// Sends weak ETags, which do for a 304 but not for a range.
    pub fn weak_etags(mut self) -> Self {
        self.behaviour.validation.etags = Etags::Weak;
        self
    }

    /// Sends another ETag with each answer, though the file is the same.
    pub fn changing_etags(mut self) -> Self {
        self.behaviour.validation.etags = Etags::Changing(AtomicU64::new(0));
        self
    }

    /// Speaks TLS, with a certificate for `localhost` and `127.0.0.1` by an authority of its own.
    pub fn tls(self) -> Self {
        self.tls_by(&Authority::generate(), &["localhost", "127.0.0.1"])
    }

    /// Speaks TLS, with a certificate for `names` by this authority.
    ///
    /// # Panics
    ///
    /// If one is not a host name.
    pub fn tls_by(mut self, authority: &Authority, names: &[&str]) -> Self {
        self.certificate = Some(Certificate::signed_by(authority, names));
        self
    }

    /// Sends no more than this many body bytes a second on each connection.
    pub fn pace(mut self, bytes_per_second: u64) -> Self {
        self.behaviour.pace = Some(bytes_per_second);
        self
    }

    /// Waits this long before the first byte of each response, as a far host does.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.behaviour.delay = delay;
        self
    }

    /// Scripts a fault for `path`; those of one path happen in the order they were scripted.
    #[track_caller]
    pub fn fault(mut self, path: &str, fault: Fault) -> Self {
        self.script.add(url_path::given(path), fault);
        self
    }

    /// Listens on this port. The default is 0: one that is free.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Starts serving.
    ///
    /// # Panics
    ///
    /// If the port cannot be had.
    pub fn start(self) -> Host {
        let service = Service::new(self.site, self.script, self.behaviour);
        Host::start(service, self.certificate, self.port)
    }
}
