//! Directories and archives that have a lockfile of their own: vendored ones, and those that `get` and builds write.

use std::collections::HashSet;
use std::path::Path;

use vendor_model::{LockedFile, LockedModel};

use crate::artifact::{Audit, executables, target, whole};
use crate::failure::Failure;
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
        let chosen = own.chosen(self.named)?;
        let mut models = Vec::new();
        let mut expected: HashSet<String> = ["models.lock".to_owned()].into();
        for model in &chosen {
            let paths = tree.layout(model).unwrap_or_else(|| names(model));
            models.push(tree.copy(model, &paths)?);
        }
        for model in own.pins.models() {
            expected.extend(tree.layout(model).unwrap_or_else(|| names(model)));
        }
        for model in self.unrecorded(own)? {
            if let Some(paths) = tree.layout(&model) {
                models.push(tree.copy(&model, &paths)?);
                expected.extend(paths);
            }
        }
        let sums = sums(tree)?;
        expected.extend(sums.listed);
        let executables = executables(tree, |path| !expected.contains(path));
        let embedded =
            self.embedded(own, &chosen, &executables, &|model| whole(tree, &models, model))?;
        expected.extend(embedded.iter().flat_map(Model::places).map(str::to_owned));
        models.extend(embedded);
        let additional = tree.paths().filter(|path| !expected.contains(*path));
        let additional = additional.filter(|path| !path.starts_with(".vendor-model-"));
        let additional = additional.map(str::to_owned).collect();
        let executables = executables.into_iter().map(|(name, _)| name).collect();
        let problems = [self.disagreements(own)?, sums.problems].concat();
        let target = target(path, kind, path.join("models.lock"), models);
        Ok(self.target(Target { executables, additional, problems, ..target }))
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
}

/// The names that a model has in a vendored directory, or else in an output directory.
fn names(model: &LockedModel) -> Vec<String> {
    let of = |file: &LockedFile| model.vendored_path(file).unwrap_or(file.path().to_owned());
    model.files().iter().map(of).collect()
}

fn agree(one: &LockedModel, other: &LockedModel) -> bool {
    let differs = |file: &LockedFile| {
        let same = other.files().iter().find(|other| other.path() == file.path());
        same.is_some_and(|other| other.sha256() != file.sha256())
    };
    !one.files().iter().any(differs)
}
