//! One logged request.

use crate::head::{Head, header};

/// A request the host received, and what became of it.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `HEAD`, ...
    pub method: String,
    /// The path, percent-encoded as it was sent, without the query.
    pub path: String,
    /// What follows the question mark, if there is one.
    pub query: Option<String>,
    /// The headers as they were sent, in order.
    pub headers: Vec<(String, String)>,
    /// The status it was answered with; 0 if the connection was closed without an answer.
    pub status: u16,
    /// How many bytes of the body went out, as encoded but without chunk framing.
    ///
    /// Counted before they are written: a client that has the whole body finds it all counted.
    pub body_bytes_sent: u64,
    /// The number of the TCP connection it came on; the first is 1.
    pub connection: usize,
}

impl Request {
    pub(crate) fn new(head: &Head, status: u16, connection: usize) -> Request {
        Request {
            method: head.method.clone(),
            path: head.path.clone(),
            query: head.query.clone(),
            headers: head.headers.clone(),
            status,
            body_bytes_sent: 0,
            connection,
        }
    }

    /// The value of the first header of this name, in whatever case it was sent.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}
