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
        Error(Box::new(Inner { kind, text: headline.to_string(), source: None }))
    }

    /// Adds one line to the text.
    pub(crate) fn fact(mut self, name: &str, value: impl fmt::Display) -> Error {
        self.0.text += &format!("\n  {name}: {value}");
        self
    }

    /// Adds the line that says what to do next.
    pub(crate) fn help(self, advice: impl fmt::Display) -> Error {
        self.fact("help", advice)
    }

    fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Error {
        self.0.source = Some(Box::new(source));
        self
    }

    /// `act` is a verb, such as "create".
    pub(crate) fn io(act: &str, path: &Path, error: io::Error) -> Error {
        let headline = format!("cannot {act} {}", path.display());
        Error::new(ErrorKind::Io, headline).fact("found", &error).caused_by(error)
    }

    pub(crate) fn setting(name: &str, value: impl fmt::Debug, allowed: &str) -> Error {
        Error::new(ErrorKind::Config, format!("cannot read {name}"))
            .fact("expected", allowed)
            .fact("found", format!("{value:?}"))
    }

    pub(crate) fn url(url: &str, why: &str) -> Error {
        Error::new(ErrorKind::Config, "cannot vendor this address")
            .fact("url", url)
            .fact("found", why)
    }

    pub(crate) fn manifest(url: &str, error: ManifestError) -> Error {
        let (kind, headline, advice) = match &error {
            ManifestError::Paths(_) => (
                ErrorKind::Path,
                "its manifest names paths that cannot be kept on every disk and server",
                "rename the shards at their host, in the manifest too; none was asked for",
            ),
            ManifestError::Json(json) if json.is_data() => (
                ErrorKind::Manifest,
                "its manifest does not read as that of a model",
                "look at that place of the manifest, or convert the model again",
            ),
            ManifestError::Json(_) | ManifestError::Other(_) => (
                ErrorKind::Manifest,
                "the URL does not deliver a TensorFlow.js manifest",
                "give the URL of a model.json or weights_manifest.json, as TensorFlow.js would load it",
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

impl fmt::Display for Error {
    /// Text from the network may be in it: nothing in it moves the cursor or looks like a line for cargo.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.text.chars().try_for_each(|c| match c {
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
        assert_eq!(error.to_string(), "cannot create a/b\n  found: permission denied");
        assert!(error.source().is_some_and(|source| source.is::<io::Error>()));
    }
}
