//! Who wants models.lock to stay as it is, and so what has to change for it to be written.

use std::env;

use crate::failure::Failure;

/// What builds heed is heeded here.
const VARIABLE: &str = "VENDOR_MODEL_LOCK";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockedBy {
    Flag,
    Environment,
}

impl LockedBy {
    pub fn environment() -> Result<Option<LockedBy>, Failure> {
        let value = env::var_os(VARIABLE).unwrap_or_default();
        match value.to_str() {
            Some("locked") => Ok(Some(LockedBy::Environment)),
            Some("" | "auto" | "update") => Ok(None),
            _ => Err(Failure::usage(format!("cannot read {VARIABLE}"))
                .fact("expected", "auto, locked or update")
                .fact("found", format!("{value:?}"))),
        }
    }

    /// Because of these models, each of which is what `fact` says.
    pub fn refusal<'a>(self, fact: &str, urls: impl IntoIterator<Item = &'a str>) -> Failure {
        let (cause, act) = match self {
            LockedBy::Flag => ("--locked", "passed"),
            LockedBy::Environment => ("VENDOR_MODEL_LOCK=locked", "set"),
        };
        let headline = format!("cannot write to models.lock because {cause} was {act}");
        let failure =
            urls.into_iter().fold(Failure::new(headline), |failure, url| failure.fact(fact, url));
        failure.help(format!("run this again without {cause}"))
    }
}
