//! What has models somewhere and no lockfile of its own: releases and executables, checked against the package lock.

use std::collections::HashSet;
use std::path::Path;

use vendor_model::LockedModel;

use crate::audit::{Audit, executables, whole};
use crate::claims::Claims;
use crate::failure::Failure;
use crate::lock_file::LockFile;
use crate::tree::{Tree, dir};
use crate::unpacked::packed;
use crate::verdict::{Kind, Model, Packed, State, Target};

impl Audit<'_> {
    /// Files by their names or by their content, and in executables: every copy that there is.
    pub fn release(&self, path: &Path, tree: &Tree, kind: Kind) -> Result<Target, Failure> {
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
        Ok(Target { executables, additional, ..Target::new(path, kind, lockfile, models) })
    }

    pub fn binary(&self, path: &Path) -> Result<Target, Failure> {
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
        Ok(Target { not_read, ..Target::new(path, Kind::Binary, lock.path, models) })
    }
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
