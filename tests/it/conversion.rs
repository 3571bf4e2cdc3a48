//! Weights as a `.safetensors` file: read by the crate of that name, and compared with what TensorFlow.js decodes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use model_host::Host;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, Metadata};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use vendor_model::{ErrorKind, Vendored};

use crate::client;
use crate::corpus;
use crate::shared_folder::shared;
use crate::support::vendor_model;

/// A model of one weight group, vendored from a host that is gone by now.
fn vendored(weights: &str, shards: &[&[u8]]) -> (TempDir, Vendored) {
    let names: Vec<String> = (0..shards.len()).map(|n| format!("shard{n}")).collect();
    let manifest = format!(r#"[{{"paths": {}, "weights": [{weights}]}}]"#, json!(names));
    let host = names.iter().zip(shards).fold(Host::builder(), |host, (name, bytes)| {
        host.file(&format!("/m/{name}"), bytes.to_vec())
    });
    let host = host.file("/m/manifest.json", manifest).start();
    let dir = TempDir::new().unwrap();
    let model = vendor_model(host.url("/m/manifest.json"), dir.path().join("model")).unwrap();
    (dir, model)
}

/// What the crate reads: type, shape and bytes by name.
fn read(file: &[u8]) -> BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)> {
    let tensors = SafeTensors::deserialize(file).unwrap();
    let tensors = tensors.tensors().into_iter();
    tensors
        .map(|(name, view)| (name, (view.dtype(), view.shape().to_vec(), view.data().to_vec())))
        .collect()
}

fn metadata(file: &[u8]) -> (usize, Metadata) {
    SafeTensors::read_metadata(file).unwrap()
}

fn noted(file: &[u8], key: &str) -> Option<Value> {
    let (_, metadata) = metadata(file);
    let text = metadata.metadata().as_ref().unwrap().get(key)?;
    Some(serde_json::from_str(text).unwrap())
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

const ALL: &str = r#"
    {"name": "bool", "shape": [3], "dtype": "bool"},
    {"name": "text", "shape": [2], "dtype": "string"},
    {"name": "small", "shape": [3], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 0.1, "min": -1}},
    {"name": "whole", "shape": [2], "dtype": "int32", "quantization": {"dtype": "uint16", "scale": 0.5, "min": 0}},
    {"name": "half", "shape": [1, 2], "dtype": "float32", "quantization": {"dtype": "float16"}},
    {"name": "plain", "shape": [], "dtype": "float32"},
    {"name": "none", "shape": [0, 7], "dtype": "int32"},
    {"name": "pair", "shape": [1], "dtype": "complex64"}"#;

const STORED: &[u8] =
    b"\x00\x01\x01\x01\0\0\0a\0\0\0\0\x00\x30\xff\x01\x00\xff\xff\x00\x3c\x00\xc0\x00\x00\x80\x3f\x00\x00\x80\x3f\x00\x00\x00\x40";

#[test]
fn weights_become_the_numbers_that_they_stand_for_wherever_shards_are_cut() {
    let expected = BTreeMap::from([
        ("bool".to_owned(), (Dtype::BOOL, vec![3], vec![0, 1, 1])),
        ("small".to_owned(), (Dtype::F32, vec![3], bytes(&[-1.0, 3.8, 24.5]))),
        ("whole".to_owned(), (Dtype::I32, vec![2], [1_i32, 32768].map(i32::to_le_bytes).concat())),
        ("half".to_owned(), (Dtype::F32, vec![1, 2], bytes(&[1.0, -2.0]))),
        ("plain".to_owned(), (Dtype::F32, vec![], bytes(&[1.0]))),
        ("none".to_owned(), (Dtype::I32, vec![0, 7], vec![])),
        ("pair".to_owned(), (Dtype::C64, vec![1], bytes(&[1.0, 2.0]))),
    ]);
    for cut in 0..=STORED.len() {
        let (one, other) = STORED.split_at(cut);
        let (dir, model) = vendored(ALL, &[one, other]);
        let path = dir.path().join("new/weights.safetensors");
        model.write_safetensors(&path).unwrap();
        let file = fs::read(path).unwrap();
        assert_eq!(read(&file), expected, "cut at {cut}");
        assert_eq!(noted(&file, "left_out"), Some(json!(["text"])));
        assert_eq!(noted(&file, "quantization"), None);
    }
}

#[test]
fn values_lie_at_multiples_of_their_width_and_the_same_model_gives_the_same_bytes() {
    let (dir, model) = vendored(ALL, &[STORED]);
    let paths = [dir.path().join("one"), dir.path().join("two")];
    paths.iter().for_each(|path| model.write_safetensors(path).unwrap());
    let file = fs::read(&paths[0]).unwrap();
    assert_eq!(file, fs::read(&paths[1]).unwrap());
    let (header, metadata) = metadata(&file);
    assert_eq!(header % 8, 0);
    for (name, info) in metadata.tensors() {
        let width = info.dtype.bitsize() / 8;
        assert_eq!(info.data_offsets.0 % width, 0, "{name}");
    }
}

#[test]
fn quantized_weights_stay_as_small_as_they_are_on_request() {
    let (dir, model) = vendored(ALL, &[STORED]);
    let path = dir.path().join("weights.safetensors");
    model.safetensors().dequantize(false).write(&path).unwrap();
    let file = fs::read(path).unwrap();
    let found = read(&file);
    assert_eq!(found["small"], (Dtype::U8, vec![3], vec![0x00, 0x30, 0xff]));
    assert_eq!(found["whole"], (Dtype::U16, vec![2], vec![0x01, 0x00, 0xff, 0xff]));
    assert_eq!(found["half"], (Dtype::F16, vec![1, 2], vec![0x00, 0x3c, 0x00, 0xc0]));
    let scales = json!({"small": {"scale": 0.1, "min": -1.0}, "whole": {"scale": 0.5, "min": 0.0}, "half": {}});
    assert_eq!(noted(&file, "quantization"), Some(scales));
}

#[test]
fn of_two_weights_of_one_name_the_last_counts() {
    let weights = r#"{"name": "w", "shape": [2], "dtype": "bool"}, {"name": "w", "shape": [1], "dtype": "uint8"}"#;
    let (dir, model) = vendored(weights, &[b"\x01\x01\x07"]);
    let path = dir.path().join("weights.safetensors");
    model.write_safetensors(&path).unwrap();
    let expected = BTreeMap::from([("w".to_owned(), (Dtype::U8, vec![1], vec![7]))]);
    assert_eq!(read(&fs::read(path).unwrap()), expected);
}

#[test]
fn what_a_dead_process_left_where_it_is_written_is_removed() {
    let (dir, model) = vendored(r#"{"name": "w", "shape": [1], "dtype": "uint8"}"#, &[b"1"]);
    let (left, path) = (dir.path().join(".vendor-model-1-0"), dir.path().join("w.safetensors"));
    fs::write(&left, "half of the weights").unwrap();
    model.write_safetensors(&path).unwrap();
    assert!(path.exists() && !left.exists());
}

#[test]
fn what_has_no_values_or_no_name_is_refused_and_nothing_is_written() {
    let weights = r#"
        {"name": "unscaled", "shape": [1], "dtype": "float32", "quantization": {"dtype": "uint8"}},
        {"name": "truth", "shape": [1], "dtype": "bool", "quantization": {"dtype": "uint8", "scale": 1, "min": 0}},
        {"name": "__metadata__", "shape": [1], "dtype": "bool"}"#;
    let (dir, model) = vendored(weights, &[b"\x01\x02\x03"]);
    let path = dir.path().join("weights.safetensors");
    let refused = model.write_safetensors(&path).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Manifest);
    let text = refused.to_string();
    for problem in [
        "\"unscaled\" is quantized and has no scale",
        "\"truth\" of Bool is quantized",
        "\"__metadata__\"",
    ] {
        assert!(text.contains(problem), "{problem}: {text}");
    }
    let refused = model.safetensors().dequantize(false).write(&path).unwrap_err().to_string();
    assert!(!refused.contains("truth") && refused.contains("\"__metadata__\""), "{refused}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "the model and nothing else");
}

/// The name, type, shape and digest of every tensor, by the client in Node; strings have no digest.
fn decoded(scripts: &Path, models: &[Value]) -> Vec<Value> {
    let said = client::node(scripts, "values.mjs", &json!(models));
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_weight_of_every_real_model_has_the_values_that_tensorflow_js_decodes() {
    let Some(scripts) = client::scripts() else { return };
    let Some(models) = shared("models") else { return };
    let host = Host::serve(&models);
    let cases = corpus::good(&models);
    let url = |case: &corpus::Case| host.url(&format!("/{}/{}", case.name, case.manifest));
    let asked: Vec<Value> =
        cases.iter().map(|case| json!({"name": case.manifest, "url": url(case)})).collect();
    let dir = TempDir::new().unwrap();
    let mut compared = 0;
    let by_client = decoded(&scripts, &asked);
    assert_eq!(by_client.len(), cases.len(), "models that the client was asked for");
    for (case, client) in cases.iter().zip(by_client) {
        let model = vendor_model(url(case), dir.path().join(&case.name)).unwrap();
        let path: PathBuf = dir.path().join("weights.safetensors");
        model.write_safetensors(&path).unwrap();
        let file = fs::read(&path).unwrap();
        let mut found = read(&file);
        let mut strings = BTreeSet::new();
        for tensor in client["tensors"].as_array().unwrap() {
            let name = tensor["name"].as_str().unwrap();
            let Some(digest) = tensor["sha256"].as_str() else {
                strings.insert(name.to_owned());
                continue;
            };
            let (dtype, shape, bytes) = found.remove(name).unwrap_or_else(|| panic!("{name}"));
            let expected = match tensor["dtype"].as_str().unwrap() {
                "float32" => Dtype::F32,
                "int32" => Dtype::I32,
                "bool" => Dtype::BOOL,
                "complex64" => Dtype::C64,
                other => panic!("{name} is of {other}"),
            };
            assert_eq!(dtype, expected, "{}: {name}", case.name);
            assert_eq!(json!(shape), tensor["shape"], "{}: {name}", case.name);
            assert_eq!(hex::encode(Sha256::digest(bytes)), digest, "{}: {name}", case.name);
            compared += 1;
        }
        assert!(found.is_empty(), "{}: {:?} too many", case.name, found.keys());
        let left_out = noted(&file, "left_out").unwrap_or(json!([]));
        assert_eq!(left_out, json!(strings), "{}", case.name);
    }
    assert!(compared > 1000, "{compared} tensors");
}
