//! A port of this machine, and the thread that accepts the connections to it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::thread::JoinHandle;

use crate::roster::Roster;

/// Accepts until it is dropped; then every connection is ended too.
#[derive(Debug)]
pub(crate) struct Listener {
    addr: SocketAddr,
    roster: Arc<Roster>,
    accepting: Option<JoinHandle<()>>,
}

impl Listener {
    /// Has each connection, and its number, served on a thread of its own.
    pub(crate) fn start(
        port: u16,
        roster: Arc<Roster>,
        serve: impl Fn(usize, &Arc<TcpStream>) + Send + Sync + 'static,
    ) -> Listener {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .unwrap_or_else(|error| panic!("cannot listen on 127.0.0.1:{port}: {error}"));
        let addr = listener.local_addr().expect("a bound listener has an address");
        let accepting = thread::spawn({
            let roster = Arc::clone(&roster);
            move || accept(&listener, &roster, &serve)
        });
        Listener { addr, roster, accepting: Some(accepting) }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.roster.close();
        let woken = TcpStream::connect(self.addr).is_ok();
        if let Some(accepting) = self.accepting.take().filter(|_| woken) {
            // A panic there has been printed; it must not become a second one here.
            let _ = accepting.join();
        }
    }
}

fn accept(
    listener: &TcpListener,
    roster: &Roster,
    serve: &(impl Fn(usize, &Arc<TcpStream>) + Sync),
) {
    thread::scope(|connections| {
        for stream in listener.incoming().flatten().map(Arc::new) {
            let Some(number) = roster.admit(&stream) else { break };
            connections.spawn(move || {
                serve(number, &stream);
                roster.leave(number);
            });
        }
    });
}
