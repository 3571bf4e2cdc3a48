//! The one public [`Error`].
//!
//! The parsers have small errors of their own that know no URL and no path; here they get both.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;

use crate::digest::Content;
use crate::lockfile::LockfileError;
use crate::manifest::ManifestError;

/// Why a model could not be vendored.
///
/// The text says what was tried, on what, what was expected and found, and what to type next. `Debug` prints the
/// same, because that is what cargo shows of a failed build script. [`Error::kind`] is for programs.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    text: String,
    advice: Vec<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What an [`Error`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What was asked for, by `Config`, by the environment or by the URL, cannot be done.
    Config,
    /// What the URL names is no manifest, or one that contradicts its shards.
    Manifest,
    /// A path in a manifest, lockfile or setting cannot be kept below `out_dir`.
    Path,
    /// A lockfile cannot be read, or contradicts another or the manifest.
    Lock,
    /// Bytes are not what the lockfile pins.
    Digest,
    /// Files are missing and the network may not be used.
    Offline,
    /// The lockfile would have to change and may not.
    Locked,
    /// A host did not deliver.
    Http,
    /// The disk did not.
    Io,
}

impl Error {
    /// What it is about.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// An error whose text begins with what was tried, on what.
    pub(crate) fn new(kind: ErrorKind, headline: impl fmt::Display) -> Error {
        let (text, advice) = (headline.to_string(), Vec::new());
        Error(Box::new(Inner { kind, text, advice, source: None }))
    }

    /// Adds one line to the text, or as much of it as somebody can be expected to read.
    pub(crate) fn fact(mut self, name: &str, value: impl fmt::Display) -> Error {
        const LONGEST: usize = 1 << 16;
        let value = value.to_string();
        let end = (0..=LONGEST.min(value.len())).rev().find(|&at| value.is_char_boundary(at));
        let shown = &value[..end.unwrap_or(0)];
        self.0.text += &format!("\n  {name}: {shown}");
        if shown.len() < value.len() {
            self.0.text += &format!("... and {} bytes more", value.len() - shown.len());
        }
        self
    }

    /// Says what to do next, in a line after all facts.
    pub(crate) fn help(mut self, advice: impl fmt::Display) -> Error {
        self.0.advice.push(format!("\n  help: {advice}"));
        self
    }

    fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Error {
        self.0.source = Some(Box::new(source));
        self
    }

    /// `act` is a verb, such as "create".
    pub(crate) fn io(act: &str, path: &Path, error: io::Error) -> Error {
        let headline = format!("cannot {act} {}", path.display());
        let told = Error::new(ErrorKind::Io, headline).fact("found", &error);
        advice(act, error.kind()).into_iter().fold(told, Error::help).caused_by(error)
    }

    pub(crate) fn setting(name: &str, value: impl fmt::Debug, allowed: &str) -> Error {
        Error::new(ErrorKind::Config, format!("cannot read {name}"))
            .fact("expected", allowed)
            .fact("found", format!("{value:?}"))
    }

    pub(crate) fn url(url: &str, why: &str) -> Error {
        let error = Error::new(ErrorKind::Config, "cannot vendor this address");
        let error = error.fact("url", url).fact("found", why);
        error.help(
            "give the URL of a model.json, as TensorFlow.js would load it, without a secret in it",
        )
    }

    pub(crate) fn manifest(url: &str, error: ManifestError) -> Error {
        let (kind, headline, advice) = match &error {
            ManifestError::Paths(_) => (
                ErrorKind::Path,
                "its manifest names paths that cannot be kept on every disk and server",
                "rename the shards at their host, in the manifest too; none was asked for",
            ),
            ManifestError::Json(json) if json.is_eof() => (
                ErrorKind::Manifest,
                "its manifest ends too early",
                "run this again, in case it was cut on the way; else convert the model again",
            ),
            ManifestError::Json(json) if json.is_data() => (
                ErrorKind::Manifest,
                "its manifest does not read as that of a model",
                "look at that place of the manifest, or convert the model again",
            ),
            ManifestError::Json(_) | ManifestError::Other(_) => (
                ErrorKind::Manifest,
                "the URL does not deliver a TensorFlow.js manifest",
                "give the URL of the file itself, a model.json or weights_manifest.json, as TensorFlow.js would load it",
            ),
        };
        Error::new(kind, format!("cannot vendor the model: {headline}"))
            .fact("url", url)
            .fact("found", &error)
            .help(advice)
            .caused_by(error)
    }

    pub(crate) fn lockfile(path: &Path, error: LockfileError) -> Error {
        let advice = match error {
            LockfileError::Newer(_) => {
                "update vendor-model in Cargo.toml, then run `cargo update -p vendor-model`"
            }
            LockfileError::MergeConflict => {
                "resolve the conflict; the entries are independent of each other"
            }
            _ => "restore it from version control, or delete it to pin what the hosts deliver now",
        };
        let headline = format!("cannot read the lockfile {}", path.display());
        Error::new(ErrorKind::Lock, headline).fact("found", &error).help(advice).caused_by(error)
    }

    pub(crate) fn digest(
        path: &str,
        from: impl fmt::Display,
        expected: Content,
        found: Content,
    ) -> Error {
        Error::new(ErrorKind::Digest, format!("{path:?} is not what models.lock pins"))
            .fact("from", from)
            .fact("expected", format!("sha256 {}, {} bytes", expected.digest, expected.size))
            .fact("found", format!("sha256 {}, {} bytes", found.digest, found.size))
    }
}

/// What can be done where a disk does not let us `act`. What is only to be read may be absent; what has been made may not.
pub(crate) fn advice(act: &str, kind: io::ErrorKind) -> Option<&'static str> {
    use io::ErrorKind::{
        AlreadyExists, IsADirectory, NotADirectory, NotFound, PermissionDenied, QuotaExceeded,
        ReadOnlyFilesystem, StorageFull,
    };
    match kind {
        StorageFull | QuotaExceeded => {
            Some("make room on that disk, or use a directory on another")
        }
        PermissionDenied => {
            Some("let whoever builds read and write there, or use another directory")
        }
        ReadOnlyFilesystem => {
            Some("use a directory that can be written to, such as one below OUT_DIR")
        }
        NotADirectory | AlreadyExists => {
            Some("move away the file that is in the place of a directory, or use another directory")
        }
        IsADirectory => {
            Some("move away the directory that is in the place of a file, or use another directory")
        }
        NotFound if act != "read" => {
            Some("run this again, and let nothing else remove files there meanwhile")
        }
        _ => None,
    }
}

impl fmt::Display for Error {
    /// Text from the network may be in it: nothing in it moves the cursor or looks like a line for cargo.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = std::iter::once(&self.0.text).chain(&self.0.advice);
        texts.flat_map(|text| text.chars()).try_for_each(|c| match c {
            '\n' => f.write_str("\n"),
            c if c.is_control() => write!(f, "{}", c.escape_default()),
            c => write!(f, "{c}"),
        })
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_cross_threads_and_stay_small() {
        fn crosses<T: Send + Sync + 'static>() {}
        crosses::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn debug_prints_what_display_prints_and_no_escape_sequence() {
        let error =
            Error::new(ErrorKind::Http, "cannot \u{1b}[2J").fact("found", "a\rb").help("try");
        assert_eq!(error.to_string(), "cannot \\u{1b}[2J\n  found: a\\rb\n  help: try");
        assert_eq!(format!("{error:?}"), error.to_string());
    }

    #[test]
    fn the_source_is_kept() {
        let error = Error::io("create", Path::new("a/b"), io::ErrorKind::PermissionDenied.into());
        assert!(error.to_string().starts_with("cannot create a/b\n  found: permission denied\n"));
        assert!(error.source().is_some_and(|source| source.is::<io::Error>()));
    }
}
