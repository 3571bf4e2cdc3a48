//! Why a file did not come, and whether asking again may help.

/// What a host or a disk did in place of delivering.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub what: String,
    /// Whether another try may succeed.
    pub passes: bool,
    /// What the user can do.
    pub help: Option<&'static str>,
}

impl Failure {
    pub fn lasting(what: impl Into<String>) -> Failure {
        Failure { what: what.into(), passes: false, help: None }
    }

    pub fn passing(what: impl Into<String>) -> Failure {
        Failure { what: what.into(), passes: true, help: None }
    }

    pub fn help(self, advice: &'static str) -> Failure {
        Failure { help: Some(advice), ..self }
    }
}
