//! A directory of files, and where in it the files of a model are to be looked for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use vendor_model::LockedModel;

use crate::failure::Failure;
use crate::verdict::Content;

/// The files below a directory, by their paths from there with `/`, and their sizes.
pub struct Tree {
    root: PathBuf,
    files: BTreeMap<String, u64>,
}

impl Tree {
    pub fn of(root: &Path) -> Result<Tree, Failure> {
        let mut files = BTreeMap::new();
        walk(root, "", &mut files)?;
        Ok(Tree { root: root.to_owned(), files })
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

    /// The path of each file of the model, by the rule that most of what is there follows: that of a vendored
    /// directory, `<host>/<path>`, or that of an output directory; `anywhere` below the root, or in it. `None` where
    /// nothing is.
    pub fn layout(&self, model: &LockedModel, anywhere: bool) -> Option<Vec<String>> {
        let flat: Vec<String> = model.files().iter().map(|file| file.path().to_owned()).collect();
        let shelved = model.files().iter().map(|file| model.vendored_path(file).ok());
        let shelved: Option<Vec<String>> = shelved.collect();
        let mut best: Option<(usize, Vec<String>)> = None;
        for names in shelved.into_iter().chain([flat]) {
            for prefix in self.prefixes(&names, anywhere) {
                let paths: Vec<String> =
                    names.iter().map(|name| format!("{prefix}{name}")).collect();
                let there = paths.iter().filter(|path| self.files.contains_key(*path)).count();
                if there > best.as_ref().map_or(0, |(most, _)| *most) {
                    best = Some((there, paths));
                }
            }
        }
        best.map(|(_, paths)| paths)
    }

    /// The path of each file of the model by its content, where all of its names are others.
    pub fn by_content(&self, model: &LockedModel) -> Result<Option<Vec<String>>, Failure> {
        let mut paths = Vec::new();
        for file in model.files() {
            let alike =
                self.files.iter().filter(|(_, size)| **size == file.size() && file.size() > 0);
            for (path, _) in alike {
                if Content::of_file(&self.at(path))?.sha256 == file.sha256() {
                    paths.push(path.clone());
                    break;
                }
            }
        }
        Ok((paths.len() == model.files().len()).then_some(paths))
    }

    /// The directories in which one of `names` is.
    fn prefixes(&self, names: &[String], anywhere: bool) -> Vec<&str> {
        if !anywhere {
            return vec![""];
        }
        let mut prefixes: Vec<&str> = names
            .iter()
            .flat_map(|name| self.paths().filter_map(move |path| path.strip_suffix(name.as_str())))
            .filter(|prefix| prefix.is_empty() || prefix.ends_with('/'))
            .collect();
        prefixes.sort_by_key(|prefix| (prefix.len(), *prefix));
        prefixes.dedup();
        prefixes
    }
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
