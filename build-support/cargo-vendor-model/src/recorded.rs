//! Directories and archives that have a lockfile of their own: vendored ones, and those that `get` and builds write.

use std::collections::HashSet;
use std::path::Path;

use vendor_model::{LockedFile, LockedModel};

use crate::audit::{Audit, executables, whole};
use crate::failure::Failure;
use crate::home::{has_all, is_remote, pinned_as};
use crate::lock_file::LockFile;
use crate::sums::sums;
use crate::tree::Tree;
use crate::verdict::{Kind, Model, Target};

impl Audit<'_> {
    pub fn recorded(
        &self,
        path: &Path,
        tree: &Tree,
        own: &LockFile,
        kind: Kind,
    ) -> Result<Target, Failure> {
        let package = self.package_beside(own)?;
        let (chosen, unrecorded) = self.sides(own, package.as_ref())?;
        let mut models = Vec::new();
        let mut expected: HashSet<String> = ["models.lock".to_owned()].into();
        for model in &chosen {
            let paths = tree.layout(model).unwrap_or_else(|| names(model));
            models.push(tree.copy(model, &paths)?);
        }
        for model in own.pins.models() {
            expected.extend(tree.layout(model).unwrap_or_else(|| names(model)));
        }
        for model in unrecorded {
            match tree.layout(model) {
                Some(paths) => {
                    models.push(tree.copy(model, &paths)?);
                    expected.extend(paths);
                }
                None if self.is_wanted(path, model) => models.push(Model::nothing(model)),
                None => {}
            }
        }
        let sums = sums(tree)?;
        expected.extend(sums.listed);
        let executables = executables(tree, |path| !expected.contains(path));
        let embedded =
            self.embedded(own, &chosen, &executables, &|model| whole(tree, &models, model))?;
        expected.extend(embedded.iter().flat_map(Model::places).map(str::to_owned));
        models.extend(embedded);
        self.spare(own, &mut models)?;
        let additional = tree.paths().filter(|path| !expected.contains(*path));
        let additional = additional.filter(|path| !path.starts_with(".vendor-model-"));
        let additional = additional.map(str::to_owned).collect();
        let executables = executables.into_iter().map(|(name, _)| name).collect();
        let problems = [sums.problems, self.disagreements(path, own, package.as_ref())].concat();
        let target = Target::new(path, kind, path.join("models.lock"), models);
        Ok(Target { executables, additional, problems, ..target })
    }

    fn disagreements(
        &self,
        path: &Path,
        own: &LockFile,
        package: Option<&LockFile>,
    ) -> Vec<String> {
        let agree = if self.is_home(path) { has_all } else { agree };
        let differs = |model: &&LockedModel| {
            let other = package.and_then(|package| package.pins.model(model.url()));
            other.is_some_and(|other| !agree(model, other))
        };
        let package = self.package.display();
        let told = |model: &LockedModel| {
            format!("its models.lock and {package} pin {} differently", model.url())
        };
        own.pins.models().iter().filter(differs).map(told).collect()
    }

    fn package_beside(&self, own: &LockFile) -> Result<Option<LockFile>, Failure> {
        let is_another = self.package != own.path && self.package.exists();
        is_another.then(|| LockFile::at(self.package.clone())).transpose()
    }

    /// The models that are meant: those of the lockfile in the directory, and those that only the package lock pins. A
    /// build that may not use the network leaves placeholders and no record.
    fn sides<'b>(
        &self,
        own: &'b LockFile,
        package: Option<&'b LockFile>,
    ) -> Result<Sides<'b>, Failure> {
        let (here, rest): (Vec<String>, Vec<String>) =
            self.named.iter().cloned().partition(|name| own.find(name).is_some());
        let all = self.named.is_empty();
        let chosen = if all || !here.is_empty() { own.chosen(&here)? } else { Vec::new() };
        let elsewhere = match package {
            Some(package) if all || !rest.is_empty() => package.chosen(&rest)?,
            None if !rest.is_empty() => own.chosen(&rest)?,
            _ => Vec::new(),
        };
        let is_elsewhere = |model: &&LockedModel| own.pins.model(model.url()).is_none();
        Ok((chosen, elsewhere.into_iter().filter(is_elsewhere).collect()))
    }

    /// Whether it is told that there is nothing of a model.
    fn is_wanted(&self, path: &Path, model: &LockedModel) -> bool {
        !self.named.is_empty() || self.is_home(path) && is_remote(model)
    }
}

type Sides<'a> = (Vec<&'a LockedModel>, Vec<&'a LockedModel>);

/// The names that a model has in a vendored directory, or else in an output directory.
fn names(model: &LockedModel) -> Vec<String> {
    let of = |file: &LockedFile| model.vendored_path(file).unwrap_or(file.path().to_owned());
    model.files().iter().map(of).collect()
}

/// What both have is the same.
fn agree(one: &LockedModel, other: &LockedModel) -> bool {
    one.files().iter().all(|file| pinned_as(other, file).is_none_or(|same| same))
}
