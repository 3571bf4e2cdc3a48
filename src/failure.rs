//! Why a file did not come, and whether asking again may help.

use crate::error::ErrorKind;

/// What a host or a disk did in place of delivering.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub kind: ErrorKind,
    pub what: String,
    /// Whether another try may succeed.
    pub passes: bool,
    /// What the user can do.
    pub help: Option<&'static str>,
}

impl Failure {
    /// A host says no, and will say it again.
    pub fn lasting(what: impl Into<String>) -> Failure {
        Failure { kind: ErrorKind::Http, what: what.into(), passes: false, help: None }
    }

    /// A host or the way to it failed, as happens.
    pub fn passing(what: impl Into<String>) -> Failure {
        Failure { passes: true, ..Failure::lasting(what) }
    }

    /// This machine's disk said no.
    pub fn local(what: impl Into<String>) -> Failure {
        Failure { kind: ErrorKind::Io, ..Failure::lasting(what) }
    }

    pub fn help(self, advice: &'static str) -> Failure {
        Failure { help: Some(advice), ..self }
    }
}
