//! What was found of locked files in a directory, an archive or an executable, and whether that is right.

use std::path::{Path, PathBuf};

use serde::Serialize;
use vendor_model::{LockedFile, LockedModel};

/// All that was looked at.
#[derive(Debug, Serialize)]
pub struct Verified {
    pub ok: bool,
    pub targets: Vec<Target>,
}

/// One directory, archive or other file.
#[derive(Debug, Serialize)]
pub struct Target {
    pub path: PathBuf,
    pub kind: Kind,
    pub lockfile: PathBuf,
    pub ok: bool,
    /// One for each copy that there is, and one for each model of which there is none.
    pub models: Vec<Model>,
    /// Those in the directory or archive that were searched for embedded bytes.
    pub executables: Vec<String>,
    /// What is packed and was not unpacked: its name, and how it is packed.
    pub not_read: Vec<Packed>,
    /// Files beside those of the models that no pin names.
    pub additional: Vec<String>,
    /// Models that the package lock pins and its vendored directory lacks, and those that are there though it does not
    /// pin them any more.
    pub not_vendored: Vec<String>,
    pub not_pinned: Vec<String>,
    /// What else is wrong.
    pub problems: Vec<String>,
    /// What to type next.
    pub help: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Directory,
    Archive,
    Binary,
}

#[derive(Debug, Serialize)]
pub struct Packed {
    pub file: String,
    pub format: &'static str,
}

/// One copy of a model.
#[derive(Debug, Serialize)]
pub struct Model {
    pub url: String,
    /// Whether anything of it is there.
    pub found: bool,
    /// The directory or the executable that has it; `None` where its files lie here and there.
    pub within: Option<String>,
    pub files: Vec<Finding>,
}

/// What became of one locked file.
#[derive(Debug, Serialize)]
pub struct Finding {
    pub path: String,
    pub size: u64,
    pub sha256: String,
    pub state: State,
    /// Where it was found, or looked for.
    pub at: Option<Place>,
    /// What is there in its place.
    pub found: Option<Content>,
    /// The first byte that is another, in an executable.
    pub differs_at: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Exact,
    Missing,
    Different,
    /// Empty, as a build leaves it that may not use the network.
    Placeholder,
    /// So short that it may be there by chance.
    TooShort,
    /// No weights, and not there, which is right where only weights are asked for.
    LeftOut,
}

#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// Below the directory or in the archive; that of the file itself where it is an executable.
    pub file: String,
    /// In that file, where it is an executable.
    pub offset: Option<u64>,
    pub section: Option<String>,
    pub section_offset: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Content {
    pub size: u64,
    pub sha256: String,
}

impl Target {
    /// With nothing else to tell than of models.
    pub fn new(path: &Path, kind: Kind, lockfile: PathBuf, models: Vec<Model>) -> Target {
        Target {
            path: path.to_owned(),
            kind,
            lockfile,
            ok: false,
            models,
            executables: Vec::new(),
            not_read: Vec::new(),
            additional: Vec::new(),
            not_vendored: Vec::new(),
            not_pinned: Vec::new(),
            problems: Vec::new(),
            help: None,
        }
    }
}

impl Finding {
    pub fn new(file: &LockedFile, state: State) -> Finding {
        Finding {
            path: file.path().to_owned(),
            size: file.size(),
            sha256: file.sha256(),
            state,
            at: None,
            found: None,
            differs_at: None,
        }
    }

    pub fn is_wrong(&self) -> bool {
        !matches!(self.state, State::Exact | State::TooShort | State::LeftOut)
    }

    pub fn is_embedded(&self) -> bool {
        self.at.as_ref().is_some_and(|at| at.offset.is_some())
    }
}

impl Place {
    pub fn file(file: impl Into<String>) -> Place {
        Place { file: file.into(), offset: None, section: None, section_offset: None }
    }
}

impl Model {
    pub fn new(model: &LockedModel, within: Option<String>, files: Vec<Finding>) -> Model {
        Model { url: model.url().to_owned(), found: true, within, files }
    }

    pub fn nothing(model: &LockedModel) -> Model {
        let missing = |file| Finding::new(file, State::Missing);
        let files = model.files().iter().map(missing).collect();
        Model { found: false, ..Model::new(model, None, files) }
    }

    /// Nothing of a model that was not asked for by name is no error in what carries another.
    pub fn is_wrong(&self, wanted: bool) -> bool {
        if self.found { self.files.iter().any(Finding::is_wrong) } else { wanted }
    }

    /// Exact in every file, as far as that can be told.
    pub fn is_whole(&self) -> bool {
        self.found && !self.files.iter().any(Finding::is_wrong)
    }

    pub fn is_embedded(&self) -> bool {
        self.files.iter().any(Finding::is_embedded)
    }

    pub fn count(&self, state: State) -> usize {
        self.files.iter().filter(|file| file.state == state).count()
    }

    /// The paths of the files that are there.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        let there = self.files.iter().filter(|file| file.state != State::Missing);
        there.filter_map(|file| Some(file.at.as_ref()?.file.as_str()))
    }
}
