//! Something that was built, packed or vendored -> which of the locked files are in it.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use vendor_model::{Config, LockedModel};

use crate::claims::Claims;
use crate::executable::{is_executable, searched};
use crate::failure::Failure;
use crate::held::{hold, read};
use crate::lock_file::LockFile;
use crate::tree::{Tree, dir};
use crate::unpacked::{packed, unpacked};
use crate::verdict::{Kind, Model, Packed, State, Target};

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
    /// Whether what has no weights may be missing.
    pub weights_only: bool,
}

const READ: &str =
    "directories, .tar, .tar.gz, .tar.zst, executables and other files that are not compressed are";

/// Files in which embedded bytes are looked for: their names for people, and where they are.
type Executables = Vec<(String, PathBuf)>;

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
        let own = LockFile::of_directory(root)?;
        let target = match &own {
            Some(own) => self.recorded(path, &tree, own, kind)?,
            None => self.release(path, &tree, kind)?,
        };
        let target = Target { not_read: not_read(&tree, &target.models)?, ..target };
        let target = if self.is_home(path) { self.at_home(own.as_ref(), target)? } else { target };
        Ok(self.judged(target))
    }

    /// Files by their names or by their content, and in executables: every copy that there is.
    fn release(&self, path: &Path, tree: &Tree, kind: Kind) -> Result<Target, Failure> {
        let lock = LockFile::at(self.package.clone())?;
        let chosen = lock.chosen(self.named)?;
        let mut claims = Claims::default();
        let mut copies = loose(tree, lock.pins.models(), &mut claims)?;
        let executables = executables(tree, |path| !claims.has(path));
        let embedded =
            self.embedded(&lock, &chosen, &executables, &|model| whole(tree, &copies, model))?;
        copies.extend(embedded);
        let ours: HashSet<&str> = copies.iter().flat_map(Model::places).collect();
        let loose = copies.iter().filter(|copy| !copy.is_embedded());
        let dirs: HashSet<&str> = loose.flat_map(Model::places).map(dir).collect();
        let additional =
            tree.paths().filter(|path| !ours.contains(path) && dirs.contains(dir(path)));
        let additional = additional.filter(|path| !path.ends_with("models.lock"));
        let additional = additional.map(str::to_owned).collect();
        let executables = executables.into_iter().map(|(name, _)| name).collect();
        let mut models = in_order(&chosen, copies);
        self.spare(&lock, &mut models)?;
        let lockfile = lock.path;
        Ok(Target { executables, additional, ..target(path, kind, lockfile, models) })
    }

    fn binary(&self, path: &Path) -> Result<Target, Failure> {
        let lock = LockFile::at(self.package.clone())?;
        let chosen = lock.chosen(self.named)?;
        let executables = vec![(path.to_string_lossy().into_owned(), path.to_owned())];
        let mut copies = self.embedded(&lock, &chosen, &executables, &|_| None)?;
        // What is packed has some files as they are, and that tells nothing of the others.
        let format = packed(path)?.filter(|_| !copies.iter().any(Model::is_whole));
        copies.retain(|_| format.is_none());
        let mut models = in_order(&chosen, copies);
        self.spare(&lock, &mut models)?;
        let file = path.to_string_lossy().into_owned();
        let not_read = format.map(|format| Packed { file, format }).into_iter().collect();
        let target = Target { not_read, ..target(path, Kind::Binary, lock.path, models) };
        Ok(self.judged(target))
    }

    /// The copies in executables. `at_hand` may have the bytes of a model; else they are brought.
    pub fn embedded(
        &self,
        lock: &LockFile,
        models: &[&LockedModel],
        executables: &Executables,
        at_hand: &dyn Fn(&LockedModel) -> Option<Vec<Vec<u8>>>,
    ) -> Result<Vec<Model>, Failure> {
        if executables.is_empty() {
            return Ok(Vec::new());
        }
        let mut possible = Vec::new();
        for model in models {
            let bytes = match at_hand(model) {
                Some(bytes) => bytes,
                None => hold(self.config, lock, model)?.bytes()?,
            };
            for (name, path) in executables {
                possible.push(searched(&read(path)?, name, model, &bytes));
            }
        }
        Ok(Claims::default().settle(possible))
    }

    /// Only the manifest tells which files have weights.
    pub fn spare(&self, lock: &LockFile, copies: &mut [Model]) -> Result<(), Failure> {
        let lacks = |copy: &&mut Model| copy.found && copy.count(State::Missing) > 0;
        for copy in copies.iter_mut().filter(|_| self.weights_only).filter(lacks) {
            let Some(model) = lock.pins.model(&copy.url) else { continue };
            let groups = hold(self.config, lock, model)?.model.groups()?;
            let has_weights =
                |path: &String| groups.iter().any(|group| group.shards.contains(path));
            for file in &mut copy.files {
                if file.state == State::Missing && !has_weights(&file.path) {
                    file.state = State::LeftOut;
                }
            }
        }
        Ok(())
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

pub fn target(path: &Path, kind: Kind, lockfile: PathBuf, models: Vec<Model>) -> Target {
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

pub fn executables(tree: &Tree, is_meant: impl Fn(&str) -> bool) -> Executables {
    let is_packed = |path: &str| matches!(packed(&tree.at(path)), Ok(Some(_)));
    let found = tree.paths().filter(|path| is_meant(path) && is_executable(&tree.at(path)));
    let found = found.filter(|path| !is_packed(path));
    found.map(|path| (path.to_owned(), tree.at(path))).collect()
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

/// The bytes of a model of which there is a whole copy in the tree.
pub fn whole(tree: &Tree, copies: &[Model], model: &LockedModel) -> Option<Vec<Vec<u8>>> {
    let copy = copies.iter().find(|copy| copy.url == model.url() && copy.is_whole())?;
    copy.places().map(|place| read(&tree.at(place)).ok()).collect()
}

/// The copies of all models that are no part of an executable.
fn loose(tree: &Tree, models: &[LockedModel], claims: &mut Claims) -> Result<Vec<Model>, Failure> {
    let mut possible = Vec::new();
    for model in models {
        let copies = tree.copies(model)?;
        if !copies.iter().any(Model::is_whole) {
            possible.extend(tree.scattered(model, |_| true)?.filter(Model::is_whole));
        }
        possible.extend(copies);
    }
    let mut copies = claims.settle(possible);
    for model in models {
        while let Some(rest) = tree.scattered(model, |path| !claims.has(path))? {
            let has_weights = rest.files.iter().skip(1).any(|file| file.state == State::Exact);
            if !has_weights && copies.iter().any(|copy| copy.url == rest.url) {
                break;
            }
            claims.take(&rest);
            copies.push(rest);
        }
    }
    Ok(copies)
}

/// As the lockfile has them; one of which there is no copy is named all the same.
fn in_order(models: &[&LockedModel], copies: Vec<Model>) -> Vec<Model> {
    let mut rest = copies;
    let mut ordered = Vec::new();
    for model in models {
        let (its, others): (Vec<Model>, _) =
            rest.into_iter().partition(|copy| copy.url == model.url());
        if its.is_empty() {
            ordered.push(Model::nothing(model));
        }
        ordered.extend(its);
        rest = others;
    }
    ordered
}
