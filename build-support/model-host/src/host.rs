//! A running host: the thread that accepts connections, and what a test asks of it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::thread::JoinHandle;

use crate::builder::Builder;
use crate::certificate::Certificate;
use crate::connection;
use crate::fault::Fault;
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
    addr: SocketAddr,
    service: Arc<Service>,
    certificate: Option<Arc<Certificate>>,
    accepting: Option<JoinHandle<()>>,
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
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .unwrap_or_else(|error| panic!("cannot listen on 127.0.0.1:{port}: {error}"));
        let addr = listener.local_addr().expect("a bound listener has an address");
        let service = Arc::new(service);
        let certificate = certificate.map(Arc::new);
        let accepting = thread::spawn({
            let (service, certificate) = (Arc::clone(&service), certificate.clone());
            move || accept(&listener, &service, certificate.as_deref())
        });
        Host { addr, service, certificate, accepting: Some(accepting) }
    }

    /// The URL of `path`: `http://127.0.0.1:PORT/...`, or `https://localhost:PORT/...` with TLS.
    #[track_caller]
    pub fn url(&self, path: &str) -> String {
        url_path::assert_absolute(path);
        let port = self.addr.port();
        match self.certificate {
            None => format!("http://127.0.0.1:{port}{path}"),
            Some(_) => format!("https://localhost:{port}{path}"),
        }
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The log so far, in order of arrival. Requests that could not be read are not in it.
    pub fn requests(&self) -> Vec<Request> {
        self.service.log.requests()
    }

    /// How many requests were for `path`, whatever their query.
    #[track_caller]
    pub fn count(&self, path: &str) -> usize {
        let path = url_path::given(path);
        self.requests().iter().filter(|request| url_path::decoded(&request.path) == path).count()
    }

    /// How many TCP connections were accepted.
    pub fn connections(&self) -> usize {
        self.service.roster.accepted()
    }

    /// Forgets the requests logged so far; the count of connections goes on.
    pub fn clear_log(&self) {
        self.service.log.clear();
    }

    /// The self-signed certificate a client must trust, as PEM.
    ///
    /// # Panics
    ///
    /// If the host does not speak TLS.
    #[track_caller]
    pub fn certificate_pem(&self) -> &str {
        match &self.certificate {
            Some(certificate) => certificate.pem(),
            None => panic!("this host speaks plain HTTP: start it with `Host::builder().tls()`"),
        }
    }

    /// Adds or replaces the file at `path`.
    #[track_caller]
    pub fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.service.put(&url_path::given(path), bytes.into());
    }

    /// Scripts a fault for `path`, after those already scripted.
    #[track_caller]
    pub fn fault(&self, path: &str, fault: Fault) {
        self.service.fault(url_path::given(path), fault);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.service.roster.close();
        let woken = TcpStream::connect(self.addr).is_ok();
        if let Some(accepting) = self.accepting.take().filter(|_| woken) {
            // A panic there has been printed; it must not become a second one here.
            let _ = accepting.join();
        }
    }
}

fn accept(listener: &TcpListener, service: &Service, certificate: Option<&Certificate>) {
    thread::scope(|connections| {
        for stream in listener.incoming().flatten().map(Arc::new) {
            let Some(number) = service.roster.admit(&stream) else { break };
            connections.spawn(move || {
                connection::serve(service, number, &stream, certificate);
                service.roster.leave(number);
            });
        }
    });
}
