//! One connection: request after request until one side leaves.

use std::io;
use std::io::{BufReader, Write};
use std::net::TcpStream;

use crate::certificate::Certificate;
use crate::delivery::Delivery;
use crate::head::{Head, Unreadable};
use crate::log::Entry;
use crate::pace::Pace;
use crate::request::Request;
use crate::response::{Parting, Response};
use crate::service::{Answer, Service};
use crate::stream;
use crate::stream::Stream;

/// Serves one connection to its end.
pub(crate) fn serve(
    service: &Service,
    number: usize,
    tcp: &TcpStream,
    certificate: Option<&Certificate>,
) {
    let Ok(stream) = stream::open(tcp, certificate) else { return };
    let mut connection = Connection { service, number, stream: BufReader::new(stream) };
    // An error is a client that has left; there is nobody to tell.
    let _ = connection.converse();
}

struct Connection<'host> {
    service: &'host Service,
    number: usize,
    stream: BufReader<Box<dyn Stream + 'host>>,
}

impl Connection<'_> {
    fn converse(&mut self) -> io::Result<()> {
        loop {
            let parting = match Head::read(&mut self.stream) {
                Ok(head) if !head.is_for_a_path() => self.reject(400)?,
                Ok(head) => self.exchange(&head)?,
                Err(Unreadable::Malformed) => self.reject(400)?,
                Err(Unreadable::TooLarge) => self.reject(431)?,
                Err(Unreadable::Gone) => return Ok(()),
            };
            if let Some(parting) = parting {
                return self.part(parting);
            }
        }
    }

    /// Answers one request. Returns how to leave the connection, unless it stays open.
    fn exchange(&mut self, head: &Head) -> io::Result<Option<Parting>> {
        let answer = self.service.answer(head);
        let entry = self.service.log.record(Request::new(head, answer.code(), self.number));
        self.service.roster.pause(self.service.behaviour.delay);
        match answer {
            Answer::Response(response) => self.deliver(head, response, &entry),
            Answer::Raw(bytes) => {
                self.stream.get_mut().write_all(&bytes)?;
                Ok(Some(Parting::Close))
            }
            Answer::Silence(parting) => Ok(Some(parting)),
        }
    }

    fn deliver(
        &mut self,
        head: &Head,
        response: Response,
        entry: &Entry,
    ) -> io::Result<Option<Parting>> {
        let parting = response.parting();
        let pace = Pace::new(self.service.behaviour.pace, &self.service.roster);
        let mut delivery = Delivery::new(self.stream.get_mut(), pace, entry);
        delivery.send_head(&response)?;
        if head.method != "HEAD" {
            delivery.send_body(response, &self.service.gates.before(&head.decoded_path()))?;
        }
        delivery.finish()?;
        Ok(parting)
    }

    /// Answers what could not be read as a request.
    fn reject(&mut self, status: u16) -> io::Result<Option<Parting>> {
        let response = Response::status(status).last();
        let parting = response.parting();
        let stream = self.stream.get_mut();
        stream.write_all(response.head().as_bytes())?;
        io::copy(&mut response.into_body(), stream)?;
        Ok(parting)
    }

    /// Leaves, but reads on until the client has left too: closing a socket with unread bytes
    /// would reset it, and the client might lose the end of the answer.
    fn part(&mut self, parting: Parting) -> io::Result<()> {
        match parting {
            Parting::Close => self.stream.get_mut().close()?,
            Parting::Cut => self.stream.get_mut().cut()?,
            Parting::Reset => return self.stream.get_mut().reset(),
            Parting::Stall => {}
        }
        io::copy(&mut self.stream, &mut io::sink()).map(drop)
    }
}
