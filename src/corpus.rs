//! The pure rooms against real facts: URLs that the TensorFlow.js client formed, and manifests from public models.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::manifest::{Manifest, ManifestError};
use crate::path::ModelPath;
use crate::shared_folder::shared;
use crate::source::shard_url;
use crate::verify;
use crate::weights::DType;

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn every_url_is_formed_as_the_client_formed_it() {
    let Some(path) = shared("data/url-vectors.json") else { return };
    let facts = json(&path);
    let (mut tested, mut refused) = (0, 0);
    for fact in facts["vectors"].as_array().unwrap().iter().filter(|fact| fact["kind"] == "http") {
        let prefix = fact["weight_path_prefix"].as_str();
        let template = fact["weight_url_converter"].as_str();
        let converter = template.map(|template| move |name: &str| template.replace("{name}", name));
        let converter = converter.as_ref().map(|convert| convert as &dyn Fn(&str) -> String);
        let model_url = fact["model_url"].as_str().unwrap();
        let paths = strings(&fact["paths"]);
        let formed: Vec<String> = paths
            .iter()
            .map(|path| shard_url(model_url, path, prefix, converter).unwrap().into())
            .collect();
        assert_eq!(formed, strings(&fact["wire"]), "{fact}");
        refused += paths.iter().filter(|path| ModelPath::parse(path).is_err()).count();
        tested += 1;
    }
    assert_eq!(tested, 55);
    assert_eq!(refused, 23, "paths that form the right URL and are then refused");
}

#[test]
fn every_manifest_parses_to_what_an_independent_reader_found() {
    let Some(dir) = shared("manifests") else { return };
    let index = json(&dir.join("index.json"));
    let entries = index.as_array().unwrap();
    assert!(entries.len() >= 46, "{} manifests", entries.len());
    for entry in entries {
        let file = entry["file"].as_str().unwrap();
        let bytes = fs::read(dir.join(file)).unwrap();
        let name = ModelPath::parse("the-manifest-itself.json").unwrap();
        match (Manifest::parse(&bytes, &name), entry["kind"].as_str().unwrap()) {
            (Err(ManifestError::Other(what)), "lfs-pointer") => {
                assert!(what.contains("Git LFS pointer"), "{file}: {what}")
            }
            (Ok(manifest), "object" | "bare-array") => assert_same(&manifest, entry, file),
            (result, kind) => panic!("{file}: {kind}: {result:?}"),
        }
    }
}

fn assert_same(manifest: &Manifest, entry: &Value, file: &str) {
    let groups = &manifest.groups;
    assert_eq!(groups.len() as u64, entry["groups"], "{file}: groups");
    let shards: Vec<usize> = groups.iter().map(|group| group.shards.len()).collect();
    assert_eq!(serde_json::to_value(shards).unwrap(), entry["shards_per_group"], "{file}: shards");
    let last = groups.iter().flat_map(|group| &group.shards).last().map(ModelPath::as_str);
    let expected = entry["last_path"].as_str().map(|path| path.trim_start_matches("./"));
    assert_eq!(last, expected, "{file}: last path");

    let weights: Vec<_> = groups.iter().flat_map(|group| &group.weights).collect();
    assert_eq!(
        counted(weights.iter().map(|weight| weight.dtype)),
        entry["dtypes"],
        "{file}: dtypes"
    );
    let quantized = weights
        .iter()
        .filter_map(|weight| weight.quantization.as_ref())
        .map(|quantization| quantization.dtype);
    assert_eq!(counted(quantized), entry["quantization"], "{file}: quantization");
    assert_eq!(
        weights.iter().filter(|weight| weight.shape.is_empty()).count() as u64,
        entry["scalars"],
        "{file}: scalars"
    );
    assert_eq!(
        weights.iter().filter(|weight| weight.shape.contains(&0)).count() as u64,
        entry["zero_size"],
        "{file}: zero-size"
    );
    let bytes: Vec<Option<u64>> = groups.iter().map(verify::fixed_bytes).collect();
    assert_eq!(
        serde_json::to_value(bytes).unwrap(),
        entry["expected_group_bytes"],
        "{file}: bytes"
    );
}

fn counted(dtypes: impl Iterator<Item = DType>) -> Value {
    let mut counts = BTreeMap::new();
    dtypes.for_each(|dtype| *counts.entry(format!("{dtype:?}").to_lowercase()).or_insert(0) += 1);
    serde_json::to_value(counts).unwrap()
}
