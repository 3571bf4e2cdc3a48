//! `inspect`: groups, shards and tensors of a model, and where its bytes go.

use std::fs;

use candle_core::{DType, Device};
use serde_json::json;

use crate::support::{Desk, manifest, model};

#[test]
fn a_model_is_taken_apart_down_to_its_tensors() {
    let desk = Desk::new();
    let ran = desk.run(&["inspect", &desk.url()]).well();
    for text in [
        "tfjs-graph-model, ",
        "2 groups, 3 shards, 3 tensors, 57 parameters",
        "group1-shard2of2.bin",
        "conv/kernel  float32           6×8                   192 bytes",
        "conv/bias    float32 as uint8  8       ×0.500 -1.00    8 bytes",
        "steps        int32             scalar                  4 bytes",
        "conv         2          56  200 bytes  98.0%  █████████▊",
    ] {
        ran.shows(text);
    }
    let document = desk.run(&["inspect", &desk.url(), "--json"]).well().json("inspect");
    let anatomy = &document["models"][0];
    assert_eq!((&anatomy["weight_size"], &anatomy["parameters"]), (&json!(204), &json!(57)));
    let bias = &anatomy["groups"][0]["tensors"][1];
    assert_eq!((&bias["offset"], &bias["shards"]), (&json!(192), &json!(["group1-shard2of2.bin"])));
    let kernel = &anatomy["groups"][0]["tensors"][0];
    assert_eq!(kernel["shards"], json!(["group1-shard1of2.bin", "group1-shard2of2.bin"]));
    assert_eq!(anatomy["layers"][0]["name"], "conv");
}

#[test]
fn directories_of_every_kind_are_read_without_a_network() {
    let desk = Desk::new();
    desk.lock();
    desk.run(&["vendor"]).well();
    desk.run(&["get", &desk.url(), "out"]).well();
    model().iter().for_each(|(name, bytes)| drop(desk.write(&format!("plain/{name}"), bytes)));
    fs::remove_file(desk.path("models.lock")).unwrap();
    let asked = desk.host.requests().len();
    for dir in ["vendor-models", "out", "plain", "plain/model.json"] {
        let document = desk.run(&["inspect", dir, "--json", "--offline"]).well().json("inspect");
        assert_eq!(document["models"][0]["parameters"], 57, "{dir}");
        assert_eq!(document["models"][0]["format"], "tfjs-graph-model", "{dir}");
    }
    assert_eq!(desk.host.requests().len(), asked);
    fs::rename(desk.path("plain/model.json"), desk.path("plain/digits.json")).unwrap();
    desk.run(&["inspect", "plain"]).well();
    desk.write("plain/metadata.json", "{}");
    desk.run(&["inspect", "plain"]).wrong().says("digits.json").says("metadata.json");
}

#[test]
fn a_pinned_model_is_the_pinned_one_offline_too() {
    let desk = Desk::new();
    desk.lock();
    desk.host.put("/m/model.json", manifest(&["group2-shard1of1.bin"], 4));
    let document =
        desk.run(&["inspect", &desk.url(), "--json", "--offline"]).well().json("inspect");
    assert_eq!(document["models"][0]["parameters"], 57);
    fs::remove_file(desk.path("models.lock")).unwrap();
    let document = desk.run(&["inspect", &desk.url(), "--json"]).well().json("inspect");
    assert_eq!(document["models"][0]["parameters"], 4);
}

#[test]
fn what_is_damaged_is_not_inspected() {
    let desk = Desk::new();
    desk.run(&["get", &desk.url(), "out"]).well();
    fs::write(desk.path("out/group2-shard1of1.bin"), "").unwrap();
    desk.run(&["inspect", "out"]).wrong().says("is not what models.lock pins");
}

#[test]
fn what_is_no_model_at_all_is_told_as_such() {
    let desk = Desk::new();
    desk.run(&["inspect", "nodir"]).misused().says("there is no such file").says("/nodir");
    desk.write("a.tar.gz", "");
    desk.run(&["inspect", "a.tar.gz"]).misused().says("cannot look into archives");
    desk.write("models.lock", r#"{"version": 99, "models": []}"#);
    let ran = desk.run(&["list"]).wrong();
    assert!(!ran.says("install the newest").stderr.contains("Cargo.toml"), "{}", ran.stderr);
}

#[test]
fn the_treemap_is_one_page_that_has_every_tensor() {
    let desk = Desk::new();
    let ran = desk.run(&["inspect", &desk.url(), "--html", "page.html"]).well();
    assert_eq!(ran.says("Drew page.html").stdout, "");
    let page = fs::read_to_string(desk.path("page.html")).unwrap();
    for text in ["<!doctype html>", "\"conv/kernel\"", "\"steps\"", "prefers-color-scheme"] {
        assert!(page.contains(text), "{text}");
    }
    desk.run(&["inspect", &desk.url(), "--html", "no/such/page.html"]).wrong().says("cannot write");
}

#[test]
fn the_weights_become_one_file_that_candle_and_safetensors_load() {
    let desk = Desk::new();
    desk.lock();
    desk.run(&["vendor"]).well();
    let ran = desk.run(&["inspect", "vendor-models", "--safetensors", "m.safetensors"]).well();
    assert_eq!(ran.says("Wrote m.safetensors").stdout, "");
    let written = fs::metadata(desk.path("m.safetensors")).unwrap().modified().unwrap();
    let pinned = fs::metadata(desk.path("Cargo.toml")).unwrap().modified().unwrap();
    assert!(written >= pinned, "as new as it is");
    let weights = candle_core::safetensors::load(desk.path("m.safetensors"), &Device::Cpu).unwrap();
    assert_eq!(weights.len(), 3);
    let kernel: Vec<f32> = weights["conv/kernel"].flatten_all().unwrap().to_vec1().unwrap();
    let stored = [&model()["group1-shard1of2.bin"][..], &model()["group1-shard2of2.bin"]].concat();
    let (stored, bias) = stored.split_at(192);
    let bytes: Vec<u8> = kernel.iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(bytes, stored);
    assert_eq!(weights["conv/kernel"].dims(), [6, 8]);
    let expected: Vec<f32> = bias.iter().map(|byte| f32::from(*byte) * 0.5 - 1.0).collect();
    assert_eq!(weights["conv/bias"].to_vec1::<f32>().unwrap(), expected);

    let url = desk.url();
    let arguments = ["inspect", &url, "--safetensors", "small", "--dequantize=false", "--json"];
    desk.run(&arguments).well().json("inspect");
    let weights = candle_core::safetensors::load(desk.path("small"), &Device::Cpu).unwrap();
    assert_eq!(weights["conv/bias"].dtype(), DType::U8);
    assert_eq!(weights["conv/bias"].to_vec1::<u8>().unwrap(), bias);

    desk.run(&["inspect", &url, "--dequantize=false"]).misused().says("--safetensors");
    desk.run(&["get", &url, "two"]).well();
    desk.host.put("/other/model.json", manifest(&["w.bin"], 80));
    desk.host.put("/other/w.bin", [1; 80]);
    desk.run(&["get", &desk.host.url("/other/model.json"), "two", "--entry-name", "other.json"])
        .well();
    let refused = desk.run(&["inspect", "two", "--safetensors", "two.safetensors"]).misused();
    refused.says("cannot write several models as one safetensors file").says(&url);
    assert!(!desk.path("two.safetensors").exists());
}

#[test]
fn weights_that_are_texts_are_named_as_left_out() {
    let weights = r#"[{"paths": ["w"], "weights": [
        {"name": "words", "shape": [1], "dtype": "string"}, {"name": "truth", "shape": [2], "dtype": "bool"}]}]"#;
    let desk = Desk::new();
    desk.write("texts/model.json", weights);
    desk.write("texts/w", b"\x02\0\0\0hi\x01\0");
    let ran = desk.run(&["inspect", "texts", "--safetensors", "new/texts.safetensors"]).well();
    ran.says("warning: words is left out: the format has no strings");
    let file = fs::read(desk.path("new/texts.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&file).unwrap();
    assert_eq!(
        (tensors.names(), tensors.tensor("truth").unwrap().data()),
        (vec!["truth"], &[1, 0][..])
    );
}

#[test]
fn no_weight_is_named_as_left_out_that_is_written() {
    let weights = r#"[{"paths": ["w"], "weights": [
        {"name": "codes", "shape": [2], "dtype": "string", "quantization": {"dtype": "uint8", "scale": 1, "min": 0}},
        {"name": "again", "shape": [1], "dtype": "string"}, {"name": "again", "shape": [1], "dtype": "bool"}]}]"#;
    let desk = Desk::new();
    desk.write("texts/model.json", weights);
    desk.write("texts/w", b"\x07\x08\x02\0\0\0hi\x01");
    let arguments = ["inspect", "texts", "--safetensors", "all", "--dequantize", "false"];
    let ran = desk.run(&arguments).well();
    assert!(!ran.says("Wrote all").stderr.contains("left out"), "{}", ran.stderr);
    let file = fs::read(desk.path("all")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&file).unwrap();
    let values = ["codes", "again"].map(|name| tensors.tensor(name).unwrap().data().to_vec());
    assert_eq!(values, [vec![7, 8], vec![1]]);
}
