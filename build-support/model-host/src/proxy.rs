//! A forward proxy, as companies have them: it is asked for hosts and URLs, wants a password, and
//! keeps a log.

use std::collections::HashMap;
use std::io;
use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::head::Head;
use crate::listener::Listener;
use crate::response::Response;
use crate::roster::Roster;

/// A running proxy. It opens tunnels (`CONNECT`) and forwards requests for `http` URLs until it is
/// dropped.
///
/// It connects to this machine only: names other than `localhost` and `127.0.0.1` are 502 unless
/// [`route`](Proxy::route) says where their host is. So a test can give a host any name.
///
/// ```
/// use model_host::{Host, Proxy};
///
/// let host = Host::builder().file("/m/model.json", "{}").start();
/// let proxy = Proxy::start();
/// proxy.route("models.example", host.addr());
/// println!("HTTP_PROXY={} curl http://models.example/m/model.json", proxy.url());
/// assert_eq!(proxy.asked(), []);
/// ```
#[derive(Debug)]
pub struct Proxy {
    listener: Listener,
    desk: Arc<Desk>,
}

/// What a proxy was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// `CONNECT` for a tunnel, else the method of the request to forward.
    pub method: String,
    /// `host:port` for a tunnel, else the URL.
    pub target: String,
    /// Whether it came with the password. True where none is wanted.
    pub authorised: bool,
}

impl Proxy {
    /// A proxy that serves everybody.
    pub fn start() -> Proxy {
        Proxy::with(Desk::default())
    }

    /// A proxy that answers 407 to who does not know the password.
    pub fn with_password(user: &str, password: &str) -> Proxy {
        let encoded = BASE64_STANDARD.encode(format!("{user}:{password}"));
        Proxy::with(Desk { password: Some(format!("Basic {encoded}")), ..Desk::default() })
    }

    fn with(desk: Desk) -> Proxy {
        let desk = Arc::new(desk);
        let listener = Listener::start(0, Arc::clone(&desk.roster), {
            let desk = Arc::clone(&desk);
            // An error is a side that has left; there is nobody to tell.
            move |_, client| drop(desk.serve(client))
        });
        Proxy { listener, desk }
    }

    /// Its URL: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.listener.addr()
    }

    /// Requests for the host `name`, whatever the port, go to `addr`.
    pub fn route(&self, name: &str, addr: SocketAddr) {
        self.desk.routes().insert(name.to_owned(), addr);
    }

    /// The log so far, in order of arrival.
    pub fn asked(&self) -> Vec<Asked> {
        self.desk.log().clone()
    }
}

/// What every connection shares.
#[derive(Debug, Default)]
struct Desk {
    /// The `Proxy-Authorization` that is wanted.
    password: Option<String>,
    routes: Mutex<HashMap<String, SocketAddr>>,
    log: Mutex<Vec<Asked>>,
    roster: Arc<Roster>,
}

impl Desk {
    /// Serves the one request that comes on a connection.
    fn serve(&self, client: &TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(client);
        let Ok(head) = Head::read(&mut reader) else {
            return refuse(client, Response::status(400));
        };
        if !self.admits(&head) {
            let response = Response::status(407);
            return refuse(client, response.header("Proxy-Authenticate", "Basic realm=\"proxy\""));
        }
        let Some(errand) = Errand::of(&head) else { return refuse(client, Response::status(400)) };
        let Ok(host) = self.connect(&errand).map(Arc::new) else {
            return refuse(client, Response::status(502));
        };
        let Some(number) = self.roster.admit(&host) else { return Ok(()) };
        let ended = errand.begin(client, &host).and_then(|()| relay(reader, client, &host));
        self.roster.leave(number);
        ended
    }

    /// Whether the request is authorised; it is logged either way.
    fn admits(&self, head: &Head) -> bool {
        let given = head.header("Proxy-Authorization");
        let authorised = self.password.is_none() || self.password.as_deref() == given;
        self.log().push(Asked { method: head.method.clone(), target: head.target(), authorised });
        authorised
    }

    fn connect(&self, errand: &Errand) -> io::Result<TcpStream> {
        let routed = self.routes().get(errand.host).copied();
        match (routed, errand.host) {
            (Some(addr), _) => TcpStream::connect(addr),
            (None, "localhost" | "127.0.0.1") => {
                TcpStream::connect((Ipv4Addr::LOCALHOST, errand.port))
            }
            (None, _) => Err(io::ErrorKind::HostUnreachable.into()),
        }
    }

    fn routes(&self) -> MutexGuard<'_, HashMap<String, SocketAddr>> {
        self.routes.lock().expect("no user of the routes panics")
    }

    fn log(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.log.lock().expect("no user of the log panics")
    }
}

/// Where to connect to, and what to say there first.
struct Errand<'head> {
    host: &'head str,
    port: u16,
    /// None for a tunnel: the client will speak for itself.
    words: Option<String>,
}

impl Errand<'_> {
    fn of(head: &Head) -> Option<Errand<'_>> {
        if head.method == "CONNECT" {
            let (host, port) = head.path.rsplit_once(':')?;
            return Some(Errand { host, port: port.parse().ok()?, words: None });
        }
        let rest = head.path.strip_prefix("http://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
        Some(Errand { host, port: port.parse().ok()?, words: Some(forwarded(head, path)) })
    }

    fn begin(&self, mut client: &TcpStream, mut host: &TcpStream) -> io::Result<()> {
        match &self.words {
            None => client.write_all(b"HTTP/1.1 200 Connection Established\r\n\r\n"),
            Some(words) => host.write_all(words.as_bytes()),
        }
    }
}

/// The head as the host gets it. Its connection ends with the answer, and so the client's too.
fn forwarded(head: &Head, path: &str) -> String {
    let path = if path.is_empty() { "/" } else { path };
    let query = head.query.as_ref().map_or(String::new(), |query| format!("?{query}"));
    let mut text = format!("{} {path}{query} HTTP/1.1\r\n", head.method);
    for (name, value) in &head.headers {
        let lower = name.to_lowercase();
        if !lower.starts_with("proxy-") && lower != "connection" {
            text += &format!("{name}: {value}\r\n");
        }
    }
    text + "Connection: close\r\n\r\n"
}

/// Copies both ways until both sides have said all.
fn relay(mut asked: BufReader<&TcpStream>, client: &TcpStream, host: &TcpStream) -> io::Result<()> {
    thread::scope(|ways| {
        ways.spawn(|| {
            let _ = io::copy(&mut asked, &mut &*host);
            let _ = host.shutdown(Shutdown::Write);
        });
        let copied = io::copy(&mut &*host, &mut &*client).map(drop);
        copied.and(client.shutdown(Shutdown::Write))
    })
}

/// Answers in the host's place, and reads on until the client has left: see `Connection::part`.
fn refuse(mut client: &TcpStream, response: Response) -> io::Result<()> {
    let response = response.last();
    client.write_all(response.head().as_bytes())?;
    io::copy(&mut response.into_body(), &mut client)?;
    client.shutdown(Shutdown::Write)?;
    io::copy(&mut client, &mut io::sink()).map(drop)
}
