//! What was found of locked files in a directory, an archive or an executable, and the words for it.

use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Effects, Style};
use serde::Serialize;
use vendor_model::{LockedFile, LockedModel};

use crate::table::{Column, table};
use crate::words::count;

const RIGHT: Style = AnsiColor::Green.on_default().effects(Effects::BOLD);
const WRONG: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);

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
    pub models: Vec<Model>,
    /// Files beside those of the models that no pin names.
    pub additional: Vec<String>,
    /// What else is wrong.
    pub problems: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Directory,
    Archive,
    Binary,
}

#[derive(Debug, Serialize)]
pub struct Model {
    pub url: String,
    /// Whether anything of it is there.
    pub found: bool,
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

    fn is_wrong(&self) -> bool {
        !matches!(self.state, State::Exact | State::TooShort)
    }

    fn word(&self) -> &'static str {
        match self.state {
            State::Exact => "exact",
            State::Missing => "missing",
            State::Different => "different",
            State::Placeholder => "placeholder",
            State::TooShort => "too short",
        }
    }

    fn note(&self) -> String {
        let at = self.at.as_ref().map(Place::text).unwrap_or_default();
        match (&self.found, self.differs_at) {
            (_, Some(byte)) => format!("{at}, differs from byte {byte} on"),
            (Some(found), _) if self.state == State::Different => {
                let (short, expected) = (&found.sha256[..12], &self.sha256[..12]);
                format!(
                    "{at}: sha256 {short}…, {} bytes, not {expected}…, {} bytes",
                    found.size, self.size
                )
            }
            _ => at,
        }
    }
}

impl Place {
    pub fn file(file: impl Into<String>) -> Place {
        Place { file: file.into(), offset: None, section: None, section_offset: None }
    }

    fn text(&self) -> String {
        match (&self.section, self.section_offset, self.offset) {
            (Some(section), Some(within), Some(offset)) => {
                format!("{section} + {within:#x}, at {offset:#x} of {}", name(&self.file))
            }
            (_, _, Some(offset)) => format!("at {offset:#x} of {}", name(&self.file)),
            _ => self.file.clone(),
        }
    }
}

impl Model {
    pub fn new(model: &LockedModel, found: bool, files: Vec<Finding>) -> Model {
        Model { url: model.url().to_owned(), found, files }
    }

    /// Nothing of a model that was not asked for by name is no error in what carries another.
    pub fn is_wrong(&self, wanted: bool) -> bool {
        if self.found { self.files.iter().any(Finding::is_wrong) } else { wanted }
    }

    fn is_in_part(&self) -> bool {
        self.found && self.files.iter().any(|file| file.state == State::Missing)
    }

    fn mark(&self) -> String {
        match (self.found, self.files.iter().any(Finding::is_wrong)) {
            (false, _) => "-".to_owned(),
            (true, true) => wrong(),
            (true, false) => format!("{RIGHT}✓{RIGHT:#}"),
        }
    }

    fn summary(&self) -> String {
        if !self.found {
            return "nothing of it was found".to_owned();
        }
        let of = |state: State| self.files.iter().filter(|file| file.state == state).count();
        let counts = [
            (State::Exact, "exact"),
            (State::Different, "different"),
            (State::Missing, "missing"),
            (State::Placeholder, "empty placeholders"),
            (State::TooShort, "too short to tell"),
        ];
        let told = counts.iter().filter(|(state, _)| of(*state) > 0);
        let told: Vec<String> =
            told.map(|(state, words)| format!("{} {words}", of(*state))).collect();
        format!("{}: {}", count(self.files.len() as u64, "file"), told.join(", "))
    }

    /// What is wrong, and where embedded files are.
    fn table(&self, width: Option<usize>) -> String {
        let embedded = |file: &Finding| file.at.as_ref().is_some_and(|at| at.offset.is_some());
        let shown: Vec<&Finding> = self
            .files
            .iter()
            .filter(|file| self.found && (file.state != State::Exact || embedded(file)))
            .collect();
        if shown.is_empty() {
            return String::new();
        }
        let rows: Vec<Vec<String>> = shown
            .iter()
            .map(|file| vec![String::new(), file.word().to_owned(), file.path.clone(), file.note()])
            .collect();
        let columns = [
            Column::Left(""),
            Column::Left("STATE"),
            Column::Yields("FILE"),
            Column::Yields("WHERE"),
        ];
        table(&columns, &rows, width)
    }
}

impl Verified {
    /// What a person reads.
    pub fn text(&self, width: Option<usize>) -> String {
        self.targets.iter().map(|target| target.text(width)).collect::<Vec<_>>().join("\n")
    }
}

impl Target {
    fn text(&self, width: Option<usize>) -> String {
        let kind = match self.kind {
            Kind::Directory => "directory",
            Kind::Archive => "archive",
            Kind::Binary => "file",
        };
        let (path, lockfile) = (self.path.display(), self.lockfile.display());
        let mut text = format!("{path}: {kind}, against {lockfile}\n");
        for model in &self.models {
            text += &format!("{} {}: {}\n", model.mark(), model.url, model.summary());
            text += &model.table(width);
        }
        if self.kind == Kind::Binary && self.models.iter().any(Model::is_in_part) {
            text += "help: a program has only what it uses; one that reads no more than TENSORS has no manifest\n";
        }
        self.problems.iter().for_each(|problem| text += &format!("{} {problem}\n", wrong()));
        for name in &self.additional {
            text += &format!("? {name}: additional, no pin names it\n");
        }
        text
    }
}

fn wrong() -> String {
    format!("{WRONG}✗{WRONG:#}")
}

fn name(path: &str) -> String {
    let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| path.to_owned())
}
