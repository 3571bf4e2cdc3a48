//! Something that was built, packed or vendored -> which of the locked files are in it, and whether that is right.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use crate::audit::Audit;
use crate::failure::Failure;
use crate::lock_file::LockFile;
use crate::tree::Tree;
use crate::unpacked::{packed, unpacked};
use crate::verdict::{Kind, Model, Packed, Target};

const READ: &str =
    "directories, .tar, .tar.gz, .tar.zst, executables and other files that are not compressed are";

impl Audit<'_> {
    pub fn of(&self, path: &Path) -> Result<Target, Failure> {
        let found = fs::metadata(path).map_err(|error| Failure::io("read", path, &error))?;
        if found.is_dir() {
            return self.directory(path, path, Kind::Directory);
        }
        match unpacked(path)? {
            Some(dir) => self.directory(path, dir.path(), Kind::Archive),
            None => Ok(self.judged(self.binary(path)?)),
        }
    }

    /// One that has a lockfile of its own is checked against that, and else as what holds the models somewhere.
    fn directory(&self, path: &Path, root: &Path, kind: Kind) -> Result<Target, Failure> {
        let tree = Tree::of(root)?;
        let own = LockFile::of_directory(root)?;
        let target = match &own {
            Some(own) => self.recorded(path, &tree, own, kind)?,
            None => self.release(path, &tree, kind)?,
        };
        let target = Target { not_read: not_read(&tree, &target.models)?, ..target };
        let target = if self.is_home(path) { self.at_home(own.as_ref(), target)? } else { target };
        Ok(self.judged(target))
    }

    /// Whether all is well.
    fn judged(&self, mut target: Target) -> Target {
        if target.not_vendored.is_empty() && !target.models.iter().any(|model| model.found) {
            target.problems.push(match &target.not_read[..] {
                [Packed { format, .. }] if target.kind == Kind::Binary => {
                    format!("what is packed as {format} is not read, unpack it first; {READ}")
                }
                _ => "no model of the lockfile was found".to_owned(),
            });
        }
        let wanted = !self.named.is_empty();
        let only_there = !target.additional.is_empty() || !target.not_pinned.is_empty();
        target.ok = target.problems.is_empty()
            && target.not_vendored.is_empty()
            && !target.models.iter().any(|model| model.is_wrong(wanted))
            && !(only_there && self.strict);
        target
    }
}

/// Weights may begin as a packed file does.
fn not_read(tree: &Tree, copies: &[Model]) -> Result<Vec<Packed>, Failure> {
    let ours: HashSet<&str> = copies.iter().flat_map(Model::places).collect();
    let mut not_read = Vec::new();
    for path in tree.paths().filter(|path| !ours.contains(path)) {
        let format = packed(&tree.at(path))?;
        not_read.extend(format.map(|format| Packed { file: path.to_owned(), format }));
    }
    Ok(not_read)
}
