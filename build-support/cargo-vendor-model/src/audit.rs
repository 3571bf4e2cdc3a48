//! What is to be proved, and the search for embedded models that all kinds of artifacts share.

use std::path::PathBuf;

use vendor_model::{Config, LockedModel};

use crate::claims::Claims;
use crate::executable::{is_executable, searched};
use crate::failure::Failure;
use crate::held::{hold, read};
use crate::lock_file::LockFile;
use crate::tree::Tree;
use crate::unpacked::packed;
use crate::verdict::{Model, State};

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

/// Files in which embedded bytes are looked for: their names for people, and where they are.
type Executables = Vec<(String, PathBuf)>;

impl Audit<'_> {
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
}

pub fn executables(tree: &Tree, is_meant: impl Fn(&str) -> bool) -> Executables {
    let is_packed = |path: &str| matches!(packed(&tree.at(path)), Ok(Some(_)));
    let found = tree.paths().filter(|path| is_meant(path) && is_executable(&tree.at(path)));
    let found = found.filter(|path| !is_packed(path));
    found.map(|path| (path.to_owned(), tree.at(path))).collect()
}

/// The bytes of a model of which there is a whole copy in the tree.
pub fn whole(tree: &Tree, copies: &[Model], model: &LockedModel) -> Option<Vec<Vec<u8>>> {
    let copy = copies.iter().find(|copy| copy.url == model.url() && copy.is_whole())?;
    copy.places().map(|place| read(&tree.at(place)).ok()).collect()
}
