//! A directory of files, and where in it the files of a model may be.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use vendor_model::{LockedFile, LockedModel};

use crate::failure::Failure;
use crate::verdict::{Content, Finding, Model, Place, State};

/// What is shorter may have the same bytes by chance.
const TELLING: u64 = 64;

/// The files below a directory, by their paths from there with `/`, and their sizes.
pub struct Tree {
    root: PathBuf,
    files: BTreeMap<String, u64>,
    contents: RefCell<BTreeMap<String, Content>>,
}

impl Tree {
    pub fn of(root: &Path) -> Result<Tree, Failure> {
        let mut files = BTreeMap::new();
        walk(root, "", &mut files)?;
        Ok(Tree { root: root.to_owned(), files, contents: RefCell::default() })
    }

    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    pub fn size(&self, path: &str) -> Option<u64> {
        self.files.get(path).copied()
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Each file is read once, however many models it may be of.
    pub fn content(&self, path: &str) -> Result<Content, Failure> {
        if let Some(known) = self.contents.borrow().get(path) {
            return Ok(known.clone());
        }
        let content = Content::of_file(&self.at(path))?;
        self.contents.borrow_mut().insert(path.to_owned(), content.clone());
        Ok(content)
    }

    /// The path of each file of the model in the root, by the rule that most of what is there follows: that of a
    /// vendored directory, `<host>/<path>`, or that of an output directory. `None` where nothing is.
    pub fn layout(&self, model: &LockedModel) -> Option<Vec<String>> {
        let there = |paths: &Vec<String>| {
            paths.iter().filter(|path| self.files.contains_key(*path)).count()
        };
        // Of two that are equal `max_by_key` takes the last.
        let best = layouts(model).into_iter().rev().max_by_key(there);
        best.filter(|paths| there(paths) > 0)
    }

    /// All that may be a copy of the model: wherever one of its files has its name, by either rule.
    pub fn copies(&self, model: &LockedModel) -> Result<Vec<Model>, Failure> {
        let mut copies = Vec::new();
        for names in layouts(model) {
            for prefix in self.prefixes(&names) {
                let paths: Vec<String> =
                    names.iter().map(|name| format!("{prefix}{name}")).collect();
                copies.push(self.copy(model, &paths)?);
            }
        }
        Ok(copies)
    }

    /// What is under these paths.
    pub fn copy(&self, model: &LockedModel, paths: &[String]) -> Result<Model, Failure> {
        let files = model.files().iter().zip(paths);
        let findings = files.map(|(file, path)| self.finding(file, path)).collect::<Result<_, _>>();
        let dir = paths.first().map_or("", |entry| dir(entry)).to_owned();
        Ok(Model::new(model, Some(dir), findings?))
    }

    /// The files of the model by their bytes, whatever their names are; `None` where nothing tells of it.
    pub fn scattered(
        &self,
        model: &LockedModel,
        is_free: impl Fn(&str) -> bool,
    ) -> Result<Option<Model>, Failure> {
        let mut findings = Vec::new();
        for file in model.files() {
            let place = self.by_content(file, &is_free)?;
            let state = if place.is_some() { State::Exact } else { State::Missing };
            findings.push(Finding { at: place.map(Place::file), ..Finding::new(file, state) });
        }
        let tells = |file: &Finding| file.state == State::Exact && file.size >= TELLING;
        Ok(findings.iter().any(tells).then(|| Model::new(model, None, findings)))
    }

    fn by_content(
        &self,
        file: &LockedFile,
        is_free: impl Fn(&str) -> bool,
    ) -> Result<Option<&str>, Failure> {
        for (path, size) in &self.files {
            if *size == file.size() && is_free(path) && self.content(path)?.sha256 == file.sha256()
            {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    fn finding(&self, file: &LockedFile, path: &str) -> Result<Finding, Failure> {
        let at = Some(Place::file(path));
        let state = match self.size(path) {
            None => State::Missing,
            Some(0) if file.size() > 0 => State::Placeholder,
            Some(_) => {
                let found = self.content(path)?;
                if found.sha256 != file.sha256() {
                    let finding = Finding::new(file, State::Different);
                    return Ok(Finding { at, found: Some(found), ..finding });
                }
                State::Exact
            }
        };
        Ok(Finding { at, ..Finding::new(file, state) })
    }

    /// The directories in which one of `names` is, those that are less deep first.
    fn prefixes(&self, names: &[String]) -> Vec<&str> {
        let prefixes: BTreeSet<&str> = names
            .iter()
            .flat_map(|name| self.paths().filter_map(move |path| path.strip_suffix(name.as_str())))
            .filter(|prefix| prefix.is_empty() || prefix.ends_with('/'))
            .collect();
        let mut prefixes: Vec<&str> = prefixes.into_iter().collect();
        prefixes.sort_by_key(|prefix| prefix.len());
        prefixes
    }
}

/// The directory of a path, without the last slash.
pub fn dir(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// The names of the files in a vendored directory, if they have any there, and in an output directory.
fn layouts(model: &LockedModel) -> Vec<Vec<String>> {
    let shelved: Option<Vec<String>> =
        model.files().iter().map(|file| model.vendored_path(file).ok()).collect();
    let flat = model.files().iter().map(|file| file.path().to_owned()).collect();
    shelved.into_iter().chain([flat]).collect()
}

/// Links are not followed: what they lead to is elsewhere, or there already.
fn walk(dir: &Path, prefix: &str, files: &mut BTreeMap<String, u64>) -> Result<(), Failure> {
    let failure = |error| Failure::io("read", dir, &error);
    for entry in fs::read_dir(dir).map_err(failure)? {
        let entry = entry.map_err(failure)?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let found = entry.metadata().map_err(failure)?;
        if found.is_dir() {
            walk(&entry.path(), &format!("{path}/"), files)?;
        } else if found.is_file() {
            files.insert(path, found.len());
        }
    }
    Ok(())
}
