//! What every connection shares, and the one decision: a request's head in, its answer out.

use std::sync::{Arc, Mutex, RwLock};

use crate::behaviour::Behaviour;
use crate::content::Content;
use crate::fault::{Effect, Fault};
use crate::gate::Gates;
use crate::head::Head;
use crate::log::Log;
use crate::range::{Asked, Ranges};
use crate::response::{Parting, Response};
use crate::roster::Roster;
use crate::script::Script;
use crate::site::{Found, Site};
use crate::validators::{Validators, Verdict};

#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) behaviour: Behaviour,
    pub(crate) gates: Gates,
    pub(crate) log: Log,
    pub(crate) roster: Arc<Roster>,
    site: RwLock<Site>,
    script: Mutex<Script>,
}

/// What comes back for a request.
pub(crate) enum Answer {
    Response(Response),
    /// These bytes, whatever they are, and the connection is closed.
    Raw(Arc<[u8]>),
    /// Nothing, and the connection is left so.
    Silence(Parting),
}

impl Service {
    pub(crate) fn new(site: Site, script: Script, behaviour: Behaviour) -> Service {
        Service {
            behaviour,
            gates: Gates::default(),
            log: Log::default(),
            roster: Arc::default(),
            site: RwLock::new(site),
            script: Mutex::new(script),
        }
    }

    pub(crate) fn put(&self, path: &str, bytes: Vec<u8>) {
        self.site.write().expect("no user of the site panics").put(path, bytes);
    }

    pub(crate) fn fault(&self, path: String, fault: Fault) {
        self.script.lock().expect("no user of the script panics").add(path, fault);
    }

    pub(crate) fn heal(&self, path: &str) {
        self.script.lock().expect("no user of the script panics").clear(path);
    }

    pub(crate) fn answer(&self, head: &Head) -> Answer {
        let answer = match self.next_fault(head) {
            Some(fault) => self.faulty(head, fault),
            None => Answer::Response(self.honest(head, self.behaviour.ranges)),
        };
        let Answer::Response(response) = answer else { return answer };
        let response = if head.is_last() { response.last() } else { response };
        let gzipped = self.behaviour.gzip.applies_to(head);
        Answer::Response(if gzipped { response.gzip() } else { response })
    }

    fn next_fault(&self, head: &Head) -> Option<Fault> {
        self.script.lock().expect("no user of the script panics").next(&head.decoded_path())
    }

    fn faulty(&self, head: &Head, fault: Fault) -> Answer {
        let response = match fault.effect {
            Effect::Status(status) => Response::status(status),
            Effect::Replace { bytes, media_type } => Response::bytes(bytes, media_type),
            Effect::Redirect(to) => Response::redirect(&to),
            Effect::Ranges(ranges) => self.honest(head, ranges),
            Effect::Spoil(flaw) => self.honest(head, self.behaviour.ranges).spoil(flaw),
            Effect::Endless(coding) => Response::endless(coding),
            Effect::Raw(bytes) => return Answer::Raw(bytes),
            Effect::Silence(parting) => return Answer::Silence(parting),
        };
        let headers = fault.headers.iter();
        Answer::Response(headers.fold(response, |it, (name, value)| it.header(name, value)))
    }

    fn honest(&self, head: &Head, ranges: Ranges) -> Response {
        if !matches!(head.method.as_str(), "GET" | "HEAD") {
            return Response::status(405).header("Allow", "GET, HEAD");
        }
        if self.behaviour.query.is_some() && self.behaviour.query != head.query {
            return Response::status(404);
        }
        let found = self.site.read().expect("no user of the site panics").find(&head.path);
        match found {
            None => Response::status(404),
            Some(Found::Redirect(to)) => Response::redirect(&to),
            Some(Found::Content(content)) => self.content(head, &content, ranges),
        }
    }

    fn content(&self, head: &Head, content: &Content, ranges: Ranges) -> Response {
        let validators = self.behaviour.validation.of(content);
        let response = match validators.verdict(head) {
            Verdict::NotModified => Response::not_modified(),
            Verdict::Failed => return Response::status(412),
            Verdict::Proceed => match self.asked(head, content, &validators, ranges) {
                Asked::Whole => Response::whole(content),
                Asked::Part(part) => Response::part(content, part),
                Asked::Unsatisfiable => return Response::unsatisfiable(content.length()),
            },
        };
        response.validators(&validators)
    }

    /// A range of a body compressed on the way would be of bytes no other request can match.
    fn asked(
        &self,
        head: &Head,
        content: &Content,
        validators: &Validators,
        ranges: Ranges,
    ) -> Asked {
        let obliging = !self.behaviour.gzip.applies_to(head) && validators.allow_range(head);
        match head.header("Range") {
            Some(range) if obliging => ranges.read(range, content.length()),
            _ => Asked::Whole,
        }
    }
}

impl Answer {
    /// Its status; 0 if it has none.
    pub(crate) fn code(&self) -> u16 {
        match self {
            Answer::Response(response) => response.code(),
            Answer::Raw(_) | Answer::Silence(_) => 0,
        }
    }
}
