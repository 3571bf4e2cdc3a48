//! What an address delivered last, and by what its host can tell whether it still would: the files of `<cache>/urls`.

use std::fs;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::cache::Cache;
use crate::digest::{Content, Digest};
use crate::publish::{self, Stamp};
use crate::validators::Validators;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Memory {
    size: u64,
    sha256: Digest,
    #[serde(flatten)]
    pub validators: Validators,
}

impl Memory {
    pub fn new(content: Content, validators: Validators) -> Memory {
        Memory { size: content.size, sha256: content.digest, validators }
    }

    pub fn of(cache: &Cache, url: &Url) -> Option<Memory> {
        let text = fs::read(cache.memories().join(key(url))).ok()?;
        serde_json::from_slice(&text).ok()
    }

    pub fn content(&self) -> Content {
        Content { size: self.size, digest: self.sha256 }
    }

    pub fn keep(&self, cache: &Cache, url: &Url) {
        if let Ok(text) = serde_json::to_string(self) {
            let _ = publish::write(&cache.memories().join(key(url)), &text, Stamp::Now);
        }
    }

    pub fn forget(cache: &Cache, url: &Url) {
        let _ = fs::remove_file(cache.memories().join(key(url)));
    }
}

/// The name of an address in the cache: as such it can be long and secret.
pub(crate) fn key(url: &Url) -> String {
    Content::of(url.as_str().as_bytes()).digest.to_string()
}
