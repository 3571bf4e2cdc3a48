//! The result: what is in `out_dir`, and what can be made of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::digest::Content;
use crate::embed::{self, Anchor};
use crate::emit::Emit;
use crate::environment::{DOCS_RS, Environment, SKIP};
use crate::error::{Error, ErrorKind};
use crate::lockfile::{LockedFile, LockedModel};
use crate::manifest::Manifest;
use crate::parallel;
use crate::path::{RECORD, slashed};
use crate::pins;
use crate::publish::{self, Stamp};
use crate::source::{ModelUrl, shown_text};
use crate::weights::{DType, Quantization};

/// A vendored model: files on disk that are what the lockfile pins.
#[derive(Debug)]
pub struct Vendored {
    dir: PathBuf,
    entry: PathBuf,
    locked: LockedModel,
    files: Vec<VendoredFile>,
    report: Report,
    /// Or placeholders are among its files.
    whole: bool,
    emit: Emit,
}

/// A file of a vendored model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendoredFile {
    path: String,
    size: u64,
    sha256: String,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Files that were right already.
    pub kept: usize,
    /// Files copied from the vendored directory.
    pub restored: usize,
    /// Files copied from the cache, after the host confirmed them where no pin does.
    pub cached: usize,
    /// Files that came from their addresses.
    pub fetched: usize,
    /// How many bytes those have.
    pub fetched_bytes: u64,
    /// Files that an empty one stands for, because the network was not to be used.
    pub left_empty: usize,
    /// How long it took.
    pub elapsed: Duration,
}

/// A weight of the model, as its manifest describes it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Tensor {
    /// As TensorFlow.js knows it.
    pub name: String,
    /// The type of its values.
    pub dtype: DType,
    /// Its dimensions; none for a scalar.
    pub shape: Vec<u64>,
    /// How its bytes were made smaller, if they were.
    pub quantization: Option<Quantization>,
}

impl Vendored {
    pub(crate) fn new(
        dir: &Path,
        locked: LockedModel,
        report: Report,
        whole: bool,
        emit: Emit,
    ) -> Vendored {
        let files: Vec<VendoredFile> = locked
            .files
            .iter()
            .map(|file| VendoredFile {
                path: file.path().to_owned(),
                size: file.size(),
                sha256: file.sha256(),
            })
            .collect();
        let entry = locked.paths().next().map_or_else(|| dir.to_owned(), |path| path.below(dir));
        Vendored { dir: dir.to_owned(), entry, locked, files, report, whole, emit }
    }

    /// What an earlier run left in `dir` of the model at `url`, verified. A model below the package lock is recorded
    /// as `./path`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Lock`] if `dir` has no record of it, [`ErrorKind::Digest`] if a file is not what the record says.
    pub fn open(dir: impl AsRef<Path>, url: impl AsRef<str>) -> Result<Vendored, Error> {
        let (dir, url) = (dir.as_ref(), url.as_ref());
        let dir = std::path::absolute(dir).map_err(|error| Error::io("find", dir, error))?;
        let record = pins::read_if_there(&dir.join(RECORD))?.unwrap_or_default();
        let recorded = ModelUrl::parse(url).map_or(url.to_owned(), |url| url.recorded().to_owned());
        let Some(locked) = record.model(&recorded) else {
            let headline = format!("{} has no record of this model", dir.display());
            let error = Error::new(ErrorKind::Lock, headline).fact("url", shown_text(url));
            let others = record.models().iter();
            let error = others.fold(error, |error, other| error.fact("recorded", other.url()));
            return Err(error.help("vendor the model there first"));
        };
        let vendored = Vendored::new(
            &dir,
            locked.clone(),
            Report { kept: locked.files.len(), ..Report::default() },
            true,
            Emit::new(false),
        );
        vendored.verify().map(|()| vendored)
    }

    /// The address of the model, as lockfiles record it.
    pub fn url(&self) -> &str {
        &self.locked.url
    }

    /// The directory that the files are in.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file to give to a loader: the manifest.
    pub fn entry(&self) -> &Path {
        &self.entry
    }

    /// The entry (the manifest) first, then the shards in the manifest's order, extra files last.
    pub fn files(&self) -> &[VendoredFile] {
        &self.files
    }

    /// The weights, in the order of their bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] or [`ErrorKind::Manifest`] where the manifest is gone or is of another format.
    pub fn tensors(&self) -> Result<Vec<Tensor>, Error> {
        let bytes = fs::read(&self.entry).map_err(|error| Error::io("read", &self.entry, error))?;
        let manifest = Manifest::parse(&bytes, &self.locked.files[0].path)
            .map_err(|error| Error::manifest(self.url(), error))?;
        let weights = manifest.groups.into_iter().flat_map(|group| group.weights);
        Ok(weights
            .map(|weight| Tensor {
                name: weight.name,
                dtype: weight.dtype,
                shape: weight.shape,
                quantization: weight.quantization,
            })
            .collect())
    }

    /// The bytes of all files together.
    pub fn total_size(&self) -> u64 {
        self.files.iter().map(VendoredFile::size).sum()
    }

    /// What the run did.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Reads every file again and compares it with its pin.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Digest`] for the first that is missing or different, and where placeholders stand for files.
    pub fn verify(&self) -> Result<(), Error> {
        if !self.whole {
            let headline = "empty placeholders stand for files of the model";
            return Err(Error::new(ErrorKind::Digest, headline)
                .fact("url", self.url())
                .help(format!("build again without {SKIP} and {DOCS_RS}")));
        }
        let check = |file: &LockedFile| {
            let path = file.path.below(&self.dir);
            match Content::of_file(&path).map_err(|error| Error::io("read", &path, error))? {
                Some(content) if content == file.content() => Ok(()),
                Some(content) => {
                    Err(Error::digest(file.path(), path.display(), file.content(), content))
                }
                None => Err(Error::new(ErrorKind::Digest, format!("{:?} is missing", file.path()))
                    .fact("expected at", path.display())),
            }
        };
        parallel::each(&self.locked.files, parallel::cores(), check).map(drop)
    }

    /// Writes a Rust module that embeds every file, to be included with
    /// `include!(concat!(env!("OUT_DIR"), "/model.rs"))`.
    ///
    /// It has `URL`, `PLACEHOLDER`, `ENTRY` (the path of the manifest), `FILES` (path, media type, size, digest and
    /// bytes of each) and `fn get(path) -> Option<&'static File>`; it needs no crate and no `std`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the model lies below neither `OUT_DIR` nor the package, so that no path that is the
    /// same on every machine leads to it; [`ErrorKind::Io`] if `path` cannot be written.
    pub fn write_module(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let text = embed::module(self.url(), &self.locked.files, &self.anchor()?, self.whole);
        publish::write(path, &text, Stamp::Old)?;
        self.emit.rerun_if_changed(path);
        Ok(())
    }

    fn anchor(&self) -> Result<Anchor, Error> {
        let environment = Environment::of_this_process();
        let below = |variable: &'static str| {
            let dir = slashed(self.dir.strip_prefix(environment.path(variable)?).ok()?)?;
            Some(Anchor { variable, dir })
        };
        below("OUT_DIR").or_else(|| below("CARGO_MANIFEST_DIR")).ok_or_else(|| {
            let error = Error::new(
                ErrorKind::Config,
                format!("cannot embed the model in {}", self.dir.display()),
            );
            error
                .fact("expected", "a directory below OUT_DIR, or below the package")
                .help("vendor into a directory below OUT_DIR")
        })
    }
}

impl VendoredFile {
    /// Relative to [`Vendored::dir`], with `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// In bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// 64 lower-case hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}
