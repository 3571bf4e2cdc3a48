//! The cache that all projects of a user share: content by its digest, what an address delivered last, and what has
//! come of downloads that did not end.
//!
//! Best effort: what cannot be written is done without, and what is not what its name says is dropped. Knows no
//! manifests.
//!
//! ```text
//! <cache>/
//!   CACHEDIR.TAG          says to backup programs what this is
//!   sha256/ab/cdef...     content
//!   urls/<key>            size and digest of what an address delivered last, and by what its host tells a change
//!   partial/<key>...      what has come of a download
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::copy::copy;
use crate::digest::{Content, Digest};
use crate::draft::{self, Stamp};

/// The cache that models are restored from and downloaded to, shared by all projects of a user.
///
/// [`Config::cache`](crate::Config::cache) gives the one that a build would use.
#[derive(Clone, Debug)]
pub struct Cache {
    pub(crate) dir: PathBuf,
}

impl Cache {
    /// The cache in `dir`, whether or not it is there.
    pub(crate) fn at(dir: &Path) -> Cache {
        Cache { dir: dir.to_owned() }
    }

    /// Whether it can be written to; it is made if need be.
    pub(crate) fn is_writable(&self) -> bool {
        const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# Models that vendor-model keeps for all projects.\n";
        let made = ["partial", "urls"].map(|name| fs::create_dir_all(self.dir.join(name)).is_ok());
        made == [true; 2] && draft::write(&self.dir.join("CACHEDIR.TAG"), TAG, Stamp::Now).is_ok()
    }

    /// Where content of this digest is, if it is there.
    pub(crate) fn blob(&self, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        self.dir.join("sha256").join(&name[..2]).join(&name[2..])
    }

    pub(crate) fn has(&self, content: Content) -> bool {
        fs::metadata(self.blob(content.digest)).is_ok_and(|found| found.len() == content.size)
    }

    /// Where files wait that no `out_dir` is for.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.dir.join("scratch")
    }

    /// Copies `content` to `to`, and says whether it is here.
    pub(crate) fn restore(&self, content: Content, to: &Path) -> io::Result<bool> {
        let blob = self.blob(content.digest);
        let found = copy(&blob, to)?;
        let is_right = found == Some(content);
        if is_right {
            // When it was used last, for `gc`.
            let _ = draft::set_modified(&blob, SystemTime::now());
        } else if found.is_some() {
            let _ = fs::remove_file(&blob);
        }
        Ok(is_right)
    }

    /// Takes in the file at `at`, which is known to be `content`.
    #[cfg(feature = "net")]
    pub(crate) fn keep(&self, at: &Path, content: Content) {
        let blob = self.blob(content.digest);
        let settle = || draft::settle(at, &blob, Stamp::Now);
        let kept = settle().or_else(|_| {
            blob.parent().map_or(Ok(()), fs::create_dir_all)?;
            settle()
        });
        if kept.is_err() {
            let _ = fs::remove_file(at);
        }
    }

    /// Where downloads are until they are whole.
    #[cfg(feature = "net")]
    pub(crate) fn partial(&self) -> PathBuf {
        self.dir.join("partial")
    }

    /// Where it is kept what addresses delivered last.
    #[cfg(feature = "net")]
    pub(crate) fn memories(&self) -> PathBuf {
        self.dir.join("urls")
    }
}
