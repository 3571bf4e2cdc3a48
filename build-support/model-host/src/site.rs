//! What is found at which path: files in memory, redirects, and directories on disk.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::content::Content;
use crate::url_path;

#[derive(Debug, Default)]
pub(crate) struct Site {
    files: HashMap<String, Content>,
    redirects: Vec<Redirect>,
    dirs: Vec<Dir>,
}

#[derive(Debug)]
struct Redirect {
    from: String,
    to: String,
}

#[derive(Debug)]
struct Dir {
    prefix: String,
    root: PathBuf,
}

pub(crate) enum Found {
    Content(Content),
    Redirect(String),
}

impl Site {
    pub(crate) fn put(&mut self, path: &str, bytes: Vec<u8>) {
        let content = match self.files.get(path) {
            Some(old) => old.replaced(path, bytes),
            None => Content::of_bytes(path, bytes),
        };
        self.files.insert(path.to_owned(), content);
    }

    pub(crate) fn add_redirect(&mut self, from: &str, to: &str) {
        self.redirects.push(Redirect { from: from.to_owned(), to: to.to_owned() });
        self.redirects.sort_by_key(|redirect| usize::MAX - redirect.from.len());
    }

    pub(crate) fn add_dir(&mut self, prefix: &str, root: &Path) {
        let prefix = format!("{}/", prefix.trim_end_matches('/'));
        self.dirs.push(Dir { prefix, root: root.to_owned() });
        self.dirs.sort_by_key(|dir| usize::MAX - dir.prefix.len());
    }

    /// What is at `path`, which is percent-encoded as it was sent.
    pub(crate) fn find(&self, path: &str) -> Option<Found> {
        let decoded = url_path::decoded(path);
        let file = || self.files.get(&decoded).cloned().map(Found::Content);
        let redirect = || self.redirects.iter().find_map(|it| it.target(path)).map(Found::Redirect);
        let on_disk = || self.dirs.iter().find_map(|dir| dir.file(&decoded)).map(Found::Content);
        file().or_else(redirect).or_else(on_disk)
    }
}

impl Redirect {
    fn target(&self, path: &str) -> Option<String> {
        let rest = path.strip_prefix(&self.from)?;
        let matched = rest.is_empty() || self.from.ends_with('/');
        matched.then(|| format!("{}{rest}", self.to))
    }
}

impl Dir {
    /// The file at `path`. Links and `..` are resolved first, so that it is beneath the root.
    fn file(&self, path: &str) -> Option<Content> {
        let rest = path.strip_prefix(&self.prefix)?;
        let index = if path.ends_with('/') { "index.html" } else { "" };
        let root = self.root.canonicalize().ok()?;
        let file = root.join(format!("{rest}{index}")).canonicalize().ok()?;
        match file.starts_with(&root) {
            true => Content::of_file(&file).ok(),
            false => None,
        }
    }
}
