//! By what a host tells one version of a file from another: `ETag` and `Last-Modified`. Pure.

use serde::{Deserialize, Serialize};

/// What a host said of the version that it delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Validators {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl Validators {
    pub fn are_there(&self) -> bool {
        self.etag.is_some() || self.last_modified.is_some()
    }

    /// What vouches for every byte, for `If-Range`: a strong `ETag`. A date does not, because a file can change twice
    /// in a second, and a weak `ETag` says so itself.
    pub fn strong(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| etag.starts_with('"'))
    }
}
