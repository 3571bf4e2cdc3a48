//! What a vendored directory of some pins has, by its paths there.

use std::collections::BTreeMap;

use vendor_model::LockedModel;

use crate::failure::Failure;
use crate::verdict::Content;

/// Of two models that share a file, both must mean the same bytes.
pub fn shelf<'a>(
    models: impl IntoIterator<Item = &'a LockedModel>,
) -> Result<BTreeMap<String, Content>, Failure> {
    let mut shelf: BTreeMap<String, Content> = BTreeMap::new();
    for model in models {
        for file in model.files() {
            let path = model.vendored_path(file)?;
            let content = Content { size: file.size(), sha256: file.sha256() };
            match shelf.get(&path) {
                Some(other) if *other != content => {
                    return Err(Failure::new("two models would meet in a vendored directory")
                        .fact("file", path)
                        .fact("one of them", model.url())
                        .help("ship them apart, with a lockfile each"));
                }
                _ => drop(shelf.insert(path, content)),
            }
        }
    }
    Ok(shelf)
}
