//! What an address delivered last, and by what its host can tell whether it still would: the files of `<cache>/urls`.

use std::fs::{self, File};
use std::io::Write;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::cache::Cache;
use crate::digest::{Content, Digest};
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
        // A text that is torn is none, and none is read as nothing remembered.
        let text = serde_json::to_vec(self).unwrap_or_default();
        let _ = File::create(cache.memories().join(key(url)))
            .and_then(|mut file| file.write_all(&text));
    }

    pub fn forget(cache: &Cache, url: &Url) {
        let _ = fs::remove_file(cache.memories().join(key(url)));
    }
}

/// The name of an address in the cache: as such it can be long and secret.
pub(crate) fn key(url: &Url) -> String {
    Content::of(url.as_str().as_bytes()).digest.to_string()
}
