//! A body whose length is known, read past ureq but for its last byte.
//!
//! ureq walks over each byte of a body to log it, also where nothing logs, which takes longer than all else that is done
//! with a byte in a build script, compiled without optimisation. So ureq is told of a body of one byte, the last, which
//! ends the answer as usual; those before it are taken from the connection itself. Where anything about the head of an
//! answer is unusual, ureq reads all of the body.

use std::collections::HashMap;
use std::io::{self, BufRead, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, ThreadId};
use std::time::Duration;

use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};
use ureq::{Error, Timeout};

/// A connection that ureq and the reader of a body share: one of them at a time has something to do with it.
#[derive(Debug)]
pub(crate) struct Line {
    state: Mutex<State>,
    /// How long to wait for the next bytes of a body.
    patience: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub transport: Box<dyn Transport>,
    /// How many bytes the body has of which ureq is told that it has one.
    pub length: Option<u64>,
}

impl Line {
    pub fn new(transport: Box<dyn Transport>, patience: Option<Duration>) -> Line {
        Line { state: Mutex::new(State { transport, length: None }), patience }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What is asked next is answered anew.
    pub fn transmit(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.length = None;
        self.transport.transmit_output(amount, timeout)
    }

    /// Gives ureq what has come: of an answer that begins here no more than its head, where there is a shortcut.
    pub fn pass_on(&mut self, to: &mut dyn Buffers, is_for_head: bool) -> usize {
        let State { transport, length } = self;
        let fresh = transport.buffers().input();
        let begins = is_for_head && to.input().is_empty();
        let room = to.input_append_buf();
        let (passed, taken) = match shortened(fresh).filter(|_| begins) {
            Some(short) if short.head.len() <= room.len() => {
                room[..short.head.len()].copy_from_slice(&short.head);
                *length = Some(short.length);
                (short.head.len(), short.end)
            }
            _ => {
                let n = fresh.len().min(room.len());
                room[..n].copy_from_slice(&fresh[..n]);
                (n, n)
            }
        };
        to.input_appended(passed);
        transport.buffers().input_consume(taken);
        passed
    }
}

/// The connection on which each thread was answered last, if there is a shortcut on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Arc<Mutex<HashMap<ThreadId, Weak<Line>>>>);

impl Lines {
    pub fn note(&self, line: &Arc<Line>) {
        self.by_thread().insert(thread::current().id(), Arc::downgrade(line));
    }

    /// The way to the body of the answer that this thread got last, if it is one.
    pub fn shortcut(&self) -> Option<Shortcut> {
        let line = self.by_thread().remove(&thread::current().id())?.upgrade()?;
        let length = line.state().length?;
        Some(Shortcut { line, length, left: length - 1 })
    }

    fn by_thread(&self) -> MutexGuard<'_, HashMap<ThreadId, Weak<Line>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads all of a body but its last byte.
pub(crate) struct Shortcut {
    line: Arc<Line>,
    /// Of the whole body.
    pub length: u64,
    left: u64,
}

impl Read for Shortcut {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let mut state = self.line.state();
        let transport = &mut state.transport;
        if transport.buffers().input().is_empty() {
            let per_read = self.line.patience.map(Into::into);
            let reason = Timeout::RecvBody;
            wait(transport, NextTimeout { reason, per_read, ..NextTimeout::default() })?;
        }
        let input = transport.buffers().input();
        let n = input.len().min(most);
        buffer[..n].copy_from_slice(&input[..n]);
        transport.buffers().input_consume(n);
        self.left -= n as u64;
        Ok(n)
    }
}

/// Waits for input, and says of its end what ureq says.
fn wait(transport: &mut Box<dyn Transport>, timeout: NextTimeout) -> io::Result<()> {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, UnexpectedEof};
    let ended = match transport.await_input(timeout).map_err(Error::into_io) {
        Err(error) => match error.kind() {
            UnexpectedEof | ConnectionAborted | ConnectionReset => true,
            _ => return Err(error),
        },
        Ok(_) => transport.buffers().input().is_empty(),
    };
    match ended {
        true => Err(io::Error::new(UnexpectedEof, "Peer disconnected")),
        false => Ok(()),
    }
}

/// The head of an answer as ureq is to have it.
pub(crate) struct Short {
    pub head: Vec<u8>,
    /// Where the body begins.
    pub end: usize,
    pub length: u64,
}

/// None unless the head is whole and plain, and says once how many bytes follow, and nothing else of how they are sent.
pub(crate) fn shortened(answer: &[u8]) -> Option<Short> {
    let (mut rest, mut line) = (answer, String::new());
    rest.starts_with(b"HTTP/1.").then(|| rest.read_line(&mut line))?.ok()?;
    let status = line.get("HTTP/1.1 ".len()..)?.get(..3)?;
    let may_be_plain = matches!(status, "200" | "203" | "206");
    let (mut head, mut length) = (line.clone(), None);
    loop {
        line.clear();
        rest.read_line(&mut line).ok()?;
        let text = line.strip_suffix("\r\n")?;
        if text.is_empty() {
            break;
        }
        let (name, value) = text.split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "transfer-encoding" | "content-encoding" => return None,
            "content-length" if length.is_some() => return None,
            "content-length" => {
                let digits = value.trim();
                let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
                length = Some(digits.parse().ok().filter(|_| is_plain)?);
                head.push_str("Content-Length: 1\r\n");
            }
            _ => head.push_str(&line),
        }
    }
    head.push_str("\r\n");
    let length = length.filter(|length| may_be_plain && *length > 1)?;
    Some(Short { head: head.into_bytes(), end: answer.len() - rest.len(), length })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 4194304\r\n\r\n";

    fn short(answer: &str) -> Option<(String, usize, u64)> {
        let Short { head, end, length } = shortened(answer.as_bytes())?;
        Some((String::from_utf8(head).unwrap(), end, length))
    }

    #[test]
    fn ureq_is_told_of_the_last_byte_only() {
        let (head, end, length) = short(&format!("{PLAIN}body")).unwrap();
        assert_eq!(head, "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 1\r\n\r\n");
        assert_eq!((end, length), (PLAIN.len(), 4_194_304));
    }

    #[test]
    fn what_is_unusual_is_left_to_ureq() {
        for (old, new) in [
            ("200", "404"),
            ("200", "304"),
            ("HTTP/1.1", "HTTP/2"),
            ("4194304", "1"),
            ("4194304", "0"),
            ("4194304", "4, 4"),
            ("4194304", "-4"),
            ("4194304", "+4"),
            ("4194304", "99999999999999999999"),
            ("4194304", "4\r\nContent-Length: 4"),
            ("4194304", "4\r\nTransfer-Encoding: chunked"),
            ("4194304", "4\r\ncontent-encoding: gzip"),
            ("ETag: \"a\"", " folded"),
            ("Content-Length", "X-Length"),
            ("\r\n\r\n", "\r\n"),
        ] {
            assert_eq!(short(&PLAIN.replace(old, new)), None, "{new:?}");
        }
    }
}
