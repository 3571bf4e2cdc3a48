//! Sends one response: framed, paced, held at gates, and counted in the log.

use std::io;
use std::io::{BufWriter, Read, Write};
use std::sync::Arc;

use crate::gate::Bar;
use crate::log::Entry;
use crate::pace::Pace;
use crate::response::{Framing, Response};

/// Room for a head and a piece of the body in one write.
const BUFFER: usize = 80 * 1024;

pub(crate) struct Delivery<'a> {
    out: BufWriter<&'a mut dyn Write>,
    pace: Pace<'a>,
    entry: &'a Entry,
}

impl<'a> Delivery<'a> {
    pub(crate) fn new(stream: &'a mut dyn Write, pace: Pace<'a>, entry: &'a Entry) -> Self {
        Delivery { out: BufWriter::with_capacity(BUFFER, stream), pace, entry }
    }

    pub(crate) fn send_head(&mut self, response: &Response) -> io::Result<()> {
        if response.head_pause().is_zero() {
            return self.out.write_all(response.head().as_bytes());
        }
        for byte in response.head().bytes() {
            self.out.write_all(&[byte])?;
            self.out.flush()?;
            self.pace.pause(response.head_pause());
        }
        Ok(())
    }

    /// Sends the body, and waits at each of `bars` before the byte where it is.
    pub(crate) fn send_body(&mut self, response: Response, bars: &[Arc<Bar>]) -> io::Result<()> {
        let (framing, cut) = (response.framing(), response.is_cut());
        let mut body = response.into_body();
        let mut sent = 0;
        for bar in bars {
            let wanted = bar.at() - sent;
            let n = self.send_pieces(framing, &mut (&mut body).take(wanted))?;
            sent += n;
            if n < wanted {
                break;
            }
            self.out.flush()?;
            bar.pass();
        }
        self.send_pieces(framing, &mut body)?;
        match framing {
            Framing::Chunked if !cut => self.out.write_all(b"0\r\n\r\n"),
            _ => Ok(()),
        }
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn send_pieces(&mut self, framing: Framing, body: &mut dyn Read) -> io::Result<u64> {
        let mut piece = vec![0; self.pace.piece()];
        let mut sent = 0;
        loop {
            let n = body.read(&mut piece)?;
            if n == 0 {
                return Ok(sent);
            }
            self.send_piece(framing, &piece[..n])?;
            sent += n as u64;
        }
    }

    fn send_piece(&mut self, framing: Framing, piece: &[u8]) -> io::Result<()> {
        let n = piece.len() as u64;
        self.entry.add_sent(n);
        self.write_piece(framing, piece).inspect_err(|_| self.entry.take_back_sent(n))?;
        self.pace.wait_after(n);
        Ok(())
    }

    fn write_piece(&mut self, framing: Framing, piece: &[u8]) -> io::Result<()> {
        match framing {
            Framing::Chunked => {
                write!(self.out, "{:x}\r\n", piece.len())?;
                self.out.write_all(piece)?;
                self.out.write_all(b"\r\n")?;
            }
            _ => self.out.write_all(piece)?,
        }
        self.out.flush()
    }
}
