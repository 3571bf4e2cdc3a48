//! Pinned models as a software bill of materials: CycloneDX 1.6, the same text for the same pins.

use serde_json::{Value, json};
use vendor_model::{LockedFile, LockedModel};

use crate::failure::Failure;
use crate::lock_file;
use crate::verdict::Content;

/// `licence_of` knows the SPDX expression of a model, where one was given.
pub fn sbom<'a>(
    models: &[&LockedModel],
    licence_of: impl Fn(&str) -> Option<&'a str>,
) -> Result<String, Failure> {
    let components = models.iter().map(|model| component(model, licence_of(model.url())));
    let components = components.collect::<Result<Vec<Value>, Failure>>()?;
    let document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial_number(&components),
        "version": 1,
        "metadata": {
            "tools": {
                "components": [{
                    "type": "application",
                    "name": "cargo-vendor-model",
                    "version": env!("CARGO_PKG_VERSION"),
                }],
            },
        },
        "components": components,
    });
    Ok(format!("{document:#}\n"))
}

/// The digest of a model is that of its manifest, which is what its address delivers; its files have theirs.
fn component(model: &LockedModel, licence: Option<&str>) -> Result<Value, Failure> {
    let entry = &model.files()[0];
    let files = model.files().iter().map(|file| part(model, file));
    let mut component = json!({
        "type": "machine-learning-model",
        "bom-ref": model.url(),
        "name": name(model.url()),
        "hashes": [hash(&entry.sha256())],
        "externalReferences": [reference(model, entry)?],
        "properties": [
            { "name": "vendor-model:format", "value": model.format() },
            { "name": "vendor-model:size", "value": lock_file::size(model).to_string() },
        ],
        "components": files.collect::<Result<Vec<Value>, Failure>>()?,
    });
    if let Some(expression) = licence {
        component["licenses"] = json!([{ "expression": expression }]);
    }
    Ok(component)
}

fn part(model: &LockedModel, file: &LockedFile) -> Result<Value, Failure> {
    Ok(json!({
        "type": "file",
        "bom-ref": format!("{}#{}", model.url(), file.path()),
        "name": file.path(),
        "hashes": [hash(&file.sha256())],
        "externalReferences": [reference(model, file)?],
        "properties": [{ "name": "vendor-model:size", "value": file.size().to_string() }],
    }))
}

fn hash(sha256: &str) -> Value {
    json!({ "alg": "SHA-256", "content": sha256 })
}

fn reference(model: &LockedModel, file: &LockedFile) -> Result<Value, Failure> {
    Ok(json!({
        "type": "distribution",
        "url": model.address_of(file)?,
        "hashes": [hash(&file.sha256())],
    }))
}

/// What people call it: the directory and the name of its manifest, or the directory alone where that is `model.json`.
fn name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match &segments[..] {
        [.., dir, "model.json"] => (*dir).to_owned(),
        [.., dir, name] => format!("{dir}/{}", name.trim_end_matches(".json")),
        [name] => (*name).to_owned(),
        [] => url.to_owned(),
    }
}

/// A UUID (version 8) of the content, so that nothing in the document is of the day.
fn serial_number(components: &[Value]) -> String {
    let digest = Content::of(Value::from(components.to_vec()).to_string().as_bytes()).sha256;
    let (a, b, c, d, e) =
        (&digest[..8], &digest[8..12], &digest[12..15], &digest[15..18], &digest[18..30]);
    format!("urn:uuid:{a}-{b}-8{c}-a{d}-{e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_have_names() {
        let cases = [
            ("https://h.example/digits/model.json", "digits"),
            ("https://h.example/float/model-stride16.json?x=a/b", "float/model-stride16"),
            ("https://h.example/model.json", "h.example"),
            ("https://h.example/m/", "h.example/m"),
            ("./models/digits/model.json", "digits"),
        ];
        for (url, expected) in cases {
            assert_eq!(name(url), expected);
        }
    }
}
