//! Something that was built, packed or vendored -> which of the locked files are in it.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use vendor_model::{Config, LockedFile, LockedModel};

use crate::embedded::{self, TELLING};
use crate::failure::Failure;
use crate::held::{hold, read};
use crate::lock_file::LockFile;
use crate::tree::Tree;
use crate::unpacked::unpacked;
use crate::verdict::{Content, Finding, Kind, Model, Place, State, Target};

/// What is proved, and against what.
pub struct Audit<'a> {
    /// How bytes are brought that an executable is compared with.
    pub config: &'a Config,
    /// The package lock, or where it would be.
    pub package: PathBuf,
    /// The models that are asked for by name; all where none is.
    pub named: &'a [String],
    /// Whether additional files are wrong.
    pub strict: bool,
}

const SUMS: &str = "SHA256SUMS";

impl Audit<'_> {
    pub fn of(&self, path: &Path) -> Result<Target, Failure> {
        let found = fs::metadata(path).map_err(|error| Failure::io("read", path, &error))?;
        if found.is_dir() {
            return self.directory(path, path, Kind::Directory);
        }
        match unpacked(path)? {
            Some(dir) => self.directory(path, dir.path(), Kind::Archive),
            None => self.binary(path),
        }
    }

    /// One that has a lockfile of its own is checked against that, and else as what holds the models somewhere.
    fn directory(&self, path: &Path, root: &Path, kind: Kind) -> Result<Target, Failure> {
        let tree = Tree::of(root)?;
        match LockFile::of_directory(root)? {
            Some(own) => self.own(path, &tree, &own, kind),
            None => self.release(path, &tree, kind),
        }
    }

    fn own(&self, path: &Path, tree: &Tree, own: &LockFile, kind: Kind) -> Result<Target, Failure> {
        let mut models = Vec::new();
        let mut expected: HashSet<String> = ["models.lock".to_owned()].into();
        for model in own.chosen(self.named)? {
            let paths = tree.layout(model, false).unwrap_or_else(|| names(model));
            models.push(Model::new(model, true, findings(tree, model, &paths)?));
        }
        for model in own.pins.models() {
            expected.extend(tree.layout(model, false).unwrap_or_else(|| names(model)));
        }
        for model in self.unrecorded(own)? {
            if let Some(paths) = tree.layout(&model, false) {
                models.push(Model::new(&model, true, findings(tree, &model, &paths)?));
                expected.extend(paths);
            }
        }
        let sums = sums(tree)?;
        expected.extend(sums.listed);
        let additional = tree.paths().filter(|path| !expected.contains(*path));
        let additional = additional.filter(|path| !path.starts_with(".vendor-model-"));
        let additional = additional.map(str::to_owned).collect();
        let problems = [self.disagreements(own)?, sums.problems].concat();
        let lockfile = path.join("models.lock");
        Ok(self.target(path, kind, lockfile, models, additional, problems))
    }

    /// What only the package lock pins: a build that may not use the network leaves placeholders and no record.
    fn unrecorded(&self, own: &LockFile) -> Result<Vec<LockedModel>, Failure> {
        if !self.package.exists() || !self.named.is_empty() {
            return Ok(Vec::new());
        }
        let package = LockFile::at(self.package.clone())?;
        let models = package.pins.models().iter().cloned();
        Ok(models.filter(|model| own.pins.model(model.url()).is_none()).collect())
    }

    /// What pins the same model must pin the same bytes.
    fn disagreements(&self, own: &LockFile) -> Result<Vec<String>, Failure> {
        if !self.package.exists() || self.package == own.path {
            return Ok(Vec::new());
        }
        let package = LockFile::at(self.package.clone())?;
        let differs = |model: &&LockedModel| {
            let other = package.pins.model(model.url());
            other.is_some_and(|other| !agree(model, other))
        };
        let differing = own.pins.models().iter().filter(differs);
        let told = |model: &LockedModel| {
            format!(
                "its models.lock and {} pin {} differently",
                self.package.display(),
                model.url()
            )
        };
        Ok(differing.map(told).collect())
    }

    /// Files by their names, by their content, or in executables.
    fn release(&self, path: &Path, tree: &Tree, kind: Kind) -> Result<Target, Failure> {
        let lock = LockFile::at(self.package.clone())?;
        let (mut models, mut expected) = (Vec::new(), HashSet::new());
        for model in lock.chosen(self.named)? {
            let paths = match tree.layout(model, true) {
                Some(paths) => Some(paths),
                None => tree.by_content(model)?,
            };
            models.push(match paths {
                Some(paths) => {
                    let files = findings(tree, model, &paths)?;
                    expected.extend(paths);
                    Model::new(model, true, files)
                }
                None => self.in_executables(tree, &lock, model)?,
            });
        }
        let beside = |path: &str| expected.iter().any(|known: &String| dir(known) == dir(path));
        let additional = tree.paths().filter(|path| !expected.contains(*path) && beside(path));
        let additional = additional.filter(|path| !path.ends_with("models.lock"));
        let additional = additional.map(str::to_owned).collect();
        Ok(self.target(path, kind, lock.path, models, additional, Vec::new()))
    }

    fn in_executables(
        &self,
        tree: &Tree,
        lock: &LockFile,
        model: &LockedModel,
    ) -> Result<Model, Failure> {
        let nothing = Model::new(model, false, missing(model));
        let executables: Vec<&str> =
            tree.paths().filter(|path| is_executable(&tree.at(path))).collect();
        if executables.is_empty() {
            return Ok(nothing);
        }
        let bytes = hold(self.config, lock, model)?.bytes()?;
        for path in executables {
            let found = embedded_in(&read(&tree.at(path))?, path, model, &bytes);
            if found.found {
                return Ok(found);
            }
        }
        Ok(nothing)
    }

    fn binary(&self, path: &Path) -> Result<Target, Failure> {
        let lock = LockFile::at(self.package.clone())?;
        let haystack = read(path)?;
        let mut models = Vec::new();
        for model in lock.chosen(self.named)? {
            let bytes = hold(self.config, &lock, model)?.bytes()?;
            models.push(embedded_in(&haystack, &path.to_string_lossy(), model, &bytes));
        }
        Ok(self.target(path, Kind::Binary, lock.path, models, Vec::new(), Vec::new()))
    }

    fn target(
        &self,
        path: &Path,
        kind: Kind,
        lockfile: PathBuf,
        models: Vec<Model>,
        additional: Vec<String>,
        mut problems: Vec<String>,
    ) -> Target {
        if !models.iter().any(|model| model.found) {
            problems.push("no model of the lockfile was found".to_owned());
        }
        let wanted = !self.named.is_empty();
        let ok = problems.is_empty()
            && !models.iter().any(|model| model.is_wrong(wanted))
            && (additional.is_empty() || !self.strict);
        Target { path: path.to_owned(), kind, lockfile, ok, models, additional, problems }
    }
}

/// What lies under the names that a model has in a vendored directory, or else in an output directory.
fn names(model: &LockedModel) -> Vec<String> {
    let of = |file: &LockedFile| model.vendored_path(file).unwrap_or(file.path().to_owned());
    model.files().iter().map(of).collect()
}

fn findings(tree: &Tree, model: &LockedModel, paths: &[String]) -> Result<Vec<Finding>, Failure> {
    model.files().iter().zip(paths).map(|(file, path)| finding(tree, file, path)).collect()
}

fn finding(tree: &Tree, file: &LockedFile, path: &str) -> Result<Finding, Failure> {
    let at = Some(Place::file(path));
    let state = match tree.size(path) {
        None => State::Missing,
        Some(0) if file.size() > 0 => State::Placeholder,
        Some(_) => {
            let found = Content::of_file(&tree.at(path))?;
            if found.sha256 != file.sha256() {
                let finding = Finding::new(file, State::Different);
                return Ok(Finding { at, found: Some(found), ..finding });
            }
            State::Exact
        }
    };
    Ok(Finding { at, ..Finding::new(file, state) })
}

fn missing(model: &LockedModel) -> Vec<Finding> {
    model.files().iter().map(|file| Finding::new(file, State::Missing)).collect()
}

fn embedded_in(haystack: &[u8], name: &str, model: &LockedModel, bytes: &[Vec<u8>]) -> Model {
    let object = object::File::parse(haystack).ok();
    let hits = embedded::find(haystack, bytes);
    let found = hits.iter().any(Option::is_some);
    let finding = |(file, hit): (&LockedFile, Option<embedded::Hit>)| {
        let Some(hit) = hit else {
            let short = (file.size() as usize) < TELLING;
            return Finding::new(file, if short { State::TooShort } else { State::Missing });
        };
        let section = object.as_ref().and_then(|object| embedded::section(object, hit.offset));
        let at = Place {
            file: name.to_owned(),
            offset: Some(hit.offset as u64),
            section_offset: section.as_ref().map(|section| section.offset),
            section: section.map(|section| section.name),
        };
        let state = if hit.differs_at.is_some() { State::Different } else { State::Exact };
        let differs_at = hit.differs_at.map(|at| at as u64);
        let there = haystack[hit.offset..].get(..file.size() as usize);
        let found = there.filter(|_| state == State::Different).map(Content::of);
        Finding { at: Some(at), found, differs_at, ..Finding::new(file, state) }
    };
    let findings = model.files().iter().zip(hits).map(finding).collect();
    Model::new(model, found, findings)
}

/// By its first bytes: ELF, PE, Mach-O, WebAssembly, or an archive of objects.
fn is_executable(path: &Path) -> bool {
    use std::io::Read;
    const SIGNS: [&[u8]; 8] = [
        b"\x7fELF",
        b"MZ",
        b"\xcf\xfa\xed\xfe",
        b"\xce\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
        b"\xfe\xed\xfa",
        b"\0asm",
        b"!<arch>\n",
    ];
    let mut head = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(8).read_to_end(&mut head));
    read.is_ok() && SIGNS.iter().any(|sign| head.starts_with(sign))
}

fn agree(one: &LockedModel, other: &LockedModel) -> bool {
    let differs = |file: &LockedFile| {
        let same = other.files().iter().find(|other| other.path() == file.path());
        same.is_some_and(|other| other.sha256() != file.sha256())
    };
    !one.files().iter().any(differs)
}

fn dir(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// What a `SHA256SUMS` at the root lists, and where it is wrong.
#[derive(Default)]
struct Sums {
    listed: Vec<String>,
    problems: Vec<String>,
}

fn sums(tree: &Tree) -> Result<Sums, Failure> {
    let mut sums = Sums::default();
    if tree.size(SUMS).is_none() {
        return Ok(sums);
    }
    sums.listed.push(SUMS.to_owned());
    let text = read(&tree.at(SUMS))?;
    for line in String::from_utf8_lossy(&text).lines() {
        let Some((sha256, name)) = line.split_once("  ") else {
            sums.problems.push(format!("{SUMS} has a line that is none: {line:?}"));
            continue;
        };
        let is_right =
            tree.size(name).is_some() && Content::of_file(&tree.at(name))?.sha256 == sha256;
        if !is_right {
            sums.problems.push(format!("{SUMS} is not right about {name:?}"));
        }
        sums.listed.push(name.to_owned());
    }
    Ok(sums)
}
