//! The result: what is in `out_dir`, and what can be made of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::digest::Content;
use crate::draft::Stamp;
use crate::emit::Emit;
use crate::environment::{self, DOCS_RS, Environment, SKIP};
use crate::error::{Error, ErrorKind};
use crate::lockfile::{LockedFile, LockedModel};
use crate::manifest::Manifest;
use crate::parallel;
use crate::path::{ModelPath, RECORD};
use crate::pins;
use crate::source::{ModelUrl, shown_text};
use crate::tensors::{self, Group, Tensor};
use crate::verify;

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
    /// Of what is made of it.
    stamp: Stamp,
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

impl Vendored {
    pub(crate) fn new(
        dir: &Path,
        locked: LockedModel,
        report: Report,
        whole: bool,
        emit: Emit,
        stamp: Stamp,
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
        Vendored { dir: dir.to_owned(), entry, locked, files, report, whole, emit, stamp }
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
            Stamp::of_outputs(Environment::of_this_process().package().is_some()),
        );
        vendored.verify().map(|()| vendored)
    }

    /// The model at `url` that is shipped beside the running program: [`Vendored::open`] of the directory `dir`, which is
    /// looked for from where the executable lies and from one above, as in `bin/app` and `share/app/model`.
    ///
    /// This is for what is too large to be embedded. Ship the directory that the model was vendored into.
    ///
    /// ```no_run
    /// # use vendor_model::Vendored;
    /// # const URL: &str = "https://models.example/speech/model.json";
    /// let model = Vendored::beside_program("speech", URL)?;
    /// let manifest = model.entry();
    /// # Ok::<(), vendor_model::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Lock`] if it is in neither place, else as of [`Vendored::open`].
    pub fn beside_program(dir: impl AsRef<Path>, url: impl AsRef<str>) -> Result<Vendored, Error> {
        let dir = dir.as_ref();
        let program = environment::program()?;
        let places: Vec<PathBuf> =
            program.ancestors().skip(1).take(2).map(|above| above.join(dir)).collect();
        if let Some(place) = places.iter().find(|place| place.join(RECORD).is_file()) {
            return Vendored::open(place, url);
        }
        let headline = format!("there is no vendored model {} beside the program", dir.display());
        let error = Error::new(ErrorKind::Lock, headline).fact("program", program.display());
        let error =
            places.iter().fold(error, |error, place| error.fact("looked for", place.display()));
        Err(error.help("ship it there: the directory that the model was vendored into, its models.lock included"))
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

    /// The weights, in the order of their bytes, and where those are.
    ///
    /// # Errors
    ///
    /// As of [`Vendored::groups`].
    pub fn tensors(&self) -> Result<Vec<Tensor>, Error> {
        Ok(self.groups()?.into_iter().flat_map(|group| group.tensors).collect())
    }

    /// The weight groups, in the order of the manifest.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Digest`] where placeholders stand for files, [`ErrorKind::Io`] where they are gone, and where they
    /// are of another format or not one model: [`ErrorKind::Manifest`], [`ErrorKind::Path`] or [`ErrorKind::Lock`].
    pub fn groups(&self) -> Result<Vec<Group>, Error> {
        self.refuse_placeholders()?;
        let text = fs::read(&self.entry).map_err(|error| Error::io("read", &self.entry, error))?;
        let manifest = Manifest::parse(&text, &self.locked.files[0].path)
            .map_err(|error| Error::manifest(self.url(), error))?;
        let pinned = self.locked.by_path();
        if let Some(path) = manifest.shards().into_iter().find(|path| !pinned.contains_key(path)) {
            let headline = format!("models.lock does not pin all that {} lists", self.url());
            return Err(Error::new(ErrorKind::Lock, headline)
                .fact("not pinned", format!("{:?}", path.as_str()))
                .help("vendor the model again"));
        }
        let failed = |error| Error::io("read the shards in", &self.dir, error);
        let open = |path: &ModelPath| File::open(path.below(&self.dir));
        let verdict = verify::groups(&manifest, |path| pinned[path].size, open).map_err(failed)?;
        verdict.refusal(self.url()).map_or(Ok(()), Err)?;
        tensors::groups(manifest, open).map_err(failed)
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
        self.refuse_placeholders()?;
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

    fn refuse_placeholders(&self) -> Result<(), Error> {
        if self.whole {
            return Ok(());
        }
        let headline = "empty placeholders stand for files of the model";
        Err(Error::new(ErrorKind::Digest, headline)
            .fact("url", self.url())
            .help(format!("build again without {SKIP} and {DOCS_RS}")))
    }

    pub(crate) fn locked(&self) -> &LockedModel {
        &self.locked
    }

    pub(crate) fn stamp(&self) -> Stamp {
        self.stamp
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Tells cargo of a file that was made of the model.
    pub(crate) fn made(&self, path: &Path) {
        self.emit.rerun_if_changed(path);
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
