//! The two kinds of stream, plain and TLS, and the ways to end one.

use std::io;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};
use socket2::SockRef;

use crate::certificate::Certificate;

pub(crate) trait Stream: Read + Write + Send {
    /// Says goodbye and sends no more.
    fn close(&mut self) -> io::Result<()>;

    /// Sends no more, without a goodbye.
    fn cut(&mut self) -> io::Result<()>;

    /// Forgets what is still to be sent; the client finds the connection reset once it is closed.
    fn reset(&mut self) -> io::Result<()>;
}

/// The stream to speak HTTP on: TLS if there is a certificate.
pub(crate) fn open<'tcp>(
    tcp: &'tcp TcpStream,
    certificate: Option<&Certificate>,
) -> io::Result<Box<dyn Stream + 'tcp>> {
    tcp.set_nodelay(true)?;
    Ok(match certificate {
        None => Box::new(tcp),
        Some(certificate) => Box::new(StreamOwned::new(certificate.connection(), tcp)),
    })
}

impl Stream for &TcpStream {
    fn close(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn cut(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn reset(&mut self) -> io::Result<()> {
        SockRef::from(*self).set_linger(Some(Duration::ZERO))
    }
}

impl Stream for StreamOwned<ServerConnection, &TcpStream> {
    fn close(&mut self) -> io::Result<()> {
        self.conn.send_close_notify();
        self.flush()?;
        self.cut()
    }

    fn cut(&mut self) -> io::Result<()> {
        self.sock.shutdown(Shutdown::Write)
    }

    fn reset(&mut self) -> io::Result<()> {
        self.sock.reset()
    }
}
