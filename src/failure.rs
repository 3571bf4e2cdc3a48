//! Why a file did not come, and whether asking again may help.

use std::time::Duration;

use crate::error::ErrorKind;

/// What a host or a disk did in place of delivering.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub kind: ErrorKind,
    pub what: String,
    /// Whether another try may succeed.
    pub passes: bool,
    /// Whether the host has too much to do.
    pub crowded: bool,
    /// How long it wants to be left alone.
    pub wait: Option<Duration>,
    /// What the user can do.
    pub help: Option<&'static str>,
}

impl Failure {
    /// A host says no, and will say it again.
    pub fn lasting(what: impl Into<String>) -> Failure {
        Failure {
            kind: ErrorKind::Http,
            what: what.into(),
            passes: false,
            crowded: false,
            wait: None,
            help: None,
        }
    }

    /// A host or the way to it failed, as happens.
    pub fn passing(what: impl Into<String>) -> Failure {
        Failure { passes: true, ..Failure::lasting(what) }
    }

    /// This machine's disk said no.
    pub fn local(what: impl Into<String>) -> Failure {
        Failure { kind: ErrorKind::Io, ..Failure::lasting(what) }
    }

    /// It has too much to do, and may have said for how long.
    pub fn crowded(self, wait: Option<Duration>) -> Failure {
        Failure { crowded: true, wait, ..self }
    }

    pub fn is_of_the_disk(&self) -> bool {
        self.kind == ErrorKind::Io
    }

    pub fn help(self, advice: &'static str) -> Failure {
        Failure { help: Some(advice), ..self }
    }
}
