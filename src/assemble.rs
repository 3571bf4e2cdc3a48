//! All files of a model, in as many turns as it takes to learn of them, and verified together: the weight groups against
//! their specs, the manifest against the pins.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use crate::error::Error;
use crate::gather::{Gathered, Gatherer};
use crate::lockfile::{LockedFile, LockedModel};
use crate::manifest::{self, Manifest};
use crate::path::ModelPath;
use crate::plan::Step;
use crate::verify::{self, Misfit};
use crate::wanted::Order;

/// The verified files of a model, in `out_dir` or still staged, and what pins them.
pub(crate) struct Assembled {
    pub files: Vec<Gathered>,
    pub locked: LockedModel,
    /// What TensorFlow.js would ignore after the last weight.
    pub surplus: Option<Misfit>,
}

pub(crate) fn assemble(gatherer: &Gatherer, order: &Order) -> Result<Assembled, Error> {
    let mut files = gatherer.gather(order.known()?, None)?;
    let manifest = manifest(order, &files).inspect_err(|_| gatherer.doubt(&files))?;
    if let (Some(manifest), None) = (&manifest, order.pinned) {
        files.extend(gatherer.gather(order.listed(manifest)?, verify::total(manifest))?);
    }
    let surplus = check_weights(manifest.as_ref(), &files, order.name)
        .inspect_err(|_| gatherer.doubt(&files))?;
    let locked = locked(order, manifest.as_ref(), &files);
    Ok(Assembled { files, locked, surplus })
}

/// The parsed manifest; `None` where its pin is enough, because nothing of the model is new here or its format is
/// one of a later release.
fn manifest(order: &Order, files: &[Gathered]) -> Result<Option<Manifest>, Error> {
    let needed = match order.pinned {
        Some(pinned) => {
            manifest::FORMATS.contains(&pinned.format()) && files.iter().any(|file| !file.is_there)
        }
        None => true,
    };
    if !needed || files.iter().any(|file| file.step == Step::LeaveEmpty) {
        return Ok(None);
    }
    let Gathered { at, wanted, .. } = &files[0];
    let bytes = fs::read(at).map_err(|error| Error::io("read again", at, error))?;
    let manifest = Manifest::parse(&bytes, &wanted.path)
        .map_err(|error| Error::manifest(&wanted.from.to_string(), error))?;
    order.pinned.map_or(Ok(()), |pinned| order.agrees(&manifest, pinned))?;
    Ok(Some(manifest))
}

/// Every weight group against its specs; what TensorFlow.js would ignore after the last weight is given back.
fn check_weights(
    manifest: Option<&Manifest>,
    files: &[Gathered],
    name: &str,
) -> Result<Option<Misfit>, Error> {
    let Some(manifest) = manifest else { return Ok(None) };
    let files: HashMap<_, _> = files.iter().map(|file| (&file.wanted.path, file)).collect();
    let size = |path: &ModelPath| files[path].content.size;
    let open = |path: &ModelPath| File::open(&files[path].at);
    let dir = files.values().find_map(|file| file.at.parent()).unwrap_or(Path::new("."));
    let verdict = verify::groups(manifest, size, open)
        .map_err(|error| Error::io("read again the shards in", dir, error))?;
    verdict.refusal(name).map_or(Ok(verdict.surplus), Err)
}

fn locked(order: &Order, manifest: Option<&Manifest>, files: &[Gathered]) -> LockedModel {
    if let Some(pinned) = order.pinned.filter(|pinned| pinned.files.len() == files.len()) {
        return pinned.clone();
    }
    let format = match (order.pinned, manifest) {
        (Some(pinned), _) => pinned.format().to_owned(),
        (None, manifest) => {
            manifest.map_or(manifest::WEIGHTS, |manifest| manifest.format).to_owned()
        }
    };
    let pinned = order.pinned.map(LockedModel::by_path).unwrap_or_default();
    let file = |file: &Gathered| match pinned.get(&file.wanted.path) {
        Some(pinned) => (*pinned).clone(),
        None => LockedFile::new(file.wanted.path.clone(), file.content),
    };
    let files = Arc::new(files.iter().map(file).collect());
    LockedModel { url: order.name.to_owned(), format, files }
}
